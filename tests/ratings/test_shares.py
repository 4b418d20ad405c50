"""Shares, their intervals and their tests: published numbers, and what must hold for any counts."""

from itertools import product
from math import comb, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ratings import (
    Absent,
    ChiSquare,
    Interval,
    chi_square,
    difference_of_shares,
    even_chance,
    false_discovery_rates,
    gini,
    simes,
    wilson,
)
from ratings.errors import InvalidSetting


@pytest.mark.parametrize(
    ("k", "n", "p", "low", "high"),
    [(60, 100, 0.056888, 0.502, 0.691), (540, 1000, 0.012444, 0.509, 0.571), (64, 100, 0.006637, 0.542, 0.727)],
)
def test_the_exact_test_and_wilsons_interval_are_the_published_ones(k: int, n: int, p: float, low: float, high: float):
    assert even_chance(n, k) == pytest.approx(p, abs=5e-7)
    found = wilson(k, n, confidence=0.95)
    assert isinstance(found, Interval)
    assert (round(found.low, 3), round(found.high, 3)) == (low, high)


def test_thirty_of_forty_are_known_to_within_fourteen_points():
    found = wilson(30, 40, confidence=0.95)
    assert isinstance(found, Interval)
    assert (round(found.low, 3), round(found.high, 3)) == (0.598, 0.858)


def test_the_chi_square_of_two_halves_is_the_published_one():
    found = chi_square([[60, 40], [45, 55]])
    assert isinstance(found, ChiSquare)
    assert found.statistic == pytest.approx(4.5113, abs=5e-5)
    assert found.degrees == 1
    assert found.p_value == pytest.approx(0.03367, abs=5e-6)


@given(st.integers(1, 60), st.data())
def test_the_exact_test_is_the_sum_of_all_that_is_as_unlikely(n: int, data: st.DataObject):
    k = data.draw(st.integers(0, n))
    likely = [comb(n, each) for each in range(n + 1)]
    expected = sum(each for each in likely if each <= likely[k]) / 2**n
    assert even_chance(n, k) == pytest.approx(expected, rel=1e-9)
    assert even_chance(n, k) == even_chance(n, n - k)


@given(st.integers(1, 500), st.floats(0.5, 0.999), st.data())
def test_wilsons_interval_holds_its_share_and_mirrors(n: int, confidence: float, data: st.DataObject):
    k = data.draw(st.integers(0, n))
    one, other = wilson(k, n, confidence=confidence), wilson(n - k, n, confidence=confidence)
    assert isinstance(one, Interval)
    assert isinstance(other, Interval)
    assert 0 <= one.low <= k / n <= one.high <= 1
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


def test_of_nothing_there_is_no_interval_and_more_than_all_is_refused():
    assert isinstance(wilson(0, 0, confidence=0.95), Absent)
    with pytest.raises(InvalidSetting):
        wilson(3, 2, confidence=0.95)
    with pytest.raises(InvalidSetting):
        even_chance(2, 3)


def test_newcombes_interval_is_that_of_his_paper():
    """Newcombe (1998), table II, first column: 56/70 less 48/80, method 10."""
    found = difference_of_shares(56, 70, 48, 80, confidence=0.95)
    assert isinstance(found, Interval)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=5))
def test_the_chi_square_is_scipys_once_empty_rows_and_columns_are_gone(table: list[list[int]]):
    counts = np.array(table)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    found = chi_square(table)
    if min(counts.shape) < 2:
        assert isinstance(found, Absent)
        return
    assert isinstance(found, ChiSquare)
    expected = stats.chi2_contingency(counts, correction=False)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)  # type: ignore[attr-defined]
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)  # type: ignore[attr-defined]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_family_speaks_exactly_where_one_of_its_members_does(p_values: list[float]):
    assert simes(p_values) == min(false_discovery_rates(p_values))
    assert min(p_values) <= simes(p_values) <= min(1.0, min(p_values) * len(p_values)) + 1e-12


def test_a_family_of_nobody_says_nothing():
    assert simes([]) == 1.0


def test_gini_is_none_where_all_have_the_same_and_nearly_one_where_one_has_all():
    assert gini([5, 5, 5, 5]) == 0
    # One of four has all: (n - 1) / n.
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    # 1 and 3: mean difference of any two (with themselves) 1, over twice the mean, 4.
    assert gini([1, 3]) == pytest.approx(0.25)
    assert isnan(gini([0, 0]))


def test_tables_of_two_by_two_agree_with_counting_by_hand():
    for a, b, c, d in product((1, 4), repeat=4):
        found = chi_square([[a, b], [c, d]])
        assert isinstance(found, ChiSquare)
        expected = (a + b + c + d) * (a * d - b * c) ** 2 / ((a + b) * (c + d) * (a + c) * (b + d))
        assert found.statistic == pytest.approx(expected)
