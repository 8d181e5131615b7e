"""Whatever container records come in, `load` gives the same tables; a cut is never silent."""

import gzip
import io
import itertools
import json
import random
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from conftest import ndjson, user_record
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from oracle import assert_equals_oracle
from random_records import record, wrapper

import copilot_analytics as ca
from copilot_analytics import tidy
from copilot_analytics.errors import ContentError, UsageError
from copilot_analytics.tidy.sources import blocks

MARK = b"\xef\xbb\xbf"
RECORDS = (
    user_record(user_id=1, totals_by_feature=[{"feature": "ünïcode 🐙", "loc_added_sum": 1}]),
    user_record(user_id=2, used_chat=None, invented={"deep": [1]}),
)
CONTAINERS = {
    "lines": lambda records: b"\n".join(map(encoded, records)),
    "list": lambda records: encoded(records),
    "indented list": lambda records: encoded(records, indent=2),
    "list of lines": lambda records: b"[\n" + b",\n".join(map(encoded, records)) + b"\n]",
    "wrapper": lambda records: encoded({"day_totals": records}),
    "indented wrapper": lambda records: encoded({"day_totals": records}, indent="\t"),
    "wrapper of lines": lambda records: (
        b'{"day_totals": [\n' + b",\n".join(map(encoded, records)) + b"]}"
    ),
    "several wrappers": lambda records: b"\n".join(
        encoded({"day_totals": [one]}) for one in records
    ),
    "indented objects": lambda records: b"\n".join(encoded(one, indent=1) for one in records),
}
COMPRESSIONS = {
    "plain": bytes,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "two gzip members": lambda content: gzip.compress(content[:50]) + gzip.compress(content[50:]),
    "zstd": lambda content: pa.compress(content, "zstd", asbytes=True),
}


def encoded(value, **options) -> bytes:
    return json.dumps(value, ensure_ascii=False, **options).encode()


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[frame.astype("str").sort_values(list(frame.columns)).index].reset_index(
        drop=True
    )


class TestContainers:
    @pytest.mark.parametrize("container", CONTAINERS)
    @pytest.mark.parametrize("compression", COMPRESSIONS)
    def test_every_combination_gives_the_same_tables(self, container, compression):
        _, expected = tidy.arrow_tables(ndjson(*RECORDS))
        content = CONTAINERS[container](RECORDS)
        for line_end, end, mark in itertools.product((b"\n", b"\r\n"), (b"", b"\n"), (b"", MARK)):
            whole = mark + (content + end).replace(b"\n", line_end)
            _, found = tidy.arrow_tables(COMPRESSIONS[compression](whole))
            assert found == expected

    def test_several_wrappers_of_different_owners_stand_in_one_file(self):
        days = [{"day": f"2026-11-0{day}", "daily_active_users": day} for day in (1, 2)]
        owners = ({"enterprise_id": "3"}, {"enterprise_id": "4"}, {"organization_id": "7"})
        content = ndjson(*({**owner, "day_totals": days} for owner in owners))
        entity = ca.load(content).entity
        assert entity["scope"].tolist() == [
            scope for scope in ("enterprise:3", "enterprise:4", "organization:7") for _ in days
        ]
        assert entity["daily_active_users"].tolist() == [1, 2] * 3

    @pytest.mark.parametrize("indent", [None, 2])
    def test_a_wrapper_gives_what_its_days_lack_and_nothing_else(self, indent):
        report = {
            "report_start_day": "2026-10-06",
            "report_end_day": "2026-11-02",
            "organization_id": "7",
            "enterprise_id": "3",
            "day_totals": [
                {"day": "2026-11-01", "daily_active_users": 4, "organization_id": None},
                {"day": "2026-11-02", "daily_active_users": 5, "organization_id": "8"},
                user_record("2026-11-02", organization_id="9"),
            ],
        }
        tables = ca.load(encoded(report, indent=indent))
        assert tables.entity["scope"].tolist() == ["organization:7", "organization:8"]
        assert tables.entity["enterprise_id"].tolist() == ["3", "3"]
        assert set(tables.entity["report_end_day"]) == {pd.Timestamp("2026-11-02")}
        assert tables.users["scope"].tolist() == ["organization:9"]

    def test_a_wrapper_without_days_is_valid_and_empty(self):
        tables = ca.load(b'{"day_totals": [], "report_end_day": "2026-11-02"}')
        assert all(tables[name].empty for name in tables)
        assert tables.is_complete

    def test_a_dashboard_export_keeps_its_housekeeping_beside_the_rows(self):
        export = {
            "report_start_day": "2026-10-06",
            "report_end_day": "2026-11-02",
            "etl_id": "green",
            "day_partition": "2026-11-02",
            "entity_id_partition": 17,
        }
        again = export | {"etl_id": "blue", "day_partition": "2026-11-03"}
        content = [ndjson(*({**one, **export} for one in RECORDS)), ndjson({**RECORDS[0], **again})]
        tables = ca.load(content)
        assert tables.users["etl_id"].tolist() == ["green", "green"]
        assert tables.users["day_partition"].dt.day.tolist() == [2, 2]
        assert tables.users["entity_id_partition"].tolist() == [17, 17]
        assert tables.facts["duplicates collapsed"] == 1
        assert tables.unknown_fields["path"].tolist() == ["invented"]

    def test_records_of_all_families_in_one_file_are_routed_by_their_own_keys(self):
        owner = {"day": "2026-11-02", "organization_id": "7"}
        records = [
            user_record(),
            {**owner, "daily_active_users": 1},
            {**owner, "user_id": 1, "team_id": 5, "slug": "a"},
            {**owner, "repo_id": 9, "repo_name": "r"},
        ]
        for order in itertools.permutations(records):
            tables = ca.load(ndjson(*order))
            names = ("users", "entity", "teams", "repos")
            assert [len(tables[name]) for name in names] == [1, 1, 1, 1]


class OneByteAtATime(io.RawIOBase):
    """A stream as a network gives it: each read returns what is there, not what was asked for."""

    def __init__(self, content: bytes):
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        return self._content.readinto(memoryview(buffer)[:1])


class TestSources:
    @pytest.mark.parametrize("compression", COMPRESSIONS)
    def test_paths_open_files_and_bytes_are_read_alike(self, tmp_path, compression):
        content = COMPRESSIONS[compression](ndjson(*RECORDS))
        path = tmp_path / "report"  # no suffix: the content tells
        path.write_bytes(content)
        _, expected = tidy.arrow_tables(ndjson(*RECORDS))
        for source in (path, str(path), bytearray(content), memoryview(content)):
            assert tidy.arrow_tables(source)[1] == expected
        for stream in (io.BytesIO(content), OneByteAtATime(content), path.open("rb")):
            with stream:
                assert tidy.arrow_tables(stream)[1] == expected

    def test_members_of_a_zip_archive_can_be_given_open(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as packed:
            packed.writestr("part-00000", ndjson(*RECORDS))
        with zipfile.ZipFile(tmp_path / "export.zip") as packed, packed.open("part-00000") as file:
            assert len(ca.load(file).users) == 2

    def test_a_folder_with_users_and_teams_gives_one_set_of_tables(self, tmp_path):
        team = {"day": "2026-11-02", "organization_id": "7", "user_id": 1, "team_id": 5}
        report = {
            "organization_id": "7",
            "day_totals": [{"day": "2026-11-02", "daily_active_users": 2}],
        }
        (tmp_path / "deep" / "er").mkdir(parents=True)
        (tmp_path / "users.ndjson.gz").write_bytes(gzip.compress(ndjson(RECORDS[0])))
        (tmp_path / "deep" / "USERS.JSON").write_bytes(encoded([RECORDS[1]], indent=1))
        (tmp_path / "deep" / "er" / "teams.jsonl").write_bytes(ndjson(team))
        (tmp_path / "entity.json.zst").write_bytes(COMPRESSIONS["zstd"](encoded(report)))
        for ignored in (".hidden.json", "notes.txt", "quarantine/bad.json", ".git/x.json"):
            (tmp_path / ignored).parent.mkdir(exist_ok=True)
            (tmp_path / ignored).write_bytes(b"not read")
        tables = ca.load(tmp_path)
        names = ("users", "teams", "entity")
        assert {name: len(tables[name]) for name in names} == {"users": 2, "teams": 1, "entity": 1}
        assert tables.facts["files"] == 4
        assert len(ca.load(f"{tmp_path}/*.gz").users) == 1
        assert len(ca.load(f"{tmp_path}/**/*.jsonl").teams) == 1
        assert len(ca.load([tmp_path / "deep", tmp_path / "users.ndjson.gz"]).users) == 2

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("/does/not/exist", "does not exist"),
            ("/does/not/exist/*.json", "no file matches"),
            ("a\0b", "does not exist|no path"),
            ("x" * 5000, "no path|does not exist"),
            (json.dumps(RECORDS), "looks like JSON"),
            ([], "empty"),
            ("", "path is empty"),
            (" ", "path is empty"),
            (7, "cannot read records from int"),
            (None, "cannot read records from NoneType"),
            (io.StringIO("{}"), "open as text"),
        ],
    )
    def test_a_source_that_cannot_be_read_is_a_usage_error(self, source, message):
        with pytest.raises(UsageError, match=message):
            ca.load(source)

    def test_a_folder_without_reports_is_a_usage_error(self, tmp_path):
        (tmp_path / "readme.txt").write_text("nothing")
        with pytest.raises(UsageError, match="holds no report files"):
            ca.load(tmp_path)

    def test_an_archive_is_named_as_one_and_a_dead_link_as_one(self, tmp_path):
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "ledger.sqlite").write_bytes(b"")
        (tmp_path / "kept" / "tombstones.json").write_bytes(b"{}")
        for source in (tmp_path, tmp_path / "kept"):
            with pytest.raises(UsageError, match="kept is an archive") as caught:
                ca.load(source)
            assert "Archive(" in caught.value.advice
        (tmp_path / "link.json").symlink_to(tmp_path / "gone.json")
        with pytest.raises(UsageError, match="link to a file that is not there"):
            ca.load(tmp_path / "link.json")

    def test_a_file_that_breaks_while_it_is_read_is_named(self, tmp_path):
        class Broken(OneByteAtATime):
            def readinto(self, buffer) -> int:
                if self._content.tell() > 100:
                    raise OSError("the disk is gone")
                return super().readinto(buffer)

        closed = io.BytesIO(b"{}")
        closed.close()
        for stream in (Broken(b""), Broken(ndjson(*RECORDS)), closed):
            with pytest.raises(ContentError, match="cannot be read to its end|empty"):
                ca.load(stream)
        (tmp_path / "loop.json").symlink_to(tmp_path / "gone.json")
        with pytest.raises((UsageError, ContentError)):
            ca.load(tmp_path / "loop.json")


class TestShards:
    @pytest.fixture
    def records(self) -> list[dict]:
        draw = random.Random(7)
        return [record("users", number, draw) for number in range(12)]

    def test_rows_stand_in_the_order_of_the_input(self, records):
        tables = ca.load(ndjson(*records))
        assert tables.users["user_id"].tolist() == [one["user_id"] for one in records]
        by_feature = [
            (one["user_id"], element["feature"])
            for one in records
            for element in one.get("totals_by_feature") or []
        ]
        found = tables.users_by_feature[["user_id", "feature"]]
        assert list(found.itertuples(index=False, name=None)) == by_feature
        backwards = ca.load([ndjson(one) for one in reversed(records)])
        assert backwards.users["user_id"].tolist() == [one["user_id"] for one in records[::-1]]

    def test_merged_slices_stay_where_the_first_of_them_stands(self):
        slices = [{"feature": name, "loc_added_sum": 1} for name in "bab"]
        records = [user_record(user_id=n, totals_by_feature=slices) for n in (1, 2)]
        found = ca.load(ndjson(*records)).users_by_feature
        assert found[["user_id", "feature", "loc_added_sum"]].to_numpy().tolist() == [
            [1, "b", 2],
            [1, "a", 1],
            [2, "b", 2],
            [2, "a", 1],
        ]

    @settings(max_examples=10, phases=[Phase.reuse, Phase.generate])
    @given(st.integers(0, 2**32))
    def test_random_shards_orders_and_containers_agree_with_a_plain_reading(self, seed):
        """All families, odd values and unknown fields; and the pieces of `iter_tables`."""
        draw = random.Random(seed)
        families = draw.choice([["users"], ["entity"], ["users", "entity", "teams", "repos"]])
        most = 5 - len(families)
        odd = draw.random() < 0.5
        records = [
            record(family, number, draw, odd=odd)
            for family in families
            for number in range(draw.randint(1, most))
        ]
        repeated = draw.sample(records, draw.randrange(len(records)))
        shards: list[list[dict]] = [[] for _ in range(draw.randrange(1, 4))]
        for one in draw.sample([*records, *repeated], len(records) + len(repeated)):
            draw.choice(shards).append(one)
        contents = []
        for number, shard in enumerate(filter(None, shards)):
            content = CONTAINERS[draw.choice(list(CONTAINERS))](shard)
            if draw.random() < 0.3 and not families[2:]:  # teams and repositories never come so
                content = encoded(wrapper(shard, number, draw))
            contents.append(content.replace(b"\n", draw.choice([b"\n", b"\r\n", b"\n\n"])))
        packed = [draw.choice(list(COMPRESSIONS.values()))(content) for content in contents]
        tables = ca.load(packed)
        assert_equals_oracle(tables, *contents)
        pieces = list(tidy.iter_tables(packed))
        for name in ("users", "users_by_feature", "entity_by_phase", "repos"):
            together = [piece[name] for piece in pieces if len(piece[name])]
            if together:
                joined = pd.concat(together, ignore_index=True)
                pd.testing.assert_frame_equal(in_order(joined), in_order(tables[name]))
            else:
                assert tables[name].empty

    @pytest.mark.parametrize("size", [1, 100, 5000])
    def test_blocks_of_any_size_give_the_same_tables(self, records, size, monkeypatch):
        content = b"\r\n" + ndjson(*records) + ndjson(*records[:3])[:-1]
        expected = ca.load(content)
        monkeypatch.setattr(blocks, "__defaults__", (size, *blocks.__defaults__[1:]))
        for source in (content, gzip.compress(content), OneByteAtATime(content)):
            tables = ca.load(source)
            for name in ("users", "users_by_feature", "users_by_customization"):
                pd.testing.assert_frame_equal(tables[name], expected[name])
            assert tables.facts == expected.facts
            told = ["path", "table", "line", "count"]
            assert tables.unknown_fields[told].equals(expected.unknown_fields[told])

    def test_pieces_put_together_are_what_load_gives(self, records, monkeypatch):
        content = ndjson(*records) + ndjson(*records[:3])
        expected = ca.load(content)
        monkeypatch.setattr(blocks, "__defaults__", (300, *blocks.__defaults__[1:]))
        pieces = list(tidy.iter_tables(content))
        assert len(pieces) > 1
        for name in ("users", "users_by_feature"):
            joined = pd.concat([piece[name] for piece in pieces], ignore_index=True)
            pd.testing.assert_frame_equal(joined, expected[name])
        for fact, count in expected.facts.items():
            assert sum(piece.facts[fact] for piece in pieces) == count

    def test_f111_a_conflict_between_blocks_is_found_as_well(self, records, monkeypatch):
        content = ndjson(*records, {**records[0], "loc_added_sum": 77})
        monkeypatch.setattr(blocks, "__defaults__", (300, *blocks.__defaults__[1:]))
        with pytest.raises(ContentError, match="conflicts") as caught:
            ca.load(content)
        assert f"line 1; <bytes>, line {len(records) + 1}" in str(caught.value)
        with pytest.raises(ContentError, match="conflicts"):
            list(tidy.iter_tables(content))


class TestCuts:
    """A file that ends early is refused, unless it ends between two records."""

    SMALL = tuple(
        {"day": "2026-11-02", "user_id": number, "user_login": "ü"} for number in (1, 22, 333)
    )

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(ndjson(*SMALL), id="lines"),
            pytest.param(
                MARK + b"\r\n\r\n".join(map(encoded, SMALL)), id="mark, CRLF, blank lines"
            ),
        ],
    )
    def test_lines_cut_anywhere_lose_no_row_silently(self, content):
        for cut in range(len(content)):
            kept = content[:cut]
            lines = [line for line in kept.removeprefix(MARK).split(b"\n") if line.strip()]
            whole = [line for line in content.removeprefix(MARK).split(b"\n") if line.strip()]
            if lines and all(
                line.strip() == other.strip() for line, other in zip(lines, whole, strict=False)
            ):
                assert len(ca.load(kept).users) == len(lines)
                continue
            with pytest.raises(ContentError):
                ca.load(kept)

    @pytest.mark.parametrize("container", sorted(set(CONTAINERS) - {"lines"}))
    def test_other_containers_cut_anywhere_are_refused(self, container):
        content = CONTAINERS[container](self.SMALL)
        for cut in range(len(content)):
            try:
                found = len(ca.load(content[:cut]).users)
            except ContentError:
                continue
            # Several objects one after the other: like lines, they can end between two of them.
            assert container in ("several wrappers", "indented objects")
            expected = CONTAINERS[container](self.SMALL[:found])
            assert content[:cut].rstrip() == expected

    @pytest.mark.parametrize("compression", ["gzip", "zstd"])
    def test_compressed_files_cut_anywhere_are_refused(self, compression):
        content = COMPRESSIONS[compression](ndjson(*self.SMALL))
        for cut in range(len(content)):
            with pytest.raises(ContentError):
                ca.load(content[:cut])

    def test_a_gzip_file_with_any_byte_changed_is_refused_or_the_same(self):
        expected = ca.load(ndjson(*self.SMALL)).users
        content = COMPRESSIONS["gzip"](ndjson(*self.SMALL))
        for place in range(len(content)):
            changed = bytearray(content)
            changed[place] ^= 0x10
            try:
                users = ca.load(bytes(changed)).users
            except ContentError:
                continue
            pd.testing.assert_frame_equal(users, expected)  # a byte of the header, such as its time

    @pytest.mark.parametrize("cut", range(1, 40, 3))
    def test_a_cut_first_line_leaves_the_others_readable(self, cut):
        content = ndjson(self.SMALL[0])[:cut] + b"\n" + ndjson(*self.SMALL[1:])
        with pytest.raises(ContentError):
            ca.load(content)
        tables = ca.load(content, errors="quarantine")
        assert tables.users["user_id"].tolist() == [22, 333]
        assert tables.quarantined["line"].tolist() == [1]


MEASURE = """
import resource, sys
import copilot_analytics as ca
ca.load(b'{"day":"2026-11-02","organization_id":"7","user_id":1}')
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tables = ca.load(sys.argv[1])
print(len(tables.users), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


class TestLongLines:
    def write(self, kind: str, path: Path) -> int:
        """Write a file whose one line has 50 MB; return its records."""
        with path.open("wb") as out:
            if kind == "wrapper":
                one = encoded(user_record(user_id=123456789, user_login="x" * 2000))
                count = 50 * 2**20 // len(one)
                days = (one.replace(b"123456789", b"%d" % (10**8 + n)) for n in range(count))
                out.write(b'{"day_totals":[' + b",".join(days) + b"]}")
                return count
            half = "x" * (25 * 2**20)
            long = user_record(user_id=2, user_login=half, new=half)
            out.write(ndjson(user_record(user_id=1), long, user_record(user_id=3)))
            return 3

    @pytest.mark.parametrize("kind", ["wrapper", "record"])
    def test_f104_a_line_of_50_mb_is_read_in_bounded_memory(self, tmp_path, kind):
        path = tmp_path / "long.ndjson"
        records = self.write(kind, path)
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        found, peak = map(int, run.stdout.split())
        assert found == records
        assert peak < 500

    def test_f104_a_record_longer_than_any_block_is_read(self):
        long = user_record(user_id=2, user_login="x" * 9 * 2**20)
        users = ca.load(ndjson(RECORDS[0], long, user_record(user_id=3))).users
        assert users["user_id"].tolist() == [1, 2, 3]
        assert users["user_login"].str.len().tolist() == [7, 9 * 2**20, 7]

    def test_blank_space_is_not_kept_in_memory(self):
        """A small gzip file can hold any amount of it."""
        blank = b"\n" * (100 * 2**20)
        packed = gzip.compress(blank, 1) + gzip.compress(b"garbage" + ndjson(RECORDS[0]))
        tracemalloc.start()
        try:
            with pytest.raises(ContentError) as caught:
                ca.load(packed)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 60 * 2**20
        assert "not a report" in str(caught.value)
