"""Pages as PDF, printed by Chromium where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from copilot_analytics.errors import ReportError, UsageError
from copilot_analytics.reporting.running import KEPT_TEXT, kernel_environment

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
SECONDS = 120
# Nothing but the page: no profile of the person who runs this, no network, no date in the margin.
FLAGS = """
--headless --disable-gpu --no-first-run --disable-background-networking --disable-component-update
--disable-sync --disable-extensions --no-pdf-header-footer
"""


def find_browser() -> str:
    """Return the path of a browser of the Chromium family.

    Raises
    ------
    UsageError
        If there is none.
    """
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    raise UsageError(
        "pages cannot be printed as PDF: no Chromium, Chrome or Edge is installed",
        kept=KEPT_TEXT,
        advice="install chromium, or leave out --pdf and print the pages from any browser",
    )


def print_pages(pages: Mapping[str, str], folder: Path, browser: str) -> dict[str, bytes]:
    """Print pages and return them: the name of each file with the ending ``.pdf`` to its content.

    Parameters
    ----------
    pages
        Name of file, ending in ``.html``, to the page.
    folder
        Private folder for what the browser needs.
    browser
        What `find_browser` returned.

    Raises
    ------
    ReportError
        If the browser does not print a page.
    """
    printed = {}
    for place, (name, page) in enumerate(pages.items()):
        source, target = folder / f"print-{place}.html", folder / f"print-{place}.pdf"
        source.write_text(page, encoding="utf-8")
        _print(source, target, folder / "browser", browser)
        printed[name.removesuffix(".html") + ".pdf"] = target.read_bytes()
    return printed


def _print(source: Path, target: Path, profile: Path, browser: str) -> None:
    # Chromium refuses to run its sandbox as root, which is what a container often is.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    sandbox = ["--no-sandbox"] if is_root else []
    # The browser opens a socket there, whose path may have about 100 characters.
    short = {"TMPDIR": tempfile.gettempdir()}
    options = [f"--user-data-dir={profile}", f"--print-to-pdf={target}", source.as_uri()]
    try:
        done = subprocess.run(  # noqa: S603 - a program of this machine and our own file
            [browser, *FLAGS.split(), *sandbox, *options],
            env=kernel_environment(os.environ, profile.parent) | short,  # without any token
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        said = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1][:200]
    except subprocess.TimeoutExpired:
        said = f"it took longer than {SECONDS} s"
    if not target.exists() or not target.read_bytes().startswith(b"%PDF"):
        raise ReportError(
            "the browser did not print a page as PDF",
            said=said,
            kept=KEPT_TEXT,
            advice="leave out --pdf, and print the pages from any browser",
        )
