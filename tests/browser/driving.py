"""A notebook in JupyterLab, as somebody sits before it: open it, run all cells, look."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, Timer

import nbformat
import requests
from playwright.sync_api import Locator, Page, expect

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STARTS_WITHIN_S = 60
RUNS_WITHIN_MS = 120_000

# All cells are in the page whether they are in view or not, nothing floats over it, and light or
# dark is what the browser prefers.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"adaptive-theme": True},
}

# How far the text of an element stands out from what is behind it, as WCAG counts: 1 to 21.
CONTRAST = """element => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = colour => {
    const [r, g, b] = channels(colour).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const clear = colour => channels(colour)[3] === 0;
  let behind = element;
  while (behind.parentElement && clear(getComputedStyle(behind).backgroundColor))
    behind = behind.parentElement;
  const [dim, bright] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
    .map(luminance).sort((a, b) => a - b);
  return (bright + 0.05) / (dim + 0.05);
}"""


class Lab:
    """A JupyterLab server on a folder of its own; notebooks are put there without their outputs."""

    def __init__(self, url: str, root: Path) -> None:
        self.root = root
        base, _, self._token = url.partition("/lab?token=")
        self._base = base
        self._opened = itertools.count(1)

    def put(self, name: str) -> str:
        """Copy one of the project's notebooks and return where it opens.

        Without outputs, so that what a test sees was made while it looked.
        """
        notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        return self._write(notebook, name)

    def put_cells(self, *sources: str) -> str:
        """Write a notebook of these code cells and return where it opens."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        return self._write(notebook, "cells.ipynb")

    def _write(self, notebook: nbformat.NotebookNode, name: str) -> str:
        folder = str(next(self._opened))  # a path that was open before would share its kernel
        (self.root / folder).mkdir()
        nbformat.write(notebook, self.root / folder / name)
        return f"{self._base}/doc/tree/{folder}/{name}?token={self._token}&reset"

    def stop_kernels(self) -> None:
        """End the kernels that pages have left behind."""
        with requests.Session() as http:
            http.trust_env = False
            http.headers["Authorization"] = f"token {self._token}"
            for kernel in http.get(f"{self._base}/api/kernels", timeout=10).json():
                http.delete(f"{self._base}/api/kernels/{kernel['id']}", timeout=30)


@contextmanager
def serve_lab(folder: Path, environ: Mapping[str, str]) -> Iterator[Lab]:
    """Run a JupyterLab that knows nothing of the user's settings, kernels and sessions."""
    root = folder / "root"
    root.mkdir()
    for name, settings in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    places = {
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "IPYTHONDIR": folder / "ipython",
        "CLOPOS_NB_CACHE_DIR": folder / "cache",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    with subprocess.Popen(
        [*command, f"--ServerApp.root_dir={root}"],
        env={**environ, **{name: str(path) for name, path in places.items()}},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Lab(_url_in(process), root)
        finally:
            process.terminate()  # kernels go with it


def _url_in(process: subprocess.Popen[str]) -> str:
    """Return the address that the server says it is at, once it does."""
    log = process.stderr
    assert log is not None
    too_late = Timer(STARTS_WITHIN_S, process.kill)
    too_late.start()
    said = []
    for line in log:
        said.append(line)
        if "http://127.0.0.1" in line and "/lab?token=" in line:
            too_late.cancel()
            Thread(target=log.read, daemon=True).start()  # a full pipe would stop the server
            return line[line.index("http://") :].strip()
    raise AssertionError("JupyterLab did not start:\n" + "".join(said))


class Notebook:
    """A notebook that is open in a page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url, wait_until="domcontentloaded")
        self.panel = page.locator(".jp-NotebookPanel")
        # Not the notebook's own indicator: it says idle before there is a kernel, and cells that
        # are run then are not run at all.
        status = page.locator("#jp-main-statusbar")
        expect(status).to_contain_text("| Idle", timeout=STARTS_WITHIN_S * 1000)
        self.code_cells = self.panel.locator(".jp-CodeCell")
        self.outputs = self.panel.locator(".jp-OutputArea-output")

    def run_all(self) -> None:
        """Run every cell, from the menu, and wait until the last is done; none may fail."""
        self.panel.locator(".jp-Notebook").click(position={"x": 5, "y": 5})
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        prompts = self.code_cells.locator(".jp-InputPrompt")
        last = prompts.last.filter(has_text=f"[{prompts.count()}]:")
        failed = self.outputs.filter(has_text="Traceback (most recent call last)")
        expect(last.or_(failed)).to_be_visible(timeout=RUNS_WITHIN_MS)
        expect(failed).to_have_count(0)

    def output(self, number: int) -> Locator:
        """Return what a code cell shows; the first is 1."""
        return self.code_cells.nth(number - 1).locator(".jp-OutputArea-output")

    def show_whole(self) -> None:
        """Make the window as high as the notebook, so that a picture holds all of it."""
        cells = self.panel.locator(".jp-Cell")
        height = sum(cells.evaluate_all("cells => cells.map(cell => cell.offsetHeight)"))
        self.page.set_viewport_size({"width": 1200, "height": height + 200})
        self.panel.locator(".jp-WindowedPanel-outer").evaluate("e => e.scrollTo(0, 0)")


def contrast(element: Locator) -> float:
    """Return how far an element's text stands out from its background; 4.5 is readable."""
    return element.evaluate(CONTRAST)
