"""Sixteen hands: requests under way at once, which an interrupt leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from types import TracebackType

from clopos_nb.errands import Errand
from clopos_nb.questions import Place, Question
from clopos_nb.transport import WORKERS, Transport
from clopos_nb.wire import Answer, Reader

REFRESH_S = 0.2  # how long to wait for answers at a stretch, so that an interrupt is noticed


class Crew:
    """Threads that ask for pages, as long as the ``with`` lasts.

    Parameters
    ----------
    transport : Transport
    waiting : callable
        Is told of waits, in any thread.
    """

    def __init__(
        self, transport: Transport, waiting: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._transport = transport
        self._errand = Errand(waiting=waiting)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="clopos_nb")

    def ask(
        self, question: Question, page: int, place: Place, reader: Reader | None = None
    ) -> Future[Answer]:
        """Ask for a page, when a hand is free."""
        return self._pool.submit(
            self._transport.send,
            "GET",
            question.path(page),
            query=question.query(page),
            venue_id=place.id,
            reader=reader,
            errand=self._errand,
        )

    @staticmethod
    def answers(
        asked: Sequence[Future[Answer]], told: Callable[[int], None] = lambda answered: None
    ) -> list[Answer]:
        """Wait for all answers; ``told`` hears several times a second how many there are.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError
            Of the first that failed; and what ``told`` raises.
        """
        left = set(asked)
        while left:
            done, left = wait(left, REFRESH_S, FIRST_EXCEPTION)
            for each in done:
                each.result()
            told(len(asked) - len(left))
        return [each.result() for each in asked]

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._errand.stopped.set()
        # Requests that are under way cannot be called back; after a failure nobody waits for them.
        self._pool.shutdown(wait=kind is None, cancel_futures=True)
