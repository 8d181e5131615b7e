"""Tables into an Excel workbook: text that is only text, and numbers that Excel does not round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError
from copilot_analytics.tidy.exporting import each, export, extra

ROWS = 1_048_575  # a sheet has one more, for the headings
EXACT = 10**15  # Excel keeps 15 digits of a number
FIRST_YEAR = 1901  # before that, and in part of 1900, Excel's calendar is not ours
BLOCK = 10_000  # rows that are turned into cells at once
_ADVICE = "use to_parquet or to_csv, or filter the days"


def to_excel(tables, file: str | Path) -> Path:
    """Write a workbook: what the columns mean, a summary, and a sheet per table that has rows."""
    xlsxwriter, file = extra("excel"), Path(file).expanduser()
    if file.suffix.lower() != ".xlsx":
        raise UsageError(f"{file.name} is not the name of a workbook", advice="end it in .xlsx")
    for name in tables:
        if tables.count(name) > ROWS:
            raise UsageError(
                f"table {name} has {tables.count(name):,} rows, a sheet of Excel only {ROWS:,}",
                kept="nothing was written",
                advice=_ADVICE,
            )
    with export(file.parent, [file.name]) as (beside, _):
        # Rows that are not in memory wait in files: in our folder, not where everybody's are.
        options = {"constant_memory": True, "tmpdir": str(beside)}
        try:
            with xlsxwriter.Workbook(str(beside / file.name), options) as book:
                write = _writer(book)
                write("definitions", _definitions([name for name in tables if tables.count(name)]))
                write("summary", tables.summary())
                for name, frame in each(tables):
                    if len(frame):
                        write(name, frame)
        except xlsxwriter.exceptions.FileCreateError as problem:
            raise problem.args[0] from None
    return file


def _definitions(names: list[str]) -> pd.DataFrame:
    """Return one row per column of the tables: how the catalogue describes it."""
    fields = catalogue.fields().rename(columns={"is_personal": "personal"})
    columns = ["table", "column", "label", "type", "unit", "additive", "personal", "meaning"]
    return fields.loc[fields["table"].isin(names), columns]


def _writer(book) -> Callable[[str, pd.DataFrame], None]:
    """Return a function that writes a frame to a sheet of its own.

    Each cell is written as what it is; only the library's `write` would make formulas and links.
    """
    # Excel's own form of the apostrophe: the text stays text even if somebody edits the cell.
    text = book.add_format({"quote_prefix": True})
    heading = book.add_format({"quote_prefix": True, "bold": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})

    def write(name: str, frame: pd.DataFrame) -> None:
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(frame), 1), frame.shape[1] - 1)
        times = [moment if isinstance(kind, pd.DatetimeTZDtype) else day for kind in frame.dtypes]
        for place, column in enumerate(frame.columns):
            sheet.set_column(place, place, max(len(column) + 4, 12))
            sheet.write_string(0, place, column, heading)
        for number, cells in enumerate(_rows(frame), start=1):
            for place, cell in enumerate(cells):
                if isinstance(cell, str):
                    if sheet.write_string(number, place, cell, text):
                        raise _too_long(name, frame.columns[place], cell)
                elif isinstance(cell, bool):
                    sheet.write_boolean(number, place, cell)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(number, place, cell, times[place])
                elif cell is not None:
                    sheet.write_number(number, place, cell)

    return write


def _rows(frame: pd.DataFrame) -> Iterator[tuple]:
    """Yield the rows of a frame as cells: plain values, None where nothing is."""
    for start in range(0, len(frame), BLOCK):
        block = frame.iloc[start : start + BLOCK]
        yield from zip(*(_cells(block[column]) for column in block), strict=True)


def _cells(column: pd.Series) -> list:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return [_cell(value) for value in column.astype(object).where(column.notna(), None)]


def _cell(value):
    """Return a value as Excel can hold it: as text where it would be rounded or is no date."""
    if isinstance(value, int) and abs(value) >= EXACT:
        return str(value)
    if isinstance(value, datetime) and value.year < FIRST_YEAR:
        return value.isoformat()
    return value


def _too_long(name: str, column: str, text: str) -> UsageError:
    return UsageError(
        f"table {name}, column {column} has a text of {len(text):,} characters, a cell of Excel "
        "holds 32,767",
        kept="nothing was written",
        advice=_ADVICE,
    )
