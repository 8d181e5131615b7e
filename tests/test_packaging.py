"""What is installed is whole: the wheel needs no repository, the lock file no trust."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCKED_EXTRAS = ("app", "duckdb", "excel", "remote")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, code: str) -> str:
    """What Python prints where the wheel is and the repository is not."""
    lines = f"import sys; sys.path.insert(0, {str(installed)!r}); {code}"
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=installed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_the_package_its_data_and_the_notebooks_and_nothing_else(wheel):
    kept = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "copilot_analytics").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    notebooks = {
        f"copilot_analytics/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == kept | notebooks
    assert "copilot_analytics/py.typed" in found


def test_installed_without_the_repository_it_finds_its_notebooks(installed):
    code = "from copilot_analytics.reporting.notebooks import find_notebooks; "
    code += "print(*find_notebooks(None), sep='\\n')"
    found = [Path(line) for line in run(installed, code).splitlines()]
    assert {"adoption", "engagement"} <= {path.stem for path in found}
    assert {path.parent for path in found} == {installed / "copilot_analytics" / "notebooks"}


def test_importing_the_package_imports_no_library(installed):
    heavy = ("pandas", "pyarrow", "matplotlib", "requests", "narwhals", "duckdb", "papermill")
    code = f"import copilot_analytics; print(*sys.modules.keys() & set({heavy!r}))"
    assert run(installed, code) == ""


def test_the_lock_file_pins_every_dependency_inside_its_range_with_digests():
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("--hash=sha256:" in line for line in pins)
    locked = {}
    for line in pins:
        name, version = re.match(r"([\w.-]+)==(\S+)", line).groups()
        locked.setdefault(name.lower(), []).append(version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(d for extra in LOCKED_EXTRAS for d in extras[extra])]
    for requirement in map(Requirement, wanted):
        versions = locked[requirement.name.lower()]
        assert all(requirement.specifier.contains(version) for version in versions), requirement
