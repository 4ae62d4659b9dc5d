"""What a read will cost, from one small request for each venue."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from clopos_nb.lanes import REFRESH_S
from clopos_nb.progress import Watcher
from clopos_nb.questions import Place, Question
from clopos_nb.transport import WORKERS, Errand, Transport
from clopos_nb.wire import Answer


@dataclass(frozen=True)
class Estimate:
    """What a read would cost now.

    Attributes
    ----------
    rows : int
        Rows of the list endpoint, by the server's own totals.
    requests : int
        Pages to ask for.
    seconds : float
        How long, under the present budget and at the pace of the requests just made.
    """

    rows: int
    requests: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.requests:,} requests, about {self.seconds:,.0f} s"


def estimate_places(
    transport: Transport,
    question: Question,
    places: Sequence[Place],
    progress: Watcher | None = None,
) -> Estimate:
    """Ask each place for its total; ``progress`` is told how many answered, and may end it.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    """
    # With filters or business days a page cannot be cut short, so a whole one is asked for.
    small, errand = replace(question, limit=1), Errand()

    def first_page(place: Place) -> Answer:
        return transport.send(
            "GET", question.path(1), query=small.query(1), venue_id=place.id, errand=errand
        )

    started = time.perf_counter()
    pool = ThreadPoolExecutor(min(WORKERS, len(places)), thread_name_prefix="clopos_nb")
    finished = False
    try:
        asked = [pool.submit(first_page, place) for place in places]
        left = set(asked)
        while left:
            done, left = wait(left, REFRESH_S, FIRST_EXCEPTION)
            for each in done:
                each.result()
            if progress is not None:
                progress(len(asked) - len(left), len(asked), "venues asked")
        answers = [each.result() for each in asked]
        finished = True
    finally:
        errand.stopped.set()
        pool.shutdown(wait=finished, cancel_futures=True)
    each_s = (time.perf_counter() - started) / len(answers)
    size = question.source.limit
    totals = [len(a.rows()) if a.total is None else a.total for a in answers]
    requests = sum(max(math.ceil(total / size), 1) if size else 1 for total in totals)
    budget_s = transport.budget.forecast_s(requests)
    return Estimate(sum(totals), requests, max(requests * each_s, budget_s))
