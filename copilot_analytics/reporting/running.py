"""Notebooks run in processes of their own: bounded in time, without secrets, side by side."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from copilot_analytics.errors import KernelError, ReportError, UsageError
from copilot_analytics.files import make_folder

# What a kernel may see of the environment. No token is in it, and none is needed: notebooks read
# the archive, never the network.
_KEPT = """
PATH HOME LANG LANGUAGE LC_ALL LC_CTYPE PYTHONPATH VIRTUAL_ENV CONDA_PREFIX LD_LIBRARY_PATH
JUPYTER_PATH JUPYTER_DATA_DIR MPLCONFIGDIR
SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA
"""
KEPT_VARIABLES = frozenset(_KEPT.split())
POLL_SECONDS = 0.1
GRACE_SECONDS = 10
KEPT_TEXT = "nothing was published; the last good report is unchanged"


@dataclass(frozen=True)
class Limits:
    """How long, in seconds, a kernel may take to start, a cell, and a whole notebook."""

    start: float = 60
    cell: float = 600
    total: float = 1800


def kernel_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of a kernel: an allow-list, and settings that make runs alike.

    >>> kept = kernel_environment({"PATH": "/bin", "GITHUB_TOKEN": "secret"}, Path("work"))
    >>> kept["PATH"], "GITHUB_TOKEN" in kept
    ('/bin', False)
    """
    kept = {name: value for name, value in environment.items() if name in KEPT_VARIABLES}
    private = str(folder)
    return {
        "HOME": private,
        "LANG": "C.UTF-8",
        **kept,
        "TMPDIR": private,
        "TEMP": private,
        "TMP": private,
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "TQDM_DISABLE": "1",  # nobody looks on, and a bar would stand in the page
        "TZ": "UTC",
    }


@contextlib.contextmanager
def private_folder():
    """Give a temporary folder that only the owner can read, and remove it whatever happens."""
    with tempfile.TemporaryDirectory(
        prefix="copilot-analytics-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder).resolve()


def run_notebooks(
    tasks: Mapping[str, tuple[Path, Mapping[str, object]]],
    folder: Path,
    *,
    limits: Limits | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Path]:
    """Run notebooks, one per processor at once, and return where the executed ones are.

    Parameters
    ----------
    tasks
        Name of each run, such as ``"adoption"`` or ``"team-web/adoption"``, to its notebook and the
        values of its parameters.
    folder
        Private folder for everything that the runs write; each run has one of its name inside.
    limits
        Limits of time.
    progress
        Called after each notebook with its name, how many are done, and how many there are.

    Raises
    ------
    ReportError
        If a cell fails; the others are stopped then.
    KernelError
        If a kernel dies or a limit of time is reached.
    UsageError
        If the kernel that a notebook asks for is not installed.
    """
    stop = threading.Event()
    count = min(os.cpu_count() or 1, len(tasks))
    executed: dict[str, Path] = {}
    with ThreadPoolExecutor(max_workers=count) as pool:
        futures: dict[Future, str] = {
            pool.submit(_run, name, *task, folder / name, limits or Limits(), stop): name
            for name, task in tasks.items()
        }
        try:
            for future in as_completed(futures):
                name = futures[future]
                executed[name] = future.result()
                if progress is not None:
                    progress(name, len(executed), len(tasks))
        except BaseException:
            # Interrupted, terminated or failed: no kernel outlives the report.
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return executed


def _run(
    name: str,
    path: Path,
    values: Mapping[str, object],
    folder: Path,
    limits: Limits,
    stop: threading.Event,
) -> Path:
    make_folder(folder)
    output, outcome = folder / "executed.ipynb", folder / "outcome.json"
    task = {
        "input": str(path),
        "output": str(output),
        "outcome": str(outcome),
        "folder": str(folder),
        "parameters": dict(values),
        "start_timeout": limits.start,
        "cell_timeout": limits.cell,
    }
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
            [sys.executable, "-P", str(Path(__file__).with_name("runner.py"))],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=kernel_environment(os.environ, folder),
            start_new_session=True,
        )
        try:
            with contextlib.suppress(BrokenPipeError):  # it ended at once; `_judge` says so
                process.stdin.write(json.dumps(task).encode() + b"\n")
                process.stdin.flush()
            in_time = _wait(process, limits.total, stop)
        finally:
            end_process(process)
    _judge(name, outcome, in_time, process.returncode, limits)
    return output


def _wait(process: subprocess.Popen, seconds: float, stop: threading.Event) -> bool:
    """Return whether the process ended by itself before its time was over."""
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if stop.is_set() or time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end_process(process: subprocess.Popen) -> None:
    """End a process of a session of its own, and what is left of those that it has started.

    Asked politely it ends its kernels first, with all that these have started.
    """
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _judge(name: str, file: Path, in_time: bool, returncode: int, limits: Limits) -> None:
    """Raise what the outcome of a run asks for."""
    if not in_time:
        raise _out_of_time(name, f"it took longer than {limits.total:g} s")
    if not file.exists():
        raise KernelError(
            f"the process that runs notebook {name} ended without a result",
            said=f"exit status {returncode}",
            kept=KEPT_TEXT,
            advice="run the report again; if it happens again, look at memory and disk space",
        )
    outcome = json.loads(file.read_text(encoding="utf-8"))
    if outcome["outcome"] == "failed" and outcome["name"] == "MemoryError":
        raise _kernel_died(name, "there was not enough memory")
    if outcome["outcome"] == "failed":
        first_line = str(outcome["value"]).split("\n", 1)[0][:200]
        raise ReportError(
            f"notebook {name} failed in the cell that starts: {outcome['line']}",
            said=f"{outcome['name']}: {first_line}",
            kept=KEPT_TEXT,
            advice="open the notebook in Jupyter with the same parameters and run it cell by cell",
        )
    if outcome["outcome"] == "timed out":
        raise _out_of_time(name, outcome["limit"])
    if outcome["outcome"] == "kernel died":
        raise _kernel_died(name, outcome["value"][:200])
    if outcome["outcome"] == "no kernel":
        raise UsageError(
            f"notebook {name} asks for the kernel {outcome['name']!r}, which is not installed",
            kept=KEPT_TEXT,
            advice="save the notebook with the kernel python3, or install that kernel",
        )


def _kernel_died(name: str, said: str) -> KernelError:
    return KernelError(
        f"the kernel of notebook {name} died",
        said=said,
        kept=KEPT_TEXT,
        advice="often this is a lack of memory: choose a shorter period or fewer notebooks",
    )


def _out_of_time(name: str, said: str) -> KernelError:
    return KernelError(
        f"notebook {name} ran out of time",
        said=said,
        kept=KEPT_TEXT,
        advice="choose a shorter period, or allow more time",
    )
