"""One description of a step that can be run, and written as a line of Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from copilot_analytics import metrics


@dataclass(frozen=True)
class Call:
    """A public function of the package, the tables that it takes, and its options."""

    function: Callable
    tables: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)

    def run(self, *frames, **more):
        """Return what the function makes of frames."""
        return self.function(*frames, **self.options, **more)

    def text(self, *frames: str) -> str:
        """Return the call as Python, with an expression for each frame."""
        home = self.function.__module__.split(".")[1]
        options = [f"{name}={_literal(value)}" for name, value in self.options.items()]
        return f"{home}.{self.function.__name__}({', '.join([*frames, *options])})"


@dataclass(frozen=True)
class Rows:
    """A choice of rows of a frame in pandas' own words."""

    words: str
    function: Callable[[pd.DataFrame], pd.Series]

    def run(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows."""
        return frame[self.function(frame)]

    def text(self, frame: str) -> str:
        """Return the choice as Python."""
        return f"{frame}[{self.words.format(frame)}]"


WHOLE_WINDOWS = Rows('{}["is_complete_window"]', lambda frame: frame["is_complete_window"])
WORKING_DAYS = Rows(
    '{}["day"].dt.day_of_week.isin(metrics.MONDAY_TO_FRIDAY)',
    lambda frame: frame["day"].dt.day_of_week.isin(metrics.MONDAY_TO_FRIDAY),
)


def _literal(value: object) -> str:
    """Return a value as Python with double quotes, as people write it.

    >>> _literal("a"), _literal(["day", "ide"]), _literal('a "name"')
    ('"a"', '["day", "ide"]', '\\'a "name"\\'')
    """
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    text = repr(value)
    is_plain = isinstance(value, str) and '"' not in text and "\\" not in text
    return f'"{value}"' if is_plain else text
