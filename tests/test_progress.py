"""Progress is shown to a person who waits, and leaves nothing behind."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from copilot_analytics.progress import bar

try:
    import termios
except ImportError:  # Windows, where there are no pseudo-terminals
    termios = None

WORK = """
import time
from copilot_analytics import progress
progress.SECONDS_UNTIL_SHOWN = {delay}
for _ in progress.bar(range(4), description="Reading", unit="file"):
    time.sleep(0.15)
"""
SLOW, QUICK = WORK.format(delay=0.2), WORK.format(delay=60)
WIDGET = "application/vnd.jupyter.widget-view+json"


def shown_on_terminal(code: str, **environment: str) -> str:
    """What a program writes to stderr where that is a terminal."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    subprocess.run(
        [sys.executable, "-c", code], stderr=theirs, env=os.environ | environment, check=True
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            read = os.read(ours, 4096)
        except OSError:  # how Linux says that the other end is closed
            read = b""
        if not read:
            os.close(ours)
            return text.decode()
        text += read


@pytest.mark.skipif(termios is None, reason="no pseudo-terminals")
class TestTerminal:
    def test_shows_what_is_done_and_clears_the_line_at_the_end(self):
        text = shown_on_terminal(SLOW)
        assert "Reading" in text
        assert "/4 [" in text
        assert "\n" not in text
        assert text.split("\r")[-2].strip() == ""

    def test_is_quiet_about_quick_work(self):
        assert shown_on_terminal(QUICK) == ""

    def test_is_quiet_where_tqdm_is_switched_off(self):
        assert shown_on_terminal(SLOW, TQDM_DISABLE="1") == ""

    def test_is_not_fooled_by_an_import_of_ipykernel(self):
        assert "Reading" in shown_on_terminal("import ipykernel.zmqshell\n" + SLOW)


def test_is_quiet_in_pipes_and_cron():
    done = subprocess.run(
        [sys.executable, "-c", SLOW], capture_output=True, stdin=subprocess.DEVNULL, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_is_quiet_without_any_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(bar([1, 2], description="Reading")) == [1, 2]


def test_counts_steps_that_are_told():
    with bar(total=3, description="Reading", hidden=True) as shown:
        for _ in range(3):
            shown.update()
    assert shown.disable


def outputs(monkeypatch, **environment: str) -> list:
    """What a notebook holds after the slow work."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SLOW)])
    NotebookClient(notebook, timeout=60).execute()
    return notebook.cells[0].outputs


class TestNotebook:
    def test_shows_a_widget(self, monkeypatch):
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
        (output,) = outputs(monkeypatch)
        assert WIDGET in output["data"]

    def test_holds_nothing_where_nobody_looks_on(self, monkeypatch):
        assert outputs(monkeypatch, TQDM_DISABLE="1") == []
