"""Another process with the same store: reads what it is told to, and tells the sums.

Its first line of input holds the session's settings, each further one a range of days, which is
read, or synced and then read. With ``die_after`` the process ends by SIGKILL when it has written so
many tables.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from decimal import Decimal
from typing import Any

import pandas as pd

import clopos_nb

TABLES = ("receipts", "receipt_products", "receipt_payments")
WRITES = ("replace", "commit")


def sums(frames: dict[str, pd.DataFrame], venue: int | None = None) -> dict[str, str]:
    """Return how many rows there are of each table and what they add up to, to the qəpik."""
    found = {}
    for name, column in zip(TABLES, ("total", "total", "amount"), strict=True):
        rows = frames[name]
        if venue is not None:
            rows = rows[rows["venue_id"] == venue]
        amount = sum((Decimal(f"{each:.2f}") for each in rows[column]), Decimal(0))
        found[name] = f"{len(rows)} rows, {amount:.2f}"
    return found


def read(
    session: clopos_nb.Session, first: Any, last: Any, *, may_give_up: bool = False
) -> dict[str, pd.DataFrame]:
    """Return the tables of some days, which have to come through the store."""
    frames = session.frames(TABLES, first, last, progress=False, strict=True)
    for record in frames["receipts"].attrs["clopos"]["venues"]:
        assert may_give_up or record["source"] != "api" or record["walked"]
    return frames


def die_after(count: int) -> None:
    """Kill this process when so many tables have been written."""
    left = count

    def watch(frame: Any, event: str, _: Any) -> None:
        nonlocal left
        code = frame.f_code
        written = code.co_name in WRITES and code.co_filename.endswith("write.py")
        if event == "return" and written:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def main() -> None:
    """Answer a line with a line."""
    with clopos_nb.Session(**json.loads(sys.stdin.readline())) as session:
        print("ready", flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            if count := asked.get("die_after"):
                die_after(count)
            days = asked["first"], asked["last"]
            if asked.get("sync"):
                session.sync(TABLES, *days, progress=False)
            frames = read(session, *days, may_give_up=asked.get("may_give_up", False))
            print(json.dumps({venue: sums(frames, venue) for venue in (1, 2)}), flush=True)


if __name__ == "__main__":
    main()
