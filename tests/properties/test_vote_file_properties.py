"""What always holds for a vote file: only its votes matter, never their order, their sides or their format."""

import contextlib
import csv
import io
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from arena import table
from arena.cli import main

# The same examples in every run, and nothing kept on disk: a test that fails today fails tomorrow.
property_test = settings(max_examples=10, deadline=None, derandomize=True, database=None)

Row = tuple[str, str, str]

COLUMNS = ("model_a", "model_b", "winner")
SWAPPED = {"model_a": "model_b", "model_b": "model_a"}
WINNERS = ["model_a", "model_b", "tie", "both_bad", "tie (bothbad)"]


def rows_of(names: st.SearchStrategy[str]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(names, names, st.sampled_from(WINNERS)), min_size=1, max_size=40)


few_models = rows_of(st.sampled_from(["a", "b", "c", "d", "Ω", "a b"]))

# Names of single characters that some reader might take for itself.
AWKWARD = ",;|\t#'\"\\\n\u2028=/~-:{}[]%"
odd_names = st.text(alphabet=AWKWARD + "aé模0", min_size=1, max_size=6).filter(lambda name: name == name.strip())


def as_csv(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def as_json_lines(path: Path, rows: list[Row]) -> Path:
    lines = (json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def as_parquet(path: Path, rows: list[Row]) -> Path:
    table.write(path, dict.fromkeys(COLUMNS, "varchar"), rows)
    return path


WRITERS: dict[str, Callable[[Path, list[Row]], Path]] = {"csv": as_csv, "jsonl": as_json_lines, "parquet": as_parquet}


def counted(path: Path) -> Counter[Row]:
    """How often each row is there, as a query sees it."""
    with table.opened(path) as (cursor, relation, _):
        return Counter(cursor.execute(f"select {', '.join(COLUMNS)} from {relation}").fetchall())


def rated(ending: str, rows: list[Row], *options: str) -> tuple[int, str]:
    """The exit code and the stdout of `bakeoff rate --json` on these votes."""
    out, before, code = io.StringIO(), sys.argv, 0
    with tempfile.TemporaryDirectory() as folder:
        path = WRITERS[ending](Path(folder) / f"votes.{ending}", rows)
        sys.argv = ["bakeoff", "rate", str(path), "--json", *options]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
                main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        finally:
            sys.argv = before
    return code, out.getvalue()


@property_test
@given(few_models, st.data())
def test_neither_the_order_of_rows_nor_their_sides_change_a_byte(rows: list[Row], data: st.DataObject):
    mirrored = [
        (b, a, SWAPPED.get(winner, winner)) if data.draw(st.booleans()) else (a, b, winner)
        for a, b, winner in data.draw(st.permutations(rows))
    ]
    assert rated("jsonl", mirrored) == rated("jsonl", rows)


@property_test
@given(few_models)
def test_the_three_formats_of_the_same_votes_give_the_same_bytes(rows: list[Row]):
    assert rated("csv", rows) == rated("jsonl", rows) == rated("parquet", rows)


@property_test
@given(rows_of(odd_names))
@example([("'a'", "b", "tie"), ("a", "b", "tie")])
@example([("#", "b", "tie"), ('"', "b", "tie")])
@example([("AAAAAAAA-0000-0000-0000-00000000000A", "2024-01-02T00:00:00", "tie")])
@example([("1", "007", "tie"), ("1.0", "true", "tie")])
def test_the_three_formats_agree_on_any_name(rows: list[Row]):
    with tempfile.TemporaryDirectory() as folder:
        found = [counted(write(Path(folder) / f"votes.{ending}", rows)) for ending, write in WRITERS.items()]
    assert found == [Counter(rows)] * 3


@property_test
@given(few_models, st.booleans())
def test_kept_and_dropped_are_all_votes(rows: list[Row], is_dropping: bool):
    code, out = rated("parquet", rows, *(["--both-bad", "drop"] if is_dropping else []))
    if code == 1:
        # Nothing was left: every vote was on one model, or both bad.
        assert all(a == b or (is_dropping and "bad" in winner) for a, b, winner in rows)
        assert out == ""
        return
    record = json.loads(out)
    assert record["n_votes"] + sum(record["dropped"].values()) == len(rows)
    games = [row["n_votes"] for row in record["ratings"] if row["score"] is not None]
    # Each vote that counts is one of either model's.
    assert sum(games) == 2 * record["n_votes"]


@property_test
@given(few_models)
def test_every_model_that_met_another_is_listed_once(rows: list[Row]):
    code, out = rated("parquet", rows)
    met = {name for a, b, _ in rows if a != b for name in (a, b)}
    assert (code == 0) is bool(met)
    if code == 0:
        record = json.loads(out)
        assert sorted(row["model"] for row in record["ratings"]) == sorted(met)
        rated_rows = [row for row in record["ratings"] if row["score"] is not None]
        scores = [row["score"] for row in rated_rows]
        assert scores == sorted(scores, reverse=True)
        # The mean over votes, each of which is one of either model's, is 1000.
        total = sum(row["score"] * row["n_votes"] for row in rated_rows)
        assert abs(total - 1000 * 2 * record["n_votes"]) < 1e-3 * (1 + 2 * record["n_votes"])
        for row in record["ratings"]:
            assert ("reason" in row) is (row["low"] is None)
            if row["low"] is not None:
                assert row["low"] < row["high"]
                assert 1 <= row["rank_low"] <= row["rank"] <= row["rank_high"] <= len(scores)
