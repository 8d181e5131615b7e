"""GitHub's REST API: one report of one organization or enterprise, and where its files are."""

from copilot_analytics.client.api import Client
from copilot_analytics.client.days import (
    check_day,
    earliest_day,
    parse_day,
)
from copilot_analytics.client.envelope import Envelope
from copilot_analytics.client.outcomes import POLICY, Outcome, Policy, classify
from copilot_analytics.client.settings import Settings, Token

__all__ = [
    "POLICY",
    "Client",
    "Envelope",
    "Outcome",
    "Policy",
    "Settings",
    "Token",
    "check_day",
    "classify",
    "earliest_day",
    "parse_day",
]
