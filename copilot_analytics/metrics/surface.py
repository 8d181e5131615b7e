"""Where people meet Copilot: completions, chat, agents, the CLI, the app and code review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import narwhals.stable.v2 as nw
import pandas as pd

from copilot_analytics.metrics import frames

THIRD_PARTY_AGENTS = "third_party_agents"


@dataclass(frozen=True)
class Surface:
    """A place where Copilot is used, and what in a record shows its use.

    `features` are values of ``feature`` in the breakdown by feature, `flags` and `counts` columns
    of the users table. Any of them is enough.
    """

    name: str
    label: str
    group: str
    features: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule in words."""
        parts = [f"activity in feature {name}" for name in self.features]
        parts += [f"{name} is True" for name in self.flags]
        parts += [f"{name} above 0" for name in self.counts]
        return " or ".join(parts) or "a job started, in users_by_agent"


def _tool(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}_{kind}_count" for kind in ("session", "request", "prompt"))


SURFACES = (
    Surface("code_completion", "Code completion", "completion", ("code_completion",)),
    Surface("chat_inline", "Inline chat", "chat", ("chat_inline",)),
    Surface("chat_ask", "Chat, ask mode", "chat", ("chat_panel_ask_mode",)),
    Surface("chat_edit", "Chat, edit mode", "chat", ("chat_panel_edit_mode",)),
    Surface("chat_plan", "Chat, plan mode", "chat", ("chat_panel_plan_mode",)),
    Surface("chat_custom", "Chat, custom mode", "chat", ("chat_panel_custom_mode",)),
    Surface("chat_unknown", "Chat, unknown mode", "chat", ("chat_panel_unknown_mode",)),
    Surface("agent_mode", "Agent mode", "agent", ("chat_panel_agent_mode",), ("used_agent",)),
    Surface("agent_edit", "Edits written by agents", "agent", ("agent_edit",)),
    Surface(
        "agents_window",
        "Agents window",
        "agent",
        flags=("used_vscode_agent",),
        counts=("vscode_agent_session_count", "vscode_agent_total_user_messages"),
    ),
    Surface(
        "cloud_agent",
        "Cloud agent",
        "agent",
        flags=("used_copilot_cloud_agent", "used_copilot_coding_agent"),
    ),
    Surface(THIRD_PARTY_AGENTS, "Third-party agents", "agent"),
    Surface("cli", "CLI", "cli", ("copilot_cli",), ("used_cli",), _tool("cli")),
    Surface("app", "Copilot app", "app", ("copilot_app",), ("used_copilot_app",), _tool("app")),
    Surface("code_review", "Code review", "review", flags=("used_copilot_code_review_active",)),
)


def surface_rules() -> pd.DataFrame:
    """Return the surfaces with the rule that says who used each of them.

    Question: what counts as use of a surface?

    Returns
    -------
    pandas.DataFrame
        One row per surface: ``surface``, ``label``, ``group`` (completion, chat, agent, cli, app
        or review) and ``rule``. A feature that GitHub reports and no rule names is a surface of
        its own, under GitHub's name. Passive code review is not use.

    Notes
    -----
    Source: this package, on fields of GitHub docs, Copilot usage metrics.

    Examples
    --------
    >>> surface_rules().set_index("surface").loc["agent_mode", "rule"]
    'activity in feature chat_panel_agent_mode or used_agent is True'
    """
    return pd.DataFrame(
        [{"surface": s.name, "label": s.label, "group": s.group, "rule": s.rule} for s in SURFACES]
    )


def uses_of(
    users: nw.LazyFrame,
    by_feature: nw.LazyFrame,
    by_agent: nw.LazyFrame | None,
    reported: Sequence[Mapping[str, object]],
    *keys: str,
) -> nw.LazyFrame:
    """Return the first and last day (`start`, `last`) on which each person used each surface.

    `keys` are columns of all frames inside which the days are looked for. The surface is `place`,
    its place among the `reported_surfaces`: there are many rows, and numbers are grouped faster
    than names.
    """
    places = {row["surface"]: row["place"] for row in reported}
    of_feature = places | {name: places[s.name] for s in SURFACES for name in s.features}
    place = nw.col("feature").replace_strict(of_feature, default=None, return_dtype=nw.Int64)
    named = (
        frames.with_activity(by_feature, "user_id", "feature", "day", *keys)
        .group_by("user_id", "feature", *keys)
        .agg(start=nw.col("day").min(), last=nw.col("day").max())
        .select("user_id", *keys, "start", "last", place=place)
    )
    signals = {places[surface.name]: signals_of(users, surface) for surface in SURFACES}
    parts = [named, *_used(users, signals, keys)]
    if by_agent is not None:
        jobs = {places[THIRD_PARTY_AGENTS]: [frames.has_activity(by_agent)]}
        parts += _used(by_agent, jobs, keys)
    both = nw.concat(parts, how="vertical").group_by("place", "user_id", *keys)
    return both.agg(nw.col("start").min(), nw.col("last").max())


def _used(
    rows: nw.LazyFrame, signals: Mapping[int, Sequence[nw.Expr]], keys: Sequence[str]
) -> list[nw.LazyFrame]:
    """Return the first and last day of use by the signals of each place, in a part per place.

    All are looked for in one pass over the rows, each in a column of its own.
    """
    signals = {place: found for place, found in signals.items() if found}
    if not signals:
        return []
    days = rows.select(
        "user_id",
        *keys,
        **{
            f"day_{place}": nw.when(nw.any_horizontal(*found, ignore_nulls=True)).then(
                nw.col("day")
            )
            for place, found in signals.items()
        },
    )
    first = [nw.col(f"day_{place}").min().alias(f"start_{place}") for place in signals]
    last = [nw.col(f"day_{place}").max().alias(f"last_{place}") for place in signals]
    used = frames.kept(days.group_by("user_id", *keys).agg(*first, *last))
    return [
        used.filter(~nw.col(f"start_{place}").is_null()).select(
            "user_id",
            *keys,
            start=f"start_{place}",
            last=f"last_{place}",
            place=nw.lit(place, dtype=nw.Int64),
        )
        for place in signals
    ]


def signals_of(users: nw.LazyFrame, surface: Surface) -> list[nw.Expr]:
    """Return the expressions over the columns of the frame that show use of a surface."""
    have = users.collect_schema().names()
    flags = [nw.col(name) for name in surface.flags if name in have]
    return flags + [nw.col(name) > 0 for name in surface.counts if name in have]


def reported_surfaces(
    users: nw.LazyFrame, by_feature: nw.LazyFrame, by_agent: nw.LazyFrame | None
) -> list[dict]:
    """Return every surface with its place, label, and first day on which GitHub reported it.

    A flag or counter that is missing in all records was not measured, which is not zero people.
    """
    first_days = frames.rows(by_feature.group_by("feature").agg(nw.col("day").min()))
    by_name = {row["feature"]: row["day"] for row in first_days}
    start = min(by_name.values(), default=None)
    named = {feature for surface in SURFACES for feature in surface.features}
    first_known = _first_known(users)
    reported = []
    for surface in SURFACES:
        days = [first_known.get(surface.name)]
        if surface.flags:
            days += [by_name.get(feature) for feature in surface.features]
        elif surface.features:
            days.append(start)
        elif by_agent is not None:
            days.append(frames.scalars(by_agent.select(nw.col("day").min()))["day"])
        reported.append((surface.name, surface.label, min(filter(None, days), default=None)))
    reported += [(name, name, start) for name in sorted(set(by_name) - named)]
    names = ("place", "surface", "label", "measured_from")
    return [dict(zip(names, (n, *values), strict=True)) for n, values in enumerate(reported)]


def _first_known(users: nw.LazyFrame) -> dict[str, datetime | None]:
    """Return the first day on which any of the columns of a surface is not missing."""
    have = users.collect_schema().names()
    days = {}
    for surface in SURFACES:
        columns = (*surface.flags, *surface.counts)
        known = [~nw.col(name).is_null() for name in columns if name in have]
        if known:
            is_known = nw.any_horizontal(*known, ignore_nulls=True)
            days[surface.name] = nw.when(is_known).then(nw.col("day"))
    if not days:
        return {}
    return frames.scalars(users.select(**days).select(nw.col(*days).min()))
