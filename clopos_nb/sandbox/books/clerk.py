"""The simulated clerk who accepts the orders that came in through the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Literal, get_args

Mode = Literal["immediately", "after", "on_demand", "never"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass
class Job:
    """An order on its way; ``since`` is when its last step was done."""

    venue_id: int
    order_id: int
    since: datetime


Step = Callable[[Job, datetime], bool]
"""Does the next step of a job at a moment; returns whether another one follows."""


class Clerk:
    """Moves orders on: ``PENDING``, then ``RECEIVED`` with an open receipt, then closed.

    What was ordered before the brand's books were opened is none of this clerk's business.

    Attributes
    ----------
    mode : {"immediately", "after", "on_demand", "never"}
        "immediately": both steps are done by the time the order is read again. "after": each step
        takes ``delay_s`` of data time. "on_demand": one step for every call of ``work``.
        "never": nothing, even then.
    delay_s : float
        See "after".
    """

    def __init__(
        self,
        step: Step,
        now: Callable[[], datetime],
        lock: RLock,
        mode: Mode = "immediately",
        delay_s: float = 60.0,
    ) -> None:
        self.mode = mode
        self.delay_s = delay_s
        self._step = step
        self._now = now
        self._lock = lock
        self._jobs: list[Job] = []

    def __repr__(self) -> str:
        return f"<Clerk {self.mode}, {len(self._jobs)} orders waiting>"

    @property
    def mode(self) -> Mode:
        """One of ``MODES``; anything else is a ValueError that lists them."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        if mode not in MODES:
            message = f"mode must be one of {', '.join(MODES)}, not {mode!r}"
            raise ValueError(message)
        self._mode = mode

    def take(self, job: Job) -> None:
        """Put an order on the desk."""
        with self._lock:
            self._jobs.append(job)

    def tick(self) -> None:
        """Do what time has made due, before somebody looks."""
        if self._jobs and self.mode in ("immediately", "after"):
            self.work()

    def work(self) -> int:
        """Move every due order on and return how many steps that took."""
        with self._lock:
            if self.mode == "never":
                return 0
            done = 0
            kept = []
            for job in self._jobs:
                steps, more = self._move(job)
                done += steps
                if more:
                    kept.append(job)
            self._jobs = kept
            return done

    def _move(self, job: Job) -> tuple[int, bool]:
        done, more = 0, True
        while more:
            due = self._now()
            if self.mode == "after":
                # Compared before it is added: the sum may lie beyond the last year there is.
                if (due - job.since).total_seconds() < self.delay_s:
                    break
                due = job.since + timedelta(seconds=self.delay_s)
            more = self._step(job, due)
            job.since = due
            done += 1
            if self.mode == "on_demand":
                break
        return done, more
