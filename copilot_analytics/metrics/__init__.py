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
from copilot_analytics.metrics.adoption import share_of_people
from copilot_analytics.metrics.clients import outdated_clients
from copilot_analytics.metrics.code import acceptance_rate
from copilot_analytics.metrics.comparison import compare_periods
from copilot_analytics.metrics.completeness import (
    coverage,
    days_present,
    missing_days,
    reduced_records,
    unknown_fields,
)
from copilot_analytics.metrics.credit_forecast import credits_forecast
from copilot_analytics.metrics.credit_totals import credits, credits_headline
from copilot_analytics.metrics.daily import (
    daily_totals,
    days_between,
    people_by,
    trailing_mean,
)
from copilot_analytics.metrics.definitions import definition_table
from copilot_analytics.metrics.delivery import (
    pull_request_shares,
    pull_requests,
    suggestions_by_type,
)
from copilot_analytics.metrics.delivery_summary import delivery_headline
from copilot_analytics.metrics.engagement import MONDAY_TO_FRIDAY, user_activity
from copilot_analytics.metrics.engagement_summary import engagement_headline
from copilot_analytics.metrics.event_study import event_study, placebo_dates
from copilot_analytics.metrics.first_use import first_use
from copilot_analytics.metrics.flow import people_flow
from copilot_analytics.metrics.history import figure_history
from copilot_analytics.metrics.impact import impact
from copilot_analytics.metrics.impact_summary import impact_headline
from copilot_analytics.metrics.level_shifts import change_points
from copilot_analytics.metrics.lines import agent_contribution, lines_by_mode
from copilot_analytics.metrics.membership import members_only, team_members
from copilot_analytics.metrics.multiplier import adoption_multiplier
from copilot_analytics.metrics.person_days import person_day_totals, users_of
from copilot_analytics.metrics.phase_rules import compare_phases, recomputed_phases
from copilot_analytics.metrics.phases import adoption_phases, latest_phases, phase_transitions
from copilot_analytics.metrics.previous import compare_with_previous
from copilot_analytics.metrics.pull_request_times import merge_times, review_times
from copilot_analytics.metrics.quality_summary import quality_headline
from copilot_analytics.metrics.reconciliation import reconcile, reconciliation_summary
from copilot_analytics.metrics.restated import restated_figures
from copilot_analytics.metrics.retention import retention, retention_by_offset
from copilot_analytics.metrics.segment import (
    SEGMENT_RULES,
    segment_rules,
    segment_sensitivity,
    segments,
    user_segments,
)
from copilot_analytics.metrics.series import series_breaks, weekday_adjusted_change
from copilot_analytics.metrics.spread import concentration, distribution, lorenz
from copilot_analytics.metrics.stickiness import stickiness
from copilot_analytics.metrics.summary import headline
from copilot_analytics.metrics.surface import surface_rules
from copilot_analytics.metrics.survival import comebacks, survival
from copilot_analytics.metrics.takeup import surface_users, surfaces, surfaces_per_person
from copilot_analytics.metrics.team_headline import team_headline
from copilot_analytics.metrics.teams import team_activity, team_totals
from copilot_analytics.metrics.to_date import active_users_to_date
from copilot_analytics.metrics.token_totals import tokens

__all__ = [
    "MONDAY_TO_FRIDAY",
    "SEGMENT_RULES",
    "acceptance_rate",
    "active_definition",
    "active_users",
    "active_users_by_window",
    "active_users_to_date",
    "adoption_multiplier",
    "adoption_phases",
    "agent_contribution",
    "change_points",
    "comebacks",
    "compare_periods",
    "compare_phases",
    "compare_with_previous",
    "concentration",
    "coverage",
    "credits",
    "credits_forecast",
    "credits_headline",
    "daily_totals",
    "days_between",
    "days_present",
    "definition_table",
    "delivery_headline",
    "distribution",
    "engagement_headline",
    "event_study",
    "figure_history",
    "first_use",
    "headline",
    "impact",
    "impact_headline",
    "is_active",
    "latest_phases",
    "lines_by_mode",
    "lorenz",
    "members_only",
    "merge_times",
    "missing_days",
    "outdated_clients",
    "people_by",
    "people_flow",
    "person_day_totals",
    "phase_transitions",
    "placebo_dates",
    "pull_request_shares",
    "pull_requests",
    "recomputed_phases",
    "quality_headline",
    "reconcile",
    "reconciliation_summary",
    "reduced_records",
    "restated_figures",
    "retention",
    "retention_by_offset",
    "review_times",
    "segment_rules",
    "segment_sensitivity",
    "segments",
    "series_breaks",
    "share_of_people",
    "stickiness",
    "suggestions_by_type",
    "surface_rules",
    "surface_users",
    "surfaces",
    "surfaces_per_person",
    "survival",
    "team_activity",
    "team_headline",
    "team_members",
    "team_totals",
    "tokens",
    "trailing_mean",
    "unknown_fields",
    "user_activity",
    "user_segments",
    "users_of",
    "weekday_adjusted_change",
    "with_third_party_agents",
]
