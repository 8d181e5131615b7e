"""Where the files of a report lie from their arrival until they are in the archive."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from copilot_analytics.files import make_folder, storage_errors


class Incoming:
    """A folder for each report that is being fetched, or that came only in part.

    What came is still there for the next run, so that it need not be received again.
    """

    def __init__(self, path: Path):
        self._path = path

    def folder(self, report: str, day: date | None) -> Path:
        """Return the folder of a report and day, whether it is there or not."""
        return self._path / report / (day.isoformat() if day else "latest")

    def make(self, report: str, day: date | None) -> Path:
        """Make the folder of a report and day, for its owner only."""
        folder = self.folder(report, day)
        with storage_errors(f"the folder {folder}"):
            make_folder(folder)
        return folder

    def forget(self, report: str, day: date | None) -> None:
        """Remove the folder of a report and day."""
        shutil.rmtree(self.folder(report, day), ignore_errors=True)

    def forget_all_but(self, slots: Iterable[tuple[str, date | None]]) -> None:
        """Remove the folders of all other reports and days."""
        kept = {self.folder(report, day) for report, day in slots}
        for folder in self._path.glob("*/*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)
