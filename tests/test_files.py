"""Files take their places together, once all of them are written."""

import errno
import os
import stat

import pytest

from copilot_analytics.errors import StorageError
from copilot_analytics.files import make_folder, replacing, storage_errors, write_durably


def test_folders_are_for_their_owner_only(tmp_path):
    make_folder(tmp_path / "a" / "b")
    modes = {stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "a", tmp_path / "a" / "b")}
    assert modes == {0o700}


def test_written_files_replace_and_the_others_are_removed(tmp_path):
    for name in ("one", "two", "mine"):
        (tmp_path / name).write_text("old")
    with replacing(tmp_path, ["one", "two"]) as beside:
        (beside / "one").write_text("new")
        assert (tmp_path / "one").read_text() == "old"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "one": "new",
        "mine": "old",
    }
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_nothing_is_replaced_when_something_fails(tmp_path, error):
    (tmp_path / "one").write_text("old")

    def fail():
        with replacing(tmp_path, ["one"]) as beside:
            (beside / "one").write_text("new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one").read_text() == "old"


def test_no_file_is_replaced_when_a_folder_stands_in_the_way_of_another(tmp_path):
    (tmp_path / "one").write_text("old")
    (tmp_path / "two").mkdir()
    with pytest.raises(IsADirectoryError), replacing(tmp_path, ["one", "two"]) as beside:
        (beside / "one").write_text("new")
    assert (tmp_path / "one").read_text() == "old"


def test_several_can_write_the_same_file_at_once(tmp_path):
    def write(text):
        write_durably(tmp_path / "one", lambda path: path.write_text(text))

    def write_with_another_in_between(path):
        write("other")
        path.write_text("last")

    (tmp_path / f".one.{os.getpid()}.tmp").write_text("left behind by a killed run")
    write_durably(tmp_path / "one", write_with_another_in_between)
    assert (tmp_path / "one").read_text() == "last"
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def test_a_link_is_replaced_and_not_followed_f182(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("old")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one").symlink_to(outside)
    with replacing(folder, ["one"]) as beside:
        (beside / "one").write_text("new")
    write_durably(folder / "two", lambda path: path.write_text("new"))
    assert outside.read_text() == "old"
    assert (folder / "one").read_text() == (folder / "two").read_text() == "new"


def test_errors_of_the_disk_say_what_was_kept():
    expected = pytest.raises(StorageError, match="the thing could not be written")
    with expected as caught, storage_errors("the thing", kept="the old thing"):
        raise OSError(errno.ENOSPC, "whatever")
    assert (caught.value.said, caught.value.kept) == ("No space left on device", "the old thing")
