"""What will soon fail is said once, days ahead: a wrong clock, a token that ends; and the pace."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_server import TOKEN, Reply, envelope, refusal

from copilot_analytics.client import Client, Settings
from copilot_analytics.client.headers import clock_error, describe_clock_error, token_expiry
from copilot_analytics.errors import RateLimitError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = "2026-11-20"
USERS = "/orgs/octo-org/copilot/metrics/reports/users-1-day"
EXPIRY = "GitHub-Authentication-Token-Expiration"


@pytest.fixture
def settings(api, time):
    warned = []
    found = Settings(api_url=api.url, token=TOKEN, clock=time.now, sleep=time.sleep,
                     monotonic=time.monotonic, warn=warned.append)  # fmt: skip
    object.__setattr__(found, "warned", warned)
    return found


def answer(**headers) -> Reply:
    good = envelope("https://copilot-reports.github.com/part-0", day=DAY)
    return replace(good, headers={name.replace("_", "-"): text for name, text in headers.items()})


def ask(settings, times=1) -> list[str]:
    """Ask a few times in one run, and return the warnings."""
    with Client(settings) as client:
        for _ in range(times):
            client.links("users-1-day", org="octo-org", day=DAY)
    return settings.warned


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


# --- the clock ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "words"), [(7, "7 minutes ahead of"), (-90, "90 minutes behind")]
)
def test_a_clock_that_is_more_than_five_minutes_off_is_said_once(api, settings, minutes, words):
    api.on(USERS, answer(Date=http_date(NOW - timedelta(minutes=minutes))))
    warned = ask(settings, times=3)
    assert len(warned) == 1
    assert words in warned[0]


@pytest.mark.parametrize("date", [http_date(NOW - timedelta(minutes=4.9)), "", "soon", "0"])
def test_a_clock_that_is_nearly_right_and_an_unreadable_date_are_no_matter(api, settings, date):
    api.on(USERS, answer(Date=date))
    assert ask(settings) == []


def test_a_limit_is_waited_for_by_githubs_clock(api, settings, time):
    """A reset in two seconds is not over because our clock is ten minutes ahead."""
    theirs = NOW - timedelta(minutes=10)
    reset = str(int(theirs.timestamp()) + 2)
    limited = refusal(403, "API rate limit exceeded", X_RateLimit_Remaining="0",
                      X_RateLimit_Reset=reset, Date=http_date(theirs))  # fmt: skip
    api.on(USERS, limited, answer())
    ask(settings)
    assert 3 <= sum(time.sleeps) <= 8
    far = refusal(403, "API rate limit exceeded", X_RateLimit_Remaining="0", Date=http_date(theirs),
                  X_RateLimit_Reset=str(int(theirs.timestamp()) + 3600))  # fmt: skip
    api.on(USERS, far)
    with pytest.raises(RateLimitError, match="2026-11-22 12:50:00 UTC"):
        ask(settings)


@given(st.text())
def test_any_date_header_is_read_or_left(text):
    error = clock_error({"Date": text}, NOW)
    assert error is None or describe_clock_error(error)


# --- the token's end ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["2026-11-25 08:00:00 UTC", "2026-11-25 08:00:00 +0000", "2026-11-25 00:00:00 -0800"]
)
def test_a_token_that_ends_within_two_weeks_is_said_once(api, settings, text):
    api.on(USERS, answer(**{EXPIRY: text}))
    warned = ask(settings, times=3)
    assert len(warned) == 1
    assert "2026-11-25 08:00 UTC" in warned[0]


@pytest.mark.parametrize("text", ["2027-11-25 08:00:00 UTC", "", "never", "2026-11-25"])
def test_a_token_that_lasts_is_not_mentioned(api, settings, text):
    api.on(USERS, answer(**{EXPIRY: text}))
    assert ask(settings) == []


@given(st.text())
def test_any_expiry_header_is_read_or_left(text):
    found = token_expiry({EXPIRY: text})
    assert found is None or found.tzinfo is UTC


def test_without_a_function_of_ones_own_the_warning_is_pythons(api, settings):
    api.on(USERS, answer(**{EXPIRY: "2026-11-25 08:00:00 UTC"}))
    plain = Settings(api_url=api.url, token=TOKEN, clock=settings.clock)
    with Client(plain) as client, pytest.warns(UserWarning, match="expires on 2026-11-25"):
        client.links("users-1-day", org="octo-org", day=DAY)


# --- the pace -----------------------------------------------------------------------------------


def test_calls_keep_their_distance(api, settings, time):
    api.on(USERS, answer())
    with Client(replace(settings, call_spacing=0.5)) as client:
        for _ in range(3):
            client.links("users-1-day", org="octo-org", day=DAY)
    assert len(time.sleeps) == 2
    assert all(0.3 < seconds <= 0.5 for seconds in time.sleeps)


def test_a_call_that_comes_late_enough_does_not_wait(api, settings, time):
    api.on(USERS, answer())
    with Client(replace(settings, call_spacing=0.5)) as client:
        client.links("users-1-day", org="octo-org", day=DAY)
        time.sleep(1)
        client.links("users-1-day", org="octo-org", day=DAY)
    assert time.sleeps == [1]


def test_github_is_spared_by_default_and_a_server_on_this_computer_is_not():
    assert Settings().call_spacing == 0.1
    assert Settings(api_url="http://127.0.0.1:8000").call_spacing == 0
    assert Settings(api_url="http://127.0.0.1:8000", call_spacing=1).call_spacing == 1
