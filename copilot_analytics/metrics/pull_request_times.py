"""How long pull requests take: medians of GitHub, as they are or as a range, never averaged."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.activity import check_count
from copilot_analytics.metrics.periods import grouped, read_rows, with_keys

# Which pull requests, in words, the median, and the number of pull requests behind it.
KINDS = (
    (
        "all",
        "All",
        "pull_requests_median_minutes_to_merge",
        "pull_requests_total_merged",
    ),
    (
        "created_by_copilot",
        "Opened by Copilot",
        "pull_requests_median_minutes_to_merge_copilot_authored",
        "pull_requests_total_merged_created_by_copilot",
    ),
    (
        "reviewed_by_copilot",
        "Reviewed by Copilot",
        "pull_requests_median_minutes_to_merge_copilot_reviewed",
        "pull_requests_total_merged_reviewed_by_copilot",
    ),
)
STEPS = (
    ("ready_to_first_review", "Ready to first review"),
    ("first_to_final_review", "First to final review"),
    ("final_review_to_merge", "Final review to merge"),
)


def merge_times(
    entity_or_repos,
    *,
    by: str | Sequence[str] | None = None,
    period: str | None = "day",
    week_start: str = "monday",
    minimum_merged: int = 1,
):
    """Return GitHub's median times from opening to merging: as they are, or between which they lie.

    Question: how long does it take until a pull request is merged?

    Parameters
    ----------
    entity_or_repos
        ``entity`` or ``repos`` table of one scope, one row per day, or per day and repository.
    by
        Column or columns for which to give separate figures, for example ``"repo_id"``.
    period
        ``"day"``, ``"week"`` or ``"month"``; None for the whole frame.
    week_start
        Weekday on which weeks begin.
    minimum_merged
        Least number of merged pull requests behind a median; medians of fewer are left out. The
        median of one pull request is that pull request's own time.

    Returns
    -------
    frame
        One row per period, value of `by` and kind, where there is any median.

        - ``day``, ``week`` or ``month``, as asked for by `period`: first day of the period.
        - the columns of `by`.
        - ``kind_number``: from 1; ``kind``: ``all``, ``created_by_copilot`` or
          ``reviewed_by_copilot``; ``label``: the same in words. ``all`` holds the other two.
        - ``lowest_median_minutes``, ``highest_median_minutes``: between these lie the daily medians
          (of each repository, if the frame has them apart). They are equal where there is one.
        - ``medians``: how many daily medians.
        - ``merged``: merged pull requests behind these medians.

    Raises
    ------
    UsageError
        A column is absent, an option is wrong, or the frame holds more than one scope and `by` does
        not name ``scope``.

    Notes
    -----
    The median of a week cannot be found from the medians of its days, so none is given. There is
    no median of the pull requests that people opened alone.

    Left out: days without a merge, with fewer than `minimum_merged`, or without their number.

    Source: GitHub docs, Copilot usage metrics (median minutes to merge).

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(
    ...     b'{"day":"2026-11-02","organization_id":"7","daily_active_users":9,"pull_requests":'
    ...     b'{"total_merged":8,"median_minutes_to_merge":90.5}}\\n'
    ...     b'{"day":"2026-11-03","organization_id":"7","daily_active_users":9,"pull_requests":'
    ...     b'{"total_merged":5,"median_minutes_to_merge":30}}'
    ... )
    >>> merge_times(tables.entity, period="week").drop(columns=["week", "kind_number", "label"])
      kind  lowest_median_minutes  highest_median_minutes  medians  merged
    0  all                   30.0                    90.5        2      13
    """
    check_count(minimum_merged, "minimum_merged")
    names = frames.as_names(by)
    columns = [column for _, _, median, merged in KINDS for column in (median, merged)]
    rows = read_rows(entity_or_repos, names, "day", *columns)
    groups = [
        (kind, label, {"median_minutes": median}, merged) for kind, label, median, merged in KINDS
    ]
    keyed = with_keys(rows, names, period, week_start)
    return _ranges(*keyed, "kind", groups, minimum_merged)


def review_times(
    repos_by_review,
    *,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
    minimum_merged: int = 1,
):
    """Return how long the steps of a review take: medians and 90th percentiles, or their ranges.

    Question: where do pull requests wait?

    Parameters
    ----------
    repos_by_review
        ``repos_by_review`` table of one scope, one row per day, repository, class of author and
        class of reviewer.
    by, week_start, minimum_merged
        As in `merge_times`.
    period
        ``"day"``, ``"week"`` or ``"month"``; None for the whole frame.

    Returns
    -------
    frame
        One row per period, value of `by`, classes and step, where there is any median.

        - ``day``, ``week`` or ``month``, and the columns of `by`: as in `merge_times`.
        - ``authored_by``, ``reviewed_by``: class of the author and reviewer; ``human`` so far.
        - ``step_number``: from 1; ``step``: ``ready_to_first_review``, ``first_to_final_review`` or
          ``final_review_to_merge``; ``label``: the same in words.
        - ``lowest_median_minutes``, ``highest_median_minutes``: between these lie the medians of
          the repositories and days.
        - ``lowest_p90_minutes``, ``highest_p90_minutes``: the same of the 90th percentiles: nine of
          ten pull requests of a repository and day took at most so long.
        - ``medians``: how many repositories and days.
        - ``merged``: pull requests behind them.

    Raises
    ------
    UsageError
        As for `merge_times`.

    Notes
    -----
    Left out: pull requests that were ready for review before 21 September 2026, and those that
    nobody but the author reviewed. The time from the first to the final review is 0 with a single
    review, which draws its medians down. All times are booked on the day of the merge.

    Source: GitHub changelog 2026-09-25.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(
    ...     b'{"day":"2026-11-02","organization_id":"7","repo_id":1,"pull_request_review_times":['
    ...     b'{"authored_by":"human","reviewed_by":"human","total_merged":3,'
    ...     b'"median_minutes_ready_to_first_review":40,"p90_minutes_ready_to_first_review":95}]}'
    ... )
    >>> review_times(tables.repos_by_review)[["step", "highest_median_minutes", "merged"]]
                        step  highest_median_minutes  merged
    0  ready_to_first_review                    40.0       3
    """
    check_count(minimum_merged, "minimum_merged")
    classes = ["authored_by", "reviewed_by"]
    names = list(dict.fromkeys([*frames.as_names(by), *classes]))
    groups = [
        (
            step,
            label,
            {"median_minutes": f"median_minutes_{step}", "p90_minutes": f"p90_minutes_{step}"},
            "total_merged",
        )
        for step, label in STEPS
    ]
    columns = [column for _, _, values, _ in groups for column in values.values()]
    rows = read_rows(repos_by_review, names, "day", "total_merged", *columns)
    keyed = with_keys(rows, names, period, week_start)
    return _ranges(*keyed, "step", groups, minimum_merged)


def _ranges(
    rows: nw.LazyFrame,
    keys: list[str],
    what: str,
    groups: Sequence[tuple[str, str, dict[str, str], str]],
    minimum_merged: int,
):
    """Return between which values the medians lie, one block of rows per group.

    A group has a name, a label, columns by the name of what they hold, and the column with the
    number of pull requests behind them.
    """
    parts = []
    for number, (name, label, values, merged) in enumerate(groups, start=1):
        known = rows.filter(
            ~nw.col(values["median_minutes"]).is_null(), nw.col(merged) >= minimum_merged
        )
        ranges = {}
        for held, column in values.items():
            ranges[f"lowest_{held}"] = nw.col(column).min()
            ranges[f"highest_{held}"] = nw.col(column).max()
        counts = {"medians": nw.len(), "merged": nw.col(merged).sum()}
        words = {f"{what}_number": nw.lit(number), what: nw.lit(name), "label": nw.lit(label)}
        part = grouped(known, keys, **ranges, **counts).filter(nw.col("medians") > 0)
        parts.append(part.with_columns(**words).select(*keys, *words, *ranges, *counts))
    whole = nw.concat(parts, how="vertical")
    return frames.result(whole, *keys, f"{what}_number", counts=["medians", "merged"])
