"""What is installed and shipped: floors, locks, the same bytes twice, no network, the SBOM."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
DECLARED = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
ADVISORY = r"CVE-\d{4}-\d+|GHSA(?:-\w{4}){3}"
BUILT = {".git", ".venv", ".venv-oldest", ".venv-newest", "build", "dist", "mutants", "clopos-demo"}


def requirements(*groups: str) -> list[Requirement]:
    """Return what the package, its extras and the named dependency groups ask for."""
    told = tomllib.loads(DECLARED)
    texts = [*told["project"]["dependencies"], *told["build-system"]["requires"]]
    for extra in told["project"]["optional-dependencies"].values():
        texts += extra
    for group in groups:
        texts += [entry for entry in told["dependency-groups"][group] if isinstance(entry, str)]
    return [Requirement(text) for text in texts]


# -- floors


def advised() -> dict[str, tuple[str, list[str]]]:
    """Return package -> floor and advisories, of the first table of floors in SECURITY.md."""
    table = SECURITY.split("## Floors")[1].split("Reported by scanners")[0]
    rows = re.findall(r"^\| ([\w-]+) \| ([\d.]+) \| ([^|]+) \|", table, re.MULTILINE)
    return {
        canonicalize_name(name): (floor, re.findall(ADVISORY, ids)) for name, floor, ids in rows
    }


@pytest.mark.parametrize("package", sorted(advised()))
def test_a_floor_that_an_advisory_set_is_the_floor_wherever_the_package_is_asked_for(package):
    floor, advisories = advised()[package]
    asked = [r for r in requirements("test", "lint") if canonicalize_name(r.name) == package]
    assert advisories
    assert {str(requirement.specifier) for requirement in asked} == {f">={floor}"}


def test_every_advisory_that_pyproject_names_is_explained():
    assert set(re.findall(ADVISORY, DECLARED)) <= set(re.findall(ADVISORY, SECURITY))


# -- locks


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Return package -> version and number of hashes, of a file of locked releases."""
    entries = re.split(r"\n(?=\S)", (ROOT / ".ci" / name).read_text(encoding="utf-8").strip())
    found = {}
    for entry in entries:
        if not entry.startswith("#"):
            package, version = re.match(r"([\w.-]+)==([\w.!+]+)", entry).groups()
            found[canonicalize_name(package)] = (version, len(re.findall("--hash=sha256:", entry)))
    return found


@pytest.mark.parametrize("name", ["locked.txt", "oldest.txt"])
def test_every_locked_release_has_the_hashes_of_its_files(name):
    releases = locked(name)
    assert len(releases) > 40
    assert [package for package, (_, hashes) in releases.items() if not hashes] == []


@pytest.mark.parametrize("name", ["locked.txt", "oldest.txt"])
def test_no_lock_says_where_files_come_from(name):
    # Which registry or mirror to ask is the business of the machine that installs.
    text = (ROOT / ".ci" / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@ file", text)


def test_what_is_locked_is_what_pyproject_asks_for():
    """When this fails, run `make lock`."""
    releases = locked("locked.txt")
    for asked in requirements("oldest", "test", "lint", "release"):
        version, _ = releases[canonicalize_name(asked.name)]
        assert asked.specifier.contains(version), f"{asked} is locked at {version}"


def test_the_oldest_lock_holds_the_floors():
    """When this fails, run `make lock`."""
    releases = locked("oldest.txt")
    for text in tomllib.loads(DECLARED)["project"]["dependencies"]:
        asked = Requirement(text)
        version, _ = releases[canonicalize_name(asked.name)]
        (floor,) = asked.specifier
        assert asked.specifier.contains(version)
        assert version.startswith(floor.version), f"{asked} is tested at {version}"


# -- builds


@pytest.fixture(scope="module")
def builds(tmp_path_factory) -> list[dict[str, bytes]]:
    """Build twice, in folders of different names whose files are of different age and modes."""
    made = []
    for name, when, mode in (
        ("here", 1_000_000_000, 0o644),
        ("there/and/deeper", 1_700_000_000, 0o640),
    ):
        copy = tmp_path_factory.mktemp("build") / name
        shutil.copytree(
            ROOT,
            copy,
            ignore=lambda _, names: {n for n in names if n in BUILT or "cache" in n},
        )
        for path in copy.rglob("*"):
            if path.is_file():
                os.utime(path, (when, when))
                path.chmod(mode)
        subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", "--outdir", copy / "dist", copy],
            env=os.environ | {"SOURCE_DATE_EPOCH": "1767225600", "PIP_NO_INDEX": "1"},
            check=True,
            capture_output=True,
            timeout=120,
        )
        made.append({path.name: path.read_bytes() for path in (copy / "dist").iterdir()})
    return made


def test_wheel_and_source_archive_are_the_same_bytes_wherever_they_are_built(builds):
    one, other = builds
    assert sorted(name.rsplit(".", 1)[1] for name in one) == ["gz", "whl"]
    assert one == other


# Without a network there is not even a loopback.
LONELY = """
import socket
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError as error:
    print(error.strerror)
"""
OFFLINE = ["unshare", "--net", "--map-root-user"]


@pytest.fixture
def offline() -> list[str]:
    """Return the beginning of a command that runs without a network."""
    try:
        alone = subprocess.run(
            [*OFFLINE, sys.executable, "-c", LONELY], capture_output=True, text=True, timeout=30
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if alone.returncode:
        pytest.skip("this user may not make a network namespace")
    assert alone.stdout == "Network is unreachable\n"
    return OFFLINE


def test_install_and_import_need_no_network(builds, offline, tmp_path):
    (wheel,) = (name for name in builds[0] if name.endswith(".whl"))
    (tmp_path / wheel).write_bytes(builds[0][wheel])
    installed = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet"]
    subprocess.run(
        [*offline, *pip, "--target", installed, tmp_path / wheel], check=True, timeout=60
    )
    told = subprocess.run(
        [*offline, sys.executable, "-c", "import clopos_nb; print(clopos_nb.__file__)"],
        env=os.environ | {"PYTHONPATH": str(installed)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.stdout.strip() == str(installed / "clopos_nb" / "__init__.py")


# -- the SBOM


@pytest.fixture(scope="module")
def sbom(tmp_path_factory) -> dict[str, Any]:
    """Write an SBOM as `make release` does, of the packages that run these tests."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    path = tmp_path_factory.mktemp("sbom") / "sbom.json"
    given = [f"SBOM={path}", f"SBOM_OF={sys.executable}", f"BIN={Path(sys.executable).parent}"]
    given.append("ARGS=--no-validate")  # against the schema, which takes longer than the rest
    make = ["make", "-C", ROOT, "-o", "build/locked/.made", "-o", ".venv/.test", "sbom", *given]
    subprocess.run(make, check=True, capture_output=True, timeout=120)
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_sbom_names_this_release_and_what_it_needs(sbom):
    project = sbom["metadata"]["component"]
    version = re.search(
        r'"(.+)"', (ROOT / "clopos_nb" / "__init__.py").read_text().split("__version__ =")[1]
    )
    assert (project["name"], project["version"]) == ("clopos_nb", version[1])
    (needs,) = (d["dependsOn"] for d in sbom["dependencies"] if d["ref"] == project["bom-ref"])
    named = {canonicalize_name(ref.split("==")[0]) for ref in needs}
    core = tomllib.loads(DECLARED)["project"]["dependencies"]
    assert {canonicalize_name(Requirement(text).name) for text in core} <= named


def test_the_sbom_tells_nothing_of_the_machine_that_made_it(sbom):
    text = json.dumps(sbom)
    assert not re.search(r"file:|/simple|index-url", text)
    for place in (ROOT, Path.home(), Path(sys.prefix)):
        assert f"{place}/" not in text
