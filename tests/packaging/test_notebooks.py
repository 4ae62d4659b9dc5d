"""Stored notebooks have been run, and hold no token and no machine's own traces."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clopos_nb.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TUTORIALS = [path for path in NOTEBOOKS if path.name[:1].isdigit()]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def text(request) -> str:
    return request.param.read_text(encoding="utf-8")


def code_cells(text: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def test_there_is_a_first_notebook():
    assert [path.name for path in NOTEBOOKS][:1] == ["01_quickstart.ipynb"]


def test_every_cell_was_run_once_from_top_to_bottom(text):
    # A cell without a count passes nbval whatever it prints.
    counts = [cell["execution_count"] for cell in code_cells(text)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_cell_ended_in_an_error(text):
    outputs = [output for cell in code_cells(text) for output in cell["outputs"]]
    tagged = "raises-exception" in text
    assert tagged or not [output for output in outputs if output["output_type"] == "error"]


def test_no_secret_is_stored(text):
    pictures = re.compile(r'"image/png": "[^"]*"')  # in which any letters occur
    assert "eyJ" not in pictures.sub("", text)  # how every JSON Web Token begins
    sandbox = Sandbox()
    for credentials in (sandbox.credentials, sandbox.test_credentials):
        for name in ("client_id", "client_secret"):
            assert credentials[name] not in text


def test_no_trace_of_a_machine_is_stored(text):
    assert not re.search(r"127\.0\.0\.1:\d|localhost:\d|/home/|/Users/|/tmp|ipykernel_\d", text)


def test_it_is_short_and_says_what_it_is_for_and_what_comes_next(text):
    cells = json.loads(text)["cells"]
    assert len(cells) < 40
    first, last = ("".join(cells[place]["source"]) for place in (0, -1))
    assert first.startswith("# ")
    assert "At the end of this notebook you can" in first
    assert last.startswith("## What to try next")


def test_no_widget_state_is_stored(text):
    # It may hold what was typed into a widget.
    assert "widgets" not in json.loads(text)["metadata"]


def prose(text: str) -> list[str]:
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return ["".join(cell["source"]) for cell in cells]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.name)
def test_a_reader_is_told_what_for_and_what_next_and_is_not_kept_long(path):
    text = path.read_text(encoding="utf-8")
    assert "you can\n" in prose(text)[0]
    assert "## What to try next" in prose(text)[-1]
    assert len(json.loads(text)["cells"]) < 40


def test_nothing_was_written_to_stderr(text):
    # A warning there names a file of the machine it ran on, and fails the next strict run.
    outputs = [output for cell in code_cells(text) for output in cell["outputs"]]
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_links_to_other_notebooks_lead_somewhere(text):
    links = re.findall(r"\]\(([\w-]+\.ipynb)\)", "\n".join(prose(text)))
    assert [link for link in links if not (ROOT / "notebooks" / link).is_file()] == []
