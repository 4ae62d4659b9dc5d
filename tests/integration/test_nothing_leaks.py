"""No secret, and nothing about a person, shows itself anywhere but where it was asked for.

The marks are planted in credentials, token, what is asked and what is answered; then everything
that can be looked at is searched for them. ``Marks`` tells which was found and never shows one,
since a verbose traceback prints the variables of these tests too.
"""

from __future__ import annotations

import copy
import gzip
import json
import logging
import pickle
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ipywidgets
import jwt
import pandas as pd
import pytest
from werkzeug import Request, Response

import clopos_nb
from clopos_nb import errors
from clopos_nb.connections import MOST_BYTES
from clopos_nb.credentials import Secret
from clopos_nb.tables import CATALOGUE

LISTS = [table.path for table in CATALOGUE.values() if not table.parent and not table.per]


class Marks:
    """Texts to be found nowhere, by what they are."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        now = int(time.time())
        inner = "oauth_" + "planted" * 3
        claims = {"token": inner, "stage": "production", "iat": now, "exp": now + 3600}
        token = jwt.encode(claims, "k" * 32, "HS256")
        person = {"name": "Aygun Planted", "phone": "+994505554433", "address": "Nizami 17, flat 4"}
        texts = {
            "client_id": credentials["client_id"],
            "client_secret": credentials["client_secret"],
            "token": token,
            "a part of the token": token.split(".")[1],
            "inner token": inner,
            "phone typed": "+994701112233",
            "phone typed, escaped": "994701112233",
            **person,
        }
        self.text: Callable[[str], str] = texts.__getitem__
        self.person: Callable[[], dict[str, str]] = lambda: dict(person)
        self.found_in: Callable[[object], list[str]] = lambda shown: [
            name for name, text in texts.items() if text in str(shown)
        ]


@pytest.fixture
def marks(faulty) -> Marks:
    """Plant the marks in a server: its token, its venues and its customers."""
    marks = Marks(faulty.credentials)
    person = marks.person()
    for path in LISTS:
        faulty.on(path, rows())
    faulty.on("/auth", {"success": True, "token": marks.text("token"), "expires_in": 3600})
    faulty.on("/venues", rows({"id": 1, **person, "name": "Nizami"}, {"id": 2, "name": "Sahil"}))
    faulty.on("/customers", rows({"id": 1, **person, "undocumented": person["phone"]}))
    return marks


def rows(*data: Mapping[str, Any], total: int | None = None) -> dict[str, Any]:
    return {"success": True, "data": list(data), "total": len(data) if total is None else total}


def asks_for_a_phone(session: clopos_nb.Session, marks: Marks) -> Any:
    return session.frame("customers", filters={"phones": marks.text("phone typed")}, strict=True)


# ------------------------------------------------------------------------ what shows itself


def public_objects(session: clopos_nb.Session) -> Iterator[object]:
    """Yield one of everything that a user gets from this package, but for rows."""
    venue = session.venue(1)
    yield from (session, session.venues, venue, session.frames, venue.frames)
    yield from (session.tables, session.tables["customers"], session.drift, session.quota)
    yield from (session.token, session.login(), session.estimate("customers"), session.doctor())
    yield from (session.pick_venue(), session.pick_venues(), session.pick_dates())
    yield from (session.pick_table(), session.explore())


def everything_of(thing: object, seen: set[int]) -> Iterator[object]:
    """Yield an object of this package and those that its attributes lead to."""
    if id(thing) in seen or isinstance(thing, Secret):
        return
    seen.add(id(thing))
    if isinstance(thing, Mapping):
        for each in thing.values():
            yield from everything_of(each, seen)
    elif isinstance(thing, list | tuple | set):
        for each in thing:
            yield from everything_of(each, seen)
    elif type(thing).__module__.startswith("clopos_nb"):
        yield thing
        yield from everything_of(getattr(thing, "__dict__", {}), seen)


def shown_by(thing: object) -> Iterator[object]:
    """Yield what a look at an object shows: as text, as HTML, its attributes, a widget's state."""
    yield from (repr(thing), str(thing), f"{thing}", getattr(thing, "__dict__", ""))
    if isinstance(thing, ipywidgets.Widget):
        yield from (json.dumps(thing.get_state(), default=str), thing._repr_mimebundle_())
    elif hasattr(thing, "_repr_html_"):
        yield thing._repr_html_()


def test_no_object_shows_a_mark_however_it_is_looked_at(visitor, faulty, marks):
    asks_for_a_phone(visitor, marks)
    faulty.on("/customers", rows())
    seen: set[int] = set()
    kinds = set()
    for thing in public_objects(visitor):
        for each in everything_of(thing, seen):
            kinds.add(type(each))
            found = [mark for shown in shown_by(each) for mark in marks.found_in(shown)]
            assert (type(each), found) == (type(each), [])
    assert {each for each in vars(clopos_nb).values() if _is_for_users(each)} <= kinds


def _is_for_users(each: object) -> bool:
    """Tell whether it is a class of this package that is no error."""
    return isinstance(each, type) and not issubclass(each, Exception)


def test_a_certificate_names_no_value_that_was_asked_for(visitor, marks):
    frame = asks_for_a_phone(visitor, marks)
    assert frame.attrs["clopos"]["filters"] == ["phones"]
    assert marks.found_in(frame.attrs) == []


@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_neither_session_nor_token_is_pickled_or_copied(visitor, marks, way):
    visitor.login()
    for thing in (visitor, visitor.venue(1), visitor.token, visitor._transport):
        with pytest.raises(TypeError) as caught:
            way(thing)
        assert marks.found_in(repr(caught.value)) == []


# ------------------------------------------------------------------------------------ logs


def test_no_log_record_of_any_package_holds_a_mark(visitor, marks, caplog):
    caplog.set_level(logging.DEBUG)
    asks_for_a_phone(visitor, marks)
    list(visitor.venue(1).rows("customers", filters={"phones": marks.text("phone typed")}))
    visitor.get("/customers", {"phone": marks.text("phone typed")})
    visitor.request("POST", "/customers", json=marks.person())
    visitor.doctor()
    visitor.logout()
    ours = [record for record in caplog.records if record.name != "werkzeug"]  # the test's server
    assert {"clopos_nb", "urllib3.connectionpool"} <= {record.name for record in ours}
    held = [(r.name, marks.found_in(f"{r.getMessage()} {vars(r)}")) for r in ours]
    assert [each for each in held if each[1]] == []


def _broken_headers(request: Request) -> Response:
    """Answer no rows, below a header line that is none, which urllib3 warns of."""
    body = json.dumps(rows()).encode()
    person = "Aygun Planted, Nizami 17, flat 4"
    head = (
        f"HTTP/1.1 200 OK\r\nno header of {person}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    request.environ["werkzeug.socket"].sendall(head + body)
    return _hangs_up(request)


def test_no_warning_of_a_broken_answer_holds_a_mark(visitor, faulty, marks, caplog):
    faulty.on("/customers", _broken_headers, rows())
    visitor.get("/customers", {"phone": marks.text("phone typed")})
    (warned,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert warned.name == "urllib3.connection"
    assert marks.found_in(f"{warned.getMessage()} {logging.Formatter().format(warned)}") == []


def test_other_servers_are_logged_as_ever(visitor, marks, caplog):
    visitor.login()
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    line = '%s://%s:%s "%s %s %s" %s %s'
    logger = logging.getLogger("urllib3.connectionpool")
    logger.debug(line, "https", "example.com", 443, "GET", "/search?q=plov", "HTTP/1.1", 200, 5)
    assert caplog.messages == ['https://example.com:443 "GET /search?q=plov HTTP/1.1" 200 5']


# ---------------------------------------------------------------------------------- errors


def _refuse(path: str, status: int, error: str = "") -> Callable[[Any, Marks], None]:
    """Return what makes a server refuse a path, in words that repeat all it knows."""

    def plant(server: Any, marks: Marks) -> None:
        echo = " ".join(
            [*marks.person().values(), *map(marks.text, ("client_secret", "phone typed"))]
        )
        body = {"success": False, "error": error or echo, "message": echo}
        server.on(path, Response(json.dumps(body), status))

    return plant


def _answer(path: str, answer: Callable[[Marks], Any]) -> Callable[[Any, Marks], None]:
    return lambda server, marks: server.on(path, answer(marks))


def _writes(session: clopos_nb.Session, marks: Marks) -> Any:
    return session.request("POST", "/customers", json=marks.person())


def _hangs_up(request: Request) -> Response:
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response("")


def _unpacks_to_too_much(marks: Marks) -> Response:
    body = json.dumps(rows(marks.person())).encode() + b" " * MOST_BYTES
    return Response(gzip.compress(body), headers={"Content-Encoding": "gzip"})


def _breaks_off(server: Any, marks: Marks) -> None:
    server.on(LIST, rows(marks.person(), total=3), Response("", 500))


def _reads_rows(session: clopos_nb.Session, marks: Marks) -> Any:
    return list(session.venue(1).rows("customers", filters={"phones": marks.text("phone typed")}))


LIST, LOGIN = "/customers", "/auth"
FAILURES: list[tuple[type[errors.CloposError], Any, Any]] = [
    (errors.CredentialsRefused, _refuse(LOGIN, 401), asks_for_a_phone),
    (errors.ClientDisabled, _refuse(LOGIN, 403, "Client is disabled"), asks_for_a_phone),
    (errors.UnknownIntegrator, _refuse(LOGIN, 400, "Invalid integrator_id"), asks_for_a_phone),
    (errors.TestModeMismatch, _refuse(LOGIN, 200, "Integrator is in test mode"), asks_for_a_phone),
    (errors.TokenRejected, _refuse(LIST, 401), asks_for_a_phone),
    (errors.BadRequest, _refuse(LIST, 400), asks_for_a_phone),
    (errors.PermissionDenied, _refuse(LIST, 403, "forbidden"), asks_for_a_phone),
    (errors.ModuleUnavailable, _refuse(LIST, 403, "module"), asks_for_a_phone),
    (errors.NotFound, _refuse(LIST, 404), asks_for_a_phone),
    (errors.Conflict, _refuse(LIST, 409), _writes),
    (errors.RateLimited, _refuse(LIST, 429), asks_for_a_phone),
    (errors.ServerError, _refuse(LIST, 500), asks_for_a_phone),
    (errors.ServerError, _breaks_off, asks_for_a_phone),
    (errors.ServerError, _breaks_off, _reads_rows),
    (errors.UpstreamTimeout, _refuse(LIST, 504), asks_for_a_phone),
    (errors.ConnectionFailed, _answer(LIST, lambda m: _hangs_up), asks_for_a_phone),
    (errors.OutcomeUnknown, _refuse(LIST, 500), _writes),
    (errors.ApiError, _refuse(LIST, 200), asks_for_a_phone),
    (errors.ResponseError, _answer(LIST, lambda m: Response(str(m.person()))), asks_for_a_phone),
    (errors.ResponseError, _answer(LOGIN, lambda m: rows(m.person())), asks_for_a_phone),
    (errors.AnswerTooLarge, _answer(LIST, lambda m: _unpacks_to_too_much(m)), asks_for_a_phone),
    (errors.IncompleteResult, _answer(LIST, lambda m: rows(m.person(), total=3)), asks_for_a_phone),
    (
        errors.UnexpectedRedirect,
        _answer(LIST, lambda m: Response("", 302, {"Location": "https://elsewhere.invalid"})),
        asks_for_a_phone,
    ),
]


def test_every_kind_of_error_that_a_server_can_cause_is_provoked():
    local = {errors.MissingCredentials, errors.InvalidDates, errors.UnknownTable}
    local |= {errors.VenueNotFound, errors.StoreError, errors.SnapshotError}
    local |= {errors.RequestTimeout}  # as ConnectionFailed
    all_ = {getattr(errors, name) for name in errors.__all__}
    leaves = {each for each in all_ if not each.__subclasses__()}
    assert {each for each in leaves if issubclass(each, errors.CloposError)} == local | {
        kind for kind, _, _ in FAILURES if not kind.__subclasses__()
    }


@pytest.fixture
def whole_frames() -> Iterator[None]:
    """Show each column of a frame, so that a wide one hides nothing."""
    with pd.option_context("display.max_columns", None, "display.max_colwidth", None):
        yield


@pytest.mark.usefixtures("waits", "whole_frames")
@pytest.mark.parametrize(
    ("kind", "plant", "ask"), FAILURES, ids=lambda v: getattr(v, "__name__", "")
)
def test_no_error_holds_or_shows_a_mark(faulty, visitor, marks, verbose, kind, plant, ask):
    plant(faulty, marks)
    with pytest.raises(kind) as caught:
        ask(visitor, marks)
    error: BaseException | None = caught.value
    assert type(error) is kind
    told: list[object] = [traceback.format_exception(error)]
    held: list[object] = [pickle.dumps(error)]
    while error is not None:
        told += [str(error), repr(error), error.args]
        held.append(vars(error))
        error = error.__cause__ or error.__context__
    assert [mark for each in told for mark in marks.found_in(each)] == []
    # On .message is what a server says, and there may be a name in it; no secret, and no number.
    assert {mark for each in held for mark in marks.found_in(each)} <= {"name", "address"}
    # Verbosely, a call shows what was written in it, and nothing else.
    typed = marks.person() if ask is _writes else {"phone typed", "phone typed, escaped"}
    assert set(marks.found_in(verbose(caught))) <= set(typed)
    calls = [
        call
        for call, _ in traceback.walk_tb(caught.tb)
        if "clopos_nb" in call.f_globals["__name__"]
    ]
    assert len(calls) > 1
    for call in calls:  # a crash report shows all variables
        for name, value in call.f_locals.items():
            found = set(marks.found_in(repr(value))) - set(typed)
            assert (call.f_code.co_name, name, found) == (call.f_code.co_name, name, set())
