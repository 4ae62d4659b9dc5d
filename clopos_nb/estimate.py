"""What a read will cost, from one small request for each venue."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from clopos_nb.questions import Place, Question
from clopos_nb.transport import WORKERS, Transport
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


def estimate_places(transport: Transport, question: Question, places: Sequence[Place]) -> Estimate:
    """Ask each place for its total.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    """
    # With filters or business days a page cannot be cut short, so a whole one is asked for.
    small = replace(question, limit=1)

    def first_page(place: Place) -> Answer:
        return transport.send("GET", question.path(1), query=small.query(1), venue_id=place.id)

    started = time.perf_counter()
    with ThreadPoolExecutor(min(WORKERS, len(places)), thread_name_prefix="clopos_nb") as pool:
        answers = list(pool.map(first_page, places))
    each_s = (time.perf_counter() - started) / len(answers)
    size = question.source.limit
    totals = [len(a.rows()) if a.total is None else a.total for a in answers]
    requests = sum(max(math.ceil(total / size), 1) if size else 1 for total in totals)
    budget_s = transport.budget.forecast_s(requests)
    return Estimate(sum(totals), requests, max(requests * each_s, budget_s))
