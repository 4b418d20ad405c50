import math

import numpy as np
import pytest

from ratings.errors import InvalidSetting
from ratings.interval import Absent
from ratings.power import votes_needed


def test_the_number_follows_from_the_two_quantiles():
    # z_0.975 + z_0.8 = 1.9600 + 0.8416 = 2.8016. At one standard error from 0 after 100 votes, 100 * 2.8016^2 = 784.9
    # are needed in all; at half a standard error four times as many.
    assert votes_needed(0.2, 0.2, 100) == math.ceil(784.9 - 100)
    assert votes_needed(-0.1, 0.2, 100) == math.ceil(4 * 784.888 - 100)


def test_both_directions_and_all_units_need_the_same():
    assert votes_needed(0.3, 0.2, 50) == votes_needed(-0.3, 0.2, 50) == votes_needed(-300, 200, 50)


def test_a_difference_that_is_clear_already_needs_none():
    assert votes_needed(0.6, 0.2, 100) == 0  # 3 standard errors, more than 2.80


def test_more_power_and_more_confidence_need_more():
    fewest = votes_needed(0.2, 0.2, 100, power=0.5, confidence=0.9)
    more_power = votes_needed(0.2, 0.2, 100, power=0.9, confidence=0.9)
    most = votes_needed(0.2, 0.2, 100, power=0.9, confidence=0.99)
    assert isinstance(fewest, int)
    assert isinstance(more_power, int)
    assert isinstance(most, int)
    assert fewest < more_power < most
    assert votes_needed(0.2, 0.2, 100, power=0.001) == 0  # asking for almost no power asks for nothing


def test_no_difference_has_no_number_but_a_reason():
    absent = votes_needed(0.0, 0.2, 100)
    assert isinstance(absent, Absent)
    assert "exactly equal" in absent.reason


@pytest.mark.parametrize("difference", [1e-6, 1e-300])
def test_a_hair_of_difference_has_no_number_but_a_reason(difference):
    absent = votes_needed(difference, 0.2, 100)
    assert isinstance(absent, Absent)
    assert "more than 1,000,000,000 votes" in absent.reason


def test_with_that_many_votes_the_difference_is_found_as_often_as_promised():
    # The estimate after n votes is normal around the difference 0.2 with standard error 2 / sqrt(n): 0.2 after 100
    # votes. In 20 000 draws the standard error of a share of 0.8 is sqrt(0.8 * 0.2 / 20000) = 0.003.
    further = votes_needed(0.2, 0.2, 100, power=0.8)
    assert isinstance(further, int)
    standard_error = 2 / math.sqrt(100 + further)
    estimates = np.random.default_rng(0).normal(0.2, standard_error, 20_000)
    assert np.mean(np.abs(estimates) > 1.96 * standard_error) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("difference", (float("nan"), 0.2, 100)),
        ("standard_error", (0.1, 0.0, 100)),
        ("standard_error", (0.1, float("inf"), 100)),
        ("n_votes", (0.1, 0.2, 0)),
        ("n_votes", (0.1, 0.2, float("nan"))),
    ],
)
def test_what_says_nothing_about_the_votes_is_refused(name, arguments):
    with pytest.raises(InvalidSetting, match=name):
        votes_needed(*arguments)


@pytest.mark.parametrize("share", [0, 1, 80])
def test_power_and_confidence_are_shares(share):
    with pytest.raises(InvalidSetting, match="power"):
        votes_needed(0.1, 0.2, 100, power=share)
    with pytest.raises(InvalidSetting, match="confidence"):
        votes_needed(0.1, 0.2, 100, confidence=share)
