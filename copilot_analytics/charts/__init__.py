"""Charts: a metric's frame in, Matplotlib axes out. Nothing is computed, shown or saved here."""

from copilot_analytics.charts import findings
from copilot_analytics.charts.changes import change_parts
from copilot_analytics.charts.code import acceptance_trend, agent_trend, lines_by_mode
from copilot_analytics.charts.comparisons import (
    acceptance_by,
    people_shares,
    segment_sensitivity,
    segments,
)
from copilot_analytics.charts.credits import (
    credits_forecast,
    credits_trend,
    team_credits,
    tokens_trend,
)
from copilot_analytics.charts.days import day_states
from copilot_analytics.charts.delivery import (
    adoption_multiplier,
    merged_trend,
    pull_request_shares,
    repositories,
    suggestions_by_type,
)
from copilot_analytics.charts.distributions import distribution, lorenz
from copilot_analytics.charts.flows import people_flow, phases
from copilot_analytics.charts.impact import event_study, placebo_dates, trend_before
from copilot_analytics.charts.lifecycle import retention, stickiness, survival
from copilot_analytics.charts.quality import definition_gaps, reduced_records
from copilot_analytics.charts.series import daily_series
from copilot_analytics.charts.style import alt_text, use_style
from copilot_analytics.charts.teams import team_shares, team_trend
from copilot_analytics.charts.timeline import covered_text
from copilot_analytics.charts.times import merge_times, review_times
from copilot_analytics.charts.trends import active_people, surface_trend

__all__ = [
    "acceptance_by",
    "acceptance_trend",
    "active_people",
    "adoption_multiplier",
    "agent_trend",
    "alt_text",
    "change_parts",
    "covered_text",
    "credits_forecast",
    "credits_trend",
    "daily_series",
    "day_states",
    "definition_gaps",
    "distribution",
    "event_study",
    "findings",
    "lines_by_mode",
    "lorenz",
    "merge_times",
    "merged_trend",
    "people_flow",
    "people_shares",
    "phases",
    "placebo_dates",
    "pull_request_shares",
    "reduced_records",
    "repositories",
    "retention",
    "review_times",
    "segment_sensitivity",
    "segments",
    "stickiness",
    "suggestions_by_type",
    "surface_trend",
    "survival",
    "team_credits",
    "team_shares",
    "team_trend",
    "tokens_trend",
    "trend_before",
    "use_style",
]
