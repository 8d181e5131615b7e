"""Persons become pseudonyms, and small groups disappear.

Metrics never hide anything; every figure that leaves a notebook passes through this package.
"""

from copilot_analytics.privacy.groups import hide_small_groups, merge_small_parts
from copilot_analytics.privacy.persons import (
    load_key,
    people_table,
    personal_columns,
    pseudonymize,
)

__all__ = [
    "hide_small_groups",
    "load_key",
    "merge_small_parts",
    "people_table",
    "personal_columns",
    "pseudonymize",
]
