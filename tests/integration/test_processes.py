"""Processes that share a machine, clocks that jump, and cache directories that are of no use."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from clopos_nb import CacheUnavailable, Session
from clopos_nb.cabinet import LOCK_S
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.requestlog import Entry

posix = pytest.mark.skipif(os.name != "posix", reason="signals and mounts as POSIX has them")
MONTH = ("2026-01-01", "2026-01-31")

# -------------------------------------------------------------------------- many processes

MANY = """
import json, os, sys, time, clopos_nb
about = json.loads(sys.argv[1])
for _ in range(16):
    if os.fork() == 0:
        os.write(1, b"pid %d\\n" % os.getpid())
        sys.stdin.buffer.raw.read(1)
        longest = 0.0
        with clopos_nb.Session(**about) as session:
            for _ in range(20):
                began = time.monotonic()
                assert len(session.get("/venues")) == 4
                longest = max(longest, time.monotonic() - began)
        os.write(1, b"%d %f\\n" % (os.getpid(), longest))
        os._exit(0)
for _ in range(16):
    os.wait()
"""
STANDS_STILL = """
import json, os, signal, sys, clopos_nb
session = clopos_nb.Session(**json.loads(sys.argv[1]))
session.get("/venues")
with session._transport.store.cabinet.opened() as cache, cache.transact():
    print("in", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture
def run() -> Iterator[Any]:
    """Return a function that starts Python with a sandbox's credentials; killed at the end."""
    with ExitStack() as running:

        def start(code: str, sandbox: Sandbox, cache: Path) -> subprocess.Popen[str]:
            process = running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", code, about(sandbox, cache)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            running.callback(process.kill)
            return process

        yield start


def about(sandbox: Sandbox, cache: Path) -> str:
    return json.dumps({"base_url": sandbox.url, "cache_dir": str(cache), **sandbox.credentials})


@posix
def test_sixteen_processes_log_in_once_and_those_that_are_killed_hold_nobody_up(
    brand, run, tmp_path
):
    chance, alive = random.Random(8), []
    moments = sorted(chance.sample(range(1, 200), 5))  # of so many requests

    def note(entry: Entry, _: float) -> None:
        if moments and len(sandbox.requests) >= moments[0]:
            moments.pop(0)
            os.kill(alive.pop(chance.randrange(len(alive))), signal.SIGKILL)

    with Sandbox(brand=brand, window_s=2, on_request=note) as sandbox:
        launcher = run(MANY, sandbox, tmp_path)
        alive += [int(launcher.stdout.readline().split()[1]) for _ in range(16)]
        told, _ = launcher.communicate("x" * 16, timeout=60)
        statuses = {entry.status for entry in sandbox.requests}
        logins = sandbox.count("/auth")
    longest = {int(line.split()[0]): float(line.split()[1]) for line in told.splitlines()}
    assert set(longest) >= set(alive)
    assert len(alive) == 11
    assert max(longest.values()) < LOCK_S + 3  # a window of two seconds, and an answer
    assert logins == 1
    assert 429 not in statuses


@posix
def test_a_process_that_stands_still_in_the_cache_is_waited_for_once(
    fresh, open_session, run, tmp_path
):
    process = run(STANDS_STILL, fresh, tmp_path)
    assert process.stdout.readline() == "in\n"
    session = open_session(fresh, cache_dir=tmp_path)
    began = time.monotonic()
    with pytest.warns(CacheUnavailable) as told:
        assert len(session.get("/venues")) == 4
    assert LOCK_S - 1 < time.monotonic() - began < LOCK_S + 8
    began = time.monotonic()
    assert len(session.get("/venues")) == 4
    assert time.monotonic() - began < LOCK_S - 1
    assert len(told) == 1


# ---------------------------------------------------------------------------------- clocks


@pytest.mark.parametrize("hours", [-7, 7])
def test_a_server_whose_clock_is_hours_off_costs_no_login_and_no_row(fresh, open_session, hours):
    fresh.clock.token.advance(hours=hours)
    for _ in range(2):
        frame = open_session(fresh).venue(1).frame("receipts", *MONTH, strict=True, progress=False)
        assert len(frame) == january(fresh)
    assert fresh.count("/auth") == 1
    assert {entry.status for entry in fresh.requests} == {200}


def january(sandbox: Sandbox) -> int:
    return sandbox.ledger(1, date(2026, 1, 1), date(2026, 1, 31)).receipts


def on_its_clock(session: Session, sandbox: Sandbox) -> list[float]:
    """Let a session live by the sandbox's clock, which a wait moves on; return the waits."""
    transport, clock, waits = session._transport, sandbox.clock.token, []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds)

    transport.now = transport.store.now = clock.now
    transport.sleep = wait
    return waits


@pytest.mark.parametrize("hours", [9, -9])
def test_a_jump_of_the_clock_in_the_middle_of_a_walk_costs_a_login_and_no_row(
    fresh, open_session, hours
):
    """A laptop that slept, or whose clock was set back: the token's age cannot be told."""
    session = open_session(fresh)
    waits = on_its_clock(session, fresh)
    fresh.faults.add("limit_clamp", limit=50, path="/receipts")
    rows = session.venue(1).rows("receipts", *MONTH)
    ids = [row["id"] for row in islice(rows, 60)]
    fresh.clock.token.advance(hours=hours)
    ids += [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) == january(fresh)
    assert fresh.count("/auth") == 2
    assert {entry.status for entry in fresh.requests} == {200}
    assert waits == []


@pytest.mark.parametrize("at_once", [True, False], ids=["frame", "rows"])
def test_a_token_that_ends_in_the_middle_of_a_walk_is_replaced_before_a_page_is_refused(
    brand, open_session, at_once
):
    """Each request takes five seconds of a token that lives for five minutes."""

    def note(entry: Entry, _: float) -> None:
        sandbox.clock.token.advance(5)

    with Sandbox(brand=brand, token_lifetime_s=300, on_request=note) as sandbox:
        session = open_session(sandbox)
        on_its_clock(session, sandbox)
        sandbox.faults.add("limit_clamp", limit=5, path="/receipts")
        venue = session.venue(1)
        if at_once:
            found = len(venue.frame("receipts", *MONTH, strict=True, progress=False))
        else:
            found = sum(1 for _ in venue.rows("receipts", *MONTH))
        assert found == january(sandbox)
        refused = [entry for entry in sandbox.requests if entry.status == 401]
        # Of requests at once, those under way age while others are answered.
        assert len(refused) <= (32 if at_once else 0)
        lives = 300 // 5 - 16  # requests, at the least
        assert 2 <= sandbox.count("/auth") <= len(sandbox.requests) // lives + 1


# ------------------------------------------------------------- cache directories of no use

TELLS = """
import json, sys, warnings, clopos_nb
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    with clopos_nb.Session(**json.loads(sys.argv[1])) as session:
        found = [len(session.get("/venues")) for _ in range(2)]
        if len(sys.argv) > 2:
            try:
                with open(sys.argv[2], "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
            except OSError:
                pass
        found += [len(session.get("/venues")) for _ in range(2)]
print(json.dumps([found, [warning.category.__name__ for warning in told]]))
"""
REFUSES_LOCKS = """
#include <errno.h>
#include <fcntl.h>
static int refuse(int command) {
    if (command == F_SETLK || command == F_SETLKW || command == F_GETLK) {
        errno = ENOLCK;
        return 1;
    }
    return 0;
}
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
#define BODY                                                        \\
    va_list rest;                                                   \\
    va_start(rest, command);                                        \\
    void *argument = va_arg(rest, void *);                          \\
    va_end(rest);                                                   \\
    return refuse(command) ? -1 : syscall(SYS_fcntl, file, command, argument);
int fcntl(int file, int command, ...) { BODY }
int fcntl64(int file, int command, ...) { BODY }
"""


def may_mount() -> bool:
    """Tell whether a file system can be mounted for one process here."""
    if os.name != "posix" or not shutil.which("unshare"):
        return False
    script = "mount -t tmpfs none /mnt"
    return (
        subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True).returncode == 0
    )


def told(
    sandbox: Sandbox, cache: Path, *more: str, mount: str = "", **environment: str
) -> list[str]:
    """Read in a process of its own, after a mount if need be; return what it warned of."""
    command = [sys.executable, "-c", TELLS, about(sandbox, cache), *more]
    if mount:
        script = f'{mount} && exec "$@"'
        command = ["unshare", "-m", "sh", "-c", script, "sh", *command]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found, warned = json.loads(done.stdout)
    assert found == [4, 4, 4, 4]
    assert {entry.status for entry in sandbox.requests} == {200}
    return list(warned)


ONE = ["CacheUnavailable"]
mounting = pytest.mark.skipif(not may_mount(), reason="mounting is not allowed here")


@mounting
@pytest.mark.parametrize("filled", [True, False], ids=["full", "fills up"])
def test_a_full_file_system_costs_one_warning(fresh, tmp_path, filled):
    filler = str(tmp_path / "filler")
    mount = f"mount -t tmpfs -o size=512k none {tmp_path}"
    if filled:
        mount += f" && {{ head -c 1000000 /dev/zero > {filler} || true; }} 2>/dev/null"
    assert told(fresh, tmp_path, filler, mount=mount) == ONE
    assert fresh.count("/auth") == 1


@mounting
@pytest.mark.parametrize("used", [True, False], ids=["with a token in it", "empty"])
def test_a_read_only_file_system_costs_one_warning_and_a_login(fresh, open_session, tmp_path, used):
    if used:
        open_session(fresh, cache_dir=tmp_path).login()
    mount = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path}"
    assert told(fresh, tmp_path, mount=mount) == ONE
    assert fresh.count("/auth") == 1 + used


@pytest.mark.skipif(
    not shutil.which("cc") or sys.platform != "linux", reason="needs a C compiler on Linux"
)
def test_a_file_system_without_locks_costs_one_warning(fresh, tmp_path):
    """The library stands between SQLite and the system, and says what such a file system does."""
    library = tmp_path / "refuses_locks.so"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
    subprocess.run(command, input=REFUSES_LOCKS, text=True, check=True)
    assert told(fresh, tmp_path / "cache", LD_PRELOAD=str(library)) == ONE
    assert fresh.count("/auth") == 1


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("mode", [0o700, 0o777])
def test_a_directory_of_somebody_else_is_left_alone_for_one_warning(fresh, tmp_path, mode):
    theirs = tmp_path / "tokens"
    theirs.mkdir()
    theirs.chmod(mode)
    os.chown(theirs, 65534, 65534)
    assert told(fresh, tmp_path) == ONE
    assert list(theirs.iterdir()) == []
    assert (theirs.stat().st_uid, theirs.stat().st_mode & 0o777) == (65534, mode)


@pytest.mark.parametrize("part", [slice(0, 100), slice(4096, 20480)], ids=["head", "pages"])
def test_a_damaged_database_costs_one_warning_at_most(fresh, open_session, tmp_path, part):
    with open_session(fresh, cache_dir=tmp_path) as session:
        session.get("/venues")
    database = tmp_path / "tokens" / "cache.db"
    damaged = bytearray(database.read_bytes())
    damaged[part] = random.Random(8).randbytes(len(damaged[part]))
    database.write_bytes(damaged)
    assert told(fresh, tmp_path) in (ONE, [])
    assert fresh.count("/auth") <= 2
