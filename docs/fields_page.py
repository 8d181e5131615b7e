"""The page on tables and fields, made from the catalogue."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from markup import codes, grid, lines, plain

from copilot_analytics import catalogue
from copilot_analytics.tidy.schema import empty_frame

# In every table, so they are described once.
COMMON = ("scope", "enterprise_id", "organization_id", "extra")

TYPES = {
    "text": "any text; logins and versions never become numbers",
    "id": "whole number that names something",
    "count": "whole number of 0 or more",
    "code": "whole number that counts nothing",
    "number": "number with a fraction",
    "flag": "True, False or missing",
    "date": "UTC day, at midnight and without a zone",
    "timestamp": "moment in UTC",
}

ANSWER = """\
GitHub answers with links of files. The file of a 28-day report of an organization or enterprise
wraps its records, one of each day, in `day_totals`.
"""


def fields_page() -> str:
    """Return the page on tables, fields and everything else that the catalogue knows."""
    tables = catalogue.all_tables().values()
    parts = [_reading(), _tables(), *map(_table, tables), _endpoints(), _changes()]
    return "\n".join([*parts, _client_versions(), _names()])


def _reading() -> str:
    dtypes, common = {}, {}
    for name, table in catalogue.all_tables().items():
        frame = empty_frame(name)
        dtypes |= {field.type: frame[field.column].dtype for field in table.columns}
        # As old as the report that a table is read from, so no day is said.
        common |= {f.column: replace(f, since=None) for f in table.columns if f.column in COMMON}
    types = ([f"`{name}`", text, f"`{dtypes[name]}`"] for name, text in TYPES.items())
    return f"""\
# Fields

What the tables hold, column by column. `make docs` makes this page from the catalogue, the CSV
files in `copilot_analytics/catalogue/`; types, labels and the sample company derive from them as
well, so mend a fact there. In Python the same facts are DataFrames, with the source of each:
`catalogue.fields("users")`, `tables()`, `containers()`, `endpoints()`, `changes()`,
`client_versions()` and `names()`.

[How to read it](#how-to-read-it) · [Tables](#tables) · [Endpoints](#endpoints) ·
[Changes and series breaks](#changes-and-series-breaks) · [Client versions](#client-versions) ·
[Names](#names)

## How to read it

Names of columns are GitHub's; nested objects join with an underscore.

- Under the name stand type and unit, and the first day on which GitHub reports the field, as far
  as that is documented. *Nullable* is what GitHub documents as null or absent at times; such a
  value is missing, not 0 and not False, and the meaning says what that stands for. Readers accept
  a missing value in every column but those of the key. *Personal* columns say who a person is:
  `privacy.pseudonymize` replaces or drops them. *Retired* columns are in old files only.
- **Adds up** says whether a column may be summed over rows. What is *distinct* counts people or
  things, and the same one may be in several rows; a *mean* or a *median* (or another percentile)
  cannot be combined. – is no quantity.
- The meaning begins with the label that charts use. The path at its end is the place in GitHub's
  record, `[]` standing for the elements of a list; without one it is a field of the record itself
  with the name of the column.

{grid("Type | Meaning | pandas dtype", types)}
In every table:

{_columns([common[name] for name in COMMON], ())}"""


def _tables() -> str:
    rows = (
        [f"[`{one.name}`](#{one.name})", plain(one.grain), codes(one.key)]
        for one in catalogue.all_tables().values()
    )
    return f"## Tables\n\n{grid('Table | A row is | Key', rows)}"


def _table(table: catalogue.Table) -> str:
    elements = f"elements of {codes(table.arrays)} in " if table.arrays else ""
    text = f"""\
### {table.name}

A row is {plain(table.grain)}. Key: {codes(table.key)}. Read from {elements}{_records(table)}.

{_columns([f for f in table.columns if f.column not in COMMON], table.arrays)}"""
    if not table.containers:
        return text
    rows = (
        [lines(f"`{c.path}`", f"{c.type}{_since(c)}"), plain(c.meaning), plain(c.missing)]
        for c in table.containers
    )
    return f"{text}\n{grid('Object or list | What is in it | If it is empty or missing', rows)}"


def _records(table: catalogue.Table) -> str:
    """Say which reports a table is read from."""
    family = {"users_window": "users", "window": "entity"}.get(table.family, table.family)
    is_window = table.family != family
    names = dict.fromkeys(
        e.report
        for e in catalogue.all_endpoints()
        if e.family == family and (e.period == "28-day" or not is_window)
    )
    return f"the {'wrapper' if table.family == 'window' else 'records'} of {codes(names)}"


def _columns(fields: list[catalogue.Field], arrays: tuple[str, ...]) -> str:
    return grid("Column | Adds up | Meaning", (_column(field, arrays) for field in fields))


def _column(field: catalogue.Field, arrays: tuple[str, ...]) -> list[str]:
    is_quantity = field.type in ("count", "number")
    facts = f"{field.type}: {plain(field.unit)}" if is_quantity else field.type
    facts += ", nullable" if field.is_nullable else ""
    facts += ", *personal*" if field.is_personal else ""
    facts += _since(field)
    if field.is_retired:
        facts += f", *retired after {field.until}*" if field.until else ", *retired*"
    return [
        lines(f"`{field.column}`", facts),
        {"yes": "yes", "no": "–"}.get(field.additive, f"no: {field.additive}"),
        lines(f"**{plain(field.label)}.** {plain(field.meaning)}", _path(field, arrays)),
    ]


def _since(described: catalogue.Field | catalogue.Container) -> str:
    return f", since {described.since}" if described.since else ""


def _path(field: catalogue.Field, arrays: tuple[str, ...]) -> str:
    """Return where a field stands, if that is not the record itself under the column's name.

    In the elements of several lists it may have several names.
    """
    places = tuple(f"{array}[]." for array in arrays)
    if places and field.path.startswith(places):
        columns = catalogue.record_fields(field.family)
        paths = (f.path for f in columns if f.column == field.column and f.path.startswith(places))
        return codes(dict.fromkeys(f"[].{path.split('[].', 1)[1]}" for path in paths))
    if not field.path:
        return "*Made by this package.*"
    return "" if field.path == field.column else f"`{field.path}`"


def _endpoints() -> str:
    parts = [
        """\
## Endpoints

A 28-day report is always the latest one; a 1-day report is asked for by its `day`, at most one year
back. *No report* is the status that GitHub documents for a day without one. The first days of teams
and repositories are not published; the day on which the endpoint opened stands there.
"""
    ]
    for kind, reports in catalogue.endpoints().groupby("scope_kind"):
        rows = (
            [
                f"`{row.path.rsplit('/reports/')[-1]}`",
                plain(row.grain),
                _day(row.first_day),
                _day(row.since),
                row.no_report_statuses,
            ]
            for row in reports.itertuples()
        )
        place = reports["path"].iloc[0].rsplit("/reports/")[0]
        heads = "Report | Content | First day | Opened | No report"
        parts.append(f"Of an {kind}, under `{place}/reports/`:\n\n{grid(heads, rows)}")
    around = [c for c in catalogue.record_containers("window") if c.path == "day_totals"]
    lists = [*catalogue.record_containers("envelope"), *around]
    rows = [[f"`{c.path}`", f"{plain(c.meaning)}. {plain(c.missing)}"] for c in lists]
    rows += ([f"`{f.path}`", plain(f.meaning)] for f in catalogue.record_fields("envelope"))
    parts.append(f"{ANSWER}\n{grid('Field | Meaning', rows)}")
    return "\n".join(parts)


def _changes() -> str:
    entries = (
        f"- {_day(change.day)} "
        + (f"**Break: {plain(change.label)}**" if change.is_series_break else plain(change.label))
        + f" ({change.affects.replace(' ', ', ')}). {plain(change.meaning)}. *{change.source}*\n"
        for change in catalogue.changes().itertuples()
    )
    return f"""\
## Changes and series breaks

A **break** moves a series without any change in what people do; charts and pages mark it. The words
in brackets name the series that a change concerns.

{"".join(entries)}"""


def _client_versions() -> str:
    frame = catalogue.client_versions()
    rows = (
        [
            row.client if row.is_current else f"{row.client}, formerly",
            row.measure + ("" if row.feature == "all" else f": {row.feature.replace('_', ' ')}"),
            row.client_version,
            row.extension_version,
            plain(row.source) + (f", as of {_day(row.source_day)}" if row.is_current else ""),
        ]
        for row in frame.itertuples()
    )
    ides = frame[frame["ides"] != ""].drop_duplicates("client")
    clients = "\n".join(f"- {row.client}: {codes(row.ides.split())}" for row in ides.itertuples())
    heads = "Client | Needed for | IDE or CLI | Extension | Source"
    return f"""\
## Client versions

Use of older clients is not seen, or only in part. *activity* is to be counted at all, *lines* to
have lines of code counted, *exact lines* to have none counted twice, *agent sessions* to have
sessions of the IDE's agent counted in full and not as CLI. `catalogue.is_below(version, minimum)`
compares number by number. Clients stand for these values of `ide`:

{clients}

{grid(heads, rows)}"""


def _names() -> str:
    parts = [
        """\
## Names

Values that are known. All sets are open: an unknown value is kept and shown as it is. Tables keep
every spelling; figures count those of one row as one, see `catalogue.canonical_names`.
"""
    ]
    for dimension, values in catalogue.names().groupby("dimension", sort=False):
        rows = []
        for canonical, group in values.groupby("canonical", sort=False):
            others = codes(value for value in group["value"] if value != canonical)
            sources = plain("; ".join(dict.fromkeys(group["source"])))
            value = f"`{canonical}`" if canonical else "(empty)"
            rows.append([value, plain(group["label"].iloc[0]), others, sources])
        parts.append(f"### {dimension}\n\n{grid('Value | Label | Also written | Source', rows)}")
    return "\n".join(parts)


def _day(day: object) -> str:
    return "" if pd.isna(day) else str(day)[:10]
