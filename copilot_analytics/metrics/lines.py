"""Where changed lines of code come from: completions, chat, agents, the CLI or the app."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.code import COMPLETION, group_sums, grouped_rows, why
from copilot_analytics.metrics.periods import with_people
from copilot_analytics.metrics.resampling import check_resamples, with_person_intervals
from copilot_analytics.metrics.statistics import ratio

AGENTS = ("agent_edit",)
LINES = {
    "suggested_lines": "loc_suggested_to_add_sum",
    "suggested_deletions": "loc_suggested_to_delete_sum",
    "added_lines": "loc_added_sum",
    "deleted_lines": "loc_deleted_sum",
}


def agent_contribution(
    by_feature,
    *,
    agents: Collection[str] = AGENTS,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
    canonical: bool = True,
    bootstrap: int | None = None,
    seed: int = 0,
):
    """Return which share of the changed lines agents wrote.

    Question: how much of the code that changes with Copilot do agents write?

    Parameters
    ----------
    by_feature
        A breakdown by feature, as in `acceptance_rate`.
    agents
        Features whose lines count as written by agents. GitHub counts edits written by the edit,
        agent and custom modes, which it reports as ``agent_edit``. The CLI and the app are agents
        as well: ``("agent_edit", "copilot_cli", "copilot_app")``.
    by, period, week_start, canonical, seed
        As in `acceptance_rate`.
    bootstrap
        How many times to draw the people again for the interval, for example 1000; None for no
        interval.

    Returns
    -------
    frame
        One row per period and value of `by`; one row if there are none.

        - ``week`` or ``month``, and the columns of `by`, as in `acceptance_rate`.
        - ``agent_lines``: lines that agents added or deleted. The numerator.
        - ``changed_lines``: lines added or deleted in all features. The denominator.
        - ``share``: agent_lines / changed_lines; missing where nothing was changed.
        - ``low``, ``high``: 95 % interval of the share among people drawn again; missing without
          `bootstrap`, and with fewer than two people. There is no Wilson interval, because the
          lines of one edit are not independent of each other.
        - ``people``: different people with changed lines; ``agent_people``: of these, those with
          lines of agents. Missing where the breakdown is not of people.

    Raises
    ------
    UsageError
        As for `acceptance_rate`.

    Notes
    -----
    Left out: lines of clients that are too old to report them, and, before 6 October 2026, most
    sessions of agents in IDEs that are built on the Copilot SDK. More lines are not more work.

    Source: GitHub docs, Copilot usage metrics (agent contribution).

    Examples
    --------
    >>> import pandas as pd
    >>> by_feature = pd.DataFrame({
    ...     "feature": ["code_completion", "agent_edit"], "loc_added_sum": [60, 100],
    ...     "loc_deleted_sum": [0, 40],
    ... })
    >>> agent_contribution(by_feature)[["agent_lines", "changed_lines", "share"]]
       agent_lines  changed_lines  share
    0          140            200    0.7
    """
    columns = ["feature", "loc_added_sum", "loc_deleted_sum"]
    rows, names = grouped_rows(
        by_feature, columns, by, period, week_start=week_start, canonical=canonical
    )
    check_resamples(rows, bootstrap)
    is_agent = nw.col("feature").is_in(list(agents))
    rows = rows.with_columns(_changed=_changed("loc_added_sum", "loc_deleted_sum"))
    rows = rows.with_columns(_agents=nw.when(is_agent).then(nw.col("_changed")))
    sums = {"agent_lines": nw.col("_agents").sum(), "changed_lines": nw.col("_changed").sum()}
    totals, persons = group_sums(rows, names, sums)
    if "user_id" in persons.collect_schema():
        totals = with_people(totals, names, agent_people=persons.filter(nw.col("agent_lines") > 0))
    else:
        totals = totals.with_columns(agent_people="people")
    shares = with_person_intervals(
        totals.with_columns(share=ratio("agent_lines", "changed_lines")),
        persons,
        names,
        ("agent_lines", "changed_lines"),
        resamples=bootstrap,
        seed=seed,
    )
    people = ("people", "agent_people")
    columns = ("agent_lines", "changed_lines", "share", "low", "high", *people)
    return frames.result(shares.select(*names, *columns), *names, counts=people)


def _changed(added: str, deleted: str) -> nw.Expr:
    return nw.col(added).fill_null(0) + nw.col(deleted).fill_null(0)


def lines_by_mode(
    breakdown,
    *,
    by: str | Sequence[str] = "feature",
    period: str | None = None,
    week_start: str = "monday",
    canonical: bool = True,
    bootstrap: int | None = None,
    seed: int = 0,
):
    """Return how many lines were suggested, added and deleted in each mode, language or model.

    Question: where do the changed lines come from?

    Parameters
    ----------
    breakdown
        A breakdown of people or of an organization or enterprise, for example
        ``users_by_feature``, ``users_by_language_feature`` or ``users_by_model_feature``.
    by
        Column or columns of the breakdown, for example ``"feature"``, ``"language"`` or
        ``["feature", "model"]``.
    period, week_start, canonical, seed
        As in `acceptance_rate`.
    bootstrap
        As in `agent_contribution`.

    Returns
    -------
    frame
        One row per period and value of `by` with any line, most changed lines first.

        - ``week`` or ``month``, as asked for by `period`; the columns of `by`.
        - ``suggested_lines``, ``suggested_deletions``: lines suggested to add and to delete.
        - ``added_lines``, ``deleted_lines``: lines added and deleted.
        - ``changed_lines``: added_lines + deleted_lines. The numerator.
        - ``all_changed_lines``: changed lines of all values of `by` in the period. The denominator.
        - ``share``: changed_lines / all_changed_lines; missing where nothing was changed.
        - ``low``, ``high``: 95 % interval of the share, as in `agent_contribution`.
        - ``added_per_suggested``: added_lines / suggested_lines; missing where nothing was
          suggested. A rate of acceptance for completions only.
        - ``is_impossible``: True where more lines were added than suggested.
        - ``people``: different people with any of these lines. Missing where the breakdown is not
          of people.
        - ``why``: the cause where ``is_impossible``; else missing.

    Raises
    ------
    UsageError
        As for `acceptance_rate`.

    Notes
    -----
    Left out: lines of clients that are too old to report them. Breakdowns by model do not hold
    completions. Agents write without suggesting, so they have many more added than suggested lines.

    Source: GitHub docs, Copilot usage metrics (lines of code changed with AI).

    Examples
    --------
    >>> import pandas as pd
    >>> by_feature = pd.DataFrame({
    ...     "feature": ["code_completion", "agent_edit"], "loc_suggested_to_add_sum": [90, 0],
    ...     "loc_suggested_to_delete_sum": [0, 0], "loc_added_sum": [60, 100],
    ...     "loc_deleted_sum": [0, 40],
    ... })
    >>> lines_by_mode(by_feature)[["feature", "changed_lines", "share", "is_impossible"]]
               feature  changed_lines  share  is_impossible
    0       agent_edit            140    0.7           True
    1  code_completion             60    0.3          False
    """
    rows, names = grouped_rows(
        breakdown, [*LINES.values()], by, period, week_start=week_start, canonical=canonical
    )
    check_resamples(rows, bootstrap)
    sums = {name: nw.col(column).sum() for name, column in LINES.items()}
    totals, persons = group_sums(rows, names, sums)
    has_lines = nw.any_horizontal(nw.col(*LINES) > 0, ignore_nulls=True)
    changed = _changed("added_lines", "deleted_lines")
    within = names[:1] if period is not None else []
    total = nw.col("changed_lines").sum()
    totals = totals.filter(has_lines).with_columns(changed_lines=changed, _all=nw.lit(0))
    totals = totals.with_columns(all_changed_lines=total.over("_all", *within)).with_columns(
        share=ratio("changed_lines", "all_changed_lines"),
        added_per_suggested=ratio("added_lines", "suggested_lines"),
        is_impossible=nw.col("added_lines") > nw.col("suggested_lines"),
    )
    shares = with_person_intervals(
        totals,
        persons.with_columns(_changed=changed),
        names,
        ("_changed", "_changed"),
        resamples=bootstrap,
        seed=seed,
        within=within,
    )
    columns = ("changed_lines", "all_changed_lines", "share", "low", "high", "added_per_suggested")
    is_proposed = nw.col("feature") == COMPLETION if "feature" in names else nw.lit(False)
    return frames.result(
        shares.select(*names, *LINES, *columns, "is_impossible", "people", why=why(is_proposed)),
        *within,
        "changed_lines",
        *names[len(within) :],
        descending=[*[False] * len(within), True, *[False] * (len(names) - len(within))],
        counts=["people"],
    )
