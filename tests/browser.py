"""The system's Chromium, driven by Playwright: what people see, and what it complains about."""

import os
import shutil
from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a browser, and everything that it reported since the last page was opened."""

    def __init__(self, page):
        self.page = page
        self.complaints: list[str] = []  # console, errors, refusals of the policy, dialogs
        self.requested: list[str] = []
        self.stopped: list[str] = []  # by the page's own policy
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("requestfailed", self._failed)

    def _dialog(self, dialog):
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _failed(self, request):
        if request.failure == "csp":
            self.stopped.append(request.url)

    def open(self, path, width=1280, dark=False, media="screen"):
        """Open a file as a page of this width and wait until it is loaded."""
        self.page.set_viewport_size({"width": width, "height": 844})
        self.page.emulate_media(media=media, color_scheme="dark" if dark else "light")
        for seen in (self.complaints, self.requested, self.stopped):
            seen.clear()
        self.page.goto(path.as_uri())
        self.run("0")  # what the page's own script reported has arrived before this answer

    def run(self, expression):
        """Return the value of a JavaScript expression."""
        return self.page.evaluate(expression)

    def violations(self):
        """What axe-core holds against the page: rule, and the elements that break it."""
        self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("axe.run()")["violations"]
        return [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]


@contextmanager
def open_browser():
    """Give a browser, or skip the test where there is none; in CI there has to be one."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium, and in CI the pages have to be looked at")
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        try:
            yield Browser(chromium.new_page())
        finally:
            chromium.close()
