"""Chances of many of a kind, in all and in a row: against counting every possibility."""

from itertools import groupby, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings import chance_of_a_run, chance_of_as_many
from ratings.errors import InvalidSetting


@pytest.mark.parametrize("n", [1, 2, 5, 9])
@pytest.mark.parametrize("chance", [0.0, 0.3, 0.5, 1.0])
def test_both_chances_are_those_of_all_possible_orders(n: int, chance: float):
    orders = list(product((True, False), repeat=n))
    weights = [chance ** sum(order) * (1 - chance) ** (n - sum(order)) for order in orders]
    longest = [max((len(list(run)) for kind, run in groupby(order) if kind), default=0) for order in orders]
    for k in range(n + 1):
        in_all = sum(weight for order, weight in zip(orders, weights, strict=True) if sum(order) >= k)
        in_a_row = sum(weight for run, weight in zip(longest, weights, strict=True) if run >= k)
        assert chance_of_as_many(n, k, chance) == pytest.approx(in_all, abs=1e-12)
        assert chance_of_a_run(n, k, chance) == pytest.approx(in_a_row, abs=1e-12)


def test_eight_heads_in_a_row_among_ten():
    """2^-8 for a run from the first on, and 2^-9 each for one from the second or third on, after a tail."""
    assert chance_of_a_run(10, 8, 0.5) == pytest.approx(2**-8 + 2 * 2**-9)


def test_tiny_chances_keep_their_digits():
    assert chance_of_a_run(200, 200, 0.5) == pytest.approx(2.0**-200, rel=1e-9)
    assert chance_of_as_many(200, 200, 0.5) == pytest.approx(2.0**-200, rel=1e-9)
    assert chance_of_as_many(200, 199, 0.5) == pytest.approx((1 + comb(200, 199)) * 2.0**-200, rel=1e-9)


@given(st.integers(0, 80), st.integers(0, 81), st.floats(0, 1))
def test_a_longer_run_is_never_likelier_and_more_tries_never_make_it_less_likely(n: int, length: int, chance: float):
    here = chance_of_a_run(n, length, chance)
    assert 0 <= here <= 1
    assert chance_of_a_run(n, length + 1, chance) <= here + 1e-12
    assert chance_of_a_run(n + 1, length, chance) >= here - 1e-12
    if length <= n:
        assert here <= chance_of_as_many(n, length, chance) + 1e-12, "a run is as many of a kind at least"


def test_what_is_no_number_of_things_is_refused():
    with pytest.raises(InvalidSetting):
        chance_of_as_many(np.array([3, 3]), np.array([1, 4]), 0.5)
    with pytest.raises(InvalidSetting):
        chance_of_as_many(3, 1, 1.5)
    with pytest.raises(InvalidSetting):
        chance_of_a_run(3, -1, 0.5)
    with pytest.raises(InvalidSetting):
        chance_of_a_run(3, 1, float("nan"))
