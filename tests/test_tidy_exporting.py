"""Tables in files of other tools: the same values, typed, whole or not there, and no formula."""

import csv
import os
import stat
import subprocess
import sys

import duckdb
import pandas as pd
import polars
import pyarrow.parquet as pq
import pytest
from conftest import ndjson, user_record
from hypothesis import given, settings
from hypothesis import strategies as st
from tables_input import FORMULA_STARTS, days, loaded, odd_tables, plain_rows

from copilot_analytics import catalogue, tidy
from copilot_analytics.errors import StorageError, UsageError
from copilot_analytics.tidy import Tables


@pytest.fixture(scope="module")
def tables():
    return odd_tables()


class TestParquet:
    def test_holds_every_table_with_the_types_of_the_catalogue(self, tables, tmp_path):
        paths = tables.to_parquet(tmp_path / "new")
        assert [path.name for path in paths] == [f"{name}.parquet" for name in tables]
        for name, path in zip(tables, paths, strict=True):
            assert pq.read_schema(path).equals(tidy.table_schema(name))
            pd.testing.assert_frame_equal(pd.read_parquet(path), tables[name])

    def test_polars_and_duckdb_read_the_same_values(self, tables, tmp_path):
        tables.to_parquet(tmp_path)
        for name in ("users", "repos", "teams", "feature_engagement", "users_window"):
            path = tmp_path / f"{name}.parquet"
            expected = plain_rows(tables[name])
            assert polars.read_parquet(path).rows() == expected
            assert duckdb.read_parquet(str(path)).pl().rows() == expected

    def test_of_frames_that_somebody_changed_say_so(self, tables, tmp_path):
        changed = Tables({"repos": tables.repos.drop(columns="repo_name")})
        with pytest.raises(UsageError, match="table repos does not have the columns"):
            changed.to_parquet(tmp_path)
        changed = Tables({"teams": tables.teams.assign(user_id="somebody")})
        with pytest.raises(UsageError, match="table teams"):
            changed.to_parquet(tmp_path)
        assert list(tmp_path.iterdir()) == []


def without_prefix(text):
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def read_csv(path, like: pd.DataFrame) -> pd.DataFrame:
    """Read a table back with the types that `load` gives it."""
    times = {name: kind for name, kind in like.dtypes.items() if kind.kind == "M"}
    types = {name: kind for name, kind in like.dtypes.items() if name not in times}
    found = pd.read_csv(
        path,
        dtype=types,
        keep_default_na=False,
        na_values={name: [""] for name in like if types.get(name) != "str"},
    )
    for name, kind in times.items():
        is_time = isinstance(kind, pd.DatetimeTZDtype)
        found[name] = pd.to_datetime(found[name], format="ISO8601", utc=is_time).astype(kind)
    return found


class TestCsv:
    def test_f177_gives_back_every_value_and_no_formula(self, tables, tmp_path):
        paths = tables.to_csv(tmp_path)
        assert [path.stem for path in paths] == [name for name in tables if len(tables[name])]
        for path in paths:
            frame = tables[path.stem]
            found = read_csv(path, like=frame)
            for name in frame:
                if frame[name].dtype == "str":
                    assert not found[name].str.startswith(FORMULA_STARTS).any()
                    found[name] = found[name].map(without_prefix)
                    # pandas cannot tell "" from nothing; the next test does
                    assert found[name].tolist() == frame[name].fillna("").tolist()
                else:
                    pd.testing.assert_series_equal(found[name], frame[name])

    def test_is_written_as_people_expect(self, tmp_path):
        ide = {
            "ide": "vscode",
            "last_known_ide_version": {"ide_version": "1", "sampled_at": "2026-11-02T10:00:00.5Z"},
        }
        one = user_record(
            user_login="", used_agent=False, loc_added_sum=2**53 + 1, ai_credits_used=0.1
        )
        two = user_record(user_id=2, user_login=None, loc_added_sum=None, totals_by_ide=[ide])
        loaded(one, two).to_csv(tmp_path)
        header, *lines = (tmp_path / "users.csv").read_text(encoding="utf-8").splitlines()
        rows = [
            dict(zip(next(csv.reader([header])), line.split(","), strict=True)) for line in lines
        ]
        wanted = ["day", "user_login", "used_agent", "loc_added_sum", "ai_credits_used"]
        assert [rows[0][name] for name in wanted] == [
            "2026-11-02",
            '""',
            "false",
            str(2**53 + 1),
            "0.1",
        ]
        assert [rows[1][name] for name in wanted] == ["2026-11-02", "", "", "", ""]
        assert "2026-11-02T10:00:00.500000Z" in (tmp_path / "users_by_ide.csv").read_text()

    def test_of_a_table_that_has_no_rows_any_more_is_removed(self, tables, tmp_path):
        tables.to_csv(tmp_path)
        (tmp_path / "mine.csv").write_text("stays")
        loaded(user_record()).to_csv(tmp_path)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["mine.csv", "users.csv", "users_by_feature.csv"]

    @settings(max_examples=60)
    @given(st.lists(st.text(max_size=8), min_size=1, max_size=6))
    def test_f177_holds_for_any_text(self, tmp_path_factory, texts):
        folder = tmp_path_factory.mktemp("csv")
        frame = loaded(*days(len(texts))).users.assign(user_login=pd.Series(texts, dtype="str"))
        Tables({"users": frame}).to_csv(folder)
        with (folder / "users.csv").open(encoding="utf-8", newline="") as file:
            found = [row["user_login"] for row in csv.DictReader(file)]
        assert not any(text.startswith(FORMULA_STARTS) for text in found)
        assert [without_prefix(text) for text in found] == [without_prefix(text) for text in texts]


class TestDuckdb:
    def test_holds_every_table_typed(self, tables, tmp_path):
        path = tables.to_duckdb(tmp_path / "usage.duckdb")
        with duckdb.connect(str(path), read_only=True) as connection:
            names = {name for (name,) in connection.sql("SHOW TABLES").fetchall()}
            assert names == set(tables)
            for name, table in catalogue.all_tables().items():
                relation = connection.table(name)
                types = dict(zip(relation.columns, map(str, relation.types), strict=True))
                assert types == {f.column: DUCKDB_TYPES[f.type] for f in table.columns}
                assert relation.pl().rows() == plain_rows(tables[name])

    def test_says_what_a_row_and_a_column_is(self, tables, tmp_path):
        path = tables.to_duckdb(tmp_path / "usage.duckdb")
        with duckdb.connect(str(path), read_only=True) as connection:
            query = "SELECT comment FROM duckdb_tables() WHERE table_name = 'teams'"
            assert connection.sql(query).fetchall() == [
                ("One row is a person's membership of a team on a day",)
            ]
            query = "SELECT count(*) FROM duckdb_columns() WHERE comment IS NULL AND NOT internal"
            assert connection.sql(query).fetchall() == [(0,)]

    def test_replaces_a_database_as_a_whole(self, tmp_path):
        path = tmp_path / "usage.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.sql("CREATE TABLE mine AS SELECT 1")
        log = path.with_name("usage.duckdb.wal")
        log.write_bytes(b"what an interrupted writer of the old database left")
        loaded(user_record()).to_duckdb(path)
        assert not log.exists()
        with duckdb.connect(str(path), read_only=True) as connection:
            assert ("mine",) not in connection.sql("SHOW TABLES").fetchall()


DUCKDB_TYPES = {
    "text": "VARCHAR",
    "id": "BIGINT",
    "count": "BIGINT",
    "code": "BIGINT",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
    "date": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}
EXPORTS = [
    pytest.param("to_parquet", "", id="parquet"),
    pytest.param("to_csv", "", id="csv"),
    pytest.param("to_excel", "usage.xlsx", id="excel"),
    pytest.param("to_duckdb", "usage.duckdb", id="duckdb"),
]
# No file may grow beyond 4 KB, which ends in an error where a full disk would.
FULL_DISK = """
import resource, sys
import copilot_analytics as ca
source, method, target = sys.argv[1:]
tables = ca.load(source)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    getattr(tables, method)(target)
except ca.errors.StorageError as error:
    sys.exit(f"StorageError: {error}")
"""


@pytest.mark.parametrize(("method", "name"), EXPORTS)
class TestFiles:
    def test_are_for_their_owner_only(self, method, name, tmp_path):
        target = tmp_path / "a" / "b"
        made = getattr(loaded(user_record()), method)(target / name if name else target)
        made = made if isinstance(made, list) else [made]
        assert sorted(made) == sorted(target.iterdir())
        assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
        assert {stat.S_IMODE(f.stat().st_mode) for f in (target, target.parent)} == {0o700}

    def test_stay_as_they_were_when_a_later_one_cannot_be_written(self, method, name, tmp_path):
        target = str(tmp_path / name)
        getattr(loaded(*days(3)), method)(target)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

        def interrupted():
            raise KeyboardInterrupt

        frames = dict(loaded(user_record())) | {"repos": interrupted}
        counts = {name: len(frame) for name, frame in frames.items() if name != "repos"}
        broken = Tables(
            frames,
            rows=counts | {"repos": 1},
            read_columns=lambda name, columns: frames["teams"][columns],
        )
        with pytest.raises(KeyboardInterrupt):
            getattr(broken, method)(target)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    @pytest.mark.skipif(os.name == "nt", reason="no limit on the size of files")
    def test_stay_as_they_were_when_the_disk_is_full(self, method, name, tmp_path):
        source, folder = tmp_path / "in.ndjson", tmp_path / "out"
        source.write_bytes(ndjson(*days(28)))
        getattr(loaded(*days(3)), method)(folder / name)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        done = subprocess.run(
            [sys.executable, "-c", FULL_DISK, source, method, folder / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "StorageError: the export to" in done.stderr
        assert "Kept: the files that were there before" in done.stderr
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def test_where_they_cannot_be_are_a_storage_error(self, method, name, tmp_path):
        (tmp_path / "file").write_text("not a folder")
        with pytest.raises(StorageError, match="the export to"):
            getattr(loaded(user_record()), method)(tmp_path / "file" / (name or "x"))
        (tmp_path / "folder" / (name or "users.parquet")).mkdir(parents=True)
        (tmp_path / "folder" / "users.csv").mkdir()
        with pytest.raises(StorageError, match="the export to") as caught:
            getattr(loaded(user_record()), method)(tmp_path / "folder" / name)
        assert caught.value.said == "Is a directory"

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_in_a_folder_without_permission_are_a_storage_error(self, method, name, tmp_path):
        tmp_path.chmod(0o500)
        with pytest.raises(StorageError, match="the export to"):
            getattr(loaded(user_record()), method)(tmp_path / name)


@pytest.mark.parametrize(
    ("method", "module", "name"),
    [("to_excel", "xlsxwriter", "a.xlsx"), ("to_duckdb", "duckdb", "a.duckdb")],
)
def test_an_extra_that_is_not_installed_is_named(monkeypatch, tmp_path, method, module, name):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=f"needs {module}") as caught:
        getattr(loaded(user_record()), method)(tmp_path / name)
    assert caught.value.advice == f'pip install "copilot-analytics[{method[3:]}]"'
    assert list(tmp_path.iterdir()) == []
