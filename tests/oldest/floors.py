"""Print the lowest versions that pyproject.toml allows, a pip constraint a line."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def floors() -> list[str]:
    """Return ``name==version`` of each dependency that has a floor."""
    declared = tomllib.loads(PROJECT.read_text())["project"]
    wanted = [*declared["dependencies"], *declared["optional-dependencies"]["plots"]]
    found = []
    for requirement in map(Requirement, wanted):
        (floor,) = [s.version for s in requirement.specifier if s.operator in (">=", "==")]
        found.append(f"{requirement.name}=={floor}")
    return found


if __name__ == "__main__":
    print("\n".join(floors()))
