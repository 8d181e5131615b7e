"""Text that no spreadsheet takes for a formula."""

from __future__ import annotations

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose text, and whose column names, no spreadsheet runs as formulas.

    Numbers stay numbers, also negative ones; text that starts like a formula gets an apostrophe.

    >>> without_formulas(pd.DataFrame({"team": ["=1+1", "a"], "change": [-3, 4]}))
        team  change
    0  '=1+1      -3
    1      a       4
    """
    safe = frame.copy(deep=False)  # columns are replaced, never changed
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_dtype(column)):
            safe.isetitem(place, column.map(_not_a_formula, na_action="ignore"))
    safe.columns = [_not_a_formula(name) for name in frame.columns]
    return safe


def _not_a_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
