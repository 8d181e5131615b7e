"""The few figures at the top of a report on pull requests, each beside the period before."""

from __future__ import annotations

from collections.abc import Collection

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.delivery import pull_request_rows, share_sums
from copilot_analytics.metrics.figures import Figure, Window, figure_table
from copilot_analytics.metrics.periods import measured_sums

_ALL = "of everybody, with or without Copilot, in the last {days} days."
FIGURES = (
    Figure(
        "merged",
        "Pull requests merged, last {days} days",
        "pull requests",
        "pull_requests_total_merged",
        None,
        f"Merged pull requests {_ALL}",
        groups=(),
    ),
    Figure(
        "merged_created_by_copilot",
        "Of those merged: opened by Copilot",
        "%",
        "merged_created_by_copilot_numerator",
        "merged_created_by_copilot_denominator",
        f"Merged pull requests that Copilot opened / merged pull requests {_ALL}",
        is_share=True,
        groups=(),
    ),
    Figure(
        "merged_reviewed_by_copilot",
        "Of those merged: reviewed by Copilot",
        "%",
        "merged_reviewed_by_copilot_numerator",
        "merged_reviewed_by_copilot_denominator",
        f"Merged pull requests that Copilot reviewed / merged pull requests {_ALL}",
        is_share=True,
        groups=(),
    ),
    Figure(
        "copilot_suggestions_applied",
        "Copilot's review suggestions applied",
        "%",
        "copilot_suggestions_applied_numerator",
        "copilot_suggestions_applied_denominator",
        "Applied / made suggestions by Copilot in reviews in the last {days} days.",
        is_share=True,
        groups=(),
    ),
)


def delivery_headline(
    entity_or_repos,
    *,
    end=None,
    days: int = 28,
    missing_days: Collection = (),
):
    """Return headline figures of pull requests, each beside the period before.

    Question: at how much of the work on pull requests does Copilot take part, more or less than
    before?

    Parameters
    ----------
    entity_or_repos
        ``entity`` or ``repos`` table of one scope, one row per day, or per day and repository.
    end
        Last day of the period; by default the last day of the frame. Give the last final day to
        leave out days that may still grow.
    days
        Length of the period.
    missing_days
        Days without a report; see `missing_days`.

    Returns
    -------
    frame
        One row per figure: merged pull requests, the shares of them that Copilot opened and
        reviewed, and the share of its review suggestions that were applied. Columns as in
        `headline`; ``people`` is missing, because the figures count no people.

    Raises
    ------
    UsageError
        A column is absent, the frame holds more than one scope, or an option is wrong.

    Notes
    -----
    Left out: as in `pull_requests` and `pull_request_shares`. Where the period has no figures of
    pull requests, all values are missing.

    Source: this package, on fields of GitHub docs, Copilot usage metrics (pull requests).

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(
    ...     b'{"day":"2026-11-02","organization_id":"7","daily_active_users":9,"pull_requests":'
    ...     b'{"total_merged":8,"total_merged_created_by_copilot":2}}'
    ... )
    >>> delivery_headline(tables.entity, days=1)[["figure", "value", "is_complete"]].head(2)
                          figure  value  is_complete
    0                     merged   8.00         True
    1  merged_created_by_copilot   0.25         True
    """
    rows = pull_request_rows(entity_or_repos)
    return figure_table(
        rows,
        FIGURES,
        lambda window: _sums(rows, window),
        ends=frames.first_and_last(rows),
        end=end,
        days=days,
        active="present",
        missing_days=missing_days,
    )


def _sums(rows: nw.LazyFrame, window: Window) -> dict:
    """Return what the figures are made of, by name; nothing where nothing was reported."""
    inside = window.of(rows)
    total = frames.scalars(measured_sums(inside, [], ["pull_requests_total_merged"]))
    sums = total | frames.scalars(share_sums(inside, []))
    return {} if all(value is None for value in sums.values()) else sums
