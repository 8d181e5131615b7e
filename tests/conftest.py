"""Shared pieces of the tests."""

import atexit
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from no_secrets import no_secret_left_behind, plant
from web_server import FakeTime, WebServer

__all__ = ["no_secret_left_behind", "plant"]

# A machine that stands still for a moment makes no example fail.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"


def user_record(day="2026-11-02", user_id=1, **fields) -> dict:
    """A small valid user record of an invented organization."""
    return {
        "day": day,
        "organization_id": "7",
        "enterprise_id": "3",
        "user_id": user_id,
        "user_login": f"login-{user_id}",
        "user_initiated_interaction_count": 2,
        "code_generation_activity_count": 5,
        "code_acceptance_activity_count": 1,
        "loc_suggested_to_add_sum": 9,
        "loc_suggested_to_delete_sum": 0,
        "loc_added_sum": 4,
        "loc_deleted_sum": 0,
        "used_chat": True,
        "totals_by_feature": [
            {"feature": "code_completion", "code_generation_activity_count": 5},
        ],
        **fields,
    }


def ndjson(*records: dict) -> bytes:
    """The records as lines."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def pytest_configure(config):
    """Keep a worker quiet when it ends: DuckDB 2.0 then lists pages of what it never frees.

    https://nanobind.readthedocs.io/en/latest/refleaks.html
    """
    if hasattr(config, "workerinput"):
        atexit.register(os.dup2, os.open(os.devnull, os.O_WRONLY), 2)


@pytest.fixture(scope="session")
def real_files() -> list[Path]:
    """Files that nobody of this project wrote, where they lie beside the checkout."""
    if not REAL.is_dir():
        pytest.skip("no real files beside this checkout")
    return sorted(REAL.glob("*.json"))


@pytest.fixture(scope="module")
def servers():
    """Two scripted servers of a test module, on two ports: the API, and the host of the files."""
    with WebServer() as api, WebServer() as blobs:
        yield api, blobs


@pytest.fixture
def api(servers, caplog) -> WebServer:
    """The API of a test; what the HTTP libraries log at DEBUG is searched for secrets (F169)."""
    caplog.set_level("DEBUG")
    return servers[0].reset()


@pytest.fixture
def blobs(servers) -> WebServer:
    """The host of the files of a test."""
    return servers[1].reset()


@pytest.fixture
def time() -> FakeTime:
    """Noon of 2026-11-22 in UTC; sleeping moves it on and takes no time."""
    return FakeTime(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
