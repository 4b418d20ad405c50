from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from comparison_data import RowsOfItems, beats, counted, draw_comparisons, linked_rows, property_test, ties
from ratings import (
    Absent,
    BradleyTerry,
    Comparisons,
    Davidson,
    GroundedRaoKupper,
    InvalidComparisons,
    InvalidSetting,
    Outcome,
    RaoKupper,
    cluster_moves,
    fit,
)
from ratings.influence import (
    VotersToSwap,
    VotesOfAKind,
    VotesToSwap,
    fewest_voters_to_swap,
    fewest_votes_to_swap,
    swap_line,
    voters_moving,
)


def first_two(of_fit):
    leader, runner_up = np.argsort(-of_fit.strengths, kind="stable")[:2].tolist()
    return leader, runner_up


def swap(comparisons, of_fit, leader, runner_up, **settings) -> VotesToSwap:
    found = fewest_votes_to_swap(comparisons, of_fit, leader, runner_up, **settings)
    assert isinstance(found, VotesToSwap), found
    return found


def without(comparisons: Comparisons, kinds) -> Comparisons:
    """The comparisons without the votes of these kinds, taken out by hand; comparisons have one cell a pair."""
    counts = comparisons.counts.copy()
    for kind in kinds:
        pair = sorted((kind.item_a, kind.item_b))
        cell = np.flatnonzero((comparisons.first == pair[0]) & (comparisons.second == pair[1]))
        outcome = Outcome.B if kind.outcome is Outcome.A and kind.item_a > kind.item_b else kind.outcome
        counts[outcome, cell] -= kind.count
    assert (counts >= 0).all()
    kept = counts.sum(axis=0) > 0
    return Comparisons(comparisons.n_items, comparisons.first[kept], comparisons.second[kept], *counts[:, kept])


def drawn_with_ties(n_items, n_rows, seed):
    strengths = np.random.default_rng(seed).normal(0, 0.4, n_items)
    return draw_comparisons(strengths, n_rows, np.random.default_rng(seed + 1), tie_share=0.2)


def test_three_wins_to_one_turn_when_two_wins_go():
    # 1 : 1 is a gap of 0. The linear picture starts at p = 3/4: a win is worth (1 - p) / (4 p (1 - p)) = 1/3 of a
    # logit, and all three are worth less than the gap, ln 3.
    comparisons = counted(2, beats(0, 1, 3) + beats(1, 0))
    found = swap(comparisons, fit(comparisons), 0, 1)
    assert found.kinds == (VotesOfAKind(0, 1, Outcome.A, 2),)
    assert (found.n_votes, found.share, found.n_linear, found.is_confirmed) == (2, 0.5, None, True)
    assert found.gap == pytest.approx(np.log(3))
    assert found.gap_without == pytest.approx(0)
    unconfirmed = fewest_votes_to_swap(comparisons, fit(comparisons), 0, 1, confirm=False)
    assert isinstance(unconfirmed, Absent)
    assert "first order" in unconfirmed.reason


@property_test
@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 5))
def test_between_two_items_the_surplus_of_wins_must_go(more, wins, n_ties):
    # The strengths are equal when wins are; a tie speaks for the weaker and stays.
    assume(wins + n_ties > 0)
    comparisons = counted(2, beats(1, 0, wins + more) + beats(0, 1, wins) + ties(0, 1, n_ties))
    found = swap(comparisons, fit(comparisons), 1, 0)
    assert found.kinds == (VotesOfAKind(1, 0, Outcome.A, more),)


def test_votes_between_others_count_as_well():
    # 0 and 1 never met. Each met 2: 0 with 6 : 3, 1 with 3 : 3. A win of 0 is worth 1 / (n p) = 1/6, a loss of 2 to 1
    # does not help, a win of 2 over 1 is worth 1 / (6/2) = 1/3: so these go first, all 3 would be worth more than ln 2.
    comparisons = counted(3, beats(0, 2, 6) + beats(2, 0, 3) + beats(1, 2, 3) + beats(2, 1, 3))
    found = swap(comparisons, fit(comparisons), 0, 1)
    # Without one: ln 2 > ln 3/2; without two: ln 2 < ln 3.
    assert found.kinds == (VotesOfAKind(2, 1, Outcome.A, 2),)
    assert found.gap_without == pytest.approx(np.log(2) - np.log(3))
    assert found.n_linear == 3  # ceil(ln 2 / (1/3))


@pytest.mark.parametrize("likelihood", [BradleyTerry(), Davidson(), RaoKupper()])
@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_without_these_votes_the_order_turns_and_without_all_but_the_last_it_stays(likelihood, prior):
    comparisons = drawn_with_ties(6, 800, seed=3)
    whole = fit(comparisons, likelihood, prior=prior)
    leader, runner_up = first_two(whole)
    found = swap(comparisons, whole, leader, runner_up)
    assert sum(kind.count for kind in found.kinds) == found.n_votes > 2
    again = fit(without(comparisons, found.kinds), likelihood, prior=prior).strengths
    assert again[leader] <= again[runner_up]
    assert found.gap_without == pytest.approx(again[leader] - again[runner_up], abs=1e-7)
    last = found.kinds[-1]
    put_back = (*found.kinds[:-1], VotesOfAKind(last.item_a, last.item_b, last.outcome, last.count - 1))
    again = fit(without(comparisons, put_back), likelihood, prior=prior).strengths
    assert again[leader] > again[runner_up]


def test_the_grounded_model_may_lose_both_bad_votes_too():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 1500)
    b = (a + rng.integers(1, 4, 1500)) % 4
    outcome = rng.choice(4, 1500, p=[0.4, 0.3, 0.1, 0.2])
    comparisons = Comparisons.from_outcomes(4, a, b, outcome)
    whole = fit(comparisons, GroundedRaoKupper())
    leader, runner_up = first_two(whole)
    found = swap(comparisons, whole, leader, runner_up)
    again = fit(without(comparisons, found.kinds), GroundedRaoKupper()).strengths
    assert again[leader] <= again[runner_up]


def test_with_covariates_the_gap_is_that_at_equal_covariates():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 4, 400)
    b = (a + rng.integers(1, 4, 400)) % 4
    x = rng.normal(size=(400, 1))
    outcome = np.where(rng.random(400) < 1 / (1 + np.exp(-x[:, 0])), Outcome.A, Outcome.B)
    comparisons = Comparisons.from_outcomes(4, a, b, outcome, covariates=x)
    whole = fit(comparisons, ridge=1.0)
    leader, runner_up = first_two(whole)
    found = swap(comparisons, whole, leader, runner_up)
    assert found.is_confirmed
    assert found.gap_without is not None
    assert -0.05 < found.gap_without <= 1e-9


@property_test
@given(linked_rows(), st.integers(2, 5))
def test_votes_counted_several_times_need_as_many_times_the_votes(data: RowsOfItems, times):
    # Leaving out k times as many of k times the votes is the same fit, so the number lies above k times one less.
    once, often = counted(*data), counted(data.n_items, data.rows * times)
    whole = fit(once)
    leader, runner_up = first_two(whole)
    found, again = (fewest_votes_to_swap(votes, whole, leader, runner_up) for votes in (once, often))
    if isinstance(found, Absent):
        return  # between two of the coarse steps there may be a finer one
    assert isinstance(again, VotesToSwap)
    assert times * (found.n_votes - 1) < again.n_votes <= times * found.n_votes or found.n_votes == 0


@property_test
@given(linked_rows(), st.randoms(use_true_random=False))
def test_names_and_order_of_rows_do_not_matter(data: RowsOfItems, random):
    names = list(range(data.n_items))
    random.shuffle(names)
    rows = [(names[b], names[a], (Outcome.B, Outcome.A, Outcome.TIE)[how]) for a, b, how in data.rows]
    random.shuffle(rows)
    one, other = counted(*data), counted(data.n_items, rows)
    for i in range(data.n_items - 1):
        found = fewest_votes_to_swap(one, fit(one), i, i + 1)
        renamed = fewest_votes_to_swap(other, fit(other), names[i], names[i + 1])
        if isinstance(found, VotesToSwap) and found.n_linear is not None:
            assert isinstance(renamed, VotesToSwap)
            assert renamed.n_linear == found.n_linear


def test_with_many_votes_the_linear_number_is_nearly_right():
    comparisons = drawn_with_ties(12, 30_000, seed=0)
    for found in swap_line(comparisons, fit(comparisons), confirm=True):
        assert isinstance(found, VotesToSwap)
        assert found.n_linear is not None
        # Leaving out a tenth of the votes of a cell changes the information by about as much, and the count with it.
        assert abs(found.n_votes - found.n_linear) <= 1 + 0.15 * found.n_votes


@pytest.mark.parametrize("confirm", [False, True])
def test_the_line_holds_every_pair_of_neighbours(confirm):
    comparisons = drawn_with_ties(7, 2_000, seed=5)
    whole = fit(comparisons)
    order = np.argsort(-whole.strengths).tolist()
    line = swap_line(comparisons, whole, confirm=confirm)
    assert line == [fewest_votes_to_swap(comparisons, whole, *pair, confirm=confirm) for pair in pairwise(order)]
    assert all(isinstance(found, VotesToSwap) and found.is_confirmed == confirm for found in line)


def test_equals_need_no_vote():
    comparisons = counted(3, ties(0, 1, 3) + ties(1, 2))
    found = swap(comparisons, fit(comparisons), 2, 0)
    assert (found.n_votes, found.kinds, found.share, found.is_confirmed) == (0, (), 0.0, True)


def test_whoever_is_ahead_already_needs_no_vote():
    comparisons = counted(2, beats(0, 1, 3) + beats(1, 0))
    assert swap(comparisons, fit(comparisons), 1, 0).n_votes == 0


def test_no_number_where_the_rest_leaves_the_strengths_undetermined():
    # 0 against 2 with 50 : 49, 2 against 1 with 2 : 1. The wins of 2 over 1 are worth most, 1/2 each: without one of
    # them a gap of ln(50/49) is left, and without both 1 has never lost.
    comparisons = counted(3, beats(0, 2, 50) + beats(2, 0, 49) + beats(2, 1, 2) + beats(1, 2))
    found = fewest_votes_to_swap(comparisons, fit(comparisons), 0, 1)
    assert isinstance(found, Absent)
    assert "without the 2 most influential" in found.reason
    assert "undetermined" in found.reason


def test_a_third_item_left_without_a_win_does_not_stop_the_count():
    # 2 lost to 0 five times and won against 1 once: an upset that speaks for 0, worth more than a win of 0 over 1, so
    # it goes first. What is left of 2 are losses, without a finite strength; between 0 and 1 there are 12 : 10.
    comparisons = counted(3, beats(0, 1, 12) + beats(1, 0, 10) + beats(0, 2, 5) + beats(2, 1))
    found = swap(comparisons, fit(comparisons), 0, 1)
    assert found.kinds == (VotesOfAKind(2, 1, Outcome.A, 1), VotesOfAKind(0, 1, Outcome.A, 2))
    assert found.gap_without == pytest.approx(0)


def test_who_voted_makes_no_difference_and_weights_do():
    rows = beats(0, 1, 6) + beats(1, 0, 3)
    a, b, outcome = zip(*rows, strict=True)
    plain = Comparisons.from_outcomes(2, a, b, outcome)
    clustered = Comparisons.from_outcomes(2, a, b, outcome, clusters=np.arange(9) % 4)
    assert swap(clustered, fit(clustered), 0, 1) == swap(plain, fit(plain), 0, 1)
    # Three wins of weight 2 and three of weight 1 against three losses: two heavy ones and two light ones would do, but
    # heavy ones are worth more: three of them go, 3 : 3.
    weighted = Comparisons.from_outcomes(2, a, b, outcome, weights=[2.0] * 3 + [1.0] * 6)
    assert swap(weighted, fit(weighted), 0, 1).n_votes == 3


def test_the_voter_who_carries_the_first_place_is_named():
    # Voter 7 gives item 0 three wins; the other five voters are 2 : 3.
    rows = beats(0, 1, 3) + beats(0, 1, 2) + beats(1, 0, 3)
    a, b, outcome = zip(*rows, strict=True)
    comparisons = Comparisons.from_outcomes(2, a, b, outcome, clusters=[7, 7, 7, 1, 2, 3, 4, 5])
    found = fewest_voters_to_swap(comparisons, fit(comparisons), 0, 1)
    assert isinstance(found, VotersToSwap)
    assert (found.voters, found.n_votes, found.is_confirmed) == ((7,), 3, True)
    assert found.share == pytest.approx(1 / 6)
    assert found.gap_without == pytest.approx(np.log(2 / 3))


def drawn_with_voters(n_items, n_voters, seed, **optional):
    rng = np.random.default_rng(seed)
    taste = rng.normal(0, 1.0, (n_voters, n_items))
    voter = rng.integers(0, n_voters, 40 * n_voters)
    a = rng.integers(0, n_items, len(voter))
    b = (a + rng.integers(1, n_items, len(voter))) % n_items
    outcome = np.where(rng.random(len(voter)) < 1 / (1 + np.exp(taste[voter, b] - taste[voter, a])), 0, 1)
    return Comparisons.from_outcomes(n_items, a, b, outcome, clusters=3 * voter + 1, **optional)


def given_by(comparisons, voters):
    """Which cells these voters gave."""
    assert comparisons.clusters is not None
    return np.isin(comparisons.clusters, voters)


def test_without_these_voters_the_order_turns_and_with_the_last_of_them_it_stays():
    comparisons = drawn_with_voters(5, 40, seed=2)
    whole = fit(comparisons)
    leader, runner_up = first_two(whole)
    found = fewest_voters_to_swap(comparisons, whole, leader, runner_up, moves=cluster_moves(comparisons, whole))
    assert isinstance(found, VotersToSwap)
    assert found == fewest_voters_to_swap(comparisons, whole, leader, runner_up)
    for voters, turns in ((found.voters, True), (found.voters[:-1], False)):
        again = fit(comparisons.taking(~given_by(comparisons, voters))).strengths
        assert (again[leader] <= again[runner_up]) == turns
    assert found.n_votes == comparisons.cell_counts[given_by(comparisons, found.voters)].sum()


def test_moves_of_voters_are_those_of_refits_without_them():
    comparisons = drawn_with_voters(4, 60, seed=4)
    whole = fit(comparisons)
    moved = voters_moving(whole, cluster_moves(comparisons, whole))
    assert (moved.leader, moved.runner_up) == first_two(whole)
    for row in (0, 17, 59):
        again = fit(comparisons.taking(~given_by(comparisons, [3 * row + 1]))).strengths
        gap = whole.strengths - again
        # One voter in sixty: the move itself is a sixtieth, what first order leaves out a share like that of it.
        assert moved.gap[row] == pytest.approx(gap[moved.leader] - gap[moved.runner_up], abs=0.005)


def test_the_largest_move_is_over_rated_items_only():
    comparisons = counted(3, ties(0, 1) + ties(1, 2))
    moves = np.array([[0.1, -0.3, 0.9], [0.0, 0.4, 0.3]])
    moved = voters_moving(fit(comparisons), moves, pair=(1, 0))
    assert moved.gap == pytest.approx([-0.4, 0.4])
    assert moved.largest.tolist() == [0.9, 0.4]
    assert moved.largest_item.tolist() == [2, 1]
    assert moved.root_mean_square == pytest.approx(np.sqrt([0.91 / 3, 0.25 / 3]))
    rated = voters_moving(fit(comparisons), moves, items=np.array([0, 1]))
    assert rated.largest_item.tolist() == [1, 1]
    assert {rated.leader, rated.runner_up} == {0, 1}


@pytest.mark.parametrize("pair", [(0, 0), (0, 2), (-1, 0)])
def test_unknown_items_are_refused(pair):
    comparisons = counted(2, ties(0, 1))
    with pytest.raises(InvalidSetting, match=r"leader|runner_up"):
        fewest_votes_to_swap(comparisons, fit(comparisons), *pair)


def test_faults_are_named():
    half = Comparisons.from_outcomes(2, [0, 1], [1, 0], [0, 0], counts=[1.5, 1.0])
    with pytest.raises(InvalidComparisons, match=r"1\.5"):
        fewest_votes_to_swap(half, fit(half), 0, 1)
    with pytest.raises(InvalidComparisons, match="clusters"):
        fewest_voters_to_swap(half, fit(half), 0, 1)
    with pytest.raises(InvalidSetting, match="shape of moves"):
        voters_moving(fit(half), np.zeros((3, 5)))
    clustered = drawn_with_voters(3, 5, seed=0)
    with pytest.raises(InvalidSetting, match="number of rows of moves"):
        fewest_voters_to_swap(clustered, fit(clustered), 0, 1, moves=np.zeros((4, 3)))
    with pytest.raises(InvalidSetting, match="items"):
        voters_moving(fit(half), np.zeros((3, 2)), items=np.array([5]))


def test_a_single_item_has_no_line():
    comparisons = Comparisons.from_outcomes(1, [], [], [])
    assert swap_line(comparisons, fit(comparisons)) == []
