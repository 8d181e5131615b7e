"""GitHub Copilot usage metrics as tidy DataFrames, a kept history, and reports from notebooks."""
