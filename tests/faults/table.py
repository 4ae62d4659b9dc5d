"""What every fault of the sandbox does to every kind of call: the rows of ``expected.csv``.

``when`` is ``once`` (the fault strikes one request), ``stays`` (all of them), or ``never`` (it
cannot strike that call). Where requests run at once a number is a range, as in ``6-38``, and
what a call gives may be one of several, as in ``right|as it was``.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from tests.faults.bench import CALLS, Seen


class Row(NamedTuple):
    """One expectation; all are texts, as in the file."""

    fault: str
    options: str
    call: str
    when: str
    gives: str
    requests: str
    logins: str
    backoffs: str
    waits: str
    written: str

    @property
    def switch(self) -> str:
        """The fault as the command line of the sandbox takes it."""
        call = CALLS[self.call]
        count = "count=1" if self.when == "once" else ""
        parts = [self.fault, f"path={call.path}", call.struck, self.options, count]
        return ",".join(filter(None, parts))

    def differs(self, seen: Seen) -> dict[str, object]:
        """Return what was seen and not expected."""
        found = seen._asdict()
        wrong = {name: found[name] for name in found if name != "gives"}
        wrong = {name: n for name, n in wrong.items() if not _within(n, getattr(self, name))}
        if seen.gives not in self.gives.split("|"):
            wrong["gives"] = seen.gives
        return wrong


def _within(number: object, expected: str) -> bool:
    low, _, high = expected.partition("-")
    return isinstance(number, int) and int(low) <= number <= int(high or low)


with (Path(__file__).parent / "expected.csv").open(newline="") as file:
    TABLE = [Row(**line) for line in csv.DictReader(file)]
