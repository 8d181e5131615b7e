"""`classify` gives each answer one meaning, and `POLICY` says how often and how long to try."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_analytics.client import POLICY, Outcome, classify
from copilot_analytics.client.outcomes import Answer, retry_after, seconds_to_retry

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LINK = "https://copilot-reports.github.com/part-0?sig=abc"
LINKS = json.dumps({"download_links": [LINK]}).encode()
CLASSES = [
    ("report", 200, {}, LINKS, "ok"),
    ("report with a BOM", 200, {}, b"\xef\xbb\xbf" + LINKS, "ok"),
    ("no content", 204, {}, b"", "not_ready"),
    ("F026 empty text", 200, {}, b'""', "not_ready"),
    ("F027 sentence", 200, {}, b'"No report available"', "not_ready"),
    ("F028 null", 200, {}, b"null", "not_ready"),
    ("F028 nothing", 200, {}, b"", "not_ready"),
    ("F028 blanks", 200, {}, b" \n", "not_ready"),
    ("F029 no links", 200, {}, b'{"download_links": []}', "empty"),
    ("F030 null", 200, {}, b'{"download_links": null}', "contract"),
    ("F030 text", 200, {}, b'{"download_links": "https://a"}', "contract"),
    ("F030 objects", 200, {}, b'{"download_links": [{}]}', "contract"),
    ("F030 empty text", 200, {}, b'{"download_links": [""]}', "contract"),
    ("F030 missing", 200, {}, b"{}", "contract"),
    ("a list", 200, {}, b"[]", "contract"),
    ("deep nesting", 200, {}, b"[" * 100_000, "contract"),
    ("F039 HTML", 200, {"content-type": "text/html"}, b"<html>", "contract"),
    ("partial content", 206, {}, LINKS, "contract"),
    ("not modified", 304, {}, b"", "contract"),
    ("F034 version", 400, {}, b"{}", "bad_request"),
    ("F035 unprocessable", 422, {}, b"{}", "bad_request"),
    ("F011 bad token", 401, {}, b'{"message": "Bad credentials"}', "bad_credentials"),
    ("F015 SSO", 403, {"X-GitHub-SSO": "required; url=https://x"}, b"{}", "sso_required"),
    ("SSO as 404", 404, {"x-github-sso": "required; url=https://x"}, b"{}", "sso_required"),
    (
        "F017 policy",
        403,
        {},
        b"The 'Copilot usage metrics' policy must be enabled to use this API",
        "policy_disabled",
    ),
    ("F018 role", 403, {}, b"requires admin, or relevant organization role access", "forbidden"),
    ("F019 permission", 403, {}, b"Resource not accessible by integration", "forbidden"),
    ("F020 no reason", 403, {"X-RateLimit-Remaining": "55"}, b"{}", "forbidden"),
    ("F001 primary", 403, {"X-RateLimit-Remaining": "0"}, b"{}", "rate_primary"),
    ("F002 primary", 429, {"X-RateLimit-Remaining": "0"}, b"{}", "rate_primary"),
    ("F003 secondary", 403, {"Retry-After": "3"}, b"{}", "rate_secondary"),
    ("F004 secondary", 403, {}, b"You have exceeded a secondary rate limit", "rate_secondary"),
    ("too many requests", 429, {}, b"", "rate_secondary"),
    (
        "both limits",
        403,
        {"X-RateLimit-Remaining": "0"},
        b'{"documentation_url": "https://docs.github.com/x#about-secondary-rate-limits"}',
        "rate_secondary",
    ),
    ("F021 not found", 404, {}, b"{}", "not_found_ambiguous"),
    ("gone", 410, {}, b"{}", "not_found_ambiguous"),
    ("F044 proxy", 407, {}, b"", "network"),
    ("timeout", 408, {}, b"", "server_error"),
    ("F036 server", 500, {}, b"", "server_error"),
    ("F037 gateway", 502, {"Content-Type": "text/html"}, b"<html>", "server_error"),
    ("teapot", 418, {}, b"", "bad_request"),
]


@pytest.mark.parametrize(("status", "headers", "body", "outcome"), [c[1:] for c in CLASSES],
                         ids=[c[0] for c in CLASSES])  # fmt: skip
def test_each_answer_has_one_meaning(status, headers, body, outcome):
    assert classify(status, headers, body) == outcome
    shouting = {name.upper(): value for name, value in headers.items()}
    assert classify(status, shouting, body) == outcome


def test_the_outcomes_are_closed_and_each_has_a_policy():
    names = (
        "ok not_ready empty bad_request bad_credentials sso_required policy_disabled forbidden "
        "not_found_ambiguous rate_primary rate_secondary server_error network tls contract"
    )
    assert [str(outcome) for outcome in Outcome] == names.split()
    assert list(POLICY) == list(Outcome)
    codes = {str(o): p.error.exit_code for o, p in POLICY.items() if p.error}
    assert codes["bad_credentials"] == 12
    assert codes["sso_required"] == codes["policy_disabled"] == codes["forbidden"] == 13
    assert codes["rate_primary"] == codes["rate_secondary"] == 14
    assert codes["server_error"] == codes["network"] == codes["tls"] == 15
    assert codes["bad_request"] == codes["contract"] == 16
    assert codes["not_ready"] == codes["empty"] == 3


@given(st.integers(100, 599), st.dictionaries(st.text(), st.text()), st.binary())
def test_any_answer_at_all_has_a_meaning(status, headers, body):
    assert classify(status, headers, body) in Outcome


@given(st.text())
def test_f009_any_retry_after_gives_a_wait_that_is_neither_zero_nor_endless(text):
    assert 1 <= retry_after({"Retry-After": text}, NOW, 60) <= 31 * 86400


@pytest.mark.parametrize("tries", [1, 2, 3, 4])
def test_waits_between_tries_double_and_are_drawn_at_random(tries):
    answer = Answer(Outcome.SERVER_ERROR, 503)
    waits = [seconds_to_retry(answer, tries, NOW) for _ in range(200)]
    longest = 2 ** (tries - 1)
    assert 0 <= min(waits) < 0.5 * longest < max(waits) <= longest
    assert seconds_to_retry(replace(answer, headers={"Retry-After": "30"}), tries, NOW) == 30


def test_an_answer_does_not_show_its_links():
    answer = Answer(Outcome.OK, 200, {"X-GitHub-SSO": f"required; url={LINK}"}, LINKS)
    assert "sig=" not in repr(answer)
