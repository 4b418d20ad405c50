import math
from dataclasses import replace

import numpy as np
import pytest

from comparison_data import beats, counted, ties
from ratings.errors import InvalidSetting
from ratings.fit import fit
from ratings.interval import Absent
from ratings.likelihood import Davidson
from ratings.power import votes_needed, worth_in_direct_votes


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


def test_votes_on_two_alone_are_worth_their_number():
    comparisons = counted(2, beats(0, 1, 30) + beats(1, 0, 10) + ties(0, 1, 7))
    assert worth_in_direct_votes(comparisons, fit(comparisons), 0, 1) == pytest.approx(47)


def test_votes_by_way_of_a_third_are_worth_what_two_resistors_in_a_row_let_through():
    # All are equal: 40 votes tell 10 of the difference to the third, 20 tell 5: 1 / (1/10 + 1/5) = 10/3, and a direct
    # vote tells 1/4: 40/3 votes. With 6 direct ones beside them 6 more.
    rows = [row for n, a, b in ((20, 0, 2), (10, 2, 1)) for row in beats(a, b, n) + beats(b, a, n)]
    around = counted(3, rows)
    assert worth_in_direct_votes(around, fit(around), 0, 1) == pytest.approx(40 / 3)
    both = counted(3, rows + beats(0, 1, 3) + beats(1, 0, 3))
    assert worth_in_direct_votes(both, fit(both), 1, 0) == pytest.approx(40 / 3 + 6)


def test_so_many_direct_votes_bring_the_promised_error():
    # The variance of a difference is 1 / information; the answer in direct votes, put into the model, must make the
    # difference (z_0.975 + z_0.8) = 2.8016 standard errors. In the shares that are expected they leave it as it is.
    rows = (
        [row for a, b in ((0, 2), (2, 1)) for row in beats(a, b, 64) + beats(b, a, 56)]
        + beats(0, 1, 4)
        + beats(1, 0, 3)
    )
    before = counted(3, rows)
    found = fit(before)
    gap = found.strengths[0] - found.strengths[1]
    worth = worth_in_direct_votes(before, found, 0, 1)
    p = 1 / (1 + math.exp(-gap))
    further = votes_needed(gap, (worth * p * (1 - p)) ** -0.5, worth)
    assert isinstance(further, int)
    won = further * p
    after = counted(3, rows)
    cell = (after.first == 0) & (after.second == 1)
    more = replace(
        after, wins_first=after.wins_first + won * cell, wins_second=after.wins_second + (further - won) * cell
    )
    again = fit(more)
    assert again.strengths[0] - again.strengths[1] == pytest.approx(gap, abs=1e-6)
    error = (worth_in_direct_votes(more, again, 0, 1) * p * (1 - p)) ** -0.5
    assert gap / error == pytest.approx(2.8016, rel=1e-2)


def test_worth_is_refused_for_items_and_models_that_it_does_not_know():
    comparisons = counted(2, beats(0, 1, 3) + beats(1, 0, 1) + ties(0, 1, 2))
    plain = fit(comparisons)
    with pytest.raises(InvalidSetting, match="item is 2"):
        worth_in_direct_votes(comparisons, plain, 2, 1)
    with pytest.raises(InvalidSetting, match="another item"):
        worth_in_direct_votes(comparisons, plain, 1, 1)
    with pytest.raises(InvalidSetting, match="davidson"):
        worth_in_direct_votes(comparisons, fit(comparisons, Davidson()), 0, 1)
