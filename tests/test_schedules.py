"""The examples in docs/schedules do what their comments say, as far as one machine can try them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_reporting import make_notebook

from copilot_analytics import samples
from copilot_analytics.errors import EXIT_CODES

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schedules"
NOTEBOOKS = FOLDER.parents[1] / "notebooks"
ORG = "organization:octo-org"


@pytest.fixture
def fake(tmp_path):
    """A copilot-analytics that ends with one code after the other, and notes how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(*codes):
        (tmp_path / "codes").write_text("".join(f"{code}\n" for code in codes))
        path = folder / "copilot-analytics"
        path.write_text(
            f'#!/bin/sh\ncd "{tmp_path}"\necho "$@" >>calls\necho "what happened"\n'
            "code=$(head -n 1 codes)\nsed -i 1d codes\nexit $code\n"
        )
        path.chmod(0o700)
        return {"PATH": f"{folder}:/usr/bin:/bin", "ORG": "octo-org", "PAUSE": "0"}

    return make


# --- GitHub Actions -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load((FOLDER / "github-actions.yml").read_text(encoding="utf-8"))


def test_the_workflow_is_one_job_that_may_only_read(workflow):
    assert set(workflow) == {"name", True, "permissions", "concurrency", "jobs"}  # True is "on"
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert all(re.search(r"@v\d+$", step["uses"]) for step in job["steps"] if "uses" in step)
    assert [step for step in job["steps"] if "secrets." in str(step)] == [report_step(workflow)]


def report_step(workflow):
    (step,) = [s for s in workflow["jobs"]["report"]["steps"] if s.get("name") == "Sync and report"]
    return step


@pytest.mark.parametrize(
    ("codes", "expected", "calls", "said"),
    [
        ([0], 0, 1, ""),
        ([3], 0, 1, "::warning::"),
        ([4], 4, 1, "::error::"),
        ([15, 20, 0], 0, 3, ""),
        ([14, 14, 14], 14, 3, "::error::"),
        *(([code], code, 1, "::error::") for code in (1, 2, 10, 12, 13, 16, 17, 18, 19)),
    ],
)
def test_the_workflow_acts_on_every_exit_code_f214_f215(
    workflow, fake, tmp_path, codes, expected, calls, said
):
    """As the runner does it: bash -e, and nothing but what the step is given."""
    script = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]
    done = subprocess.run([*script, report_step(workflow)["run"]], env=fake(*codes), cwd=tmp_path,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == expected
    assert (tmp_path / "calls").read_text().splitlines() == [
        "report --org octo-org --max-age 5 --quiet"
    ] * calls
    assert said in done.stdout
    assert bool(re.search("::(error|warning)::", done.stdout)) == bool(said)


def test_the_examples_know_every_exit_code():
    """A code that is added has to be thought of here."""
    heals, published, stopped = {11, 14, 15, 20}, {0, 3, 4}, {130, 143}
    act = set(EXIT_CODES) - heals - published - stopped
    assert act == {1, 2, 10, 12, 13, 16, 17, 18, 19}
    service = (FOLDER / "copilot-analytics.service").read_text()
    prevented = re.search(r"RestartPreventExitStatus=(.+)", service)[1].split()
    assert set(map(int, prevented)) == act | published - {0}


# --- cron -----------------------------------------------------------------------------------------


def run_as_cron(arguments, environment, **options):
    """Nothing but what cron sets: no terminal, no input, a small environment."""
    return subprocess.run(["/bin/sh", *map(str, arguments)], env=environment, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          **options)  # fmt: skip


def test_cron_hears_only_what_a_person_has_to_know_f215(fake, tmp_path):
    codes = [0, 15, 15, 15, 0, 3, 12, 4]
    heard = [False, False, False, True, False, False, True, True]
    environment = fake(*codes)
    for code, is_heard in zip(codes, heard, strict=True):
        done = run_as_cron([FOLDER / "report.sh", tmp_path, "--org", "octo-org"], environment)
        assert done.returncode == code
        assert bool(done.stdout) == is_heard, (code, done.stdout)
        assert ("what happened" in done.stdout) == is_heard
        assert done.stderr == ""
    assert (tmp_path / "calls").read_text().startswith("report --org octo-org --quiet\n")
    assert (tmp_path / "report.log").stat().st_mode & 0o777 == 0o600


def test_a_report_without_home_language_or_output_f216(tmp_path):
    """Under the real program: no HOME, no LANG, no terminal, and stdout closed."""
    make_notebook(tmp_path / "own.ipynb")
    (tmp_path / "files").mkdir()
    samples.write(
        tmp_path / "files", samples.Company(people=20, days=1), [ORG], reports=["users-1-day"]
    )
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "copilot-analytics"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m copilot_analytics "$@"\n')
    program.chmod(0o700)
    code = "import copilot_analytics as ca; print(ca.__path__[0])"
    package = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "PYTHONPATH": str(Path(package).parent),
    }
    script = f'"{FOLDER}/report.sh" . --archive files --notebook own.ipynb >&-'
    done = run_as_cron(["-c", script], environment, cwd=tmp_path)
    log = (tmp_path / "report.log").read_text(encoding="ascii")
    assert (done.returncode, done.stderr) == (0, ""), log
    assert list((tmp_path / "reports").glob("*/*/index.html"))
    assert len(log.splitlines()) == 1
    assert log.startswith("Report: ")


def test_the_crontab_has_settings_and_one_job():
    lines = (FOLDER / "crontab").read_text(encoding="ascii").splitlines()
    jobs = [line for line in lines if not re.match(r"#|[A-Z_]+=", line)]
    assert len(jobs) == 1
    assert re.match(r"\d+ [\d,]+ \* \* \* /\S+/report\.sh /", jobs[0])


# --- systemd --------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")
def test_systemd_has_nothing_to_say_about_the_units(tmp_path):
    for name in ("copilot-analytics.service", "copilot-analytics.timer"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


# --- papermill ------------------------------------------------------------------------------------


def test_papermill_alone_runs_a_notebook_and_its_page_can_be_made(tmp_path):
    """The commands of README.md, with other files and another day."""
    samples.write(
        tmp_path / "archive", samples.Company(people=30, days=3), [ORG], reports=["users-1-day"]
    )
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    block = re.search(r"(?ms)^## papermill alone.*?```\n(.*?)```", text)[1].splitlines()
    papermill, nbconvert = (line.split() for line in block[1:])
    environment = {**os.environ, "PYTHONPATH": str(NOTEBOOKS.parent)}
    for command in (papermill, nbconvert):
        module = {"papermill": ["papermill"], "jupyter": ["jupyter"]}[command[0]]
        arguments = [argument.replace("notebooks/", f"{NOTEBOOKS}/") for argument in command[1:]]
        done = subprocess.run(
            [sys.executable, "-m", *module, *arguments], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "adoption.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page
    assert "20 November 2026" in page
