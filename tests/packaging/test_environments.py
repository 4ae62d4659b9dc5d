"""conda's and Binder's environments say what pyproject.toml says, in conda's own grammar."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ["environment.yml", "binder/environment.yml"]
OURS = {"python", "pip"}  # conda's own; pip does not ask for them
NOT_COPIED = {".git", ".venv", "clopos-demo", "__pycache__"}


def environment(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def conda_specs(name: str) -> list[str]:
    return [entry for entry in environment(name)["dependencies"] if isinstance(entry, str)]


def pip_requirements() -> dict[str, SpecifierSet]:
    """Return what a notebook user installs: the package and its ``lab`` extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = project["dependencies"] + project["optional-dependencies"]["lab"]
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, texts)}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_bounds_are_those_of_pyproject(name):
    conda = {
        canonicalize_name(r.name): r.specifier
        for r in map(Requirement, (s for s in conda_specs(name) if not s.startswith("python=")))
    }
    assert {n: s for n, s in conda.items() if n not in OURS} == pip_requirements()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_entries_are_in_condas_grammar(name):
    specs = [MatchSpec(spec) for spec in conda_specs(name)]
    assert len(specs) > len(OURS)
    assert environment(name)["channels"] == ["conda-forge"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_python_is_pinned_to_a_version_we_support(name):
    # Binder takes 3.10 for anything but "python=3.X".
    (pin,) = [spec for spec in conda_specs(name) if spec.startswith("python")]
    assert re.fullmatch(r"python=3\.(11|12|13)", pin)


def test_conda_installs_the_clone_itself():
    assert {"pip": ["-e ."]} in environment("environment.yml")["dependencies"]


def test_binder_builds_from_its_own_folder(tmp_path):
    """Repo2docker, without building: which files it reads, and which Python it takes."""
    copy = tmp_path / "clone"
    shutil.copytree(ROOT, copy, ignore=lambda _, names: NOT_COPIED.intersection(names))
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "python=3.12" in done.stderr
    assert "unspecified" not in done.stderr
    dockerfile = done.stdout
    assert re.search(r'env update .*"?binder/environment\.yml', dockerfile)
    assert "./binder/postBuild" in dockerfile
    assert "pip install --no-cache-dir ." not in dockerfile


def test_binder_installs_the_clone_without_resolving_again():
    script = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    assert "pip install --no-deps --editable ." in script
