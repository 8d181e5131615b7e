"""Takes the pictures of the README from a report of the sample company: ``make pictures``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Name of the picture, page, width and height of the screen.
PICTURES = (
    ("report.png", "adoption.html", 1280, 1180),
    ("overview.png", "index.html", 1280, 1180),
    ("phone.png", "adoption.html", 390, 1180),
)


def main() -> None:
    """Make the report, and photograph the first screen of some of its pages."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        sys.exit("The pictures are taken with Chromium, which is not installed.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "copilot_analytics", "report", "--sample", "--quiet"]
        subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - this package's own command
        (index,) = Path(folder).glob("reports/*/*/index.html")
        chromium = playwright.chromium.launch(executable_path=browser)
        for name, file, width, height in PICTURES:
            page = chromium.new_page(viewport={"width": width, "height": height})
            page.goto(index.with_name(file).as_uri())
            page.screenshot(path=FOLDER / name)
            with Image.open(FOLDER / name) as picture:  # few colours: a third of the size
                picture.quantize(128).save(FOLDER / name, optimize=True)
        chromium.close()


if __name__ == "__main__":
    main()
