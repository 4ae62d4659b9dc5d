"""One login a token's life, whoever asks; and a cache that can be trusted, or is done without."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import IO

import diskcache
import pytest
from werkzeug import Response

from clopos_nb import CacheUnavailable, TokenRejected
from clopos_nb.sandbox import Sandbox
from clopos_nb.tokens import Token

posix = pytest.mark.skipif(os.name != "posix", reason="modes and signals as POSIX has them")

# Says when it is loaded, and waits to be told to go on, so that several can start at once.
READS_VENUES = """
import sys
import clopos_nb
print("ready", flush=True)
sys.stdin.readline()
with clopos_nb.Session() as session:
    print(len(session.venues), flush=True)
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(monkeypatch) -> Iterator[Start]:
    """Return a function that starts a process with a sandbox's credentials in its environment."""
    with contextlib.ExitStack() as running:

        def start_(url: str, credentials: dict[str, str]) -> subprocess.Popen[str]:
            named = {f"CLOPOS_{name.upper()}": value for name, value in credentials.items()}
            process = subprocess.Popen(
                [sys.executable, "-c", READS_VENUES],
                env=os.environ | named | {"CLOPOS_BASE_URL": url},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield start_


def opened(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def go(*processes: subprocess.Popen[str]) -> None:
    """Wait until all are loaded, then let all of them go at once."""
    for process in processes:
        assert opened(process.stdout).readline() == "ready\n"
    for process in processes:
        opened(process.stdin).write("\n")
        opened(process.stdin).flush()


def said(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=30)[0]


# -------------------------------------------------------------------------- one login


def test_twelve_sessions_in_a_row_log_in_once(fresh, open_session):
    for _ in range(12):
        with open_session(fresh) as session:
            session.get("/venues")
    assert (fresh.count("/auth"), fresh.count("/venues")) == (1, 12)


def test_two_processes_one_after_the_other_log_in_once(fresh, start):
    for _ in range(2):
        process = start(fresh.url, fresh.credentials)
        go(process)
        assert said(process) == "4\n"
    assert fresh.count("/auth") == 1


def test_eight_processes_at_once_log_in_once(fresh, start):
    processes = [start(fresh.url, fresh.credentials) for _ in range(8)]
    go(*processes)
    assert [said(process) for process in processes] == ["4\n"] * 8
    assert fresh.count("/auth") == 1


def test_many_threads_of_a_session_log_in_once(fresh, open_session):
    session = open_session(fresh)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(session.get("/venues")), range(16)))
    assert found == [4] * 16
    assert fresh.count("/auth") == 1


def test_nothing_logs_in_before_the_first_request(fresh, open_session):
    session = open_session(fresh)
    assert session.token is None
    assert len(fresh.requests) == 0


def test_other_credentials_do_not_get_the_token(fresh, open_session):
    open_session(fresh).get("/venues")
    assert open_session(fresh, **fresh.test_credentials).token is None
    assert open_session(fresh, brand="another").token is None


# ---------------------------------------------------------------------- its beginning and end


def test_a_token_that_ends_early_costs_one_login_and_no_row(fresh, open_session):
    session = open_session(fresh)
    rows = session.venue(1).rows("receipts", "2026-01")
    first = [next(rows)["id"] for _ in range(10)]
    fresh.advance(3601)
    ids = first + [row["id"] for row in rows]
    assert (
        len(ids) == len(set(ids)) == fresh.ledger(1, date(2026, 1, 1), date(2026, 1, 31)).receipts
    )
    assert fresh.count("/auth") == 2
    assert 401 in {entry.status for entry in fresh.requests}


def test_the_login_of_one_session_serves_another_whose_token_ended(fresh, open_session):
    one, other = open_session(fresh), open_session(fresh)
    one.get("/venues")
    other.get("/venues")
    fresh.advance(3601)
    one.get("/venues")
    other.get("/venues")
    assert fresh.count("/auth") == 2


def test_a_token_refused_twice_is_rejected_after_one_fresh_login(faulty, visitor, refused):
    body = {"success": False, "error": "Invalid token", "message": "The token is malformed"}
    faulty.on("/users", Response(json.dumps(body), 401))
    with refused(TokenRejected, "session.logout()") as caught:
        visitor.frame("users")
    assert (faulty.count("/auth"), faulty.count("/users")) == (2, 2)
    assert caught.value.code == "Invalid token"


def test_login_fetches_a_new_token_and_everybody_gets_it(fresh, open_session):
    session = open_session(fresh)
    old, new = session.login(), session.login()
    assert old.secret != new.secret
    assert session.token == open_session(fresh).token == new
    assert fresh.count("/auth") == 2


def test_logout_deletes_the_token_from_disk_and_the_next_session_logs_in(
    fresh, open_session, cache
):
    session = open_session(fresh)
    row = row_of(session.login(), cache)
    assert row in raw(cache)
    session.logout()
    assert session.token is None
    session.close()
    assert row[len(row) // 2 :] not in raw(cache)
    open_session(fresh).get("/venues")
    assert fresh.count("/auth") == 2


def test_logout_leaves_no_piece_of_the_token_in_any_file(fresh, open_session, cache):
    # Made by a SQLite that leaves what it deletes readable, as many do.
    diskcache.Cache(str(cache), sqlite_secure_delete=0).close()
    cache.chmod(0o700)
    session, other = open_session(fresh), open_session(fresh)
    rows = [row_of(session.login(), cache) for _ in range(2)]  # the second overwrites the first
    pieces = [row[at : at + 12] for row in rows for at in range(0, len(row) - 12, 4)]
    assert [piece for piece in pieces if piece in raw(cache)] != []
    other.get("/venues")
    session.logout()
    kept = raw(cache)  # while both are open: the write-ahead log is a file too
    assert [piece for piece in pieces if piece in kept] == []


def test_closing_keeps_the_token_for_the_next_session(fresh, open_session):
    with open_session(fresh) as session:
        token = session.login()
    assert open_session(fresh).token == token


def test_a_session_can_be_used_again_after_it_was_closed(fresh, open_session):
    session = open_session(fresh)
    session.get("/venues")
    session.close()
    assert len(session.get("/venues")) == 4
    assert fresh.count("/auth") == 1


# ------------------------------------------------------------------------------ on disk


def raw(directory: Path) -> bytes:
    """Return all bytes of all files below a directory."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def row_of(token: Token, directory: Path) -> bytes:
    """Return the row that holds a token, as it is stored."""
    with contextlib.closing(sqlite3.connect(directory / "cache.db")) as base:
        rows = [value for (value,) in base.execute("SELECT value FROM Cache")]
    (row,) = [row for row in rows if token.secret.reveal().encode() in zlib.decompress(row)]
    return bytes(row)


@pytest.mark.parametrize(
    ("variable", "settings"), [("elsewhere", {"cache_dir": False}), ("off", {})]
)
def test_without_a_cache_directory_nothing_is_written(
    fresh, open_session, tmp_path, monkeypatch, variable, settings
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOPOS_NB_CACHE_DIR", variable)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for _ in range(2):
        open_session(fresh, **settings).get("/venues")
    assert list(tmp_path.iterdir()) == []
    assert fresh.count("/auth") == 2


def test_the_token_is_kept_and_no_credential(fresh, open_session, cache):
    with open_session(fresh) as session:
        row = zlib.decompress(row_of(session.login(), cache))
    kept = raw(cache) + row
    assert set(json.loads(row)) == {"v", "token", "issued_at", "expires_at"}
    assert [
        n for n in ("client_id", "client_secret") if fresh.credentials[n].encode() in kept
    ] == []


@posix
@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_only_its_owner_can_read_the_cache(fresh, open_session, cache, umask):
    previous = os.umask(umask)
    try:
        open_session(fresh).get("/venues")
        assert os.umask(umask) == umask  # as it was
    finally:
        os.umask(previous)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (cache, *cache.rglob("*"))}
    assert modes.pop("tokens") == 0o700
    assert "cache.db" in modes
    assert set(modes.values()) == {0o600}


@posix
def test_a_cache_directory_that_is_open_to_others_is_made_private(fresh, open_session, cache):
    cache.mkdir(parents=True)
    cache.chmod(0o755)
    open_session(fresh).get("/venues")
    assert cache.stat().st_mode & 0o777 == 0o700


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def planted(fresh, open_session, cache) -> Callable[[str, tuple[object, ...]], None]:
    """Return a function that changes the row of a token that is good, as an intruder would."""
    with open_session(fresh) as session:
        session.get("/venues")

    def plant(change: str, values: tuple[object, ...]) -> None:
        with contextlib.closing(sqlite3.connect(cache / "cache.db")) as base, base:
            # Of the rows there, the token's lives longest; the others count requests.
            token = "SELECT rowid FROM Cache ORDER BY expire_time DESC LIMIT 1"
            changed = base.execute(f"UPDATE Cache SET {change} WHERE rowid = ({token})", values)
            assert changed.rowcount == 1

    return plant


def test_a_pickled_row_is_refused_and_does_not_run(fresh, open_session, planted, tmp_path):
    ran = tmp_path / "ran"
    planted("mode = 4, value = ?", (pickle.dumps(Payload(ran)),))
    assert len(open_session(fresh).get("/venues")) == 4
    assert fresh.count("/auth") == 2
    assert not ran.exists()


def test_a_pickled_key_does_not_run(fresh, open_session, planted, tmp_path):
    ran = tmp_path / "ran"
    planted("raw = 0, key = ?", (pickle.dumps(Payload(ran)),))
    session = open_session(fresh)
    assert len(session.get("/venues")) == 4
    session.logout()
    assert fresh.count("/auth") == 2
    assert not ran.exists()


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_a_row_that_names_a_file_is_refused_and_the_file_is_left_alone(
    fresh, open_session, planted, tmp_path, mode
):
    theirs = tmp_path / "theirs"
    row = {"v": 1, "token": "theirs", "issued_at": time.time(), "expires_at": time.time() + 3000}
    theirs.write_bytes(zlib.compress(json.dumps(row).encode()))
    planted("mode = ?, filename = ?, value = NULL", (mode, str(theirs)))
    session = open_session(fresh)
    assert len(session.get("/venues")) == 4
    session.logout()
    assert fresh.count("/auth") == 2
    assert theirs.exists()


@pytest.mark.parametrize(
    "row",
    [
        b"not zlib",
        zlib.compress(b"not json"),
        zlib.compress(b'"text"'),
        zlib.compress(b'{"v": 1, "token": 5}'),
        zlib.compress(b'{"v": 1, "token": "x", "expires_at": "soon"}'),
        zlib.compress(b'{"v": 2, "token": "x", "issued_at": 0, "expires_at": 9e12}'),
    ],
)
def test_a_row_that_is_not_a_token_costs_a_login(fresh, open_session, planted, row):
    planted("value = ?", (row,))
    for _ in range(2):
        assert len(open_session(fresh).get("/venues")) == 4
    assert fresh.count("/auth") == 2


def test_garbage_for_a_cache_costs_one_warning_and_one_login(fresh, open_session, cache):
    cache.mkdir(parents=True)
    (cache / "cache.db").write_bytes(b"garbage" * 1000)
    (cache / "cache.db").chmod(0o600)  # one that others can read would be removed unread
    session = open_session(fresh)
    with pytest.warns(CacheUnavailable, match="CLOPOS_NB_CACHE_DIR") as caught:
        session.get("/venues")
    assert len(caught) == 1
    assert len(session.get("/venues")) == 4  # and of a second warning it would fail
    assert fresh.count("/auth") == 1


def test_a_cache_directory_that_cannot_be_made_costs_one_warning(fresh, open_session, tmp_path):
    (tmp_path / "file").write_text("")
    session = open_session(fresh, cache_dir=tmp_path / "file")
    with pytest.warns(CacheUnavailable) as caught:
        session.get("/venues")
    assert len(caught) == 1
    assert len(session.get("/venues")) == 4


def test_a_cache_that_breaks_meanwhile_does_not_break_the_session(fresh, open_session, cache):
    session = open_session(fresh)
    session.get("/venues")
    for path in cache.iterdir():
        path.write_bytes(b"garbage" * 5000)
    with pytest.warns(CacheUnavailable):
        session.logout()
    assert len(session.get("/venues")) == 4


@posix
def test_a_process_killed_while_it_logs_in_delays_others_by_eight_seconds_at_most(
    brand, open_session, start
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        sandbox = Sandbox(brand=brand, port=port)
        process = start(f"http://127.0.0.1:{port}/open-api/v2", sandbox.credentials)
        go(process)
        connection, _ = silent.accept()
        with connection:
            assert b"/open-api/v2/auth" in connection.recv(65536)
            process.kill()  # it holds the lock, and can give nothing back
            process.wait(timeout=5)
    began = time.monotonic()
    with sandbox:
        assert len(open_session(sandbox).get("/venues")) == 4
    assert time.monotonic() - began < 9
    assert sandbox.count("/auth") == 1
