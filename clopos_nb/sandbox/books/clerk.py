"""The simulated clerk who accepts the orders that came in through the API."""

from __future__ import annotations

from typing import Literal, Protocol

Mode = Literal["immediately", "after", "on_demand", "never"]


class _Desk(Protocol):
    def settle(self) -> int:
        """Move every due order on; return how many moved."""
        ...


class Clerk:
    """Moves orders on: ``PENDING``, then ``RECEIVED`` with an open receipt, then closed.

    Attributes
    ----------
    mode : {"immediately", "after", "on_demand", "never"}
        "immediately": both steps are done by the time the order is read again. "after": each step
        takes ``delay_s`` of data time. "on_demand": one step for every call of ``work``.
        "never": nothing.
    delay_s : float
        See "after".
    """

    def __init__(self, desk: _Desk, mode: Mode = "immediately", delay_s: float = 60.0) -> None:
        self.mode: Mode = mode
        self.delay_s = delay_s
        self._desk = desk

    def work(self) -> int:
        """Move every due order one step on and return how many moved."""
        return self._desk.settle()
