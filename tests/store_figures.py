"""Runs the notebooks on the sample company and stores the figures that the tests compare.

For `make notebooks`, after a change that is meant to move a figure. Only cells tagged
``nbval-check-output`` keep an output; read the difference before committing it.
"""

import copy
import logging
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
MARK = "nbval-check-output"


def store(path: Path) -> None:
    """Run one notebook and write its marked outputs into it."""
    notebook = nbformat.read(path, as_version=4)
    executed = copy.deepcopy(notebook)
    NotebookClient(executed, timeout=600).execute()
    for cell, done in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type != "code":
            continue
        is_marked = MARK in cell.metadata.get("tags", [])
        cell.outputs = done.outputs if is_marked else []
        cell.execution_count = done.execution_count if is_marked else None
    nbformat.write(notebook, path)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for path in [*sorted(ROOT.glob("notebooks/*.ipynb")), ROOT / "docs" / "tutorial.ipynb"]:
        store(path)
        logging.info("stored the figures of %s", path.name)
