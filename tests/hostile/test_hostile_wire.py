"""Whatever bytes a server sends, reading ends in time, in bounds and in an error of ours."""

from __future__ import annotations

import contextlib
import gzip
import re
import subprocess
import sys
import time

import pytest
from bad_server import answer, drip, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clopos_nb
from clopos_nb import connections, errors

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b'{"data": [' + b" " * 2**27, 1)
UNSURE = errors.UnexpectedRedirect
SHORT = gzip.compress(b'{"data": []}')[:-14]  # without its end
GOOD = {"id": 7}
MB = 2**20


@pytest.fixture
def usable(hostile, victim):
    """Return a function that reads after all as if nothing had been."""

    def check() -> None:
        hostile.on("/users", answer(rows(GOOD)))
        assert victim.frame("users", progress=False)["id"].tolist() == [7]

    return check


def refusal(victim) -> errors.CloposError:
    with pytest.raises(errors.CloposError) as caught:
        victim.frame("users", progress=False)
    return caught.value


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer(BOMB, "Content-Encoding: gzip"), errors.AnswerTooLarge),
        (answer(gzip.compress(BOMB), "Content-Encoding: gzip, gzip"), errors.ResponseError),
        (answer(b"x", "Content-Encoding: " + ", ".join(["gzip"] * 50)), errors.ResponseError),
        (answer(b"x", "Content-Encoding: br"), errors.ResponseError),
        (answer(b"x", "Content-Encoding: zstd"), errors.ResponseError),
        (answer(b'{"data": []}', "Content-Encoding: gzip"), errors.ResponseError),
        (answer(SHORT, "Content-Encoding: gzip"), errors.ResponseError),
        (answer(rows(), *["X-A: b"] * 300), errors.ConnectionFailed),
        (answer(rows(), "X-A: " + "b" * MB), errors.ConnectionFailed),
        (answer(b"{}", "Content-Length: 7"), errors.ConnectionFailed),
        (answer(b"zz\r\n{}\r\n", "Transfer-Encoding: chunked"), errors.ConnectionFailed),
        (CHUNKED + b"-5\r\n{}\r\n0\r\n\r\n", errors.ConnectionFailed),
        (CHUNKED + b"2\r\n{}XXXX\r\n", errors.ConnectionFailed),
        (OK + b"Content-Length: 3\r\n\r\n" + b'{"data": []}', errors.ResponseError),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(rows(GOOD)), errors.ResponseError),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", errors.ResponseError),
        (b"hello\r\n\r\n", errors.ConnectionFailed),
        (b"HTTP/1.1 -1 OK\r\n\r\n", errors.ConnectionFailed),
        (answer(rows(), status="600 What"), errors.ServerError),
        (answer(BOMB, "Content-Encoding: gzip", "Location: /x", status="302 F"), UNSURE),
        (answer(b"", "Location: http://[", status="302 Found"), UNSURE),
        (answer(b"", "Location: http://\xff", status="302 Found"), UNSURE),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)[:60]),
)
def test_an_answer_that_is_none_has_a_name(hostile, victim, usable, script, error):
    hostile.on("/users", script)
    assert type(refusal(victim)) is error
    usable()


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (OK + b"Content-Length: 99999999999\r\n\r\n[1", b",1" * 50_000),
        (OK + b"\r\n[1", b",1" * 50_000),
        (CHUNKED, b"20000\r\n" + b" " * 0x20000 + b"\r\n"),
        (CHUNKED, b"1;" + b"x" * 60_000 + b"\r\n \r\n"),
        (CHUNKED + b"-1\r\n", b"a" * 65_536),
        (CHUNKED, b"0" * 65_536),
        (OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 5000),
        (OK, b"X-A: b\r\n" * 1000),
        (OK + b"X-A: ", b"b" * 65_536),
        (b"HTTP/1.1 200 ", b"b" * 65_536),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.invalid/\r\n\r\n", b"a" * 65_536),
    ],
    ids=[
        "length",
        "no length",
        "chunks",
        "extensions",
        "chunk -1",
        "chunk size",
        "gzip",
        "headers",
        "header",
        "status",
        "100",
        "redirect",
    ],
)
def test_an_answer_without_an_end_is_not_read_to_its_end(
    hostile, victim, usable, monkeypatch, head, piece
):
    monkeypatch.setattr(connections, "MOST_BYTES", 4 * MB)
    hostile.on("/users", hostile.pour(head, piece))
    refusal(victim)
    bound = connections.MOST_BYTES + connections.MOST_HEAD + 32 * MB  # and what lies in sockets
    assert hostile.sent < bound * hostile.count("/users")
    usable()


CHILD = """
import re, sys, time, warnings
import clopos_nb
warnings.simplefilter("ignore")
def memory_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
names = ("client_id", "client_secret", "brand", "integrator_id")
login = {name: name for name in names}
with clopos_nb.Session(base_url=sys.argv[1], cache_dir=False, **login) as session:
    session.frame("stations", progress=False)
    before = memory_mb()
    try:
        session.frame("users", progress=False)
        told = "rows"
    except clopos_nb.CloposError as error:
        told = type(error).__name__
    print(told, round(memory_mb() - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory as Linux tells it")
@pytest.mark.parametrize(
    ("piece", "times", "end"),
    [
        (b" ", 2**27, b""),
        (b"{},", 15_000_000, b"{}]}"),
        (b"[],", 20_000_000, b"[]]}"),
        (b'{"id": 1},', 240_000, b'{"id": 1, "x": {}}], "total": 1}'),
    ],
)
def test_peak_memory_is_bounded(hostile, piece, times, end):
    body = gzip.compress(b'{"data": [' + piece * times + end, 1)
    hostile.on("/users", answer(body, "Content-Encoding: gzip"))
    told, grew_mb = subprocess.run(
        [sys.executable, "-c", CHILD, hostile.url],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()
    assert told in ("AnswerTooLarge", "rows")
    assert int(grew_mb) < 1000


@pytest.mark.parametrize(
    "data",
    [b"", OK + b"X-A: ", OK + b"Content-Length: 100000\r\n\r\n", OK + b"\r\n", CHUNKED + b"5;"],
    ids=["status", "header", "body", "no length", "chunk"],
)
def test_an_answer_that_drips_for_ever_is_a_timeout(hostile, victim, usable, monkeypatch, data):
    monkeypatch.setattr(connections, "ANSWER_S", 0.3)
    hostile.on("/users", drip(data))
    began = time.monotonic()
    assert type(refusal(victim)) in (errors.RequestTimeout, errors.ConnectionFailed)
    assert time.monotonic() - began < 10
    usable()


def test_what_follows_an_answer_is_not_the_next_one(hostile, victim):
    hostile.on("/users", answer(rows(GOOD)) + answer(rows({"id": 666})) * 3)
    for _ in range(5):
        assert victim.frame("users", progress=False)["id"].tolist() == [7]


def test_cookies_are_neither_kept_nor_sent(hostile, victim):
    far = "Set-Cookie: a=b; Domain=127.0.0.1; Path=/; Max-Age=" + "9" * 400
    hostile.on("/users", answer(rows(GOOD), far, "Set-Cookie: =; ;;; \x01=\xff"))
    for _ in range(2):
        victim.frame("users", progress=False)
    assert not [asked for asked in hostile.seen if "cookie" in asked.headers]


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
def test_a_redirect_carries_nothing_anywhere(hostile, victim, usable, status):
    other = f"Location: {hostile.url}/stolen"
    for path in ("/users", "/auth"):
        before = hostile.seen.copy()
        hostile.on(path, answer(b"", other, "Connection: close", status=status))
        victim.logout()
        with pytest.raises(errors.UnexpectedRedirect):
            victim.frame("users", progress=False)
        assert hostile.count("/stolen") == 0
        assert len(hostile.seen) > len(before)


@pytest.mark.parametrize(
    "header",
    [
        "RateLimit-Limit: 1000000000\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 1",
        "RateLimit-Limit: 1e308\r\nRateLimit-Remaining: 1e308",
        "RateLimit-Limit: 300\r\nRateLimit-Remaining: -1e9\r\nRateLimit-Reset: -5",
        "RateLimit-Limit: nan\r\nRateLimit-Remaining: inf\r\nRateLimit-Reset: " + "9" * 5000,
        "Date: Thu, 01 Jan 1970 00:00:00 +99999999999999999999",
        "Date: Thu, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Date: ,",
        "Content-Type: \xff\x00",
    ],
)
def test_absurd_headers_change_nothing(hostile, victim, header):
    login = answer({"success": True, "token": "eyJplanted.x.x", "expires_in": 60}, header)
    hostile.on("/auth", login)
    hostile.on("/users", answer(rows(GOOD), header))
    began = time.monotonic()
    for _ in range(2):
        assert victim.frame("users", progress=False)["id"].tolist() == [7]
    assert time.monotonic() - began < 5


# ------------------------------------------------------------------------------- made up

headers = st.sampled_from(
    [
        "Content-Length",
        "Transfer-Encoding",
        "Content-Encoding",
        "Content-Type",
        "Date",
        "Location",
        "Set-Cookie",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "Retry-After",
        "Connection",
        "Keep-Alive",
        "Upgrade",
        "Trailer",
        "X",
    ]
)
texts = st.text(st.characters(max_codepoint=255), max_size=20) | st.sampled_from(
    ["chunked", "gzip", "close", "0", "1", "5, 6", "1e400", "nan", "http://["]
)
lines = st.tuples(headers, texts).map(lambda pair: f"{pair[0]}: {pair[1]}")
statuses = st.sampled_from(["200 OK", "200", "204 N", "304 N", "401 U", "429 T", "500 E", "302 F"])
pieces = st.sampled_from(
    [
        b'{"success":true,',
        b'"data":[',
        b'{"id":1}',
        b"]",
        b"}",
        b'"total":',
        b"1e400",
        b"9" * 400,
        b'"\\ud800"',
        b"\xef\xbb\xbf",
        b"\x00",
        b"[",
        b"{",
        b'"a":',
        b",",
        b"null",
        b"NaN",
        b"-0",
        b"5\r\n",
        b"0\r\n\r\n",
    ]
)
bodies = st.lists(pieces, max_size=8).map(b"".join) | st.binary(max_size=40)


@given(status=statuses, lines=st.lists(lines, max_size=5), body=bodies, cut=st.integers(0, 400))
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_made_up_answers_end_in_rows_or_an_error_of_ours(hostile, victim, status, lines, body, cut):
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")

    def script(connection) -> None:
        connection.sendall((head + body)[: cut or None])

    hostile.on("/users", script)
    with contextlib.suppress(errors.CloposError, errors.CloposWarning):
        victim.frame("users", progress=False)
    assert re.fullmatch("Session.*", repr(victim))
    assert isinstance(victim, clopos_nb.Session)
