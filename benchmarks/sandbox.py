"""How fast the sandbox is: start-up, any page of a huge brand, and warm pages with lines.

Runs ``clopos-nb sandbox`` as a process of its own and reads it over one keep-alive connection, as a
client would. Run with ``python benchmarks/sandbox.py``; ``--quick`` for a tenth of the requests.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

VENUES, DAYS, MEAN = 200, 1825, 400
LINES = "&with[]=receipt_products"
PAGE = 200


class Api:
    """One connection to one sandbox process."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-c", "from clopos_nb.cli import main; main()", "sandbox"]
        # Windows too short to ever fill: this measures the server, not its limits.
        command += ["--port", "0", "--json", "--window-s", "0.0001", *options]
        started = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.about = json.loads(self.process.stdout.readline())
        self.started_s = time.perf_counter() - started
        where = urlsplit(self.about["url"])
        self.base = where.path
        self.http = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        names = ("client_id", "client_secret", "brand", "integrator_id")
        body = json.dumps({name: self.about[name] for name in names})
        self.http.request("POST", f"{self.base}/auth", body, {"Content-Type": "application/json"})
        self.token = json.loads(self.http.getresponse().read())["token"]

    def get(self, path: str, venue: int) -> bytes:
        """Return the body of one answer."""
        headers = {"x-token": self.token, "x-venue": str(venue)}
        self.http.request("GET", self.base + path, headers=headers)
        answer = self.http.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(body[:200])
        return body

    def total(self, venue: int) -> int:
        """Return how many receipts a venue has."""
        return int(json.loads(self.get("/receipts?limit=1", venue))["total"])

    @property
    def rss_mib(self) -> float:
        """Resident memory of the server process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kib = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(kib.split()[1]) / 1024

    @property
    def cpu_s(self) -> float:
        """Processor seconds that the server process has used."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def close(self) -> None:
        """Stop the server."""
        self.http.close()
        self.process.terminate()
        self.process.wait(10)


def random_pages(api: Api, count: int, query: str, rows: int) -> list[tuple[float, float]]:
    """Return what random pages of random venues took; hardly any day comes twice.

    Seconds of wall and of the server's processor time: the second is what a quiet machine shows.
    """
    chance = random.Random(1)
    totals: dict[int, int] = {}
    times = []
    for _ in range(count):
        venue = chance.randrange(1, VENUES + 1)
        if venue not in totals:
            totals[venue] = api.total(venue)
        page = chance.randrange(1, max(2, totals[venue] // rows))
        used, started = api.cpu_s, time.perf_counter()
        api.get(f"/receipts?page={page}&limit={rows}{query}", venue)
        times.append((time.perf_counter() - started, api.cpu_s - used))
    return times


def warm(api: Api, rounds: int) -> tuple[float, float, int]:
    """Return pages a second of wall and of processor time, and the bytes of a page."""
    paths = [f"/receipts?page={n}&limit={PAGE}{LINES}" for n in range(1, 21)]
    size = max(len(api.get(path, 1)) for path in paths)
    started, used = time.perf_counter(), api.cpu_s
    for _ in range(rounds):
        for path in paths:
            api.get(path, 1)
    count = rounds * len(paths)
    return count / (time.perf_counter() - started), count / (api.cpu_s - used), size


def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    count = 30 if parser.parse_args().quick else 300
    options = ("--venues", str(VENUES), "--days", str(DAYS), "--receipts-per-day", str(MEAN))
    api = Api(*options)
    try:
        show(f"receipts of {VENUES} venues, {DAYS} days", f"{api.total(1) * VENUES / 1e6:.0f} M")
        show("start-up, interpreter and imports included", f"{api.started_s:.2f} s")
        show("resident at start", f"{api.rss_mib:.0f} MiB")
        for name, query, rows in (
            ("50 rows", "", 50),
            (f"{PAGE} rows", "", PAGE),
            (f"{PAGE} rows with lines", LINES, PAGE),
        ):
            walls, cores = zip(*random_pages(api, count, query, rows), strict=True)
            show(f"random page, cold, {name}", spread(walls))
            show("  the same in the server's processor time", spread(cores))
        show(f"resident after {3 * count} random pages", f"{api.rss_mib:.0f} MiB")
        wall, core, size = warm(api, count // 10)
        show(f"warm pages of {PAGE} with lines ({size / 1024:.0f} KiB)", f"{wall:.0f} a second")
        show("  the same per second of the server's core", f"{core:.0f}")
        show("resident at the end", f"{api.rss_mib:.0f} MiB")
    finally:
        api.close()
    own = resource.getrusage(resource.RUSAGE_SELF)
    show("this client's own processor time", f"{own.ru_utime + own.ru_stime:.1f} s")


def spread(times: Sequence[float]) -> str:
    """Return the middle and the upper end of some times."""
    ranked = sorted(times)
    middle, high, worst = statistics.median(ranked), ranked[int(len(ranked) * 0.99)], ranked[-1]
    return f"median {middle * 1e3:.1f} ms, 99 % {high * 1e3:.1f} ms, worst {worst * 1e3:.1f} ms"


def show(what: str, figure: str) -> None:
    """Print one figure."""
    print(f"{what:<50} {figure}")


if __name__ == "__main__":
    main()
