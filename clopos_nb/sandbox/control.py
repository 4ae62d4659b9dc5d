"""The control endpoint: faults, clock, clerk, limits and log of a running sandbox, as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from clopos_nb.sandbox import answers
from clopos_nb.sandbox.answers import Answer, Body, Refusal, slug
from clopos_nb.sandbox.books.clerk import MODES
from clopos_nb.sandbox.clock import ClockError, DataTime, TokenTime
from clopos_nb.sandbox.faults import KINDS, FaultError
from clopos_nb.sandbox.serving import JsonHandler, ServerThread

if TYPE_CHECKING:
    from clopos_nb.sandbox.server import Sandbox

_LOOPBACK = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SPANS = ("seconds", "minutes", "hours", "days")
_LOG_LINES = 100


class Control:
    """What the control endpoint does, without HTTP.

    Parameters
    ----------
    sandbox : Sandbox
        Whatever it is told to change.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._routes: dict[str, dict[str, Callable[[Body], object]]] = {
            "": {"GET": self._overview},
            "faults": {
                "GET": self._faults,
                "POST": self._add_fault,
                "PUT": self._replace_faults,
                "DELETE": self._clear_faults,
            },
            "clock": {"GET": self._clock, "POST": self._turn_clock},
            "clerk": {"GET": self._clerk, "POST": self._tell_clerk},
            "limits": {"POST": self._restart_limits},
            "requests": {"GET": self._requests, "DELETE": self._clear_requests},
        }

    def answer(self, method: str, path: str, raw: bytes) -> Answer:
        """Return the answer to one request; what it refuses is an answer too."""
        try:
            return Answer(
                200, answers.encode({"success": True, "data": self._do(method, path, raw)})
            )
        except Refusal as refusal:
            return Answer(refusal.status, answers.encode(refusal.body), refusal.headers)
        except (ClockError, FaultError, _WrongError) as error:
            return self._refused(str(error))

    @staticmethod
    def _refused(message: str) -> Answer:
        refusal = slug(400, "invalid_parameter", message)
        return Answer(400, answers.encode(refusal.body))

    def _do(self, method: str, path: str, raw: bytes) -> object:
        name, _, key = path.strip("/").partition("/")
        if key and name == "faults":
            _require(method, ("DELETE",))
            return self._remove_fault(key)
        methods = self._routes.get(path.strip("/"))
        if methods is None:
            paths = ", ".join(f"/{name}" for name in [*self._routes, "faults/{id or name}"])
            raise slug(404, "not_found", f"The control endpoint has {paths}")
        _require(method, methods)
        return methods[method](_object(raw) if method in ("POST", "PUT") else {})

    def _overview(self, _: Body) -> Body:
        state: Body = {"url": self._sandbox.url, "clock": self._sandbox.clock.state()}
        state |= self._faults({})
        if hasattr(self._sandbox.books, "clerk"):
            state["clerk"] = self._clerk({})
        return state

    def _faults(self, _: Body) -> Body:
        return {
            "faults": [fault.state() for fault in self._sandbox.faults],
            "time_scale": self._sandbox.faults.time_scale,
            "there_are": {
                kind.name: {"about": kind.about, "options": dict(kind.options)}
                for kind in KINDS.values()
            },
        }

    def _add_fault(self, body: Body) -> Body:
        if set(body) == {"time_scale"}:
            return self._scale(body)
        name = body.pop("name", None)
        if not isinstance(name, str):
            message = f'name is missing: {{"name": "server_error"}}; there are {", ".join(KINDS)}'
            raise _WrongError(message)
        return self._sandbox.faults.add(name, **body).state()

    def _scale(self, body: Body) -> Body:
        scale = _number(body, "time_scale")
        if scale < 0:
            message = "time_scale must be at least 0"
            raise _WrongError(message)
        self._sandbox.faults.time_scale = scale
        return {"time_scale": scale}

    def _replace_faults(self, body: Body) -> list[Body]:
        wanted = body.get("faults")
        if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
            message = 'send {"faults": [{"name": ...}, ...]}'
            raise _WrongError(message)
        before = self._sandbox.faults.list()
        added = []
        try:
            added = [self._add_fault(dict(one)) for one in wanted]
        except BaseException:
            self._keep(before)
            raise
        for fault in before:
            self._sandbox.faults.remove(fault)
        return added

    def _keep(self, before: list[Any]) -> None:
        for fault in self._sandbox.faults.list():
            if fault not in before:
                self._sandbox.faults.remove(fault)

    def _clear_faults(self, _: Body) -> Body:
        removed = len(self._sandbox.faults)
        self._sandbox.faults.clear()
        return {"removed": removed}

    def _remove_fault(self, key: str) -> Body:
        removed = self._sandbox.faults.remove(int(key) if key.isascii() and key.isdigit() else key)
        if not removed:
            raise slug(404, "not_found", f"No fault {key} is on")
        return {"removed": removed}

    def _clock(self, _: Body) -> Body:
        return self._sandbox.clock.state()

    def _turn_clock(self, body: Body) -> Body:
        _only(body, ("data", "token"))
        clock = self._sandbox.clock
        turns = {name: _only(body[name], ("set", "advance", "freeze", "run")) for name in body}
        for name, turn in turns.items():
            _turn(clock.data if name == "data" else clock.token, turn)
        return clock.state()

    def _clerk(self, _: Body) -> Body:
        clerk = self._clerk_of_brand()
        return {"mode": clerk.mode, "delay_s": clerk.delay_s}

    def _tell_clerk(self, body: Body) -> Body:
        clerk = self._clerk_of_brand()
        _only(body, ("mode", "delay_s", "work"))
        mode = body.get("mode", clerk.mode)
        if mode not in MODES:
            message = f"mode must be one of {', '.join(MODES)}"
            raise _WrongError(message)
        delay_s = _number(body, "delay_s") if "delay_s" in body else clerk.delay_s
        if delay_s < 0:
            message = "delay_s must be at least 0"
            raise _WrongError(message)
        clerk.mode, clerk.delay_s = mode, delay_s
        moved = clerk.work() if body.get("work") else 0
        return {**self._clerk({}), "moved": moved}

    def _clerk_of_brand(self) -> Any:
        clerk = getattr(self._sandbox.books, "clerk", None)
        if clerk is None:
            raise slug(404, "not_found", "This brand has no clerk: it is not open for writing")
        return clerk

    def _restart_limits(self, body: Body) -> Body:
        _only(body, ())
        self._sandbox.restart_limits()
        return {"restarted": True}

    def _requests(self, _: Body) -> Body:
        log = self._sandbox.requests
        return {"count": len(log), "latest": [entry._asdict() for entry in log[-_LOG_LINES:]]}

    def _clear_requests(self, _: Body) -> Body:
        self._sandbox.requests.clear()
        return {"count": 0}


class _WrongError(ValueError):
    """A body that cannot be followed; the message says why."""


def _turn(dial: DataTime | TokenTime, turn: Body) -> None:
    if "set" in turn:
        _set(dial, turn["set"])
    if "advance" in turn:
        span = turn["advance"]
        spans = _only(span if isinstance(span, dict) else {"seconds": span}, _SPANS)
        dial.advance(**{name: _number(spans, name) for name in spans})
    if turn.get("freeze"):
        dial.freeze()
    if "run" in turn:
        dial.run(1.0 if turn["run"] is True else _number(turn, "run"))


def _set(dial: DataTime | TokenTime, at: object) -> None:
    if isinstance(dial, TokenTime):
        dial.set(_number({"set": at}, "set"))
        return
    try:
        dial.set(datetime.fromisoformat(str(at)))
    except ValueError:
        message = 'data time is naive and local, as in "2026-02-28 23:00:00"'
        raise _WrongError(message) from None


def _only(body: object, known: tuple[str, ...]) -> Body:
    if not isinstance(body, dict):
        message = f"expected an object with {', '.join(known) or 'nothing in it'}"
        raise _WrongError(message)
    for name in body:
        if name not in known:
            message = f"unknown {name!r}; there are {', '.join(known) or 'none'}"
            raise _WrongError(message)
    return body


def _number(body: Body, name: str) -> float:
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e11:
        message = f"{name} must be a number"
        raise _WrongError(message)
    return float(value)


def _object(raw: bytes) -> Body:
    try:
        body = msgspec.json.decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        message = "the body must be a JSON object"
        raise _WrongError(message)
    return body


def _require(method: str, methods: Any) -> None:
    if method not in methods:
        allowed = ", ".join(methods)
        body: Body = {
            "success": False,
            "error": "method_not_allowed",
            "message": f"This path answers {allowed}",
        }
        raise Refusal(405, body, {"Allow": allowed})


class _Handler(JsonHandler):
    def initialize(self, control: Control) -> None:
        self._control = control

    async def serve(self) -> None:
        if not self._is_local():
            self.refuse(403, "forbidden", "The control endpoint answers programs on this machine")
            return
        # In a thread: the clerk may have much to do, and a second request must not wait for it.
        answer = await asyncio.to_thread(
            self._control.answer, self.request.method or "", self.request.path, self.body
        )
        self.send(answer)

    def _is_local(self) -> bool:
        # No web page may reach it: neither from its own origin nor by a name
        name = self.request.host_name if ":" not in self.request.host_name else "[::1]"
        return (
            self.request.remote_ip == _LOOPBACK
            and name in _NAMES
            and "Origin" not in self.request.headers
        )


class ControlServer(ServerThread):
    """Serves the control endpoint of one sandbox, on loopback only.

    Parameters
    ----------
    sandbox : Sandbox
        Whom to control.
    port : int
        0 picks a free one.
    """

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        super().__init__(
            _Handler,
            {"control": Control(sandbox)},
            host=_LOOPBACK,
            port=port,
            name="clopos-sandbox-control",
        )
