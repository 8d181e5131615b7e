"""Charts: a metric's frame in, Matplotlib axes out. Nothing is computed, shown or saved here."""

from copilot_analytics.charts import findings
from copilot_analytics.charts.comparisons import acceptance_by, people_shares, segments
from copilot_analytics.charts.days import day_states
from copilot_analytics.charts.distributions import distribution, lorenz
from copilot_analytics.charts.flows import people_flow, phases
from copilot_analytics.charts.style import alt_text
from copilot_analytics.charts.timeline import covered_text
from copilot_analytics.charts.trends import acceptance_trend, active_people, surface_trend

__all__ = [
    "acceptance_by",
    "acceptance_trend",
    "active_people",
    "alt_text",
    "covered_text",
    "day_states",
    "distribution",
    "findings",
    "lorenz",
    "people_flow",
    "people_shares",
    "phases",
    "segments",
    "surface_trend",
]
