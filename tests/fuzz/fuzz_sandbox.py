"""Bounded fuzzing of a running sandbox over loopback: `make fuzz`, or a short one in the tests.

Starts `clopos-nb sandbox` as a process of its own, sends it what nobody should send for a given
time, and checks every answer: a status below 500, JSON where it says JSON, `success: false` with
each error. At the end the process must still serve, have logged nothing, and stop when told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from urllib.parse import quote, urlsplit

import requests
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

COMMAND = """
import argparse, sys
from clopos_nb.sandbox import command
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args()))
"""
# Windows so short that no limit is ever reached: a 429 would hide what is behind it.
SMALL = ["--venues", "2", "--days", "3", "--receipts-per-day", "20", "--window-s", "0.001"]
IDLE_CLIENTS = 40
BATCH = 100
TIMEOUT_S = 10.0
BIG = 3 << 20

PATHS = [
    "/auth",
    "/venues",
    "/users",
    "/users/1",
    "/customers",
    "/customers/1",
    "/customer-groups",
    "/categories",
    "/categories/1",
    "/stations",
    "/products",
    "/products/1",
    "/products/stop-list",
    "/price-lists",
    "/price-lists/prices",
    "/sale-types",
    "/payment-methods",
    "/orders",
    "/orders/1",
    "/receipts",
    "/receipts/1",
    "/receipts/1/close",
    "/receipts/1/stock-operations",
    "/receipts/cid/0f9654bc-9520-43d7-8109-317d9820f54c",
    "/waiter-call",
    "/stock",
    "/stock-operations/products",
    "/operations/1/items",
    "/storages",
    "/suppliers/total",
    "/finance/balances",
    "/finance/cash-shifts/1/report",
    "/finance/taxes/report",
    "/finance/transactions",
]
CONTROL_PATHS = ["/", "/faults", "/faults/1", "/faults/server_error", "/clock", "/clerk", "/limits"]
# Mostly what gets far: what is refused at the door is tried often enough anyhow.
METHODS = ["GET"] * 9 + ["POST"] * 4
METHODS += ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get"]
NAMES = ["page", "limit", "sort", "date", "filters", "with", "selects", "status", "type"]
NAMES += ["parent_id", "include_children", "can_print", "__proto__", ""]
FIELDS = ["client_id", "client_secret", "brand", "integrator_id", "name", "phone", "cid", "code"]
FIELDS += ["status", "payload", "products", "customer", "customer_id", "payment_methods", "count"]
FIELDS += ["table_id", "type", "probability", "path", "venue", "data", "token", "advance", "set"]
FIELDS += ["run", "freeze", "mode", "delay_s", "work", "faults", "time_scale", "product_id", "id"]
WORDS = ["created_at", "id", "receipt_products", "GOODS", "2026-02-28", "server_error", "WAITER"]
WORDS += ["-1", "0", "1e309", "NaN", "9" * 40, "\x00", "'; --", "%00", "../..", "true", "never"]

text = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([0, -1, 2**63, 10**30, 1e308]))
leaves = st.one_of(st.none(), st.booleans(), numbers, text)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(FIELDS), text), inner, max_size=5),
    ),
    max_leaves=12,
)
deep = st.sampled_from(["[", '{"a":']).map(lambda part: (part * 50_000).encode())
bodies = st.one_of(
    st.just(b""),
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=6).map(
        lambda value: json.dumps(value).encode()
    ),
    st.binary(max_size=60),
    deep,
    st.sampled_from([b"x" * BIG, b'{"name":"\xff"}', b'{"name":"\\ud800"}', b"null", b'"x"']),
)
brackets = st.lists(
    st.sampled_from(
        ["[0]", "[1]", "[]", "[", "]", "[[0]]", "[a]", "[-1]", "[9999999999]", "[0][1]"]
    ),
    max_size=4,
).map("".join)
parameters = st.tuples(st.sampled_from(NAMES), brackets, text).map(
    lambda parts: f"{quote(parts[0])}{parts[1]}={quote(parts[2], errors='replace')}"
)
queries = st.one_of(
    st.just(""),
    st.lists(parameters, max_size=2).map("&".join),
    st.lists(parameters, max_size=5).map("&".join),
    st.sampled_from(["&".join(["limit=1"] * 2000), "filters" + "[0]" * 3000 + "=1", "%", "&&==&"]),
)
header_values = st.one_of(
    st.sampled_from(["1", "2", "-1", "x", "", "1,1", "999999999999999999999", "text/plain"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
    st.just("y" * 40_000),
)
HEADERS = ["x-token", "x-venue", "Content-Type", "Accept", "Cookie", "Origin", "Range", "Expect"]
HEADERS += ["X-HTTP-Method-Override", "If-None-Match", "Upgrade", "Content-Encoding"]
header_names = st.sampled_from(HEADERS)
headers = st.one_of(
    st.just([]),
    st.just([]),
    st.sampled_from(["1", "2"]).map(lambda venue: [("x-venue", venue)]),
    st.lists(st.tuples(header_names, header_values), max_size=3),
)


def request(paths, base):
    """Requests that are HTTP, whatever they ask for."""
    path = st.one_of(
        st.sampled_from(paths),
        st.sampled_from(paths),
        st.sampled_from(paths),
        st.tuples(st.sampled_from(paths), text).map(
            lambda parts: f"{parts[0]}/{quote(parts[1], safe='', errors='replace')}"
        ),
        text.map(lambda part: "/" + quote(part, errors="replace")),
    )
    return st.builds(
        _encode, st.sampled_from(METHODS), st.just(base), path, queries, headers, bodies
    )


def _encode(method, base, path, query, fields, body):
    lines = [f"{method} {base}{path}{'?' + query if query else ''} HTTP/1.1", "Host: 127.0.0.1"]
    if not any(name == "x-token" for name, _ in fields):
        lines.append("x-token: TOKEN")
    lines += [f"{name}: {value}" for name, value in fields]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + body


@st.composite
def broken(draw, whole):
    """A request with a piece cut out, doubled or replaced by bytes that do not belong there."""
    data = draw(whole)[:4000]
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 200)))
    piece = draw(
        st.one_of(
            st.just(b""),
            st.just(data[start:end] * 2),
            st.binary(max_size=40),
            st.sampled_from([b"\r\n", b"\n\n", b"\x00", b" HTTP/9.9\r\n", b": :\r\n", b"\xff\xfe"]),
        )
    )
    return data[:start] + piece + data[end:]


HEAD = b"POST /open-api/v2/auth HTTP/1.1\r\nHost: x\r\n"
nonsense = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [
            b"",
            b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/0.9\r\n\r\n",
            b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(80),
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET //[ HTTP/1.1\r\nHost: [\r\n\r\n",
            b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
            b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"h: v\r\n" * 20_000 + b"\r\n",
            b"GET / HTTP/1.1\r\nx: " + b"v" * (2 << 20),
            HEAD + b"Content-Length: -5\r\n\r\n",
            HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
            HEAD + b"Content-Length: abc\r\n\r\n",
            HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
            HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
            HEAD + b"Content-Type: multipart/form-data; boundary=\r\nContent-Length: 4\r\n\r\n----",
        ]
    ),
)


class WrongAnswer(AssertionError):
    """What came back is not what a client may be sent."""


class Fuzzer:
    """Speaks to one running sandbox, and checks what it answers."""

    def __init__(self, facts):
        self.counts = Counter()
        self._facts = facts
        names = ("client_id", "client_secret", "brand", "integrator_id")
        self._login = {name: facts[name] for name in names}
        self._token = requests.post(
            f"{facts['url']}/auth", json=self._login, timeout=TIMEOUT_S
        ).json()["token"]

    def attack(self, port, data, *, is_http):
        """Send bytes on a connection of their own, and check the first answer."""
        data = data.replace(b"TOKEN", self._token.encode())
        try:
            self._attack(port, data, is_http)
        except (WrongAnswer, ValueError, OSError) as error:
            # Short, as hypothesis prints every argument whole.
            shown = data.replace(self._token.encode(), b"TOKEN")
            message = f"{error!r} for {len(data)} bytes: {shown[:300]!r}"
            raise WrongAnswer(message) from None

    def _attack(self, port, data, is_http):
        got = self._exchange(port, data, half_close=not is_http)
        self.counts["requests"] += 1
        if not got:
            self.counts["closed without answer"] += 1
            if is_http:
                message = "a request in HTTP got no answer"
                raise WrongAnswer(message)
            return
        self.counts[f"status {self._check(got, data)}"] += 1

    def _exchange(self, port, data, *, half_close):
        got = b""
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as client:
            try:
                client.sendall(data)
                if half_close:
                    select.select([client], [], [], 0.05)
                    # It waits for the rest of what is no request, or for another one.
                    with contextlib.suppress(OSError):  # it may have hung up already
                        client.shutdown(socket.SHUT_WR)
                while piece := client.recv(65536):
                    got += piece
            except ConnectionError:
                self.counts["closed while sending"] += 1
                return got or b"HTTP/1.1 400 Bad Request\r\n\r\n"
        return got

    def _check(self, got, data):
        while match := re.match(rb"HTTP/1\.1 1\d\d [^\r\n]*\r\n\r\n", got):
            got = got[match.end() :]
        head, _, body = got.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if status is None:
            message = f"no status line: {got[:80]!r}"
            raise WrongAnswer(message)
        code = int(status[1])
        if not 200 <= code < 500:
            message = f"status {code}"
            raise WrongAnswer(message)
        if b"traceback" in body.lower():
            message = "a traceback went out"
            raise WrongAnswer(message)
        if b"application/json" in head and body and data[:4] != b"HEAD":
            answer, _ = json.JSONDecoder().raw_decode(body.decode())
            if code >= 400 and answer.get("success") is not False:
                message = f"status {code} without success: false"
                raise WrongAnswer(message)
        return code

    def check_alive(self):
        """Read a table as a client does."""
        answer = requests.get(
            f"{self._facts['url']}/venues", headers={"x-token": self._token}, timeout=TIMEOUT_S
        )
        if answer.status_code != 200 or len(answer.json()["data"]) != 2:
            message = f"it does not serve any more: {answer.status_code} {answer.text[:200]}"
            raise WrongAnswer(message)


def _batches(fuzzer, attacks, port, deadline, first_seed, *, is_http):
    """Run batches of examples until the time is up; hypothesis shrinks what fails."""

    @given(data=attacks)
    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def batch(data):
        if time.monotonic() < deadline:
            fuzzer.attack(port, data, is_http=is_http)

    warnings.simplefilter("ignore", HypothesisWarning)  # of how long an example is
    number = first_seed
    while time.monotonic() < deadline:
        try:
            seed(number)(batch)()
        except BaseExceptionGroup as several:
            raise several.exceptions[0].with_traceback(None) from None
        except WrongAnswer as error:
            message = f"{error} (seed {number})"
            raise WrongAnswer(message) from None
        number += 1


def _memory_mb(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024
    except OSError:  # no /proc here
        return 0.0


def fuzz(seconds, first_seed=0):
    """Fuzz for this long; return what was done, or raise AssertionError."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *SMALL, "--json"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            counts = _attack_all(process, seconds, first_seed)
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
        finally:
            process.kill()
            process.communicate()
        log.seek(0)
        said = log.read()
        assert process.returncode == 0, f"exit status {process.returncode}: {said[-2000:]}"
        assert said == "", f"the sandbox logged: {said[-4000:]}"
    return counts


def _attack_all(process, seconds, first_seed):
    facts = json.loads(process.stdout.readline())
    fuzzer = Fuzzer(facts)
    address = urlsplit(facts["url"])
    control = urlsplit(facts["control"]).port
    began, before = time.monotonic(), _memory_mb(process.pid)
    # Clients that connect and say half a line, or nothing, must not keep others waiting.
    idle = [
        socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S)
        for _ in range(IDLE_CLIENTS)
    ]
    for client in idle[::2]:
        client.sendall(b"GET /open-api/v2/venues HTTP/1.1\r\nx-")
    api, base = request(PATHS, address.path), address.path
    # Control last: what it switches on is meant to spoil the answers of the API.
    plan = [
        (0.5, api, address.port, True),
        (0.75, broken(api), address.port, False),
        (0.9, nonsense, address.port, False),
        (1.0, request(CONTROL_PATHS, ""), control, True),
    ]
    for share, attacks, port, is_http in plan:
        _batches(fuzzer, attacks, port, began + seconds * share, first_seed, is_http=is_http)
        if port != control:
            fuzzer.check_alive()
    requests.delete(f"{facts['control']}/faults", timeout=TIMEOUT_S).raise_for_status()
    again = {"token": {"set": time.time(), "run": True}}
    requests.post(f"{facts['control']}/clock", json=again, timeout=TIMEOUT_S).raise_for_status()
    fuzzer.check_alive()
    for client in idle:
        client.close()
    fuzzer.counts["seconds"] = round(time.monotonic() - began)
    fuzzer.counts["idle connections held open"] = IDLE_CLIENTS
    fuzzer.counts["MB before"] = round(before)
    fuzzer.counts["MB after"] = round(_memory_mb(process.pid))
    assert base == "/open-api/v2"
    return fuzzer.counts


def main():
    parser = argparse.ArgumentParser(description="Fuzz a sandbox for a while.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    sys.stdout.write(f"Fuzzing a sandbox on loopback for {args.seconds:g} s, seed {args.seed}\n")
    sys.stdout.flush()
    for name, count in sorted(fuzz(args.seconds, args.seed).items()):
        sys.stdout.write(f"  {name}: {count}\n")
    sys.stdout.write("Every answer was a clear one; it served to the end and logged nothing.\n")


if __name__ == "__main__":
    main()
