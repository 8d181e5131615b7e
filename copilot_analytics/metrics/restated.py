"""How much GitHub has changed the figures of days after they were first fetched."""

from __future__ import annotations

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames

NEEDED = ("report", "day", "figure", "before", "after", "days_after")
TYPES = {
    "report": "str",
    "figure": "str",
    "label": "str",
    "days": "Int64",
    "days_risen": "Int64",
    "days_fallen": "Int64",
    "median_relative_change": "float64",
    "largest_relative_change": "float64",
    "largest_day": "datetime64[us]",
    "days_after": "Int64",
    "people": "Int64",
}


def restated_figures(restatements: pd.DataFrame) -> pd.DataFrame:
    """Return how many days of each figure GitHub has changed, by how much and how late it was seen.

    Question: how much do figures still move after GitHub first gave them?

    Parameters
    ----------
    restatements
        What `Archive.restatements` or `open_restatements` returned, of one scope.

    Returns
    -------
    pandas.DataFrame
        One row per report and figure that was changed, those of most days first.

        - ``report``: report that gave the figure.
        - ``figure``, ``label``: counter, or ``people`` for the number of different ones.
        - ``days``: days whose last version differs from the first, or from one between.
        - ``days_risen``, ``days_fallen``: of these, days whose last version has more, or less, than
          the first. On other days the figure came back, or one of the two versions has none.
        - ``median_relative_change``: median over the days of (last version - first) / first;
          missing where no day has both, with a first one above 0.
        - ``largest_relative_change``, ``largest_day``: that of the day where it is largest, up or
          down, and this day.
        - ``days_after``: whole days from the end of a day to the fetching of the last version that
          changed it. When GitHub changed it is not known: at some time since the version before.
        - ``people``: least number of people in a version of these days; for hiding small groups.
          Missing for reports that are not about people.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Figures of several days are not added up, because many must not be: people count on each day.
    Left out: figures that are the same in all versions; days of which only one version was fetched.

    Source: this package, from the versions that the archive keeps.

    Examples
    --------
    >>> restatements = pd.DataFrame({"report": "organization-1-day", "figure": "daily_active_users",
    ...     "day": pd.to_datetime(["2026-11-02", "2026-11-03"]), "before": [30, 40],
    ...     "after": [33, 41], "days_after": [2, 3]})
    >>> columns = ["figure", "days", "largest_relative_change", "days_after"]
    >>> restated_figures(restatements)[columns]
                   figure  days  largest_relative_change  days_after
    0  daily_active_users     2                      0.1           3
    """
    frames.read(restatements, *NEEDED)  # refuses other frames
    ordered = restatements.sort_values(["report", "figure", "day", "days_after"], kind="stable")
    days = ordered.groupby(["report", "figure", "day"], as_index=False, sort=False).agg(
        # Of a group, pandas' "first" would skip a version that has no figure.
        before=("before", lambda values: values.iloc[0]),
        after=("after", lambda values: values.iloc[-1]),
        days_after=("days_after", "max"),
    )
    rows = [_row(*key, part) for key, part in days.groupby(["report", "figure"])]
    table = pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES)
    people = _least_people(ordered)
    table["people"] = table["report"].map(people).astype("Int64")
    order = ["days", "report", "figure"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _row(report: str, figure: str, days: pd.DataFrame) -> dict:
    """Return one figure of one report over the days on which it was changed."""
    change = (days["after"] - days["before"]).astype("Float64")
    relative = (change / days["before"].where(days["before"] > 0)).dropna().astype(float)
    largest = relative.abs().idxmax() if len(relative) else None
    return {
        "report": report,
        "figure": figure,
        "label": catalogue.label(figure),
        "days": len(days),
        "days_risen": (change > 0).sum(),
        "days_fallen": (change < 0).sum(),
        "median_relative_change": relative.median(),
        "largest_relative_change": None if largest is None else relative[largest],
        "largest_day": pd.NaT if largest is None else days.loc[largest, "day"],
        "days_after": days["days_after"].max(),
    }


def _least_people(ordered: pd.DataFrame) -> dict[str, int]:
    """Return the least number of people in the versions of each report that tells it."""
    people = ordered[ordered["figure"] == "people"]
    least = people[["before", "after"]].min(axis=1).groupby(people["report"]).min()
    return least.dropna().to_dict()
