"""The explorer: choose with the mouse, see chart and table, take the line of Python along."""

from copilot_analytics.explorer.selection import Selection
from copilot_analytics.explorer.views import Source, View, view
from copilot_analytics.explorer.widgets import Explorer, explore

__all__ = ["Explorer", "Selection", "Source", "View", "explore", "view"]
