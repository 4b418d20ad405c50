"""Two samples of one trait: distances with derived numbers, silence where nothing moved, and a planted shift found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings import Shift, binned, drift, jensen_shannon, stability_index
from ratings.drift import FEWEST

COUNTS = st.lists(st.integers(0, 50), min_size=2, max_size=8).filter(any)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def sample(**counts: int) -> list[str]:
    return [cell for cell, n in counts.items() for _ in range(n)]


# ---- the distances ----


def test_nothing_in_common_is_one_bit_and_the_same_is_none():
    assert jensen_shannon([1, 0], [0, 1]) == pytest.approx(1)
    assert jensen_shannon([3, 1], [6, 2]) == 0


def test_a_half_against_all_of_one_cell():
    # p = (1, 0), q = (1/2, 1/2), middle (3/4, 1/4): H = 2 - 3/4 log2(3) = 0.811278; less (0 + 1) / 2: 0.311278.
    assert jensen_shannon([10, 0], [5, 5]) == pytest.approx(2 - 0.75 * np.log2(3) - 0.5)


def test_the_index_by_hand():
    # With half a count more, (1.5, 0.5) and (0.5, 1.5): shares 3/4 and 1/4, twice (1/2) ln 3.
    assert stability_index([1, 0], [0, 1]) == pytest.approx(np.log(3))
    # (399.5 + .5, 99.5 + .5) and (299.5 + .5, 199.5 + .5): (.6 - .8) ln(.6/.8) + (.4 - .2) ln 2.
    assert stability_index([399.5, 99.5], [299.5, 199.5]) == pytest.approx(-0.2 * np.log(0.75) + 0.2 * np.log(2))


@given(COUNTS, COUNTS)
def test_both_are_symmetric_and_within_their_bounds(one: list[int], other: list[int]):
    size = min(len(one), len(other))
    one, other = one[:size], other[:size]
    if not any(one) or not any(other):
        return
    assert jensen_shannon(one, other) == pytest.approx(jensen_shannon(other, one))
    assert 0 <= jensen_shannon(one, other) <= 1 + 1e-12
    assert stability_index(one, other) == pytest.approx(stability_index(other, one))
    assert stability_index(one, other) >= 0


def test_lengths_fall_into_tenths_of_both_together():
    one, other = binned(range(50), range(50, 100))
    # Of 0..99 the tenths have 10 each; the lower half of them is the first sample's.
    assert np.bincount(one).tolist() == [10] * 5
    assert np.bincount(other, minlength=10).tolist() == [0] * 5 + [10] * 5
    assert binned([7] * 60, [7] * 60) == ([0] * 60, [0] * 60)
    assert binned([], []) == ([], [])


# ---- what is said of two samples ----


def test_too_few_say_nothing_and_how_many_there_are():
    enough = sample(a=FEWEST)
    for one, other in ((enough[1:], enough), (enough, enough[1:]), ([], [])):
        found = drift(one, other, rng=rng())
        assert found.index is found.low is found.p_value is found.shift is None
        assert found.reason == f"not enough data: {len(one)} and {len(other)}, and {FEWEST} each are the fewest"
    assert drift(enough, enough, rng=rng()).reason is None


def test_equal_samples_have_no_distance_and_every_permutation_reaches_it():
    found = drift(sample(a=60, b=40), sample(a=60, b=40), rng=rng())
    assert (found.index, found.divergence, found.p_value, found.shift) == (0, 0, 1, Shift.NONE)


def test_the_order_of_observations_changes_nothing():
    one, other = sample(a=60, b=40, c=9), sample(a=30, b=70)
    assert drift(one, other, rng=rng()) == drift(one[::-1], other[::-1], rng=rng())


@pytest.mark.parametrize(
    ("recent", "shift"),
    [
        # Of 2,000 and 2,000 chance gives an index of some 0.001: the bands alone decide. Index: sum (q - p) ln(q / p).
        ({"a": 1000, "b": 1000}, Shift.NONE),
        ({"a": 1300, "b": 700}, Shift.NONE),  # .15 ln(.65 / .35) = 0.0929
        ({"a": 1340, "b": 660}, Shift.MODERATE),  # .17 ln(.67 / .33) = 0.1204
        ({"a": 1600, "b": 400}, Shift.LARGE),  # .3 ln 4 = 0.4159
    ],
)
def test_the_bands_decide_where_chance_does_not(recent: dict[str, int], shift: Shift):
    found = drift(sample(a=1000, b=1000), sample(**recent), rng=rng())
    assert found.shift is shift
    assert found.index is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.index <= found.high


def test_a_small_sample_that_only_looks_shifted_is_told_as_none():
    # 30 cells, 60 and 60 draws of the same: the index is large by its bias alone, and the permutations know it.
    draws = rng(3).integers(0, 30, size=(2, 60)).tolist()
    found = drift(draws[0], draws[1], rng=rng())
    assert found.index is not None
    assert found.index > 0.25
    assert found.shift is Shift.NONE


def test_the_same_distribution_is_silent_in_ninety_five_of_a_hundred_and_a_planted_shift_is_found():
    chance, shares, moved = rng(7), [0.4, 0.3, 0.2, 0.1], [0.2, 0.3, 0.2, 0.3]
    truth = 0.2 * np.log(2) + 0.2 * np.log(3)  # (.2 - .4) ln(.2 / .4) + (.3 - .1) ln(.3 / .1) = 0.3583
    n_rounds, n_alarms, n_found, n_covered = 300, 0, 0, 0
    for _ in range(n_rounds):
        one, same = chance.choice(4, 150, p=shares).tolist(), chance.choice(4, 150, p=shares).tolist()
        other = chance.choice(4, 150, p=moved).tolist()
        n_alarms += drift(one, same, rng=chance, rounds=300).shift is not Shift.NONE
        found = drift(one, other, rng=chance, rounds=300)
        n_found += found.shift is not Shift.NONE
        assert found.low is not None
        assert found.high is not None
        n_covered += found.low <= truth <= found.high
    # At most 5 % false alarms: binomial(300, .05) is at most 27 with probability 0.9996.
    assert n_alarms <= 27
    assert n_found >= 0.95 * n_rounds
    assert n_covered >= 0.85 * n_rounds
