import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from comparison_data import beats, counted, draw_comparisons, linked_rows, property_test, ties
from ratings import Absent, Interval, InvalidComparisons, InvalidSetting, Outcome
from ratings.win_rate import win_rates


def ends(interval):
    assert isinstance(interval, Interval)
    return interval.low, interval.high


def number(rate):
    assert isinstance(rate, float)
    return rate


def test_rates_by_hand():
    # Item 0: 8 of 9 against 1, none of 1 against 2. In all 8 / 10; by opponent (8 / 9 + 0) / 2 = 4 / 9.
    first, _, last = win_rates(counted(3, beats(0, 1, 8) + beats(1, 0) + beats(2, 0)))
    assert (first.n_comparisons, first.n_opponents) == (10, 2)
    assert first.rate == pytest.approx(0.8, abs=1e-12)
    assert first.average == pytest.approx(4 / 9, abs=1e-12)
    assert (last.n_comparisons, last.n_opponents, last.rate, last.average) == (1, 1, 1, 1)


def test_a_tie_is_half_a_win():
    won_once, lost_once = win_rates(counted(2, beats(0, 1) + ties(0, 1, 3)))
    assert (won_once.rate, lost_once.rate) == (2.5 / 4, 1.5 / 4)


def test_without_ties_the_interval_is_wilsons():
    # 7 of 10, z = 1.959964: (0.7 + 0.192073) / 1.384146 = 0.644493 in the middle, and
    # z / 1.384146 * sqrt(0.7 * 0.3 / 10 + z^2 / 400) = 0.247715 to each side.
    interval = win_rates(counted(2, beats(0, 1, 7) + beats(1, 0, 3)))[0].interval
    assert ends(interval) == pytest.approx((0.644493 - 0.247715, 0.644493 + 0.247715), abs=2e-6)


def test_ties_narrow_the_interval_as_their_variance_says():
    # 25 wins, 25 losses, 50 ties: v = 0.25 * 0.5 = 0.125, half that of a coin, so 100 comparisons tell as much as 200
    # wins and losses would: Wilson's interval of 100 out of 200.
    with_ties = win_rates(counted(2, beats(0, 1, 25) + beats(1, 0, 25) + ties(0, 1, 50)))[0].interval
    without = win_rates(counted(2, beats(0, 1, 100) + beats(1, 0, 100)))[0].interval
    assert ends(with_ties) == pytest.approx(ends(without), abs=1e-12)


def test_in_the_long_run_the_interval_is_the_rate_and_its_standard_error():
    # 30 000 wins, 20 000 losses, 50 000 ties: p = 0.55, v = 0.3 + 0.125 - 0.55^2 = 0.1225, standard error
    # 0.35 / sqrt(100 000).
    interval = win_rates(counted(2, beats(0, 1, 30_000) + beats(1, 0, 20_000) + ties(0, 1, 50_000)))[0].interval
    error = ndtri(0.975) * 0.35 / np.sqrt(100_000)
    assert ends(interval) == pytest.approx((0.55 - error, 0.55 + error), abs=1e-5)


@property_test
@given(linked_rows(), st.floats(0.5, 0.999))
def test_a_rate_lies_in_its_interval_inside_0_and_1(data, confidence):
    for item in win_rates(counted(data.n_items, data.rows), confidence=confidence):
        assert 0 <= number(item.average) <= 1
        if isinstance(item.interval, Interval):
            assert 0 < item.interval.low < number(item.rate) < item.interval.high < 1
            assert item.interval.confidence == confidence


@property_test
@given(linked_rows())
def test_half_of_all_comparisons_are_won(data):
    items = win_rates(counted(data.n_items, data.rows))
    assert sum(number(item.rate) * item.n_comparisons for item in items) == pytest.approx(len(data.rows), abs=1e-9)
    assert sum(item.n_comparisons for item in items) == 2 * len(data.rows)


@property_test
@given(linked_rows())
def test_two_sides_of_a_pair_mirror_each_other(data):
    rows = [(min(a, 1), 1 - min(a, 1), how) for a, _, how in data.rows]
    one, other = win_rates(counted(2, rows))
    assert one.rate == pytest.approx(1 - number(other.rate), abs=1e-12)
    if isinstance(one.interval, Interval):
        assert ends(one.interval) == pytest.approx([1 - end for end in reversed(ends(other.interval))], abs=1e-12)


@property_test
@given(linked_rows(), st.integers(2, 5))
def test_meeting_an_opponent_more_often_with_the_same_results_leaves_the_average(data, times):
    again = [row for row in data.rows if {row[0], row[1]} == {0, 1}] * times
    once, more = (win_rates(counted(data.n_items, rows))[0].average for rows in (data.rows, data.rows + again))
    assert more == pytest.approx(once, abs=1e-12)


def test_names_and_order_do_not_matter():
    rows = beats(0, 1, 4) + ties(1, 2, 3) + beats(2, 0)
    there = win_rates(counted(3, rows))
    back = win_rates(counted(3, [(2 - a, 2 - b, how) for a, b, how in reversed(rows)]))
    assert back[::-1] == there


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (beats(0, 1), "fewer than 2"),
        (beats(0, 1, 9), "all comparisons were won"),
        (beats(1, 0, 9), "all comparisons were lost"),
        (ties(0, 1, 9), "all comparisons were tied"),
    ],
)
def test_an_interval_that_cannot_be_measured_is_absent_with_its_reason(rows, reason):
    interval = win_rates(counted(2, rows))[0].interval
    assert isinstance(interval, Absent)
    assert reason in interval.reason


def test_an_item_that_never_met_anybody_has_no_rate():
    lonely = win_rates(counted(3, ties(0, 1)))[2]
    assert (lonely.n_comparisons, lonely.n_opponents) == (0, 0)
    assert lonely.rate == lonely.average == lonely.interval == Absent("no comparisons")
    assert win_rates(counted(0, [])) == []


def test_outcomes_without_a_winner_that_are_no_tie_are_refused():
    with pytest.raises(InvalidComparisons, match=r"is 2\.0; accepted: 0"):
        win_rates(counted(2, beats(0, 1) + [(0, 1, Outcome.BOTH_BAD)] * 2))


def test_a_confidence_in_percent_is_refused():
    with pytest.raises(InvalidSetting, match="confidence is 95"):
        win_rates(counted(2, ties(0, 1)), confidence=95)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    # One pair, 60 comparisons, 30 % ties, P(win | no tie) = 1 / (1 + exp(-1.2)) = 0.7685: the true rate is
    # 0.15 + 0.7 * 0.7685 = 0.688. 2000 data sets tell the coverage to sqrt(0.95 * 0.05 / 2000) = 0.5 %.
    truth = 0.15 + 0.7 / (1 + np.exp(-1.2))
    rng = np.random.default_rng(4)
    held = []
    for _ in range(2000):
        comparisons = draw_comparisons(np.array([0.6, -0.6]), 60, rng, tie_share=0.3)
        low, high = ends(win_rates(comparisons)[0].interval)
        held.append(low <= truth <= high)
    assert 0.93 < np.mean(held) < 0.97
