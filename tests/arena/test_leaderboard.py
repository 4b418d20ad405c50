"""A board as plain values and back: the promised keys, a reason where something is absent, no column of nothing."""

import json
from pathlib import Path
from typing import Any

from arena.battle import Model, ModelId, Verdict
from arena.leaderboard import Leaderboard, from_record
from arena.plan import BothBad, Plan, Ties
from arena.rating import rate
from arena.style import FEATURES
from arena.vote_file import open_votes
from simulated import votes, write
from tallies import board_of, tally

A, B, TIE, _ = Verdict

PROMISED = ["model", "score", "low", "high", "rank", "rank_low", "rank_high", "n_votes", "provisional"]


def board_of_file(folder: Path, **options: Any) -> Leaderboard:
    with open_votes(write(folder / "votes.parquet", votes(400))) as opened:
        return rate(opened.counted(), {}, Plan(**options), rows=opened)


def test_a_record_brings_the_same_board_back():
    models = {ModelId("x"): Model(ModelId("x"), "Model X", organization="Maker")}
    board = rate((tally("x", "y", TIE, 5), tally("x", "y", A), tally("z", "x", A)), models)
    assert from_record(json.loads(json.dumps(board.to_record())), models) == board


def test_a_record_of_all_that_a_board_can_hold_brings_it_back(tmp_path: Path):
    board = board_of_file(tmp_path, ties=Ties.DAVIDSON, order=True, style=FEATURES, anchor=(ModelId("bob"), 1100.0))
    assert [each.name for each in board.coefficients] == [*FEATURES, "order", "log_nu"]
    assert all(entry.n_voters for entry in board.entries)
    assert from_record(json.loads(json.dumps(board.to_record())), {}) == board


def test_a_record_from_before_there_were_methods_to_choose_is_read():
    # Snapshots outlive versions: this one has none of the later keys.
    row = dict(zip(PROMISED, ("x", 1000.0, 990.0, 1010.0, 1, 1, 1, 5, True), strict=True))
    record = {"method": "bradley-terry", "confidence": 0.95, "rounds": 1000, "seed": 0, "n_votes": 5, "n_models": 1}
    board = from_record({**record, "dropped": {}, "ratings": [row]}, {})
    assert board.entries[0].tier is None
    assert (board.intervals, board.coefficients, board.notes) == ("bootstrap, votes resampled", (), ())
    assert board.counted_as == "Ties, and both-bad verdicts as well, count as half a win for each side."


def test_the_record_has_the_promised_keys_and_reason_only_where_something_is_absent():
    record = board_of(tally("x", "y", A, 6), tally("x", "y", B, 5), tally("new", "x", A)).to_record()
    assert list(record) == [
        *("method", "confidence", "rounds", "seed", "n_votes", "n_models", "dropped"),
        *("intervals", "settings", "coefficients", "notes", "ratings"),
    ]
    rated, unrated = [*PROMISED, "tier"], [*PROMISED, "reason", "tier"]
    assert [list(row) for row in record["ratings"]] == [rated, rated, unrated]


def test_what_is_known_of_voters_is_there_only_where_voters_are(tmp_path: Path):
    clustered = ["n_voters", "design_effect", "low_independent", "high_independent"]
    for row in board_of_file(tmp_path).to_record()["ratings"]:
        assert list(row) == [*PROMISED, "tier", *clustered]


def test_a_name_is_in_the_record_where_it_is_not_the_id():
    models = {ModelId("x"): Model(ModelId("x"), "Model X")}
    first, second = rate([tally("x", "y", A, 2), tally("x", "y", B)], models).to_record()["ratings"]
    assert (first["model"], first["name"]) == ("x", "Model X")
    assert "name" not in second


def test_what_ties_and_both_bad_counted_as_is_said_for_every_choice():
    tallies = (
        tally("x", "y", A, 9),
        tally("x", "y", B, 9),
        tally("x", "y", TIE, 9),
        tally("x", "y", Verdict.BOTH_BAD, 9),
    )

    def said(**options: Any) -> str:
        return board_of(*tallies, **options).counted_as

    assert said() == "Ties, and both-bad verdicts as well, count as half a win for each side."
    assert said(both_bad=BothBad.DROP) == "Ties count as half a win for each side, both-bad verdicts do not count."
    assert said(ties=Ties.DAVIDSON, both_bad=BothBad.DROP).startswith("Ties count as an outcome of their own")
    assert said(both_bad=BothBad.OWN).startswith("Ties and both-bad verdicts are outcomes of their own")


def test_an_entry_is_found_by_its_model():
    board = board_of(tally("x", "y", TIE, 2))
    assert board.entry(ModelId("y")) in board.entries
    assert board.entry(ModelId("z")) is None
