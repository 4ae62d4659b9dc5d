"""conda's and Binder's environments say what pyproject.toml says, in conda's own grammar."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ENVIRONMENTS = ["environment.yml", "binder/environment.yml"]
OURS = {"python", "pip"}  # conda's own; pip does not ask for them
NOT_COPIED = {
    ".git",
    ".venv",
    ".venv-oldest",
    ".venv-newest",
    "build",
    "clopos-demo",
    "mutants",
    "__pycache__",
}


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


def imported(notebook: Path) -> set[str]:
    """Return the packages that a notebook imports, but for Python's own and ours."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    nodes = list(ast.walk(ast.parse(TransformerManager().transform_cell(code))))  # knows magics
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"clopos_nb"}


@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name
)
def test_what_a_tutorial_imports_is_installed_with_it(notebook):
    installed = packages_distributions()
    needs = {canonicalize_name(installed[module][0]) for module in imported(notebook)}
    assert needs <= set(pip_requirements())


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
    assert re.search(r'ENV R2D_ENTRYPOINT=?\W.*binder/start"?$', dockerfile, re.MULTILINE)
    assert "pip install --no-cache-dir ." not in dockerfile


def test_binder_installs_the_clone_without_resolving_again():
    script = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    assert "pip install --no-deps --editable ." in script


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_binder_can_run_its_scripts(name):
    assert os.access(ROOT / "binder" / name, os.X_OK)


def test_binder_serves_with_the_cache_on_disk_off(tmp_path):
    # A session of the sandbox in what Binder starts: it logs in, and leaves no file.
    program = (
        "import clopos_nb, os; from clopos_nb.sandbox import Sandbox\n"
        "with Sandbox(venues=1) as sandbox:\n"
        "    clopos_nb.Session(**sandbox.credentials, base_url=sandbox.url).login()\n"
        "print(os.environ['CLOPOS_NB_CACHE_DIR'], os.listdir(os.environ['HOME']))"
    )
    done = subprocess.run(
        [ROOT / "binder" / "start", sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "off []\n"


def test_the_badge_opens_a_notebook_that_there_is():
    badge = r"mybinder\.org/v2/gh/OWNER/REPO/TAG\?urlpath=lab/tree/(\S+)\)"
    (path,) = re.findall(badge, README.read_text(encoding="utf-8"))
    assert path == "notebooks/01_quickstart.ipynb"
    assert (ROOT / path).is_file()
