"""Tables in an Excel workbook: every value, explained, and nothing that Excel would run."""

import datetime as dt

import openpyxl
import pandas as pd
import pytest
from conftest import user_record
from openpyxl.utils.escape import unescape
from tables_input import HOSTILE, loaded, odd_tables, plain_rows

from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError
from copilot_analytics.tidy import Tables


@pytest.fixture(scope="module")
def tables():
    return odd_tables()


@pytest.fixture(scope="module")
def workbook(tables, tmp_path_factory):
    path = tables.to_excel(tmp_path_factory.mktemp("excel") / "usage.xlsx")
    return openpyxl.load_workbook(path)


def sheet_rows(sheet) -> list[dict]:
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


class TestExcel:
    def test_starts_with_the_definitions_and_the_summary(self, workbook, tables):
        filled = [name for name in tables if len(tables[name])]
        assert workbook.sheetnames == ["definitions", "summary", *filled]
        definitions = sheet_rows(workbook["definitions"])
        names = [(row["table"], row["column"]) for row in definitions]
        assert names == [(name, column) for name in filled for column in tables[name]]
        login = next(row for row in definitions if row["column"] == "user_login")
        described = next(f for f in catalogue.table("users").columns if f.column == "user_login")
        assert (login["meaning"], login["personal"]) == (described.meaning, True)
        summary = {row["what"]: row for row in sheet_rows(workbook["summary"])}
        assert summary["users"]["rows"] == len(tables.users)
        assert summary["users"]["first_day"] == tables.users["day"].min()

    def test_f177_has_no_formulas_and_no_links(self, workbook):
        for sheet in workbook:
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type != "f"
                    assert cell.hyperlink is None
                    if isinstance(cell.value, str):
                        assert cell.quotePrefix  # stays text when somebody edits the cell

    def test_gives_back_every_value(self, workbook, tables):
        for name in workbook.sheetnames[2:]:
            found = [tuple(map(unescaped, row.values())) for row in sheet_rows(workbook[name])]
            assert found == [tuple(map(in_excel, row)) for row in plain_rows(tables[name])]

    def test_f105_ids_that_excel_would_round_are_text(self, workbook):
        ids = {row["user_id"] for row in sheet_rows(workbook["users"])}
        assert {str(10**16 + number) for number in range(len(HOSTILE))} <= ids
        assert all(isinstance(one, str) or one < 10**15 for one in ids)

    def test_times_before_the_calendar_of_excel_are_text(self, tmp_path):
        ide = {"ide": "a", "last_known_ide_version": {"sampled_at": "1800-01-01T00:00:00Z"}}
        path = loaded(user_record(totals_by_ide=[ide])).to_excel(tmp_path / "usage.xlsx")
        rows = sheet_rows(openpyxl.load_workbook(path)["users_by_ide"])
        assert rows[0]["ide_version_sampled_at"] == "1800-01-01T00:00:00"

    def test_of_too_many_rows_names_the_table_and_the_way_out(self, tables, tmp_path):
        long = tables.repos_by_comment_type.iloc[[0] * 1_048_576]
        with pytest.raises(UsageError, match="repos_by_comment_type has 1,048,576") as caught:
            Tables({"repos_by_comment_type": long}).to_excel(tmp_path / "usage.xlsx")
        assert "to_parquet" in caught.value.advice
        assert list(tmp_path.iterdir()) == []

    def test_of_a_text_that_excel_would_cut_names_the_column(self, tmp_path):
        with pytest.raises(UsageError, match="table users, column extra has a text of 40,0"):
            loaded(user_record(invented="x" * 40_000)).to_excel(tmp_path / "usage.xlsx")
        assert list(tmp_path.iterdir()) == []

    def test_is_called_what_excel_opens(self, tables, tmp_path):
        with pytest.raises(UsageError, match="end it in .xlsx"):
            tables.to_excel(tmp_path / "usage.xls")


def unescaped(value):
    """Control characters as Excel shows them; openpyxl leaves them as they stand in the file."""
    return unescape(value) if isinstance(value, str) else value


def in_excel(value):
    """What a value becomes in a workbook: no zones, milliseconds, no more than 15 digits."""
    if isinstance(value, dt.datetime):
        return pd.Timestamp(value).tz_localize(None).round("ms").to_pydatetime()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**15:
        return str(value)
    return value
