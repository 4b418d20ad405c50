"""What always holds for imported and exported votes: counted once, all accounted for, nothing false in a pair."""

import json
import tempfile
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Source
from arena.export import export
from arena.foreign_table import ForeignTable, Kind
from arena.intake import import_table
from arena.preferences.choices import Choices
from arena.store import VoteStore
from arena.voter import VoterKey
from dataset_world import bytes_in, rows_in

property_test = settings(max_examples=5, deadline=None, derandomize=True, database=None)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KEY = VoterKey(b"a secret of the tests, 32 bytes.")

# A model's text for a prompt is always the same here, so that many votes are on one pair; m4 and m5 say nothing, m2
# and m3 the same.
TEXTS = {"m1": "One.", "m2": "Two.", "m3": "Two.", "m4": "", "m5": " \n", "m6": "a\u2028b"}


@st.composite
def vote_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for number in range(draw(st.integers(1, 30))):
        first, second = draw(st.permutations(sorted(TEXTS)))[:2]
        winner = draw(st.sampled_from(["model_a", "model_b", "tie", "both_bad"]))
        row: dict[str, Any] = {"model_a": first, "model_b": second, "winner": winner, "voter": f"voter {number}"}
        if draw(st.integers(0, 5)):
            row |= {"prompt_text": draw(st.sampled_from(["Hello?", "Why?"]))}
            row |= {"answer_a": TEXTS[first], "answer_b": TEXTS[second]}
        rows.append(row)
    return rows


def taken(store: VoteStore, folder: Path, rows: list[dict[str, Any]], source: Source = Source.HUMAN) -> int:
    path = folder / "votes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    foreign = ForeignTable(path, Kind.VOTES)
    return import_table(store, foreign, source=source, voter_key=KEY, skip_bad=False, now=NOW).n_added


@property_test
@given(vote_rows(), st.data())
def test_importing_again_in_any_order_adds_nothing(rows: list[dict[str, Any]], data: st.DataObject):
    with tempfile.TemporaryDirectory() as folder, VoteStore.open(None) as store:
        assert taken(store, Path(folder), rows) == len(rows)
        assert taken(store, Path(folder), data.draw(st.permutations(rows))) == 0
        assert store.log.position()[0] == len(rows)
        assert store.log.broken_links() == []


@property_test
@given(vote_rows(), st.integers(0, 30))
def test_a_file_that_grew_adds_what_grew(rows: list[dict[str, Any]], n_first: int):
    first = rows[:n_first]
    with tempfile.TemporaryDirectory() as folder, VoteStore.open(None) as store:
        n_added = taken(store, Path(folder), first) if first else 0
        assert n_added + taken(store, Path(folder), rows) == len(rows)


@property_test
@given(vote_rows(), vote_rows(), st.sampled_from(["0", "1/2", "2/3", "1"]))
def test_an_export_accounts_for_every_vote_and_holds_only_true_pairs(
    people: list[dict[str, Any]], judged: list[dict[str, Any]], floor: str
):
    with tempfile.TemporaryDirectory() as folder, VoteStore.open(None) as store:
        taken(store, Path(folder), people)
        taken(store, Path(folder), judged, Source.AI_JUDGE)
        out = [Path(folder) / "out", Path(folder) / "again"]
        manifest, again = (export(store, each, choices=Choices(min_agreement=Fraction(floor))).manifest for each in out)
        assert bytes_in(out[0]) == bytes_in(out[1])
        rows = rows_in(out[0], "preference")
    assert manifest == again
    assert manifest["n_votes"] == len(people) + len(judged)
    told = manifest["formats"]["preference"]
    assert told["kept"] + sum(told["left_out"].values()) == manifest["n_votes"]
    assert told["left_out"].get("source ai_judge is not asked for") == len(judged)
    assert sum(row["n_votes"] for row in rows) == told["kept"]
    assert len(rows) == told["n_rows"]
    pairs = Counter((row["prompt_id"], frozenset((row["chosen_model"], row["rejected_model"]))) for row in rows)
    assert set(pairs.values()) <= {1}
    said = Counter((row.get("prompt_text"), row["model_a"], row["model_b"], row["winner"]) for row in people)
    for row in rows:
        chosen, rejected = row["chosen"][0]["content"], row["rejected"][0]["content"]
        assert chosen.strip()
        assert rejected.strip()
        assert chosen != rejected
        assert row["agreement"] > 0.5
        assert row["agreement"] >= float(Fraction(floor)) - 1e-12
        assert (chosen, rejected) == (TEXTS[row["chosen_model"]], TEXTS[row["rejected_model"]])
        key = row["prompt"][0]["content"], row["chosen_model"], row["rejected_model"]
        won = said[(*key, "model_a")] + said[key[0], key[2], key[1], "model_b"]
        lost = said[(*key, "model_b")] + said[key[0], key[2], key[1], "model_a"]
        assert (row["n_votes"], row["agreement"]) == (won + lost, won / (won + lost))


@property_test
@given(vote_rows(), st.data())
def test_order_and_sides_of_the_votes_leave_the_exported_rows_alone(rows: list[dict[str, Any]], data: st.DataObject):
    def mirrored(row: dict[str, Any]) -> dict[str, Any]:
        other = {"a": "b", "b": "a"}
        swapped = {f"{name[:-1]}{other[name[-1]]}": value for name, value in row.items() if name[-2:] in ("_a", "_b")}
        verdict = {"model_a": "model_b", "model_b": "model_a"}.get(row["winner"], row["winner"])
        return row | swapped | {"winner": verdict}

    shuffled = [mirrored(row) if data.draw(st.booleans()) else row for row in data.draw(st.permutations(rows))]
    told = []
    for each in (rows, shuffled):
        with tempfile.TemporaryDirectory() as folder, VoteStore.open(None) as store:
            taken(store, Path(folder), each)
            export(store, Path(folder) / "out")
            found = bytes_in(Path(folder) / "out")
            told.append({name: text for name, text in found.items() if name.endswith(".parquet")})
    assert told[0] == told[1]
