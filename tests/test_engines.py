"""The same archive gives the same figures as pandas DataFrames, DuckDB relations and with Spark."""

import gc
import os
import shutil
import subprocess
import sys
from datetime import datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from archive_input import company_archive, parquet_files, small_archive
from spark_session import spark, spark_rows, with_spark
from test_metrics_engines import CALLS
from test_tidy_exporting import DUCKDB_TYPES

from copilot_analytics import catalogue, engines, tidy
from copilot_analytics.archive import StorageWarning
from copilot_analytics.errors import UsageError

__all__ = ["spark"]
SCOPE = "organization:7"
# test_metrics_engines.py tries all of them, on small frames.
SOME_CALLS = ["active_users", "people_flow", "share_of_people", "with_third_party_agents"]
SOME_CALLS += ["user_activity", "concentration"]


# --- DuckDB ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOME_CALLS)
def test_metrics_of_the_archive_agree_on_pandas_and_duckdb(name):
    archive = company_archive()
    expected = CALLS[name](archive.tables(scope=SCOPE))
    relation = CALLS[name](archive.tables(scope=SCOPE, engine="duckdb"))
    assert isinstance(relation, duckdb.DuckDBPyRelation)
    found = relation.to_arrow_table().to_pandas().astype(expected.dtypes)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12)


@pytest.mark.parametrize("name", catalogue.all_tables())
def test_relations_have_the_columns_and_types_of_the_catalogue(name):
    relation = company_archive().tables(engine="duckdb")[name]
    fields = catalogue.table(name).columns
    assert relation.columns == [field.column for field in fields]
    assert list(map(str, relation.types)) == [DUCKDB_TYPES[field.type] for field in fields]


def test_relations_cover_the_scope_and_the_days_asked_for():
    bounds = {"scope": SCOPE, "start": "2026-10-20", "end": "2026-10-25"}
    found = company_archive().tables(**bounds, engine="duckdb").users
    rows = found.aggregate("count(*), min(day), max(day), count(DISTINCT scope)").fetchall()
    users = company_archive().tables(**bounds).users
    assert rows == [(len(users), users["day"].min(), users["day"].max(), 1)]


def test_relations_live_without_the_tables_and_can_be_joined():
    tables = company_archive().tables(scope=SCOPE, engine="duckdb")
    users, features = tables.users, tables.users_by_feature
    del tables
    gc.collect()
    people = users.select("user_id").distinct()
    joined = people.join(features.select("user_id, feature").distinct(), "user_id")
    expected = company_archive().tables(scope=SCOPE).users_by_feature
    expected = expected[["user_id", "feature"]].drop_duplicates()
    assert joined.aggregate("count(*)").fetchall() == [(len(expected),)]


def test_what_is_counted_about_tables_is_the_same_on_every_engine():
    archive = company_archive()
    tables, relations = archive.tables(), archive.tables(engine="duckdb")
    assert repr(relations) == repr(tables)
    assert relations.scopes == tables.scopes
    pd.testing.assert_frame_equal(relations.summary(), tables.summary())
    pd.testing.assert_frame_equal(relations.day_states, tables.day_states)
    pd.testing.assert_frame_equal(relations.read("users"), tables.users)
    assert relations._repr_html_() == tables._repr_html_()


def test_relations_can_be_written_to_files(tmp_path):
    company_archive().tables(engine="duckdb").to_parquet(tmp_path)
    expected = company_archive().tables().users
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "users.parquet"), expected)


def test_what_only_pandas_can_do_is_refused_with_another_way():
    relations = company_archive().tables(engine="duckdb")
    with pytest.raises(UsageError, match="not put together"):
        relations.concat(relations)


def older_file(path, without: str) -> str:
    """Write a file again as a version wrote it that did not know a column yet."""
    table = pq.read_table(path)
    pq.write_table(table.drop_columns([without]), path)
    return str(path)


def test_f117_files_from_before_a_column_was_known_are_read_with_later_ones(tmp_path):
    files = [str(path) for path in parquet_files(company_archive())[:3]]
    copies = [tmp_path / f"{number}.parquet" for number in range(3)]
    for file, copy in zip(files, copies, strict=True):
        shutil.copy(file, copy)
    older_file(copies[0], "used_chat")
    older_file(copies[2], "used_chat")
    schema = tidy.table_schema("users")
    relation = engines.relation(engines.connect(), schema, list(map(str, copies)))
    assert relation.columns == schema.names
    found = relation.order("day, user_id").to_arrow_table()
    expected = pa.concat_tables(pq.read_table(file) for file in files).sort_by("day")
    assert found.drop_columns("used_chat") == expected.drop_columns("used_chat").cast(
        found.drop_columns("used_chat").schema
    )
    with_values = found.filter(pa.compute.is_valid(found["used_chat"]))
    assert set(with_values["day"].to_pylist()) <= set(pq.read_table(files[1])["day"].to_pylist())
    assert len(with_values)


def test_file_names_are_names_and_never_patterns(tmp_path):
    folder = tmp_path / "a[1]*?'\" b"
    folder.mkdir()
    archive = small_archive(folder)
    assert archive.tables(engine="duckdb").users.aggregate("count(*)").fetchall() == [(2,)]
    assert archive.query("SELECT count(*) AS n FROM users")["n"].item() == 2


def test_results_beyond_64_bits_and_of_other_types_survive():
    found = engines.to_pandas(
        duckdb.sql(
            "SELECT 2::HUGEINT ** 70 AS large, 1::TINYINT AS small, NULL::INTEGER AS nothing, "
            "1.5::DECIMAL(4, 2) AS share, DATE '2026-11-02' AS day, [1, 2] AS list, true AS flag"
        ).to_arrow_table()
    )
    kinds = ["float64", "Int64", "Int64", "float64", "datetime64[us]", "object", "boolean"]
    assert [str(kind) for kind in found.dtypes] == kinds


def test_duckdb_prints_no_progress_among_our_results():
    setting = engines.connect().sql("SELECT current_setting('enable_progress_bar')")
    assert setting.fetchall() == [(False,)]


def test_without_duckdb_the_error_says_how_to_get_it(tmp_path):
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from copilot_analytics.archive import Archive\n"
        "from copilot_analytics.errors import UsageError\n"
        "archive = Archive(sys.argv[1]); print(len(archive.tables().users))\n"
        "for use in (archive.query, lambda engine: archive.tables(engine=engine)):\n"
        "    try: use('duckdb')\n"
        "    except UsageError as error: print(error.advice)\n"
    )
    arguments = [sys.executable, "-c", code, str(small_archive(tmp_path).path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["2", *2 * ['pip install "copilot-analytics[duckdb]"']]


@pytest.mark.skipif(os.name == "nt", reason="no modes")
def test_f154_what_does_not_fit_into_memory_goes_to_a_private_folder():
    code = (
        "import os, stat, sys\n"
        "from pathlib import Path\n"
        "from copilot_analytics import engines\n"
        "connection = engines.connect()\n"
        "connection.execute(\"SET memory_limit = '150MB'; SET threads = 1\")\n"
        "connection.execute('CREATE TABLE t AS SELECT range AS n, md5(range::VARCHAR) AS text, '\n"
        "                   'md5((range + 1)::VARCHAR) AS other FROM range(3_000_000)')\n"
        "folder = Path(engines._private_folder())\n"
        "print(folder, oct(stat.S_IMODE(folder.stat().st_mode)), len(list(folder.iterdir())))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    folder, mode, files = done.stdout.split()
    assert mode == "0o700"
    assert int(files) > 0
    assert not os.path.exists(folder)


# --- Spark -------------------------------------------------------------------------------------


def test_a_session_of_spark_is_recognised_without_spark():
    assert not any(map(engines.is_spark, ("duckdb", None, pd.DataFrame())))


@with_spark
@pytest.mark.parametrize("name", ["active_users", "share_of_people", "user_activity"])
def test_metrics_of_the_archive_agree_on_spark(name, spark):
    expected = CALLS[name](company_archive().tables(scope=SCOPE))
    result = CALLS[name](company_archive().tables(scope=SCOPE, engine=spark))
    assert type(result).__module__.startswith("pyspark")
    pd.testing.assert_frame_equal(spark_rows(result), expected, check_exact=False, rtol=1e-12)


@with_spark
def test_spark_frames_have_the_catalogues_columns_and_types(spark):
    kinds = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean"}
    kinds |= {"TIMESTAMP": "timestamp_ntz", "TIMESTAMP WITH TIME ZONE": "timestamp"}
    tables = company_archive().tables(engine=spark)
    for name in ("users", "entity_by_ide"):  # with rows and without
        expected = [(f.column, kinds[DUCKDB_TYPES[f.type]]) for f in catalogue.table(name).columns]
        assert tables[name].dtypes == expected


@with_spark
def test_tables_of_spark_are_cut_as_those_of_pandas(spark):
    bounds = {"scope": SCOPE, "start": "2026-10-20", "end": "2026-10-25"}
    tables, frames = company_archive().tables(), company_archive().tables(engine=spark)
    assert frames.filter(**bounds).users.count() == len(tables.filter(**bounds).users) > 0
    assert frames.filter(start=pd.NaT).users.count() == 0


@with_spark
def test_spark_gets_what_is_not_sound_from_the_raw_files(spark, tmp_path):
    archive = small_archive(tmp_path)
    parquet_files(archive)[0].unlink()
    with pytest.warns(StorageWarning):
        users = archive.tables(engine=spark).users
    rows = users.collect()
    assert sorted(row["user_id"] for row in rows) == [1, 2]
    assert {row["day"] for row in rows} == {datetime(2026, 11, 2)}
