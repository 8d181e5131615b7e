"""GitHub Copilot usage metrics as tidy DataFrames, a kept history, and reports from notebooks."""

from copilot_analytics.tidy import Tables, load

__all__ = ["Tables", "load"]
