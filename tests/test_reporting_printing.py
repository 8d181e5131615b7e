"""Pages as PDF: printed whole by a browser that is there, refused with a sentence without one."""

import re
import zlib

import pytest
from browser import CHROMIUM
from test_reporting import NOW, make_notebook

from copilot_analytics.errors import ReportError, UsageError
from copilot_analytics.reporting import printing, report

PAGE = "<!DOCTYPE html><title>Words</title><h1>Words</h1><p>Ümläut"


def fake_browser(folder, script):
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def test_without_a_browser_nothing_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    notebook = make_notebook(tmp_path / "own.ipynb")
    with pytest.raises(UsageError, match="no Chromium, Chrome or Edge is installed") as caught:
        report(notebooks=[notebook], out=tmp_path / "out", pdf=True, now=NOW)
    assert "leave out --pdf" in str(caught.value)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["status.json"]


def test_a_browser_that_prints_nothing_is_an_error_that_quotes_it(tmp_path):
    browser = fake_browser(tmp_path, "echo 'first' >&2; echo 'no sandbox' >&2; exit 1")
    with pytest.raises(ReportError, match="did not print a page") as caught:
        printing.print_pages({"index.html": PAGE}, tmp_path, browser)
    assert caught.value.said == "no sandbox"


def test_no_token_reaches_the_browser(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_canary0123456789")
    browser = fake_browser(tmp_path, "env > " + str(tmp_path / "seen") + "; exit 1")
    with pytest.raises(ReportError):
        printing.print_pages({"index.html": PAGE}, tmp_path, browser)
    assert "PATH=" in (tmp_path / "seen").read_text()
    assert "canary" not in (tmp_path / "seen").read_text()


def test_a_browser_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(printing, "SECONDS", 0.3)
    browser = fake_browser(tmp_path, "exec sleep 60")
    with pytest.raises(ReportError, match="did not print a page") as caught:
        printing.print_pages({"index.html": PAGE}, tmp_path, browser)
    assert caught.value.said == "it took longer than 0.3 s"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_each_page_becomes_a_pdf_beside_it(tmp_path):
    pages = {"index.html": PAGE, "team-web/index.html": PAGE}
    printed = printing.print_pages(pages, tmp_path, CHROMIUM)
    assert list(printed) == ["index.pdf", "team-web/index.pdf"]
    for content in printed.values():
        assert content.startswith(b"%PDF")
        streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
        assert any(b"TJ" in text or b"Tj" in text for text in map(unpacked, streams))


def unpacked(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""
