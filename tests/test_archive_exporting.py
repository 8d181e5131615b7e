"""Copies for others: consistent, complete, current, and without names unless asked for."""

import json
import os
import re
import stat

import duckdb
import fsspec
import pandas as pd
import polars
import pyarrow.parquet as pq
import pytest
from archive_input import (
    LABS,
    LAST,
    OTHER,
    company_archive,
    parquet_files,
    put,
    small_archive,
)
from conftest import user_record

from copilot_analytics import privacy
from copilot_analytics.archive import StorageWarning, exporting, remote
from copilot_analytics.errors import StorageError, UsageError

KEY = b"a key for tests, no secret"


@pytest.fixture
def memory():
    """The address of an empty place in fsspec's memory."""
    fsspec.filesystem("memory").store.clear()
    yield "memory://bucket/copilot"
    fsspec.filesystem("memory").store.clear()


def exported(folder, table="users") -> list[str]:
    """The paths of a table's files, as a reader takes them from the manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    return [f"{folder}/{file['path']}" for file in manifest["files"] if file["table"] == table]


def test_files_are_named_by_table_scope_and_day_and_have_no_partitions(tmp_path):
    archive = small_archive(tmp_path)
    put(archive, OTHER, scope=LABS)
    manifest = archive.export(tmp_path / "out")
    paths = [file["path"] for file in manifest["files"]]
    assert [re.sub("-[0-9a-f]{16}", "", path) for path in paths] == [
        "users/organization-7/2026-11-02.parquet",
        "users/organization-8/2026-11-02.parquet",
        "users_by_feature/organization-7/2026-11-02.parquet",
        "users_by_feature/organization-8/2026-11-02.parquet",
    ]
    there = (path for path in (tmp_path / "out").rglob("*") if path.is_file())
    found = {path.relative_to(tmp_path / "out").as_posix() for path in there}
    assert found == {*paths, "manifest.json"}
    assert json.loads((tmp_path / "out/manifest.json").read_text()) == manifest


def test_with_logins_the_rows_are_those_of_the_archive(tmp_path):
    company_archive().export(tmp_path, people="logins")
    tables = company_archive().tables()
    for name in ("users", "users_by_feature"):
        expected = tables[name]
        files = exported(tmp_path, name)
        found = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
        assert len(found) == len(expected)
        assert polars.read_parquet(files).height == len(expected)
        assert duckdb.read_parquet(files).aggregate("count(*)").fetchall() == [(len(expected),)]
        for column in ("scope", "day", "user_id"):
            assert found[column].tolist() == expected[column].tolist()
    assert duckdb.read_parquet(exported(tmp_path)).columns == list(tables.users.columns)


def test_text_that_looks_like_numbers_stays_text(tmp_path):
    archive = small_archive(tmp_path, user_record(user_login="0012"))
    archive.export(tmp_path / "out", people="logins")
    (file,) = exported(tmp_path / "out")
    assert duckdb.read_parquet(file).select("user_login").fetchall() == [("0012",)]


def test_without_asking_nobody_can_be_recognised(tmp_path):
    archive = small_archive(
        tmp_path, user_record(user_id=4711, user_login="ada-lovelace", note_to_self="ada-lovelace")
    )
    manifest = archive.export(tmp_path / "out", key=KEY)
    (file,) = exported(tmp_path / "out")
    table = pq.read_table(file)
    assert table["user_id"].to_pylist() == [
        privacy.pseudonymize(pd.DataFrame({"user_id": [4711]}), KEY)["user_id"].item()
    ]
    assert not {"user_login", "extra"} & set(table.column_names)
    assert manifest["people"] == "pseudonyms"
    for path in (tmp_path / "out").rglob("*.*"):
        assert b"ada-lovelace" not in path.read_bytes()
    assert b"ada-lovelace" not in str(table.to_pylist()).encode()


def test_the_pseudonyms_are_those_of_reports(tmp_path):
    archive = small_archive(tmp_path)
    archive.export(tmp_path / "out")
    (file,) = exported(tmp_path / "out")
    users = archive.tables().users
    expected = privacy.pseudonymize(users, privacy.load_key(archive.path))["user_id"].tolist()
    assert pq.read_table(file)["user_id"].to_pylist() == expected


def test_csv_has_no_formulas(tmp_path):
    archive = small_archive(tmp_path, user_record(user_login="=1+1"))
    archive.export(tmp_path / "out", format="csv", people="logins")
    (file,) = exported(tmp_path / "out")
    found = pd.read_csv(file, dtype=str)
    assert found.loc[0, ["day", "user_login"]].tolist() == ["2026-11-02", "'=1+1"]


def test_scope_and_days_can_be_chosen(tmp_path):
    manifest = company_archive().export(tmp_path, scope="organization:7", end="2026-10-08")
    assert {file["scope"] for file in manifest["files"]} == {"organization:7"}
    assert max(file["day"] for file in manifest["files"]) <= "2026-10-08"


# --- Again -------------------------------------------------------------------------------------


def modified(folder) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}


def test_what_is_there_is_not_written_again(tmp_path):
    archive = small_archive(tmp_path)
    archive.export(tmp_path / "out")
    before = modified(tmp_path / "out")
    put(archive, user_record("2026-11-03"), day=LAST.replace(day=3))
    archive.export(tmp_path / "out")
    after = modified(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert len(after) == 2 * len(before)


def test_what_somebody_removed_or_cut_short_is_written_again(tmp_path):
    archive = small_archive(tmp_path)
    archive.export(tmp_path / "out")
    users, features = (exported(tmp_path / "out", t)[0] for t in ("users", "users_by_feature"))
    os.remove(users)
    os.truncate(features, 10)
    archive.export(tmp_path / "out")
    assert pq.read_table(users).num_rows == pq.read_table(features).num_rows == 2


def test_another_choice_of_people_replaces_all_files(tmp_path):
    archive = small_archive(tmp_path)
    archive.export(tmp_path / "out", people="logins")
    with_logins = set(modified(tmp_path / "out"))
    archive.export(tmp_path / "out")
    assert not with_logins & set(modified(tmp_path / "out"))


def test_what_is_no_longer_in_the_archive_goes_and_foreign_files_stay(tmp_path):
    archive = small_archive(tmp_path, user_record(user_id=1), user_record(user_id=2))
    out = tmp_path / "out"
    archive.export(out)
    first = exported(out)
    (out / "users/notes.txt").write_text("mine")
    (out / "users/organization-7/mine.parquet").write_text("mine")
    unfinished = out / "users/organization-7/2026-01-01-0123456789abcdef.parquet"
    unfinished.write_text("of an export that was stopped")
    put(archive, user_record(user_id=1))  # the day has another version: person 2 is gone
    archive.export(out, people="logins")
    assert not any(map(os.path.exists, [*first, unfinished]))
    assert (out / "users/notes.txt").exists()
    assert (out / "users/organization-7/mine.parquet").exists()
    (file,) = exported(out)
    assert pq.read_table(file)["user_id"].to_pylist() == [1]


@pytest.mark.parametrize(
    "bounds", [{"scope": "organization:octo-orgg"}, {"start": "2027-01-01"}, {"end": "2020-01-01"}]
)
def test_a_choice_without_any_rows_does_not_empty_the_place(bounds, tmp_path):
    archive = small_archive(tmp_path)
    archive.export(tmp_path / "out")
    with pytest.raises(UsageError, match="has nothing of|no scope"):
        archive.export(tmp_path / "out", **bounds)
    assert os.path.exists(exported(tmp_path / "out")[0])


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"files": [{"path": "../../x"}]}', "\udcff"])
def test_a_manifest_that_is_not_ours_is_replaced(content, tmp_path):
    archive = small_archive(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/manifest.json").write_bytes(content.encode(errors="surrogateescape"))
    archive.export(tmp_path / "out")
    assert len(exported(tmp_path / "out")) == 1


# --- Where to ----------------------------------------------------------------------------------


def test_object_storage_holds_the_same_files_as_a_folder(tmp_path, memory):
    archive = small_archive(tmp_path)
    archive.export(tmp_path / "out")
    manifest = archive.export(memory)
    system = fsspec.filesystem("memory")
    found = {path.removeprefix("/bucket/copilot/") for path in system.find("/bucket/copilot")}
    there = (path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert found == {path.relative_to(tmp_path / "out").as_posix() for path in there}
    path = manifest["files"][0]["path"]
    assert system.cat(f"/bucket/copilot/{path}") == (tmp_path / "out" / path).read_bytes()
    table = pd.read_parquet(f"{memory}/{path}")
    assert len(table) == 2


def test_objects_that_are_there_are_not_written_again_and_old_ones_go(tmp_path, memory):
    archive = small_archive(tmp_path)
    put(archive, user_record("2026-11-03"), day=LAST.replace(day=3))
    archive.export(memory)
    system = fsspec.filesystem("memory")
    before = {path: system.created(path) for path in system.find("/bucket/copilot/users")}
    put(archive, user_record("2026-11-03", user_id=5), day=LAST.replace(day=3))
    archive.export(memory)
    after = {path: system.created(path) for path in system.find("/bucket/copilot/users")}
    kept = before.keys() & after.keys()
    assert (len(before), len(after), len(kept)) == (2, 2, 1)
    assert all(before[path] == after[path] for path in kept)


def test_fsspecs_local_files_work_as_well(tmp_path):
    archive = small_archive(tmp_path)
    store = remote.ObjectStore(f"file://{tmp_path}/out", {"auto_mkdir": True})
    with archive.ledger() as ledger:
        files = archive_files(ledger)
    for _ in range(2):
        exporting.export(archive.path, files, store, format="parquet", key=KEY, at=archive.clock())
    assert pq.read_table(exported(tmp_path / "out")[0]).num_rows == 2


def archive_files(ledger):
    from copilot_analytics.archive import reading

    return reading.current_files(ledger)


class Broken(remote.LocalFolder):
    """A place that stops working after some files."""

    def __init__(self, folder, writes):
        super().__init__(folder)
        self.writes = writes

    def write(self, path, content):
        self.writes -= 1
        if self.writes < 0:
            raise OSError("connection lost, see https://h.example/x?sig=secret")
        super().write(path, content)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_failing_upload_leaves_the_export_before_as_it_was(writes, tmp_path, monkeypatch):
    archive, out = small_archive(tmp_path), tmp_path / "out"
    archive.export(out, people="logins")
    before = {path: path.read_bytes() for path in out.rglob("*.*")}
    put(archive, user_record(user_id=9))
    broken = Broken(out, writes)
    monkeypatch.setattr(remote, "target_of", lambda to, options: broken)
    with pytest.raises(StorageError) as caught:
        archive.export(out, people="logins")
    assert "secret" not in str(caught.value)
    assert {path: path.read_bytes() for path in before} == before
    monkeypatch.undo()
    archive.export(out, people="logins")
    assert pq.read_table(exported(out)[0])["user_id"].to_pylist() == [9]


def test_an_unsound_table_file_is_exported_from_the_raw_file(tmp_path):
    archive = small_archive(tmp_path)
    parquet_files(archive)[0].unlink()
    with pytest.warns(StorageWarning, match="table users"):
        archive.export(tmp_path / "out")
    assert pq.read_table(exported(tmp_path / "out")[0]).num_rows == 2


@pytest.mark.parametrize("place", ["", "tables", "tables/users", "..", "new/.."])
def test_an_export_never_touches_the_archive_itself(place, tmp_path):
    archive = small_archive(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    path = archive.path / place
    for to in (path, f"file://{path}", f"local://{path}"):
        with pytest.raises(UsageError, match="folder of its own"):
            archive.export(to)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="no modes")
def test_f154_exported_files_are_for_their_owner_only(tmp_path):
    small_archive(tmp_path).export(tmp_path / "out")
    for path in [tmp_path / "out", *(tmp_path / "out").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize(
    ("to", "options", "words"),
    [
        ("out", {"format": "xlsx"}, "'xlsx' is not known"),
        ("out", {"people": "names"}, "'names' is not known"),
        ("out", {"start": "2026-11-03", "end": "2026-11-02"}, "after the end"),
        ("", {}, "not one address"),
        ("nosuch://bucket", {}, "not an address"),
        ("simplecache::file://out", {}, "not one address"),
    ],
)
def test_what_is_not_known_is_refused(to, options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words):
        small_archive(tmp_path).export(to, **options)
    assert not (tmp_path / "out").exists()


def test_a_missing_library_is_named(tmp_path):
    fsspec.register_implementation("absent", "no_such_library.Files", errtxt="get no_such_library")
    with pytest.raises(UsageError) as caught:
        small_archive(tmp_path).export("absent://bucket")
    assert "no_such_library" in caught.value.said
    assert "copilot-analytics[remote]" in caught.value.advice
