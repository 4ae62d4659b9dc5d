"""How fast bytes become frames, against what people write by hand; memory and growth; import time.

The client's own reading of an answer and decode run on recorded pages, with no network: page after
page, as by hand, and as ``frame()`` does it, with look-ahead in threads, walk and certificate.
Everything is compared with ``json_normalize`` in the same run: figures are ratios of the best of
some runs. "Reading alone" is the part of msgspec, bytes to Python objects. Run with
``python benchmarks/decode.py``; ``--quick`` leaves out the million.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import requests

from clopos_nb import wire
from clopos_nb.decode import Decoding
from clopos_nb.drift import Drift
from clopos_nb.fetch import Asking, Manner, fetch_each
from clopos_nb.frames import assemble
from clopos_nb.items import Reader, shape_of
from clopos_nb.pages import Pages
from clopos_nb.questions import Place, Question
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand
from clopos_nb.tables import CATALOGUE

PAGE, PAGES = 200, 100
TABLES = ("receipts", "receipt_products", "receipt_payments")


# ----------------------------------------------------------------------------- the bytes


def recorded_rows() -> list[dict[str, Any]]:
    """Return receipts of a sandbox, each with the lines of a neighbour added: some 4 KB."""
    brand = Brand(
        seed=3,
        venues=1,
        first_day=dt.date(2025, 1, 1),
        last_day=dt.date(2025, 12, 31),
        receipts_per_day=150,
    )
    with Sandbox(brand=brand, window_s=0.001) as sandbox, requests.Session() as http:
        answer = http.post(f"{sandbox.url}/auth", json=sandbox.credentials, timeout=30).json()
        http.headers["x-token"] = answer["token"]
        rows: list[dict[str, Any]] = []
        for page in range(1, 2 * PAGES + 1):
            query = {"page": page, "limit": PAGE, "with[0]": "receipt_products"}
            rows += http.get(f"{sandbox.url}/receipts", params=query, timeout=30).json()["data"]
    joined = []
    for row, neighbour in zip(rows[::2], rows[1::2], strict=True):
        row["receipt_products"] += neighbour["receipt_products"]
        joined.append(row)
    return joined


def as_bodies(rows: list[dict[str, Any]]) -> list[bytes]:
    """Return the answers that a server would give, a page each."""
    pages = [rows[at : at + PAGE] for at in range(0, len(rows), PAGE)]
    return [json.dumps({"success": True, "data": p, "total": len(rows)}).encode() for p in pages]


def without_lines(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the receipts alone."""
    return [{k: v for k, v in row.items() if k != "receipt_products"} for row in rows]


# --------------------------------------------------------------------------- the readers


def by_hand(bodies: list[bytes], loads: Callable[[bytes], Any], *, lines: bool) -> list[Any]:
    """Do what a careful analyst writes."""
    rows = [row for body in bodies for row in loads(body)["data"]]
    frames = [pd.json_normalize(rows)]
    if lines:
        for path in ("receipt_products", "payment_methods"):
            frames.append(pd.json_normalize(rows, path, ["id"], meta_prefix="receipt_"))
    return frames


def by_hand_typed(bodies: list[bytes], *, lines: bool) -> list[Any]:
    """Do the same, and give the columns the dtypes that ours have."""
    frames = [frame.convert_dtypes() for frame in by_hand(bodies, json.loads, lines=lines)]
    for frame in frames:
        for name in frame.columns.intersection(["created_at", "updated_at", "closed_at"]):
            frame[name] = pd.to_datetime(frame[name])
    return frames


@dataclass
class Recorded:
    """In place of the transport: the same answers, without a network."""

    body: Callable[[int], bytes]
    spent_s: float = 0.0
    budget: Any = None

    def send(self, method: str, path: str, *, query: Any, reader: Any, **_: Any) -> wire.Answer:
        """Read the answer of a page as the transport does."""
        started = time.thread_time()
        body = self.body(int(dict(query)["page"]))
        self.spent_s += time.thread_time() - started
        answer = wire.read_answer(200, body, path=path, reader=reader)
        assert isinstance(answer, wire.Answer)
        return answer


def by_decode(bodies: list[bytes], tables: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return the frames, from page after page."""
    shape = shape_of(tuple(CATALOGUE[name] for name in tables))
    reader, pages = Reader(shape), Pages(Decoding(shape))
    for page, body in enumerate(bodies, start=1):
        answer = wire.read_answer(200, body, path=shape.table.path, reader=reader.read)
        assert isinstance(answer, wire.Answer)
        assert answer.items is not None
        pages.append(answer.items, page)
    return {name: assemble(CATALOGUE[name], pages.take_out(name)) for name in tables}


def by_reading(bodies: list[bytes], tables: tuple[str, ...]) -> None:
    """Read the bytes into structs, page after page, and make no column of them."""
    reader = Reader(shape_of(tuple(CATALOGUE[name] for name in tables)))
    for body in bodies:
        assert reader.read(body) is not None


def by_walk(body: Callable[[int], bytes], tables: tuple[str, ...]) -> tuple[dict[str, Any], float]:
    """Return the frames, and the seconds that making the bytes took."""
    source: Any = Recorded(body)
    question = Question(tuple(CATALOGUE[name] for name in tables))
    (frames,) = fetch_each(
        source,
        [Asking(question, [Place(1)])],
        Manner(progress=False),
        brand="bench",
        drift=Drift(),
    )
    return frames, source.spent_s


def best_of_each(works: dict[str, Callable[[], Any]], times: int) -> dict[str, float]:
    """Return the shortest run of each, in turns: what else the machine does meets them alike."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(times):
        for name, work in works.items():
            gc.collect()
            started = time.perf_counter()
            work()
            found[name].append(time.perf_counter() - started)
    return {name: min(seconds) for name, seconds in found.items()}


# ------------------------------------------------------------------------------ figures


def speed(recorded: str, title: str, tables: str) -> None:
    """Print how many times faster than by hand."""
    bodies = pickle.loads(Path(recorded).read_bytes())
    seconds = best_of_each(readers(bodies, tuple(tables.split(","))), 5)
    ours, walked, read = seconds.pop("ours"), seconds.pop("walked"), seconds.pop("read")
    count = PAGE * len(bodies)
    rates = f"{count / ours:,.0f} a second; walked: {count / walked:,.0f}"
    show(f"{title} ({count:,} of {sum(map(len, bodies)) / count:,.0f} bytes)", rates)
    for name, theirs in seconds.items():
        rates = f"{theirs / ours:.1f}; walked: {theirs / walked:.1f}"
        show(f"  times {name}", f"{rates}; reading alone: {theirs / read:.1f}")


def readers(bodies: list[bytes], tables: tuple[str, ...]) -> dict[str, Callable[[], Any]]:
    """Return the ways from the same bytes to frames, and reading alone."""
    lines = len(tables) > 1
    return {
        "ours": lambda: by_decode(bodies, tables),
        "walked": lambda: by_walk(page_of(bodies), tables),
        "read": lambda: by_reading(bodies, tables),
        "json.loads + json_normalize": lambda: by_hand(bodies, json.loads, lines=lines),
        "orjson.loads + json_normalize": lambda: by_hand(bodies, orjson.loads, lines=lines),
        "json_normalize with our dtypes": lambda: by_hand_typed(bodies, lines=lines),
    }


def page_of(bodies: list[bytes]) -> Callable[[int], bytes]:
    """Return what gives the body of a page."""
    return lambda page: bodies[page - 1]


def renumbered(bodies: list[bytes], receipts: int) -> Callable[[int], bytes]:
    """Return what gives pages of so many receipts, no two with one id."""
    total = f'"total": {receipts}}}'.encode()

    def body_of(page: int) -> bytes:
        body = bodies[(page - 1) % len(bodies)]
        shift = (page - 1) // len(bodies) * 10_000_000
        body = re.sub(
            rb'\{"id": (\d+), "cid": ("[^"]*"), "venue_id"',
            lambda m, shift=shift: b'{"id": %d, "cid": %s, "venue_id"' % (int(m[1]) + shift, m[2]),
            body,
        )
        return re.sub(rb'"total": \d+\}$', total, body)

    return body_of


def growth(recorded: str, size: str) -> None:
    """Print one line of JSON: seconds, peak and frame memory for so many receipts."""
    bodies, receipts = pickle.loads(Path(recorded).read_bytes()), int(size)
    before = peak_mb()
    started = time.perf_counter()
    frames, making = by_walk(renumbered(bodies, receipts), TABLES)
    seconds = time.perf_counter() - started - making
    assert len(frames["receipts"]) == receipts
    held = sum(int(frame.memory_usage(deep=True).sum()) for frame in frames.values()) / 1e6
    print(json.dumps({"seconds": seconds, "before": before, "peak": peak_mb(), "frames": held}))


def peak_mb() -> float:
    """Return the most memory that this process held; ``ru_maxrss`` begins at its parent's."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1.024e-3


def apart(what: str, bodies: list[bytes], *more: str) -> str:
    """Measure in a process of its own, which holds nothing else, and return what it printed."""
    with tempfile.NamedTemporaryFile() as recorded:
        recorded.write(pickle.dumps(bodies))
        recorded.flush()
        command = [sys.executable, __file__, what, recorded.name, *more]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def grown(bodies: list[bytes], sizes: tuple[int, ...]) -> None:
    """Print how cost and memory grow."""
    seconds = []
    for size in sizes:
        found = json.loads(apart("--growth", bodies, str(size)))
        seconds.append(found["seconds"])
        over = found["peak"] - found["before"]
        show(
            f"{size:,} receipts with lines and payments",
            f"{found['seconds']:.2f} s, frames {found['frames']:,.0f} MB, "
            f"peak {over:,.0f} MB more ({over / found['frames']:.2f} times)",
        )
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    show("cost grows with the rows to the power of", f"{exponent:.2f}")


def imports() -> None:
    """Print how long the import takes, against the packages below it."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run(code: str) -> Callable[[], Any]:
        command = [sys.executable, "-c", code]
        return lambda: subprocess.run(command, check=True, env=environ)

    run("import clopos_nb")()  # what is installed is compiled
    works = {"own": run("import clopos_nb"), "below": run("import pandas, pyarrow, requests")}
    own, below = best_of_each(works, 9).values()
    show("import clopos_nb", f"{own:.2f} s, {own / below:.2f} times its pandas, pyarrow, requests")


def show(what: str, figure: str) -> None:
    """Print one figure."""
    print(f"{what:<50} {figure}", flush=True)


def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--speed", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--growth", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.speed:
        speed(*chosen.speed)
        return
    if chosen.growth:
        growth(*chosen.growth)
        return
    rows = recorded_rows()
    alone = as_bodies(without_lines(rows))
    print(apart("--speed", as_bodies(rows), "receipts, lines, payments", ",".join(TABLES)), end="")
    print(apart("--speed", alone, "receipts alone", TABLES[0]), end="")
    grown(as_bodies(rows), (10_000, 30_000, 100_000, *(() if chosen.quick else (1_000_000,))))
    imports()


if __name__ == "__main__":
    main()
