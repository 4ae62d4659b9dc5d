"""The faults that are switched on: adding, removing, and deciding whether one strikes."""

from __future__ import annotations

import fnmatch
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clopos_nb.sandbox.faults import checks
from clopos_nb.sandbox.faults.checks import COMMON, FaultError
from clopos_nb.sandbox.faults.kinds import KINDS, Kind, Stage
from clopos_nb.sandbox.faults.work import Work


@dataclass
class Fault:
    """One fault that was switched on, and what has become of it."""

    id: int
    kind: Kind
    path: str
    method: str | None
    venue: int | None
    probability: float
    count: int | None
    skip: int
    options: Mapping[str, Any]
    rng: random.Random = field(repr=False)
    seen: int = 0
    """Requests it could have struck."""
    fired: int = 0
    """Requests it struck."""

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        return self.kind.name

    @property
    def active(self) -> bool:
        """Whether it may strike again."""
        return self.count is None or self.fired < self.count

    def state(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        names = ("id", "name", "path", "method", "venue", "probability", "count", "skip")
        return {
            **{name: getattr(self, name) for name in names},
            **self.options,
            "fired": self.fired,
            "active": self.active,
        }

    def matches(self, work: Work) -> bool:
        """Whether a request is one of those it was set on."""
        if self.venue is not None and self.venue != work.venue_id:
            return False
        if self.method is not None and self.method != work.request.method:
            return False
        return fnmatch.fnmatchcase(work.path, self.path) and self.kind.applies(work, self.options)

    def __str__(self) -> str:
        """Return it as the command line takes it."""
        words = {name: value for name, value in self.state().items() if name in COMMON}
        words = {name: value for name, value in words.items() if value not in (None, "*")}
        words = {k: v for k, v in words.items() if (k, v) not in {("probability", 1), ("skip", 0)}}
        changed = {k: v for k, v in self.options.items() if v != self.kind.options[k]}
        return ",".join([self.name, *(f"{k}={v}" for k, v in (words | changed).items())])


class Faults:
    """The faults of one sandbox; may be changed from any thread while it runs.

    Chance is seeded: the same requests in the same order meet the same faults again.

    Parameters
    ----------
    seed : int
        Of the chance.
    venue_ids : iterable of int
        Venues that a fault can be limited to.
    writable : callable, optional
        Tells whether the brand has a method, for the faults that change rows.

    Attributes
    ----------
    time_scale : float
        What the seconds of ``gateway_timeout`` and ``slow_body`` are multiplied with.

    Examples
    --------
    >>> faults = Faults(seed=7, venue_ids=[1, 2])
    >>> fault = faults.add("server_error", path="/receipts", count=2)
    >>> print(fault)
    server_error,path=/receipts,count=2
    >>> faults.remove("server_error")
    1
    """

    def __init__(
        self,
        seed: int = 7,
        venue_ids: Iterable[int] = (),
        writable: Callable[[str], bool] = lambda method: True,
    ) -> None:
        self.time_scale = 1.0
        self._seed = seed
        self._venue_ids = list(venue_ids)
        self._writable = writable
        self._lock = threading.Lock()
        self._last_id = 0
        self._on: list[Fault] = []

    def add(
        self,
        name: str,
        /,
        *,
        path: str | None = None,
        method: str | None = None,
        venue: int | None = None,
        probability: float = 1.0,
        count: int | None = None,
        skip: int = 0,
        **options: Any,
    ) -> Fault:
        """Switch a fault on.

        Parameters
        ----------
        name : str
            One of ``KINDS``.
        path : str, optional
            Below the base URL, ``*`` standing for anything: ``/receipts``, ``/receipts/*``. The
            default is all the paths where this fault makes sense.
        method : str, optional
            Only requests of this method.
        venue : int, optional
            Only requests for this venue, whether ``x-venue`` names it or the token does.
        probability : float
            Of a request it is set on to be struck.
        count : int, optional
            How often it strikes before it is spent; always, by default.
        skip : int
            How many requests it lets through first.
        **options
            What this kind takes besides; see ``KINDS[name].options``.

        Returns
        -------
        Fault
            Its ``fired`` tells how often it struck so far.

        Raises
        ------
        FaultError
            Which is a ValueError and lists what there is.
        """
        kind = checks.kind_named(name)
        if kind.writes and not self._writable(kind.writes):
            message = (
                f"{name} needs a brand that is open for writing; this one has no {kind.writes}"
            )
            raise FaultError(message)
        common: dict[str, Any] = {
            "path": kind.path if path is None else checks.path(path),
            "method": None if method is None else checks.method(method),
            "venue": None if venue is None else checks.venue(venue, self._venue_ids),
            "probability": checks.probability(probability),
            "count": None if count is None else checks.whole("count", count, 1),
            "skip": checks.whole("skip", skip, 0),
            "options": checks.options(kind, options),
        }
        with self._lock:
            self._last_id += 1
            twins = sum(fault.kind is kind for fault in self._on)
            rng = random.Random(f"{self._seed}/{name}/{twins}/{common}")
            self._on.append(Fault(self._last_id, kind, rng=rng, **common))
            return self._on[-1]

    def add_text(self, text: str) -> Fault:
        """Switch on what the command line says: ``server_error,path=/receipts,count=2``."""
        name, *pairs = [part.strip() for part in text.split(",")]
        kind = checks.kind_named(name)
        given: dict[str, Any] = {}
        for pair in pairs:
            option, equals, value = pair.partition("=")
            if not equals:
                message = f"give {option or 'an option'} a value, as in count=2"
                raise FaultError(message)
            if option in given:
                message = f"{option} is given twice"
                raise FaultError(message)
            given[option] = checks.read(kind, option, value)
        return self.add(name, **given)

    def remove(self, fault: Fault | str | int) -> int:
        """Switch off one fault, all of a name, or the one with an id; return how many there were.

        Raises FaultError for a name that no fault has.
        """
        if isinstance(fault, str):
            checks.kind_named(fault)
        with self._lock:
            kept = [one for one in self._on if fault not in (one.id, one.name) and fault is not one]
            removed = len(self._on) - len(kept)
            self._on = kept
        return removed

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._on = []

    def list(self) -> list[Fault]:
        """Return the faults that were added and not removed, oldest first; some may be spent."""
        with self._lock:
            return list(self._on)

    def strike(self, stage: Stage, work: Work) -> None:
        """Let every fault of a stage act on a request that it matches, in the catalogue's order."""
        on = [fault for fault in self.list() if fault.kind.stage == stage]
        for kind in KINDS.values():
            for fault in on:
                if stage == "instead" and work.answer is not None:
                    return
                if fault.kind is kind and self._fires(fault, work):
                    work.marks.append(fault.name)
                    work.rng = fault.rng
                    kind.act(work, fault.options)

    def _fires(self, fault: Fault, work: Work) -> bool:
        if not fault.active or not fault.matches(work):
            return False
        with self._lock:
            fault.seen += 1
            if fault.seen <= fault.skip or fault.rng.random() >= fault.probability:
                return False
            fault.fired += 1
            return True

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self._on)

    def __repr__(self) -> str:
        return f"<Faults {'; '.join(map(str, self.list())) or 'none'}>"
