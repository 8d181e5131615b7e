"""GitHub's REST API: one report of one organization or enterprise, and where its files are."""

from copilot_analytics.client.api import Client
from copilot_analytics.client.app import App
from copilot_analytics.client.credentials import Token
from copilot_analytics.client.days import check_day, earliest_day
from copilot_analytics.client.envelope import Envelope
from copilot_analytics.client.outcomes import POLICY, RULES, Outcome, Policy, classify
from copilot_analytics.client.settings import Settings
from copilot_analytics.days import parse_day

__all__ = [
    "POLICY",
    "RULES",
    "App",
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
