"""What the explorer can show: measures, breakdowns, and which metric gives which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from copilot_analytics import catalogue, metrics
from copilot_analytics.explorer.calls import Call
from copilot_analytics.explorer.selection import Selection

LONG_WINDOW = 28


@dataclass(frozen=True)
class Breakdown:
    """A way to divide a measure: a table, its column, and what is to be known about it."""

    label: str
    table: str
    note: str = ""

    @property
    def title(self) -> str:
        """The label as it stands alone."""
        return self.label[:1].upper() + self.label[1:]

    def has(self, counter: str) -> bool:
        """Tell whether GitHub reports a counter in this division."""
        return any(field.column == counter for field in catalogue.table(self.table).columns)


NO_COMPLETIONS = "GitHub does not report completions by model."
BREAKDOWNS = {
    "feature": Breakdown("feature", "users_by_feature"),
    "ide": Breakdown("IDE", "users_by_ide"),
    "language": Breakdown("language", "users_by_language_feature"),
    "model": Breakdown("model", "users_by_model_feature", NO_COMPLETIONS),
}


@dataclass(frozen=True)
class Series:
    """A metric to call, and which column of its frame is shown.

    `ratio_of` are numerator and denominator of a rate. `is_whole` says that the parts of a day add
    up to a total that is known, so that a hidden part must not be what is left of it; `has_rest`
    that the people of a group stand beside all, so that those who are not in it are known as well;
    `is_per_value` that only what a person did on a day with each value of the breakdown matters.
    """

    call: Call
    value: str
    ratio_of: tuple[str, str] | None = None
    is_whole: bool = False
    has_rest: bool = False
    is_per_value: bool = False
    window: int = 1


@dataclass(frozen=True)
class Measure:
    """Something to look at: `series` gives the metric, or the reason why there is none."""

    label: str
    series: Callable[[Selection], Series | str]
    affects: tuple[str, ...]
    is_share: bool = False
    uses_definition: bool = False


def _people(window: int) -> Callable[[Selection], Series | str]:
    def series(selection: Selection) -> Series:
        options = {"window": window, "active": selection.active}
        if not selection.breakdown:
            return Series(
                Call(metrics.active_users, ("users",), options), "active_users", window=window
            )
        call = _people_by(selection, options)
        return Series(call, "people", has_rest=True, is_per_value=True, window=window)

    return series


def _people_by(selection: Selection, options: dict) -> Call:
    table = BREAKDOWNS[selection.breakdown].table
    return Call(metrics.people_by, ("users", table), {"dimension": selection.breakdown, **options})


def _share(selection: Selection) -> Series | str:
    if not selection.breakdown:
        return "A share compares groups: choose a breakdown."
    options = {"window": LONG_WINDOW, "active": selection.active}
    return Series(
        _people_by(selection, options),
        "share",
        ratio_of=("people", "active_people"),
        has_rest=True,
        is_per_value=True,
        window=LONG_WINDOW,
    )


def _total(counter: str) -> Callable[[Selection], Series | str]:
    def series(selection: Selection) -> Series | str:
        if not selection.breakdown:
            return Series(Call(metrics.daily_totals, ("users",), {"counter": counter}), "total")
        breakdown = BREAKDOWNS[selection.breakdown]
        if not breakdown.has(counter):
            return f"GitHub does not report this by {breakdown.label}: choose another breakdown."
        options = {"counter": counter, "by": selection.breakdown}
        call = Call(metrics.daily_totals, (breakdown.table,), options)
        return Series(call, "total", is_whole=True, is_per_value=True)

    return series


def _acceptance(selection: Selection) -> Series | str:
    by = selection.breakdown
    if by == "ide":
        return "GitHub does not report completions by IDE: choose another breakdown."
    if by == "model":
        return f"{NO_COMPLETIONS} Choose another breakdown."
    table = BREAKDOWNS[by].table if by else "users_by_feature"
    options = {"by": ["day", by] if by else "day"}
    if by == "feature":
        options = {"feature": None, **options}
    call = Call(metrics.acceptance_rate, (table,), options)
    return Series(call, "rate", ("accepted", "generated"), is_whole=bool(by))


def _credits(selection: Selection) -> Series | str:
    if selection.breakdown:
        return "GitHub reports credits per person only: choose no breakdown."
    return Series(Call(metrics.credits, ("users",), {"period": "day"}), "credits")


MEASURES = {
    "active_people_28": Measure(
        "Active people in 28 days", _people(28), ("people",), uses_definition=True
    ),
    "active_people_7": Measure(
        "Active people in 7 days", _people(7), ("people",), uses_definition=True
    ),
    "active_people_1": Measure(
        "Active people on the day", _people(1), ("people",), uses_definition=True
    ),
    "share_of_people": Measure(
        "Share of the active people of 28 days",
        _share,
        ("people",),
        is_share=True,
        uses_definition=True,
    ),
    "interactions": Measure(
        "Prompts", _total("user_initiated_interaction_count"), ("activity", "feature")
    ),
    "generations": Measure(
        "Pieces of code generated", _total("code_generation_activity_count"), ("activity",)
    ),
    "acceptances": Measure(
        "Pieces of code accepted", _total("code_acceptance_activity_count"), ("activity",)
    ),
    "acceptance_rate": Measure(
        "Acceptance rate of completions", _acceptance, ("activity",), is_share=True
    ),
    "lines_added": Measure("Lines of code added", _total("loc_added_sum"), ("activity",)),
    "lines_deleted": Measure("Lines of code deleted", _total("loc_deleted_sum"), ("activity",)),
    "credits": Measure("AI credits", _credits, ("credits",)),
}
