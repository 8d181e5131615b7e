"""What readers take from the ledger: bounds, and the state of every day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd

from copilot_analytics import catalogue, tidy
from copilot_analytics.archive.ledger import Ledger
from copilot_analytics.errors import UsageError

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def settled_state(day: date, fetched_at: datetime) -> str:
    """Return whether a day was settled when it was fetched: ``final`` or ``provisional``.

    >>> settled_state(date(2026, 11, 16), datetime(2026, 11, 22, 9, tzinfo=UTC))
    'final'
    """
    return "final" if catalogue.is_settled(day, fetched_at.date()) else "provisional"


def day_text(day) -> str | None:
    """Return a day as YYYY-MM-DD, None for no bound."""
    if day is None or day == "":
        return None
    try:
        return f"{pd.Timestamp(day):%Y-%m-%d}"
    except ValueError:
        raise UsageError(f"{day!r} is not a day", advice="write it as YYYY-MM-DD") from None


def day_states(ledger: Ledger, *, scope, start, end) -> pd.DataFrame:
    """Return one row per scope, family and day: stored days, and days known not to be there."""
    rows = {}
    names = {row["name"]: row["scope"] for row in ledger.rows("SELECT * FROM scopes")}
    families = {e.report: e.family for e in catalogue.all_endpoints() if e.period == "1-day"}
    for slot in ledger.rows("SELECT * FROM slots"):
        one = names.get(slot["name"], slot["name"])
        is_inside = (
            slot["report"] in families
            and (scope is None or one == scope)
            and (start is None or slot["day"] >= start)
            and (end is None or slot["day"] <= end)
        )
        if is_inside:
            rows[one, families[slot["report"]], slot["day"]] = (slot["state"], 0)
    for family in catalogue.FAMILIES[:4]:
        for row in ledger.chosen_days(tidy.BASE[family], scope=scope, start=start, end=end):
            fetched = datetime.strptime(row["fetched_at"], TIME_FORMAT).replace(tzinfo=UTC)
            state = settled_state(date.fromisoformat(row["day"]), fetched)
            rows[row["scope"], family, row["day"]] = (state, row["rows"])
    frame = pd.DataFrame(
        [(*key, *value) for key, value in sorted(rows.items())],
        columns=["scope", "family", "day", "state", "rows"],
    )
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[us]")
    return frame.astype({"scope": "str", "family": "str", "state": "str", "rows": "Int64"})
