"""Persons become pseudonyms, and small groups disappear.

Metrics never hide anything; every figure that leaves a notebook passes through this package.
"""

from copilot_analytics.privacy.groups import hide_small_groups
from copilot_analytics.privacy.parts import (
    hide_small_shares,
    limit_shares,
    merge_small_flows,
    merge_small_parts,
)
from copilot_analytics.privacy.persons import (
    load_key,
    people_table,
    personal_columns,
    pseudonymize,
)
from copilot_analytics.privacy.teams import hide_small_lines, hide_small_teams

__all__ = [
    "hide_small_groups",
    "hide_small_lines",
    "hide_small_shares",
    "hide_small_teams",
    "limit_shares",
    "load_key",
    "merge_small_flows",
    "merge_small_parts",
    "people_table",
    "personal_columns",
    "pseudonymize",
]
