"""What is installed is whole: the wheel needs no repository, the lock file no trust."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCKED_EXTRAS = ("app", "duckdb", "excel", "remote")


def build(target: str, source: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(path for path in folder.iterdir() if path.suffix in (".gz", ".whl"))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """The source archive of a release, unpacked."""
    archive = build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory) -> Path:
    """The wheel of a release, which is built from the source archive."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


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


def test_the_source_archive_holds_what_git_does_not_ignore_and_nothing_else(unpacked):
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kept = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    files = (path for path in unpacked.rglob("*") if path.is_file())
    assert {path.relative_to(unpacked).as_posix() for path in files} == kept | {"PKG-INFO"}


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


def test_the_conda_environment_asks_for_a_python_and_for_extras_that_there_are():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line.strip("- ") for line in (ROOT / "environment.yml").read_text().splitlines()]
    assert f"python{project['requires-python']}" in lines
    (extras,) = re.findall(r"^editable \.\[([\w,]+)\]$", lines[-1])
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


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
