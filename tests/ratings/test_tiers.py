import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import draw_comparisons, property_test
from ratings import InvalidSetting, bootstrap_bradley_terry, fit_bradley_terry
from ratings.rank import surely_above
from ratings.tiers import tiers


def apart_by(strengths, least):
    """Certain are the differences of more than `least`."""
    return strengths[:, np.newaxis] - strengths[np.newaxis, :] > least


def test_neighbours_that_cannot_be_told_apart_share_a_tier():
    # Differences above 1 are certain. From the top: 3.0 and 2.5 together, 1.9 is surely below 3.0 and begins anew, 1.2
    # is with it, and 0.0 is surely below both.
    strengths = np.array([0.0, 2.5, 1.2, 3.0, 1.9])
    assert tiers(strengths, apart_by(strengths, 1.0)).tolist() == [3, 1, 2, 1, 2]


def test_items_across_a_border_may_be_as_close_as_items_within():
    # 0.9 is not surely below 1.0, yet in another tier, as it is surely below 2.0.
    strengths = np.array([2.0, 1.0, 0.9])
    above = apart_by(strengths, 1.05)
    assert tiers(strengths, above).tolist() == [1, 1, 2]
    assert not above[1, 2]


def test_a_vague_first_item_does_not_hold_together_those_below_it():
    # The top has hardly any votes and is surely above nobody; the two behind it are far apart for certain.
    above = np.zeros((3, 3), dtype=bool)
    above[1, 2] = True
    assert tiers(np.array([3.0, 2.0, -2.0]), above).tolist() == [1, 1, 2]


def test_equals_share_a_tier_whatever_their_number():
    # Only one of the two equals is surely below the first (the other has few votes); both begin the next tier.
    strengths = np.array([2.0, 0.0, 0.0])
    for known in (1, 2):
        above = np.zeros((3, 3), dtype=bool)
        above[0, known] = True
        assert tiers(strengths, above).tolist() == [1, 2, 2]


def test_nothing_certain_is_one_tier_and_everything_certain_is_one_each():
    strengths = np.array([0.3, 0.1, 0.2])
    assert tiers(strengths, np.zeros((3, 3), dtype=bool)).tolist() == [1, 1, 1]
    assert tiers(strengths, apart_by(strengths, 0.0)).tolist() == [1, 3, 2]
    assert tiers(np.empty(0), np.empty((0, 0), dtype=bool)).tolist() == []


@property_test
@given(st.integers(1, 8), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_tiers_are_the_fewest_runs_without_a_sure_difference(n_items, share, seed):
    rng = np.random.default_rng(seed)
    strengths = rng.permutation(np.arange(float(n_items)))
    above = (strengths[:, np.newaxis] > strengths) & (rng.random((n_items, n_items)) < share)
    found = tiers(strengths, above)
    assert not (above & (found[:, np.newaxis] == found)).any()
    order = np.argsort(-strengths)
    assert (np.diff(found[order]) >= 0).all()
    # The fewest by trying: the least number of runs for the first k items, from those for fewer.
    fewest = [0]
    for end in range(1, n_items + 1):
        starts = [s for s in range(end) if not above[np.ix_(order[s:end], order[s:end])].any()]
        fewest.append(1 + min(fewest[s] for s in starts))
    assert found.max() == fewest[-1]
    relabelled = rng.permutation(n_items)
    assert (tiers(strengths[relabelled], above[np.ix_(relabelled, relabelled)]) == found[relabelled]).all()


def test_from_comparisons_to_tiers():
    # Two pairs of equals, 2 logits apart, about 300 comparisons an item: standard errors near 0.15.
    comparisons = draw_comparisons(np.array([0.0, 2.0, 0.0, 2.0]), 600, np.random.default_rng(0))
    samples = bootstrap_bradley_terry(comparisons, rounds=400, rng=np.random.default_rng(1))
    strengths = fit_bradley_terry(comparisons).strengths
    assert tiers(strengths, surely_above(strengths, samples, confidence=0.95)).tolist() == [2, 1, 2, 1]


def test_a_matrix_that_does_not_belong_to_the_strengths_is_refused():
    with pytest.raises(InvalidSetting, match="shape of above"):
        tiers(np.zeros(3), np.zeros((2, 2), dtype=bool))
    with pytest.raises(InvalidSetting, match="not stronger"):
        tiers(np.array([0.0, 1.0]), np.array([[False, True], [False, False]]))
    with pytest.raises(InvalidSetting, match="nan"):
        tiers(np.array([0.0, np.nan]), np.zeros((2, 2), dtype=bool))
