"""Errors say what failed and what to do, and never repeat a secret."""

import pytest

from copilot_analytics import errors


def subclasses(base):
    for one in base.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_error_of_the_family_has_a_documented_exit_code():
    family = set(subclasses(errors.CopilotAnalyticsError))
    assert {one.exit_code for one in family} <= set(errors.EXIT_CODES)
    assert {12, 13, 14, 15, 16, 17, 19, 20} <= {one.exit_code for one in family}


def test_the_text_has_four_parts():
    text = str(errors.CopilotAnalyticsError("it failed", said="no", kept="all", advice="try again"))
    assert text == "it failed\nIt said: no\nKept: all\nNext: try again"


def test_a_content_error_names_its_place():
    error = errors.ContentError("is wrong", file="a.json", line=3, field="day")
    assert str(error) == "a.json, line 3, field day: is wrong"
    assert error.as_dict()["exit_code"] == 16


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 3], 3), ([3, 15, 14], 14), ([15, 13], 13), ([4, 3], 3), ([19, 15], 19)],
)
def test_the_code_that_needs_a_person_wins(codes, expected):
    assert errors.worst(codes) == expected


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_CANARYCANARY0123456789",
        "github_pat_CANARYCANARY_0123456789",
        "Authorization: Bearer CANARY.CANARY-123",
        "https://host.example/part-0?se=2026&sig=CANARY%2F",
        "/container/part-0.json?sig=CANARY&se=1 (Caused by",
        "http://user:CANARY@proxy.example:8080/",
        "https://github.com/orgs/a/sso?authorization_request=CANARY",
        "eyJhbGciOi.eyJCANARY.CANARY_x",
        "sig=CANARY",
    ],
)
def test_f164_f087_secrets_are_removed_from_any_text(secret):
    assert "CANARY" not in errors.redact(f"failed: {secret} and more")
    assert "CANARY" not in str(errors.CopilotAnalyticsError("x", said=secret, advice=secret))


def test_redaction_leaves_ordinary_text_alone():
    text = "report users-1-day of organization:octo-org for 2026-11-02: GET /orgs/octo-org failed?"
    assert errors.redact(text) == text
