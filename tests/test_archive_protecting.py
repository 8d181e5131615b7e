"""The archive is for its owner only, and says where it should not lie."""

import os
import stat
import warnings

import pytest
from conftest import user_record
from stored_input import new_archive, put

from copilot_analytics.archive import StorageWarning


def modes(archive):
    paths = [archive.path, *archive.path.rglob("*")]
    return {path: stat.S_IMODE(path.stat().st_mode) for path in paths}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_f154_files_are_for_their_owner_only_whatever_the_umask(tmp_path, umask):
    archive = new_archive(tmp_path)
    old = os.umask(umask)
    try:
        put(archive, user_record())
        put(archive, user_record(user_id=2))
        archive.rebuild()
    finally:
        os.umask(old)
    for path, mode in modes(archive).items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_f155_a_folder_that_others_may_enter_is_warned_of_each_time(tmp_path):
    archive = new_archive(tmp_path)
    put(archive, user_record())
    archive.path.chmod(0o750)
    for _ in range(2):
        with pytest.warns(StorageWarning, match="--fix-permissions"), archive.writing():
            pass
    assert archive.fix_permissions() == ["."]
    assert archive.fix_permissions() == []
    with archive.writing():
        pass


def test_f190_a_repository_around_the_archive_is_made_to_ignore_it(tmp_path):
    (tmp_path / ".git").mkdir()
    archive = new_archive(tmp_path)
    with pytest.warns(StorageWarning, match="repository"):
        put(archive, user_record())
    assert (archive.path / ".gitignore").read_text() == "*\n"
    put(archive, user_record(user_id=2))  # said once
    assert archive.verify().empty


@pytest.mark.parametrize("line", ["archive", "/archive/", "/arch*", "*"])
def test_f190_a_repository_that_ignores_the_archive_already_is_left_alone(tmp_path, line):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text(f"# ours\n{line}\n")
    archive = new_archive(tmp_path)
    put(archive, user_record())
    assert not (archive.path / ".gitignore").exists()


def test_f190_a_folder_of_a_web_server_is_warned_of_each_time(tmp_path):
    folder = tmp_path / "public_html" / "data"
    folder.mkdir(parents=True)
    archive = new_archive(folder)
    for user in (1, 2):
        with pytest.warns(StorageWarning, match="web server"):
            put(archive, user_record(user_id=user))


def test_a_usual_place_is_no_reason_to_warn(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        put(new_archive(tmp_path), user_record())
