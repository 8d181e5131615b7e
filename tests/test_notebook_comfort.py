"""In a notebook: completion, frames that say what they are, results as pages, bars, warnings."""

from pathlib import Path

import nbformat
import pytest
from archive_input import company_archive
from jupyter_client.manager import start_new_kernel

from copilot_analytics.reporting import ReportResult

SETUP = """
import os
os.environ.pop("TQDM_DISABLE", None)
import copilot_analytics as ca
from copilot_analytics import charts, progress
progress.SECONDS_UNTIL_SHOWN = 0
tables = ca.sample(people=20, days=3)
users = tables.users
"""


class Kernel:
    """A real kernel, asked as Jupyter's front ends ask it."""

    def __init__(self, client):
        self.client = client

    def run(self, code):
        """The outputs of a cell, as a notebook keeps them."""
        outputs = []

        def keep(message):
            if message["msg_type"] in ("stream", "execute_result", "display_data", "error"):
                outputs.append(nbformat.v4.output_from_msg(message))

        self.client.execute_interactive(code, timeout=60, output_hook=keep)
        return outputs

    def completed(self, code):
        """What the Tab key offers at the end of a line."""
        reply = self.client.complete(code, reply=True, timeout=60)
        return reply["content"]["matches"]


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel()
    try:
        kernel = Kernel(client)
        assert [one for one in kernel.run(SETUP) if one["output_type"] == "error"] == []
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tables.users_by_l", "tables.users_by_language_feature"),
        ('tables["users_by_l', "users_by_language_feature"),
        ("tables.users.user_in", "tables.users.user_initiated_interaction_count"),
        ('users["user_in', "user_initiated_interaction_count"),
        ("ca.expl", "ca.explore"),
    ],
)
def test_names_of_tables_and_fields_are_completed(kernel, typed, offered):
    assert any(name.endswith(offered.split(".")[-1]) for name in kernel.completed(typed)), typed


def test_a_bar_leaves_nothing_behind(kernel):
    """A bar that ends before its total stays, in red, as if something had failed."""
    kernel.run(
        """
from tqdm.notebook import tqdm

class Noting(tqdm):
    asked = []
    def display(self, *arguments, **options):
        Noting.asked.append(options)

import tqdm.auto
tqdm.auto.tqdm = Noting
ca.sample(people=20, days=2)"""
    )
    (said,) = kernel.run("print(Noting.asked[-1])")
    assert "'close': True" in said["text"]


def test_a_table_says_what_it_is_about(kernel):
    (said,) = kernel.run("tables.users.attrs")
    assert "'scope': ['organization:9919001']" in said["data"]["text/plain"]
    assert "one row is a person on a day" in said["data"]["text/plain"]


def test_results_show_themselves_as_pages(kernel):
    (tables,) = kernel.run("tables")
    assert "<table>" in tables["data"]["text/html"]
    (archive,) = kernel.run(f"ca.Archive({str(company_archive().path)!r})")
    assert "organization:octo-org" in archive["data"]["text/html"]


def test_a_warning_is_said_once(kernel, tmp_path):
    """Which archive may be read by others is said in words, at the first time only."""
    (tmp_path / "archive").mkdir()
    store = f"""
archive = ca.Archive({str(tmp_path / "web" / "htdocs" / "archive")!r})
file = {str(tmp_path / "users.ndjson")!r}
open(file, "wb").write(b'{{"day":"2026-11-02","organization_id":"7","user_id":1}}')
for _ in range(2):
    done = archive.import_files([file])
"""
    said = [output["text"] for output in kernel.run(store) if output["output_type"] == "stream"]
    assert "".join(said).count("StorageWarning:") == 1
    assert "which a web server may hand out" in "".join(said)


def test_own_plots_are_shown_in_the_style_of_reports(kernel):
    (shown,) = kernel.run(
        "charts.use_style(); tables.entity.plot(x='day', y='daily_active_users');"
    )
    assert "image/png" in shown["data"]


def test_a_report_shows_where_it_is_and_whether_it_is_whole():
    said = {"scope": "organization:<b>", "start": "2026-10-01", "end": "2026-11-20"}
    shown = ReportResult(Path("reports/o/2026-11-20"), 3, said)._repr_html_()
    assert '<a href="reports/o/2026-11-20/index.html">' in shown
    assert "some days are missing" in shown
    assert "organization:&lt;b&gt;, 2026-10-01, 2026-11-20" in shown
