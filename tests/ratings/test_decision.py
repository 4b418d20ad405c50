import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import property_test
from ratings.decision import Conclusion, confidence_sequence, decide
from ratings.errors import InvalidComparisons, InvalidSetting
from ratings.interval import Absent, Interval

BETTER = (Conclusion.A_BETTER, Conclusion.B_BETTER)

some_scores = st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=60).map(np.array)


def draw_scores(n, rng, *, mean=0.5, ties=0.0):
    """Scores with this mean and share of ties."""
    wins = mean - ties / 2
    return rng.choice([1.0, 0.5, 0.0], size=n, p=[wins, ties, 1 - wins - ties])


def test_equals_looked_at_after_every_vote_are_seldom_told_apart():
    # With no, some or many ties. Allowed is a share of 0.05; in 400 sequences its standard error is
    # sqrt(0.05 * 0.95 / 400) = 0.011, so a method at its limit exceeds 0.05 + 3 * 0.011 = 0.083 about once in a
    # thousand times.
    rng = np.random.default_rng(0)
    found = [decide(draw_scores(1000, rng, ties=(0, 0.35, 0.7)[i % 3])).conclusion in BETTER for i in range(400)]
    assert np.mean(found) < 0.083


def test_the_usual_interval_looked_at_after_every_vote_tells_equals_apart():
    # The contrast: mean +- 1.96 s / sqrt(n) from the tenth vote on. The law of the iterated logarithm brings the share
    # to 1 in the end; by vote 1000 it is more than five times the 5 % that one look would give.
    rng = np.random.default_rng(0)
    n = np.arange(1, 1001)
    found = []
    for _ in range(400):
        scores = draw_scores(1000, rng, ties=0.35)
        mean = np.cumsum(scores) / n
        spread = np.sqrt(np.maximum(np.cumsum(scores**2) / n - mean**2, 0.01))
        found.append((np.abs(mean - 0.5) > 1.96 * spread / np.sqrt(n))[9:].any())
    assert np.mean(found) > 0.25


@pytest.mark.parametrize("mean", [0.1, 0.35, 0.8])
def test_every_interval_of_a_sequence_contains_the_mean_at_once(mean):
    # As above: 0.05 and three standard errors of 0.0178 with 150 sequences.
    rng = np.random.default_rng(1)
    missed = []
    for _ in range(150):
        sequence = confidence_sequence(draw_scores(500, rng, mean=mean, ties=0.2), confidence=0.95)
        missed.append((sequence.low > mean).any() or (sequence.high < mean).any())
    assert np.mean(missed) < 0.05 + 3 * 0.0178


def test_a_better_side_is_found_within_500_votes():
    # A wins 60 %. One look at a number fixed ahead needs ((1.96 + 1.28) * 0.49 / 0.1)^2 = 252 votes for a power of 0.9;
    # being asked after every vote at most doubles that.
    rng = np.random.default_rng(2)
    decisions = [decide(draw_scores(500, rng, mean=0.6)) for _ in range(200)]
    assert np.mean([decision.conclusion is Conclusion.A_BETTER for decision in decisions]) > 0.85
    assert sum(decision.conclusion is Conclusion.B_BETTER for decision in decisions) == 0
    assert np.median([decision.decided_at or 501 for decision in decisions]) < 252


def test_ties_make_the_decision_faster():
    # The same mean of 0.6 with 35 % of ties: the variance falls from 0.24 to 0.1525, and the votes needed with it.
    rng = np.random.default_rng(3)
    without, ties = (
        np.median([decide(draw_scores(600, rng, mean=0.6, ties=share)).decided_at or 601 for _ in range(100)])
        for share in (0.0, 0.35)
    )
    assert ties < 0.8 * without


def test_equals_are_in_the_end_no_difference_worth_having():
    # Half the width must fall below 0.05: about 2.6 standard errors of sqrt(0.25 / n) give n = 700, and a mean that is
    # off the middle needs more.
    rng = np.random.default_rng(4)
    decisions = [decide(draw_scores(3000, rng)) for _ in range(60)]
    assert np.mean([decision.conclusion is Conclusion.NO_DIFFERENCE for decision in decisions]) > 0.9
    inside = [decision.interval for decision in decisions if decision.conclusion is Conclusion.NO_DIFFERENCE]
    assert all(isinstance(interval, Interval) and 0.45 < interval.low < interval.high < 0.55 for interval in inside)


def test_the_ends_are_where_the_capital_reaches_its_target():
    # Ends found by bisection from the definition: the mixed capital that bets on A reaches 2 / 0.05 = 40 at low.
    stakes = 0.99 * 2.0 ** (-np.arange(13) / 2)
    scores = np.array([1.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 0.0, 1.0, 1.0])
    best = 0.0
    expected = []
    for n in range(1, len(scores) + 1):
        left, right = 1e-9, 1.0
        for _ in range(100):
            middle = (left + right) / 2
            capital = np.prod(1 - stakes + stakes * scores[:n, np.newaxis] / middle, axis=0).mean()
            left, right = (middle, right) if capital >= 40 else (left, middle)
        best = max(best, left)
        expected.append(best)
    assert confidence_sequence(scores, confidence=0.95).low == pytest.approx(np.array(expected), abs=1e-8)


def test_nine_straight_wins_decide_and_eight_do_not():
    # At 1/2 a stake c grows to (1 + c)^n. The two largest, 0.99 and 0.70, give (1.99^9 + 1.70^9) / 13 = 46.7 of the 40
    # asked for; after eight wins all thirteen together stay below (246 + 70 + 25 + 11 + 10 * 9) / 13 = 34.
    assert decide([1] * 8).conclusion is Conclusion.UNDECIDED
    decision = decide([1] * 9)
    assert (decision.conclusion, decision.decided_at, decision.n_used) == (Conclusion.A_BETTER, 9, 9)


@property_test
@given(some_scores, st.floats(0.5, 0.999))
def test_swapping_the_sides_mirrors_every_bit(scores, confidence):
    one, other = (confidence_sequence(s, confidence=confidence) for s in (scores, 1 - scores))
    assert other.low.tolist() == (1 - one.high).tolist()
    assert other.high.tolist() == (1 - one.low).tolist()
    mirrored = {Conclusion.A_BETTER: Conclusion.B_BETTER, Conclusion.B_BETTER: Conclusion.A_BETTER}
    first, second = (decide(s, confidence=confidence) for s in (scores, 1 - scores))
    assert second.conclusion is mirrored.get(first.conclusion, first.conclusion)
    assert second.decided_at == first.decided_at


@property_test
@given(some_scores, st.floats(0.5, 0.999))
def test_intervals_only_ever_shrink_and_stay_inside_0_and_1(scores, confidence):
    sequence = confidence_sequence(scores, confidence=confidence)
    assert sequence.low.shape == sequence.high.shape == scores.shape
    assert (np.diff(sequence.low, prepend=0.0) >= 0).all()
    assert (np.diff(sequence.high, prepend=1.0) <= 0).all()
    assert ((sequence.low >= 0) & (sequence.low < 1) & (sequence.high > 0) & (sequence.high <= 1)).all()


@property_test
@given(some_scores, st.integers(0, 60))
def test_later_votes_change_nothing_that_was_said(scores, n):
    early, late = (confidence_sequence(s, confidence=0.95) for s in (scores[:n], scores))
    assert early.low == pytest.approx(late.low[:n], abs=1e-11)
    assert early.high == pytest.approx(late.high[:n], abs=1e-11)
    decision = decide(scores[:n])
    if decision.conclusion is not Conclusion.UNDECIDED:
        assert decide(scores).conclusion is decision.conclusion
        assert decide(scores).decided_at == decision.decided_at


def test_more_votes_than_are_computed_at_once_go_on_where_the_others_stopped():
    scores = draw_scores(9000, np.random.default_rng(5), mean=0.55, ties=0.3)
    whole = confidence_sequence(scores, confidence=0.95)
    for n in (32, 33, 4096, 4097, 8500):
        part = confidence_sequence(scores[:n], confidence=0.95)
        assert part.low == pytest.approx(whole.low[:n], abs=1e-11)
    assert (np.diff(whole.low) >= 0).all()
    assert whole.low[-1] < 0.55 < whole.high[-1]


@property_test
@given(some_scores)
def test_more_confidence_takes_a_wider_interval(scores):
    narrow, wide = (confidence_sequence(scores, confidence=confidence) for confidence in (0.9, 0.99))
    assert (wide.low <= narrow.low).all()
    assert (wide.high >= narrow.high).all()


def test_before_the_first_vote_nothing_is_known():
    decision = decide([])
    assert decision.conclusion is Conclusion.UNDECIDED
    assert decision.decided_at is None
    assert decision.n_used == 0
    assert decision.interval == Interval(0.0, 1.0, 0.95)
    assert confidence_sequence([], confidence=0.95).low.tolist() == []


def test_only_losses_leave_the_low_end_at_0():
    sequence = confidence_sequence([0] * 30, confidence=0.95)
    assert sequence.low.tolist() == [0.0] * 30
    assert sequence.high[-1] < 0.25


def test_one_win_after_very_many_losses_still_has_an_interval():
    sequence = confidence_sequence([0] * 50_000 + [1], confidence=0.95)
    assert 0 <= sequence.low[-1] < 1 / 50_001 < sequence.high[-1] < 0.01


def test_votes_that_turn_round_keep_the_first_conclusion_and_end_without_an_interval():
    # 200 wins refute every mean below 0.9, and 2000 losses later every mean above 0.2.
    decision = decide([1] * 200 + [0] * 2000)
    assert (decision.conclusion, decision.decided_at) == (Conclusion.A_BETTER, 9)
    assert isinstance(decision.interval, Absent)
    assert "no mean agrees with all the votes" in decision.interval.reason
    assert "5.0%" in decision.interval.reason


def test_of_each_voter_the_first_vote_counts():
    # Voter x wins ten times for A, which alone would decide; once x counts once, nine voters must agree.
    voters = ["x"] * 10 + list("abcdefgh")
    one_each = decide([1] * 18, clusters=voters)
    assert (one_each.conclusion, one_each.decided_at, one_each.n_used) == (Conclusion.A_BETTER, 18, 9)
    low = confidence_sequence([1] * 18, confidence=0.95, clusters=voters).low
    first_votes = confidence_sequence([1] * 9, confidence=0.95).low
    assert low[:10].tolist() == [first_votes[0]] * 10
    assert low[9:].tolist() == first_votes.tolist()


def test_voters_with_tastes_deceive_the_count_of_votes_but_not_that_of_voters():
    # Each of 100 voters has a side of their own, A or B at even odds, and 5 votes for it: 0.5 on average. Taking votes
    # as independent finds a winner often; one vote each keeps to 0.05 + 3 * sqrt(0.05 * 0.95 / 200) = 0.096.
    rng = np.random.default_rng(6)
    voters = np.repeat(np.arange(100), 5)
    naive, valid = [], []
    for _ in range(200):
        scores = rng.integers(0, 2, 100)[voters]
        naive.append(decide(scores).conclusion in BETTER)
        valid.append(decide(scores, clusters=voters).conclusion in BETTER)
    assert np.mean(naive) > 0.3
    assert np.mean(valid) < 0.096


def test_when_a_vote_brings_both_the_winner_is_named():
    # With so wide a margin the interval is inside 1/2 +- 0.49 as soon as its high end falls below 0.99; A better must
    # not be lost where both begin together, nor a vote earlier be overwritten.
    scores = [1] * 30
    sequence = confidence_sequence(scores, confidence=0.95)
    assert sequence.high[-1] == 1.0
    assert decide(scores, margin=0.49).conclusion is Conclusion.A_BETTER
    assert decide([0.5] * 40, margin=0.49).conclusion is Conclusion.NO_DIFFERENCE


def test_the_sequence_cannot_be_written_to():
    sequence = confidence_sequence([1, 0], confidence=0.95)
    with pytest.raises(ValueError, match="read-only"):
        sequence.low[0] = 0.9


@pytest.mark.parametrize("score", [0.4, 2, -1, float("nan"), float("inf")])
def test_a_score_that_is_none_of_three_is_refused_with_its_row(score):
    with pytest.raises(InvalidComparisons, match=r"score is .* in row 2; accepted: 1 \(A won\)") as refusal:
        decide([1.0, 0.5, score])
    assert refusal.value.row == 2


@pytest.mark.parametrize("scores", [["a"], [True, False], [None], [[1, 0]], 1.0])
def test_what_is_not_a_column_of_numbers_is_refused(scores):
    with pytest.raises(InvalidComparisons, match="scores"):
        confidence_sequence(scores, confidence=0.95)


@pytest.mark.parametrize("clusters", [[1], [[1, 2]], [1.0, 2.0], [None, "x"]])
def test_clusters_that_do_not_name_a_voter_for_each_vote_are_refused(clusters):
    with pytest.raises(InvalidComparisons, match="clusters"):
        decide([1, 0], clusters=clusters)


@pytest.mark.parametrize("margin", [0, 0.5, -0.1, float("nan"), 5])
def test_a_margin_that_is_no_part_of_a_half_is_refused(margin):
    with pytest.raises(InvalidSetting, match="margin"):
        decide([1], margin=margin)


def test_a_confidence_in_percent_is_refused():
    with pytest.raises(InvalidSetting, match="confidence is 95"):
        decide([1], confidence=95)
