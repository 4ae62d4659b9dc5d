"""A real JupyterLab and a real browser, in the light and the dark theme.

``open_notebook("01_quickstart.ipynb")`` opens one of the project's notebooks, ``open_cells("...")``
one made of these cells, ``tab`` is an empty page for anything else. Each test that asks for one of
them runs in both themes, fails on any error in the page, and leaves a picture in
``build/screenshots``.

The browser is the Chromium of the machine. Where there is none the tests are skipped, unless
``REQUIRE_BROWSER`` is set, as ``.ci/run`` does.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import Lab, Notebook, serve_lab
from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
WINDOW = {"width": 1200, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "no browser: " + ", ".join(BROWSERS) + " are not on the path"
        (pytest.fail if "REQUIRE_BROWSER" in os.environ else pytest.skip)(reason)
    return found


@pytest.fixture(scope="session")
def server(
    chromium: str, no_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    with serve_lab(tmp_path_factory.mktemp("lab"), os.environ) as lab:
        yield lab


@pytest.fixture
def lab(server: Lab) -> Iterator[Lab]:
    yield server
    server.stop_kernels()


@pytest.fixture(scope="module")  # Playwright's loop, while it runs, is in the way of nbval's
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A root user, as in containers, has no sandbox; all pages are our own.
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def tab(browser: Browser, theme: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Yield an empty page; leave a picture of it, and fail if it met an error."""
    context = browser.new_context(color_scheme=theme, viewport=WINDOW)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    page.screenshot(path=PICTURES / f"{name}.png")
    context.close()
    assert errors == []


@pytest.fixture
def open_notebook(lab: Lab, tab: Page) -> Callable[[str], Notebook]:
    return lambda name: Notebook(tab, lab.put(name))


@pytest.fixture
def open_cells(lab: Lab, tab: Page) -> Callable[..., Notebook]:
    return lambda *sources: Notebook(tab, lab.put_cells(*sources))
