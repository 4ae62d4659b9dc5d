"""A notebook with every widget, card and magic stores the same text each time it is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

CELLS = [
    "import clopos_nb\n%load_ext clopos_nb\nsession = clopos_nb.demo()\nsession",
    "session.venues",
    "venue = session.pick_venue()\nvenue",
    "venue.venue = 'Sahil'\nvenue",
    "venues = session.pick_venues([1, 2])\nvenues",
    "days = session.pick_dates('2026-01-05')\ndays",
    "table = session.pick_table()\ntable",
    "frame = session.frame(table.table, *days.days, venues=venues.venues, progress=False)\n"
    "frame.shape",
    "explorer = session.explore('receipts', '2026-01-05')\nexplorer",
    "explorer.load()\nassert explorer.wait(60)\nexplorer",
    "explorer.code",
    "%clopos receipts 2026-01-05 --venue 1 --limit 2",
    "session.frames['orders'], venue.venue.frames",
    "%clopos login",
    "%clopos tables",
    "session.close()",
]
WIDGETS = [*range(2, 7), 8, 9]
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def ran() -> Any:
    """Return the notebook with what a kernel of its own puts out."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        cells = []
        for count, code in enumerate(CELLS, start=1):
            outputs: list[Any] = []

            def keep(message: Any, outputs: list[Any] = outputs) -> None:
                if message["msg_type"] in ("execute_result", "display_data", "stream", "error"):
                    outputs.append(nbformat.v4.output_from_msg(message))

            client.execute_interactive(code, output_hook=keep, timeout=60)
            cells.append(nbformat.v4.new_code_cell(code, execution_count=count, outputs=outputs))
        return nbformat.v4.new_notebook(cells=cells)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_no_cell_fails_and_each_widget_is_a_widget_with_a_line_of_text(ran):
    outputs = [output for cell in ran.cells for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"execute_result"}
    for place in WIDGETS:
        data = ran.cells[place].outputs[0].data
        assert WIDGET in data
        assert data["text/plain"].startswith(("Venue", "Dates", "Table", "Explorer"))


def test_a_second_run_by_strict_nbval_stores_the_same_text(ran, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # which take longer than the cells
    nbformat.write(ran, tmp_path / "every_widget.ipynb")
    options = ["--nbval", "--nbval-current-env", "-p", "nbval.plugin", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert f"{len(CELLS)} passed" in done.stdout, done.stdout
