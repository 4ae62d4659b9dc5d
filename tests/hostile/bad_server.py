"""A server that answers with whatever bytes a test says.

It is a plain socket, since a well-kept server library would not send most of this.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BASE = "/open-api/v2"
TOKEN = "eyJplanted.token.x"

Script = Callable[[socket.socket], object]


@dataclass
class Asked:
    """A request as it came: method and path without the query, headers, body."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return self.line.split()[1].partition("?")[0].removeprefix(BASE)


def answer(body: Any, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return a whole HTTP answer; a body that is not bytes goes out as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(content) if length is None else length
    head = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(head).encode("latin-1") + content


def rows(*data: Any, total: Any = None) -> dict[str, Any]:
    """Return a list's envelope."""
    return {"success": True, "data": list(data), "total": len(data) if total is None else total}


class Hostile:
    """Answers each path with bytes, or lets a script write to the connection and then hang up.

    Several answers go out one after the other; the last one stays.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}{BASE}"
        self.seen: list[Asked] = []
        self.sent = 0  # bytes that a script could get rid of
        self._scripts: dict[str, list[bytes | Script]] = {}
        login = {"success": True, "token": TOKEN, "expires_in": 3600}
        self.on("/auth", answer(login))
        self.on("/venues", answer(rows({"id": 1, "name": "Nizami"})))

    def on(self, path: str, *scripts: bytes | Script) -> None:
        self._scripts[path] = list(scripts)

    def count(self, path: str) -> int:
        return sum(asked.path == path for asked in self.seen)

    def pour(self, head: bytes, piece: bytes, pieces: int = 10**9) -> Script:
        """Return a script that sends a piece again and again until the client has had enough."""

        def script(connection: socket.socket) -> None:
            connection.sendall(head)
            for _ in range(pieces):
                connection.sendall(piece)
                self.sent += len(piece)

        return script

    def serve(self, connection: socket.socket, number: int) -> None:
        """Answer the requests of a connection until one side hangs up."""
        with contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while asked := _read(stream, number):
                self.seen.append(asked)
                left = self._scripts.get(asked.path) or [answer(rows())]
                script = left.pop(0) if len(left) > 1 else left[0]
                if not isinstance(script, bytes):
                    script(connection)
                    return
                connection.sendall(script)


def _read(stream: Any, number: int) -> Asked | None:
    lines: list[str] = []
    while (line := stream.readline()) != b"\r\n":
        if not line:  # the client hung up
            return None
        lines.append(line.decode("latin-1").strip())
    headers = dict(line.split(": ", 1) for line in lines[1:])
    named = {name.lower(): value for name, value in headers.items()}
    return Asked(lines[0], named, stream.read(int(named.get("content-length", 0))), number)


def drip(data: bytes, every_s: float = 0.05) -> Script:
    """Return a script that sends a byte now and then, for ever."""

    def script(connection: socket.socket) -> None:
        connection.sendall(data)
        while True:
            connection.sendall(b" ")
            time.sleep(every_s)

    return script
