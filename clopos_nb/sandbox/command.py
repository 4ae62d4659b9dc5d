"""``clopos-nb sandbox``: serve a simulated brand from a shell until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import time
from datetime import date, timedelta
from types import FrameType

from clopos_nb.sandbox.requestlog import Entry
from clopos_nb.sandbox.server import Sandbox

LAST_DAY = date(2026, 2, 28)
"""The last day of the made-up data, whatever the calendar says: notebooks stay reproducible."""
_POLL_S = 0.1
_STOPPING = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``clopos-nb sandbox`` to a parser."""
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    add("--port", type=int, default=0, help="port to bind; 0, the default, picks a free one")
    add("--json", action="store_true", help="print one line of JSON when ready, then nothing")
    add("--quiet", action="store_true", help="no line per request")
    add("--venues", type=_positive, default=4, help="number of venues (default: %(default)s)")
    add("--days", type=_positive, default=90, help="days of data up to 2026-02-28 (default: 90)")
    add("--receipts-per-day", type=float, help="mean receipts per venue and day")
    add("--seed", type=int, default=7, help="same seed, same brand (default: %(default)s)")
    add("--legacy", action="store_true", help="also fields and error shapes of older pages")
    add("--latency-ms", type=float, default=0.0, help="added to every answer")
    add("--window-s", type=float, default=60.0, help="length of the rate-limit windows")
    add("--token-lifetime-s", type=_positive, default=3600, help="life of a token")


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
    sandbox = _make(args)
    try:
        sandbox.start()
    except OSError as error:
        sys.stderr.write(f"cannot serve on {args.host}:{args.port}: {error}\n")
        return 1
    with sandbox:
        _say(_ready_line(sandbox) if args.json else _ready_text(sandbox))
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
        token_lifetime_s=args.token_lifetime_s,
        window_s=args.window_s,
        latency_s=args.latency_ms / 1000,
        on_request=None if args.json or args.quiet else _print_request,
    )


def _venues(sandbox: Sandbox) -> list[dict[str, object]]:
    rows = sandbox.brand.rows("venues", sandbox.brand.venue_ids[0])
    return [{"id": row["id"], "name": row["name"]} for row in rows]


def _ready_line(sandbox: Sandbox) -> str:
    facts = {"url": sandbox.url} | sandbox.credentials
    facts["test_integrator_id"] = sandbox.test_integrator_id
    return json.dumps({**facts, "venues": _venues(sandbox)}, ensure_ascii=False)


def _ready_text(sandbox: Sandbox) -> str:
    names = {
        "CLOPOS_BASE_URL": sandbox.url,
        "CLOPOS_CLIENT_ID": sandbox.credentials["client_id"],
        "CLOPOS_CLIENT_SECRET": sandbox.credentials["client_secret"],
        "CLOPOS_BRAND": sandbox.credentials["brand"],
        "CLOPOS_INTEGRATOR_ID": sandbox.credentials["integrator_id"],
    }
    venues = ", ".join(f"{venue['name']} ({venue['id']})" for venue in _venues(sandbox))
    lines = [f"Simulated brand {sandbox.brand.slug}, data up to {sandbox.today}: {venues}", ""]
    lines += [f"export {name}={value}" for name, value in names.items()]
    return "\n".join([*lines, "", "Ctrl-C stops it."])


def _print_request(entry: Entry, ms: float) -> None:
    # A reader that went away, as in "| head", is no reason to stop serving.
    with contextlib.suppress(OSError):
        _say(f"{entry.method} {entry.path} {entry.status} {ms:.1f} ms")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return number
