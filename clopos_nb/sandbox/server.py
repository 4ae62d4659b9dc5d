"""The sandbox as users hold it: start it, read its URL and credentials, look at what was asked."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterable
from datetime import date
from types import TracebackType
from typing import Any

from clopos_nb.sandbox import front
from clopos_nb.sandbox.auth import Registry
from clopos_nb.sandbox.clock import Clock
from clopos_nb.sandbox.control import ControlServer
from clopos_nb.sandbox.faults import Faults, Gateway
from clopos_nb.sandbox.fidelity import LEGACY, Fidelity
from clopos_nb.sandbox.limits import Limits
from clopos_nb.sandbox.permissions import Permissions
from clopos_nb.sandbox.requestlog import Entry, RequestLog
from clopos_nb.sandbox.service import BASE, Service
from clopos_nb.sandbox.source import Source
from clopos_nb.sandbox.web import Observer, WebServer


class Sandbox:
    """A simulated Clopos brand behind a loopback HTTP server.

    Making one generates the brand but opens no port; ``start`` does, in a daemon thread with its
    own event loop, so it works inside a notebook kernel and next to other sandboxes. Starting or
    stopping twice changes nothing. What is still running stops when the interpreter exits.

    Parameters
    ----------
    seed : int
        Same seed, same brand and same credentials.
    venues : int
        How many venues the brand has.
    first_day, last_day : date
        The days that have receipts and orders, both inclusive. The data's "today" is the last.
    receipts_per_day : float, optional
        Mean receipts per venue and day. The default is the brand's own.
    port : int
        0 picks a free one.
    host : str
        Address to bind. Keep it on loopback: the credentials are made up and public.
    legacy : bool
        The fidelity switches ``legacy_fields`` and ``live_errors``: also emit what only older
        pages, client models and recordings show, and answer 404 in the shape observed live.
    fidelity : iterable of str
        Names of more switches, each for another of the coexisting shapes of the API; see
        ``clopos_nb.sandbox.fidelity.SWITCHES``. An unknown name is a ValueError that lists them.
    token_lifetime_s : int
        Life of a token.
    window_s : float
        Length of the three rate-limit windows; shorter ones make tests quick.
    latency_s : float
        Added to every answer.
    brand : Source, optional
        Serve this brand; the five parameters about data are then unused, except ``seed``. Writes
        go into ``books`` over a ``Brand``, which stays as it is; another source without the
        methods of ``Books`` answers 501 to writes.
    clock : callable
        Monotonic seconds, for the rate limits.
    on_request : callable, optional
        Called in the server's thread after each request, with its log entry and its milliseconds.
    control_port : int, optional
        Also serve the control endpoint there, on loopback; 0 picks a free port. See docs/faults.md.

    Attributes
    ----------
    brand : Source
        The data it was made with.
    books : Source
        The same with everything written since; ``books.clerk`` moves orders on.
    clock : Clock
        Data time and token time, to freeze, run and advance.
    faults : Faults
        What goes wrong, by name: ``faults.add("server_error", path="/receipts", count=2)``.
    permissions : Permissions
        Scopes, abilities and modules; all granted at first.
    requests : RequestLog
        What was asked.

    Examples
    --------
    >>> import requests
    >>> with Sandbox(venues=2, first_day=date(2026, 2, 27)) as sandbox:
    ...     answer = requests.post(sandbox.url + "/auth", json=sandbox.credentials, timeout=9)
    >>> answer.json()["message"]
    'Authentication successful'
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        venues: int = 4,
        first_day: date = date(2025, 12, 1),
        last_day: date = date(2026, 2, 28),
        receipts_per_day: float | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        legacy: bool = False,
        fidelity: Iterable[str] = (),
        token_lifetime_s: int = 3600,
        window_s: float = 60.0,
        latency_s: float = 0.0,
        brand: Source | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_request: Observer | None = None,
        control_port: int | None = None,
    ) -> None:
        _check_not_negative(
            receipts_per_day=receipts_per_day or 0,
            token_lifetime_s=token_lifetime_s,
            window_s=window_s,
            latency_s=latency_s,
        )
        self.brand = brand or _make_brand(
            seed=seed,
            venues=venues,
            first_day=first_day,
            last_day=last_day,
            receipts_per_day=receipts_per_day,
        )
        self.permissions = Permissions()
        self._fidelity = Fidelity(fidelity)
        if legacy:
            self._fidelity.add(*LEGACY)
        self.requests = RequestLog()
        self._host = host
        self._port = port
        self._latency_s = latency_s
        self.clock = Clock(self.brand.now, monotonic=clock)
        self.books = _open_books(self.brand, self.clock)
        self._on_request = on_request
        self._lock = threading.Lock()
        self._server: WebServer | None = None
        self._bound_port: int | None = None
        self._registry = Registry(
            self.brand.slug, seed, self.brand.venue_ids[0], token_lifetime_s, self._now
        )
        self._limits = Limits(window_s, self.clock.limits_now)
        self._service = Service(
            self.books,
            self._registry,
            self._limits,
            now=self._now,
            fidelity=self._fidelity,
            permissions=self.permissions,
        )
        self.faults = Faults(
            seed, self.brand.venue_ids, writable=lambda method: hasattr(self.books, method)
        )
        self._gateway = Gateway(
            self._service, self.faults, self.books, self._now, self._registry.aged
        )
        self._control_port = control_port
        self._control: ControlServer | None = None

    def start(self) -> Sandbox:
        """Open the port, unless it is open, and return this sandbox, accepting requests."""
        with self._lock:
            if self._server is None:
                server = WebServer(
                    self._gateway,
                    host=self._host,
                    port=self._bound_port or self._port,
                    now=self._now,
                    latency_s=self._latency_s,
                    observe=self._observe,
                    page=lambda: front.page(self),
                )
                # Kept after a stop: a sandbox that starts again is where its clients look for it.
                self._bound_port = server.start()
                self._server = server
                self._start_control()
                atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Close the port and all connections. Data, tokens, limits and the log stay as they are."""
        with self._lock:
            if self._control is not None:
                self._control.stop()
                self._control = None
            if self._server is not None:
                self._server.stop()
                self._server = None
                atexit.unregister(self.stop)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base URL, ending in ``/open-api/v2``. Raises RuntimeError before the first start."""
        if self._bound_port is None:
            message = "the sandbox has no port yet; call start(), or use it in a with statement"
            raise RuntimeError(message)
        return f"http://{self._host}:{self._bound_port}{BASE}"

    @property
    def control_url(self) -> str | None:
        """URL of the control endpoint; None unless ``control_port`` was given and it runs."""
        return None if self._control is None else f"http://127.0.0.1:{self._control_port}"

    @property
    def credentials(self) -> dict[str, str]:
        """The body of a POST /auth that works: a live brand and a live integrator."""
        brand = self._registry.live_brand
        return {
            "client_id": brand.client_id,
            "client_secret": brand.client_secret,
            "brand": brand.slug,
            "integrator_id": self._registry.live.id,
        }

    @property
    def test_credentials(self) -> dict[str, str]:
        """The same for the brand in test mode, which accepts only the test integrator."""
        brand = self._registry.test_brand
        return {
            "client_id": brand.client_id,
            "client_secret": brand.client_secret,
            "brand": brand.slug,
            "integrator_id": self._registry.test.id,
        }

    @property
    def test_integrator_id(self) -> str:
        """An integrator in test mode: refused by the live brand."""
        return self._registry.test.id

    @property
    def deactivated_integrator_id(self) -> str:
        """An integrator that Clopos switched off: refused by every brand."""
        return self._registry.deactivated.id

    @property
    def disabled_client_id(self) -> str:
        """A client id whose Open API module the live brand switched off."""
        return self._registry.live_brand.disabled_client_id

    @property
    def fidelity(self) -> Fidelity:
        """The switches that are on; ``add``, ``discard`` or assign names while it runs."""
        return self._fidelity

    @fidelity.setter
    def fidelity(self, names: Iterable[str]) -> None:
        self._fidelity.replace(names)

    @property
    def today(self) -> date:
        """The day on which the data ends, as the brand's calendar has it."""
        return self.brand.now.date()

    def count(self, path: str) -> int:
        """Return how many requests hit a path, as in ``count("/auth")``, since start or clear."""
        return self.requests.count(path)

    def advance(self, seconds: float) -> None:
        """Move token time: tokens expire, ``Date`` says so, and rate-limit windows move on.

        The same as ``clock.token.advance(seconds)``. The brand's calendar is ``clock.data``.
        """
        self.clock.token.advance(seconds)

    def deactivate_integrator(self) -> None:
        """Switch the live integrator off: 400 at /auth, and 401 elsewhere for tokens it holds."""
        self._registry.live.active = False

    def put_integrator_in_test_mode(self) -> None:
        """Make it a test one: 200 with ``success: false`` at /auth, 401 elsewhere."""
        self._registry.live.is_test = True

    def restore_integrator(self) -> None:
        """Undo ``deactivate_integrator`` and ``put_integrator_in_test_mode``."""
        self._registry.live.active = True
        self._registry.live.is_test = False

    def restart_limits(self) -> None:
        """Give every caller the whole budget of the rate limits again."""
        self._limits.restart()

    def ledger(
        self,
        venue_id: int,
        first: date | None = None,
        last: date | None = None,
        *,
        day: str = "created_at",
    ) -> Any:
        """Return the brand's own true figures of these days, to check an analysis against."""
        return self.books.ledger(venue_id, first, last, day=day)

    def __repr__(self) -> str:
        where = self.url if self._server is not None else "stopped"
        return f"<Sandbox {self.brand.slug}, {len(self.brand.venue_ids)} venues, {where}>"

    def _start_control(self) -> None:
        if self._control_port is None:
            return
        control = ControlServer(self, self._control_port)
        try:
            self._control_port = control.start()
        except OSError as error:
            if self._server is not None:
                self._server.stop()
                self._server = None
            message = f"control port {self._control_port}: {error.strerror}"
            raise OSError(error.errno, message) from error
        self._control = control

    def _now(self) -> float:
        return self.clock.token_now()

    def _observe(self, entry: Entry, ms: float) -> None:
        self.requests.add(entry)
        if self._on_request is not None:
            self._on_request(entry, ms)


def _check_not_negative(**numbers: float) -> None:
    for name, number in numbers.items():
        if not number >= 0:  # of which nan is none
            message = f"{name} must be at least 0, not {number!r}"
            raise ValueError(message)


def _make_brand(**settings: Any) -> Source:
    # Imported late: a sandbox around another brand does not need the generator.
    from clopos_nb.sandbox.brand import Brand

    brand: Source = Brand(**settings)
    return brand


def _open_books(brand: Source, clock: Clock) -> Any:
    from clopos_nb.sandbox.books import Books
    from clopos_nb.sandbox.brand import Brand

    if not isinstance(brand, Brand):
        return brand
    books = Books(brand, clock.data_now)
    books.clerk.mode = "on_demand"  # an order waits to be taken, so that it can be cancelled
    return books
