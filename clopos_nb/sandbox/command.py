"""``clopos-nb sandbox``: serve a simulated brand from a shell until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import math
import signal
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from types import FrameType
from typing import Any

from clopos_nb.sandbox.books.clerk import MODES
from clopos_nb.sandbox.fidelity import SWITCHES
from clopos_nb.sandbox.requestlog import Entry
from clopos_nb.sandbox.server import Sandbox

LAST_DAY = date(2026, 2, 28)
"""The last day of the made-up data, whatever the calendar says: notebooks stay reproducible."""
_POLL_S = 0.1
_LONGEST_PATH = 120
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_CLERK_MODES = ("immediately", "on_demand", "never", "after=SECONDS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``clopos-nb sandbox`` to a parser."""
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    add(
        "--port",
        type=_number(int, 0, 65_535),
        default=0,
        help="port to bind; 0, the default, picks a free one",
    )
    add(
        "--control-port",
        type=_number(int, 0, 65_535),
        default=0,
        help="port of the control endpoint, on loopback; 0, the default, picks a free one",
    )
    add("--json", action="store_true", help="print one line of JSON when ready, then nothing")
    add("--quiet", action="store_true", help="no line per request")
    add(
        "--venues",
        type=_number(int, 1, 10_000),
        default=4,
        help="number of venues (default: %(default)s)",
    )
    add(
        "--days",
        type=_number(int, 1, 20_000),
        default=90,
        help="days of data up to 2026-02-28 (default: %(default)s)",
    )
    add(
        "--receipts-per-day",
        type=_number(float, 0, 10_000),
        help="mean receipts per venue and day",
    )
    add("--seed", type=int, default=7, help="same seed, same brand (default: %(default)s)")
    add("--legacy", action="store_true", help="also fields and error shapes of older pages")
    add(
        "--fidelity",
        action="append",
        default=[],
        metavar="NAME",
        help=f"another shape of the API, may be repeated: {', '.join(SWITCHES)}",
    )
    add("--latency-ms", type=_number(float, 0, 1e9), default=0.0, help="added to every answer")
    add(
        "--window-s",
        type=_number(float, 0, 1e9),
        default=60.0,
        help="length of the rate-limit windows",
    )
    add("--token-lifetime-s", type=_number(int, 1, 1e9), default=3600, help="life of a token")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="a fault, may be repeated: server_error,path=/receipts,probability=0.1; a wrong "
        "name lists all there are",
    )
    add(
        "--fault-time-scale",
        type=_number(float, 0, 1e9),
        default=1.0,
        help="what the seconds of slow faults are multiplied with (default: %(default)s)",
    )
    add(
        "--clerk",
        type=_clerk,
        metavar="MODE",
        help=f"who moves orders on, and when: {', '.join(_CLERK_MODES)}",
    )
    add(
        "--data-time",
        type=_data_time,
        metavar="TIME",
        help="the brand's calendar: frozen (the default), running, or a moment to freeze it at, "
        "as in 2026-02-28T23:00",
    )
    add(
        "--token-time",
        choices=("running", "frozen"),
        default="running",
        help="the clock that tokens expire by (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    # A list, not threading.Event: its lock would be taken twice by a second signal that interrupts
    # the handler of the first, and never be free again.
    received: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    # Before anything is printed: who reads the line may interrupt at once.
    for number in _STOPPING:
        signal.signal(number, on_signal)
    try:
        sandbox = _make(args)
        _turn_on(sandbox, args)
    except ValueError as error:
        sys.stderr.write(f"clopos-nb sandbox: {error}\n")
        return 2
    try:
        sandbox.start()
    except OSError as error:
        sys.stderr.write(f"cannot serve on {args.host}:{args.port}: {error}\n")
        return 1
    with sandbox:
        _say(_ready_line(sandbox) if args.json else _ready_text(sandbox))
        # A process of its own: a full collection that walks all of pandas would show in the
        # slowest answers. In a notebook it would pin the user's own objects.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        while not received:
            time.sleep(_POLL_S)
        # Stopping takes a moment; more of the same must not turn it into a failure.
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
    return 0


def _make(args: argparse.Namespace) -> Sandbox:
    return Sandbox(
        seed=args.seed,
        venues=args.venues,
        first_day=LAST_DAY - timedelta(days=args.days - 1),
        last_day=LAST_DAY,
        receipts_per_day=args.receipts_per_day,
        port=args.port,
        host=args.host,
        legacy=args.legacy,
        fidelity=args.fidelity,
        token_lifetime_s=args.token_lifetime_s,
        window_s=args.window_s,
        latency_s=args.latency_ms / 1000,
        on_request=None if args.json or args.quiet else _print_request,
        control_port=args.control_port,
    )


def _turn_on(sandbox: Sandbox, args: argparse.Namespace) -> None:
    sandbox.faults.time_scale = args.fault_time_scale
    for text in args.fault:
        sandbox.faults.add_text(text)
    if args.clerk is not None:
        clerk = sandbox.books.clerk
        clerk.mode, clerk.delay_s = args.clerk
    if args.data_time == "running":
        sandbox.clock.data.run()
    elif isinstance(args.data_time, datetime):
        sandbox.clock.data.set(args.data_time)
    if args.token_time == "frozen":  # noqa: S105 - no password
        sandbox.clock.token.freeze()


def _venues(sandbox: Sandbox) -> list[dict[str, object]]:
    rows = sandbox.brand.rows("venues", sandbox.brand.venue_ids[0])
    return [{"id": row["id"], "name": row["name"]} for row in rows]


def _ready_line(sandbox: Sandbox) -> str:
    facts: dict[str, object] = {"url": sandbox.url, **sandbox.credentials}
    facts |= {f"test_{name}": value for name, value in sandbox.test_credentials.items()}
    facts |= {"control": sandbox.control_url, "venues": _venues(sandbox)}
    return json.dumps(facts, ensure_ascii=False)


def _ready_text(sandbox: Sandbox) -> str:
    venues = ", ".join(f"{venue['name']} ({venue['id']})" for venue in _venues(sandbox))
    live = _exports(sandbox.credentials)
    test = [line for line in _exports(sandbox.test_credentials) if line not in live]
    lines = [
        f"Simulated brand {sandbox.brand.slug}, data up to {sandbox.today}: {venues}",
        "",
        f"export CLOPOS_BASE_URL={sandbox.url}",
        *live,
        "",
        f"# Its twin in test mode, {sandbox.test_credentials['brand']}, for the test integrator:",
        *(f"# {line}" for line in test),
        "",
        f"Page:    {sandbox.url.removesuffix('/open-api/v2')}/",
        f"Control: {sandbox.control_url}",
        *(f"Fault:   {fault}" for fault in sandbox.faults),
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _exports(credentials: dict[str, str]) -> list[str]:
    return [f"export CLOPOS_{name.upper()}={value}" for name, value in credentials.items()]


def _print_request(entry: Entry, ms: float) -> None:
    # A reader that went away, as in "| head", is no reason to stop serving.
    with contextlib.suppress(OSError):
        _say(log_line(entry, ms))


def log_line(entry: Entry, ms: float) -> str:
    """Return one request as a line: method, path, status, milliseconds, venue, faults."""
    path = entry.path if len(entry.path) <= _LONGEST_PATH else entry.path[:_LONGEST_PATH] + "..."
    # Whoever asks must not be able to write to the terminal of who serves.
    path = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in path
    )
    words = [entry.method, path, str(entry.status or "reset"), f"{ms:.1f} ms"]
    if entry.venue_id is not None:
        words.append(f"venue {entry.venue_id}")
    if entry.faults:
        words.append("! " + ", ".join(entry.faults))
    return " ".join(words)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _number(kind: type[int | float], least: float, most: float) -> Callable[[str], Any]:
    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            words = "a whole number" if kind is int else "a number"
            message = f"{text!r} is not {words} from {least:g} to {most:,.0f}"
            raise argparse.ArgumentTypeError(message)
        return number

    return read


def _clerk(text: str) -> tuple[str, float]:
    mode, _, delay = text.partition("=")
    if mode not in MODES or bool(delay) != (mode == "after"):
        message = f"{text!r} is not one of {', '.join(_CLERK_MODES)}"
        raise argparse.ArgumentTypeError(message)
    return mode, _number(float, 0, 1e9)(delay) if delay else 60.0


def _data_time(text: str) -> str | datetime:
    if text in ("running", "frozen"):
        return text
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is neither running nor frozen nor a moment, as 2026-02-28T23:00 is"
        raise argparse.ArgumentTypeError(message) from None
