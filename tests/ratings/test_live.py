from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import RowsOfItems, beats, counted, draw_comparisons, linked_rows, property_test, ties
from ratings import (
    Absent,
    Comparisons,
    Interval,
    InvalidComparisons,
    Outcome,
    clustered_sandwich,
    fit_bradley_terry,
    rateable_groups,
    sandwich,
    strength_intervals,
)
from ratings.live import REFRESH_MOVE, LiveBoard, LiveRatings

A, B, TIE, BOTH_BAD = Outcome
THREE_ROUND = beats(0, 1, 3) + beats(1, 2, 2) + beats(2, 0, 2) + ties(0, 1)


def nothing(n_items):
    return counted(n_items, [])


def same_as_from_scratch(board: LiveBoard, comparisons: Comparisons):
    """The board is that of `fit_bradley_terry` and `sandwich` for the group that `rateable_groups` puts first."""
    group = rateable_groups(comparisons)[0]
    inside = comparisons.restricted_to(group)
    found = fit_bradley_terry(inside)
    covariance = sandwich(inside, found)
    assert board.group == group
    assert board.strengths == pytest.approx(found.strengths, abs=1e-8)
    assert board.fit.n_comparisons == inside.n_comparisons
    assert board.n_waiting == comparisons.n_comparisons - inside.n_comparisons
    assert board.covariance.fragile == covariance.fragile
    assert board.covariance.n_units == covariance.n_units
    assert board.covariance.degrees == pytest.approx(covariance.degrees)
    assert board.covariance.gauge == pytest.approx(covariance.gauge)
    assert board.covariance.n_units_of == pytest.approx(covariance.n_units_of)
    assert board.covariance.matrix == pytest.approx(covariance.matrix, rel=1e-7, abs=1e-9)
    for live, whole in zip(
        board.intervals(confidence=0.95), strength_intervals(found, covariance, confidence=0.95), strict=True
    ):
        assert type(live) is type(whole)
        if isinstance(live, Interval) and isinstance(whole, Interval):
            assert (live.low, live.high) == pytest.approx((whole.low, whole.high), rel=1e-7, abs=1e-7)


# By vote


def test_after_each_vote_the_board_is_the_one_computed_from_scratch():
    rng = np.random.default_rng(0)
    live, rows = LiveRatings(nothing(6)), []
    strengths = rng.normal(0, 1, 6)
    for _ in range(120):
        a, b = rng.choice(6, 2, replace=False).tolist()
        p = 1 / (1 + np.exp(strengths[b] - strengths[a]))
        outcome = TIE if rng.random() < 0.2 else (A if rng.random() < p else B)
        rows.append((a, b, outcome))
        live.add(a, b, outcome)
        same_as_from_scratch(live.ratings(), counted(6, rows))
    assert live.ratings().group == (0, 1, 2, 3, 4, 5)


@property_test
@given(linked_rows(), st.integers(0, 40))
def test_votes_at_once_and_one_by_one_give_the_same_board(rows: RowsOfItems, cut: int):
    live = LiveRatings(counted(rows.n_items, rows.rows[:cut]))
    live.ratings()
    for vote in rows.rows[cut:]:
        live.add(*vote)
    same_as_from_scratch(live.ratings(), counted(rows.n_items, rows.rows))


@property_test
@given(linked_rows(), st.randoms(use_true_random=False))
def test_the_order_of_votes_and_of_looks_does_not_matter(rows: RowsOfItems, chance):
    votes = list(rows.rows)
    chance.shuffle(votes)
    live = LiveRatings(nothing(rows.n_items))
    for vote in votes:
        live.add(*vote)
        if chance.random() < 0.3:
            live.ratings()
    same_as_from_scratch(live.ratings(), counted(rows.n_items, rows.rows))


def test_a_million_votes_and_one_more():
    # One vote among 1,000,000 moves the strengths by some 1e-4; the board has to follow that, to 1e-8.
    rng = np.random.default_rng(1)
    comparisons = draw_comparisons(rng.normal(0, 0.8, 40), 1_000_000, rng, tie_share=0.2)
    live = LiveRatings(comparisons)
    before = live.ratings()
    live.add(0, 1, A)
    after = live.ratings()
    assert 1e-6 < after.strengths[0] - before.strengths[0] < 1e-3
    counts = comparisons.counts.copy()
    assert (comparisons.first[0], comparisons.second[0]) == (0, 1)
    counts[A, 0] += 1
    same_as_from_scratch(after, Comparisons(40, comparisons.first, comparisons.second, *counts))


def test_many_votes_between_two_looks_are_no_harder_than_one():
    # With twice the votes, steps by the old inverse no longer come closer: 1 - 2 = -1 times the error before.
    live, rows = LiveRatings(counted(3, THREE_ROUND)), list(THREE_ROUND)
    for more in (THREE_ROUND, beats(2, 0, 500), beats(0, 2, 5000)):
        live.ratings()
        rows += more
        for vote in more:
            live.add(*vote)
        same_as_from_scratch(live.ratings(), counted(3, rows))


def test_a_million_wins_to_one_keep_their_digits():
    # Two items: the distance is ln(1,000,000).
    comparisons = Comparisons(2, np.array([0]), np.array([1]), np.array([1e6]), np.array([0.0]), np.array([0.0]))
    live = LiveRatings(comparisons)
    live.add(0, 1, B)
    board = live.ratings()
    assert board.strengths[0] - board.strengths[1] == pytest.approx(np.log(1e6), abs=1e-8)


def test_three_wins_to_one_are_the_log_of_three_apart():
    live = LiveRatings(nothing(2))
    for winner in (A, A, B, A):
        live.add(0, 1, winner)
    assert live.ratings().strengths == pytest.approx([np.log(3) / 2, -np.log(3) / 2])


# Who is rated


def test_an_unbeaten_newcomer_waits_and_moves_nobody():
    live = LiveRatings(counted(4, THREE_ROUND))
    before = live.ratings()
    live.add(3, 0, A)
    live.add(3, 1, A)
    board = live.ratings()
    assert (board.group, board.n_votes, board.n_waiting) == ((0, 1, 2), 8, 2)
    assert live.n_votes == 10
    assert board.strengths == pytest.approx(before.strengths, abs=1e-10)
    live.add(2, 3, TIE)
    board = live.ratings()
    assert (board.group, board.n_votes, board.n_waiting) == ((0, 1, 2, 3), 11, 0)


def test_the_group_with_the_most_votes_is_rated_also_when_that_changes_without_a_new_link():
    rows = ties(0, 1, 3) + ties(2, 3, 2)
    live = LiveRatings(counted(4, rows))
    assert live.ratings().group == (0, 1)
    for n_more, group in ((1, (0, 1)), (2, (2, 3))):
        live.add(2, 3, TIE)
        assert live.ratings().group == group
        same_as_from_scratch(live.ratings(), counted(4, rows + ties(2, 3, n_more)))


def test_two_groups_that_a_tie_links_become_one():
    rows = ties(0, 1, 5) + ties(2, 3, 2) + beats(0, 2)
    live = LiveRatings(counted(4, rows))
    assert live.ratings().group == (0, 1)
    live.add(3, 1, TIE)
    assert live.ratings().group == (0, 1, 2, 3)
    same_as_from_scratch(live.ratings(), counted(4, rows + ties(1, 3)))


def test_a_link_by_a_single_vote_has_no_interval_until_two_more_confirm_it():
    live = LiveRatings(counted(3, beats(0, 1, 4) + beats(1, 0, 3) + ties(1, 2)))
    lonely = live.ratings()
    assert lonely.group == (0, 1, 2)
    assert lonely.standard_errors[2] == np.inf
    assert isinstance(lonely.intervals(confidence=0.95)[2], Absent)
    live.add(2, 1, B)
    twice = live.ratings()
    assert np.isfinite(twice.standard_errors[2])
    assert isinstance(twice.intervals(confidence=0.95)[2], Absent)  # one degree of freedom tells nothing
    live.add(2, 1, B)
    assert isinstance(live.ratings().intervals(confidence=0.95)[2], Interval)


@pytest.mark.parametrize("n_items", [0, 1, 3])
def test_where_nobody_has_met_nobody_is_rated(n_items):
    board = LiveRatings(nothing(n_items)).ratings()
    assert board.group == ((0,) if n_items else ())
    assert (board.n_votes, board.n_waiting) == (0, 0)
    assert all(isinstance(each, Absent) for each in board.intervals(confidence=0.95))


def test_a_board_that_was_given_does_not_change_with_later_votes():
    live = LiveRatings(counted(3, THREE_ROUND))
    board = live.ratings()
    strengths, matrix = board.strengths.copy(), board.covariance.matrix.copy()
    for _ in range(5):
        live.add(2, 0, A)
        live.ratings()
    assert (board.strengths == strengths).all()
    assert (board.covariance.matrix == matrix).all()


# By voter


def crowd(n_items, n_votes, n_voters, seed):
    """Votes by voters with tastes of their own, some of whom vote much more often: item_a, item_b, outcome, voter."""
    rng = np.random.default_rng(seed)
    strengths, tastes = rng.normal(0, 0.7, n_items), rng.normal(0, 0.7, (n_voters, n_items))
    voter = (n_voters * rng.random(n_votes) ** 1.5).astype(np.int64)
    a = rng.integers(0, n_items, n_votes)
    b = (a + rng.integers(1, n_items, n_votes)) % n_items
    logit = (strengths + tastes[voter])[np.arange(n_votes), a] - (strengths + tastes[voter])[np.arange(n_votes), b]
    return a, b, np.where(rng.random(n_votes) < 1 / (1 + np.exp(-logit)), A, B), voter


def of_crowd(n_items, columns, n):
    a, b, outcome, voter = (column[:n] for column in columns)
    return Comparisons.from_outcomes(n_items, a, b, outcome, clusters=voter)


def add_all(live, columns, start, end):
    for a, b, outcome, voter in zip(*(column[start:end].tolist() for column in columns), strict=True):
        live.add(a, b, Outcome(outcome), cluster=voter)


def widths(intervals):
    assert all(isinstance(each, Interval) for each in intervals)
    return np.array([each.high - each.low for each in intervals])


def test_just_measured_intervals_by_voter_are_those_of_the_clustered_sandwich():
    columns = crowd(8, 2000, 30, seed=0)
    live = LiveRatings(of_crowd(8, columns, 1500))
    live.ratings()
    add_all(live, columns, 1500, 2000)
    live.refresh()
    board = live.ratings()
    whole = of_crowd(8, columns, 2000)
    found = fit_bradley_terry(whole.by_pair())
    covariance = clustered_sandwich(whole, found)
    assert board.strengths == pytest.approx(found.strengths, abs=1e-8)
    assert board.standard_errors == pytest.approx(covariance.standard_errors, rel=1e-7)
    assert board.covariance.degrees == pytest.approx(covariance.degrees, rel=1e-6)
    assert (board.covariance.n_units, board.covariance.is_clustered) == (covariance.n_units, True)
    assert board.covariance.n_units_of == pytest.approx(covariance.n_units_of)
    by_vote = sandwich(whole.by_pair(), found)
    effects = np.diagonal(covariance.matrix) / np.diagonal(by_vote.matrix)
    assert board.design_effects == pytest.approx(effects, rel=1e-6)
    assert effects.mean() > 2  # the voters' tastes are plain to see, otherwise this tests nothing


def is_measured_at(board, whole):
    """Whether the board's intervals are those of a measurement now, not of one before."""
    found = fit_bradley_terry(whole.by_pair())
    return bool(np.allclose(board.standard_errors, clustered_sandwich(whole, found).standard_errors, rtol=1e-6))


def full_and_alone(whole):
    """Widths by cluster and by vote, computed from scratch."""
    found = fit_bradley_terry(whole.by_pair())
    return (
        widths(strength_intervals(found, clustered_sandwich(whole, found), confidence=0.95)),
        widths(strength_intervals(found, sandwich(whole.by_pair(), found), confidence=0.95)),
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_between_measurements_widths_by_voter_are_off_by_a_percent_and_right_on_average(seed):
    # Votes grow by 4.5 %, below the twentieth at which effects are measured again; they come from the same voters.
    columns = crowd(12, 20_900, 800, seed)
    live = LiveRatings(of_crowd(12, columns, 20_000))
    live.ratings()
    add_all(live, columns, 20_000, 20_900)
    board = live.ratings()
    whole = of_crowd(12, columns, 20_900)
    assert not is_measured_at(board, whole)
    full, alone = full_and_alone(whole)
    live_widths = widths(board.intervals(confidence=0.95))
    assert live_widths == pytest.approx(full, rel=0.03)
    assert np.abs(live_widths / full - 1).mean() < 0.015
    # Each voter has 4.5 % more votes, so effects of 1.5 grow by 1.5 %: nothing of that is missing on average.
    assert np.mean(live_widths / full) == pytest.approx(1, abs=0.006)
    assert np.mean(full / alone) > 1.15


def test_votes_by_new_voters_leave_the_effects_as_they_are():
    # As many votes a voter as before: 5 % more votes, and 5 % more voters.
    columns = crowd(12, 20_000, 800, seed=5)
    a, b, outcome, voter = crowd(12, 1000, 40, seed=5)
    live = LiveRatings(of_crowd(12, columns, 20_000))
    before = live.ratings().design_effects
    add_all(live, (a, b, outcome, voter + 800), 0, 1000)
    assert live.ratings().design_effects == pytest.approx(before, rel=0.02)


def test_one_voter_who_gives_all_new_votes_widens_the_intervals():
    # 20,000 votes of 800 voters: a vote has on average m = 33 votes of its voter (25 with equal voters). 264 votes of
    # one more voter make it (20,000 * 33 + 264^2) / 20,264 = 36. Everybody beats everybody twice and hardly moves.
    columns = crowd(12, 20_000, 800, seed=6)
    live = LiveRatings(of_crowd(12, columns, 20_000))
    before = live.ratings().design_effects
    for a, b in list(permutations(range(12), 2)) * 2:
        live.add(a, b, A, cluster=800)
    after = live.ratings().design_effects
    sizes = np.append(np.bincount(columns[3]), 264)
    m_before, m_after = (sizes[:-1] ** 2).sum() / 20_000, (sizes**2).sum() / 20_264
    assert (m_before, m_after) == pytest.approx((33, 36), abs=1)
    assert before is not None
    assert (before > 1).all()
    assert after == pytest.approx(1 + (before - 1) * (m_after - 1) / (m_before - 1))


def test_effects_are_measured_again_when_votes_have_grown_by_a_twentieth():
    columns = crowd(4, 10_600, 100, seed=3)
    live = LiveRatings(of_crowd(4, columns, 10_000))
    live.ratings()
    measured = []
    for n in range(10_000, 10_600, 100):
        add_all(live, columns, n, n + 100)
        measured.append(is_measured_at(live.ratings(), of_crowd(4, columns, n + 100)))
    assert measured == [False] * 5 + [True]  # at 10,500 they have grown by a twentieth, and not by more


def test_effects_are_measured_again_when_a_strength_has_moved():
    columns = crowd(4, 2000, 100, seed=4)
    live = LiveRatings(of_crowd(4, columns, 2000))
    first = live.ratings()
    a, b, outcome, voter = columns
    for n in range(1, 100):  # below a twentieth of the votes
        live.add(0, 1, A, cluster=0)
        board = live.ratings()
        whole = Comparisons.from_outcomes(
            4,
            *(np.append(column, [new] * n) for column, new in ((a, 0), (b, 1), (outcome, A))),
            clusters=np.append(voter, [0] * n),
        )
        moved = np.abs(board.strengths - first.strengths).max()
        assert is_measured_at(board, whole) == (moved > REFRESH_MOVE)
        if moved > REFRESH_MOVE:
            return
    pytest.fail("nothing moved")


def test_effects_are_measured_again_when_a_newcomer_joins_the_group():
    columns = crowd(5, 4000, 50, seed=4)
    live = LiveRatings(of_crowd(6, columns, 4000))
    assert live.ratings().group == (0, 1, 2, 3, 4)
    for voter in range(3):
        live.add(5, 0, TIE, cluster=voter)
    board = live.ratings()
    assert board.group == (0, 1, 2, 3, 4, 5)
    assert board.design_effects is not None
    assert board.design_effects.shape == (6,)


def test_a_link_that_one_voter_holds_has_no_interval_by_voter():
    rows = beats(0, 1, 4) + beats(1, 0, 3)
    live = LiveRatings(
        Comparisons.from_outcomes(3, *zip(*rows, strict=True), clusters=range(len(rows)))  # each by somebody else
    )
    for _ in range(4):
        live.add(1, 2, TIE, cluster=99)
    board = live.ratings()
    assert isinstance(board.intervals(confidence=0.95)[2], Absent)
    live.add(1, 2, TIE, cluster=100)
    live.refresh()
    assert isinstance(live.ratings().intervals(confidence=0.95)[2], Interval)


def test_a_voter_for_each_vote_gives_the_board_by_vote():
    rows = THREE_ROUND * 3
    alone, each = LiveRatings(counted(3, rows)), LiveRatings(of_crowd(3, (*np.array(rows).T, np.arange(len(rows))), 99))
    assert each.ratings().standard_errors == pytest.approx(alone.ratings().standard_errors, rel=1e-3)
    assert alone.ratings().design_effects is None


# Refusals


@pytest.mark.parametrize(
    ("vote", "cluster", "message"),
    [
        ((3, 0, A), None, r"item_a is 3; accepted: the items 0 to 2\."),
        ((0, -1, A), None, r"item_b is -1; accepted: the items 0 to 2\."),
        ((0, True, A), None, "item_b is True"),
        ((1, 1, A), None, r"item_b is 1; accepted: an item other than item_a\."),
        ((0, 1, BOTH_BAD), None, r"outcome is <Outcome.BOTH_BAD: 3>; accepted: 0 \(A\), 1 \(B\), 2 \(TIE\)\."),
        ((0, 1, "A"), None, "outcome is 'A'"),
        ((0, 1, A), 4, "cluster is 4; accepted: None"),
    ],
)
def test_a_vote_that_is_none_is_refused_and_counts_nowhere(vote, cluster, message):
    live = LiveRatings(counted(3, THREE_ROUND))
    with pytest.raises(InvalidComparisons, match=message):
        live.add(*vote, cluster=cluster)
    assert live.n_votes == len(THREE_ROUND)
    same_as_from_scratch(live.ratings(), counted(3, THREE_ROUND))


@pytest.mark.parametrize("cluster", [None, -1, "ann", 1.0])
def test_among_votes_by_voter_one_without_is_refused(cluster):
    live = LiveRatings(of_crowd(3, crowd(3, 50, 5, seed=0), 50))
    with pytest.raises(InvalidComparisons, match=r"cluster is .*; accepted: a number from 0"):
        live.add(0, 1, A, cluster=cluster)
    assert live.n_votes == 50


def test_comparisons_that_live_ratings_cannot_follow_are_refused():
    rows = np.array([0]), np.array([1])
    for comparisons, message in (
        (Comparisons.from_outcomes(2, *rows, [A], weights=[2.0]), "weights is 'given'"),
        (Comparisons.from_outcomes(2, *rows, [A], covariates=[[1.0]]), "covariates is 'given'"),
        (Comparisons.from_outcomes(2, *rows, [BOTH_BAD]), "both_bad is 'counted'"),
    ):
        with pytest.raises(InvalidComparisons, match=message):
            LiveRatings(comparisons)
