"""One request on its way through the faults, and what has become of its answer so far."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from clopos_nb.sandbox import answers
from clopos_nb.sandbox.answers import Answer, Refusal
from clopos_nb.sandbox.service import Request

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Scene:
    """Where faults happen: what of the sandbox they may touch."""

    source: Any
    """The brand; the faults that change rows need one open for writing."""
    now: Callable[[], float]
    age: Callable[[str], str]
    """Returns the same token, expired."""


@dataclass
class Work:
    """A request, its answer once there is one, and how that is to be delivered."""

    request: Request
    path: str
    venue_id: int | None
    scene: Scene
    rng: random.Random = field(default_factory=random.Random)
    answer: Answer | None = None
    processed: bool = False
    """Whether the request takes effect although a fault made its answer."""
    delay_s: float = 0.0
    trickle_s: float = 0.0
    cut: float | None = None
    """Share of the body after which the connection is reset; 0 before anything is sent."""
    skew_s: float = 0.0
    marks: list[str] = field(default_factory=list)
    """Names of the faults that struck, for the log."""

    def refuse(self, refusal: Refusal) -> None:
        """Answer with this instead of asking the service."""
        self.answer = Answer(refusal.status, answers.encode(refusal.body), refusal.headers)

    @property
    def body(self) -> dict[str, Any] | None:
        """The answer as decoded JSON; None when there is none, or it is no object."""
        if self.answer is None or self.answer.content_type != "application/json":
            return None
        try:
            body = msgspec.json.decode(self.answer.body)
        except msgspec.DecodeError:
            return None
        return body if isinstance(body, dict) else None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the answer: those of a list, or the one object; [] for a refusal."""
        body = self.body
        if self.answer is None or self.answer.status >= 400 or body is None:
            return []
        data = body.get("data")
        return [
            row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict)
        ]

    def change(self, **changes: Any) -> None:
        """Replace parts of the answer: ``status``, ``body``, ``headers``, ``content_type``."""
        if self.answer is not None:
            self.answer = replace(self.answer, **changes)

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Let a function change the decoded body in place, and encode it again."""
        body = self.body
        if body is not None:
            change(body)
            self.change(body=answers.encode(body))
