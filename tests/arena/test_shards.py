"""Tables that end as Parquet files: few rows are in memory at a time, however many there are, and none is lost."""

import threading
import weakref
from pathlib import Path

import pytest

from arena import table
from arena.errors import BadInput
from arena.shards import sheets

SCHEMA = {"number": "integer", "text": "varchar"}


class Text(str):
    """A text that tells when nobody holds it any more."""

    __slots__ = ("__weakref__",)


def test_however_many_rows_there_are_few_are_held_at_a_time(tmp_path: Path):
    held: weakref.WeakSet[Text] = weakref.WeakSet()
    most = 0
    with sheets(tmp_path, most_bytes=100_000) as opened:
        sheet = opened.sheet("preference", "train", SCHEMA)
        for number in range(12_345):
            text = Text(f"text {number}")
            held.add(text)
            sheet.add((number, text))
            most = max(most, len(held))
        shards = opened.finish()["preference", "train"]
    # 500 that wait, 500 that are being appended, and the last one of those before, which its loop may still hold.
    assert most <= 1_001
    assert len(shards) > 3
    assert sum(shard.n_rows for shard in shards) == 12_345
    rows = [row for shard in shards for _, row in table.rows_of(shard.path)]
    assert rows == [{"number": number, "text": f"text {number}"} for number in range(12_345)]


def test_tables_that_grow_side_by_side_hold_what_each_was_given(tmp_path: Path):
    with sheets(tmp_path, most_bytes=20_000) as opened:
        for number in range(4_000):
            opened.sheet("preference", ("train", "test")[number % 2], SCHEMA).add((number, f"text {number}"))
        written = opened.finish()
    for split, first in (("train", 0), ("test", 1)):
        rows = [row["number"] for shard in written["preference", split] for _, row in table.rows_of(shard.path)]
        assert rows == list(range(first, 4_000, 2))


def test_a_row_that_does_not_fit_fails_the_whole_and_leaves_no_thread(tmp_path: Path):
    before = set(threading.enumerate())

    def written() -> None:
        with sheets(tmp_path) as opened:
            sheet = opened.sheet("preference", "train", SCHEMA)
            for _ in range(2_000):
                sheet.add(("no number", "text"))
            opened.finish()

    with pytest.raises(BadInput, match="cannot be written"):
        written()
    assert set(threading.enumerate()) == before
    assert not list(tmp_path.rglob("*.parquet"))
