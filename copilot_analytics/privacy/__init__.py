"""Persons become pseudonyms, and small groups disappear.

Metrics never hide anything; every figure that leaves a notebook passes through this package.
"""

from copilot_analytics.privacy.days import hide_small_days
from copilot_analytics.privacy.groups import hide_small_groups
from copilot_analytics.privacy.overlaps import few_between
from copilot_analytics.privacy.parts import (
    hide_small_shares,
    limit_shares,
    merge_small_flows,
    merge_small_parts,
)
from copilot_analytics.privacy.persons import (
    key_of_team,
    load_key,
    people_table,
    personal_columns,
    pseudonymize,
)
from copilot_analytics.privacy.teams import hide_small_lines, hide_small_teams

__all__ = [
    "few_between",
    "hide_small_days",
    "hide_small_groups",
    "hide_small_lines",
    "hide_small_shares",
    "hide_small_teams",
    "key_of_team",
    "limit_shares",
    "load_key",
    "merge_small_flows",
    "merge_small_parts",
    "people_table",
    "personal_columns",
    "pseudonymize",
]
