"""The gateway without a web framework: one request in, one answer out.

The order is that of the documentation: tier 2 before the token, tier 3 after it, then the venue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from clopos_nb.sandbox import answers, bodies, openapi, query
from clopos_nb.sandbox.answers import Answer, Body, Refusal
from clopos_nb.sandbox.auth import Caller, Registry
from clopos_nb.sandbox.endpoints import Endpoints
from clopos_nb.sandbox.fidelity import Fidelity
from clopos_nb.sandbox.limits import Limits
from clopos_nb.sandbox.permissions import Permissions
from clopos_nb.sandbox.routes import Route, find_route
from clopos_nb.sandbox.source import Source
from clopos_nb.sandbox.writes import Writes, Written

BASE = "/open-api/v2"
DESCRIPTION = "/openapi.json"
"""Where the description of all this is, with and without ``BASE`` before it."""

_UNAUTHORIZED = {
    "Headers are missing": "Missing authentication headers",
    "Invalid token": "Missing or invalid authentication headers",
}


@dataclass(frozen=True)
class Request:
    """What the gateway reads of an HTTP request."""

    method: str
    path: str
    query: str = ""
    token: str | None = None
    venue: str | None = None
    content_type: str | None = None
    body: bytes = b""
    address: str = "127.0.0.1"


@dataclass
class Seen:
    """What became known of a request on the way to its answer; for the log."""

    venue_id: int | None = None


class Service:
    """Authenticates, counts, routes and answers.

    Parameters
    ----------
    source : Source
        The brand's data.
    registry : Registry
        Credentials and tokens.
    limits : Limits
        The three tiers.
    now : callable
        Unix time of this server.
    fidelity : Fidelity
        Which of the coexisting shapes to speak.
    permissions : Permissions
        Who may do what.
    """

    def __init__(
        self,
        source: Source,
        registry: Registry,
        limits: Limits,
        *,
        now: Callable[[], float],
        fidelity: Fidelity,
        permissions: Permissions,
    ) -> None:
        self._source = source
        self._registry = registry
        self._limits = limits
        self._now = now
        self._fidelity = fidelity
        self._permissions = permissions
        self._endpoints = Endpoints(source, fidelity)
        self._writes = Writes(source, self._endpoints, permissions, fidelity)

    def answer(self, request: Request, seen: Seen) -> Answer:
        """Return the answer to one request; what it refuses is an answer too."""
        path = relative(request.path)
        if DESCRIPTION in (path, request.path):
            return self._description(request)
        if path is None:
            return _refused(answers.slug(404, "not_found", f"This API lives below {BASE}"))
        if path == "/auth":
            return self._authenticate(request)
        route = find_route(path)
        if route is None:
            return _refused(answers.slug(404, "not_found", "The sandbox has no such endpoint"))
        return self._authenticated(request, route, seen)

    def _description(self, request: Request) -> Answer:
        try:
            _require_method(request, ("GET",))
        except Refusal as refusal:
            return _refused(refusal)
        return Answer(200, answers.encode(openapi.describe(self._fidelity.names)))

    def _authenticate(self, request: Request) -> Answer:
        standing = self._limits.auth.standing(request.address)
        if standing.remaining == 0:
            return _refused(answers.too_many(standing.headers))
        self._limits.auth.hit(request.address)
        try:
            _require_method(request, ("POST",))
            _require_json(request)
            return Answer(200, answers.encode(self._registry.issue(request.body)))
        except Refusal as refusal:
            return _refused(refusal)

    def _authenticated(self, request: Request, route: Route, seen: Seen) -> Answer:
        errors = self._limits.errors.standing(request.address)
        if errors.remaining == 0:
            return _refused(answers.too_many(errors.headers))
        caller: Caller | None = None
        try:
            caller = self._registry.verify(request.token)
            answer = self._budgeted(request, route, caller, seen)
        except Refusal as refusal:
            self._limits.errors.hit(request.address)
            answer = _refused(self._worded(refusal))
        standing = self._limits.tightest(request.address, caller.key if caller else None)
        return Answer(answer.status, answer.body, standing.headers | answer.headers)

    def _budgeted(self, request: Request, route: Route, caller: Caller, seen: Seen) -> Answer:
        started = time.perf_counter()
        calls = self._limits.calls.standing(caller.key)
        if calls.remaining == 0:
            raise answers.too_many(calls.headers)
        self._limits.calls.hit(caller.key)
        _require_method(request, route.methods)
        venue_id = seen.venue_id = self._venue(request.venue, caller)
        self._permissions.check(
            route.need,
            integrator_id=caller.integrator_id,
            brand=caller.brand,
            venue_id=venue_id,
            live="live_errors" in self._fidelity,
        )
        written = self._done(request, route, venue_id, caller)
        body = written.body
        # The waiter's answer is documented as nothing but success.
        if route.kind != "waiter_call":
            body = self._diagnosed(body, started)
        return Answer(written.status, answers.encode(body))

    def _done(self, request: Request, route: Route, venue_id: int, caller: Caller) -> Written:
        if request.method == "GET":
            return Written(self._endpoints.answer(route, venue_id, query.parse(request.query)))
        _require_json(request)
        body = bodies.read(request.body)
        return self._writes.answer(route, request.method, venue_id, caller, body)

    def _worded(self, refusal: Refusal) -> Refusal:
        message = _UNAUTHORIZED.get(str(refusal.body.get("error")))
        if "unauthorized_slugs" in self._fidelity and message:
            return answers.slug(401, "unauthorized", message)
        return refusal

    def _venue(self, header: str | None, caller: Caller) -> int:
        if header is None:
            return caller.venue_id
        venue_id = query.integer(header.strip())
        if venue_id is None:
            answers.reject("x-venue must be an integer")
        if venue_id not in self._source.venue_ids:
            raise answers.slug(404, "resource_not_found", "Venue not found")
        return venue_id

    def _diagnosed(self, body: Body, started: float) -> Body:
        if "success" not in body or "no_diagnostics" in self._fidelity:
            return body
        spent = time.perf_counter() - started
        return body | answers.diagnostics(now=self._now(), spent_s=spent)


def relative(path: str) -> str | None:
    """Return the path below the base URL, without a trailing slash, or None if elsewhere."""
    if not path.startswith(f"{BASE}/"):
        return None
    return path.removeprefix(BASE).rstrip("/") or "/"


def _require_method(request: Request, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        body: Body = {
            "success": False,
            "error": "method_not_allowed",
            "message": f"This endpoint answers {' and '.join(methods)} only",
        }
        raise Refusal(405, body, {"Allow": ", ".join(methods)})


def _require_json(request: Request) -> None:
    kind = (request.content_type or "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        message = "Send the body as JSON, with Content-Type: application/json"
        raise answers.slug(415, "unsupported_media_type", message)


def _refused(refusal: Refusal) -> Answer:
    return Answer(refusal.status, answers.encode(refusal.body), refusal.headers)
