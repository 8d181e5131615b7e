"""Whose client is too old for its use to be counted."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.metrics import frames
from copilot_analytics.metrics.statistics import with_share

CLI = "Copilot CLI"
VERSIONS = ("ide", "ide_version", "plugin", "plugin_version")
SEPARATOR = " | "
# What the versions of a person mean, the worst one last.
OTHER_CLIENT, UNKNOWN, FINE, BELOW = -1, 0, 1, 2
_COLUMNS = {
    "client_number": nw.Int64,
    "client": nw.String,
    "measure": nw.String,
    "feature": nw.String,
    "client_version": nw.String,
    "extension_version": nw.String,
    "people": nw.Int64,
    "people_below": nw.Int64,
    "people_unknown": nw.Int64,
    "people_known": nw.Int64,
}


def outdated_clients(users_by_ide, *, users=None):
    """Return how many people last used a client that is too old for its use to be counted in full.

    Question: how much use may be missing because clients are old?

    Parameters
    ----------
    users_by_ide
        ``users_by_ide`` table of one scope, one row per person, day and IDE.
    users
        Users table of the same people, for the versions of the CLI.

    Returns
    -------
    frame
        One row per client that anybody used, and minimum that GitHub documents for it.

        - ``client_number``: order of the rows.
        - ``client``: family of clients, such as ``VS Code``.
        - ``measure``: what needs the version: ``activity`` (to be counted at all), ``lines`` (lines
          of code), ``exact lines`` or ``agent sessions``: see `catalogue.client_versions`.
        - ``feature``: the feature concerned; ``all`` for every one.
        - ``client_version``, ``extension_version``: the oldest versions that will do; the second
          is missing where there is none.
        - ``people``: people with such a client.
        - ``people_below``: people whose last known version of the IDE or of the extension is
          older. The numerator.
        - ``people_unknown``: people without a version that can be compared.
        - ``people_known``: all others. The denominator.
        - ``share``: people_below / people_known; missing where no version is known.
        - ``low``, ``high``: 95 % Wilson interval of the share.

    Raises
    ------
    UsageError
        A column is absent, or the frames hold more than one scope.

    Notes
    -----
    People whose client is too old may have no record at all, so this is a lower bound. Each IDE of
    a person counts with the last version that GitHub saw, under whichever spelling of its name.
    Left out: IDEs without a documented minimum, such as Android Studio and Neovim.

    Source: GitHub docs, Copilot usage metrics reference and lines of code metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> by_ide = pd.DataFrame({
    ...     "day": pd.to_datetime(["2026-11-02"] * 2), "user_id": [1, 2], "ide": ["vscode"] * 2,
    ...     "ide_version": ["1.99.3", "1.120.0"], "plugin": ["copilot-chat"] * 2,
    ...     "plugin_version": ["0.40.0", "0.40.0"],
    ... })
    >>> outdated_clients(by_ide)[["client", "measure", "people", "people_below"]].head(1)
        client   measure  people  people_below
    0  VS Code  activity       2             1
    """
    ides = frames.read(users_by_ide, "day", "user_id", *VERSIONS)
    frames.one_scope(ides)
    clients = _last_versions(frames.with_canonical_names(ides, ["ide"]))
    if users is not None:
        users = frames.read(users, "day", "user_id", "cli_version")
        frames.one_scope(ides, users)
        clients = nw.concat([clients, _last_versions(_cli(users))], how="vertical")
    rows = [
        {"client_number": number, **row} for number, row in enumerate(_counted(clients), start=1)
    ]
    table = frames.literals(ides, rows, _COLUMNS)
    shares = with_share(table, "people_below", "people_known", "share")
    return frames.result(shares, "client_number")


def _cli(users: nw.LazyFrame) -> nw.LazyFrame:
    """Return the CLI of each person and day like an IDE without extension."""
    none = nw.lit(None, dtype=nw.String)
    versions = {"ide": nw.lit(CLI), "ide_version": nw.col("cli_version")}
    used = users.filter(~nw.col("cli_version").is_null())
    return used.select("day", "user_id", **versions, plugin=none, plugin_version=none)


def _last_versions(clients: nw.LazyFrame) -> nw.LazyFrame:
    """Return each person and IDE with the versions of the last day that has any, as one text."""
    keys = ["user_id", "ide"]
    known = clients.filter(~nw.col("ide_version").is_null() | ~nw.col("plugin_version").is_null())
    last = known.group_by(*keys).agg(nw.col("day").max())
    text = nw.concat_str([nw.col(name).fill_null("") for name in VERSIONS], separator=SEPARATOR)
    latest = known.join(last, on=[*keys, "day"], how="semi").select(*keys, versions=text)
    everyone = frames.distinct(clients, *keys).join(frames.distinct(latest), on=keys, how="left")
    unknown = nw.concat_str([nw.col("ide"), nw.lit(SEPARATOR * 3)])
    return everyone.select("user_id", versions=nw.coalesce(nw.col("versions"), unknown))


def _counted(clients: nw.LazyFrame) -> Iterator[dict]:
    """Yield each documented minimum with the people whom it concerns, if there are any."""
    minimums = catalogue.client_versions().query("is_current").to_dict("records")
    texts = [row["versions"] for row in frames.rows(frames.distinct(clients, "versions"))]
    if not texts:
        return
    # Versions are many, what they mean for all minimums together is not.
    verdicts = {text: tuple(_verdict(text, minimum) for minimum in minimums) for text in texts}
    kinds = {verdict: number for number, verdict in enumerate(sorted(set(verdicts.values())))}
    numbers = {text: kinds[verdict] for text, verdict in verdicts.items()}
    kind = nw.col("versions").replace_strict(numbers, default=None, return_dtype=nw.Int64)
    places = {f"_{place}": place for place in range(len(minimums))}
    states = {
        name: nw.col("kind").replace_strict(
            {number: verdict[place] for verdict, number in kinds.items()},
            default=None,
            return_dtype=nw.Int64,
        )
        for name, place in places.items()
    }
    of_each = clients.select("user_id", kind=kind).select("user_id", **states)
    people = of_each.group_by("user_id").agg(nw.col(*states).max())
    counts = frames.scalars(
        people.select(
            **{f"people{name}": (nw.col(name) >= UNKNOWN).cast(nw.Int64).sum() for name in places},
            **{f"below{name}": (nw.col(name) == BELOW).cast(nw.Int64).sum() for name in places},
            **{f"unknown{name}": (nw.col(name) == UNKNOWN).cast(nw.Int64).sum() for name in places},
        )
    )
    described = ("client", "measure", "feature", "client_version", "extension_version")
    for name, place in places.items():
        people_of, unknown = counts[f"people{name}"], counts[f"unknown{name}"]
        if people_of:
            yield {
                **{column: minimums[place][column] or None for column in described},
                "people": people_of,
                "people_below": counts[f"below{name}"],
                "people_unknown": unknown,
                "people_known": people_of - unknown,
            }


def _verdict(text: str, minimum: dict) -> int:
    """Return what the last versions of an IDE mean for a minimum; the largest one decides."""
    ide, ide_version, plugin, plugin_version = text.split(SEPARATOR)
    if ide not in (minimum["ides"].split() or [CLI]):
        return OTHER_CLIENT
    verdicts = [catalogue.is_below(ide_version, minimum["client_version"])]
    if minimum["extension"] in ("", plugin):
        verdicts.append(catalogue.is_below(plugin_version, minimum["extension_version"]))
    known = [verdict for verdict in verdicts if verdict is not None]
    return (BELOW if any(known) else FINE) if known else UNKNOWN
