"""The doctor finds what is wrong, says who can mend it, raises nothing and gives nothing away."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping

import keyring
import keyring.backend
import pytest
from keyring.errors import PasswordDeleteError
from werkzeug import Response

import clopos_nb
from clopos_nb.checkup import Check, Checkup
from clopos_nb.cli import main
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.faults import KINDS
from clopos_nb.tables import CATALOGUE

LISTS = [t.path for t in CATALOGUE.values() if not t.parent and not t.per]
posix = pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
MARKS = ["planted-client-id", "planted-client-secret", "eyJ", "Aygun Planted", "50 555", "flat 4"]


def by_name(checkup: Checkup) -> dict[str, Check]:
    found = {check.name: check for check in checkup.checks}
    assert len(found) == len(checkup.checks)
    return found


def wrong(checkup: Checkup) -> list[tuple[str, str]]:
    return [(check.name, check.state) for check in checkup.checks if check.state != "ok"]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets a server's credentials, and more, as environment variables."""

    def set_(server: Sandbox, **more: str) -> None:
        names = {f"CLOPOS_{name.upper()}": value for name, value in server.credentials.items()}
        for name, value in {"CLOPOS_BASE_URL": server.url, **names, **more}.items():
            monkeypatch.setenv(name, value)

    return set_


# ---------------------------------------------------------------------------- all is well


def test_a_healthy_session_is_told_so_with_one_request_for_each_list(fresh, open_session):
    checkup = open_session(fresh).doctor()
    assert (checkup.ok, wrong(checkup)) == (True, [])
    assert {path: fresh.count(path) for path in LISTS} == {**dict.fromkeys(LISTS, 1), "/venues": 2}
    assert len(fresh.requests) == len(LISTS) + 2  # the login, and one without a token
    assert fresh.requests[0].status == 401


def test_what_may_be_read_is_told_of_each_list_with_its_rows(fresh, brand, open_session):
    found = by_name(open_session(fresh).doctor())
    assert {f"GET {path}" for path in LISTS} <= set(found)
    count = len(brand.rows("users", brand.venue_ids[0]))
    assert found["GET /users"].found == f"readable, {count} rows"
    assert (
        found["GET /receipts"].found == "readable, 0 rows yesterday"
    )  # the brand's books end before
    assert found["venues"].found == "4 seen, of the ids 1, 2, 3, 4"


def test_a_second_visit_uses_the_token_that_is_there(fresh, open_session):
    session = open_session(fresh)
    session.doctor()
    assert session.doctor().ok
    assert fresh.count("/auth") == 1


def test_test_or_live_is_told_in_the_tokens_own_word(fresh, open_session):
    live = by_name(open_session(fresh).doctor())["stage"].found
    test = by_name(open_session(fresh, **fresh.test_credentials).doctor())["stage"].found
    assert (live.split(",")[0], test.split(",")[0]) == ("production", "beta")


def test_versions_of_python_and_of_what_is_used_are_told(session):
    found = by_name(session.doctor())["versions"].found
    told = ("Python 3.", f"clopos_nb {clopos_nb.__version__}, ", "requests 2", "keyring ")
    assert [name for name in told if name not in found] == []


# ------------------------------------------------------------------------------- settings


class InMemory(keyring.backend.KeyringBackend):
    """A key ring that holds a brand's integrator id."""

    priority = 1

    def __init__(self, held: Mapping[str, str]) -> None:
        super().__init__()
        self._held = held

    def get_password(self, service: str, username: str) -> str | None:
        return self._held.get(username) if service == "clopos_nb" else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError


@pytest.fixture
def key_ring() -> Iterator[Callable[..., None]]:
    previous = keyring.get_keyring()
    yield lambda **held: keyring.set_keyring(InMemory(held))
    keyring.set_keyring(previous)


def test_each_setting_says_where_it_came_from(fresh, environment, key_ring, monkeypatch):
    environment(fresh, CLOPOS_TIMEZONE="Asia/Baku")
    monkeypatch.delenv("CLOPOS_INTEGRATOR_ID")
    key_ring(integrator_id=fresh.credentials["integrator_id"])
    with clopos_nb.Session(brand=fresh.credentials["brand"], venue_id=2) as session:
        found = by_name(session.doctor())
    assert found["client_secret"].found == "set (CLOPOS_CLIENT_SECRET)"
    assert found["brand"].found == f"{fresh.credentials['brand']} (argument)"
    assert found["integrator_id"].found == f"{fresh.credentials['integrator_id']} (key ring)"
    assert found["venue_id"].found == "2 (argument)"
    assert found["timezone"].found == "Asia/Baku (CLOPOS_TIMEZONE)"
    assert found["rate_limit"].found == "300/60s (default)"


def test_a_missing_credential_is_named_and_nobody_is_asked_for_it(fresh, environment, monkeypatch):
    environment(fresh, CLOPOS_CLIENT_SECRET=" ")
    monkeypatch.setattr("sys.stdin", None)
    with clopos_nb.Session() as session:
        checkup = session.doctor()
    assert wrong(checkup) == [("client_secret", "failed")]
    assert "CLOPOS_CLIENT_SECRET" in by_name(checkup)["client_secret"].advice
    assert len(fresh.requests) == 0


def test_what_the_key_ring_holds_is_not_called_missing_where_something_else_is(
    fresh, environment, key_ring, monkeypatch
):
    environment(fresh, CLOPOS_BRAND=fresh.credentials["client_secret"])  # pasted in the wrong place
    monkeypatch.delenv("CLOPOS_CLIENT_ID")
    monkeypatch.delenv("CLOPOS_INTEGRATOR_ID")
    key_ring(integrator_id="theirs")
    with clopos_nb.Session() as session:
        checkup = session.doctor()
    assert wrong(checkup) == [("client_id", "failed")]
    assert by_name(checkup)["integrator_id"].found == "theirs (key ring)"
    assert by_name(checkup)["brand"].found == "*** (CLOPOS_BRAND)"


def test_a_default_venue_that_is_not_there_is_found(fresh, open_session):
    checkup = open_session(fresh, venue_id=77).doctor()
    assert ("venues", "failed") in wrong(checkup)
    assert "77 is not among them" in by_name(checkup)["venues"].found


# ------------------------------------------------------------------------------ on the way


def test_a_server_that_is_not_there_is_found_and_nothing_more_is_tried(fresh, open_session):
    session = open_session(fresh)
    fresh.stop()
    checkup = session.doctor()
    assert wrong(checkup) == [("connection", "failed")]
    assert "login" not in by_name(checkup)
    assert "CLOPOS_BASE_URL" in by_name(checkup)["connection"].advice


def test_a_name_without_an_address_is_found(fresh, open_session):
    checkup = open_session(fresh, base_url="https://nowhere.invalid/open-api/v2").doctor()
    assert wrong(checkup) == [("address", "failed")]


@pytest.mark.parametrize(("hours", "told"), [(-2, "ahead of"), (2, "behind")])
def test_a_wrong_clock_is_a_warning_and_the_rest_works(fresh, open_session, hours, told):
    fresh.advance(3600 * hours)
    checkup = open_session(fresh).doctor()
    assert wrong(checkup) == [("clock", "warning")]
    assert f"about 120 minutes {told} the server's" in by_name(checkup)["clock"].found


# --------------------------------------------------------------------------- at the server


@pytest.mark.parametrize(
    ("change", "who"),
    [
        (lambda sandbox: {"client_secret": "not this one"}, "you"),
        (lambda sandbox: {"client_id": sandbox.disabled_client_id}, "the brand's owner"),
        (lambda sandbox: {"integrator_id": sandbox.deactivated_integrator_id}, "Clopos"),
        (lambda sandbox: {"integrator_id": sandbox.test_integrator_id}, "you"),
    ],
    ids=["wrong secret", "module off", "integrator gone", "test with live"],
)
def test_a_refused_login_says_who_can_mend_it(fresh, open_session, change, who):
    checkup = open_session(fresh, **change(fresh)).doctor()
    assert wrong(checkup) == [("login", "failed")]
    assert by_name(checkup)["login"].advice.endswith(f"Who can mend it: {who}")
    assert len(fresh.requests) == 2


def test_an_integrator_that_was_deactivated_since_the_login_is_found(fresh, open_session):
    session = open_session(fresh)
    session.login()
    fresh.deactivate_integrator()
    checkup = session.doctor()
    assert wrong(checkup) == [("GET /venues", "failed")]
    assert by_name(checkup)["GET /venues"].advice.endswith("Clopos")


def test_a_missing_module_is_a_warning_and_the_rest_is_read(fresh, open_session):
    fresh.faults.add("missing_module", path="/orders")
    checkup = open_session(fresh).doctor()
    assert wrong(checkup) == [("GET /orders", "warning")]
    assert by_name(checkup)["GET /orders"].found.startswith("The module is missing")
    assert by_name(checkup)["GET /receipts"].state == "ok"


def test_a_missing_permission_is_a_warning_and_says_who_can_grant_it(faulty, visitor, envelope):
    for path in LISTS:
        faulty.on(path, envelope({"id": 1}))
    faulty.on("/receipts", Response('{"success": false, "error": "forbidden"}', 403))
    checkup = visitor.doctor()
    assert wrong(checkup) == [("GET /receipts", "warning")]
    assert by_name(checkup)["GET /receipts"].found.startswith("The permission is missing")
    assert "the brand's owner can grant it" in by_name(checkup)["GET /receipts"].advice


def test_a_list_that_fails_does_not_keep_the_others_from_being_asked(fresh, open_session):
    fresh.faults.add("truncated_json", path="/users")
    checkup = open_session(fresh).doctor()
    assert wrong(checkup) == [("GET /users", "failed")]
    assert by_name(checkup)["GET /receipts"].state == "ok"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("path", "affected"), [("/auth", "login"), ("/receipts", "GET /receipts")])
def test_whatever_a_server_does_is_told_and_not_raised(fresh, open_session, name, path, affected):
    session = open_session(fresh)
    session._transport.sleep = lambda seconds: None  # between tries
    fresh.faults.time_scale = 0.01
    fresh.faults.add(name, path=path)
    told = session.doctor().as_dict()
    assert json.loads(json.dumps(told)) == told
    assert {check["name"] for check in told["checks"] if check["state"] == "failed"} <= {affected}


def test_a_budget_that_is_used_up_for_long_is_told_instead_of_waited_for(faulty, visitor, envelope):
    left = {"RateLimit-Limit": "300", "RateLimit-Remaining": "0", "RateLimit-Reset": "600"}
    faulty.on("/venues", Response(json.dumps(envelope({"id": 1})), 200, left))
    checkup = visitor.doctor()
    assert wrong(checkup) == [("GET /users", "failed"), ("budget", "warning")]
    assert "used up" in by_name(checkup)["GET /users"].found


def test_a_budget_that_others_use_up_is_a_warning(faulty, visitor, envelope):
    for path in LISTS:
        body = json.dumps(envelope())
        left = {"RateLimit-Limit": "300", "RateLimit-Remaining": "20", "RateLimit-Reset": "9"}
        faulty.on(path, Response(body, 200, left))
    faulty.on("/venues", envelope({"id": 1}))
    checkup = visitor.doctor()
    assert wrong(checkup) == [("budget", "warning")]
    assert by_name(checkup)["budget"].found == "20 of 300 requests left"


# ------------------------------------------------------------------------------- the cache


def test_a_cache_that_cannot_be_used_is_a_warning_of_the_doctors_own(fresh, open_session, tmp_path):
    (tmp_path / "file").write_text("")
    checkup = open_session(fresh, cache_dir=tmp_path / "file").doctor()
    assert wrong(checkup) == [("cache", "warning")]
    assert "CLOPOS_NB_CACHE_DIR" in by_name(checkup)["cache"].advice


@posix
def test_a_cache_that_others_can_read_is_a_warning(fresh, open_session, cache):
    session = open_session(fresh)
    session.login()
    cache.chmod(0o755)
    assert wrong(session.doctor()) == [("cache", "warning")]


def test_a_store_is_opened_and_what_it_holds_is_counted(fresh, open_session, tmp_path):
    session = open_session(fresh, store=tmp_path / "store")
    kept = session.frame("receipts", "2026-01-05", venues="all", progress=False)
    check = by_name(session.doctor())
    assert check["store_holds"].state == "ok"
    assert f"1 tables, {len(kept):,} rows" in check["store_holds"].found
    assert check["store"].found == f"{tmp_path / 'store'} (argument)"


def test_a_store_that_does_not_open_is_a_warning_that_names_no_home(
    fresh, open_session, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    session = open_session(fresh, store=tmp_path / "store")
    session.frame("receipts", "2026-01-05", venues="all", progress=False)
    for log in (tmp_path / "store" / "held" / "_delta_log").glob("*.json"):
        log.write_text("{")
    checkup = open_session(fresh, store=tmp_path / "store").doctor()
    assert wrong(checkup) == [("store_holds", "warning")]
    assert "damaged" in by_name(checkup)["store_holds"].found
    assert str(tmp_path) not in str(checkup)


def test_the_home_directory_is_not_named(fresh, open_session, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    session = open_session(fresh, cache_dir=tmp_path / "mine")
    assert by_name(session.doctor())["cache_dir"].found == f"~{os.sep}mine (argument)"


# ----------------------------------------------------------------------- safe to send along


def forms(checkup: Checkup) -> list[str]:
    return [str(checkup), repr(checkup), checkup._repr_html_(), json.dumps(checkup.as_dict())]


def test_what_a_server_says_of_people_or_secrets_is_in_no_form(faulty, visitor, envelope):
    person = {"id": 1, "name": "Aygun Planted", "phone": "+994 50 555 44 33", "address": "flat 4"}
    echo = f"no planted-client-secret of {person}"
    for number, path in enumerate(LISTS):
        failed = Response(json.dumps({"success": False, "error": echo, "message": echo}), 403)
        faulty.on(path, failed if number % 2 else envelope(person))
    checkup = visitor.doctor()
    assert {state for _, state in wrong(checkup)} == {"warning"}
    assert [mark for mark in MARKS for form in forms(checkup) if mark in form] == []


def test_a_secret_in_the_place_of_the_brand_is_masked(fresh, open_session):
    secret = fresh.credentials["client_secret"]
    checkup = open_session(fresh, brand=secret).doctor()
    assert by_name(checkup)["brand"].found == "*** (argument)"
    assert not [form for form in forms(checkup) if secret in form]


def test_html_escapes_what_was_set(fresh, open_session):
    page = open_session(fresh, brand="<img src=x>").doctor()._repr_html_()
    assert "<img" not in page
    assert "&lt;img" in page


# ------------------------------------------------------------------------- the command line


def test_the_command_says_all_is_well_and_exits_with_0(fresh, environment, capsys):
    environment(fresh)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("\nAll is well\n")


def test_the_command_exits_with_1_and_json_says_why(fresh, environment, capsys):
    environment(fresh, CLOPOS_CLIENT_SECRET="not this one")
    assert main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    (failed,) = [check for check in told["checks"] if check["state"] == "failed"]
    assert (failed["name"], set(failed)) == ("login", {"name", "state", "found", "advice"})


def test_a_setting_that_cannot_be_is_found_and_not_raised(fresh, environment, capsys):
    environment(fresh, CLOPOS_TIMEZONE="Baku/Asia")
    assert main(["doctor"]) == 1
    assert "FAILED   settings" in capsys.readouterr().out
