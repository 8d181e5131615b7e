"""Executed notebooks: proof that they are complete, and removal of what must not be published."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import nbformat

import copilot_analytics
from copilot_analytics.display import MARKER_TYPE
from copilot_analytics.errors import ReportError
from copilot_analytics.reporting.running import KEPT_TEXT

MARKER_FORMAT = 1
# A path is replaced only where no letter or Base64 sign stands before it and no name goes on after
# it, so that embedded pictures stay whole.
_BEFORE, _AFTER = r"(?<![A-Za-z0-9+/=_.-])", r"(?![A-Za-z0-9_-])"
_KERNEL_FILE = re.compile(r"ipykernel_\d+/\d+")


def read_executed(path: Path) -> nbformat.NotebookNode:
    """Read an executed notebook."""
    return nbformat.read(path, as_version=4)


def completion_marker(
    name: str, notebook: nbformat.NotebookNode, parameters: Mapping[str, object]
) -> dict:
    """Return the completion marker of an executed notebook, if it proves that all of it ran.

    Exit status 0 of the runner is no proof: ``sys.exit(0)`` in a cell gives it as well.

    Raises
    ------
    ReportError
        If a cell did not run or shows an error, or the last code cell left no marker, or the
        marker is of another notebook or period.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for place, cell in enumerate(cells, start=1):
        errors = [output.ename for output in cell.outputs if output.output_type == "error"]
        if errors or cell.execution_count is None:
            reason = (
                f"code cell {place} ended with {errors[0]}"
                if errors
                else (f"code cell {place} of {len(cells)} did not run")
            )
            raise _incomplete(name, f"completion marker missing: {reason}")
    markers = [
        output.data[MARKER_TYPE]
        for output in (cells[-1].outputs if cells else ())
        if MARKER_TYPE in output.get("data", {})
    ]
    if len(markers) != 1:
        raise _incomplete(name, "completion marker missing: the last code cell did not leave it")
    marker = markers[0]
    expected = {"format": MARKER_FORMAT, "report": name}
    expected |= {key: parameters[key] for key in ("start", "end") if parameters.get(key)}
    expected |= {key: parameters[key] for key in ("show_logins", "team") if key in parameters}
    for key, value in expected.items():
        if marker.get(key) != value:
            raise _incomplete(
                name, f"its completion marker says {key} {marker.get(key)!r}, not {value!r}"
            )
    return marker


def _incomplete(name: str, said: str) -> ReportError:
    return ReportError(
        f"notebook {name} is not complete",
        said=said,
        kept=KEPT_TEXT,
        advice="its last code cell must be display.finish(...), and no cell may leave early",
    )


def path_names(archive: str, private: Path, notebooks: Path) -> dict[str, str]:
    """Return the absolute paths that must not be published, each with what stands in its place."""
    named = {
        archive: Path(archive).name if archive else "",
        str(Path.home()): "~",
        str(Path.cwd()): ".",
        str(private): "work",
        str(notebooks): "notebooks",
        str(Path(copilot_analytics.__file__).parent): "copilot_analytics",
        sys.prefix: "python",
        sys.base_prefix: "python",
        sysconfig.get_paths()["stdlib"]: "python",
        os.environ.get("TMPDIR", ""): "tmp",
    }
    every = named | {os.path.realpath(path): name for path, name in named.items() if path}
    return {path: name for path, name in every.items() if len(path) > 2}


def strip_paths(value: object, names: Mapping[str, str]) -> object:
    """Return text, or lists and mappings of text, with absolute paths replaced.

    >>> strip_paths({"text": "read /home/ann/archive/raw"}, {"/home/ann": "~"})
    {'text': 'read ~/archive/raw'}
    """
    if isinstance(value, str):
        for path in sorted(names, key=len, reverse=True):
            if path in value:
                shown = names[path].replace("\\", "/")
                value = re.sub(_BEFORE + re.escape(path) + _AFTER, shown, value)
        return _KERNEL_FILE.sub("ipykernel", value)
    if isinstance(value, Mapping):
        return {strip_paths(key, names): strip_paths(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [strip_paths(item, names) for item in value]
    return value


def publishable(notebook: nbformat.NotebookNode, names: Mapping[str, str]) -> nbformat.NotebookNode:
    """Return an executed notebook without paths, times and random ids.

    Equal input gives an equal notebook; papermill's notes hold paths, times and parameters.
    """
    clean = nbformat.from_dict(strip_paths(notebook, names))
    kernel = ("kernelspec", "language_info")
    clean.metadata = {key: clean.metadata[key] for key in kernel if key in clean.metadata}
    for place, cell in enumerate(clean.cells, start=1):
        cell.id = f"cell-{place}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
    return nbformat.from_dict(clean)
