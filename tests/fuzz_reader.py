"""Look for input on which `load` crashes, hangs or miscounts; not part of the test suite.

    python tests/fuzz_reader.py --minutes 10 [--findings FOLDER] [--seed N]

Guided by coverage where atheris is installed (``pip install atheris``), at random elsewhere. Every
input is read with ``errors="raise"`` and with ``errors="quarantine"``. Nothing but errors of our
own may come out, within five seconds of work and without memory far beyond the input; what is read
has as many records as a plain reading finds, and every eighth time the very same values.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import nullcontext
from pathlib import Path

import oracle
import pyarrow as pa
from random_records import record, wrapper

from copilot_analytics.errors import CopilotAnalyticsError

try:
    import atheris
except ImportError:
    atheris = None

# So that it is seen which lines of the reader an input reaches.
with nullcontext() if atheris is None else atheris.instrument_imports(["copilot_analytics"]):
    from copilot_analytics import tidy

SECONDS_ALLOWED = 5
SECONDS_WAITED = 25
MEGABYTES_ALLOWED = 500
MAX_INPUT = 2**16
FAMILIES = ("users", "entity", "teams", "repos")
TOKENS = [
    b"null", b"true", b"NaN", b"-1", b"3.5", b"3.0", b"1e400", b"9223372036854775808", b"{}", b"[]",
    b'""', b'"\\ud800"', b'"\\u0000"', b"\xef\xbb\xbf", b"\xff", b"\r\n", b"\n\n", b"[" * 80, b",",
    b'"day_totals":[{}]', b'"user_id":1,', b'"team_id":5,', b'"repo_id":5,', b'"2026-02-30"',
    b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b'"report_end_day":"2026-11-02",', b'"seats":1,',
]  # fmt: skip
VALUES = [
    None, True, 0, -1, 3.0, 3.5, 2**53 + 1, 2**63, "", "12", "x", "2026-11-02", "\ud800", "\0", [],
    {}, [None], [[]], [1, "a"], {"day_totals": []},
]  # fmt: skip


def seeds(draw: random.Random) -> list[bytes]:
    """Small files of every kind."""
    found = []
    for odd in (False, True):
        for family in FAMILIES:
            records = [
                record(family, number, draw, odd=odd, shares=(0.03, 0.1)) for number in range(2)
            ]
            lines = b"".join(json.dumps(one).encode() + b"\n" for one in records)
            found += [lines, json.dumps(records, indent=1).encode()]
            if family in ("users", "entity"):
                whole = json.dumps(wrapper(records, 0, draw), ensure_ascii=False).encode()
                found += [whole, whole + b"\n" + json.dumps(wrapper([], 1, draw)).encode()]
        found += [b"\xef\xbb\xbf" + lines.replace(b"\n", b"\r\n"), gzip.compress(lines)]
        found.append(pa.compress(lines, "zstd", asbytes=True))
    return found


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Change a file: a value or a line where it is JSON, or some bytes."""
    change = draw.randrange(8)
    if change < 3:
        lines = data.split(b"\n")
        place = draw.randrange(len(lines))
        try:
            lines[place] = json.dumps(_changed(json.loads(lines[place]), draw)).encode()
        except (ValueError, RecursionError):
            lines[place : place + 1] = [lines[place]] * draw.randrange(3)
        return b"\n".join(lines)
    if change == 3:
        return b"[" + data.strip().replace(b"\n", b",") + b"]"
    if change == 4:
        return gzip.compress(data) if data[:1] != b"\x1f" else data[: draw.randrange(len(data))]
    start = draw.randrange(len(data) + 1)
    end = start + draw.choice([0, 0, 1, 2, 30])
    return data[:start] + draw.choice([b"", draw.randbytes(1), *TOKENS]) + data[end:]


def _changed(value, draw: random.Random):
    """A JSON value with something in it replaced, dropped, repeated or renamed."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        name = draw.choice(list(value))
        change = draw.randrange(5)
        if change == 0:
            return {key: item for key, item in value.items() if key != name}
        if change == 1:
            return value | {draw.choice(["new", "day", "user_id", "extra", "a.b"]): value[name]}
        return value | {name: _changed(value[name], draw)}
    if isinstance(value, list) and value and draw.random() < 0.9:
        place = draw.randrange(len(value))
        return [*value[:place], _changed(value[place], draw), *value[place : place + 1]]
    return draw.choice(VALUES)


class Fuzzer:
    """Reads inputs, and keeps those on which something is wrong, one for each place."""

    def __init__(self, findings: Path):
        self.folder, self.found = findings, {}
        self.inputs = self.read = self.slowest = 0
        self.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def check(self, data: bytes) -> None:
        """Read one input both ways."""
        self.inputs += 1
        started, began = time.process_time(), time.monotonic()
        for errors in ("raise", "quarantine"):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    tables = tidy.load(data, errors=errors)
                    for name in tables if self.inputs % 16 == 0 else ("users", "entity"):
                        len(tables[name])
            except CopilotAnalyticsError as problem:
                str(problem).encode()  # what is said can be printed
            except Exception as problem:  # noqa: BLE001 - this is what is looked for
                self.keep(problem, data)
            else:
                self._compare(tables, data, errors)
        # The processor's time, as other work slows the clock's; standing still counts as well.
        waited = time.monotonic() - began - SECONDS_WAITED
        self._measure(max(time.process_time() - started, waited), data)

    def _compare(self, tables, data: bytes, errors: str) -> None:
        if errors == "quarantine":
            return
        self.read += 1
        try:
            text = _unpacked(data)
            expected = sum(name != "window" for name, _ in oracle.records(text))
            assert tables.facts["records"] == expected, f"{expected} records expected"
            if self.inputs % 8 == 0:
                oracle.assert_equals_oracle(tables, text)
        except Exception as problem:  # noqa: BLE001 - this is what is looked for
            self.keep(problem, data)

    def _measure(self, seconds: float, data: bytes) -> None:
        self.slowest = max(self.slowest, seconds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if seconds > SECONDS_ALLOWED:
            self.keep(TimeoutError(f"{seconds:.1f} s"), data)
        if peak > self.peak + MEGABYTES_ALLOWED * 1024:
            self.keep(MemoryError(f"{(peak - self.peak) // 1024} MB more"), data)
            self.peak = peak

    def keep(self, problem: Exception, data: bytes) -> None:
        """Store an input unless one like it was found before."""
        frames = traceback.extract_tb(problem.__traceback__)
        own = [
            f"{Path(f.filename).name}:{f.name}" for f in frames if "site-packages" not in f.filename
        ]
        kind = f"{type(problem).__name__} in {own[-1] if own else 'load'}"
        if kind not in self.found:
            path = self.folder / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
            path.write_bytes(data)
            say(f"FINDING {kind}: {str(problem)[:300]!r} -> {path}")
        self.found[kind] = self.found.get(kind, 0) + 1

    def report(self, seconds: float) -> int:
        """Say what was done; 1 if anything was found."""
        say(
            f"{self.inputs:,} inputs in {seconds:,.0f} s ({self.inputs / seconds:,.0f} a second), "
            f"{self.read:,} read as reports, slowest {self.slowest:.2f} s; "
            f"{'guided by coverage' if atheris else 'at random'}; findings: {len(self.found)}"
        )
        for kind, count in sorted(self.found.items()):
            say(f"  {count:,} x {kind}")
        return bool(self.found)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return pa.input_stream(pa.py_buffer(data), compression="zstd").read()
    return data


def at_random(fuzzer: Fuzzer, seconds: float, draw: random.Random) -> None:
    """Change the seeds, and what came of them, at random."""
    pool, end = seeds(draw), time.monotonic() + seconds
    while time.monotonic() < end:
        data = draw.choice(pool)
        for _ in range(draw.randint(1, 4)):
            data = mutated(data, draw)[:MAX_INPUT] or b"{"
        fuzzer.check(data)
        if draw.random() < 0.02:
            pool[draw.randrange(len(pool))] = data
        if draw.random() < 0.01:
            pool += seeds(draw)[: len(pool) < 300]


def guided(fuzzer: Fuzzer, seconds: float, draw: random.Random) -> None:
    """Let libFuzzer keep what reaches further into the reader."""

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        own = random.Random(seed)
        if own.random() < 0.3:
            return atheris.Mutate(data, max_size)
        return mutated(data or b"{", own)[:max_size]

    folder = tempfile.mkdtemp(prefix="fuzz-reader-")
    for _ in range(5):
        for data in seeds(draw):
            Path(folder, hashlib.sha256(data).hexdigest()).write_bytes(data)
    end = time.monotonic() + seconds

    def check(data: bytes) -> None:
        if time.monotonic() > end:  # libFuzzer never comes back
            os._exit(fuzzer.report(seconds))
        fuzzer.check(data)

    options = {
        "max_len": MAX_INPUT,
        "timeout": 120,
        "rss_limit_mb": 4096,
        "verbosity": 0,
        "seed": draw.randrange(1, 2**31),
    }
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), folder]
    atheris.Setup(arguments, check, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--findings", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-findings"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.findings.mkdir(parents=True, exist_ok=True)
    fuzzer, draw = Fuzzer(options.findings), random.Random(options.seed)
    seconds = options.minutes * 60
    (guided if atheris else at_random)(fuzzer, seconds, draw)
    return fuzzer.report(seconds)


if __name__ == "__main__":
    sys.exit(main())
