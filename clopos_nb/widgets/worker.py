"""One job at a time beside the kernel's own thread, and a way to call it back."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancelled(Exception):  # no error: whoever looks on wanted it
    """The job was called back."""


class Worker:
    """Runs a job in a thread of its own, so that a notebook goes on meanwhile.

    While one runs another is refused, not queued: a second click is no second wish.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, job: Callable[[], None], first: Callable[[], None]) -> bool:
        """Run a job that handles its own errors, unless one runs; return whether it was started.

        ``first`` is done here and now, before the job begins.
        """
        if not self._turn.acquire(blocking=False):
            return False
        self._cancelled.clear()
        first()

        def run() -> None:
            try:
                job()
            finally:
                self._turn.release()

        self._thread = threading.Thread(target=run, name="clopos_nb explorer", daemon=True)
        self._thread.start()
        return True

    def cancel(self) -> None:
        """Call the job back: it ends when it next looks, a fraction of a second later."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise :class:`Cancelled` if the job was called back; for the job to call."""
        if self._cancelled.is_set():
            raise Cancelled

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until there is no job; return whether there is none."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return not self._turn.locked()
