"""The explorer in a real browser, as the command opens it: in JupyterLab and as an application."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from urllib.parse import urlsplit

import pandas as pd
import pytest
from browser import Browser, open_browser

from copilot_analytics import privacy
from copilot_analytics.archive import Archive
from copilot_analytics.explorer import Selection, Source, view
from copilot_analytics.explorer.people import people
from copilot_analytics.samples import Company, encode

SECONDS = 100  # until a server, page or kernel that is slow is taken for one that hangs
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S*\?token=[0-9a-f]{32,}")
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ORG, LABS = "organization:9919001", "organization:9919002"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive of the two organizations of a small sample company."""
    folder = tmp_path_factory.mktemp("explorer")
    company = Company(people=60, days=32)
    archive = Archive(folder / "archive", clock=lambda: NOW)
    for scope, days in zip(company.scopes, (32, 9), strict=False):
        for report in ("users-1-day", "user-teams-1-day"):
            file = folder / f"{scope.name}-{report}.ndjson"
            records = [company.records(report, scope, day) for day in company.days()[-days:]]
            file.write_bytes(b"".join(line for some in records for line in encode(some)))
            archive.import_files([file])
    return archive


@contextmanager
def started(archive, *options):
    """Run the command as people do; give what tells its address once it is there."""
    command = [sys.executable, "-m", "copilot_analytics", "explore", "--no-browser", *options]
    log = archive.path.with_name(f"{''.join(options)}log.txt")
    environment = os.environ | {"GITHUB_TOKEN": "ghp_no_kernel_may_see_this"}
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--archive", str(archive.path)],
            stdout=output,
            stderr=output,
            env=environment,
        )

    def address() -> str:
        deadline = time.monotonic() + SECONDS
        while not (found := ADDRESS.search(log.read_text())):
            if time.monotonic() > deadline or process.poll() is not None:
                pytest.fail(f"the server told no address:\n{log.read_text()}")
            time.sleep(0.1)
        return found[0]

    try:
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
    assert process.returncode == 0, log.read_text()


class Application:
    """The explorer in a page: its controls by their labels, and what it shows."""

    def __init__(self, browser, address):
        self.page, self.browser, self.address = browser.page, browser, address
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.goto(address)
        if "/lab/" in address:
            self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.get_by_text("Run All Cells", exact=True).click()
        self.explorer = self.page.locator(".explorer")
        self.explorer.locator("img").wait_for()

    def control(self, label, kind="select"):
        row = self.explorer.locator(".controls .widget-inline-hbox")
        return row.filter(has=self.page.get_by_text(label, exact=True)).locator(kind)

    def choose(self, **choices):
        """Choose the text of each control, the first day as ISO text."""
        for label, choice in choices.items():
            if label.endswith("day"):
                self.control(label.replace("_", " "), "input").fill(choice)
            else:
                self.control(label).select_option(label=choice)

    def shows(self, source, **chosen):
        """Wait until the picture is the one of the same selection in Python, and return that."""
        expected = view(source, Selection(**{"scope": ORG} | chosen))
        self.explorer.get_by_alt_text(expected.chart.alt, exact=True).wait_for()
        return expected

    def says(self, sentence):
        """Wait until a sentence stands in the place of the picture."""
        self.explorer.get_by_role("status").filter(has_text=sentence).wait_for()

    def tab(self, name):
        self.explorer.get_by_role("tab", name=name, exact=True).click()


@pytest.fixture(scope="module")
def applications(archive):
    """Both applications; each starts while the other does."""
    for module in ("voila", "jupyterlab"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    with ExitStack() as stack:
        browser = stack.enter_context(open_browser())
        addresses = {
            "voila": stack.enter_context(started(archive, "--voila")),
            "JupyterLab": stack.enter_context(started(archive)),
        }
        yield {
            name: Application(Browser(browser.page.context.browser.new_page()), address())
            for name, address in addresses.items()
        }


@pytest.fixture(params=["voila", "JupyterLab"])
def app(request, applications):
    return applications[request.param]


@pytest.fixture(scope="module")
def source(archive):
    """The same data in this process, with pandas."""
    return Source(archive.tables())


def test_what_is_chosen_is_shown(app, source):
    """The picture says what the same selection says in Python, with the same figures."""
    app.shows(source)
    app.choose(Scope=LABS, Measure="Prompts", Days="All days")
    app.shows(source, measure="interactions", period="all", scope=LABS)
    app.choose(Scope=ORG, By="IDE", Smoothing="Mean of 7 days", Weekdays="Monday to Friday")
    chosen = {"measure": "interactions", "period": "all"}
    app.shows(source, **chosen, breakdown="ide", smoothing=7, weekdays="working")
    team = source.teams(ORG)[0]
    app.choose(By="None", Smoothing="None", Weekdays="All days", Team=team)
    app.shows(source, **chosen, team=team)
    app.choose(Team="Everybody", Days="Between two dates", First_day="2026-11-02")
    app.shows(source, measure="interactions", period="dates", start="2026-11-02")


def test_the_shown_frame_is_a_file_to_take_along(app, source, tmp_path):
    app.choose(Scope=ORG, Measure="Prompts", By="IDE", Days="Last 28 days")
    expected = app.shows(source, measure="interactions", breakdown="ide")
    with app.page.expect_download() as download:
        app.explorer.get_by_text("Data of this chart (CSV)").click()
    assert download.value.suggested_filename == "interactions-ide.csv"
    download.value.save_as(tmp_path / "shown.csv")
    shown = pd.read_csv(tmp_path / "shown.csv", parse_dates=["day"])
    pd.testing.assert_frame_equal(shown, expected.frame, check_dtype=False)


def test_people_of_a_group_are_pseudonyms(app, source, archive):
    """F187."""
    app.choose(Scope=ORG, Measure="Prompts", By="IDE", Days="Last 28 days")
    app.shows(source, measure="interactions", breakdown="ide")
    app.tab("People")
    app.explorer.locator(".shown select").select_option(label="vscode")
    chosen = Selection("interactions", "ide", scope=ORG)
    found = people(source, chosen, "vscode", privacy.load_key(archive.path))
    app.explorer.get_by_text(found.sentence).wait_for()
    text = app.explorer.inner_text()
    assert [name for name in found.frame["person"] if name not in text] == []
    assert set(source.tables.users["user_login"]).isdisjoint(text.split())
    app.tab("Table")


def test_what_cannot_be_shown_is_said_in_a_sentence(app):
    app.choose(Scope=ORG, Measure="AI credits", By="IDE", Days="All days")
    app.says("GitHub reports credits per person only: choose no breakdown.")
    app.choose(By="None", Measure="Prompts", Days="Between two dates")
    app.choose(First_day="2030-01-01")
    app.says("The first date, 2030-01-01, is after the last")
    app.choose(First_day="", Days="Last complete month")
    app.says("The data have no complete month yet")
    assert "Traceback" not in app.page.content()


def test_nothing_is_cut_on_a_narrow_screen(app, source):
    app.choose(Scope=ORG, Measure="Prompts", By="Feature", Days="All days")
    app.shows(source, measure="interactions", breakdown="feature", period="all")
    app.page.set_viewport_size({"width": 800, "height": 900})
    too_wide = """explorer => [...explorer.querySelectorAll("p, img, select, pre, .scroll")]
        .filter(one => one.offsetParent && one.closest(".explorer").getBoundingClientRect().right
            < one.getBoundingClientRect().right - 1).map(one => one.outerHTML.slice(0, 200))"""
    for tab in ("Table", "People", "Python"):
        app.tab(tab)
        assert app.explorer.evaluate(too_wide) == []
        if folder := os.environ.get("SCREENSHOTS"):
            app.page.wait_for_timeout(1500)
            app.page.screenshot(path=f"{folder}-{tab}-{urlsplit(app.address).port}.png")


def test_nothing_is_asked_of_other_hosts(app):
    own = urlsplit(app.address).netloc
    asked = set(app.browser.requested) - set(app.browser.stopped)
    assert len(asked) > 20
    assert [url for url in asked if urlsplit(url).netloc not in ("", own)] == []
