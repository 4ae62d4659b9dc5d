"""What notebooks show: the session's card and short errors."""

from __future__ import annotations

import re

import pytest
from IPython.core.interactiveshell import InteractiveShell

import clopos_nb


@pytest.fixture
def cell(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a cell and gives what it printed."""

    def run(code: str, **variables: object) -> str:
        shell.push(variables)
        capsys.readouterr()
        shell.run_cell(code, silent=True)
        return capsys.readouterr().out

    yield run
    shell.run_line_magic("xmode", "Context")


# ------------------------------------------------------------------------------ errors


def test_an_error_is_a_sentence_and_the_line_of_the_cell(cell, reader):
    code = "def pick(name):\n    return session.venue(name)\n\npick('Atlantis')"
    first, second = cell(code, session=reader).strip().split("\n")
    assert first.startswith("VenueNotFound: No venue 'Atlantis' in this brand; there are: 1 ")
    assert second == "  line 4: pick('Atlantis')"


def test_an_error_of_a_request_shows_no_path_and_no_other_error(cell, faulty, visitor, envelope):
    faulty.on("/receipts", {"success": False, "error": "something new"})
    told = cell("session.frame('receipts', '2026-01-05')", session=visitor)
    assert told.count("\n") == 2
    assert "ApiError" in told
    assert ".py" not in told


def test_the_whole_error_is_shown_when_asked_for(cell, reader):
    told = cell("%xmode Verbose\nsession.venue('Atlantis')", session=reader)
    assert "venues.py" in told
    assert "Traceback" in told


# -------------------------------------------------------------------------------- card


def facts(session: clopos_nb.Session) -> dict[str, str]:
    """Return what the card says, by name."""
    return dict(re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>", session._repr_html_()))


def test_a_new_session_says_what_it_does_not_know_and_asks_nobody(faulty, visitor, cache):
    assert facts(visitor) == {
        "brand": "narbag",
        "server": "this machine",
        "time zone": "as sent",
        "venues": "not read yet",
        "default venue": "the main one",
        "token": "none in use yet",
        "request budget": "not stated yet",
    }
    assert faulty.seen == []
    assert not cache.exists()


def test_showing_a_session_without_credentials_asks_for_none(monkeypatch):
    def nobody(prompt: str = "") -> str:
        raise AssertionError(prompt)

    monkeypatch.setattr("getpass.getpass", nobody)
    monkeypatch.setattr("builtins.input", nobody)
    with clopos_nb.Session() as session:
        assert facts(session)["brand"] == "not set"
        assert repr(session) == "Session(brand=None)"


def test_a_session_in_use_says_what_it_learned(session):
    session.frame("receipts", "2026-01-05", progress=False)
    told = facts(session)
    main = session.venue().name
    assert told["venues"] == "4"
    assert told["default venue"] == f"{main}, the main one"
    assert told["stage, as the token says"] == session.token.claims["stage"]
    assert told["token"] == "about 60 minutes left"
    assert re.fullmatch(
        r"(more|less) than .* of 300 left at the last answer", told["request budget"]
    )


def test_the_card_holds_no_secret_and_sends_nothing(fresh, open_session):
    session = open_session(fresh, venue_id=3)
    session.login()
    before = len(fresh.requests)
    page = session._repr_html_()
    assert facts(session)["default venue"] == "3"
    assert len(fresh.requests) == before
    assert session.token.secret.reveal() not in page
    assert not [name for name in ("client_id", "client_secret") if fresh.credentials[name] in page]


def test_what_a_server_sends_is_escaped(faulty, visitor, envelope):
    faulty.on("/venues", envelope({"id": 1, "name": "<img src=x>"}))
    shown = [visitor.venues._repr_html_(), visitor.venue(1)._repr_html_(), visitor._repr_html_()]
    assert [page for page in shown if "<img" in page or "&lt;img" not in page] == []


def test_no_colour_is_fixed_so_that_both_themes_can_be_read(reader):
    shown = [reader, reader.venues, reader.venue(1), reader.tables, reader.tables["orders"]]
    assert [x for x in shown if re.search("style|color|bgcolor|class", _tags(x))] == []


def _tags(thing: object) -> str:
    return " ".join(re.findall("<.*?>", thing._repr_html_()))
