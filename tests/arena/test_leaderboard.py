"""Derived numbers, nothing dropped in silence, and honest about what is not known."""

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Model, ModelId, Source, Verdict
from arena.errors import BadInput, NothingToRate
from arena.leaderboard import Leaderboard, Tally, default_sources, from_record, rate

A, B, TIE, BOTH_BAD = Verdict


def tally(a: str, b: str, verdict: Verdict, n: int = 1, source: Source = Source.HUMAN) -> Tally:
    return Tally(ModelId(a), ModelId(b), verdict, n, source)


def board_of(*tallies: Tally, **options: object) -> Leaderboard:
    return rate(tallies, {}, **({"rounds": 200} | options))  # type: ignore[arg-type]


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
    as_tie, dropped = board_of(*votes), board_of(*votes, both_bad="drop")
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
    with pytest.raises(BadInput, match="the anchor 'nobody' has no rating; rated: x, y"):
        board_of(tally("x", "y", TIE), anchor=(ModelId("nobody"), 1000.0))


def test_an_unbeaten_newcomer_gets_no_score_and_moves_nobody():
    votes = [tally("x", "y", A, 30), tally("x", "y", B, 20)]
    before, after = board_of(*votes), board_of(*votes, tally("new", "x", A))
    assert after.entries[:2] == before.entries
    newcomer = after.entries[2]
    assert (newcomer.score, newcomer.low, newcomer.rank) == (None, None, None)
    assert newcomer.provisional
    assert newcomer.reason == "has not lost a vote yet, so no finite score fits"
    assert (after.n_votes, after.dropped) == (50, {"a model that cannot be rated yet": 1})


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([tally("x", "new", A)], "has not won a vote yet, so no finite score fits"),
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


def test_sources_that_were_not_asked_for_are_left_out_and_counted():
    votes = (tally("x", "y", A), tally("x", "y", B), tally("x", "y", B, 9, Source.AI_JUDGE))
    board = board_of(*votes, sources=(Source.HUMAN,))
    assert (board.n_votes, board.dropped) == (2, {"source ai_judge is not asked for": 9})
    assert board_of(*votes, sources=(Source.HUMAN, Source.AI_JUDGE)).n_votes == 11


def test_no_vote_to_rate_is_an_error_that_says_why():
    with pytest.raises(NothingToRate, match="there is no vote to rate"):
        board_of()
    with pytest.raises(NothingToRate, match=r"no vote is left to rate: 3 left out \(source rule is not asked for\)"):
        board_of(tally("x", "y", A, 3, Source.RULE), sources=(Source.HUMAN,))


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


def test_a_record_brings_the_same_board_back():
    models = {ModelId("x"): Model(ModelId("x"), "Model X", organization="Maker")}
    votes = (tally("x", "y", TIE, 5), tally("x", "y", A), tally("z", "x", A))
    board = rate(votes, models, rounds=100)
    assert from_record(board.to_record(), models) == board


def test_the_record_has_the_promised_keys_and_reason_only_where_something_is_absent():
    record = board_of(tally("x", "y", A, 6), tally("x", "y", B, 5), tally("new", "x", A)).to_record()
    assert list(record) == ["method", "confidence", "rounds", "seed", "n_votes", "n_models", "dropped", "ratings"]
    promised = ["model", "score", "low", "high", "rank", "rank_low", "rank_high", "n_votes", "provisional"]
    assert [list(row) for row in record["ratings"]] == [promised, promised, [*promised, "reason"]]


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
        board = rate(votes, {}, rounds=20, seed=seed)
    except NothingToRate:
        assert all(each.model_a == each.model_b for each in votes)
        return
    assert board.n_votes + sum(board.dropped.values()) == n_all
    swapped = [Tally(each.model_b, each.model_a, each.verdict.swapped, each.n) for each in reversed(votes)]
    assert rate(swapped, {}, rounds=20, seed=seed) == board
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
