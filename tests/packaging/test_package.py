"""The wheel holds the package and nothing else; importing it does nothing but define names."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import clopos_nb

ROOT = Path(__file__).parents[2]

# Run in a fresh process: what does "import clopos_nb" load, write, connect to or start?
IMPORT = """
import sys, threading
touched = []
# Not socket.bind: urllib3 binds one when imported, to see whether there is IPv6.
WRITES = {"socket.connect", "os.mkdir", "os.remove", "os.rename", "subprocess.Popen"}
def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        import_cache = str(path).endswith(".pyc") or ".pyc." in str(path)
        if (mode and set(mode) & set("wax+")) and not import_cache:
            touched.append(str(path))
    elif event in WRITES and "__pycache__" not in str(arguments):
        touched.append(event)
sys.dont_write_bytecode = True
sys.addaudithook(watch)
import clopos_nb
heavy = {"ipywidgets", "itables", "IPython", "matplotlib", "tornado", "deltalake", "filelock",
         "clopos_nb.sandbox", "clopos_nb.store",
         "clopos_nb.snapshots"}
heavy &= set(sys.modules)
print(sorted(heavy), touched, threading.active_count())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> list[str]:
    """Return the names in a wheel built from the repository, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path).namelist()


def test_the_wheel_holds_every_module_and_the_typing_marker(wheel):
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "clopos_nb").rglob("*.py")}
    assert modules <= set(wheel)
    assert "clopos_nb/py.typed" in wheel


def test_the_wheel_holds_nothing_else(wheel):
    version = clopos_nb.__version__
    assert {name.split("/")[0] for name in wheel} == {
        "clopos_nb",
        f"clopos_nb-{version}.dist-info",
    }
    assert not [name for name in wheel if name.endswith((".pyc", ".ipynb", ".key", ".db"))]


def test_the_wheel_has_the_command_and_the_licence(wheel):
    info = [name.split("/", 1)[1] for name in wheel if ".dist-info/" in name]
    assert {"entry_points.txt", "licenses/LICENSE"} <= set(info)


def test_public_names_exist():
    assert {"CloposError", "Session", "demo"} <= set(clopos_nb.__all__)
    for name in clopos_nb.__all__:
        assert getattr(clopos_nb, name) is not None


def test_importing_loads_no_front_end_and_touches_nothing():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split("\n")[0] == "[] [] 1"
