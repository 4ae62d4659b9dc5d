"""The explorer as a page of its own, by Voila, as ``make dashboard`` serves it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, Timer

import pytest
from driving import NOTEBOOKS, STARTS_WITHIN_S
from playwright.sync_api import expect

PAGE_WITHIN_MS = 60_000


@pytest.fixture
def dashboard(chromium: str, theme: str, tmp_path: Path) -> Iterator[str]:
    """Serve the notebook in a theme, and yield where."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "voila", str(NOTEBOOKS / "dashboard.ipynb"), "--no-browser"]
    with subprocess.Popen(
        [*command, f"--theme={theme}", f"--port={port}", "--Voila.ip=127.0.0.1"],
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "IPYTHONDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        log = process.stderr
        assert log is not None
        too_late = Timer(STARTS_WITHIN_S, process.kill)
        too_late.start()
        try:
            assert any("is running at" in line for line in log)
            too_late.cancel()
            Thread(target=log.read, daemon=True).start()  # a full pipe would stop the server
            yield f"http://127.0.0.1:{port}/"
        finally:
            too_late.cancel()
            process.terminate()  # its kernel goes with it


def test_the_explorer_is_a_page_without_code(dashboard, tab):
    tab.goto(dashboard, wait_until="domcontentloaded", timeout=PAGE_WITHIN_MS)
    explorer = tab.locator(".clopos")
    explorer.get_by_role("button", name="Load").click(timeout=PAGE_WITHIN_MS)
    expect(explorer.get_by_text("✓ Complete")).to_be_visible(timeout=PAGE_WITHIN_MS)
    expect(explorer.get_by_role("img")).to_be_visible()
    expect(explorer.locator("tbody td").first).to_be_visible()
    expect(tab.get_by_text("session.explore()")).to_have_count(0)
