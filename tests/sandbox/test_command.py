"""`clopos-nb sandbox` as a process: what it prints, how it stops, and what a shell can set."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys

import pytest
import requests

from clopos_nb.sandbox.command import log_line
from clopos_nb.sandbox.requestlog import Entry

CLI = "import sys; from clopos_nb.cli import main; sys.exit(main(['sandbox', *sys.argv[1:]]))"
# The same command without the client half, which takes a second to import.
COMMAND = """
import argparse, sys
from clopos_nb.sandbox import command
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args()))
"""
SMALL = ("--venues", "2", "--days", "3", "--receipts-per-day", "5")


@pytest.fixture
def start():
    started = []

    def run(*arguments, code=COMMAND):
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *SMALL, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def stop(process, *signals):
    """Send signals, SIGINT by default; the process must end well."""
    for number in signals or (signal.SIGINT,):
        process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    return out, err


def greeting(process):
    """Return what is said for people before the first request, and the facts in it."""
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    exports = re.findall(r"^export CLOPOS_(\w+)=(.*)$", said, re.M)
    facts = {name.lower(): value for name, value in exports}
    return said, {**facts, "url": facts["base_url"]}


def login(facts, prefix=""):
    names = ("client_id", "client_secret", "brand", "integrator_id")
    body = {name: facts[prefix + name] for name in names}
    return requests.post(f"{facts['url']}/auth", json=body, timeout=10)


def get(facts, path, token):
    headers = {"x-token": token}
    return requests.get(facts["url"] + path, headers=headers, timeout=10)


def test_json_is_one_line_of_facts_that_work(start):
    process = start("--json", code=CLI)
    facts = json.loads(process.stdout.readline())
    assert set(facts) == {
        "url",
        "client_id",
        "client_secret",
        "brand",
        "integrator_id",
        "test_client_id",
        "test_client_secret",
        "test_brand",
        "test_integrator_id",
        "control",
        "venues",
    }
    assert facts["url"].endswith("/open-api/v2")
    assert [set(venue) for venue in facts["venues"]] == [{"id", "name"}] * 2
    for prefix in ("", "test_"):
        venues = get(facts, "/venues", login(facts, prefix).json()["token"]).json()["data"]
        assert [venue["id"] for venue in venues] == [venue["id"] for venue in facts["venues"]]
    mixed = {**facts, "integrator_id": facts["test_integrator_id"]}
    assert (login(mixed).status_code, login(mixed).json()["success"]) == (200, False)
    assert requests.get(f"{facts['control']}/faults", timeout=10).json()["data"]["faults"] == []
    assert stop(process) == ("", "")


@pytest.mark.parametrize("signals", [["SIGTERM"], ["SIGINT", "SIGTERM", "SIGINT", "SIGTERM"]])
def test_a_signal_stops_it_however_impatient(start, signals):
    process = start("--json")
    process.stdout.readline()
    stop(process, *(signal.Signals[name] for name in signals))


def test_faults_of_the_command_line_strike_and_are_marked_in_the_log(start):
    process = start(
        *("--fault", "server_error,path=/receipts,count=1"),
        *("--fault", "gateway_timeout,path=/orders,count=1", "--fault-time-scale", "0.01"),
    )
    said, facts = greeting(process)
    assert "Fault:   server_error,path=/receipts,count=1" in said
    assert "Control: http://127.0.0.1:" in said
    assert "# export CLOPOS_INTEGRATOR_ID=test_" in said
    token = login(facts).json()["token"]
    assert [get(facts, path, token).status_code for path in ("/receipts", "/orders")] == [500, 504]
    assert get(facts, "/receipts", token).status_code == 200
    out, err = stop(process)
    assert re.search(r"^GET /receipts 500 \d+\.\d ms ! server_error$", out, re.M)
    assert re.search(r"^GET /orders 504 \d+\.\d ms ! gateway_timeout$", out, re.M)
    assert re.search(r"^GET /receipts 200 \d+\.\d ms venue 1$", out, re.M)
    assert re.search(r"^POST /auth 200 \d+\.\d ms$", out, re.M)
    assert (err, token in out, facts["client_secret"] in out) == ("", False, False)


def test_the_log_has_a_line_per_request_and_never_a_token(start):
    process = start("--legacy", "--latency-ms", "1", "--window-s", "5")
    get(greeting(process)[1], "/venues", "aaa.bbb.ccc")
    out, err = stop(process)
    assert "GET /venues 401" in out
    assert "aaa.bbb" not in out + err


def test_control_switches_a_running_process(start):
    process = start("--json", "--control-port", "0", "--clerk", "after=90")
    facts = json.loads(process.stdout.readline())
    control, token = facts["control"], login(facts).json()["token"]
    fault = {"name": "rate_limited", "path": "/venues", "count": 1}
    requests.post(f"{control}/faults", json=fault, timeout=10).raise_for_status()
    assert [get(facts, "/venues", token).status_code for _ in range(2)] == [429, 200]
    clerk = requests.get(f"{control}/clerk", timeout=10).json()["data"]
    assert clerk == {"mode": "after", "delay_s": 90}
    turn = {"token": {"advance": {"hours": 2}}}
    requests.post(f"{control}/clock", json=turn, timeout=10).raise_for_status()
    assert get(facts, "/venues", token).json()["error"] == "Token expired"
    assert stop(process) == ("", "")


def test_clock_and_fidelity_are_set_from_the_shell(start):
    process = start(
        *("--json", "--data-time", "2026-03-01T08:00", "--token-time", "frozen"),
        *("--fidelity", "live_errors", "--fidelity", "no_diagnostics"),
    )
    facts = json.loads(process.stdout.readline())
    clock = requests.get(f"{facts['control']}/clock", timeout=10).json()["data"]
    assert clock["data"] == {"now": "2026-03-01 08:00:00", "frozen": True, "rate": 1.0}
    assert clock["token"]["frozen"] is True
    token = login(facts).json()["token"]
    assert isinstance(get(facts, "/products/99999", token).json()["error"], list)
    assert "unix" not in get(facts, "/venues", token).json()
    stop(process)


def test_data_time_runs_when_told(start):
    process = start("--json", "--data-time", "running")
    facts = json.loads(process.stdout.readline())
    clock = requests.get(f"{facts['control']}/clock", timeout=10).json()["data"]
    assert clock["data"]["frozen"] is False
    stop(process)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "server_eror"], "there are changed_types, clock_skew"),
        (["--fault", "server_error,pat=/x"], "it has path, method, venue"),
        (["--fault", "server_error,venue=9"], "there are 1, 2"),
        (["--fidelity", "perfect"], "live_errors"),
        (["--clerk", "sometimes"], "immediately, on_demand, never, after=SECONDS"),
        (["--clerk", "after"], "after=SECONDS"),
        (["--data-time", "now"], "running nor frozen"),
        (["--data-time", "2026-03-01T08:00+04:00"], "no zone"),
        (["--port", "70000"], "from 0 to 65,535"),
        (["--control-port", "-1"], "'-1' is not a whole number"),
        (["--window-s", "nan"], "'nan' is not a number from 0"),
        (["--venues", "many"], "'many' is not a whole number from 1 to 10,000"),
        (["--venues", "1000000000"], "from 1 to 10,000"),
        (["--days", "99999999"], "from 1 to 20,000"),
        (["--receipts-per-day", "1e9"], "from 0 to 10,000"),
    ],
)
def test_a_wrong_option_is_said_without_a_traceback(arguments, said, start):
    out, err = (process := start(*arguments)).communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_a_taken_port_is_said_without_a_traceback(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("--json", "--port", str(taken.getsockname()[1]))
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "cannot serve" in err
    assert "Traceback" not in err


def test_who_asks_cannot_write_to_the_terminal_of_who_serves():
    entry = Entry("GET", "/\x1b[31m\nFAKE 200 OK\u202e" + "x" * 500, 0, None, "", ("slow_body",))
    line = log_line(entry, 1.25)
    assert line.isprintable()
    assert len(line) < 200
    assert line.endswith(" reset 1.2 ms ! slow_body")
