"""GitHub Copilot usage metrics as tidy DataFrames, a kept history, and reports from notebooks.

Start with `load` for files, `fetch` for one report, `sync` for a history, `sample` to try things.
Names are imported when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module

_HOMES = {
    # read and fetch
    "Tables": "tidy",
    "iter_tables": "tidy",
    "load": "tidy",
    "fetch": "fetching",
    "load_links": "fetching",
    "sample": "samples",
    # keep
    "Archive": "archive",
    "sync": "syncing",
    # explore
    "explore": "explorer",
    # report
    "open_key": "reporting",
    "open_restatements": "reporting",
    "open_tables": "reporting",
    "report": "reporting",
}
_MODULES = ("catalogue", "charts", "display", "errors", "metrics", "privacy")

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
