"""The store as a session holds it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from clopos_nb.drift import Drift
from clopos_nb.errors import (
    ApiError,
    ConfigError,
    ResponseError,
    StoreError,
    StoreUnavailable,
    TransportError,
)
from clopos_nb.fetch import Manner, fetch_frames
from clopos_nb.questions import Place, Question
from clopos_nb.store.lake import Lake
from clopos_nb.store.reading import as_held, can_filter, held_frames
from clopos_nb.store.refresh import Refresher
from clopos_nb.store.rows import CannotKeep
from clopos_nb.transport import Transport

Frames = dict[str, pd.DataFrame]


class Store:
    """A local copy of what was read, one Delta Lake table for each table.

    ``session.store`` is one, when the session was given a directory for it.

    Attributes
    ----------
    root : Path
        The directory.
    """

    def __init__(
        self, root: Path, server: str, brand: Callable[[], str], transport: Transport, drift: Drift
    ) -> None:
        self.root = root
        self._lake = Lake(root, brand, server)
        self._brand = brand
        self._transport = transport
        self._drift = drift
        self._given_up = False

    def frames(self, question: Question, places: Sequence[Place], manner: Manner) -> Frames:
        """Return the frames of a question, from here as far as they are held and still true.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError, IncompleteResult, ConfigError
        StoreError
            With ``refresh="never"``; else a store that fails is told once, and the server asked.
        """
        if manner.refresh == "never":
            return self._offline(question, places, manner)
        if self._given_up or not _is_kept(question):
            return self._from_server(question, places, manner)
        refresher = Refresher(
            self._lake,
            self._transport,
            _whole(question),
            self._drift,
            manner.progress,
            manner.refresh == "full",
        )
        try:
            snapshot, records = refresher.run(places)
            return held_frames(snapshot, question, places, records, manner, self._brand())
        except CannotKeep:
            pass
        except StoreError as exc:
            self._give_up(exc)
        except (ApiError, TransportError, ResponseError):
            if manner.on_error == "raise":
                raise
        return self._from_server(question, places, manner)

    def venue_rows(self) -> list[dict[str, Any]]:
        """Return id and name of the venues that something is held of.

        Raises
        ------
        ConfigError, StoreError
        """
        venues = self._lake.snapshot().state.venues
        return [{"id": id, "name": name} for id, name in venues.items()]

    def _offline(self, question: Question, places: Sequence[Place], manner: Manner) -> Frames:
        if not _is_kept(question):
            message = (
                f"{question.name} as asked for cannot come from the store alone: name the days, "
                "leave limit out, and filter on plain columns"
            )
            raise ConfigError(message)
        snapshot = self._lake.snapshot()
        records = as_held(snapshot, question, places)
        return held_frames(snapshot, question, places, records, manner, self._brand())

    def _from_server(self, question: Question, places: Sequence[Place], manner: Manner) -> Frames:
        return fetch_frames(
            self._transport, question, places, manner, brand=self._brand(), drift=self._drift
        )

    def _give_up(self, exc: StoreError) -> None:
        self._given_up = True
        warnings.warn(
            f"{exc}. The server was asked instead, and will be by this session",
            StoreUnavailable,
            stacklevel=6,
        )

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"


def _is_kept(question: Question) -> bool:
    """Tell whether the store keeps what a question is about."""
    source = question.source
    return (
        question.limit is None
        and source.per is None
        and not source.inferred
        and not (source.dated and question.days is None)
        and can_filter(question)
    )


def _whole(question: Question) -> Question:
    """Return the question for all rows of the days that another one needs."""
    first, last = question.asked_days()
    days = (first, last) if first and last else None
    return replace(question, days=days, day="created_at", filters={})
