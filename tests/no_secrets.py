"""Nothing secret stays behind: what every test prints, logs and writes is searched for secrets.

The secrets that tests hand out contain the word of `web_server.CANARY`; besides, everything that
looks like a token, a signature or a private key counts. A test that has to put a secret into a file
does so with the fixture `plant`, and only that file is left out.
"""

import gzip
import io
import logging
import re
import subprocess
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

# The token of the sample company's server opens nothing else, and is printed on purpose.
SECRET = re.compile(
    rb"CANARY\w*"
    rb"|\b(?:gh[pousr]_(?!sampletoken)|github_pat_)\w{16,}"
    rb"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    rb"|\b(?:sig|authorization_request)=(?!\*\*\*)[\w%+/-]{8,}"
)
# Looked for first, because a plain search is much faster than the expression.
SIGNS = (b"CANARY", b"gh", b"eyJ", b"PRIVATE KEY", b"sig=", b"authorization_request=")
LARGEST = 64 * 1024**2


@pytest.fixture(autouse=True)
def no_secret_left_behind(request, caplog, monkeypatch):
    """R5.4, F164: find no secret in the output, the log and the files of any test.

    What a test reads from its own capture, or from a process that it starts, would be gone at its
    end: it is kept as it passes by.
    """
    texts = []
    _keep_results(monkeypatch, pytest.CaptureFixture, "readouterr", texts)
    _keep_results(monkeypatch, subprocess.Popen, "communicate", texts)
    yield
    texts += [text for _, _, text in request.node._report_sections]
    records = caplog.get_records("setup") + caplog.get_records("call")
    leaks = [*_leaks_of_texts(texts), *_leaks_of_records(records)]
    folder = (getattr(request.node, "funcargs", None) or {}).get("tmp_path")
    if folder is not None:
        leaks += leaks_of_files(folder, getattr(request.node, "planted", ()))
    assert not leaks, f"secrets were left behind: {leaks}"


@pytest.fixture
def plant(request):
    """Write a secret into a file on purpose, readable by its owner only."""
    request.node.planted = set()

    def write(path: Path, text: str) -> Path:
        path.touch(0o600)
        path.write_text(text)
        request.node.planted.add(path)
        return path

    return write


def leaks_of_files(folder: Path, planted=()) -> list[str]:
    """Return each secret in the names and the contents of files, also of compressed ones."""
    found = []
    for path in sorted(folder.rglob("*")):
        # Sources that a test copies hold examples of secrets.
        if path in planted or path.suffix in (".py", ".pyc"):
            continue
        name = str(path.relative_to(folder))
        found += [f"name of {name}"] if _secrets(name.encode(errors="replace")) else []
        # A pipe or a socket would block.
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
            found += [f"{name}: {secret}" for secret in _secrets(*_contents(path))]
    return found


def _keep_results(monkeypatch, owner, name: str, texts: list) -> None:
    original = getattr(owner, name)

    def keep(self, *arguments, **options):
        result = original(self, *arguments, **options)
        texts.extend(part for part in result if part)
        return result

    monkeypatch.setattr(owner, name, keep)


def _leaks_of_texts(texts: list) -> list[str]:
    encoded = (text if isinstance(text, bytes) else text.encode(errors="replace") for text in texts)
    return [f"output: {secret}" for secret in _secrets(*encoded)]


def _leaks_of_records(records: list[logging.LogRecord]) -> list[str]:
    found = []
    for record in records:
        text = f"{record.getMessage()} {record.args} {record.exc_text}"
        if record.exc_info:
            text += logging.Formatter().formatException(record.exc_info)
        found += [f"log of {record.name}: {secret}" for secret in _secrets(text.encode())]
    return found


def _contents(path: Path) -> list[bytes]:
    """Return the bytes of a file, and what they are when they are decompressed."""
    try:
        data = path.read_bytes()
    except OSError:  # a test may have taken the right to read away
        return []
    try:
        if path.suffix == ".zst":
            with pa.CompressedInputStream(pa.py_buffer(data), "zstd") as stream:
                return [data, stream.read()]
        if path.suffix == ".gz":
            return [data, gzip.GzipFile(fileobj=io.BytesIO(data)).read()]
    except (OSError, EOFError, zlib.error):
        pass  # damaged on purpose
    return [data]


def _secrets(*contents: bytes) -> list[str]:
    return [
        match[0][:80].decode(errors="replace")
        for content in contents
        if any(sign in content for sign in SIGNS)
        for match in SECRET.finditer(content)
    ]
