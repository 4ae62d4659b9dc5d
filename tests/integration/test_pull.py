"""``clopos-nb pull`` writes a table that is complete, or nothing, and says which."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clopos_nb.cli import main

DAY = "2026-01-05"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def pull(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that pulls from a server, as its environment says, into the folder."""
    monkeypatch.chdir(folder)

    def pull_(server: Any, *arguments: str, **settings: str) -> int:
        for name, value in {"base_url": server.url, **server.credentials, **settings}.items():
            monkeypatch.setenv(f"CLOPOS_{name.upper()}", value)
        return main(["pull", *arguments])

    return pull_


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --------------------------------------------------------------------------- what is written


def test_parquet_is_the_frame_with_its_certificate(sandbox, reader, pull, folder, capsys):
    assert pull(sandbox, "receipts", DAY, "2026-01-06", "--out", "january.parquet") == 0
    expected = reader.frame("receipts", DAY, "2026-01-06", progress=False)
    read = pd.read_parquet(folder / "january.parquet")
    pd.testing.assert_frame_equal(read, expected)
    facts = ("rows", "total", "complete", "start", "end", "brand")
    certificate = read.attrs["clopos"]
    assert [certificate[fact] for fact in facts] == [
        expected.attrs["clopos"][fact] for fact in facts
    ]
    assert names(folder) == ["january.parquet"]
    told = capsys.readouterr().out
    assert told.startswith(f"receipts: {len(read)} rows of the server's {len(read)}: complete")
    assert told.endswith("\njanuary.parquet\n")


@pytest.mark.parametrize(
    ("name", "read"), [("day.csv", pd.read_csv), ("day.XLSX", pd.read_excel)], ids=["csv", "xlsx"]
)
def test_the_certificate_is_beside_a_file_that_cannot_hold_it(
    sandbox, reader, pull, folder, name, read
):
    assert pull(sandbox, "receipts", DAY, "--out", name) == 0
    expected = reader.frame("receipts", DAY, progress=False)
    assert read(folder / name)["total"].tolist() == expected["total"].tolist()
    assert names(folder) == [name, f"{name}.certificate.json"]
    certificate = json.loads((folder / f"{name}.certificate.json").read_text("utf-8"))
    assert (certificate["complete"], certificate["rows"]) == (True, len(expected))


def test_venues_are_chosen_by_id_and_by_name(sandbox, reader, pull, folder):
    name = reader.venue(3).name
    assert pull(sandbox, "orders", DAY, "--venues", "1", name, "--out", "two.parquet") == 0
    assert pd.read_parquet(folder / "two.parquet")["venue_id"].unique().tolist() == [1, 3]


def test_a_formula_in_a_name_does_not_run_in_a_spreadsheet(faulty, envelope, pull, folder):
    faulty.on("/users", envelope({"id": 1, "username": "=cmd|' /C calc'!A0"}))
    assert pull(faulty, "users", "--out", "users.csv") == 0
    assert pull(faulty, "users", "--out", "users.xlsx") == 0
    assert pd.read_csv(folder / "users.csv")["username"].tolist() == ["'=cmd|' /C calc'!A0"]
    assert pd.read_excel(folder / "users.xlsx")["username"].tolist() == ["=cmd|' /C calc'!A0"]


# ----------------------------------------------------------------------- what is not written


@pytest.mark.parametrize("there", ["day.csv", "day.csv.certificate.json"])
def test_nothing_is_overwritten_nor_asked_for(fresh, pull, folder, capsys, there):
    (folder / there).write_text("theirs")
    assert pull(fresh, "receipts", DAY, "--out", "day.csv") == 1
    assert f"{there} is there already" in capsys.readouterr().err
    assert (names(folder), (folder / there).read_text()) == ([there], "theirs")
    assert len(fresh.requests) == 0


def test_force_replaces_a_file_and_its_certificate(sandbox, pull, folder):
    for name in ("day.csv", "day.csv.certificate.json"):
        (folder / name).write_text("theirs")
    assert pull(sandbox, "receipts", DAY, "--out", "day.csv", "--force") == 0
    assert names(folder) == ["day.csv", "day.csv.certificate.json"]
    assert not [path for path in folder.iterdir() if path.read_text("utf-8-sig") == "theirs"]


def test_what_the_disk_does_not_take_leaves_the_old_file(sandbox, pull, folder, capsys):
    (folder / "day.csv").write_text("theirs")
    (folder / "day.csv.certificate.json").mkdir()  # which no file can replace
    assert pull(sandbox, "receipts", DAY, "--out", "day.csv", "--force") == 1
    assert "cannot write day.csv" in capsys.readouterr().err
    assert (folder / "day.csv").read_text() == "theirs"
    assert names(folder) == ["day.csv", "day.csv.certificate.json"]


def test_a_table_that_is_not_complete_is_not_written(faulty, envelope, pull, folder, capsys):
    faulty.on("/users", envelope({"id": 1}, total=3))
    assert pull(faulty, "users", "--out", "users.parquet") == 1
    assert "users: 1 rows of the server's 3" in capsys.readouterr().err
    assert names(folder) == []


def test_a_refused_login_is_told_in_a_line(fresh, pull, folder, capsys):
    assert pull(fresh, "receipts", DAY, "--out", "day.csv", client_secret="not this one") == 1
    told = capsys.readouterr().err
    assert told.startswith("clopos-nb: The login was refused")
    assert told.count("\n") == 1
    assert names(folder) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("receipts", DAY, "--out", "day.txt"), ".parquet, .csv or .xlsx"),
        (("receipts", DAY, "--out", "nowhere/day.csv"), "no folder nowhere"),
        (("recipts", DAY, "--out", "day.csv"), "did you mean 'receipts'"),
        (("receipts", "2026-13", "--out", "day.csv"), "2026-13"),
    ],
    ids=["ending", "folder", "table", "days"],
)
def test_a_wrong_argument_is_told_before_anything_is_sent(
    fresh, pull, folder, capsys, arguments, told
):
    assert pull(fresh, *arguments) == 1
    assert told in capsys.readouterr().err
    assert names(folder) == []
    assert len(fresh.requests) == 0
