"""Persons become pseudonyms."""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
from pathlib import Path

import narwhals.stable.v2 as nw

from copilot_analytics import catalogue
from copilot_analytics.errors import StorageError, UsageError

KEY_FILE = "pseudonym.key"
KEY_BYTES = 32
PERSON = "user_id"
# Columns that hold whatever GitHub adds one day, names of persons perhaps.
UNKNOWN = ("extra",)


def personal_columns(frame) -> list[str]:
    """Return the columns of a frame that say who a person is.

    Parameters
    ----------
    frame
        A frame of any kind.

    Returns
    -------
    list of str
        Columns that the catalogue of fields marks as personal, and ``extra``, whose content nobody
        has described.

    Examples
    --------
    >>> import pandas as pd
    >>> personal_columns(pd.DataFrame(columns=["day", "user_id", "user_login", "extra"]))
    ['user_id', 'user_login', 'extra']
    """
    fields = (field for table in catalogue.all_tables().values() for field in table.columns)
    personal = {*UNKNOWN, *(field.column for field in fields if field.is_personal)}
    return [name for name in nw.from_native(frame).lazy().collect_schema() if name in personal]


def pseudonymize(frame, key: bytes):
    """Return a frame in which nobody can be recognised without the key.

    Question: how can figures of single persons be shown without saying who they are?

    Parameters
    ----------
    frame
        A pandas DataFrame (or another frame held in memory) with or without ``user_id``.
    key
        Secret of at least 16 bytes, see `load_key`. The same person has the same pseudonym under
        one key, and another one under another key.

    Returns
    -------
    frame
        The frame with ``user_id`` as text such as ``"person-7f3a9c2e41d0"``, and without the other
        columns of `personal_columns`. A missing ``user_id`` stays missing.

    Raises
    ------
    UsageError
        The key is too short, the frame is not held in memory, or two persons of the frame happen to
        get one pseudonym (1 in 2000 with half a million persons): use another key then.

    Notes
    -----
    The pseudonym is the beginning of an HMAC-SHA256 of the id. A plain hash would not do, because
    the ids of all GitHub users can be hashed and compared.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"user_id": [1, 2, 1], "user_login": ["ada", "bob", "ada"]})
    >>> hidden = pseudonymize(people, b"an example key, not a secret")
    >>> list(hidden.columns), hidden["user_id"].nunique(), hidden["user_id"].str[:7].unique()[0]
    (['user_id'], 2, 'person-')
    """
    if not isinstance(key, bytes) or len(key) < 16:
        raise UsageError(
            "the key for pseudonyms is not at least 16 bytes", advice="make one with load_key()"
        )
    try:
        eager = nw.from_native(frame, eager_only=True)
    except TypeError:
        raise UsageError(
            f"persons of a {type(frame).__name__} cannot be given pseudonyms",
            advice="convert the result of a metric to pandas first: .df() or .toPandas()",
        ) from None
    kept = eager.drop([name for name in personal_columns(frame) if name != PERSON])
    if PERSON not in kept.columns:
        return kept.to_native()
    people = kept[PERSON].drop_nulls().unique().to_list()
    pseudonyms = {person: _pseudonym(person, key) for person in people}
    if len(set(pseudonyms.values())) < len(people):
        raise UsageError(
            "two persons got the same pseudonym", advice="make a new key and start again"
        )
    named = nw.col(PERSON).replace_strict(pseudonyms, default=None, return_dtype=nw.String)
    return kept.with_columns(named).to_native()


def _pseudonym(person: object, key: bytes) -> str:
    return "person-" + hmac.digest(key, str(person).encode(), "sha256").hex()[:12]


def key_of_team(key: bytes, team: str) -> bytes:
    """Return the key for the pages of a team, under which each person has another pseudonym.

    Under one key a person in two teams would have one pseudonym on the pages of both. Whoever knows
    who is in both would know the few people that these pages have in common.

    Parameters
    ----------
    key
        Secret for pseudonyms, see `load_key`.
    team
        Slug of the team; "" for everybody, whose key stays as it is.

    Returns
    -------
    bytes
        An HMAC-SHA256 of the slug: the same for the same key and team.

    Examples
    --------
    >>> key = b"an example key, not a secret"
    >>> key_of_team(key, "") == key, key_of_team(key, "web") == key_of_team(key, "data")
    (True, False)
    """
    return hmac.digest(key, team.encode(), "sha256") if team else key


def load_key(directory: str | os.PathLike) -> bytes:
    """Return the secret key for pseudonyms of a directory, made at the first call.

    Parameters
    ----------
    directory
        Folder of the key, made if it is not there. Keep it apart from the data: who has both can
        find out who is who. Deleting the key file breaks the link for good.

    Returns
    -------
    bytes
        32 random bytes.

    Raises
    ------
    UsageError
        Others may read the key file, or it does not hold a key.
    StorageError
        The folder or the file cannot be read or written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_key(folder) == load_key(folder)
    True
    """
    path = Path(directory) / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii", errors="replace")
    except OSError as problem:
        raise StorageError(
            f"the key file {KEY_FILE} cannot be read or made", said=str(problem.strerror)
        ) from None
    if os.name == "posix" and mode & 0o077:
        raise UsageError(
            f"the key file {KEY_FILE} is open to others", advice="run: chmod 600 on the file"
        )
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"the key file {KEY_FILE} does not hold a key",
            kept="the file as it is",
            advice="restore it from a backup; a new key gives everybody a new pseudonym",
        )
    return key


def _make_key(path: Path) -> None:
    """Write a new key; the one of another process that was faster stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # readable by the owner only
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)


def people_table(activity, users, key: bytes, *, show_logins: bool = False, minimum: int = 5):
    """Return figures of single persons in the form in which a report may show them.

    Question: how does each person use Copilot, without saying who it is?

    Parameters
    ----------
    activity
        pandas DataFrame with one row per person, for example of `metrics.user_activity`.
    users
        Users table of the same people, for their logins.
    key
        Secret for pseudonyms, see `load_key`.
    show_logins
        Whether to show the last known login of each person instead of a pseudonym. A person
        without a login keeps the pseudonym.
    minimum
        Least number of people in the frame; with fewer, no row is shown.

    Returns
    -------
    pandas.DataFrame
        One row per person: ``person``, then the columns of `activity` that are not personal. Sorted
        by ``person``, so that it is no ranking.

    Raises
    ------
    UsageError
        As for `pseudonymize`.

    Examples
    --------
    >>> import pandas as pd
    >>> activity = pd.DataFrame({"user_id": [1, 2], "active_days": [12, 3]})
    >>> users = pd.DataFrame({"user_id": [1, 2], "user_login": ["zoe", "ada"]})
    >>> users["day"] = pd.Timestamp("2026-11-02")
    >>> key = b"an example key, not a secret"
    >>> people_table(activity, users, key, show_logins=True, minimum=2)
      person  active_days
    0    ada            3
    1    zoe           12
    >>> people_table(activity, users, key).empty
    True
    """
    activity = activity.reset_index(drop=True)
    table = pseudonymize(activity, key).rename(columns={PERSON: "person"})
    if show_logins:
        known = users.dropna(subset="user_login").sort_values("day")
        logins = known.groupby(PERSON)["user_login"].last()
        table["person"] = activity[PERSON].map(logins).fillna(table["person"])
    table = table[["person", *table.columns.drop("person")]]
    enough = table["person"].nunique() >= minimum
    return table.sort_values("person", ignore_index=True) if enough else table.head(0)
