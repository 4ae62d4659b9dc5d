"""What a read will cost, from one small request for each venue."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clopos_nb.crew import Crew
from clopos_nb.progress import Watcher
from clopos_nb.questions import Place, Question
from clopos_nb.transport import WORKERS, Transport


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
        How long, under the present budget and at the pace of the requests just made, sixteen at a
        time; decoding comes on top.
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
    small = replace(question, limit=1)

    def told(answered: int) -> None:
        if progress is not None:
            progress(answered, len(places), "venues asked")

    transport.token()  # so that a login does not pass for the pace
    started = time.perf_counter()
    with Crew(transport) as crew:
        asked = [crew.ask(small, 1, place) for place in places]
        answers = crew.answers(asked, told)
    round_s = (time.perf_counter() - started) / math.ceil(len(answers) / WORKERS)
    size, walk = question.source.limit, question.walk()
    totals = [walk.parts * len(a.rows()) if a.total is None else a.total for a in answers]
    pages = [max(math.ceil(total / size), 1) if size else walk.parts for total in totals]
    requests = sum(pages)
    budget_s = transport.budget.forecast_s(requests)
    return Estimate(sum(totals), requests, max(math.ceil(requests / WORKERS) * round_s, budget_s))
