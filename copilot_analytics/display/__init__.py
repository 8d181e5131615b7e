"""How figures are shown: frames and values in, safe markup out, for notebooks and report pages.

Everything that is passed is text or data and is escaped; nothing here computes a figure.
"""

from copilot_analytics.display.banners import banner, banners
from copilot_analytics.display.changes import changes
from copilot_analytics.display.figures import Chart, chart
from copilot_analytics.display.formats import count_text, day_text, days_text, span_text
from copilot_analytics.display.headlines import headline, tiles
from copilot_analytics.display.html import Html, stylesheet
from copilot_analytics.display.markers import MARKER_TYPE, Finish, digests, finish
from copilot_analytics.display.periods import Period, period
from copilot_analytics.display.tables import csv_text, table
from copilot_analytics.display.texts import (
    answer,
    definitions,
    header,
    provenance,
    scope_name,
    versions,
)

__all__ = [
    "MARKER_TYPE",
    "Chart",
    "Finish",
    "Html",
    "Period",
    "answer",
    "banner",
    "banners",
    "changes",
    "chart",
    "count_text",
    "csv_text",
    "day_text",
    "days_text",
    "definitions",
    "digests",
    "finish",
    "header",
    "headline",
    "period",
    "provenance",
    "scope_name",
    "span_text",
    "stylesheet",
    "table",
    "tiles",
    "versions",
]
