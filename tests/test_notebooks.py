"""Report notebooks are thin, keep only figures that are compared, and stand every input."""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from browser import open_browser
from conftest import ndjson, user_record

from copilot_analytics import load, metrics, samples
from copilot_analytics.charts import findings
from copilot_analytics.reporting import rendering
from copilot_analytics.reporting.summaries import merged_period

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
# The explorer is no report: it has no page and no figures.
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.ipynb") if path.stem != "explore"))
PEOPLE = ("adoption", "engagement")  # about people alone: without their records there is no figure
PARAMETERS = {
    "archive": "",
    "scope": "",
    "start": "",
    "end": "",
    "active": "interactions",
    "show_logins": False,
    "minimum_group_size": 5,
    "team": "",
}
MORE = {
    "impact": {
        "event_date": "",
        "treated_team": "",
        "measure": "user_initiated_interaction_count",
    },
}
MARKER = "application/vnd.copilot-analytics.report+json"
CHECKED = "nbval-check-output"
ORG = "organization:octo-org"
PACKAGE = FOLDER.parent / "copilot_analytics"
RULE = "return (nw.col(INTERACTIONS) > 0).fill_null(False)"
LARGEST = 40_000  # bytes: code and words, no pictures


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(book) -> list:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


@pytest.fixture(params=NAMES)
def book(request):
    return read(request.param)


# ------------------------------------------------------------------------------ as they are kept


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_the_declared_plain_values(name):
    """F200, F201: what can be passed is what the cell declares, with values papermill can write."""
    book = read(name)
    (cell,) = [cell for cell in book.cells if "parameters" in tags(cell)]
    assert cell is code_cells(book)[0]
    declared = {
        target.id: ast.literal_eval(line.value)
        for line in ast.parse(cell.source).body
        for target in line.targets
    }
    assert declared == PARAMETERS | MORE.get(name, {})


def test_notebooks_are_thin(book):
    cells = [cell for cell in code_cells(book) if "parameters" not in tags(cell)]
    assert len(cells) <= 12
    assert max(len(cell.source.splitlines()) for cell in cells) <= 8
    assert max(len(line) for cell in cells for line in cell.source.splitlines()) <= 100


def test_notebooks_define_and_decide_nothing(book):
    """Definitions live in the package: no def, no lambda, no loop, no branch, no arithmetic."""
    refused = (
        *(ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.While, ast.If, ast.IfExp),
        *(ast.Try, ast.With, ast.comprehension, ast.BinOp, ast.Compare, ast.BoolOp),
    )
    for cell in code_cells(book):
        found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, refused)]
        assert not found, cell.source


def test_notebooks_import_once_and_only_public_names(book):
    importing = [
        cell
        for cell in code_cells(book)
        if any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(ast.parse(cell.source)))
    ]
    assert importing == [code_cells(book)[1]]
    modules = {
        getattr(node, "module", None) or node.names[0].name
        for node in ast.parse(importing[0].source).body
    }
    assert modules == {"functools", "copilot_analytics"}
    assert not re.search(r"\._\w", "\n".join(cell.source for cell in code_cells(book)))


def test_only_marked_cells_keep_outputs_and_these_are_plain_text(book):
    """R6.7: a notebook without a stored figure would pass every comparison and guard nothing."""
    marked = [cell for cell in code_cells(book) if CHECKED in tags(cell)]
    assert marked
    for cell in marked:
        # F212: with one output on one stream there is no order that could differ.
        assert [(each.output_type, each.name) for each in cell.outputs] == [("stream", "stdout")]
        assert "keep_output" in tags(cell)
    for cell in code_cells(book):
        if cell not in marked:
            assert not cell.outputs
            assert cell.execution_count is None


def test_notebooks_are_small_and_name_nobody(book):
    text = nbformat.writes(book)
    assert len(text.encode()) < LARGEST
    company = samples.Company()
    day = company.end_day
    logins = {record["user_login"] for record in company.records("users-1-day", ORG, day)}
    assert logins
    assert not [login for login in logins if login in text]


def test_every_section_asks_and_the_page_has_one_title(book):
    words = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", words, re.MULTILINE)) == 1
    headings = re.findall(r"^## (.+)", words, re.MULTILINE)
    assert sum(heading.endswith("?") for heading in headings) >= len(headings) - 2
    assert headings[-1] == "Definitions, caveats and provenance"


# ------------------------------------------------------------------------------ as they run

CASES = {
    # name: (parameters, notebooks that it is about)
    "people alone": ({}, NAMES),
    "entity alone": ({}, NAMES),
    "one day": ({}, NAMES),
    "nothing": ({}, NAMES),
    "three people": ({}, PEOPLE),
    "six people": ({"show_logins": True}, ("engagement",)),
    "people and teams": ({}, ("teams",)),
}
# On which input each notebook has most to show.
FULLEST = {**dict.fromkeys(NAMES, "people alone"), "delivery": "entity alone"}
FULLEST["teams"] = "people and teams"
RUNS = [(name, label) for label, (_, about) in CASES.items() for name in about]
COUNTS = ("people", "active_people", "all_people", "active_users", "new", "retained", "returning")
# A share of people: its numerator, and its denominator.
SHARES = (("people", "active_people"), ("retained", "people"), ("people", "all_people"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    """Odd inputs: one kind of report alone, one day, fewer people than a group, nothing."""
    folder = tmp_path_factory.mktemp("inputs")
    month, day = samples.Company(people=40, days=28), samples.Company(people=40, days=1)
    for name, company, reports in (
        ("people alone", month, ["users-28-day"]),
        ("entity alone", month, ["organization-28-day"]),
        ("one day", day, ["users-1-day"]),
        ("people and teams", month, ["users-28-day", "user-teams-1-day"]),
    ):
        samples.write(folder / name, company, [ORG], reports=reports)
    three, six = (
        [user_record(f"2026-11-0{day}", user) for day in (2, 3, 4) for user in range(count)]
        for count in (3, 6)
    )
    empty = {"report_start_day": "2026-11-01", "report_end_day": "2026-11-28", "day_totals": []}
    for name, records in (
        ("three people", three),
        ("six people", six),
        ("nothing", [empty | {"organization_id": "7", "enterprise_id": "3"}]),
    ):
        (folder / name).mkdir()
        (folder / name / "report.ndjson").write_bytes(ndjson(*records))
    return {name: folder / name for name in CASES}


class Runs(dict):
    """Outputs by notebook and input, run in this process: seven kernels would take a minute.

    That kernels run them as well is what nbval shows, on the sample company.
    """

    def __init__(self, inputs):
        super().__init__()
        self.inputs, self.books = inputs, {}

    def __missing__(self, key):
        name, label = key
        values = {"archive": str(self.inputs[label]), **CASES[label][0]}
        self.books[key], names = read(name), {}
        cells = code_cells(self.books[key])
        for cell in cells:
            cell.outputs = []
            names["display"] = partial(show, cell.outputs)
            cell.outputs += run_cell(cell.source, names)
            if "parameters" in tags(cell):
                names |= values
        self[key] = [output for cell in cells for output in cell.outputs]
        return self[key]


def shown_as(value):
    """What a kernel sends for a value that is displayed."""
    return nbformat.v4.new_output("display_data", value._repr_mimebundle_())


def show(outputs: list, *values) -> None:
    outputs.extend(map(shown_as, values))


def run_cell(source: str, names: dict) -> list:
    """Run a cell; what it prints, and its last value, which is sent after what it displayed."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    value, streams = None, {"stdout": io.StringIO(), "stderr": io.StringIO()}
    with redirect_stdout(streams["stdout"]), redirect_stderr(streams["stderr"]):
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    texts = {name: stream.getvalue() for name, stream in streams.items()}
    sent = [
        nbformat.v4.new_output("stream", name=name, text=text)
        for name, text in texts.items()
        if text
    ]
    return sent if value is None else [*sent, shown_as(value)]


@pytest.fixture(scope="module")
def results(inputs) -> Iterator[Runs]:
    """Runs with small lines of two points, each of which takes as long as the headline itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "figure_history", partial(metrics.figure_history, weeks=2))
        yield Runs(inputs)


def words(outputs: list) -> str:
    """What a reader can see: texts, without the data inside pictures and downloads."""
    texts = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs]
    return "\n".join(texts)


def downloads(outputs: list) -> list[pd.DataFrame]:
    """The data behind the charts."""
    pages = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    found = re.findall(r'href="data:text/csv;[^"]*base64,([^"]+)"', pages)
    return [pd.read_csv(io.BytesIO(base64.b64decode(text))) for text in found]


@pytest.mark.parametrize(("name", "label"), RUNS)
def test_every_input_gives_a_whole_page_without_nonsense(results, name, label):
    """F203, F205, F208: no traceback, no NaN, and the marker without which nothing is published."""
    outputs = results[name, label]
    assert [o for o in outputs if MARKER in o.get("data", {})] == outputs[-1:]
    assert outputs[-1]["data"][MARKER]["report"] == name
    nonsense = re.search(r"\b(nan|NaN|NaT|None|inf)\b|<NA>|\{\w*\}", words(outputs))
    assert not nonsense, nonsense
    assert not [o for o in outputs if o.output_type == "stream" and o.name == "stderr"]


MISSING = {
    "adoption": (("entity alone", "nothing"), findings.NO_PEOPLE),
    "engagement": (("entity alone", "nothing"), findings.NO_PEOPLE),
    "teams": (("people alone", "entity alone", "nothing"), findings.NO_TEAMS),
    "delivery": (("people alone", "nothing"), findings.NO_PULL_REQUESTS),
    "credits": (("entity alone", "nothing"), findings.NO_CREDITS),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_said_in_a_sentence(results, name):
    """F203."""
    labels, sentence = MISSING[name]
    for label in labels:
        assert sentence in words(results[name, label]), label


@pytest.mark.parametrize("name", PEOPLE)
def test_records_of_the_whole_alone_are_not_called_no_data(results, name):
    said = words(results[name, "entity alone"][:1])
    assert "There are no records of people here" in said
    assert "There is no data" not in said
    assert "(28 days)" in said
    assert "There is no data for this period." in words(results[name, "nothing"][:1])


@pytest.mark.parametrize("name", PEOPLE)
def test_one_day_is_never_called_a_month(results, name):
    """F205."""
    answer = words(results[name, "one day"][1:2])
    assert "(20 Nov 2026)" in answer
    assert "28 days" not in answer


@pytest.mark.parametrize(("name", "label"), RUNS)
def test_small_groups_are_nowhere_counted(results, name, label):
    """R5.19: not in words, and not in the data behind a chart."""
    outputs = results[name, label]
    figures = next(i for i, o in enumerate(outputs) if o.output_type == "stream")
    assert not re.search(r"\b[1-4] (people|person|new|lost|left)\b", words(outputs[1:figures]))
    for frame in downloads(outputs):
        for column in frame.columns.intersection(COUNTS):
            assert not frame[column].between(1, 4).any(), (column, frame)
        for part, whole in SHARES:  # nor the people who are not among those of a share
            if {part, whole, "share"} <= set(frame):
                rest = frame[whole] - frame[part]
                assert not rest.between(1, 4).any(), (part, frame)


@pytest.mark.parametrize(("name", "label"), RUNS)
def test_logins_are_shown_only_on_request_and_the_page_says_so(results, name, label):
    """R5.17."""
    outputs = results[name, label]
    is_named = (name, label) == ("engagement", "six people")
    assert bool(re.search(r"\blogin-\d\b", everything(outputs))) == is_named
    said = words(outputs[:1])
    assert ("People are named" in said) == (label == "six people"), said


def everything(outputs: list) -> str:
    """All that is published of a run: texts, markup, the marker, and what the pages embed."""
    text = json.dumps(outputs)
    embedded = re.findall(r"base64,([A-Za-z0-9+/=]+)", text)
    return "\n".join([text, *(base64.b64decode(part).decode() for part in embedded)])


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_named_anywhere_in_a_default_run_f187(results, inputs, name):
    """Not in words, markup, alternative texts, pictures or downloads; nor are there ids."""
    users = load(inputs["people alone"]).users
    people = {*users["user_login"], *users["user_id"].astype(str)}
    assert len(people) >= 2 * users["user_id"].nunique()  # a login changes now and then
    found = set(re.findall(r"[\w-]+", everything(results[name, "people alone"])))
    assert not people & found


# ---------------------------------------------------------------------------- as they are read


@pytest.fixture(scope="module")
def pages(results, tmp_path_factory) -> Path:
    """The folder of the pages of all notebooks, each on what it has most to show of."""
    markers = {key[0]: results[key][-1]["data"][MARKER] for key in FULLEST.items()}
    books = {key[0]: results.books[key] for key in FULLEST.items()}
    context = rendering.Context(
        period=merged_period(markers, ORG), markers=markers, banners=[], earlier=[],
        moment=datetime(2026, 11, 22, 9, tzinfo=UTC),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("pages")
    for name, text in rendering.pages(books, context).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.mark.parametrize("name", NAMES)
def test_everybody_can_use_each_page_on_screen_and_phone(browser, pages, name):
    """axe-core, complaints of the browser, and nothing wider than a phone."""
    browser.open(pages / f"{name}.html", dark=name < "e")  # both looks, without twice the time
    assert browser.complaints == []
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert browser.violations() == []
    assert browser.run("document.querySelectorAll('figure img').length") >= 1
    browser.page.set_viewport_size({"width": 390, "height": 844})
    assert browser.run("document.documentElement.scrollWidth - innerWidth") <= 0


# ---------------------------------------------------------------------------- as they are compared


def test_a_figure_that_goes_wrong_in_the_package_is_seen_by_nbval(tmp_path):
    """R6.7, the control: people count as active who sent no prompt at all."""
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / PACKAGE.name / "metrics" / "activity.py"
    text = module.read_text(encoding="utf-8")
    assert text.count(RULE) == 1
    module.write_text(text.replace(RULE, RULE.replace("> 0", ">= 0")), encoding="utf-8")
    book = read("adoption")
    last = next(i for i, cell in enumerate(book.cells) if CHECKED in tags(cell))
    kept = [cell for cell in book.cells[:last] if "chart(" not in cell.source]  # for speed
    for cell in kept:  # for speed as well: all that follows the figures of the headline
        cell.source = cell.source.partition("history =")[0]
    book.cells = [*kept, book.cells[last]]
    nbformat.write(book, tmp_path / "adoption.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval-lax"]
    done = subprocess.run(
        [*command, "--nbval-current-env", "adoption.ipynb"], cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout
    assert "mismatch 'stdout'" in done.stdout
    assert "Active people, last 28 days: 150 people" in done.stdout  # and 129 are stored
