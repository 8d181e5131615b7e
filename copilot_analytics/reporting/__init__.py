"""Reports: notebooks run by papermill, checked, and published as self-contained pages.

Only what notebooks call first is imported at once; papermill and nbconvert follow when a report is
made.
"""

from copilot_analytics.reporting.notebooks import find_notebooks, notebook_folder
from copilot_analytics.reporting.opening import open_key, open_restatements, open_tables
from copilot_analytics.reporting.reports import ReportResult, report
from copilot_analytics.reporting.running import Limits

__all__ = [
    "Limits",
    "ReportResult",
    "find_notebooks",
    "notebook_folder",
    "open_key",
    "open_restatements",
    "open_tables",
    "report",
]
