"""The service with faults before and behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clopos_nb.sandbox import query
from clopos_nb.sandbox.faults.faults import Faults
from clopos_nb.sandbox.faults.work import Scene, Work
from clopos_nb.sandbox.service import Request, Seen, Service, relative


class Gateway:
    """Answers requests, unless a fault does.

    Parameters
    ----------
    service : Service
        The API without faults.
    faults : Faults
        Looked at anew for every request.
    source : Source
        The brand; faults that change rows write to it.
    now : callable
        Unix time of this server.
    age : callable
        Returns a token as it will be when it has expired.
    """

    def __init__(
        self,
        service: Service,
        faults: Faults,
        source: Any,
        now: Callable[[], float],
        age: Callable[[str], str],
    ) -> None:
        self._service = service
        self._faults = faults
        self._scene = Scene(source, now, age)

    def answer(self, request: Request, seen: Seen) -> Work:
        """Return the request with its answer and how to deliver it; ``answer`` is never None."""
        path = relative(request.path)
        venue_id = None if path == "/auth" else self._venue(request)
        work = Work(request, path or "", venue_id, self._scene)
        if path is None or not len(self._faults):
            work.answer = self._service.answer(request, seen)
            return work
        self._faults.strike("instead", work)
        if work.answer is None:
            self._faults.strike("request", work)
            work.answer = self._service.answer(work.request, seen)
        elif work.processed:
            self._service.answer(request, seen)
        self._faults.strike("answer", work)
        work.delay_s *= self._faults.time_scale
        work.trickle_s *= self._faults.time_scale
        return work

    def _venue(self, request: Request) -> int:
        if request.venue is not None:
            asked = query.integer(request.venue.strip())
            if asked is not None:
                return asked
        # What a token says when nobody says otherwise.
        first: int = self._scene.source.venue_ids[0]
        return first
