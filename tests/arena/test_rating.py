"""Derived numbers, nothing dropped in silence, and honest about what is not known."""

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import ModelId, Source, Verdict
from arena.errors import BadInput, NothingToRate
from arena.leaderboard import Leaderboard
from arena.plan import BothBad, Plan
from arena.rating import rate
from arena.tally import Tally, default_sources
from tallies import board_of, score, tally

A, B, TIE, BOTH_BAD = Verdict


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
