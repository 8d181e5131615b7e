"""Stores reports in processes that die at a chosen step; run by the tests, imports only once.

Each line of the input is a JSON list: the archive, the file to store, the step to die at ("" for
none) and at which time of passing it. Each answer is one too: the exit status, negative for a
signal, and the steps that were passed.
"""

import json
import os
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from copilot_analytics import files
from copilot_analytics.archive import Archive, ledger, partition, storing
from copilot_analytics.catalogue import Scope


def store(folder: str, file: str, step: str, count: int) -> list[str]:
    """Store a file as a report and return the steps; do not return where one ends the process."""
    passed = []

    def stop(name: str) -> None:
        passed.append(name)
        if name == step and passed.count(name) == count:
            os.kill(os.getpid(), signal.SIGKILL)

    for module in (files, ledger, partition, storing):
        module.step = stop
    archive = Archive(folder, clock=lambda: datetime(2026, 11, 23, 9, tzinfo=UTC))
    with archive.writing() as opened:
        scope = Scope("organization", "octo-org")
        archive.store(opened, scope, "users-1-day", date(2026, 11, 2), [Path(file)])
    return passed


def in_own_process(arguments: list) -> tuple[int, list[str]]:
    """Store in a process of its own; return how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.write(writer, json.dumps(store(*arguments)).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as answer:
        passed = json.loads(answer.read() or "[]")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), passed


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(in_own_process(json.loads(line)))}\n")
        sys.stdout.flush()
