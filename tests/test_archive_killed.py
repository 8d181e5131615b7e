"""A process that is killed while it stores leaves the old version or the new one, whole."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ndjson, user_record
from stored_input import assert_same, files_of, frames, new_archive, put

OLD = [user_record(user_id=number) for number in (1, 2)]
NEW = [user_record(user_id=number, loc_added_sum=50) for number in (1, 2, 3)]
# Each durable step of storing one report, in order; those of tables come once for each file.
RAW = [f"raw {what}" for what in ("created", "half written", "written", "flushed", "in place")]
TABLE = ["table created", "table half written"]
PLACED = [f"table {what}" for what in ("written", "flushed", "in place", "folder flushed")]
LEDGER = ["ledger begun", "ledger written", "ledger committed"]
STEPS = [*TABLE, *RAW, "raw folder flushed", "manifest in place", *PLACED, *LEDGER]


@pytest.fixture(scope="module")
def child():
    """A function that stores the new version in a process that dies at a step."""
    script = Path(__file__).with_name("stop_archive.py")
    command = [sys.executable, str(script)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def run(archive, step: str = "", count: int = 1) -> tuple[int, list[str]]:
            file = archive.path.parent / "new.ndjson"
            file.write_bytes(ndjson(*NEW))
            print(json.dumps([str(archive.path), str(file), step, count]), file=process.stdin)
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield run
        process.stdin.close()


@pytest.fixture(scope="module")
def versions(child, tmp_path_factory):
    """An archive with the old version; both versions as frames; the new one's files and steps."""
    template, archive = (new_archive(tmp_path_factory.mktemp(name)) for name in ("old", "new"))
    put(template, *OLD)
    shutil.copytree(template.path, archive.path)
    status, passed = child(archive)
    assert status == 0
    return template, frames(template), frames(archive), set(files_of(archive)), passed


def test_every_durable_step_is_one_at_which_we_die(versions):
    *_, passed = versions
    assert list(dict.fromkeys(passed)) == STEPS


@pytest.mark.parametrize(
    ("step", "count"), [(step, 1) for step in STEPS] + [(step, 2) for step in [*TABLE, *PLACED]]
)
def test_f121_killed_at_a_step_the_archive_is_old_or_new(versions, child, tmp_path, step, count):
    template, old, new, files, _ = versions
    archive = new_archive(tmp_path)
    shutil.copytree(template.path, archive.path)
    assert child(archive, step, count) == [-9, []]
    assert_same(frames(archive), new if step == "ledger committed" else old)
    assert archive.verify().empty
    put(archive, *NEW)
    assert archive.verify().empty
    assert archive.tables().users["user_id"].tolist() == [1, 2, 3]
    assert set(files_of(archive)) == files
