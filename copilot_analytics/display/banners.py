"""Banners: what limits the figures of a report, where nobody can miss it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.display.formats import count_text, day_text, days_text, number
from copilot_analytics.display.html import Html, element, markup
from copilot_analytics.display.periods import Period
from copilot_analytics.errors import UsageError

BANNER_KINDS = ("info", "warning", "danger")
FAMILY_RECORDS = {
    "users": "records of people",
    "entity": "records of the whole organization or enterprise",
    "teams": "records of teams",
    "repos": "records of repositories",
}


def banner(kind: str, text: str) -> Html:
    """Show a remark that nobody should miss.

    Parameters
    ----------
    kind
        ``info`` for what one should know, ``warning`` for what limits the figures, ``danger`` for
        what makes them doubtful.
    text
        One or two sentences.

    Examples
    --------
    >>> print(banner("warning", "3 days are missing."))
    Warning: 3 days are missing.
    """
    if kind not in BANNER_KINDS:
        raise UsageError(f"banner kind {kind!r} is not known", advice=", ".join(BANNER_KINDS))
    return Html(
        element("p", text, class_=f"banner {kind}", role="note"), f"{kind.capitalize()}: {text}"
    )


def banners(period: Period, *, show_logins: bool = False) -> Html:
    """Show everything about the data of a period that limits what its figures can say.

    Damaged and missing days, days that may still change, series breaks, and whether people are
    named. Nothing is shown where there is nothing to say.

    Parameters
    ----------
    period
        What `period` returned.
    show_logins
        Whether people are named.

    Examples
    --------
    >>> empty = Period("organization:1", None, None, None, None, expected=0, present=0)
    >>> print(banners(empty))
    Danger: There is no data for this period.
    """
    boxes = [*_day_banners(period), *_break_banners(period)]
    if show_logins:
        boxes.append(banner("warning", "People are named in this report. Handle it accordingly."))
    return Html("".join(box.body for box in boxes), "\n".join(box.text for box in boxes))


def _day_banners(period: Period) -> list[Html]:
    if period.data_through is None and not period.has_data:
        return [banner("danger", "There is no data for this period.")]
    boxes, whole = [], count_text(period.expected, "day")
    for family in period.lacking:
        what = FAMILY_RECORDS[family]
        boxes.append(banner("warning", f"There are no {what} here; what needs them is left out."))
    if period.damaged:
        text = f"{_of(period.damaged, whole)} damaged: {days_text(period.damaged)}."
        boxes.append(banner("danger", f"{text} Their figures may be wrong."))
    if period.missing:
        boxes.append(
            banner(
                "warning",
                f"{_of(period.missing, whole)} missing: {days_text(period.missing)}. "
                f"Figures rest on the {count_text(period.present, 'day')} present.",
            )
        )
    if period.empty:
        count = f"{len(period.empty)} of {whole}"
        text = f"GitHub reports nothing for {count}: {days_text(period.empty)}. Either nobody was "
        text += "active, or the day was lost; such a day counts as one without use."
        boxes.append(banner("info", text))
    if period.provisional:
        count = count_text(len(period.provisional), "day")
        text = f"{count} may still change: {days_text(period.provisional)}."
        boxes.append(banner("info", f"{text} GitHub completes a day within a few days."))
    return boxes


def _of(days: Sequence[date], whole: str) -> str:
    return f"{number(len(days))} of {whole} {'is' if len(days) == 1 else 'are'}"


def _break_banners(period: Period) -> list[Html]:
    if period.start is None or period.end is None:
        return []
    known = catalogue.changes()
    inside = known["day"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    found = known[known["is_series_break"] & inside]
    if found.empty:
        return []
    lines = [
        f"{day_text(change.day.date())}: {change.label}. {change.meaning}."
        for change in found.itertuples()
    ]
    verb = "falls" if len(lines) == 1 else "fall"
    text = f"{count_text(len(lines), 'change')} in how GitHub counts {verb} inside this period. "
    text += "A step on such a day is not a change in what people do."
    listed = element("ul", *(markup(element("li", line)) for line in lines))
    body = markup(element("summary", text), listed)
    return [
        Html(
            element("details", body, class_="banner info"),
            "\n".join([f"Info: {text}", *(f"- {line}" for line in lines)]),
        )
    ]
