"""The catalogue as DataFrames, for people who look something up."""

from __future__ import annotations

import pandas as pd

from copilot_analytics.catalogue.columns import all_tables, table
from copilot_analytics.catalogue.files import expanded, rows
from copilot_analytics.catalogue.naming import all_names
from copilot_analytics.catalogue.records import FAMILIES, record_containers
from copilot_analytics.catalogue.reports import all_endpoints


def endpoints() -> pd.DataFrame:
    """Return the report endpoints of GitHub's interface.

    Question: which reports are there, and since when?

    Returns
    -------
    pandas.DataFrame
        One row per report and kind of scope.

        report : name to give to `fetch`
        scope_kind : ``organization`` or ``enterprise``
        period : ``1-day`` or ``28-day`` (always the latest 28 days)
        grain : what one record is
        parameters : of the request, empty where there are none
        first_day : earliest day of data
        since : day on which the endpoint opened
        no_report_statuses : HTTP statuses documented for no report, empty where there are none
        family : family of records, which decides the tables
        path : address under the interface's base
        source : where GitHub says so

    Examples
    --------
    >>> endpoints().query("period == '1-day'")["report"].unique().tolist()
    ['enterprise-1-day', 'users-1-day', 'user-teams-1-day', 'repos-1-day', 'organization-1-day']
    """
    frame = pd.DataFrame([vars(endpoint) for endpoint in all_endpoints()])
    for name in ("parameters", "no_report_statuses"):
        frame[name] = [", ".join(map(str, values)) for values in frame[name]]
    first = ["report", "scope_kind", "period", "grain", "parameters", "first_day", "since"]
    last = ["no_report_statuses", "family", "path", "source"]
    return _with_days(frame[first + last], "first_day", "since")


def tables() -> pd.DataFrame:
    """Return the tables that `load` makes.

    Question: which tables are there, and what is a row of each?

    Returns
    -------
    pandas.DataFrame
        One row per table.

        table : name, as in ``tables["users"]``
        grain : what one row is
        key : columns that identify a row
        columns : how many columns there are
        arrays : lists in GitHub's records whose elements are the rows, empty where a record is one

    Examples
    --------
    >>> tables().set_index("table").loc["users", "key"]
    'scope, day, user_id'
    """
    return pd.DataFrame(
        {
            "table": one.name,
            "grain": one.grain,
            "key": ", ".join(one.key),
            "columns": len(one.columns),
            "arrays": ", ".join(one.arrays),
        }
        for one in all_tables().values()
    )


def fields(name: str | None = None) -> pd.DataFrame:
    """Return the columns of the tables, with where each comes from.

    Question: what does a column mean, and may it be summed?

    Parameters
    ----------
    name
        Name of a table; None for all of them.

    Returns
    -------
    pandas.DataFrame
        One row per table and column, in the order of the columns.

        table, column : names
        label : how charts and tables call it
        type : text, id, count (a whole number of 0 or more), code (a whole number that counts
        nothing), number, flag, date (UTC day) or timestamp (UTC)
        unit : of quantities; the role of other columns
        additive : ``yes``, or why it must not be summed over rows: ``distinct`` (people or things
        that may be the same), ``mean``, ``median`` (or another percentile), ``no`` (no quantity)
        is_nullable : whether GitHub documents that it may be missing
        is_personal : whether it says who a person is
        since : first day on which GitHub reports it, missing where that is not documented
        until : last day of a retired field, missing where that is not documented
        is_retired : whether only old files have it
        meaning : what it says, and what a missing value means
        path : place in GitHub's records, ``[]`` standing for the elements of a list; empty for
        columns of ours
        source : where GitHub, or somebody else, says so

    Raises
    ------
    UsageError
        There is no table of that name.

    Examples
    --------
    >>> credits = fields("users").set_index("column").loc["ai_credits_used"]
    >>> credits["unit"], credits["additive"], str(credits["since"].date())
    ('AI credits', 'yes', '2026-06-19')
    """
    chosen = all_tables().values() if name is None else [table(name)]
    frame = pd.DataFrame(
        [{"table": one.name, **vars(field)} for one in chosen for field in one.columns]
    )
    first = ["table", "column", "label", "type", "unit", "additive", "is_nullable", "is_personal"]
    last = ["since", "until", "is_retired", "meaning", "path", "source"]
    return _with_days(frame[first + last], "since", "until")


def containers() -> pd.DataFrame:
    """Return the objects and lists of GitHub's records.

    Question: since when is a breakdown reported, and what does it mean if it is not there?

    Returns
    -------
    pandas.DataFrame
        One row per family of records and place.

        family : ``users``, ``entity``, ``teams``, ``repos``, ``window`` (the wrapper of a 28-day
        report) or ``envelope`` (the answer that names the files)
        path : place in the record
        type : ``object`` or ``list``
        is_nullable : whether GitHub documents that it may be missing
        since : first day on which GitHub reports it
        meaning : what is in it
        missing : what it means that it is empty or missing
        source : where GitHub says so

    Examples
    --------
    >>> containers().query("family == 'users' and path == 'totals_by_skill'")["missing"].item()
    'An empty list is none used, missing is not measured'
    """
    frame = pd.DataFrame(
        [vars(container) for family in FAMILIES for container in record_containers(family)]
    )
    first = ["family", "path", "type", "is_nullable", "since", "meaning", "missing", "source"]
    return _with_days(frame[first], "since")


def changes() -> pd.DataFrame:
    """Return the known changes of GitHub's reports.

    Question: which steps in a series come from GitHub's counting and not from people?

    Returns
    -------
    pandas.DataFrame
        One row per change, oldest first.

        day : first day of the change (UTC)
        is_series_break : whether it moves a series without any change in what people do
        label : short name
        affects : words for the series that it concerns, separated by spaces; ``all`` for every one
        meaning : what changed
        source : where GitHub, or somebody else, says so

    Examples
    --------
    >>> changes().query("is_series_break")["label"].head(2).tolist()
    ['Plan mode split off', 'Auto model resolved']
    """
    frame = pd.DataFrame(rows("changes.csv"))
    frame["is_series_break"] = frame["is_series_break"] == "yes"
    return _with_days(frame, "day")


def client_versions() -> pd.DataFrame:
    """Return the oldest versions of clients that GitHub counts.

    Question: whose client is too old for its use to be counted?

    Returns
    -------
    pandas.DataFrame
        One row per client, measure, feature and edition of the documentation.

        client : family of clients
        ides : values of ``ide`` that it stands for, separated by spaces; empty for the CLI
        extension : value of ``plugin`` whose version is meant, empty where that is not known
        measure : what needs the version: ``activity`` (to be counted at all), ``lines`` (lines of
        code), ``exact lines`` (without lines counted twice) or ``agent sessions`` (booked in full,
        and as those of the IDE)
        feature : the feature concerned, ``all``, or ``chat_panel`` for all modes of the chat panel
        is_current : False for a minimum that an older edition of the documentation had
        client_version : oldest version of the IDE or the CLI that will do
        extension_version : oldest version of the extension that will do, empty where there is none
        source : where GitHub says so
        source_day : day on which it said so, missing where that is not known

    Notes
    -----
    Compare with `is_below`. Android Studio and RStudio number their versions in their own way, so
    no minimum is given for them.

    Examples
    --------
    >>> needed = client_versions().query("is_current and measure == 'activity'")
    >>> needed.set_index("client")["extension_version"].head(2).to_dict()
    {'VS Code': '0.35.3', 'Visual Studio': '18.0.471.29466'}
    >>> needed.assign(ide=needed["ides"].str.split()).explode("ide")["ide"].tolist()[:3]
    ['vscode', 'visualstudio', 'visual_studio']
    """
    frame = pd.DataFrame(expanded("client_versions.csv"))
    frame["is_current"] = frame["is_current"] == "yes"
    return _with_days(frame, "source_day")


def names() -> pd.DataFrame:
    """Return the known values of dimensions, and which of them mean one thing.

    Question: which spellings count as one, and how is a value called?

    Returns
    -------
    pandas.DataFrame
        One row per dimension and value.

        dimension : column in which the value stands
        value : spelling in a report; tables keep it
        canonical : spelling under which figures count it, see `canonical_names`
        label : how charts and tables call it
        source : where the value is documented or was seen

    Examples
    --------
    >>> names().query("dimension == 'language' and canonical == 'csharp'")["value"].tolist()
    ['csharp', 'c#']
    """
    return pd.DataFrame(all_names())


def _with_days(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the frame with days as timestamps, missing where a cell is empty."""
    days = {
        name: pd.to_datetime(frame[name].replace("", None)).astype("datetime64[us]")
        for name in columns
    }
    return frame.assign(**days)
