"""What the tests of `copilot_analytics.download` share: a server of files, and how to get them.

A test module imports the fixtures that it uses, and those which these use. Sleeping is recorded,
not done.
"""

import base64
import hashlib

import pytest
from web_server import SIGNATURE, TOKEN, Reply

from copilot_analytics import download
from copilot_analytics.client import Settings

EXPIRED = Reply(
    403,
    b"<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code><Message>Signature not valid in "
    b"the specified time frame: sig=" + SIGNATURE.encode() + b"</Message></Error>",
    {"Content-Type": "application/xml"},
)


def lines(*numbers: int) -> bytes:
    return b"".join(b'{"user_id": %d}\n' % number for number in numbers)


BODY = lines(*range(100))


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def left(folder) -> list[str]:
    """What lies in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def blobs(blobs, caplog):
    """F055, F059: no test ever sends a host of files a credential or a header of ours."""
    caplog.set_level("DEBUG")  # whose records are searched for secrets
    yield blobs
    for request in blobs.requests:
        assert set(request.headers) <= {"Host", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.fixture
def settings(blobs, time):
    return Settings(
        token=TOKEN,
        download_hosts=(blobs.host,),
        connect_timeout=2,
        read_timeout=2,
        clock=time.now,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "files"
    path.mkdir()
    return path


@pytest.fixture
def get(folder, settings):
    """Download links into the folder."""

    def run(*links, **options):
        options = {"settings": settings, "quarantine": folder / "quarantine"} | options
        return download.files(links, folder, **options)

    return run
