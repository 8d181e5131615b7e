"""The benchmark of a backfill runs, and both of its ways end in the same tables."""

from click.testing import CliRunner

from benchmarks import fetching


def test_both_ways_are_measured_against_the_calls_of_the_api():
    small = ["--days", "3", "--people", "24", "--latency", "0.01"]
    done = CliRunner().invoke(fetching.main, small)
    assert done.exit_code == 0, done.output
    figures = [line for line in done.output.splitlines() if line.startswith(("`sync`", "one"))]
    # Three reports of three days, and two of 28 days.
    assert [line.split()[-5] for line in figures] == ["11", "11"]
