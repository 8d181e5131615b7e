"""Tokens of Copilot CLI and the Copilot app: per request and per prompt."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from copilot_analytics.metrics import frames
from copilot_analytics.metrics.periods import (
    measured_sums,
    read_rows,
    with_keys,
    with_people,
    with_values,
)
from copilot_analytics.metrics.statistics import ratio

CLIENTS = (("cli", "CLI"), ("app", "Copilot app"))
COUNTERS = (
    "session_count",
    "request_count",
    "prompt_count",
    "output_tokens_sum",
    "prompt_tokens_sum",
)
VERSION = "cli_version"


def tokens(
    users_or_entity,
    *,
    by: str | Sequence[str] | None = None,
    period: str | None = None,
    week_start: str = "monday",
):
    """Return how many tokens Copilot CLI and the Copilot app took, per request and per prompt.

    Question: how large are the requests, and does that change?

    Parameters
    ----------
    users_or_entity
        ``users`` or ``entity`` table of one scope, one row per day, or per person and day.
    by
        Column or columns for which to give separate figures, for example ``"cli_version"``; of this
        one only the CLI has rows.
    period
        ``"day"``, ``"week"`` or ``"month"`` for separate figures over time.
    week_start
        Weekday on which weeks begin.

    Returns
    -------
    frame
        One row per client, period and value of `by`, where the client was reported.

        - ``client_number``: from 1; ``client``: ``cli`` or ``app``; ``label``: the same in words.
        - ``day``, ``week`` or ``month``, as asked for by `period`: first day of the period.
        - the columns of `by`.
        - ``session_count``, ``request_count``, ``prompt_count``: sessions started; requests to
          models, those of agents following up included; prompts of people.
        - ``output_tokens_sum``, ``prompt_tokens_sum``: tokens that models put out, and that were
          sent to them; ``tokens``: both together.
        - ``tokens_per_request``: tokens / request_count. ``tokens_per_prompt``: tokens /
          prompt_count. ``requests_per_prompt``: request_count / prompt_count. Missing where the
          denominator is zero.
        - ``people``: different people with requests, for the hiding of small groups. Missing where
          the frame is not of people.

    Raises
    ------
    UsageError
        A column is absent, or the frame holds more than one scope and `by` does not name ``scope``.

    Notes
    -----
    A sum over a sum, never a mean of GitHub's means. Left out: tokens of IDEs, which GitHub does
    not report; people and days without use of the client; records without a value of `by`. Tokens
    are no measure of cost: credits depend on the model as well.

    Source: GitHub docs, Copilot usage metrics (tokens per request).

    Examples
    --------
    >>> import copilot_analytics as ca
    >>> tables = ca.load(
    ...     b'{"day":"2026-11-02","organization_id":"7","user_id":1,"totals_by_cli":'
    ...     b'{"session_count":1,"request_count":20,"prompt_count":4,"token_usage":'
    ...     b'{"output_tokens_sum":1000,"prompt_tokens_sum":9000}}}'
    ... )
    >>> tokens(tables.users)[["client", "tokens", "tokens_per_request", "tokens_per_prompt"]]
      client  tokens  tokens_per_request  tokens_per_prompt
    0    cli   10000               500.0             2500.0
    """
    names = frames.as_names(by)
    clients = CLIENTS[:1] if VERSION in names else CLIENTS
    needed = [f"{client}_{name}" for client, _ in clients for name in COUNTERS]
    rows = with_values(read_rows(users_or_entity, names, "day", *needed), names)
    rows, keys = with_keys(rows, names, period, week_start)
    parts = [
        _of_client(rows, keys, number, client, label)
        for number, (client, label) in enumerate(clients, start=1)
    ]
    totals = nw.concat(parts, how="vertical").with_columns(
        tokens=nw.col("output_tokens_sum") + nw.col("prompt_tokens_sum")
    )
    rates = totals.with_columns(
        tokens_per_request=ratio("tokens", "request_count"),
        tokens_per_prompt=ratio("tokens", "prompt_count"),
        requests_per_prompt=ratio("request_count", "prompt_count"),
    )
    words = ["client_number", "client", "label"]
    sizes = ["tokens_per_request", "tokens_per_prompt", "requests_per_prompt"]
    shown = rates.select(*words, *keys, *COUNTERS, "tokens", *sizes, "people")
    return frames.result(shown, "client_number", *keys, counts=[*COUNTERS, "tokens", "people"])


def _of_client(
    rows: nw.LazyFrame, keys: list[str], number: int, client: str, label: str
) -> nw.LazyFrame:
    """Return the sums of one client, and the people behind them."""
    own = {name: nw.col(f"{client}_{name}") for name in COUNTERS}
    has_people = "user_id" in rows.collect_schema()
    persons = ["user_id"] if has_people and "user_id" not in keys else []
    used = rows.select(*keys, *persons, **own).filter(~nw.col("request_count").is_null())
    sums = measured_sums(used, keys, COUNTERS).filter(~nw.col("request_count").is_null())
    if not has_people:
        sums = sums.with_columns(people=nw.lit(None, dtype=nw.Float64))
    elif "user_id" in keys:
        sums = sums.with_columns(people=(nw.col("request_count") > 0).cast(nw.Int64))
    else:
        sums = with_people(sums, keys, people=used.filter(nw.col("request_count") > 0))
    words = {"client_number": nw.lit(number), "client": nw.lit(client), "label": nw.lit(label)}
    return sums.with_columns(**words).select(*words, *keys, *COUNTERS, "people")
