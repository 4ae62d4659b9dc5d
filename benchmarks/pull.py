"""How fast a month arrives, against what people write by hand, and how well the budget is used.

The sandbox runs in a process of its own and answers each request 80 ms late. All figures of a run
are made one after the other; by-hand readings that take long read a part, and are scaled up. Run
with ``python benchmarks/pull.py``; ``--quick`` reads a quarter.
"""

from __future__ import annotations

import argparse
import bisect
import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import requests
from integrify.clopos import CloposClientClass

import clopos_nb
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand

LATENCY_S, WINDOW_S, LIMIT = 0.08, 6.0, 300
LAST = dt.date(2026, 2, 28)


# ---------------------------------------------------------------------------- the server


def serve(venues: int, days: int, mean: int, window_s: float) -> None:
    """Serve until standard input ends; then print when each request was answered, and how."""
    answered: list[tuple[float, int]] = []
    brand = Brand(
        seed=7,
        venues=venues,
        first_day=LAST - dt.timedelta(days=days - 1),
        last_day=LAST,
        receipts_per_day=mean,
    )

    def note(entry: Any, _: float) -> None:
        if entry.path != "/auth":
            answered.append((time.time(), entry.status))

    with Sandbox(brand=brand, window_s=window_s, latency_s=LATENCY_S, on_request=note) as sandbox:
        print(json.dumps({"url": sandbox.url, **sandbox.credentials}), flush=True)
        sys.stdin.read()
        print(json.dumps(answered))


class Server:
    """A sandbox in a process of its own."""

    def __init__(self, venues: int, days: int, mean: int, window_s: float) -> None:
        command = [sys.executable, __file__, "--serve", *map(str, (venues, days, mean, window_s))]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.about = json.loads(self.process.stdout.readline())

    @property
    def credentials(self) -> dict[str, str]:
        """The four credentials."""
        return {k: v for k, v in self.about.items() if k != "url"}

    def stop(self) -> list[tuple[float, int]]:
        """Stop it, and return when each request was answered, and with what status."""
        output, _ = self.process.communicate()
        return [tuple(pair) for pair in json.loads(output)]


# --------------------------------------------------------------------------- the readers


def by_hand(server: Server, rows: int, limit: int | None, *, lines: bool = True) -> list[Any]:
    """Do what is usually written: a page after the other, then json_normalize."""
    url = server.about["url"]
    found: list[dict[str, Any]] = []
    with requests.Session() as http:
        token = http.post(f"{url}/auth", json=server.credentials, timeout=30).json()["token"]
        http.headers["x-token"] = token
        query = {"sort[0]": "created_at", "sort[1]": 1}
        query |= {"limit": limit} if limit else {}
        query |= {"with[0]": "receipt_products"} if lines else {}
        page = 1
        while len(found) < rows:
            answer = http.get(f"{url}/receipts", params={**query, "page": page}, timeout=30)
            found += answer.json()["data"]
            page += 1
    frames = [pd.json_normalize(found)]
    return frames + (
        [pd.json_normalize(found, "receipt_products", ["id"], meta_prefix="receipt_")]
        if lines
        else []
    )


def by_integrify(server: Server, rows: int) -> list[Any]:
    """Read receipts with the one other Python client there is; it cannot read lines."""
    client = CloposClientClass(base_url=server.about["url"] + "/")
    token = client.auth(**server.credentials).body.token
    found: list[Any] = []
    page = 1
    while len(found) < rows:
        answer = client.get_receipts(headers={"x-token": token}, page=page, limit=100)
        found += answer.body.data
        page += 1
    client.close()
    return [pd.DataFrame([receipt.model_dump() for receipt in found])]


def by_clopos_nb(
    about: dict[str, str], cache: str, tables: tuple[str, ...], **settings: Any
) -> int:
    """Read all receipts; return how many."""
    known = {k: v for k, v in about.items() if k != "url"}
    with clopos_nb.Session(base_url=about["url"], cache_dir=cache, **known, **settings) as session:
        frames = session.frames(tables, strict=True, progress=False)
    return len(frames["receipts"])


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something took, and what it returned."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


# ------------------------------------------------------------------------------ figures


def unlimited(rows: int) -> None:
    """One venue, no rate limit that could be felt."""
    server = Server(1, rows // 200, 210, 0.001)
    with TemporaryDirectory() as cache:
        every, both = ("receipts",), ("receipts", "receipt_products")
        for tables in (every, both):  # so that the sandbox has made its rows
            by_clopos_nb(server.about, cache, tables)
        ours, count = timed(lambda: by_clopos_nb(server.about, cache, both))
        flat, _ = timed(lambda: by_clopos_nb(server.about, cache, every))
        first, _ = timed(lambda: small(server.about, cache))
    show(f"{count:,} receipts with lines, one venue", f"{ours:.1f} s, {count / ours:,.0f} a second")
    part = count // 4
    hand, _ = timed(lambda: by_hand(server, count, 200))
    show("  times a serial loop at limit=200", f"{hand / ours:.1f}")
    slow, _ = timed(lambda: by_hand(server, part, None))
    show("  times a serial loop at the default limit", f"{4 * slow / ours:.1f} (a quarter read)")
    other, _ = timed(lambda: by_integrify(server, part))
    show("  times integrify-clopos, both without lines", f"{4 * other / flat:.1f} (a quarter read)")
    show("warm session to the first small frame", f"{first * 1e3:.0f} ms")
    answered = server.stop()
    show("  most requests under way at once", str(most_at_once([at for at, _ in answered])))


def small(about: dict[str, str], cache: str) -> None:
    """Read a few rows with a session that finds its token on disk."""
    known = {k: v for k, v in about.items() if k != "url"}
    with clopos_nb.Session(base_url=about["url"], cache_dir=cache, **known) as session:
        session.frame("sale_types", progress=False)


def limited(rows: int, processes: int) -> None:
    """Twelve venues inside the documented limit, its window scaled to 6 s."""
    server = Server(12, rows // 12 // 100, 110, WINDOW_S)
    rate = f"{LIMIT}/{WINDOW_S}s"
    with TemporaryDirectory() as cache, ProcessPoolExecutor(processes) as pool:
        by_clopos_nb(server.about, cache, ("receipts",), rate_limit=rate)  # as above
        time.sleep(WINDOW_S)
        began = time.time()
        jobs = [
            pool.submit(by_clopos_nb, server.about, cache, ("receipts",), rate_limit=rate)
            for _ in range(processes)
        ]
        seconds, count = timed(lambda: sum(job.result() for job in jobs))
    answered = [(at, status) for at, status in server.stop() if at >= began]
    refused = sum(status == 429 for _, status in answered)
    show(
        f"{count:,} receipts, 12 venues, {processes} process{'es' * (processes > 1)}",
        f"{seconds:.1f} s, {len(answered)} requests, {refused} answers 429",
    )
    used = share_used([at for at, _ in answered])
    show("  of the requests that whole windows allow", f"{used:.1%}")


def share_used(times: list[float]) -> float:
    """Return the answers in each whole window since the first one, of those allowed."""
    times.sort()
    windows = max(int((times[-1] - times[0]) / WINDOW_S), 1)
    return bisect.bisect_left(times, times[0] + windows * WINDOW_S) / windows / LIMIT


def most_at_once(times: list[float]) -> int:
    """Return the most answers within one latency: those requests were under way together."""
    times.sort()
    return max(
        index - bisect.bisect_left(times, at - LATENCY_S * 0.95) + 1
        for index, at in enumerate(times)
    )


def show(what: str, figure: str) -> None:
    """Print one figure."""
    print(f"{what:<50} {figure}", flush=True)


def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        venues, days, mean = map(int, chosen.serve[:3])
        serve(venues, days, mean, float(chosen.serve[3]))
        return
    unlimited(10_000 if chosen.quick else 40_000)
    limited(45_000 if chosen.quick else 90_000, 1)
    limited(45_000 if chosen.quick else 90_000, 3)


if __name__ == "__main__":
    main()
