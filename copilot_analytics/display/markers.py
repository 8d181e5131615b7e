"""The proof of completion that the last cell of a report notebook leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from copilot_analytics.display.headlines import change_text, normalize, value_text
from copilot_analytics.display.html import Html, element
from copilot_analytics.display.periods import Period

MARKER_TYPE = "application/vnd.copilot-analytics.report+json"
MARKER_FORMAT = 1


@dataclass(frozen=True)
class Finish(Html):
    """The end of a report notebook; `marker` is what is published as its summary."""

    marker: dict = field(default_factory=dict)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {MARKER_TYPE: self.marker} | super()._repr_mimebundle_(include, exclude)


def finish(
    report: str,
    period: Period,
    *,
    headlines: pd.DataFrame | Iterable[dict],
    tables: Mapping[str, pd.DataFrame],
    answer: str = "",
    definition: str = "",
    show_logins: bool = False,
    team: str = "",
) -> Finish:
    """State that the report is complete, and what it found. The last call of a report notebook.

    Nothing is published without it: a notebook that stops half-way can look like one that ended.

    Parameters
    ----------
    report
        Name of the notebook, without ``.ipynb``.
    period
        What `period` returned.
    headlines
        The same as for `tiles`.
    tables
        The tables that the figures come from; rows and digest of those that `period` names are
        recorded. The others are made of the same records and may be larger than memory.
    answer
        The sentence that answers the question.
    definition
        The definition of active.
    show_logins
        Whether people are named.
    team
        The team that the report is about; "" for everybody.

    Examples
    --------
    >>> period = Period("organization:1", None, None, None, None, expected=0, present=0)
    >>> print(finish("adoption", period, headlines=[], tables={"users": pd.DataFrame()}))
    Report complete: 0 of 0 days, 0 figures.
    """
    figures = [
        figure | {"text": value_text(figure), "change": change_text(figure)}
        for figure in normalize(headlines)
    ]
    marker = {
        "format": MARKER_FORMAT,
        "report": report,
        "scope": period.scope,
        **{
            name: day.isoformat() if (day := getattr(period, name)) else None
            for name in ("start", "end", "data_through", "final_through")
        },
        "days": period.days(),
        "answer": answer,
        "headlines": figures,
        "definition": definition,
        "show_logins": bool(show_logins),
        "team": team,
        "lacking": list(period.lacking),
        "tables": digests(tables, period.families),
    }
    text = f"Report complete: {period.present} of {period.expected} days, {len(figures)} figures."
    return Finish(element("p", text, class_="finish"), text, marker)


def digests(tables: Mapping[str, pd.DataFrame], names: Iterable[str]) -> dict[str, dict]:
    """Return the rows and a digest of each of the named tables that has rows.

    The digest does not depend on the order of the rows, so equal data gives equal digests.

    >>> one = pd.DataFrame({"user_id": [1, 2]})
    >>> digests({"users": one}, ["users"]) == digests({"users": one[::-1]}, ["users"])
    True
    """
    found = {}
    for name in sorted(names):
        frame = tables[name]
        if len(frame):
            total = int(pd.util.hash_pandas_object(frame, index=False).sum())
            text = f"{len(frame)} {','.join(map(str, frame.columns))} {total}"
            digest = hashlib.sha256(text.encode()).hexdigest()
            found[name] = {"rows": len(frame), "digest": digest}
    return found
