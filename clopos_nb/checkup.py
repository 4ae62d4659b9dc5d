"""What a doctor found: a list of checks that shows itself as text, as HTML and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from clopos_nb import html

State: TypeAlias = Literal["ok", "warning", "failed"]

_WIDTH = 100


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What was looked at: a setting, ``"login"``, ``"GET /receipts"``.
    state : "ok", "warning" or "failed"
        A warning keeps nobody from reading something; what failed does.
    found : str
        What there is, or what is wrong.
    advice : str
        What to do, and by whom; empty when all is well.
    """

    name: str
    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True, repr=False)
class Checkup:
    """The checks of one ``session.doctor()``; holds no secret and nothing about a person.

    Attributes
    ----------
    checks : tuple of Check

    Examples
    --------
    >>> from clopos_nb.checkup import Check, Checkup
    >>> Checkup((Check("clock", "ok", "right"), Check("login", "failed", "Refused", "Ask")))
    ok       clock  right
    FAILED   login  Refused
                    -> Ask
    1 failed, 0 warnings
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether all is well: nothing failed and no warning."""
        return all(check.state == "ok" for check in self.checks)

    @property
    def verdict(self) -> str:
        """The checkup in a few words."""
        if self.ok:
            return "All is well"
        count = Counter(check.state for check in self.checks)
        return f"{count['failed']} failed, {count['warning']} warnings"

    def as_dict(self) -> dict[str, Any]:
        """Return ``ok`` and the checks, as a dict that JSON can hold."""
        return {"ok": self.ok, "checks": [asdict(check) for check in self.checks]}

    def __str__(self) -> str:
        names = max((len(check.name) for check in self.checks), default=0)
        lines = []
        for check in self.checks:
            state = check.state if check.state == "ok" else check.state.upper()
            first, indent = f"{state:<8} {check.name:<{names}}  ", " " * (names + 11)
            lines += textwrap.wrap(
                check.found, _WIDTH, initial_indent=first, subsequent_indent=indent
            )
            lines += textwrap.wrap(
                check.advice,
                _WIDTH,
                initial_indent=f"{indent}-> ",
                subsequent_indent=f"{indent}   ",
            )
        return "\n".join([*lines, self.verdict])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [[check.state, check.name, check.found, check.advice] for check in self.checks]
        return html.card("Clopos doctor", {"verdict": self.verdict}) + html.table(
            ["", "check", "found", "what to do"], rows
        )
