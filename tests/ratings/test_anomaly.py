import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from comparison_data import property_test
from ratings.anomaly import MOST_ODDS, audit_voters
from ratings.comparisons import Outcome
from ratings.errors import InvalidComparisons, InvalidSetting

A, B, TIE = Outcome.A, Outcome.B, Outcome.TIE


class Votes(NamedTuple):
    """Columns of votes, in the order in which audit_voters takes them."""

    voter: NDArray[np.int64]
    item_a: NDArray[np.int64]
    item_b: NDArray[np.int64]
    outcome: NDArray[np.int64]

    def followed_by(self, others):
        return Votes(*(np.concatenate(columns) for columns in zip(self, others, strict=True)))

    def at(self, rows):
        return Votes(*(column[rows] for column in self))


def draw_votes(strengths, voters, rng, *, ties):
    """One honest vote of each of the voters given, on a pair drawn at random."""
    n, n_items = len(voters), len(strengths)
    item_a = rng.integers(0, n_items, n)
    item_b = (item_a + rng.integers(1, n_items, n)) % n_items
    a_wins = rng.random(n) < 1 / (1 + np.exp(strengths[item_b] - strengths[item_a]))
    outcome = np.where(rng.random(n) < ties, TIE, np.where(a_wins, A, B))
    return Votes(np.asarray(voters), item_a, item_b, outcome)


def draw_rigged(item, n_items, voter, n, rng, *, favours):
    """Votes of one voter on pairs with the item, on either side, that all go its way, or all against it."""
    other = (item + rng.integers(1, n_items, n)) % n_items
    is_a = rng.random(n) < 0.5
    outcome = np.where(is_a == favours, A, B)
    return Votes(np.full(n, voter), np.where(is_a, item, other), np.where(is_a, other, item), outcome)


def audit(n_items, votes, **settings):
    return audit_voters(n_items, *votes, **settings)


def share_below(level, audits):
    return np.mean([one.p_value <= level for one in audits])


def test_honest_voters_have_small_p_values_no_more_often_than_they_say():
    # 400 voters with 40 votes each. Allowed is 0.05, with a standard error of sqrt(0.05 * 0.95 / 400) = 0.011. The same
    # at 0.5, where a level that is wrong would have room to show: 0.5 + 3 * 0.025. With q-values nobody is flagged in
    # at least 95 of 100 such sets.
    rng = np.random.default_rng(0)
    votes = draw_votes(rng.normal(0, 0.7, 20), rng.permutation(np.repeat(np.arange(400), 40)), rng, ties=0.3)
    audits = audit(20, votes)
    assert [one.n_votes for one in audits] == [40] * 400
    assert all(one.item is not None for one in audits)
    assert share_below(0.05, audits) < 0.05 + 3 * 0.011
    assert share_below(0.5, audits) < 0.5 + 3 * 0.025
    assert not any(one.flagged for one in audits)


def test_few_voters_with_many_votes_on_few_pairs_are_not_held_against_each_other():
    # Three voters with 60 votes on six pairs: each vote is held against about twenty others, and so are nine more by
    # the same voter. If those two others happen to agree, that must not flag the third. In 200 rounds of 3 voters a
    # share of 0.05 has a standard error of sqrt(0.05 * 0.95 / 600) = 0.009; three of them above is 0.077.
    rng = np.random.default_rng(2)
    found = []
    for _ in range(200):
        votes = draw_votes(rng.normal(0, 0.7, 4), rng.permutation(np.repeat(np.arange(3), 60)), rng, ties=0.3)
        found.append(share_below(0.05, audit(4, votes)))
    assert np.mean(found) < 0.077


def test_a_single_vote_of_somebody_else_condemns_nobody():
    # Of 31 votes on a pair, 30 are one voter's and agree. That the odd one is the other's has chance 1 / 31 if all are
    # alike. Seen from the other side it is one vote, and no vote counts for more than odds of 20: 2 directions / 20 is
    # the least that p can be.
    other = Votes(*(np.array([value]) for value in (0, 0, 1, B)))
    votes = other.followed_by(Votes(np.ones(30, int), np.zeros(30, int), np.ones(30, int), np.full(30, A)))
    assert audit(2, votes)[1].p_value >= 2 / MOST_ODDS


def pair_of_two(first, second):
    """(won, tied, lost) of item 0 against item 1 in the votes of voter 0, and in those of voter 1."""
    outcome = np.concatenate([np.repeat([A, TIE, B], counts) for counts in (first, second)])
    n = len(outcome)
    return Votes(np.repeat([0, 1], [sum(first), sum(second)]), np.zeros(n, int), np.ones(n, int), outcome)


def chance_by_counting(first, second):
    """That so many votes as voter 0 has, drawn from all without replacement, give item 0 as many points or more."""
    n, (wins, ties, losses) = sum(first), np.add(first, second).tolist()
    ways = [
        math.comb(wins, won) * math.comb(ties, tied) * math.comb(losses, n - won - tied)
        for won in range(n + 1)
        for tied in range(n + 1 - won)
        if 2 * won + tied >= 2 * first[0] + first[1]
    ]
    return sum(ways) / math.comb(wins + ties + losses, n)


COUNTS = st.tuples(*[st.integers(0, 9)] * 3)


@property_test
@given(COUNTS, COUNTS)
def test_the_p_value_is_never_below_the_chance_itself(first, second):
    # One pair, so two items with one and the same surprise, each with half of the weight: 2 directions * 2 items.
    assume(sum(first) >= 5 and sum(second) > 0)
    one = audit(2, pair_of_two(first, second))[0]
    chances = chance_by_counting(first, second), chance_by_counting(first[::-1], second[::-1])
    assert one.p_value >= min(4 * min(chances), 1.0) * (1 - 1e-9)


def test_the_p_value_is_the_least_of_the_bounds():
    # 10 : 0 beside 10 : 10 of the other: the pool is 20 : 10. For one s the bound is ((2 + e^-s) / 3)^10, falling in s
    # to (2.05 / 3)^10 = 0.0222 at e^s = 20; times 2 directions and 2 items.
    one = audit(2, pair_of_two((10, 0, 0), (10, 0, 10)))[0]
    assert one.p_value == pytest.approx(4 * (2.05 / 3) ** 10, rel=1e-3)
    # With as much on both sides the mean is what is seen, and nothing is bounded below 1.
    assert audit(2, pair_of_two((5, 2, 5), (5, 2, 5)))[0].p_value == 1.0


@pytest.mark.parametrize("favours", [True, False])
def test_who_always_votes_for_one_item_or_against_it_is_found(favours):
    # Item 7 is average, so honest votes give it 0, 1/2, 1 with chances 0.35, 0.3, 0.35. The bound for forty wins is
    # (0.35 + 0.3 / sqrt(20) + 0.35 / 20)^40 = 1e-15 against honest votes alone.
    hits, named = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        strengths = rng.normal(0, 0.7, 20)
        strengths[7] = 0.0
        votes = draw_votes(strengths, rng.permutation(np.repeat(np.arange(400), 40)), rng, ties=0.3)
        for rigger in range(400, 410):
            votes = votes.followed_by(draw_rigged(7, 20, rigger, 40, rng, favours=favours))
        riggers = audit(20, votes)[400:]
        hits += [one.flagged for one in riggers]
        named += [(one.item, one.favours) == (7, favours) for one in riggers if one.flagged]
    assert np.mean(hits) >= 0.95
    assert np.mean(named) > 0.95


def test_votes_for_one_item_are_found_among_as_many_honest_ones_by_the_same_voter():
    # A few riggers only: when they cast half of all votes on the item, theirs is what the others do.
    hits = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        strengths = np.append(np.zeros(1), rng.normal(0, 0.7, 19))
        votes = draw_votes(strengths, rng.permutation(np.repeat(np.arange(400), 40)), rng, ties=0.3)
        for rigger in range(400, 404):
            honest = draw_votes(strengths, np.full(40, rigger), rng, ties=0.3)
            mixed = draw_rigged(0, 20, rigger, 40, rng, favours=True).followed_by(honest)
            votes = votes.followed_by(mixed.at(rng.permutation(80)))
        hits += [one.flagged for one in audit(20, votes)[400:]]
    assert np.mean(hits) >= 0.95


def test_a_flag_says_what_was_seen_and_what_was_due():
    # Others gave item 0 one vote in four against item 1, the voter gives it all of twelve.
    others = Votes(np.arange(400), np.zeros(400, int), np.ones(400, int), np.where(np.arange(400) % 4, B, A))
    voter = Votes(np.full(12, 999), np.ones(12, int), np.zeros(12, int), np.full(12, B))
    found = audit(2, others.followed_by(voter))[-1]
    assert (found.voter, found.n_votes, found.flagged) == (999, 12, True)
    # Favouring 0 and disfavouring 1 are the same here, and either may be named.
    assert (found.item, found.favours, found.reason) in [
        (0, True, reason(0, 12, 3.0)),
        (1, False, reason(1, 0, 9.0)),
    ]


def reason(item, points, due):
    return (
        f"item {item} got {points} of 12 points in this voter's votes (a tie is half a point), "
        f"where the votes of others give it about {due}"
    )


def unbeaten(n):
    """Votes of n voters, one each, that all go to item 0 against item 1."""
    return Votes(np.arange(n), np.zeros(n, int), np.ones(n, int), np.full(n, A))


@pytest.mark.parametrize("outcome", [A, B, TIE])
def test_a_voter_with_one_vote_is_never_flagged(outcome):
    # Not even for the first tie, or loss, after a thousand wins: with p = 0 for such a vote one would be enough.
    votes = unbeaten(1000).followed_by(Votes(*(np.array([value]) for value in (1000, 0, 1, outcome))))
    audits = audit(2, votes)
    assert not any(one.flagged for one in audits)
    assert {one.p_value for one in audits} == {one.q_value for one in audits} == {1.0}


@pytest.mark.parametrize("odd", [TIE, B])
def test_one_honest_surprise_on_a_pair_without_losses_flags_nobody(odd):
    # A loss where all others won is one vote, which counts for no more than odds of 20: p >= 2 directions / 20.
    for n in (5, 10, 40):
        outcome = np.full(n, A)
        outcome[n // 2] = odd
        votes = unbeaten(1000).followed_by(Votes(np.full(n, 1000), np.zeros(n, int), np.ones(n, int), outcome))
        assert audit(2, votes)[-1].p_value >= 2 / MOST_ODDS


def test_who_votes_as_everybody_does_has_a_p_value_of_1():
    everybody = Votes(*(np.tile(column, 10) for column in unbeaten(300)))
    assert {one.p_value for one in audit(2, everybody)} == {1.0}


def test_who_was_never_compared_is_not_judged_and_told_why():
    # Voter 0 alone has voted on the pair of 0 and 1; voters 1 and 2 have met on another pair, four times each.
    alone = Votes(np.zeros(50, int), np.zeros(50, int), np.ones(50, int), np.full(50, A))
    few = Votes(np.repeat([1, 2], 4), np.full(8, 2), np.full(8, 3), np.repeat([A, B], 4))
    for one in audit(4, alone.followed_by(few)):
        assert (one.flagged, one.p_value, one.q_value, one.item, one.favours) == (False, 1.0, 1.0, None, None)
        assert one.reason == "on no item 5 votes or more that can be compared with the votes of others"


def test_q_values_are_those_of_benjamini_and_hochberg_over_the_voters_judged():
    # A level that nobody reaches: whoever is flagged is taken out before the others are compared once more.
    rng = np.random.default_rng(4)
    votes = draw_votes(rng.normal(0, 0.7, 10), rng.permutation(np.repeat(np.arange(100), 30)), rng, ties=0.3)
    for rigger in range(100, 110):
        votes = votes.followed_by(draw_rigged(0, 10, rigger, 40, rng, favours=True))
    votes = votes.followed_by(draw_votes(np.zeros(10), [500], rng, ties=0.0))
    audits = audit(10, votes, false_share=1e-200)
    judged = [one for one in audits if one.item is not None]
    assert len(judged) == 110
    expected = false_discovery_control([one.p_value for one in judged])
    assert [one.q_value for one in judged] == pytest.approx(expected.tolist())
    assert audits[-1].q_value == 1.0
    assert {one.voter for one in audit(10, votes) if one.flagged} == set(range(100, 110))


def small_votes(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 200))
    return draw_votes(rng.normal(0, 1, 4), rng.integers(0, 5, n), rng, ties=0.3)


@property_test
@given(st.integers(0, 2**32 - 1))
def test_every_voter_has_one_record_with_p_at_most_q(seed):
    votes = small_votes(seed)
    audits = audit(4, votes)
    names, counts = np.unique(votes.voter, return_counts=True)
    assert [one.voter for one in audits] == names.tolist()
    assert [one.n_votes for one in audits] == counts.tolist()
    for one in audits:
        assert 0 < one.p_value <= one.q_value <= 1
        assert one.flagged == (one.q_value <= 0.05)
        assert (one.item is None) == (one.favours is None)


@property_test
@given(st.integers(0, 2**32 - 1))
def test_sides_and_the_order_of_votes_change_nothing(seed):
    votes = small_votes(seed)
    rng = np.random.default_rng(seed + 1)
    for turned in (np.ones(len(votes.voter), dtype=bool), rng.random(len(votes.voter)) < 0.5):
        mirrored = Votes(
            votes.voter,
            np.where(turned, votes.item_b, votes.item_a),
            np.where(turned, votes.item_a, votes.item_b),
            np.where(turned & (votes.outcome != TIE), 1 - votes.outcome, votes.outcome),
        )
        assert audit(4, mirrored.at(rng.permutation(len(votes.voter)))) == audit(4, votes)


@property_test
@given(st.integers(0, 2**32 - 1))
def test_names_of_items_change_no_p_value(seed):
    votes = small_votes(seed)
    names = np.random.default_rng(seed + 1).permutation(4)
    renamed = audit(4, votes._replace(item_a=names[votes.item_a], item_b=names[votes.item_b]))
    expected = [one.p_value for one in audit(4, votes)]
    assert [one.p_value for one in renamed] == pytest.approx(expected, rel=1e-9)


def test_a_thousand_times_as_many_votes_make_chances_small_but_never_0():
    one = audit(2, pair_of_two((4000, 0, 0), (0, 0, 9000)))[0]
    assert 0 < one.p_value < 1e-200


def test_names_of_voters_change_nothing_but_the_names():
    votes = small_votes(1)
    renamed = audit(4, votes._replace(voter=votes.voter * 1000 - 7))
    assert renamed == [replace(one, voter=one.voter * 1000 - 7) for one in audit(4, votes)]


def test_no_votes_have_no_voters():
    assert audit_voters(3, [], [], [], []) == []
    assert audit_voters(0, [], [], [], []) == []


def test_a_verdict_that_both_are_bad_is_refused_until_the_caller_has_said_what_it_means():
    with pytest.raises(InvalidComparisons, match=r"outcome is 3 in row 1; accepted: 0 \(A\), 1 \(B\), 2 \(TIE\)"):
        audit_voters(2, [1, 1], [0, 0], [1, 1], [0, 3])


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (([1, 2], [0], [1], [0]), "shape of voter"),
        ((["x"], [0], [1], [0]), "type of voter"),
        (([1.0], [0], [1], [0]), "type of voter"),
        (([1], [0], [2], [0]), "item_b"),
        (([1], [0], [0], [0]), "item_b"),
        (([1], [0], [1], [4]), "outcome"),
    ],
)
def test_columns_that_are_no_votes_are_refused(columns, name):
    with pytest.raises(InvalidComparisons, match=name):
        audit_voters(2, *columns)


@pytest.mark.parametrize("setting", [{"false_share": 5}, {"false_share": 0}, {"min_votes": 1}])
def test_settings_outside_their_range_are_refused(setting):
    (name,) = setting
    with pytest.raises(InvalidSetting, match=name):
        audit(2, unbeaten(3), **setting)


@pytest.mark.parametrize(("n_of_rigger", "n_items"), [(1000, 2), (5000, 5)])
def test_a_rigger_with_many_votes_does_not_make_the_honest_look_odd(n_of_rigger: int, n_items: int):
    # Half of all votes and more are the rigger's, each for item 0; the others are fair coins. Compared with all votes
    # each honest voter is far off; compared with each other, without the rigger, none is.
    rng = np.random.default_rng(5)
    voter = np.concatenate((np.zeros(n_of_rigger, dtype=int), np.repeat(np.arange(1, 21), 150)))
    a = rng.integers(0, n_items, len(voter))
    b = (a + rng.integers(1, n_items, len(voter))) % n_items
    how = rng.integers(0, 2, len(voter))
    is_rigged = voter == 0
    how[is_rigged & (a == 0)], how[is_rigged & (b == 0)] = Outcome.A, Outcome.B
    flagged = [each.voter for each in audit_voters(n_items, voter, a, b, how) if each.flagged]
    assert flagged == [0]
