"""Writes the pages of this folder that are made from the package: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from fields_page import fields_page
from metrics_page import metrics_page

PAGES = {"fields.md": fields_page, "metrics.md": metrics_page}


def main() -> None:
    """Write every page beside this file."""
    for name, page in PAGES.items():
        Path(__file__).with_name(name).write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
