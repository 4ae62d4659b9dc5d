"""The command as a shell runs it: its figures, its exit codes, and no traceback ever."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pytest

import clopos_nb
from clopos_nb.cli import main
from clopos_nb.sandbox import Sandbox

COMMAND = shutil.which("clopos-nb", path=str(Path(sys.executable).parent)) or "clopos-nb"
QUICK = ("demo", "--month", "2026-01-05")  # a day will do where the figures do not matter
posix = pytest.mark.skipif(os.name != "posix", reason="signals as a POSIX shell sends them")


def run(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONUTF8": "1"} | environ,
        encoding="utf-8",
        capture_output=True,
        check=False,
        timeout=120,
    )


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [COMMAND, *arguments]
    return subprocess.Popen(command, cwd=cwd, encoding="utf-8", stdout=pipe, stderr=pipe)


def opened(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def only_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def spaced(number: Decimal | int) -> str:
    return f"{number:,}".replace(",", " ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder) -> subprocess.CompletedProcess[str]:
    """Return one run of the demo, in a shell that is set up for another brand."""
    return run("demo", cwd=folder, CLOPOS_BRAND="theirs", CLOPOS_BASE_URL="https://unused.invalid")


@pytest.fixture(scope="module")
def rows(demo) -> dict[str, list[str]]:
    """Return the printed figures by venue name."""
    cells = (re.split(r"  +", line) for line in demo.stdout.splitlines())
    return {name: figures for name, *figures in cells if len(figures) == 5}


@pytest.fixture(scope="module")
def truth():
    """Return the sandbox's own books for January, by venue name."""
    brand = Sandbox().brand
    names = {row["id"]: row["name"] for row in brand.rows("venues", brand.venue_ids[0])}
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    return {
        names[venue_id]: brand.ledger(venue_id, first, last, day="shift_date")
        for venue_id in brand.venue_ids
    }


def test_the_demo_succeeds(demo):
    assert demo.returncode == 0, demo.stderr
    assert "Traceback" not in demo.stderr


def test_the_demo_prints_every_venue_and_a_total(rows, truth):
    assert set(rows) == {"Venue", "All venues", *truth}


def test_the_figures_are_those_of_the_sandbox_s_own_books(rows, truth):
    for name, ledger in truth.items():
        best = min(
            day for day in ledger.by_day if ledger.by_day[day] == max(ledger.by_day.values())
        )
        assert rows[name][0] == spaced(ledger.receipts)
        assert rows[name][1] == spaced(ledger.total)
        assert rows[name][2] == spaced(round(ledger.total / ledger.receipts, 2))
        assert rows[name][4] == f"{best:%a %d %b}"
    everything = sum(ledger.total for ledger in truth.values())
    assert rows["All venues"][1] == spaced(everything)


def test_the_columns_are_aligned(demo):
    table = demo.stdout.split("\n\n")[1].splitlines()
    assert len({len(line) for line in table}) == 1


@pytest.mark.parametrize("table", ["orders", "receipts"])
def test_the_certificate_says_complete(demo, table):
    line = next(line for line in demo.stdout.splitlines() if line.startswith(f"{table}: "))
    found = re.match(r"\w+: ([\d ]+) rows of the server's ([\d ]+): complete \([\d ]+ requ", line)
    assert found is not None, line
    assert found[1] == found[2]


def test_the_report_is_where_the_demo_says(demo, folder):
    path = folder / "clopos-demo" / "report.html"
    assert str(Path("clopos-demo") / "report.html") in demo.stdout
    page = path.read_text(encoding="utf-8")
    assert "January 2026" in page
    assert "<svg" in page
    assert "✗" not in page


def test_the_demo_says_how_to_go_on(demo):
    for hint in ("CLOPOS_CLIENT_ID", "CLOPOS_CLIENT_SECRET", "CLOPOS_BRAND", "make lab"):
        assert hint in demo.stdout


def test_no_token_is_printed_or_stored(demo, folder):
    page = (folder / "clopos-demo" / "report.html").read_text(encoding="utf-8")
    assert "eyJ" not in demo.stdout + demo.stderr + page


def test_two_runs_print_the_same(tmp_path):
    assert run(*QUICK, cwd=tmp_path).stdout == run(*QUICK, cwd=tmp_path).stdout


def test_an_impossible_month_is_one_clear_line(tmp_path):
    done = run("demo", "--month", "2026-13", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    line = only_line(done.stderr)
    assert line.startswith("clopos-nb: ")
    assert "2026-13" in line


def test_a_month_without_sales_is_no_error(tmp_path):
    done = run("demo", "--month", "2024-01", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "All venues" in done.stdout
    assert "receipts: 0 rows of the server's 0: complete" in done.stdout


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "taken").write_text("")
    done = run(*QUICK, "--out", "taken", cwd=tmp_path)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert "cannot write" in line
    assert "--out" in line
    assert "Traceback" not in done.stderr


def test_an_incomplete_frame_is_said_and_is_a_failure(tmp_path, monkeypatch, capsys):
    """In this process: the sandbox itself never loses a row."""
    made = clopos_nb.demo

    def demo_that_loses_a_row() -> clopos_nb.Session:
        session = made()
        whole = session.frame

        def frame(table: str, *days: str, **options: Any) -> pd.DataFrame:
            result = whole(table, *days, **options)
            certificate = result.attrs["clopos"]
            certificate |= {"complete": False, "total": certificate["total"] + 1}
            return result

        monkeypatch.setattr(session, "frame", frame)
        return session

    monkeypatch.setattr(clopos_nb, "demo", demo_that_loses_a_row)
    status = main([*QUICK, "--out", str(tmp_path)])
    assert status == 1
    assert "INCOMPLETE" in capsys.readouterr().out
    assert "1 row missing" in (tmp_path / "report.html").read_text(encoding="utf-8")


@posix
def test_ctrl_c_ends_quietly(tmp_path):
    with start("demo", cwd=tmp_path) as process:
        opened(process.stderr).read(1)  # the progress bar: the demo is in the middle of its work
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "Error" not in errors


@posix
def test_a_reader_that_goes_away_is_no_error(tmp_path):
    with start(*QUICK, cwd=tmp_path) as process:
        opened(process.stdout).close()
        errors = opened(process.stderr).read()
        process.wait(timeout=60)
    assert process.returncode == 141
    assert "BrokenPipe" not in errors
    assert "Traceback" not in errors


def test_names_print_on_a_terminal_without_their_letters(tmp_path):
    done = run(*QUICK, cwd=tmp_path, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "?" in done.stdout


def test_version_and_help(tmp_path):
    assert re.fullmatch(r"clopos-nb \d+\.\d+\.\d+\S*\n", run("--version", cwd=tmp_path).stdout)
    shown = run("--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert re.search(r"^ +demo .+^ +sandbox ", shown.stdout, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("arguments", [(), ("dmeo",), ("demo", "--unknown")])
def test_wrong_arguments_exit_with_2_and_usage(tmp_path, arguments):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: clopos-nb")


@posix
def test_the_sandbox_says_where_it_is_and_serves_until_interrupted(tmp_path):
    with start("sandbox", "--port", "0", "--json", cwd=tmp_path) as process:
        ready = json.loads(opened(process.stdout).readline())
        names = ("client_id", "client_secret", "brand", "integrator_id")
        request = urllib.request.Request(
            ready["url"] + "/auth",
            data=json.dumps({name: ready[name] for name in names}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=9) as answer:
            assert json.load(answer)["success"] is True
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert ready["url"].endswith("/open-api/v2")
    assert [venue["id"] for venue in ready["venues"]] == [1, 2, 3, 4]
    assert (process.returncode, output, errors) == (0, "", "")
