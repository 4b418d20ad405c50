"""Derived numbers, nothing dropped in silence, and honest about what is not known."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import ModelId, Source, Verdict
from arena.errors import BadInput, NothingToRate
from arena.leaderboard import Entry, Leaderboard, from_record
from arena.plan import BothBad, Intervals, Method, Plan, Ties, Weights
from arena.rating import rate
from arena.style import FEATURES
from arena.tally import Selection, Tally, Unit, default_sources
from arena.vote_file import open_votes
from command import bakeoff, error_of, rated
from simulated import GAP, MODELS, Vote, shuffled, votes, without, write, write_typed

A, B, TIE, BOTH_BAD = Verdict


def tally(a: str, b: str, verdict: Verdict, n: int = 1) -> Tally:
    return Tally(ModelId(a), ModelId(b), verdict, n)


def board_of(*tallies: Tally, **options: object) -> Leaderboard:
    return rate(tallies, {}, Plan(**options))  # type: ignore[arg-type]


def score(board: Leaderboard, model: str) -> float:
    entry = board.entry(ModelId(model))
    assert entry is not None
    assert entry.score is not None
    return entry.score


def test_three_wins_to_one_are_191_points_around_1000():
    # Strength gap ln 3; in points 400 * log10(3) = 190.849; the mean over the two models is 1000.
    board = board_of(tally("x", "y", A, 3), tally("x", "y", B))
    assert score(board, "x") == pytest.approx(1000 + 200 * math.log10(3), abs=1e-3)
    assert score(board, "y") == pytest.approx(1000 - 200 * math.log10(3), abs=1e-3)


def test_a_tie_is_half_a_win_for_each():
    # 2 wins and 2 ties are 3 to 1.
    board = board_of(tally("x", "y", A, 2), tally("x", "y", TIE, 2))
    assert score(board, "x") - score(board, "y") == pytest.approx(400 * math.log10(3), abs=1e-3)


def test_both_bad_counts_as_a_tie_or_is_left_out_and_counted():
    votes = (tally("x", "y", A, 2), tally("x", "y", B, 1), tally("x", "y", BOTH_BAD, 2))
    as_tie, dropped = board_of(*votes), board_of(*votes, both_bad=BothBad.DROP)
    # 2 + 1 to 1 + 1 half-wins of five votes; and 2 to 1 of three.
    assert score(as_tie, "x") - score(as_tie, "y") == pytest.approx(400 * math.log10(3 / 2), abs=1e-3)
    assert score(dropped, "x") - score(dropped, "y") == pytest.approx(400 * math.log10(2), abs=1e-3)
    assert (as_tie.n_votes, as_tie.dropped) == (5, {})
    assert (dropped.n_votes, dropped.dropped) == (3, {"both bad": 2})


def test_an_anchor_moves_every_number_by_the_same_amount():
    votes = (tally("x", "y", A, 30), tally("x", "y", B, 20), tally("y", "z", A, 15), tally("z", "y", A, 9))
    free, anchored = board_of(*votes), board_of(*votes, anchor=(ModelId("z"), 1500.0))
    assert score(anchored, "z") == 1500
    shift = 1500 - score(free, "z")
    for before, after in zip(free.entries, anchored.entries, strict=True):
        assert before.low is not None
        assert after.low is not None
        assert after.low - before.low == pytest.approx(shift, abs=1e-3)
        assert (after.model.id, after.rank_low, after.rank_high) == (before.model.id, before.rank_low, before.rank_high)


def test_an_anchor_that_has_no_rating_is_refused():
    with pytest.raises(BadInput, match="the anchor has no rating: no rated model is called 'nobody'"):
        board_of(tally("x", "y", TIE), anchor=(ModelId("nobody"), 1000.0))


def test_an_unbeaten_newcomer_gets_no_score_and_moves_nobody():
    votes = [tally("x", "y", A, 30), tally("x", "y", B, 20)]
    before, after = board_of(*votes), board_of(*votes, tally("new", "x", A))
    assert after.entries[:2] == before.entries
    newcomer = after.entries[2]
    assert (newcomer.score, newcomer.low, newcomer.rank) == (None, None, None)
    assert newcomer.provisional
    assert newcomer.reason is not None
    assert newcomer.reason.startswith("has not lost a vote yet, so no finite score fits; above ")
    assert (after.n_votes, after.dropped) == (50, {"a model that cannot be rated yet": 1})


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        # 400 * log10(0.95 / 0.05) = 511.5 points above x, who is at 1000.
        ([tally("x", "new", A)], "has not won a vote yet, so no finite score fits; below 1,512 with 95% confidence"),
        ([tally("new", "other", TIE)], "has met none of the rated models, directly or through others"),
        (
            [tally("new", "x", A), tally("new", "other", TIE)],
            "no chain of wins leads both to and from the rated models yet",
        ),
    ],
)
def test_each_model_without_a_score_says_why(votes: list[Tally], reason: str):
    board = board_of(tally("x", "y", A, 3), tally("x", "y", B, 3), *votes)
    entry = board.entry(ModelId("new"))
    assert entry is not None
    assert (entry.score, entry.reason) == (None, reason)


def test_the_larger_of_two_islands_is_rated_and_the_other_is_not_ranked_against_it():
    board = board_of(tally("a", "b", TIE, 3), tally("c", "d", TIE, 5))
    assert [(entry.model.id, entry.score) for entry in board.entries] == [
        ("c", 1000.0),
        ("d", 1000.0),
        ("a", None),
        ("b", None),
    ]
    assert (board.n_votes, board.dropped) == (5, {"a model that cannot be rated yet": 3})


def test_one_vote_rates_nobody_and_is_not_lost():
    board = board_of(tally("x", "y", A))
    assert [entry.score for entry in board.entries] == [None, None]
    assert (board.n_votes, board.dropped) == (0, {"a model that cannot be rated yet": 1})


def test_only_ties_give_1000_and_no_interval_rather_than_one_of_no_width():
    board = board_of(tally("x", "y", TIE, 50))
    for entry in board.entries:
        assert (entry.score, entry.low, entry.high) == (1000.0, None, None)
        assert entry.reason
        assert (entry.rank_low, entry.rank_high) == (1, 2)


def test_votes_of_a_model_on_itself_are_left_out_and_counted():
    board = board_of(tally("x", "y", TIE, 2), tally("x", "x", A, 7))
    assert (board.n_votes, board.dropped) == (2, {"the same model on both sides": 7})


def test_votes_that_the_table_left_out_stay_out_and_are_counted():
    out = Tally(ModelId("x"), ModelId("y"), B, 9, left_out="source ai_judge is not asked for")
    board = board_of(tally("x", "y", A), tally("x", "y", B), out)
    assert (board.n_votes, board.dropped) == (2, {"source ai_judge is not asked for": 9})


def test_no_vote_to_rate_is_an_error_that_says_why():
    with pytest.raises(NothingToRate, match="there is no vote to rate"):
        board_of()
    out = Tally(ModelId("x"), ModelId("y"), A, 3, left_out="cast before noon")
    with pytest.raises(NothingToRate, match=r"no vote is left to rate: 3 left out \(cast before noon\)"):
        board_of(out)


def test_few_votes_are_marked_provisional():
    # x takes part in 30 votes, y in 50, z in 20.
    votes = (tally("x", "y", TIE, 30), tally("y", "z", TIE, 20))
    marks = {entry.model.id: entry.provisional for entry in board_of(*votes, provisional_below=30).entries}
    assert marks == {"x": False, "y": False, "z": True}


def test_people_come_first_and_a_single_source_stands_for_itself():
    assert default_sources({Source.IMPORT: 5}) == (Source.IMPORT,)
    assert default_sources({Source.IMPORT: 5, Source.HUMAN: 1}) == (Source.HUMAN,)
    assert default_sources({}) == (Source.HUMAN,)
    with pytest.raises(BadInput, match=r"several sources, none of them people: ai_judge \(3\), import \(5\)"):
        default_sources({Source.IMPORT: 5, Source.AI_JUDGE: 3})


VOTES = st.lists(
    st.builds(
        tally, st.sampled_from("uvwxyz"), st.sampled_from("uvwxyz"), st.sampled_from(list(Verdict)), st.integers(1, 4)
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(votes=VOTES, seed=st.integers(0, 9))
def test_kept_and_dropped_add_up_and_nothing_depends_on_order_or_side(votes: Sequence[Tally], seed: int):
    n_all = sum(each.n for each in votes)
    try:
        board = rate(votes, {}, Plan(seed=seed))
    except NothingToRate:
        assert all(each.model_a == each.model_b for each in votes)
        return
    assert board.n_votes + sum(board.dropped.values()) == n_all
    swapped = [Tally(each.model_b, each.model_a, each.verdict.swapped, each.n) for each in reversed(votes)]
    assert rate(swapped, {}, Plan(seed=seed)) == board
    # Every vote on two models counts for both of them, rated or not.
    games = Counter({entry.model.id: entry.n_votes for entry in board.entries})
    assert sum(games.values()) >= 2 * board.n_votes
    rated = [entry for entry in board.entries if entry.score is not None]
    scores = [entry.score for entry in rated if entry.score is not None]
    assert scores == sorted(scores, reverse=True)
    for entry in rated:
        assert entry.rank is not None
        assert entry.rank_low is not None
        assert entry.rank_high is not None
        assert entry.rank_low <= entry.rank <= entry.rank_high <= len(rated)
        if entry.low is not None:
            assert entry.high is not None
            assert entry.low < entry.high
        else:
            assert entry.reason


# Models without a score: how good or bad they surely are


def reason_of(board: Leaderboard, model: str) -> str:
    entry = board.entry(ModelId(model))
    assert entry is not None
    assert entry.score is None
    assert entry.reason is not None
    return entry.reason


@pytest.mark.parametrize(("n", "confidence"), [(1, 0.95), (10, 0.95), (10, 0.8)])
def test_an_unbeaten_model_is_surely_above_and_a_winless_one_surely_below(n: int, confidence: float):
    # x and y are equals at 1000. A model with strength s wins n of n against 1000 with chance (1 / (1 + e^-s))^n, which
    # is 1 - confidence where 1 / (1 + e^-s) = (1 - confidence)^(1/n) = p: s = ln(p / (1 - p)), 400 s / ln 10 points.
    p = (1 - confidence) ** (1 / n)
    points = 400 * math.log10(p / (1 - p))
    equals = (tally("x", "y", A, 25), tally("x", "y", B, 25))
    board = board_of(*equals, tally("good", "x", A, n), tally("y", "bad", A, n), confidence=confidence)
    level = f"with {100 * confidence:.0f}% confidence"
    assert reason_of(board, "good") == (
        f"has not lost a vote yet, so no finite score fits; above {1000 + points:,.0f} {level}"
    )
    assert reason_of(board, "bad") == (
        f"has not won a vote yet, so no finite score fits; below {1000 - points:,.0f} {level}"
    )


def test_the_bound_moves_with_the_anchor():
    equals = (tally("x", "y", A, 25), tally("x", "y", B, 25), tally("good", "x", A, 10))
    # 182.69 points above x, as p = 0.05^(1/10) = 0.74113 and 400 log10(p / (1 - p)) = 182.69
    assert "above 1,183 with" in reason_of(board_of(*equals), "good")
    assert "above 1,683 with" in reason_of(board_of(*equals, anchor=(ModelId("x"), 1500.0)), "good")


def test_with_a_prior_everyone_who_is_linked_is_rated():
    equals = (tally("x", "y", A, 25), tally("x", "y", B, 25))
    board = board_of(*equals, tally("good", "x", A, 3), tally("y", "bad", A, 3), tally("far", "off", TIE), prior=1.0)
    assert [entry.model.id for entry in board.entries] == ["good", "x", "y", "bad", "far", "off"] or [
        entry.model.id for entry in board.entries
    ] == ["good", "y", "x", "bad", "far", "off"]
    assert [entry.score is None for entry in board.entries] == [False] * 4 + [True] * 2
    assert reason_of(board, "far") == "has met none of the rated models, directly or through others"
    assert (board.n_votes, board.dropped) == (56, {"a model that cannot be rated yet": 1})


def test_models_with_fewer_votes_than_asked_are_left_out_with_their_votes():
    votes = (tally("x", "y", TIE, 30), tally("y", "z", TIE, 20), tally("x", "new", A, 2), tally("new", "x", A, 2))
    assert board_of(*votes, min_votes=4).n_votes == 54
    board = board_of(*votes, min_votes=5)
    assert {entry.model.id for entry in board.entries} == {"x", "y", "z"}
    assert (board.n_votes, board.dropped) == (50, {"a model with fewer than 5 votes": 4})
    with pytest.raises(NothingToRate, match=r"54 left out \(a model with fewer than 100 votes\)"):
        board_of(*votes, min_votes=100)


# Every choice, on votes of invented people


CHOICES: dict[str, dict[str, Any]] = {
    "the default": {},
    "elo": {"method": Method.ELO},
    "win rate": {"method": Method.WIN_RATE},
    "davidson": {"ties": Ties.DAVIDSON},
    "rao-kupper": {"ties": Ties.RAO_KUPPER},
    "both bad dropped": {"both_bad": BothBad.DROP},
    "both bad as its own": {"both_bad": BothBad.OWN},
    "order": {"order": True},
    "style": {"style": FEATURES},
    "style of votes on their own": {"style": FEATURES, "unit": Unit.NONE, "intervals": Intervals.BOOTSTRAP},
    "style and order": {"style": ("length", "bold"), "order": True},
    "style and ties": {"style": ("length",), "ties": Ties.DAVIDSON},
    "a prior": {"prior": 0.5},
    "weights by pair": {"weights": Weights.PAIRS},
    "weights by voter": {"weights": Weights.VOTERS},
    "every vote on its own": {"unit": Unit.NONE},
    "prompts": {"unit": Unit.PROMPT},
    "bootstrap": {"intervals": Intervals.BOOTSTRAP},
    "bootstrap of ties": {"intervals": Intervals.BOOTSTRAP, "ties": Ties.RAO_KUPPER},
    "bootstrap of order": {"intervals": Intervals.BOOTSTRAP, "order": True},
    "bootstrap of style": {"intervals": Intervals.BOOTSTRAP, "style": ("length",)},
    "bootstrap of weights": {"intervals": Intervals.BOOTSTRAP, "weights": Weights.PAIRS},
    "voters drawn again": {"intervals": Intervals.CLUSTER},
    "prompts drawn again": {"intervals": Intervals.CLUSTER, "unit": Unit.PROMPT},
    "voters with ties": {"intervals": Intervals.CLUSTER, "ties": Ties.DAVIDSON},
    "voters with style": {"intervals": Intervals.CLUSTER, "style": ("length",)},
    "voters with weights": {"intervals": Intervals.CLUSTER, "weights": Weights.VOTERS},
    "another confidence": {"confidence": 0.8},
    "an anchor": {"anchor": (ModelId("eve"), 800.0)},
    "few votes": {"min_votes": 20, "provisional_below": 1000},
}

every_choice = pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES.keys())


def board_of_votes(path: Path, rows: Sequence[Vote], selection: Selection | None = None, **choices: Any) -> Leaderboard:
    plan = Plan(**dict[str, Any](rounds=100) | choices)
    with open_votes(write(path, rows), selection) as opened:
        return rate(opened.counted(), {}, plan, rows=opened)


def as_bytes(board: Leaderboard) -> bytes:
    return json.dumps(board.to_record()).encode()


@pytest.fixture(scope="module")
def people() -> Sequence[Vote]:
    return votes()


@every_choice
def test_every_choice_finds_the_known_order_and_accounts_for_every_vote(
    tmp_path: Path, people: Sequence[Vote], choices: dict[str, Any]
):
    board = board_of_votes(tmp_path / "votes.parquet", people, **choices)
    assert [entry.model.id for entry in board.entries] == list(MODELS)
    assert board.n_votes + sum(board.dropped.values()) == len(people)
    assert [entry.rank for entry in board.entries] == [1, 2, 3, 4, 5]
    assert from_record(json.loads(as_bytes(board)), {}) == board
    for entry in board.entries:
        assert entry.score is not None
        assert entry.low is not None
        assert entry.high is not None
        assert entry.low < entry.score < entry.high
        assert entry.rank is not None
        assert entry.rank_low is not None
        assert entry.rank_high is not None
        assert entry.rank_low <= entry.rank <= entry.rank_high
        assert entry.tier is not None
    for each in board.coefficients:
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.value < each.high


def test_draws_of_voters_some_of_whom_are_unknown_do_not_hang_on_the_order_of_rows(
    tmp_path: Path, people: Sequence[Vote]
):
    rows = [row if n % 3 else {**row, "voter": None} for n, row in enumerate(people[:600])]
    boards = {
        as_bytes(board_of_votes(tmp_path / "votes.csv", these, intervals=Intervals.CLUSTER))
        for these in (rows, shuffled(rows), shuffled(rows, seed=2))
    }
    assert len(boards) == 1


@every_choice
def test_neither_the_order_of_rows_nor_their_sides_nor_the_format_change_a_byte(
    tmp_path: Path, people: Sequence[Vote], choices: dict[str, Any]
):
    # Who stands where is what `order` is about; there only the rows' order may change.
    mixed = shuffled(people[:600], swap=not choices.get("order"))
    boards = {
        as_bytes(board_of_votes(tmp_path / name, rows, **choices))
        for name, rows in (("one.parquet", people[:600]), ("two.csv", mixed), ("three.jsonl", mixed[::-1]))
    }
    assert len(boards) == 1


def test_the_default_scores_are_near_the_true_ones(tmp_path: Path, people: Sequence[Vote]):
    board = board_of_votes(tmp_path / "votes.parquet", [row for row in people if "model" in row["winner"]])
    # Tastes with a spread of 0.8 * sqrt(2) = 1.13 logits between two models flatten the gaps of the mean voter by about
    # 1 / sqrt(1 + 1.13^2 * 0.346) = 0.83 (a normal spread behind a logistic curve).
    gap = 400 / math.log(10) * GAP * 0.83
    for better, worse in zip(board.entries, board.entries[1:], strict=False):
        assert better.score is not None
        assert worse.score is not None
        # Each gap is known to about 35 points: 600 decisive votes on two models, a design effect of 1 to 2.
        assert better.score - worse.score == pytest.approx(gap, abs=70)


# Voters


def entries_of(board: Leaderboard) -> dict[str, Entry]:
    return {entry.model.id: entry for entry in board.entries}


def width(entry: Entry) -> float:
    assert entry.low is not None
    assert entry.high is not None
    return entry.high - entry.low


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


# A newcomer


@every_choice
def test_a_newcomer_with_few_votes_neither_moves_nor_widens_the_others(
    tmp_path: Path, people: Sequence[Vote], choices: dict[str, Any]
):
    rows = [{**people[n], "model_a": "new", "winner": ("model_a", "model_b")[n % 2]} for n in range(4)]
    assert {row["model_b"] for row in rows} <= set(MODELS)
    choices = {**choices, "rounds": 1000, "min_votes": 0}
    before = entries_of(board_of_votes(tmp_path / "votes.parquet", people, **choices))
    after = entries_of(board_of_votes(tmp_path / "votes.parquet", [*people, *rows], **choices))
    assert set(after) == {*before, "new"}
    # Pairs with fewer than 50 votes weigh as much as those with 50, where that was asked: these four votes as dozens.
    is_heavy = choices.get("weights") is Weights.PAIRS
    is_drawn = (
        choices.get("intervals", Intervals.SANDWICH) is not Intervals.SANDWICH or choices.get("method") is Method.ELO
    )
    for name, entry in before.items():
        assert entry.score is not None
        assert after[name].score == pytest.approx(entry.score, abs=(0.15 if is_heavy else 0.05) * width(entry))
        # Drawn again, 2.5 % quantiles of 1,000 rounds are themselves known to some 6 % of the width.
        assert width(after[name]) == pytest.approx(width(entry), rel=0.15 if is_drawn else 0.05 if is_heavy else 0.02)


# What single votes are needed for


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"method": Method.ELO}, "online Elo"),
        ({"style": ("length",)}, "style"),
        ({"weights": Weights.VOTERS}, "weights by voter"),
        ({"intervals": Intervals.CLUSTER}, "voter or prompt"),
        ({"unit": Unit.VOTER}, "the votes do not tell their voter"),
    ],
)
def test_counts_alone_do_not_give_what_needs_single_votes(choices: dict[str, Any], what: str):
    with pytest.raises(BadInput, match=what):
        board_of(tally("x", "y", A, 3), tally("x", "y", B, 2), **choices)


@pytest.mark.parametrize(
    "asked",
    [
        {"sources": (Source.HUMAN,)},
        {"categories": ("code", "facts")},
        {"languages": ("de",)},
    ],
)
@pytest.mark.parametrize("name", ["the default", "elo", "style", "voters drawn again", "order"])
def test_a_board_of_some_votes_is_the_board_of_a_file_with_these_alone(
    tmp_path: Path, people: Sequence[Vote], asked: dict[str, Any], name: str
):
    chosen = Selection(**asked)
    mixed = [{**row, "source": "rule"} if n % 3 == 0 else row for n, row in enumerate(people)]
    kept = [
        row
        for row in mixed
        if (not chosen.sources or row["source"] in chosen.sources)
        and (not chosen.categories or row["category"] in chosen.categories)
        and (not chosen.languages or row["language"] in chosen.languages)
    ]
    some = board_of_votes(tmp_path / "all.parquet", mixed, chosen, **CHOICES[name])
    alone = board_of_votes(tmp_path / "some.parquet", kept, **CHOICES[name])
    assert sum(some.dropped.values()) == len(mixed) - len(kept) > 0
    assert some.entries == alone.entries


def test_style_takes_out_what_length_alone_has_won(tmp_path: Path):
    # ada and bob are equals, ada writes twice as much, and the longer answer wins three times of four, whoever wrote it
    # (bob is the longer one in one vote of five).
    rows = []
    for n in range(2000):
        is_ada_longer = n % 5 > 0
        does_longer_win = n % 4 > 0
        rows.append(
            {
                "model_a": "ada",
                "model_b": "bob",
                "winner": "model_a" if is_ada_longer == does_longer_win else "model_b",
                "length_a": 200 if is_ada_longer else 100,
                "length_b": 100 if is_ada_longer else 200,
            }
        )
    plain = board_of_votes(tmp_path / "votes.csv", rows)
    styled = board_of_votes(tmp_path / "votes.csv", rows, style=("length",))
    # ada wins 0.8 * 0.75 + 0.2 * 0.25 = 0.65 of them: 400 log10(0.65 / 0.35) = 107.5 points.
    assert score(plain, "ada") - score(plain, "bob") == pytest.approx(107.54, abs=0.1)
    assert score(styled, "ada") - score(styled, "bob") == pytest.approx(0, abs=0.1)
    # The difference is (200 - 100) / 300 either way: 1 of its root mean squares, worth ln 3 logits.
    [length] = styled.coefficients
    assert length.value == pytest.approx(math.log(3), abs=1e-3)


def test_order_finds_what_side_a_is_worth(tmp_path: Path):
    # Equals who win 60 of 100 when they stand on side A: order is worth ln(60 / 40) = 0.405 logits.
    rows = [
        {"model_a": a, "model_b": b, "winner": winner}
        for a, b in (("x", "y"), ("y", "x"))
        for winner in ["model_a"] * 60 + ["model_b"] * 40
    ]
    board = board_of_votes(tmp_path / "votes.csv", rows, order=True)
    [order] = board.coefficients
    assert (order.name, order.value) == ("order", pytest.approx(math.log(1.5), abs=1e-4))
    assert [entry.score for entry in board.entries] == pytest.approx([1000, 1000], abs=1e-3)


def test_elo_of_an_even_pair_at_one_time_is_even(tmp_path: Path):
    # All dated the same day: played wins first, the two would end 300 points apart.
    rows = [
        {"model_a": "x", "model_b": "y", "winner": w, "voted_at": "2026-01-01"} for w in ("model_a", "model_b") * 200
    ]
    record = rated(write(tmp_path / "v.parquet", rows), "--method", "elo")
    assert [abs(row["score"] - 1000) < 40 for row in record["ratings"]] == [True, True]
    assert rated(write(tmp_path / "w.parquet", shuffled(rows)), "--method", "elo") == record


def test_models_that_are_numbers_in_one_column_and_texts_in_the_other_are_counted_once(tmp_path: Path):
    rows = [{"model_a": "1", "model_b": "2", "winner": w} for w in ("model_a", "model_b") * 3]
    path = write_typed(tmp_path / "v.parquet", rows, model_b="bigint")
    assert rated(path)["n_votes"] == 6


def test_style_that_never_differs_is_no_style(tmp_path: Path):
    rows = [{**row, "length_a": 5, "length_b": 5} for row in without(votes(200), "answer_a", "answer_b")]
    path = write(tmp_path / "v.csv", rows)
    for how in ((), ("--intervals", "bootstrap")):
        styled = rated(path, "--style", "--features", "length", *how)
        assert styled["ratings"] == rated(path, *how)["ratings"]
        assert styled["notes"][0] == "length never differs between two answers, and is left out"
        assert len(styled["notes"]) == len(set(styled["notes"]))
