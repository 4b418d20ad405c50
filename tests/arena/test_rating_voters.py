"""Votes of one voter resemble each other, and votes may weigh differently."""

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from arena.battle import Verdict
from arena.errors import BadInput
from arena.plan import Intervals, Weights
from arena.tally import Unit
from command import bakeoff, error_of, rated
from simulated import Vote, votes, without, write
from simulated_boards import board_of_votes, entries_of, width
from tallies import board_of, score, tally

A, B, TIE, BOTH_BAD = Verdict


@pytest.fixture(scope="module")
def people() -> Sequence[Vote]:
    return votes()


def test_where_voters_are_known_intervals_are_theirs_and_the_independent_ones_stand_beside(
    tmp_path: Path, people: Sequence[Vote]
):
    board = board_of_votes(tmp_path / "votes.parquet", people)
    assert board.intervals == "sandwich, clustered by voter (50)"
    alone = entries_of(board_of_votes(tmp_path / "votes.parquet", people, unit=Unit.NONE))
    for name, entry in entries_of(board).items():
        assert entry.n_voters == 50
        assert (entry.low_independent, entry.high_independent) == (alone[name].low, alone[name].high)
        # The interval's width grows with the root of the design effect, and by a few percent more as 50 voters know
        # their own spread less well than 1,500 votes: for 49 degrees of freedom Student's factor is 2.01, not 1.96.
        assert entry.design_effect is not None
        assert width(entry) / width(alone[name]) == pytest.approx(1.025 * math.sqrt(entry.design_effect), rel=0.03)
    # Everyone has a taste of their own here: most scores are known less well than if every vote stood alone.
    effects = sorted(entry.design_effect or 0 for entry in board.entries)
    assert effects[2] > 1


@pytest.mark.parametrize("hidden", [("voter",), ("voter", "prompt_id")])
def test_where_voters_are_not_known_nothing_is_said_of_them(
    tmp_path: Path, people: Sequence[Vote], hidden: tuple[str, ...]
):
    board = board_of_votes(tmp_path / "votes.parquet", without(people, *hidden))
    assert board.intervals == "sandwich, every vote on its own"
    for entry in board.entries:
        assert (entry.n_voters, entry.design_effect, entry.low_independent, entry.high_independent) == (None,) * 4


@pytest.mark.parametrize("unit", [Unit.VOTER, Unit.PROMPT])
@pytest.mark.parametrize("intervals", [Intervals.SANDWICH, Intervals.CLUSTER])
def test_a_unit_that_is_not_known_cannot_be_asked_for(
    tmp_path: Path, people: Sequence[Vote], unit: Unit, intervals: Intervals
):
    rows = without(people, "voter", "prompt_id")
    with pytest.raises(BadInput, match=f"the votes do not tell their {unit}"):
        board_of_votes(tmp_path / "votes.parquet", rows, unit=unit, intervals=intervals)


def test_a_voter_who_says_everything_three_times_says_no_more(tmp_path: Path, people: Sequence[Vote]):
    # Three times the votes of every voter are three times each voter's score and three times the curvature: the
    # clustered variance stays, the independent one falls to a third.
    once = board_of_votes(tmp_path / "votes.parquet", people)
    thrice = board_of_votes(tmp_path / "votes.parquet", [*people] * 3)
    for one, three in zip(once.entries, thrice.entries, strict=True):
        assert one.score == pytest.approx(three.score, abs=1e-3)
        assert width(three) == pytest.approx(width(one), rel=0.01)
        assert one.design_effect is not None
        assert three.design_effect == pytest.approx(3 * one.design_effect, rel=0.02)


def test_voters_who_are_not_known_stand_for_themselves(tmp_path: Path, people: Sequence[Vote]):
    half = [row if n % 2 else {**row, "voter": None} for n, row in enumerate(people)]
    board = board_of_votes(tmp_path / "votes.parquet", half)
    assert board.intervals == f"sandwich, clustered by voter (50; votes without one: {len(people) // 2})"


def test_a_busy_voter_weighs_less_where_that_is_asked(tmp_path: Path, people: Sequence[Vote]):
    # One voter with 3,000 votes for the worst model, against 1,500 votes by all others: beyond 100 votes each voter's
    # votes share the weight of 100, so that 3,000 weigh as 100 of 1,600.
    flood = [{**people[0], "model_a": "eve", "model_b": "ada", "winner": "model_a", "voter": "fan"}] * 3000
    path = tmp_path / "votes.parquet"
    equal, by_voter = (
        board_of_votes(path, [*people, *flood], weights=weights) for weights in (Weights.EQUAL, Weights.VOTERS)
    )
    assert equal.entries[0].model.id == "eve"
    assert by_voter.entries[0].model.id == "ada"


def test_weights_by_pair_make_pairs_that_met_often_count_as_much_as_those_that_met_fifty_times():
    # x beats y 300 : 100, y beats z 30 : 10, z and x are 20 : 20. A vote on x and y weighs 1 / 400, one on the others
    # 1 / 50, as they met less often than that. So the three pairs together weigh 1, 0.8 and 0.8: as if x and y had met
    # 50 times like the others 40, 37.5 : 12.5.
    met = (("x", "y", A, 300), ("x", "y", B, 100), ("y", "z", A, 30), ("y", "z", B, 10))
    votes = [tally(*each) for each in (*met, ("z", "x", A, 20), ("z", "x", B, 20))]
    weighted = board_of(*votes, weights=Weights.PAIRS)
    counts = (("x", "y", A, 75), ("x", "y", B, 25), ("y", "z", A, 60), ("y", "z", B, 20))
    even = board_of(*(tally(*each) for each in (*counts, ("z", "x", A, 40), ("z", "x", B, 40))))
    for one, other in (("x", "y"), ("y", "z")):
        gaps = [score(board, one) - score(board, other) for board in (weighted, even, board_of(*votes))]
        assert gaps[0] == pytest.approx(gaps[1], abs=2e-3)  # scores have three digits
        assert abs(gaps[0] - gaps[2]) > 5


def test_a_vote_of_weight_three_counts_like_three_votes(tmp_path: Path):
    given = [{**row, "weight": 1 + n % 3} for n, row in enumerate(votes(600))]
    repeated = [row for row in given for _ in range(row["weight"])]
    for how in ((), ("--order",), ("--style", "--features", "length"), ("--ties", "davidson")):
        weighted = rated(write(tmp_path / "w.parquet", given), "--weights", "column", *how)
        plain = rated(write(tmp_path / "p.parquet", repeated), *how)
        # The level is set by the number of votes on each model, which is not that of the weights: gaps are compared.
        gaps = [
            {row["model"]: row["score"] - board["ratings"][0]["score"] for row in board["ratings"]}
            for board in (weighted, plain)
        ]
        assert gaps[0] == pytest.approx(gaps[1], abs=2e-3)
        assert weighted["n_votes"] == 600


def test_only_ratios_of_weights_matter(tmp_path: Path):
    given = [{**row, "weight": 1 + n % 3} for n, row in enumerate(votes(600))]
    tenfold = [{**row, "weight": 10 * row["weight"]} for row in given]
    for how in ((), ("--cluster", "none"), ("--intervals", "cluster", "--rounds", "100")):
        boards = [
            rated(write(tmp_path / "w.parquet", rows), "--weights", "column", *how)["ratings"]
            for rows in (given, tenfold)
        ]
        for one, other in zip(*boards, strict=True):
            for name in ("score", "low", "high"):
                # In a round of the bootstrap the weak prior weighs a tenth as much.
                assert one[name] == pytest.approx(other[name], abs=2e-3 if "--rounds" not in how else 1)


def test_weights_by_voter_go_with_voters_drawn_again_and_not_with_votes(tmp_path: Path):
    path = write(tmp_path / "v.parquet", votes(300))
    for style in ((), ("--style",)):
        said = bakeoff("rate", path, "--weights", "voters", "--intervals", "bootstrap", *style)
        assert "take --intervals cluster" in error_of(said)


def test_with_a_term_for_sides_the_order_of_rows_is_no_matter(tmp_path: Path):
    given = [{**row, "voter": row["voter"] if n % 2 else None} for n, row in enumerate(votes(400))]
    other = [given[n] for n in Random(3).sample(range(400), 400)]
    for how in (("--style", "--order", "--intervals", "bootstrap"), ("--order", "--intervals", "cluster")):
        boards = [
            rated(write(tmp_path / f"{n}.parquet", rows), *how, "--rounds", "100")["ratings"]
            for n, rows in enumerate((given, other))
        ]
        assert boards[0] == boards[1]


@pytest.mark.parametrize("weight", [0, -1, "", "heavy", "nan", "inf"])
def test_a_weight_that_is_none_is_refused(tmp_path: Path, weight: object):
    given = [{**row, "weight": 2} for row in votes(50)]
    given[7]["weight"] = weight
    said = bakeoff("rate", write(tmp_path / "v.csv", given), "--weights", "column")
    assert "1 of the votes in" in error_of(said)
    assert "no weight above 0" in error_of(said)


def test_weights_that_are_not_there_are_refused(tmp_path: Path):
    said = bakeoff("rate", write(tmp_path / "v.csv", votes(50)), "--weights", "column")
    assert "no column 'weight'" in error_of(said)
