"""Every code block of the documentation runs, and the site is built without a warning.

The blocks of a page share one namespace and one folder. In the folder are the archive of the
sample company, which lacks the last days, and files as GitHub's page exports them. GitHub is the
sample server, and today is the sample's today.
"""

from __future__ import annotations

import doctest
import glob
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from click.testing import CliRunner
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from test_reporting import make_notebook

import copilot_analytics as ca
from copilot_analytics import errors, reporting, samples
from copilot_analytics.cli import cli
from copilot_analytics.cli import reporting as cli_reporting
from copilot_analytics.cli.shared import Output
from copilot_analytics.client import Client, Settings
from copilot_analytics.metrics.checks import CHECKS
from copilot_analytics.samples import Company, SampleServer, write

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
# Made from the package, whose docstrings are tried where they stand.
MADE = [DOCS / name for name in ("fields.md", "metrics.md", "benchmarks.md")]
PAGES = [ROOT / "README.md", *sorted(set(DOCS.glob("**/*.md")) - set(MADE))]
RUN, SHOWN = ("python", "console"), ("text", "ini", "yaml", "html", "{toctree}", "{eval-rst}")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
DAYS = 21
COMPANY = Company(people=60, days=DAYS)
# The notebooks have tests of their own; a small one shows as well that a command works.
SETUP = """\
import copilot_analytics as ca
from copilot_analytics import display
tables = ca.open_tables(archive, scope=scope, start=start, end=end, team=team)
period = display.period(tables, start=start, end=end, scope=scope)
"""
PUBLISHED = "reports/organization-octo-org/2026-11-20"
SYNCED = date(2026, 11, 18)  # the days after it are still to be fetched


@pytest.fixture(scope="module")
def server():
    with SampleServer(COMPANY) as server:
        yield server


@pytest.fixture(scope="module")
def start(server, tmp_path_factory):
    """The folder that every page begins with."""
    folder = tmp_path_factory.mktemp("start")
    settings = Settings.from_environment(server.environ, clock=lambda: COMPANY.now)
    archive = ca.Archive(folder / "archive", clock=lambda: COMPANY.now)
    with Client(settings) as client:
        days = {"since": COMPANY.start_day, "until": SYNCED}
        ca.sync(archive, org="octo-org", client=client, **days)
    exports = ("organization-28-day", "users-28-day")
    for path in write(folder, COMPANY, COMPANY.scopes[:1], reports=exports):
        (folder / "downloads").mkdir(exist_ok=True)
        path.rename(folder / "downloads" / path.name)
    shutil.rmtree(folder / "organization-octo-org")
    write_lists(folder, archive.tables().users["user_login"].drop_duplicates().sort_values())
    return folder


def write_lists(folder: Path, logins: pd.Series) -> None:
    """Write lists that a company has beside the reports: six licences have never been used."""
    seats = pd.DataFrame({"user_login": [*logins, *(f"newcomer-{n}" for n in range(6))]})
    seats["created_at"] = "2026-01-15T08:00:00Z"
    seats.loc[::8, "created_at"] = "2026-11-09T08:00:00Z"
    seats.to_csv(folder / "seats.csv", index=False)
    names = ("Research", "Sales", "Support") * len(logins)
    departments = pd.DataFrame({"user_login": logins, "department": names[: len(logins)]})
    departments.to_csv(folder / "departments.csv", index=False)


@pytest.fixture
def folder(start, server, tmp_path, monkeypatch, request):
    """A page's folder, at the time and with the GitHub of the sample company."""
    shutil.copytree(start, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name, value in {**server.environ, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    connect, notebook = Output.client, make_notebook(tmp_path / "adoption.ipynb", setup=SETUP)
    clock = {"clock": lambda: COMPANY.now}
    monkeypatch.setattr(Output, "client", lambda self, **given: connect(self, **clock, **given))
    monkeypatch.setattr(samples, "Company", lambda: Company(people=24, days=3))  # of --sample
    monkeypatch.setitem(ca.Archive.__init__.__kwdefaults__, "clock", clock["clock"])
    monkeypatch.setattr(reporting.reports, "find_notebooks", lambda names=None: [notebook])
    monkeypatch.setattr(cli_reporting, "FIRST_REPORT_DAYS", DAYS)
    made = reporting.ReportResult(Path(PUBLISHED), 0, {})
    report = reporting.report if "first-report" in request.node.name else None

    def once(*source, **options):
        """Make the first report of one page: kernels take seconds to start."""
        nonlocal report
        make, report = report, None
        return make(*source, **options) if make else made

    monkeypatch.setattr(reporting, "report", once)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # commands replace it
    yield tmp_path
    plt.close("all")


def run_console(example) -> None:
    """Run the commands of a block; what a page prints after one is what the command prints."""
    code = 0
    for block in re.split(r"(?m)^\$ ", example.parsed)[1:]:
        command, _, expected = re.sub(r"\\\n\s*", "", block).partition("\n")
        command = re.split(r"\s{2,}# ", command)[0]
        if command == "echo $?":
            found, code = f"{code}\n", 0
        else:
            assert code == 0, f"exit code {code} before: {command}\n{found}"
            code, found = run(command)
        checker = doctest.OutputChecker()
        if expected.strip() and not checker.check_output(expected, found, FLAGS):
            wanted = doctest.Example(command, expected)
            raise AssertionError(f"{command}\n{checker.output_difference(wanted, found, FLAGS)}")
    assert code == 0, f"exit code {code}: {command}\n{found}"


def run(command: str) -> tuple[int, str]:
    """Run one command; what needs another computer is checked as far as this one can."""
    program, *arguments = shlex.split(command)
    arguments = [name for one in arguments for name in sorted(glob.glob(one)) or [one]]
    if program == "copilot-analytics":
        result = CliRunner().invoke(cli, arguments)
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result.exit_code, result.stderr + result.stdout
    if program == "export":
        return check_setting(*arguments)
    if program == "pip":
        return check_extras(arguments[-1])
    dry = ["make", "--dry-run", "-C", str(ROOT), *arguments] if program == "make" else None
    done = subprocess.run(
        dry or ["bash", "-c", command], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def check_setting(assignment: str) -> tuple[int, str]:
    """Check that a variable is read; setting it would lead away from the sample server."""
    name = assignment.partition("=")[0]
    sources = (ROOT / "copilot_analytics").glob("**/*.py")
    is_read = any(re.search(rf"\b{name}\b", path.read_text("utf-8")) for path in sources)
    is_common = name in ("HTTPS_PROXY", "NO_PROXY")  # requests reads them
    return int(not (is_read or is_common)), f"{name} is not read\n"


def check_extras(requirement: str) -> tuple[int, str]:
    """Check that what is to be installed exists."""
    name, _, extras = requirement.rstrip("]").partition("[")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    known = name in (".", project["name"], "jupyterlab")
    wanted = set(filter(None, extras.split(",")))
    return int(not known or not wanted <= set(project["optional-dependencies"])), requirement


def parse(page: Path) -> Document:
    return Document.parse(
        str(page),
        PythonCodeBlockParser(doctest_optionflags=FLAGS),
        CodeBlockParser("console", run_console),
    )


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def own(pages: list[Path]) -> list[Path]:
    """Those of the pages that are written by hand for the site."""
    return [
        page for page in pages if page.parent.parent == DOCS and page.parent.name != "schedules"
    ]


def languages(page: Path) -> list[str]:
    """The language of each block of a page."""
    return re.findall(r"(?m)^ *```(.*)\n(?:(?! *```).*\n)*^ *```$", page.read_text("utf-8"))


WITH_CODE = [page for page in PAGES if set(languages(page)) & set(RUN)]


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_the_blocks_of_a_page_run(page, folder):
    document = parse(page)
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("page", own(PAGES), ids=name_of)
def test_a_block_that_does_not_run_says_so_by_its_language(page):
    assert set(languages(page)) <= {*RUN, *SHOWN}


def test_few_blocks_do_not_run():
    shown = [one for page in own(PAGES) for one in languages(page) if one in SHOWN[:4]]
    assert len(shown) <= 2


def test_a_wrong_result_a_wrong_code_and_a_wrong_name_are_noticed(folder):
    def block(text):
        return SimpleNamespace(parsed=text)

    run_console(block("$ copilot-analytics verify --archive none\n$ echo $?\n10\n"))
    for wrong in (
        "$ echo one\ntwo\n",
        "$ copilot-analytics verify --archive none\n",
        "$ copilot-analytics verify --archive none\n$ echo two\n",
        "$ copilot-analytics syn\n",
        "$ make rapport\n",
        "$ export COPILOT_ANALYTICS_TOKENS=1\n",
        '$ pip install "copilot-analytics[ducks]"\n',
    ):
        with pytest.raises(AssertionError):
            run_console(block(wrong))


def test_the_readme_counts_what_there_is():
    text = (ROOT / "README.md").read_text("utf-8")
    assert f"{len(CHECKS)} checks of the reports against each other" in text
    assert f"first run fetches {cli_reporting.FIRST_REPORT_DAYS} days" in text


def test_the_table_of_exit_codes_has_every_error():
    table = runpy.run_path(str(DOCS / "conf.py"))["myst_substitutions"]["exit_codes"]
    for code, meaning in errors.EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in table
    for kind in (errors.CopilotAnalyticsError, *errors.CopilotAnalyticsError.__subclasses__()):
        assert re.search(rf"(?m)^\| {kind.exit_code} \|.*`{kind.__name__}`", table)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, without the results of the tutorial, which nbval runs."""
    out = tmp_path_factory.mktemp("site")
    build = ["-m", "sphinx", "-W", "-q", "-D", "nb_execution_mode=off", "-d", str(out / "trees")]
    done = subprocess.run(
        [sys.executable, *build, str(DOCS), str(out / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return out / "html"


def test_the_site_is_built_without_a_warning_and_has_every_page(site):
    for page in {*own(PAGES), *MADE, DOCS / "tutorial.ipynb", DOCS / "index.md"}:
        assert (site / page.relative_to(DOCS)).with_suffix(".html").is_file()


def test_the_site_asks_nobody_for_scripts_fonts_or_images(site):
    for page in site.glob("**/*.html"):
        text = page.read_text(encoding="utf-8")
        found = re.findall(
            r"<(?:script|img|iframe|link)\b[^>]*(?:src|href)=\"(https?:[^\"]*)", text
        )
        assert not found, page


def test_the_reference_has_every_public_name(site):
    text = (site / "reference" / "api.html").read_text(encoding="utf-8")
    modules = ("catalogue", "charts", "display", "errors", "metrics", "privacy")
    for name in set(ca.__all__) - set(modules):
        assert re.search(rf'id="copilot_analytics\.(\w+\.)?{name}"', text)
    for name in cli.commands:
        page = (site / "reference" / "command-line.html").read_text(encoding="utf-8")
        assert f'id="copilot-analytics-{name}"' in page
