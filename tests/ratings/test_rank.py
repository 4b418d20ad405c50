import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import draw_comparisons, property_test
from ratings import (
    InvalidSetting,
    RankRange,
    bootstrap_bradley_terry,
    fit_bradley_terry,
    rank_ranges,
    ranks,
)
from ratings.rank import surely_above


def noisy(strengths, spread, *, rounds=400, seed=0):
    """Samples around the strengths, as a bootstrap would give them."""
    return strengths + np.random.default_rng(seed).normal(0, spread, (rounds, len(strengths)))


def test_the_strongest_has_rank_1_and_equals_share_the_better_rank():
    assert ranks(np.array([0.5, 2.0, 0.5 + 1e-10, -1.0])).tolist() == [2, 1, 2, 4]


def test_an_item_without_a_strength_has_no_rank():
    with pytest.raises(InvalidSetting, match="nan"):
        ranks(np.array([0.0, np.nan]))
    with pytest.raises(InvalidSetting, match="nan"):
        rank_ranges(np.array([0.0, np.nan]), np.zeros((5, 2)), confidence=0.95)


def test_clearly_different_items_have_one_possible_rank():
    strengths = np.array([0.0, 30.0, -30.0])
    assert rank_ranges(strengths, noisy(strengths, 1.0), confidence=0.95) == [
        RankRange(2, 2),
        RankRange(1, 1),
        RankRange(3, 3),
    ]


def test_when_nothing_is_known_every_rank_is_possible():
    strengths = np.array([0.1, 0.0, -0.1, 0.05])
    assert rank_ranges(strengths, noisy(strengths, 5.0), confidence=0.95) == [RankRange(1, 4)] * 4


def test_only_the_pairs_that_differ_clearly_narrow_the_range():
    # Two strong and two weak: each pair of neighbours is open, the gap between them is not.
    strengths = np.array([10.0, 10.1, -10.0, -10.1])
    ranges = rank_ranges(strengths, noisy(strengths, 1.0), confidence=0.95)
    assert ranges == [RankRange(1, 2), RankRange(1, 2), RankRange(3, 4), RankRange(3, 4)]


def test_the_critical_value_is_the_quantile_of_the_largest_deviation():
    # One pair, differences 1 + (-2, ..., 2): standard deviation s = sqrt(10/4), deviations 0, 1/s, 1/s, 2/s, 2/s. At
    # confidence 0.5 the critical value is 1/s: a difference of 1 is then just not certain, 1.01 is.
    around = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    for difference, expected in ((0.99, RankRange(1, 2)), (1.01, RankRange(1, 1))):
        strengths = np.array([difference, 0.0])
        samples = np.column_stack((difference + around, np.zeros(5)))
        assert rank_ranges(strengths, samples, confidence=0.5)[0] == expected


def test_what_moves_together_is_told_apart():
    # Both items share an error of 50 and differ by 3 with an error of 0.1 each: their own intervals overlap widely.
    rng = np.random.default_rng(0)
    strengths = np.array([3.0, 0.0])
    samples = strengths + rng.normal(0, 50, (400, 1)) + rng.normal(0, 0.1, (400, 2))
    assert rank_ranges(strengths, samples, confidence=0.95) == [RankRange(1, 1), RankRange(2, 2)]


def test_a_difference_that_never_varies_is_not_certain():
    strengths = np.array([5.0, 0.0, -50.0])
    samples = noisy(strengths, 1.0)
    samples[:, 1] = samples[:, 0] - 5.0
    assert rank_ranges(strengths, samples, confidence=0.95) == [RankRange(1, 2), RankRange(1, 2), RankRange(3, 3)]
    assert rank_ranges(strengths, np.tile(strengths, (9, 1)), confidence=0.95) == [RankRange(1, 3)] * 3


def test_an_item_missing_from_many_rounds_is_never_certain():
    strengths = np.array([30.0, 0.0, -30.0])
    samples = noisy(strengths, 1.0)
    samples[:20, 0] = np.nan  # 20 of 400 = 5 %: still allowed
    assert rank_ranges(strengths, samples, confidence=0.95)[0] == RankRange(1, 1)
    samples[:21, 0] = np.nan
    assert rank_ranges(strengths, samples, confidence=0.95) == [RankRange(1, 3), RankRange(1, 2), RankRange(2, 3)]
    samples[:, 0] = np.nan
    assert rank_ranges(strengths, samples, confidence=0.95) == [RankRange(1, 3), RankRange(1, 2), RankRange(2, 3)]


@property_test
@given(st.integers(1, 8), st.floats(0, 5), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_the_range_contains_the_rank(n_items, spread, confidence, seed):
    # Samples need not even be centred on the strengths, and strengths may be equal or a hair apart.
    rng = np.random.default_rng(seed)
    strengths = rng.choice([0.0, 1e-10, 1e-8, 1.0, 3.0], n_items)
    samples = rng.normal(0, spread, (25, n_items)) + strengths * rng.choice([0, 1])
    samples[rng.random(samples.shape) < rng.choice([0.0, 0.02])] = np.nan
    found = rank_ranges(strengths, samples, confidence=confidence)
    for rank, places in zip(ranks(strengths), found, strict=True):
        assert 1 <= places.best <= rank <= places.worst <= n_items


@property_test
@given(st.integers(2, 7), st.sampled_from([0.0, 1e4]), st.sampled_from([0.0, 0.03]), st.integers(0, 2**32 - 1))
def test_certain_is_what_exceeds_the_largest_deviation_pair_by_pair(n_items, shared, missing, seed):
    # The definition written out, also where the two share nearly all of their variance, or miss rounds.
    rng = np.random.default_rng(seed)
    strengths = rng.normal(0, 3, n_items)
    samples = strengths + rng.normal(0, 1, (50, n_items)) + rng.normal(0, shared, (50, 1))
    samples[rng.random(samples.shape) < missing] = np.nan
    differences = samples[:, :, np.newaxis] - samples[:, np.newaxis, :]
    point = strengths[:, np.newaxis] - strengths
    certain = np.isnan(differences).mean(axis=0) <= 0.05
    np.fill_diagonal(certain, False)
    if certain.any():
        spread = np.where(certain, np.nanstd(differences, axis=0, ddof=1), np.inf)
        deviations = np.abs(differences - point) / spread
        critical = np.quantile(np.nanmax(deviations, axis=(1, 2)), 0.8, method="higher")
        certain &= point / spread > critical
    assert (surely_above(strengths, samples, confidence=0.8) == certain).all()


def test_a_range_counts_who_is_surely_above_and_below():
    strengths = np.array([3.0, 2.0, 0.0, -9.0])
    samples = noisy(strengths, 0.8)
    above = surely_above(strengths, samples, confidence=0.9)
    assert above.any()
    for item, places in enumerate(rank_ranges(strengths, samples, confidence=0.9)):
        assert places == RankRange(1 + int(above[:, item].sum()), 4 - int(above[item].sum()))


def test_equals_up_to_rounding_are_never_certain():
    # Most rounds repeat the estimate, so at confidence 0.5 the critical value is 0 and any difference would exceed it;
    # yet 8e-10 apart both have rank 1, which a range of (2, 2) would not contain.
    strengths = np.array([8e-10, 0.0])
    samples = np.tile(strengths, (9, 1))
    samples[:2, 0] += 1e-8
    assert rank_ranges(strengths, samples, confidence=0.5) == [RankRange(1, 2), RankRange(1, 2)]


def test_all_ranges_hold_at_once():
    # 12 equal items, so any certain pair is an error: at 95 % that may happen in one data set of twenty. In 1000 data
    # sets the standard error is sqrt(0.05 * 0.95 / 1000) = 0.007; 0.03 and 0.075 are about three of these away.
    # Comparing each of the 66 pairs with 1.96 instead would err in more than half of the data sets.
    truth = np.zeros(12)
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(1000):
        estimate = rng.normal(truth, 1.0)
        samples = rng.normal(estimate, 1.0, (400, 12))
        errors.append(any(place != RankRange(1, 12) for place in rank_ranges(estimate, samples, confidence=0.95)))
    assert 0.03 < np.mean(errors) < 0.075


def test_from_comparisons_to_places():
    # Gaps of 1.5 logits with about 300 comparisons an item: standard errors near 0.15, so all places are certain.
    comparisons = draw_comparisons(np.array([1.5, 0.0, -1.5, 3.0]), 600, np.random.default_rng(4))
    samples = bootstrap_bradley_terry(comparisons, rounds=400, rng=np.random.default_rng(5))
    places = rank_ranges(fit_bradley_terry(comparisons).strengths, samples, confidence=0.95)
    assert places == [RankRange(2, 2), RankRange(3, 3), RankRange(4, 4), RankRange(1, 1)]


@pytest.mark.parametrize("shape", [(0, 2), (5, 3), (2,)])
def test_samples_of_other_items_are_refused(shape):
    with pytest.raises(InvalidSetting, match="shape of samples"):
        rank_ranges(np.array([1.0, 0.0]), np.zeros(shape), confidence=0.95)


def test_a_confidence_in_percent_is_refused():
    with pytest.raises(InvalidSetting, match=r"confidence is 95"):
        rank_ranges(np.array([1.0, 0.0]), np.zeros((5, 2)), confidence=95)


def test_no_items_have_no_ranks():
    assert ranks(np.empty(0)).tolist() == []
    assert rank_ranges(np.empty(0), np.empty((3, 0)), confidence=0.95) == []
