"""Whatever goes wrong has a name, says what to do, and tells nothing about anybody."""

from __future__ import annotations

import json
import socket
import warnings
from typing import Any

import pytest
from werkzeug import Response

import clopos_nb
from clopos_nb import errors

PHONE, NAME, ADDRESS = "+994 50 555 44 33", "Aygun Planted", "Nizami 17, flat 4"
ECHO = f"{NAME}, {ADDRESS}, {PHONE}"


# ------------------------------------------------------------------------ credentials


@pytest.mark.parametrize("name", ["client_id", "client_secret", "brand", "integrator_id"])
def test_a_missing_credential_names_its_variable_and_argument(fresh, open_session, refused, name):
    session = open_session(fresh, **{name: None})
    with refused(errors.MissingCredentials, f"CLOPOS_{name.upper()}", f"{name}=", "demo()"):
        session.get("/venues")
    assert len(fresh.requests) == 0


@pytest.mark.parametrize("changed", ["client_id", "client_secret", "brand"])
def test_a_wrong_credential_is_refused(fresh, open_session, refused, changed):
    session = open_session(fresh, **{changed: "somebody-elses"})
    with refused(errors.CredentialsRefused, f"CLOPOS_{changed.upper()}", "Open API") as caught:
        session.get("/venues")
    assert caught.value.who_can_fix == "you"
    assert fresh.count("/auth") == 1


def test_a_disabled_client_is_sent_to_the_brands_owner(fresh, open_session, refused):
    session = open_session(fresh, client_id=fresh.disabled_client_id)
    with refused(errors.ClientDisabled, "back office") as caught:
        session.get("/venues")
    assert (caught.value.who_can_fix, caught.value.code) == (
        "the brand's owner",
        "Client is disabled",
    )


@pytest.mark.parametrize("unknown", [True, False], ids=["unknown", "deactivated"])
def test_an_integrator_that_is_not_good_is_sent_to_clopos(fresh, open_session, refused, unknown):
    integrator = "live_nobody" if unknown else fresh.deactivated_integrator_id
    session = open_session(fresh, integrator_id=integrator)
    with refused(errors.UnknownIntegrator, "CLOPOS_INTEGRATOR_ID") as caught:
        session.get("/venues")
    assert caught.value.who_can_fix == "Clopos"


def test_a_test_integrator_on_a_live_brand_is_told(fresh, open_session, refused):
    session = open_session(fresh, integrator_id=fresh.test_integrator_id)
    with refused(errors.TestModeMismatch, "test integrator", "integrator_id"):
        session.get("/venues")
    (entry,) = fresh.requests
    assert entry.status == 200  # the trap: success: false on HTTP 200


def test_a_live_integrator_on_a_test_brand_is_told(fresh, open_session, refused):
    settings = {**fresh.test_credentials, "integrator_id": fresh.credentials["integrator_id"]}
    with refused(errors.TestModeMismatch, "test brands"):
        open_session(fresh, **settings).get("/venues")


def test_an_integrator_put_in_test_mode_meanwhile_is_told(fresh, open_session, refused):
    session = open_session(fresh)
    session.get("/venues")
    fresh.put_integrator_in_test_mode()
    with refused(errors.TestModeMismatch):
        session.get("/venues")


def test_an_integrator_deactivated_meanwhile_is_told(fresh, open_session, refused):
    session = open_session(fresh)
    session.get("/venues")
    fresh.deactivate_integrator()
    with refused(errors.UnknownIntegrator):
        session.get("/venues")


# ---------------------------------------------------------------- venues, tables, days


def test_an_unknown_venue_lists_the_real_ones(session, refused):
    for wanted in (99, "Gəncə"):
        with refused(errors.VenueNotFound, repr(wanted), *(v.name for v in session.venues)):
            session.venue(wanted)
    with refused(errors.VenueNotFound, "99"):
        session.frame("receipts", "2026-01-09", venues=[1, 99])


def test_a_venue_of_another_session_is_refused(fresh, session, open_session, refused):
    theirs = open_session(fresh).venue(1)
    with refused(errors.VenueNotFound, "another session", "session.venue(1)"):
        session.frame("receipts", "2026-01-09", venues=[theirs])


def test_a_default_venue_of_another_brand_lists_the_real_ones(sandbox, open_session, refused):
    session = open_session(sandbox, venue_id=77)
    with refused(errors.VenueNotFound, "77", "1 "):
        session.venue()


def test_no_venue_at_all_is_told_and_not_certified(faulty, visitor, refused, envelope):
    faulty.on("/venues", envelope())
    with refused(errors.VenueNotFound, "see no venue"):
        visitor.frame("receipts", "2026-01")


def test_a_venue_that_the_server_does_not_know_any_more_is_not_found(faulty, visitor, refused):
    body = {"success": False, "error": "resource_not_found", "message": "Venue not found"}
    faulty.on("/receipts", Response(json.dumps(body), 404))
    with refused(errors.NotFound, "/receipts", "venue 2", "Venue not found") as caught:
        visitor.venue(2).frame("receipts", "2026-01")
    assert (caught.value.status, caught.value.venue_id) == (404, 2)


@pytest.mark.parametrize(
    ("wrong", "close"), [("recipts", "receipts"), ("order", "orders"), ("Products", "products")]
)
def test_an_unknown_table_names_close_ones(fresh, open_session, refused, wrong, close):
    with refused(errors.UnknownTable, repr(wrong), f"did you mean {close!r}"):
        open_session(fresh).frame(wrong)
    assert len(fresh.requests) == 0


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("2026-01-31", "2026-01-01"), "before the start"),
        (("2026-13",), "'2026-13'"),
        (("2026-02-30",), "'2026-02-30'"),
        (("2026-00-10",), "'2026-00-10'"),
        (("the day after",), "'the day after'"),
        ((20260131,), "20260131"),
        ((3.5,), "3.5"),
        ((None, "2026-01-31"), "needs a start"),
        (("2026-01-01", "2026-02-29"), "'2026-02-29'"),
    ],
)
def test_impossible_days_are_told_before_anything_is_sent(fresh, open_session, refused, days, said):
    with refused(errors.InvalidDates, said):
        open_session(fresh).frame("receipts", *days)
    assert len(fresh.requests) == 0


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_too(session, day):
    assert len(session.venue(1).frame("receipts", day, day="shift_date")) == 0


@pytest.mark.parametrize("asked", [{"venues": 3.5}, {"venues": None}, {"filters": ["status"]}])
def test_an_argument_of_another_type_is_told(session, refused, asked):
    with refused(errors.ConfigError, next(iter(asked))):
        session.frame("receipts", "2026-01-09", **asked)


@pytest.mark.parametrize("table", ["products", "venues", "stop_list"])
def test_days_for_a_table_that_has_none_are_refused(fresh, open_session, refused, table):
    with refused(errors.ConfigError, table, "takes no days"):
        open_session(fresh).frame(table, "2026-01")
    assert len(fresh.requests) == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"filters": {"colour": 1}}, ("'colour'", "here are", "status")),
        ({"columns": ["id", "colour"]}, ("'colour'", "here are", "total")),
    ],
)
def test_an_unknown_filter_or_column_lists_the_known_ones(
    fresh, open_session, refused, asked, said
):
    with refused(errors.ConfigError, *said):
        open_session(fresh).frame("receipts", "2026-01", **asked)
    assert len(fresh.requests) == 0


@pytest.mark.parametrize("path", ["https://elsewhere.invalid/x", "/a?b=c", "/../auth", "/a#b"])
def test_a_path_that_leads_elsewhere_is_refused(fresh, open_session, refused, path):
    with refused(errors.ConfigError, "not a path of the API"):
        open_session(fresh).get(path)
    assert len(fresh.requests) == 0


# --------------------------------------------------------------------- where it goes


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://integrations.clopos.com/open-api/v2", "https://"),
        ("http://127.0.0.1.evil.example/x", "https://"),
        ("https://user:planted-client-secret@example.com/x", "must not carry a login"),
        ("https://example.com/x?token=planted-client-secret", "must not carry"),
        ("https://example.com/x#planted-client-secret", "must not carry"),
        ("clopos.com", "not a web address"),
        ("ftp://clopos.com", "not a web address"),
        ("https://", "not a web address"),
        ("https://host:port/x", "not a web address"),
        pytest.param(
            "https://[broken/x",
            "not a web address",
        ),
    ],
)
def test_a_base_url_that_is_not_safe_is_refused_at_once(refused, url, said):
    with refused(errors.ConfigError, "base_url", said):
        clopos_nb.Session(base_url=url)


@pytest.mark.parametrize(
    ("name", "value"), [("CLOPOS_TIMEZONE", "Baku/Mars"), ("CLOPOS_VENUE_ID", "the big one")]
)
def test_a_wrong_setting_of_the_environment_is_named(monkeypatch, refused, name, value):
    monkeypatch.setenv(name, value)
    with refused(errors.ConfigError, name, repr(value)):
        clopos_nb.Session()


def test_a_server_that_is_not_there_is_a_failed_connection(faulty, open_session, refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    session = open_session(faulty, base_url=f"http://127.0.0.1:{port}/open-api/v2")
    with refused(errors.ConnectionFailed, f"127.0.0.1:{port}", "CLOPOS_BASE_URL") as caught:
        session.get("/customers", {"filters": [["phones", PHONE]]})
    assert isinstance(caught.value, ConnectionError)


def test_a_host_that_has_no_address_is_a_failed_connection(faulty, open_session, refused):
    session = open_session(faulty, base_url="https://clopos.invalid/open-api/v2")
    with refused(errors.ConnectionFailed, "clopos.invalid"):
        session.get("/venues")


# ------------------------------------------------------------------ unreadable answers

HTML = "<!doctype html><html><body><h1>Hello</h1></body></html>"


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (Response(HTML, 200, content_type="text/html"), errors.ResponseError, "HTML page"),
        (Response(HTML, 404, content_type="text/html"), errors.ResponseError, "HTML page"),
        (Response(HTML, 502, content_type="text/html"), errors.ServerError, "502"),
        (Response('{"success": true, "data": [{"id": 1,', 200), errors.ResponseError, "breaks off"),
        (Response("", 200), errors.ResponseError, "empty"),
        (Response("", 204), errors.ResponseError, "empty"),
        (Response("", 500), errors.ServerError, "500"),
        (Response(b"\xff\xfe\x00", 200), errors.ResponseError, "not valid"),
        (Response('"hello"', 200), errors.ResponseError, "not valid"),
        (Response("[1, 2]", 200), errors.ResponseError, "list of objects"),
        (Response('{"hello": 1}', 200), errors.ResponseError, "no data"),
        (Response('{"data": "hello"}', 200), errors.ResponseError, "list of objects"),
        (Response('{"data": [1]}', 200), errors.ResponseError, "list of objects"),
        (Response('{"data": {"id": 1}}', 200), errors.ResponseError, "list of objects"),
    ],
)
def test_an_answer_that_cannot_be_read_is_told(
    faulty, visitor, waits, refused, answer, error, said
):
    faulty.on("/users", answer)
    with refused(error, said):
        visitor.frame("users")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(HTML, 200, content_type="text/html"), "HTML page"),
        (Response('{"success": true}', 200), "no token"),
        (Response('{"success": true, "token": 5, "data": []}', 200), "no token"),
        (Response('{"token": "eyJ', 200), "breaks off"),
    ],
)
def test_a_login_that_cannot_be_read_is_told(faulty, visitor, refused, answer, said):
    faulty.on("/auth", answer)
    with refused(errors.ResponseError, "/auth", said):
        visitor.get("/venues")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "[" * 5000),
        (200, '{"data":' + "[" * 5000 + "]" * 5000 + "}"),
        (400, '{"error":' * 5000),
    ],
)
def test_an_answer_nested_too_deeply_is_told(faulty, visitor, refused, status, body):
    faulty.on("/users", Response(body, status))
    with refused(errors.ResponseError, "/users"):
        visitor.frame("users")


@pytest.mark.parametrize("token", ["eyJplanted\nx", "eyJplantedə"])
def test_a_token_that_cannot_be_sent_is_told(faulty, visitor, refused, token):
    faulty.on("/auth", {"success": True, "token": token, "expires_in": 3600})
    with refused(errors.ResponseError, "/auth"):
        visitor.get("/venues")


# ------------------------------------------------------------------- clear refusals

E2 = {"success": False, "error": "resource_not_found", "message": "User not found"}
E3_ITEM = {
    "message": r"No query results for model [App\Models\Auth\User] 12",
    "type": "server_side",
    "exception": "NotFoundHttpException",
    "http_code": 404,
}
E3 = {"success": False, "error": [E3_ITEM]}
MODULE = {"success": False, "message": "Brand narbag does not have access to module OPEN_API"}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (404, E2, errors.NotFound, "User not found"),
        (404, E3, errors.NotFound, "No query results"),
        (200, E3, errors.NotFound, "No query results"),
        (200, E2, errors.NotFound, "User not found"),
        (403, MODULE, errors.ModuleUnavailable, "module"),
        (403, {"success": False, "error": "forbidden"}, errors.PermissionDenied, "back office"),
        (400, {"success": False, "error": "validation_failed"}, errors.BadRequest, "parameters"),
        (422, {"success": False, "error": ECHO}, errors.BadRequest, "parameters"),
        (409, {"success": False, "error": "duplicate_phone"}, errors.Conflict, "unique"),
        (418, {"success": False}, errors.ApiError, "418"),
        (200, {"success": False}, errors.ApiError, "without a reason"),
        (200, {"success": False, "data": [{"id": 1}]}, errors.ApiError, "without a reason"),
        (429, {"success": False, "error": "rate_limited"}, errors.RateLimited, "limit"),
        (500, {"success": False}, errors.ServerError, "try again later"),
        (503, {"success": False}, errors.ServerError, "503"),
        (504, {"success": False}, errors.UpstreamTimeout, "8 seconds"),
        (504, E3, errors.UpstreamTimeout, "fewer days"),
    ],
)
def test_each_refusal_has_its_name(faulty, visitor, waits, refused, status, body, error, said):
    faulty.on("/users", Response(json.dumps(body), status))
    with refused(error, "/users", f"HTTP {status}", said) as caught:
        visitor.frame("users")
    assert (caught.value.status, caught.value.path) == (status, "/users")


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 418, 422, 429, 500, 504])
@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "error": "invalid_parameter", "message": ECHO},
        {"success": False, "error": ECHO, "message": ECHO},
        {"success": False, "error": [{"message": ECHO, "exception": ECHO, "type": ECHO}]},
        {"success": False, "error": {"message": ECHO, PHONE: NAME}},
        {"success": False, "error": "Validation failed", "message": f"phone {PHONE} is taken"},
        {"success": False, "message": f"Integrator is in test mode. {NAME}"},
    ],
)
def test_no_refusal_repeats_what_a_server_says_about_somebody(
    faulty, visitor, waits, refused, status, body
):
    faulty.on("/users", Response(json.dumps(body), status))
    with pytest.raises(errors.CloposError) as found:
        visitor.frame("users")
    with refused(type(found.value)):
        visitor.frame("users")


def test_a_missing_module_does_not_repeat_who_misses_it(faulty, visitor, refused):
    body = {"success": False, "message": f"Customer {NAME} does not have access to module STOCK"}
    faulty.on("/users", Response(json.dumps(body), 403))
    with refused(errors.ModuleUnavailable):
        visitor.frame("users")


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500])
def test_no_refused_login_repeats_what_was_sent(faulty, visitor, refused, status):
    body = {
        "success": False,
        "error": "no planted-client-secret here",
        "message": "planted-client-id and planted-client-secret do not match",
    }
    faulty.on("/auth", Response(json.dumps(body), status))
    with pytest.raises(errors.CloposError) as found:
        visitor.get("/venues")
    with refused(type(found.value)):
        visitor.get("/venues")


def test_what_a_request_sent_is_masked_in_the_servers_own_message(faulty, visitor, refused):
    body = {"success": False, "error": "invalid_parameter", "message": f"{NAME} at {PHONE}"}
    faulty.on("/customers", Response(json.dumps(body), 400))
    with refused(errors.BadRequest, ".message") as caught:
        visitor.get("/customers", {"filters": [["name", NAME], ["phones", PHONE]]})
    assert caught.value.message == "*** at ***"


def test_a_venue_that_fails_is_named_and_the_others_rows_are_kept(faulty, visitor, envelope):
    faulty.on(
        "/receipts",
        lambda request: (
            envelope({"id": 1})
            if request.headers["x-venue"] == "1"
            else Response(json.dumps({"success": False, "error": ECHO, "message": ECHO}), 403)
        ),
    )
    with pytest.warns(errors.IncompleteResultWarning) as caught:
        frame = visitor.frame("receipts", "2026-01", errors="warn", progress=False)
    assert frame["venue"].tolist() == ["Nizami"]
    good, bad = frame.attrs["clopos"]["venues"]
    assert (good["complete"], good["error"]) == (True, None)
    assert (bad["complete"], bad["name"]) == (False, "Sahil")
    assert bad["error"].startswith("PermissionDenied")
    told = f"{frame.attrs} {caught[0].message}"
    assert not any(piece in told for piece in (PHONE, NAME, ADDRESS))


def test_a_refused_login_raises_even_when_errors_should_warn(fresh, open_session, refused):
    session = open_session(fresh, client_secret="planted-client-secret")
    with refused(errors.CredentialsRefused):
        session.frame("receipts", "2026-01", errors="warn")


# ----------------------------------------------------------------- nothing shows itself


def _fails_in_the_login(server: Any) -> None:
    server.on("/auth", Response(HTML, 200))


def _fails_at_the_server(server: Any) -> None:
    server.on("/users", Response(json.dumps({"success": False}), 400))


def _redirects(server: Any) -> None:
    server.on("/users", Response("", 302, {"Location": "https://elsewhere.invalid/"}))


def _redirects_the_login(server: Any) -> None:
    server.on("/auth", Response("", 302, {"Location": "https://elsewhere.invalid/"}))


@pytest.mark.parametrize(
    "fail",
    [
        _fails_at_the_server,
        _fails_in_the_login,
        _redirects,
        _redirects_the_login,
    ],
)
def test_no_verbose_traceback_shows_a_secret(faulty, visitor, refused, verbose, fail):
    fail(faulty)
    with pytest.raises(errors.CloposError) as caught:
        visitor.frame("users")
    shown = verbose(caught)
    assert [piece for piece in refused.hidden if piece in shown] == []


def test_nothing_that_shows_itself_shows_a_secret(fresh, open_session, caplog, refused):
    session = open_session(fresh)
    frame = session.frame("receipts", "2026-01-09", progress=False)
    token = session.token
    assert token is not None
    hidden = [*refused.hidden, token.secret.reveal(), fresh.credentials["client_secret"]]
    hidden += [fresh.credentials["client_id"], str(token.claims.get("token", "oauth_"))]
    things = [session, session.venue(1), session.venues, session.tables, session.drift]
    things += [session.quota, token, session._transport, session._complete_credentials()]
    shown = [repr(thing) + str(thing) for thing in things]
    shown += [thing._repr_html_() for thing in things if hasattr(thing, "_repr_html_")]
    shown += [str(frame.attrs), str(list(fresh.requests))]
    shown += [record.getMessage() for record in caplog.records]
    assert caplog.records
    assert [piece for piece in hidden if any(piece in text for text in shown)] == []


def test_what_a_server_calls_a_venue_is_escaped(faulty, visitor, envelope):
    faulty.on("/venues", envelope({"id": 1, "name": "<img src=x onerror=alert(1)>"}))
    for shown in (visitor.venues, visitor.venue(1)):
        assert "<img" not in shown._repr_html_()


def test_a_good_read_warns_of_nothing(session):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session.venue(1).frame("receipts", "2026-01-09")
