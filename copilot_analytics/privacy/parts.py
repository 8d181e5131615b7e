"""Parts of a total that are too small are counted with another part, or shown as a range."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from copilot_analytics.privacy.groups import as_names, check_columns, hide_small_groups


def merge_small_parts(
    frame: pd.DataFrame, minimum: int = 5, *, parts: Sequence[str]
) -> pd.DataFrame:
    """Return a frame in which small parts of a row's total are counted with another part.

    Question: how can the parts of a total be shown where some are too small to be published?

    Parameters
    ----------
    frame
        pandas frame of a metric whose columns `parts` add up to a total in every row, for example
        that of `metrics.people_flow`.
    minimum
        Least number of people of a part that is shown.
    parts
        Columns with numbers of people, in the order in which they may be counted together. A single
        column is hidden where it is too small.

    Returns
    -------
    pandas.DataFrame
        The frame with two columns more; the sum of the parts of a row stays as it was.

        - `parts`: a part of 1 to ``minimum - 1`` people is missing and counted with the next one,
          and if the last one is too small, with the one before. All parts are missing where their
          sum is too small.
        - ``is_hidden``: True where anything is missing for this reason.
        - ``counted_together``: names of the parts that the last of them now stands for, such as
          ``"new + returning"``. Missing where every part stands for itself.

    Raises
    ------
    UsageError
        A named column is absent.

    Notes
    -----
    A part that stands for several must be shown as what it is: say it beside the figure.

    Source: practice of statistical offices, which combine small cells.

    Examples
    --------
    >>> import pandas as pd
    >>> flow = pd.DataFrame({"new": [2, 7], "returning": [6, 8], "retained": [20, 30]})
    >>> merge_small_parts(flow, parts=["new", "returning", "retained"])
        new  returning  retained  is_hidden counted_together
    0  <NA>          8        20       True  new + returning
    1     7          8        30      False              NaN
    """
    check_columns(frame, *parts)
    rows = frame[list(parts)].astype("Int64").itertuples(index=False, name=None)
    merged = [_merged(counts, list(parts), minimum) for counts in rows]
    result = frame.assign(
        **{
            name: pd.array([counts[place] for counts, _, _ in merged], dtype="Int64")
            for place, name in enumerate(parts)
        }
    )
    before = frame["is_hidden"].to_numpy(bool) if "is_hidden" in frame else False
    result["is_hidden"] = pd.array([hidden for _, hidden, _ in merged], dtype="boolean") | before
    result["counted_together"] = pd.array([words for _, _, words in merged], dtype="str")
    return result


def _merged(counts: tuple, names: list[str], minimum: int) -> tuple[list, bool, str | None]:
    """Return the parts of one row, whether any is hidden, and which are counted together."""
    if any(pd.isna(count) for count in counts):
        return list(counts), False, None
    if 0 < sum(counts) < minimum:
        return [None] * len(counts), True, None
    groups, together = [], []
    for place in range(len(counts)):
        together.append(place)
        if not 0 < sum(counts[p] for p in together) < minimum:
            groups.append(together)
            together = []
    while groups and 0 < sum(counts[p] for p in together) < minimum:
        together = groups.pop() + together
    groups += [together] if together else []
    result: list[int | None] = [None] * len(counts)
    for group in groups:
        result[group[-1]] = sum(counts[p] for p in group)
    words = [" + ".join(names[p] for p in group) for group in groups if len(group) > 1]
    return result, bool(words), "; ".join(words) or None


def merge_small_flows(frame: pd.DataFrame, minimum: int = 5) -> pd.DataFrame:
    """Return the flow of people without parts that are too small, or could be worked out.

    Question: how can people who come, stay and leave be shown where some are too few to publish?

    Parameters
    ----------
    frame
        pandas frame of `metrics.people_flow`: ``new``, ``returning`` and ``retained`` add up to
        ``active_users``, ``retained`` and ``lost`` to those of the period before.
    minimum
        Least number of people of a part that is shown.

    Returns
    -------
    pandas.DataFrame
        The frame with ``is_hidden`` and ``counted_together``, as in `merge_small_parts`.

        - Where ``retained`` or ``lost`` has 1 to ``minimum - 1`` people, or both others together
          have, either of the two could be worked out from the other: ``lost`` is missing, and all
          three others are counted together.
        - Otherwise ``new`` and ``returning`` are counted together if one of them is too small.
        - A period with too few people in all has no figures.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Source: practice of statistical offices (complementary suppression in linked tables).

    Examples
    --------
    >>> import pandas as pd
    >>> flow = pd.DataFrame({"active_users": [40, 45], "new": [40, 2], "returning": [0, 6],
    ...                      "retained": [0, 37], "lost": [0, 3]})
    >>> merge_small_flows(flow)[["new", "returning", "retained", "lost"]]
        new  returning  retained  lost
    0    40          0         0     0
    1  <NA>       <NA>        45  <NA>
    """
    parts = ["new", "returning", "retained"]
    check_columns(frame, "active_users", *parts, "lost")
    counts = frame[[*parts, "lost"]].astype("Int64").fillna(0)
    came = counts["new"] + counts["returning"]
    is_linked = sum(is_small(part, minimum) for part in (counts["retained"], counts["lost"], came))
    is_linked = (is_linked > 0) | is_small(frame["active_users"], minimum)
    pair = merge_small_parts(frame, minimum, parts=["new", "returning"])
    whole = frame.assign(new=0, returning=0, retained=counts[parts].sum(axis=1), lost=pd.NA)
    whole = merge_small_parts(whole, minimum, parts=["retained"])
    whole[["new", "returning"]] = pd.NA
    whole["is_hidden"] = True
    is_too_few = whole["retained"].isna()
    whole["counted_together"] = whole["counted_together"].mask(~is_too_few, " + ".join(parts))
    whole["active_users"] = whole["active_users"].mask(is_too_few)
    types = dict.fromkeys([*parts, "lost", "active_users"], "Int64")
    return pair.astype(types).where(~is_linked, whole.astype(types))[pair.columns]


def is_small(counts: pd.Series, minimum: int) -> pd.Series:
    """Tell of each number of people whether it is above 0 and too small to be shown."""
    return ((counts > 0) & (counts < minimum)).fillna(False).astype(bool)


def hide_small_shares(
    frame: pd.DataFrame, minimum: int = 5, *, part: str = "people", whole: str = "active_people"
) -> pd.DataFrame:
    """Return shares of people without those that tell of too few people, who did it or did not.

    Question: which shares may be published, where each person can be in several or in none?

    Parameters
    ----------
    frame
        pandas frame of a metric with one share of people per row, for example that of
        `metrics.share_of_people` or `metrics.surfaces`.
    minimum
        Least number of people that is shown.
    part, whole
        Columns with the numerator and the denominator of the share.

    Returns
    -------
    pandas.DataFrame
        The frame with three columns more.

        - ``at_least``, ``at_most``: the share where it is shown; the range in which it lies where
          only the people who are *not* in it are too few; missing where those who are in it are.
        - ``is_hidden``: True where the share is not shown. `part`, ``share``, ``low`` and ``high``
          are then missing.

    Raises
    ------
    UsageError
        A column is absent.

    Notes
    -----
    Left out: what two rows tell together. Who used which is not known, so the people of one row
    cannot be taken from those of another; for rows that are parts of a total see `limit_shares`.

    Source: practice of statistical offices (top coding).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ide": ["vscode", "vim", "xcode"], "people": [98, 30, 2],
    ...     "active_people": 100, "share": [0.98, 0.3, 0.02], "low": 0.0, "high": 1.0})
    >>> hide_small_shares(frame)[["ide", "people", "share", "at_least", "at_most"]]
          ide  people  share  at_least  at_most
    0  vscode    <NA>    NaN      0.96     0.99
    1     vim      30    0.3      0.30     0.30
    2   xcode    <NA>    NaN       NaN      NaN
    """
    shown = hide_small_groups(frame, minimum, people=[part, whole], complementary=False)
    return limit_shares(shown, minimum, part=part, whole=whole, complementary=False)


def limit_shares(
    frame: pd.DataFrame,
    minimum: int = 5,
    *,
    part: str = "active_users",
    whole: str = "members",
    within: str | Sequence[str] = (),
    complementary: bool = True,
) -> pd.DataFrame:
    """Return shares as ranges where the part, or the rest of the whole, is too small.

    Question: how can a share be shown if nearly everybody, or nearly nobody, belongs to it?

    Parameters
    ----------
    frame
        pandas frame of a metric with a share of people, for example that of
        `metrics.team_activity`.
    minimum
        Least number of people of a part, and of the rest, that is shown.
    part, whole
        Columns with the numerator and the denominator of the share.
    within
        Columns inside which parts and wholes add up to known totals, as in `hide_small_groups`.
    complementary
        Whether a hidden number could be found as total minus rest.

    Returns
    -------
    pandas.DataFrame
        The frame with `part`, ``share``, ``low`` and ``high`` missing where part or rest has 1 to
        ``minimum - 1`` people, or would reveal another row's, and two columns more.

        - ``at_least``, ``at_most``: the share where it is shown; where it is not, the range that
          follows from the number that is too small being 1 to ``minimum - 1``. Missing where the
          row is hidden for another row's sake, and where both part and rest are too small, because
          two ranges would leave few numbers to choose from.
        - ``is_hidden``: True where the share is not shown.

    Raises
    ------
    UsageError
        A named column is absent.

    Notes
    -----
    Source: practice of statistical offices (top and bottom coding).

    Examples
    --------
    >>> import pandas as pd
    >>> teams = pd.DataFrame({"slug": ["a", "b", "c"], "members": [20, 40, 60],
    ...                       "active_users": [18, 37, 30], "share": [0.9, 0.925, 0.5]})
    >>> limit_shares(teams)[["slug", "share", "at_least", "at_most"]]
      slug  share  at_least  at_most
    0    a    NaN       0.8    0.950
    1    b    NaN       0.9    0.975
    2    c    0.5       0.5    0.500
    """
    check_columns(frame, part, whole)
    frame = frame.astype({whole: "Int64", part: "Int64"})
    counts = frame[[*as_names(within), part]].assign(
        _row=range(len(frame)), _rest=frame[whole] - frame[part], _one=0
    )
    few, most = (is_small(counts[name], minimum) for name in (part, "_rest"))
    is_hidden = few | most | is_small(frame[whole], minimum)
    if complementary:
        hide = {"minimum": minimum, "within": within, "values": []}
        for_part = hide_small_groups(counts, people=part, **hide)
        for_rest = hide_small_groups(counts, people="_rest", **hide)
        # Two ranges cover each other; a single one is the total minus all other rests.
        is_single = most.groupby([counts[name] for name in ("_one", *as_names(within))])
        is_hidden |= for_part["is_hidden"].to_numpy(bool)
        is_hidden |= for_rest["is_hidden"].to_numpy(bool) & (is_single.transform("sum") == 1)
    total = frame[whole].astype("float64").where(frame[whole] > 0)
    share = frame[part].astype("float64") / total
    low = share.mask(is_hidden).mask(few & ~most, 1 / total)
    high = share.mask(is_hidden).mask(few & ~most, (minimum - 1) / total)
    low = low.mask(most & ~few, (total - minimum + 1) / total)
    high = high.mask(most & ~few, (total - 1) / total)
    is_known = ~is_small(frame[whole], minimum)
    before = frame["is_hidden"].to_numpy(bool) if "is_hidden" in frame else False
    blank = [name for name in (part, "share", "low", "high") if name in frame]
    return frame.assign(
        **{name: frame[name].mask(is_hidden) for name in blank},
        at_least=low.where(is_known),
        at_most=high.where(is_known),
        is_hidden=pd.array(is_hidden | before, dtype="boolean"),
    )
