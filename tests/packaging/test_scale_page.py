"""The arithmetic of a large brand on its page is the script's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def scale(*options: str) -> str:
    """Return the table that the script makes of what was once measured."""
    command = [sys.executable, "benchmarks/scale.py", "--recorded", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split("\n\n")[0]


def test_the_page_shows_what_the_script_works_out():
    assert scale() in (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")


def test_half_the_venues_take_half_the_hours():
    hours = [
        int(line.split("|")[2].split()[0])
        for venues in ("2000", "1000")
        for line in scale("--venues", venues).splitlines()
        if "first fill |" in line
    ]
    assert abs(hours[0] - 2 * hours[1]) <= 1
