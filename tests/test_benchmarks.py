"""The benchmarks compare ways that give the same tables, and refuse those that do not."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import measuring, metrics_ways, reader, users_file
from benchmarks.readers.fingerprint import fingerprint
from copilot_analytics import metrics


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return users_file.users_file(1, tmp_path_factory.mktemp("bench"))


def _figures(function: str, file: Path) -> dict:
    name, function = function.split(":")
    module = importlib.import_module(f"benchmarks.readers.{name}")
    tables = getattr(module, function)(file)
    return fingerprint(getattr(module, "as_compared", lambda tables: tables)(tables))


@pytest.fixture(scope="module")
def ours(file) -> dict:
    return _figures(reader.USUAL_WAYS[reader.OURS], file)


@pytest.mark.parametrize("label", list(reader.USUAL_WAYS)[1:])
def test_every_way_gives_the_same_tables(label, file, ours):
    library = label.split(maxsplit=1)[0].strip(",").lower()
    if library in ("duckdb", "polars"):
        pytest.importorskip(library)
    assert _figures(reader.USUAL_WAYS[label], file) == ours
    assert ours["totals_by_ide"]["rows"] > 0


def test_no_two_generated_records_have_the_same_person_and_day():
    blocks = users_file.cut_to(users_file.copies([b'{"user_id":1,"user_login":"a"}\n']), 160)
    assert b"".join(blocks).splitlines() == [
        b'{"user_id":1,"user_login":"a"}',
        b'{"user_id":100000001,"user_login":"a-1"}',
        b'{"user_id":200000001,"user_login":"a-2"}',
        b'{"user_id":300000001,"user_login":"a-3"}',
    ]


def test_a_damaged_file_is_made_again(tmp_path):
    path = users_file.stored(tmp_path / "file", [b"whole"])
    path.write_bytes(b"who")
    assert users_file.stored(path, [b"whole"]).read_bytes() == b"whole"


def test_the_command_prints_time_memory_and_goals(file):
    arguments = ["--megabytes", "1", "--repeats", "1", "--only", "json_normalize"]
    done = CliRunner().invoke(reader.main, [*arguments, "--folder", str(file.parent)])
    assert done.exit_code == 0, done.output
    for text in ("median s", "peak MB", "json.loads + json_normalize", reader.PLAIN, "goal: 20"):
        assert text in done.output


def test_a_way_whose_library_is_missing_is_left_out(file):
    said = []
    gone = measuring.Contender("gone", "no_such_library:read", file)
    assert measuring.compare([gone], 1, reader.FINGERPRINT, said.append) == []
    assert said == ["gone: left out, no_such_library is not installed"]


def test_a_result_with_other_figures_is_refused(file):
    part = measuring.Contender("part", "benchmarks.readers.ours:users_only", file, is_partial=True)
    (measured,) = measuring.compare([part], 1, reader.FINGERPRINT, lambda text: None)
    found = measured.runs[0].fingerprint
    expected = {**found, "totals_by_ide": {}}
    measuring.check(part, found, expected)
    with pytest.raises(measuring.Failed, match="part has no totals_by_ide"):
        measuring.check(replace(part, is_partial=False), found, expected)
    with pytest.raises(measuring.Failed, match="part: rows of users is [0-9]+, where 0 was"):
        measuring.check(part, found, {"users": {**found["users"], "rows": 0}})


def test_figures_replace_those_of_their_section_only(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- a: begin -->\nold\n<!-- a: end -->\n\nThe rest.\n")
    measuring.save_section(page, "a", "fresh")
    measuring.save_section(page, "b", "more")
    assert page.read_text() == (
        "# Title\n\n<!-- a: begin -->\nfresh\n<!-- a: end -->\n\nThe rest.\n\n"
        "<!-- b: begin -->\nmore\n<!-- b: end -->\n"
    )


def test_what_is_timed_are_metrics():
    assert {name.removesuffix("_engaged") for name in metrics_ways.CALLS} <= set(metrics.__all__)
