import numpy as np
import pytest

from comparison_data import beats, counted, ties
from ratings import (
    Absent,
    Interval,
    InvalidInterval,
    InvalidSetting,
    bootstrap_bradley_terry,
    percentile_intervals,
    to_score,
)


def column(values):
    return np.array(values, dtype=np.float64)[:, np.newaxis]


def test_the_interval_cuts_equal_shares_off_both_ends():
    # Of 0, 1, ..., 100 the 5 % quantile is 5 and the 95 % quantile is 95.
    (interval,) = percentile_intervals(column(range(101)), confidence=0.9)
    assert isinstance(interval, Interval)
    assert (interval.low, interval.high) == pytest.approx((5, 95))
    assert interval.confidence == 0.9


def test_every_item_has_its_own_interval_in_order():
    samples = np.outer(np.arange(101.0), [1.0, 10.0])
    one, ten = percentile_intervals(samples, confidence=0.9)
    assert isinstance(one, Interval)
    assert isinstance(ten, Interval)
    assert (one.high, ten.high) == pytest.approx((95, 950))


def test_rounds_without_the_item_are_left_out():
    # The four missing rounds neither move the ends nor make them NaN: again 5 and 95.
    with_gaps = column([np.nan] * 4 + list(range(101)))
    assert percentile_intervals(with_gaps, confidence=0.9) == percentile_intervals(column(range(101)), confidence=0.9)


def test_an_item_missing_from_too_many_rounds_has_no_interval():
    five_of_100, six_of_100 = (column([np.nan] * n + list(range(100 - n))) for n in (5, 6))
    assert isinstance(percentile_intervals(five_of_100, confidence=0.9)[0], Interval)
    (absent,) = percentile_intervals(six_of_100, confidence=0.9)
    assert isinstance(absent, Absent)
    assert "missing from 6 of 100 resamples, more than 5%" in absent.reason
    assert isinstance(percentile_intervals(six_of_100, confidence=0.9, max_missing=0.06)[0], Interval)


def test_an_item_missing_from_every_round_has_no_interval():
    assert isinstance(percentile_intervals(column([np.nan] * 3), confidence=0.9)[0], Absent)
    assert isinstance(percentile_intervals(np.empty((0, 1)), confidence=0.9)[0], Absent)


def test_no_spread_is_no_interval():
    (absent,) = percentile_intervals(column([1.0] * 50 + [1.0 + 1e-10] * 50), confidence=0.9)
    assert isinstance(absent, Absent)
    assert absent.reason == "no spread to measure: every resample gives the same value"


def test_a_spread_outside_the_percentiles_only_is_no_interval_either():
    (absent,) = percentile_intervals(column([0.0] + [1.0] * 99), confidence=0.9)
    assert isinstance(absent, Absent)
    assert absent.reason == "no spread to measure: nearly every resample gives the same value"


@pytest.mark.parametrize("rows", [ties(0, 1, 20) + ties(1, 2, 20), beats(0, 1, 20)], ids=["all ties", "one-sided"])
def test_comparisons_that_never_vary_give_no_interval(rows):
    n_items = 1 + max(max(row[:2]) for row in rows)
    samples = bootstrap_bradley_terry(counted(n_items, rows), rounds=100, rng=np.random.default_rng(0))
    for interval in percentile_intervals(to_score(samples), confidence=0.95):
        assert isinstance(interval, Absent)


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_an_interval_that_encloses_nothing_cannot_be_made(ends):
    with pytest.raises(InvalidInterval, match=r"Absent with a reason"):
        Interval(*ends, confidence=0.95)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, np.nan])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    with pytest.raises(InvalidSetting, match="confidence is"):
        percentile_intervals(column(range(10)), confidence=confidence)


def test_other_settings_that_cannot_work_are_refused_by_name():
    with pytest.raises(InvalidSetting, match="max_missing is 1"):
        percentile_intervals(column(range(10)), confidence=0.9, max_missing=1)
    with pytest.raises(InvalidSetting, match="shape of samples"):
        percentile_intervals(np.arange(10.0), confidence=0.9)
