"""The repository keeps its own rules: import layers, dependencies, packaging lists."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def lint(folder: Path) -> subprocess.CompletedProcess:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, ''); {command}", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("errors.py", "", ""),
        ("metrics/code.py", "import copilot_analytics.charts", "A lower layer"),
        ("tidy/schema.py", "from copilot_analytics.client import Client", "A lower layer"),
        ("metrics/code.py", "import requests", "requests"),
        ("unlisted.py", '"""A module that no layer knows."""', "A lower layer"),
    ],
    ids=["as it is", "metrics to charts", "tidy to client", "library", "no layer"],
)
def test_the_import_contracts_hold_and_break_when_they_should(tmp_path, module, line, broken):
    shutil.copytree(ROOT / "copilot_analytics", tmp_path / "copilot_analytics")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "copilot_analytics" / module
    path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")
    done = lint(tmp_path)
    assert (done.returncode == 0) == (not broken), done.stdout + done.stderr
    if broken:
        assert any(
            text.startswith(broken) and text.endswith("BROKEN") for text in done.stdout.splitlines()
        )


def test_every_dependency_has_a_reason_in_its_line():
    text = (ROOT / "pyproject.toml").read_text()
    listed = [line for line in text.splitlines() if line.strip().startswith('"') and ">=" in line]
    assert len(listed) > 15
    assert [line for line in listed if "  # " not in line] == []


def test_f191_floors_exclude_versions_with_known_holes(project):
    floors = dict(one.split(">=") for one in project["project"]["dependencies"])
    assert floors["requests"] == "2.32.4"
    assert floors["urllib3"] == "2.6.3"
    assert floors["nbconvert"] == "7.17.1"


def test_the_conda_environment_points_to_the_package_and_lists_nothing_else(project):
    lines = [line.strip("- ") for line in (ROOT / "environment.yml").read_text().splitlines()]
    dependencies = lines[lines.index("dependencies:") + 1 :]
    assert dependencies[:2] == [f"python{project['project']['requires-python']}", "pip"]
    assert [line for line in dependencies if line.startswith("editable")] == [dependencies[-1]]


def test_help_of_make_names_every_target():
    lines = (ROOT / "Makefile").read_text().splitlines()
    targets = [t for line in lines if line.startswith(".PHONY") for t in line.split()[1:]]
    make = ["make", "-s", "-C", str(ROOT)]
    shown = subprocess.run(make, capture_output=True, text=True, check=True).stdout
    assert [target for target in targets if f"make {target}" not in shown] == []


def test_nothing_generated_is_committed():
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    files = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [
        file
        for file in files
        if file.startswith(("archive", ".venv", "reports/organization", "reports/enterprise"))
        or file.endswith((".parquet", ".ndjson", ".zst", ".sqlite"))
    ] == []
