"""What docs/sandbox.md and docs/faults.md show runs as it stands, and their lists are whole."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from clopos_nb.sandbox import command
from clopos_nb.sandbox.faults import KINDS
from clopos_nb.sandbox.fidelity import SWITCHES
from clopos_nb.sandbox.routes import INVENTORY, listing

DOCS = Path(__file__).parents[2] / "docs"
SANDBOX, FAULTS = ((DOCS / name).read_text() for name in ("sandbox.md", "faults.md"))
# A notebook's kernel or an activated environment has the command on its path; pytest may not.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def rows(text, *, below):
    """Return the cells of the table under a heading or a line."""
    table = re.search(
        rf"^{re.escape(below)}.*?^\|[^\n]*\n\| --[^\n]*\n(.*?)(?:^[^|]|\Z)", text, re.M | re.S
    )
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()
    ]


def code(cell):
    return re.findall(r"`([^`]*)`", cell)


def needs(*programs):
    missing = [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"no {', '.join(missing)} here")


def shell(script, **variables):
    """Run a script until it ends, and whatever it left running with it."""
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        env=ENVIRONMENT | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        process.wait(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it left nothing
            os.killpg(process.pid, signal.SIGKILL)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


@pytest.mark.parametrize("source", blocks(SANDBOX + FAULTS, "python"))
def test_python(source, sandbox):
    names = {"sandbox": sandbox}
    exec(compile(source, "docs", "exec"), names)
    if "made" in names:
        ordered = names["order"]["products"][0]
        http, product = names["http"], ordered["product_id"]
        found = http.get(f"{sandbox.url}/products/{product}", timeout=10).json()["data"]
        assert names["made"]["status"] == "PENDING"
        assert (ordered["product_name"], ordered["price"]) == (found["name"], found["price"])


@needs("bash", "curl", "jq")
def test_curl(make_sandbox):
    sandbox = make_sandbox(control_port=0)
    base = sandbox.url.removesuffix("/open-api/v2")
    scripts = [text for text in blocks(SANDBOX + FAULTS, "sh") if "curl" in text]
    assert len(scripts) == 3
    for script in scripts:
        ready = script.replace("http://127.0.0.1:8765", base)
        shell(ready.replace("http://127.0.0.1:8766", sandbox.control_url))
    asked = [(entry.method, entry.path, entry.status) for entry in sandbox.requests]
    assert asked == [("POST", "/auth", 200), ("GET", "/receipts", 200), ("POST", "/customers", 200)]
    assert sorted(map(str, sandbox.faults)) == ["rate_limited,count=3,reset_s=2.0"] * 2


@needs("node")
def test_node(tmp_path):
    (tmp_path / "tour.mjs").write_text(blocks(SANDBOX, "js")[0])
    tour = ["node", str(tmp_path / "tour.mjs")]
    done = subprocess.run(tour, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 1000


@needs("bash", "jq")
def test_ci(tmp_path):
    lines = blocks(SANDBOX, "yaml")[0].split("- run: ")[1].splitlines()
    script = "\n".join(line[4:] for line in lines[1:] if "pip install" not in line)
    variables = tmp_path / "env"
    shell(f"cd {tmp_path}\n" + script.replace("8765", "0"), GITHUB_ENV=str(variables))
    told = json.loads((tmp_path / "sandbox.json").read_text())
    exported = dict(line.split("=", 1) for line in variables.read_text().splitlines())
    assert exported == {
        "CLOPOS_BASE_URL": told["url"],
        **{
            f"CLOPOS_{name.upper()}": told[name]
            for name in ("client_id", "client_secret", "brand", "integrator_id")
        },
    }


def test_the_commands_have_only_options_that_there_are():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    shown = blocks(SANDBOX + FAULTS, "sh")
    starts = [line for text in shown for line in text.splitlines() if line.startswith("clopos-nb")]
    assert len(starts) == 3
    for line in starts:
        parser.parse_args(line.partition("#")[0].split()[2:])
    known = set(parser.format_help().split()) | {"--help"}
    others = {"--globoff", "--seconds"}  # of curl and of make fuzz
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", SANDBOX + FAULTS)) <= known | others


def test_a_fault_is_the_same_from_python_and_from_a_shell(sandbox):
    pairs = [row[1:] for row in rows(SANDBOX, below="## Faults, clock and control")]
    pairs = [(code(python)[0], code(shell)[0]) for python, shell in pairs if "--fault " in shell]
    assert len(pairs) == 4
    for python, shell in pairs:
        one = eval(python, {"sandbox": sandbox})
        two = sandbox.faults.add_text(shell.removeprefix("--fault "))
        assert str(one) == str(two)


def test_what_provokes_works_as_it_is_written(sandbox):
    for _, cell in rows(SANDBOX, below="## Provoke it"):
        for source in code(cell):
            if source.startswith("sandbox."):
                source = source.replace("venue_id, first, last", "1, None, None")
                exec(source, {"sandbox": sandbox})


def test_every_fault_is_listed_with_its_options():
    listed = {}
    for name, _, options in rows(FAULTS, below="## All faults"):
        listed[code(name)[0]] = [word.partition("=")[0] for word in code(options)]
    assert listed == {kind.name: list(kind.options) for kind in KINDS.values()}
    assert list(listed) == list(KINDS), "in the order in which they strike"
    assert "Twenty-three faults" in SANDBOX
    assert len(KINDS) == 23


def test_every_switch_is_listed_with_its_line():
    told = {code(name)[0]: what for name, what in rows(SANDBOX, below="## Other shapes")}
    assert told == SWITCHES


def test_every_endpoint_is_listed():
    text = SANDBOX.partition("## Endpoints")[2].partition("\n## ")[0]
    for methods, path in listing():
        if path[1:] in INVENTORY:
            continue
        for method in methods.split():
            short = path.removesuffix("/{id}")
            read = method == "GET" and re.search(rf"`{re.escape(short)}(\[/{{id}}\])?`", text)
            whole = f"`{path}`" in text or f"`{method} {path}`" in text
            assert read or whole, f"{method} {path}"
    groups = code(text)
    for path in INVENTORY:
        assert any(f"/{path}".startswith(group[:-3]) for group in groups if group[-3:] == "...")


def test_the_control_endpoint_takes_what_its_table_says(make_sandbox):
    control = make_sandbox(control_port=0).control_url
    done = []
    for cell, _ in rows(FAULTS, below="## Control endpoint"):
        calls = code(cell)
        for call, body in zip(calls, [*calls[1:], ""], strict=True):
            # A place for an id or for more objects is not to be sent as it is.
            if re.fullmatch(r"[A-Z]+ /[a-z]*", call) and "..." not in body:
                method, path = call.split()
                sent = body if body.startswith("{") else None
                answer = requests.request(method, control + path, data=sent, timeout=10)
                assert answer.ok, (call, answer.text)
                done.append(call)
    assert len(done) == 12
