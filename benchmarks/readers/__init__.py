"""Ways to read a users file into tables, each as one who knows the library would write it.

A module imports its library at the top, so that importing and working can be timed apart. Its
functions take the path of an NDJSON file and return frames by the names in `ARRAYS`, and ``users``.
In an array's frame every row carries `KEYS` of its record. Nested objects are flat columns, named
by their path joined with underscores.
"""

KEYS = ["enterprise_id", "organization_id", "day", "user_id"]
ARRAYS = [
    "totals_by_ide",
    "totals_by_feature",
    "totals_by_language_feature",
    "totals_by_language_model",
    "totals_by_model_feature",
    "totals_by_3rd_party_agent",
    "totals_by_skill",
    "totals_by_custom_agent",
    "totals_by_mcp",
    "totals_by_slash_cmd",
    "totals_by_plugin",
]
