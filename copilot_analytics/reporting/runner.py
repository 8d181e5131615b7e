"""Run one notebook with papermill, in a process of its own; started by `running`.

Reads the task as one line of JSON from standard input and writes the outcome as JSON to a file. It
imports nothing of this package, because it runs before anything is known to be in order.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path


def watch_parent() -> None:
    """End this process, and so its kernel, when the process that started it is gone."""
    # Not sys.stdin: a thread that waits inside it would break the end of the interpreter.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def execute(task: dict) -> dict:
    """Run the notebook and return what came of it; the executed notebook is in its file."""
    # jsonschema loads it where it is there, for a check that notebooks do not need; it builds a
    # grammar when it is imported, which takes longer than papermill and the kernel together.
    sys.modules.setdefault("rfc3987_syntax", None)
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    try:
        papermill.execute_notebook(
            task["input"],
            task["output"],
            parameters=task["parameters"],
            progress_bar=False,
            start_timeout=task["start_timeout"],
            execution_timeout=task["cell_timeout"],
            cwd=task["folder"],
            shutdown_kernel="immediate",
        )
    except papermill.PapermillExecutionError as error:
        return {
            "outcome": "failed",
            "line": error.source.strip().split("\n", 1)[0][:80],
            "name": error.ename,
            "value": error.evalue,
        }
    except CellTimeoutError:
        return {
            "outcome": "timed out",
            "limit": f"a cell took longer than {task['cell_timeout']} s",
        }
    except (DeadKernelError, RuntimeError) as error:
        return {"outcome": "kernel died", "value": str(error)}
    except NoSuchKernel as error:
        return {"outcome": "no kernel", "name": error.name}
    return {"outcome": "ran"}


def main() -> None:
    """Do the task on standard input."""
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=watch_parent, daemon=True).start()
    outcome = execute(task)
    Path(task["outcome"]).write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main()
