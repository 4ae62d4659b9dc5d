"""What holds for every test: no settings of the machine's user, no cache of theirs, no warning."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # Who expects a warning says so with pytest.warns; a frame that is not complete fails a test.
    config.addinivalue_line("filterwarnings", "error::clopos_nb.errors.CloposWarning")


@pytest.fixture(scope="session", autouse=True)
def no_settings() -> Iterator[None]:
    """Forget the settings of whoever runs the tests, for sessions that live as long as the run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CLOPOS_")]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def clean_environ(no_settings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a cache directory and a key of its own; what it sets is undone after it."""
    monkeypatch.setenv("CLOPOS_NB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CLOPOS_NB_PSEUDONYM_KEY", str(tmp_path / "pseudonyms.key"))
