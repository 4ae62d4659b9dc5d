"""Where credentials come from, and that they do not show themselves."""

from __future__ import annotations

import copy
import pickle

import pytest

from clopos_nb.credentials import NAMES, VARIABLES, Credentials, Secret, complete, given
from clopos_nb.errors import MissingCredentials

VALUES = {"client_id": "i-1", "client_secret": "s-2", "brand": "b-3", "integrator_id": "g-4"}


def test_an_argument_wins_over_the_environment(monkeypatch):
    for name in NAMES:
        monkeypatch.setenv(VARIABLES[name], "from the environment")
    assert complete(given(VALUES)).body() == VALUES
    assert complete(given({})).brand == "from the environment"


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_credential_is_named_with_its_variable(name, monkeypatch):
    monkeypatch.delenv(VARIABLES[name], raising=False)
    with pytest.raises(MissingCredentials) as caught:
        complete(given({**VALUES, name: None}))
    text = str(caught.value)
    assert VARIABLES[name] in text
    assert "demo()" in text
    assert not any(value in text for value in VALUES.values())


def test_a_blank_credential_is_missing(monkeypatch):
    monkeypatch.setenv("CLOPOS_BRAND", "  ")
    with pytest.raises(MissingCredentials, match="brand"):
        complete(given({**VALUES, "brand": ""}))


def test_a_secret_shows_itself_nowhere():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {secret:>20}" + repr(vars(Credentials))
    for way in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            way(secret)


def test_the_fingerprint_tells_credentials_and_servers_apart_and_holds_none_of_them():
    one = complete(given(VALUES))
    other = complete(given({**VALUES, "client_secret": "s-9"}))
    prints = {
        one.fingerprint("https://a"),
        one.fingerprint("https://b"),
        other.fingerprint("https://a"),
    }
    assert len(prints) == 3
    assert not any(value in text for value in VALUES.values() for text in prints)
