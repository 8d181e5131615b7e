"""The pages in docs/ that are made from the package are up to date and complete."""

import html
import inspect
import re
import runpy
import sys
from functools import cache
from pathlib import Path

import mistune
import pytest
from test_metrics_engines import CALLS

from copilot_analytics import catalogue, metrics
from copilot_analytics.display.docstrings import described

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))  # where its modules find each other, as when the command runs

import fields_page  # noqa: E402
import generate  # noqa: E402
import markup  # noqa: E402

PAGES = generate.PAGES
METRICS = {name: getattr(metrics, name) for name in metrics.__all__}
METRICS = {name: metric for name, metric in METRICS.items() if callable(metric)}


@cache
def page(name: str) -> str:
    return PAGES[name]()


@cache
def section(heading: str) -> str:
    """The part of the page on fields from one heading to the next of the same kind."""
    level = heading.split()[0]
    return re.split(rf"^{level} ", page("fields.md").split(f"{heading}\n", 1)[1], flags=re.M)[0]


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_what_the_package_says(name):
    stored = (DOCS / name).read_text(encoding="utf-8") if (DOCS / name).exists() else ""
    assert stored == page(name), f"docs/{name} is out of date: run `make docs`"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_the_same_each_time(name):
    assert PAGES[name]() == page(name)


def test_the_command_writes_every_page(tmp_path):
    copy = tmp_path / "generate.py"
    copy.write_bytes((DOCS / "generate.py").read_bytes())
    runpy.run_path(str(copy), run_name="__main__")
    assert {path.name for path in tmp_path.glob("*.md")} == set(PAGES)
    for name in PAGES:
        assert (tmp_path / name).read_text(encoding="utf-8") == page(name)


@pytest.mark.parametrize("table", catalogue.all_tables().values(), ids=lambda table: table.name)
def test_each_table_has_its_columns_with_what_they_mean(table):
    reading = section("## How to read it")
    own = section(f"### {table.name}").split("\n## ")[0]
    assert f"A row is {table.grain}" in own
    for field in table.columns:
        (line,) = re.findall(rf"^\| `{field.column}`<br>.*$", own + reading, re.MULTILINE)
        is_common = field.column in fields_page.COMMON  # as old as each report
        for fact in (field.type, field.label, "" if is_common else str(field.since or "")):
            assert fact in line
        assert ("*personal*" in line) == field.is_personal
        assert ("*retired" in line) == field.is_retired
        assert ("nullable" in line) == field.is_nullable
        assert (f"| no: {field.additive} |" in line) == (field.additive not in ("yes", "no"))
        assert ("| yes |" in line) == (field.additive == "yes")
        assert field.path.rsplit("[]")[-1] in line
    for container in table.containers:
        assert f"| `{container.path}`<br>" in own


def test_endpoints_changes_versions_and_names_are_there():
    for endpoint in catalogue.all_endpoints():
        assert f"| `{endpoint.path.rsplit('/reports/')[-1]}` |" in section("## Endpoints")
    for change in catalogue.changes().itertuples():
        (line,) = re.findall(
            rf"^- .*{re.escape(change.label)}\b.*\(.*$", _changes(change.day), re.M
        )
        assert change.source in line
        assert ("**Break: " in line) == change.is_series_break
    for row in catalogue.client_versions().itertuples():
        assert f"| {row.client_version} | {row.extension_version} |" in section(
            "## Client versions"
        )
    for name in catalogue.names().itertuples():
        assert f"`{name.value}`" in section(f"### {name.dimension}") or not name.value


def _changes(day) -> str:
    lines = section("## Changes and series breaks").splitlines()
    return "\n".join(line for line in lines if line.startswith(f"- {day:%Y-%m-%d} "))


def shown(markdown: str) -> str:
    """The text that a reader sees."""
    page = mistune.create_markdown(plugins=["table"])(markdown)
    return html.unescape(re.sub(r"<[^>]+>", "", page)).strip()


@pytest.mark.parametrize("name", PAGES)
def test_every_table_of_a_page_is_rendered_as_one(name):
    without_code = re.sub(r"(?ms)^```.*?^```$", "", page(name))
    assert "| " not in shown(without_code)
    for block in re.findall(r"(?:^\|.*\n)+", without_code, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_no_text_of_the_catalogue_is_taken_for_markdown():
    text = shown(page("fields.md"))
    for frame in (catalogue.fields(), catalogue.containers(), catalogue.changes()):
        assert all(meaning in text for meaning in frame["meaning"])
    odd = "*a* |b| <c> [d](e)"
    assert shown(markup.plain(odd)) == odd


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_headings(name):
    headings = re.findall(r"^#+ (.+)$", page(name), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}
    assert len(anchors) == len(headings)
    assert set(re.findall(r"\]\(#([^)]+)\)", page(name))) <= anchors


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_says_what_it_means(name):
    parts = described(METRICS[name])
    for part in ("summary", "question", "returned", "returns", "source", "example"):
        assert getattr(parts, part), f"the docstring of metrics.{name} has no {part}"
    own = page("metrics.md").split(f"\n### {name}\n")[1]
    own = shown(re.split(r"(?m)^##", own)[0])
    texts = [parts.summary, parts.returns, *parts.columns, parts.left_out, parts.source]
    for text in [*texts, *(meaning for _, meaning in parts.parameters)]:
        assert text.replace("`", "") in own
    assert parts.example.splitlines()[0] in own


@pytest.mark.parametrize("name", CALLS)
def test_each_metric_of_frames_says_who_or_what_is_left_out(name):
    assert described(METRICS[name]).left_out, f"metrics.{name} does not say 'Left out: …'"


@pytest.mark.parametrize("name", METRICS)
def test_a_rate_names_its_numerator_and_its_denominator(name):
    parts = described(METRICS[name])
    has_rate = any(re.match(r"``\w*(share|rate)``", column) for column in parts.columns)
    roles = [bool(parts.column(role)) for role in ("numerator", "denominator")]
    assert not has_rate or all(roles), f"metrics.{name} names no numerator or no denominator"


@pytest.mark.parametrize("name", METRICS)
def test_each_option_of_a_metric_is_described(name):
    listed = {one for names, _ in described(METRICS[name]).parameters for one in names.split(", ")}
    parameters = inspect.signature(METRICS[name]).parameters.values()
    given = {str(one) if one.kind is one.VAR_KEYWORD else one.name for one in parameters}
    assert listed == given
