"""One definition of each figure: a frame in, a small frame out.

Every metric takes a table of `load`, `fetch` or an archive as a pandas DataFrame, a DuckDB relation
or a Spark DataFrame, and gives a sorted frame of the same kind. Options are given by keyword. A
pandas result has the types of the tables: counts ``Int64``, rates ``float64``, flags ``boolean``.
Missing is missing: a rate without a denominator is not 0.

Frames of several organizations or enterprises are refused, because people of two of them would
count twice.
"""

from copilot_analytics.metrics.activity import (
    active_definition,
    active_users,
    active_users_by_window,
    is_active,
    with_third_party_agents,
)
from copilot_analytics.metrics.adoption import (
    adoption_phases,
    latest_phases,
    phase_transitions,
    share_of_people,
)
from copilot_analytics.metrics.code import acceptance_rate
from copilot_analytics.metrics.completeness import coverage, days_present, missing_days
from copilot_analytics.metrics.definitions import definition_table
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY, user_activity
from copilot_analytics.metrics.engagement_summary import engagement_headline
from copilot_analytics.metrics.flow import people_flow
from copilot_analytics.metrics.history import figure_history
from copilot_analytics.metrics.segment import (
    SEGMENT_RULES,
    segment_rules,
    segments,
    user_segments,
)
from copilot_analytics.metrics.spread import concentration, distribution, lorenz
from copilot_analytics.metrics.summary import headline
from copilot_analytics.metrics.surface import surface_rules
from copilot_analytics.metrics.takeup import surface_users, surfaces

__all__ = [
    "MONDAY_TO_FRIDAY",
    "SEGMENT_RULES",
    "acceptance_rate",
    "active_definition",
    "active_users",
    "active_users_by_window",
    "adoption_phases",
    "concentration",
    "coverage",
    "days_present",
    "definition_table",
    "distribution",
    "engagement_headline",
    "figure_history",
    "headline",
    "is_active",
    "latest_phases",
    "lorenz",
    "missing_days",
    "people_flow",
    "phase_transitions",
    "segment_rules",
    "segments",
    "share_of_people",
    "surface_rules",
    "surface_users",
    "surfaces",
    "user_activity",
    "user_segments",
    "with_third_party_agents",
]
