"""Pull requests: how many, and at how many of them Copilot took part."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.periods import last_rows, measured_sums, read_rows, with_keys
from copilot_analytics.metrics.statistics import with_share

PREFIX = "pull_requests_"
COUNTERS = tuple(
    field.column
    for field in catalogue.table("entity").columns
    if field.column.startswith(PREFIX) and field.type == "count"
)
# Name, label, numerator and denominator of each share; GitHub's fields without their prefix.
SHARES = (
    (
        "created_by_copilot",
        "Opened by Copilot, of opened",
        "total_created_by_copilot",
        "total_created",
    ),
    (
        "merged_created_by_copilot",
        "Opened by Copilot, of merged",
        "total_merged_created_by_copilot",
        "total_merged",
    ),
    (
        "merged_reviewed_by_copilot",
        "Reviewed by Copilot, of merged",
        "total_merged_reviewed_by_copilot",
        "total_merged",
    ),
    (
        "reviewed_by_copilot",
        "By Copilot, of days of review",
        "total_reviewed_by_copilot",
        "total_reviewed",
    ),
    (
        "suggestions_by_copilot",
        "By Copilot, of suggestions",
        "total_copilot_suggestions",
        "total_suggestions",
    ),
    (
        "copilot_suggestions_applied",
        "Copilot's suggestions applied",
        "total_copilot_applied_suggestions",
        "total_copilot_suggestions",
    ),
)
SUGGESTED, APPLIED = "total_copilot_suggestions", "total_copilot_applied_suggestions"


def pull_request_rows(entity_or_repos, names: Sequence[str] = ()) -> nw.LazyFrame:
    """Return the rows that have any figure of pull requests, of one scope unless named."""
    rows = read_rows(entity_or_repos, names, "day", *COUNTERS)
    has_any = nw.any_horizontal(*(~nw.col(name).is_null() for name in COUNTERS), ignore_nulls=True)
    return rows.filter(has_any)


def pull_requests(
    entity_or_repos,
    *,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
):
    """Return how many pull requests were created, merged and reviewed, and how many by Copilot.

    Question: how much work goes through pull requests, and where does Copilot take part?

    Parameters
    ----------
    entity_or_repos
        ``entity`` or ``repos`` table of one scope, one row per day, or per day and repository.
    by
        Column or columns for which to give separate figures, for example ``"repo_id"`` or
        ``"repo_visibility"``.
    period
        ``"day"``, ``"week"`` or ``"month"`` for separate figures over time.
    week_start
        Weekday on which weeks begin.

    Returns
    -------
    frame
        One row per period and value of `by`; one row if there are none.

        - ``day``, ``week`` or ``month``, as asked for by `period`: first day of the period.
        - the columns of `by`; with ``repo_id`` also ``repo_owner_name`` and ``repo_name`` as of the
          repository's last day.
        - ``pull_requests_total_created``, ``pull_requests_total_merged``: pull requests opened and
          merged; each counts once.
        - ``pull_requests_total_reviewed``: pull request days. A pull request that is reviewed on
          two days counts twice, so this is no number of pull requests.
        - ``…_created_by_copilot``, ``…_reviewed_by_copilot``, ``…_merged_created_by_copilot``,
          ``…_merged_reviewed_by_copilot``: of these, by Copilot.
        - ``pull_requests_total_suggestions``, ``…_applied_suggestions``, and the same by Copilot
          (``…_copilot_suggestions``, ``…_copilot_applied_suggestions``): review suggestions.
        - ``days``: days with figures of pull requests.
        - ``repositories``: different repositories with activity; missing where the frame does not
          tell them apart.

        A counter is missing where GitHub reported it on none of the days.

    Raises
    ------
    UsageError
        A column is absent, or the frame holds more than one scope and `by` does not name ``scope``.

    Notes
    -----
    Left out: days without the pull-request fields, which begin in February 2026, for repositories
    in July 2026. All people count, with or without Copilot. Repositories may add up to more or less
    than their organization, because repositories move.

    Source: GitHub docs, Copilot usage metrics (pull requests).

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(
    ...     b'{"day":"2026-11-02","organization_id":"7","daily_active_users":9,"pull_requests":'
    ...     b'{"total_created":12,"total_merged":8,"total_created_by_copilot":3}}'
    ... )
    >>> pull_requests(tables.entity)[["pull_requests_total_merged", "days"]]
       pull_requests_total_merged  days
    0                           8     1
    """
    names = frames.as_names(by)
    rows = pull_request_rows(entity_or_repos, names)
    timed, keys = with_keys(rows, names, period, week_start)
    has_repositories = "repo_id" in rows.collect_schema()
    more = {"repositories": nw.col("repo_id").n_unique()} if has_repositories else {}
    sums = measured_sums(timed, keys, COUNTERS, days=nw.col("day").n_unique(), **more)
    # Of no rows at all, DuckDB counts no value instead of 0.
    sums = sums.with_columns(nw.col("days", *more).fill_null(0))
    if not has_repositories:
        sums = sums.with_columns(repositories=nw.lit(None, dtype=nw.Float64))
    titles = []
    if "repo_id" in names:
        titles = ["repo_owner_name", "repo_name"]
        sums = sums.join(_last_names(rows, titles), on="repo_id", how="left")
    shown = sums.select(*keys, *titles, *COUNTERS, "days", "repositories")
    return frames.result(shown, *keys, counts=[*COUNTERS, "days", "repositories"])


def _last_names(rows: nw.LazyFrame, titles: list[str]) -> nw.LazyFrame:
    """Return each repository once, named as on its last day."""
    rows = frames.read(rows, "repo_id", *titles)
    latest = last_rows(rows, "repo_id").group_by("repo_id")
    return latest.agg(*(nw.col(title).max() for title in titles))


def pull_request_shares(
    entity_or_repos,
    *,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
):
    """Return at which share of pull requests, reviews and suggestions Copilot took part.

    Question: which part of the pull requests does Copilot open, review and improve?

    Parameters
    ----------
    entity_or_repos, by, period, week_start
        As in `pull_requests`.

    Returns
    -------
    frame
        One row per period, value of `by` and share.

        - ``day``, ``week`` or ``month``, and the columns of `by`: as in `pull_requests`.
        - ``share_number``: from 1, the order in which to show them.
        - ``figure``: ``created_by_copilot``, ``merged_created_by_copilot``,
          ``merged_reviewed_by_copilot``, ``reviewed_by_copilot``, ``suggestions_by_copilot`` or
          ``copilot_suggestions_applied``; ``label``: the same in words.
        - ``numerator``: what Copilot did, or what of it was applied. The numerator.
        - ``denominator``: all of these. The denominator. Both are sums of days with both:
          of reviews pull request days, of the last two figures suggestions, else pull requests.
        - ``share``: numerator / denominator; missing where the denominator is zero.
        - ``low``, ``high``: 95 % Wilson interval, which takes all of them as independent.
        - ``is_impossible``: True where the numerator is larger, as when suggestions of an earlier
          day are applied. The interval is then missing.

    Raises
    ------
    UsageError
        As for `pull_requests`.

    Notes
    -----
    Left out: days on which one of the two fields is not reported, so that a field that began later
    does not make the share too small. A share tells how much passes through Copilot, not whether it
    helps.

    Source: GitHub docs, Copilot usage metrics (pull requests); the shares are of this package.

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(
    ...     b'{"day":"2026-11-02","organization_id":"7","daily_active_users":9,"pull_requests":'
    ...     b'{"total_created":12,"total_merged":8,"total_created_by_copilot":3}}'
    ... )
    >>> pull_request_shares(tables.entity)[["figure", "numerator", "denominator", "share"]].head(1)
                   figure  numerator  denominator  share
    0  created_by_copilot          3           12   0.25
    """
    names = frames.as_names(by)
    rows = pull_request_rows(entity_or_repos, names)
    rows, keys = with_keys(rows, names, period, week_start)
    sums = share_sums(rows, keys)
    parts = []
    for number, (name, label, _, _) in enumerate(SHARES, start=1):
        part = sums.select(
            *keys,
            numerator=nw.col(f"{name}_numerator"),
            denominator=nw.col(f"{name}_denominator"),
        )
        words = {"share_number": nw.lit(number), "figure": nw.lit(name), "label": nw.lit(label)}
        parts.append(part.with_columns(**words))
    shares = with_share(nw.concat(parts, how="vertical"), "numerator", "denominator", "share")
    columns = [*keys, "share_number", "figure", "label", "numerator", "denominator"]
    is_impossible = nw.col("numerator") > nw.col("denominator")
    return frames.result(
        shares.select(*columns, "share", "low", "high", is_impossible=is_impossible),
        *keys,
        "share_number",
        counts=["numerator", "denominator"],
    )


def share_sums(rows: nw.LazyFrame, keys: Sequence[str]) -> nw.LazyFrame:
    """Return the numerator and denominator of each share, of the rows that have both."""
    pairs = {}
    for name, _, numerator, denominator in SHARES:
        top, below = nw.col(PREFIX + numerator), nw.col(PREFIX + denominator)
        pairs[f"{name}_numerator"] = nw.when(~below.is_null()).then(top)
        pairs[f"{name}_denominator"] = nw.when(~top.is_null()).then(below)
    return measured_sums(rows.select(*keys, **pairs), keys, pairs)


def suggestions_by_type(
    by_comment_type,
    *,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
):
    """Return how many suggestions Copilot made in reviews, and how many were applied, per type.

    Question: what does Copilot find in reviews, and what do people take?

    Parameters
    ----------
    by_comment_type
        ``entity_by_comment_type`` or ``repos_by_comment_type`` table of one scope.
    by, period, week_start
        As in `pull_requests`.

    Returns
    -------
    frame
        One row per period, value of `by` and type; of each, the most frequent type first.

        - ``day``, ``week`` or ``month``, and the columns of `by`: as in `pull_requests`.
        - ``comment_type``: type that Copilot gave the comment; an open set of names.
        - ``total_copilot_suggestions``: suggestions made. The denominator.
        - ``total_copilot_applied_suggestions``: suggestions applied. The numerator. Missing where
          GitHub reported it on none of the days.
        - ``share``: applied / made; ``low``, ``high``: its 95 % Wilson interval.
        - ``is_impossible``: True where more were applied than made, as when suggestions of an
          earlier day are applied. The interval is then missing.

    Raises
    ------
    UsageError
        As for `pull_requests`.

    Notes
    -----
    Left out: suggestions by people, which have no type; days before 8 May 2026.

    Source: GitHub changelog 2026-05-08; the share is of this package.

    Examples
    --------
    >>> import pandas as pd
    >>> types = pd.DataFrame({
    ...     "day": [pd.Timestamp("2026-11-02")] * 2, "comment_type": ["security", "bug_risk"],
    ...     "total_copilot_suggestions": [2, 8], "total_copilot_applied_suggestions": [1, 2],
    ... })
    >>> suggestions_by_type(types)[["comment_type", "total_copilot_suggestions", "share"]]
      comment_type  total_copilot_suggestions  share
    0     bug_risk                          8   0.25
    1     security                          2   0.50
    """
    names = [name for name in frames.as_names(by) if name != "comment_type"]
    rows = read_rows(by_comment_type, names, "day", "comment_type", SUGGESTED, APPLIED)
    rows, keys = with_keys(rows, [*names, "comment_type"], period, week_start)
    sums = measured_sums(rows, keys, [SUGGESTED, APPLIED])
    shares = with_share(sums, APPLIED, SUGGESTED, "share")
    is_impossible = nw.col(APPLIED) > nw.col(SUGGESTED)
    shown = shares.select(
        *keys, SUGGESTED, APPLIED, "share", "low", "high", is_impossible=is_impossible
    )
    order = [*keys[:-1], SUGGESTED, "comment_type"]
    descending = [name == SUGGESTED for name in order]
    return frames.result(shown, *order, descending=descending, counts=[SUGGESTED, APPLIED])
