"""Runs contenders, each in a process of its own, and shows what they took, as text and Markdown.

A contender is ``module:function``. The module imports what it needs at its top, which is timed
apart from the function; its ``prepare(source)``, if it has one, runs before the clock starts. What
the function returns is checked in the same process, after the clock has stopped.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
RESULT = "result: "


class Failed(Exception):
    """A contender did not run to its end, or its result is not what it has to be."""


class Missing(Exception):
    """The library of a contender is not installed."""


@dataclass(frozen=True)
class Contender:
    """One way to do the work: what it is called, ``module:function``, and what it works on.

    One that `is_partial` does less than the first, which is then not held against it.
    """

    label: str
    function: str
    source: Path
    is_partial: bool = False


@dataclass(frozen=True)
class Run:
    """What one run took: seconds, and bytes of resident memory."""

    import_seconds: float
    seconds: float
    cpu_seconds: float
    memory_before: int
    peak_memory: int
    fingerprint: dict


@dataclass(frozen=True)
class Measurement:
    """What several runs of a contender took."""

    label: str
    runs: list[Run]

    def median(self, name: str) -> float:
        """Return the median of one of the figures of `Run`."""
        return statistics.median(getattr(run, name) for run in self.runs)

    @property
    def seconds(self) -> float:
        """The median time of the work."""
        return self.median("seconds")

    @property
    def peak_memory(self) -> int:
        """The largest memory of the process in any run."""
        return max(run.peak_memory for run in self.runs)

    @property
    def added_memory(self) -> int:
        """The most that the work added to what the process had after its imports."""
        return max(run.peak_memory - run.memory_before for run in self.runs)


# In the process of a contender


def peak_memory() -> int:
    """Return the most resident memory this process has had, in bytes.

    Linux hands ``ru_maxrss`` down from the process that started this one, so its own figure is
    asked for first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _forget_peak() -> None:
    """Let the peak start again from what is held at present, where the system can do that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _work(function: str, source: Path, fingerprint: Callable[[object], dict]) -> Run:
    module_name, name = function.split(":")
    start = time.perf_counter()
    module = importlib.import_module(module_name)
    imported = time.perf_counter()
    if hasattr(module, "prepare"):
        module.prepare(source)
    _forget_peak()
    before = peak_memory()
    cpu, clock = time.process_time(), time.perf_counter()
    result = getattr(module, name)(source)
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    peak = peak_memory()
    if hasattr(module, "as_compared"):
        result = module.as_compared(result)
    return Run(imported - start, seconds, cpu_seconds, before, peak, fingerprint(result))


def _main(function: str, source: str, fingerprint: str) -> None:
    module, name = fingerprint.split(":")
    read = getattr(importlib.import_module(module), name)
    try:
        run = _work(function, Path(source), read)
    except ModuleNotFoundError as problem:
        if problem.name.partition(".")[0] in ("benchmarks", "copilot_analytics"):
            raise
        result = {"missing": problem.name}
    else:
        result = asdict(run)
    sys.stdout.write(f"{RESULT}{json.dumps(result)}\n")


# In the process that compares


def run(contender: Contender, fingerprint: str) -> Run:
    """Run a contender once in a fresh process, with its files in the page cache."""
    _warm(contender.source)
    command = [sys.executable, "-m", "benchmarks.measuring", contender.function]
    done = subprocess.run(
        [*command, str(contender.source), fingerprint],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(RESULT)]
    if done.returncode or not lines:
        raise Failed(f"{contender.label} failed:\n{done.stderr[-4000:]}")
    result = json.loads(lines[-1].removeprefix(RESULT))
    if "missing" in result:
        raise Missing(result["missing"])
    return Run(**result)


def _warm(source: Path) -> None:
    for path in sorted(source.iterdir()) if source.is_dir() else [source]:
        with path.open("rb", buffering=0) as file:
            while file.read(2**22):
                pass


def compare(
    contenders: Iterable[Contender],
    repeats: int,
    fingerprint: str,
    say: Callable[[str], object],
) -> list[Measurement]:
    """Run all contenders ``repeats`` times, in turns, so that a slow minute meets them all.

    A contender whose library is missing is left out. The result of each must have the figures of
    the first one; of those that are partial, as far as they have the same parts.

    Raises
    ------
    Failed
        Where a contender fails, or its result differs.
    """
    runs: dict[Contender, list[Run]] = {contender: [] for contender in contenders}
    expected = None
    for number in range(repeats):
        for contender in list(runs):
            try:
                done = run(contender, fingerprint)
            except Missing as missing:
                del runs[contender]
                say(f"{contender.label}: left out, {missing} is not installed")
                continue
            expected = expected or done.fingerprint
            check(contender, done.fingerprint, expected)
            runs[contender].append(done)
            say(f"{number + 1}/{repeats} {contender.label}: {done.seconds:.2f} s")
    return [Measurement(contender.label, found) for contender, found in runs.items()]


def check(contender: Contender, found: dict, expected: dict) -> None:
    """Refuse a result that differs from the expected one, or lacks a part of it."""
    missing = expected.keys() - found.keys()
    if missing and not contender.is_partial:
        raise Failed(f"{contender.label} has no {', '.join(sorted(missing))}")
    for part in found.keys() & expected.keys():
        for key in found[part].keys() & expected[part].keys():
            if found[part][key] != expected[part][key]:
                raise Failed(
                    f"{contender.label}: {key} of {part} is {found[part][key]}, "
                    f"where {expected[part][key]} was expected"
                )


# What is shown


def table(measurements: list[Measurement]) -> list[list[str]]:
    """Return the figures as rows of text, the header first; times are seconds, memory is MB.

    `ratio` is how often the first contender's time goes into the one of the row.
    """
    rows = [["", "median s", "from … to", "CPU s", "ratio", "peak MB", "added MB", "import s"]]
    first = measurements[0].seconds
    for one in measurements:
        times = [run.seconds for run in one.runs]
        rows.append(
            [
                one.label,
                f"{one.seconds:.2f}",
                f"{min(times):.2f} … {max(times):.2f}",
                f"{one.median('cpu_seconds'):.2f}",
                f"{one.seconds / first:.2f}",
                f"{one.peak_memory / 1e6:,.0f}",
                f"{one.added_memory / 1e6:,.0f}",
                f"{one.median('import_seconds'):.2f}",
            ]
        )
    return rows


def as_text(rows: list[list[str]]) -> str:
    """Return rows as aligned columns for a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]))
    return "\n".join(lines)


def as_markdown(rows: list[list[str]]) -> str:
    """Return rows as a Markdown table."""
    header, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([header, "|---|" + "---:|" * (len(rows[0]) - 1), *body])


def machine() -> str:
    """Return what the figures were taken on, as one line."""
    info = Path("/proc/cpuinfo")
    names = info.read_text().splitlines() if info.exists() else []
    name = next((line.split(":")[1].strip() for line in names if "model name" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{name or platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}"
    )


def versions(names: Iterable[str]) -> str:
    """Return the installed versions of libraries, as one line."""
    found = []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def save_section(page: Path, name: str, text: str) -> None:
    """Put a section between its markers into a page, or at its end if it has none yet."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    old = page.read_text(encoding="utf-8")
    if begin in old:
        before, rest = old.split(begin)
        section = before + section + rest.split(end)[1]
    else:
        section = f"{old.rstrip()}\n\n{section}\n"
    page.write_text(section, encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
