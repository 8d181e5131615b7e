"""The benchmark of reports runs the same number of notebooks in all of its ways."""

import json
import sys

import click
import pytest

from benchmarks import reports


def test_a_command_that_fails_is_no_figure(tmp_path):
    with pytest.raises(click.ClickException, match="wrong"):
        reports._take("wrong", [[sys.executable, "-c", "raise SystemExit(1)"]], tmp_path)


def test_time_and_memory_of_a_command_are_those_of_all_that_it_starts(tmp_path):
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        "'x = bytearray(400_000_000); sum(range(3_000_000))'])"
    )
    taken = reports._take("two processes", [[sys.executable, "-c", code]], tmp_path)
    assert taken.seconds > 0
    assert taken.cpu_seconds > 0.02
    assert taken.peak_memory > 400e6
    assert taken.cells(taken)[2] == "1.00"


def test_empty_notebooks_are_run_by_papermill(tmp_path):
    taken = reports._empty_notebooks(1, tmp_path)
    book = json.loads((tmp_path / "out.ipynb").read_text())
    assert book["metadata"]["papermill"]["exception"] is None
    assert taken.label == "1 empty notebooks, papermill"
