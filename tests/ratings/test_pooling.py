import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import beats, counted, draw_comparisons, property_test, ties
from ratings import (
    Comparisons,
    Davidson,
    Interval,
    InvalidComparisons,
    InvalidSetting,
    NotDetermined,
    clustered_sandwich,
    fit,
    sandwich,
    strength_intervals,
)
from ratings.fit import summed
from ratings.pooling import estimate_tau, pool_slices


def drawn_slices(n_slices, n_items, n_rows, tau, rng):
    """The strengths of each slice, shape (n_slices, n_items), and their comparisons."""
    truth = rng.normal(0, 0.6, n_items) + rng.normal(0, tau, (n_slices, n_items))
    return truth, [draw_comparisons(strengths, n_rows, rng) for strengths in truth]


def pooled(slices, **settings):
    whole = fit(summed(slices))
    return whole, pool_slices(whole, sandwich(summed(slices), whole), slices, **settings)


def centred(strengths):
    return strengths - strengths.mean(axis=-1, keepdims=True)


def test_tau_0_is_the_whole_with_its_uncertainty():
    _, slices = drawn_slices(3, 5, 200, 0.5, np.random.default_rng(0))
    whole, pooling = pooled(slices, tau=0.0)
    covariance = sandwich(summed(slices), whole)
    for part in pooling.slices:
        assert part.fit.strengths == pytest.approx(whole.strengths, abs=1e-5)
        # The same variance of differences, which no gauge changes.
        contrast = np.array([1.0, -1, 0, 0, 0])
        variance = contrast @ part.covariance.matrix @ contrast
        assert variance == pytest.approx(contrast @ covariance.matrix @ contrast, rel=1e-3)


def test_a_large_tau_is_the_slice_by_itself():
    _, slices = drawn_slices(3, 5, 300, 0.5, np.random.default_rng(1))
    _, pooling = pooled(slices, tau=100.0)
    for part, comparisons in zip(pooling.slices, slices, strict=True):
        alone = fit(comparisons)
        assert centred(part.fit.strengths) == pytest.approx(alone.strengths, abs=1e-3)
        assert part.covariance.matrix == pytest.approx(sandwich(comparisons, alone).matrix, rel=0.01, abs=1e-4)


@property_test
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.floats(0.01, 3))
def test_the_gap_of_two_lies_between_that_of_the_whole_and_that_of_the_slice(wins, losses, others, against, tau):
    one = counted(2, beats(0, 1, wins) + beats(1, 0, losses))
    other = counted(2, beats(0, 1, others) + beats(1, 0, against))
    whole, pooling = pooled([one, other], tau=tau)
    gaps = sorted([whole.strengths[0] - whole.strengths[1], np.log(wins / losses)])
    found = pooling.slices[0].fit.strengths
    assert gaps[0] - 1e-6 <= found[0] - found[1] <= gaps[1] + 1e-6


def test_pooled_strengths_are_nearer_to_the_truth_than_the_slice_and_than_the_whole():
    # 8 slices of 300 votes between 10 items: strengths by a slice alone have standard errors near 0.27, as much as
    # tau, so pooling halves the variance. Coverage over 40 * 80 intervals, of which those of a set hang together: its
    # standard error is about 0.005.
    rng = np.random.default_rng(5)
    errors, covered, taus = [], [], []
    for _ in range(40):
        truth, slices = drawn_slices(8, 10, 300, 0.3, rng)
        whole, pooling = pooled(slices)
        taus.append(pooling.tau)
        for part, comparisons, strengths in zip(pooling.slices, slices, truth, strict=True):
            estimates = part.fit.strengths, fit(comparisons, prior=1e-3).strengths, whole.strengths
            errors.append([((centred(one) - centred(strengths)) ** 2).mean() for one in estimates])
            level = part.covariance.gauge @ strengths
            for interval, value in zip(
                strength_intervals(part.fit, part.covariance, confidence=0.95), strengths - level, strict=True
            ):
                assert isinstance(interval, Interval)
                covered.append(interval.low < value < interval.high)
    of_pooled, of_slice, of_whole = np.mean(errors, axis=0)
    assert of_pooled < 0.65 * min(of_slice, of_whole)
    assert 0.92 < np.mean(covered) < 0.98
    assert np.mean(taus) == pytest.approx(0.3, abs=0.03)


def test_without_differences_tau_is_near_the_error_with_which_they_could_be_seen():
    # As above with tau = 0: 72 distances of standard error 0.27, whose variance is known to 0.27^2 * sqrt(2 / 72) =
    # 0.012, so tau to about 0.11; and pooled intervals are then less than half as wide as those of the slices alone.
    rng = np.random.default_rng(0)
    taus = []
    for _ in range(10):
        _, slices = drawn_slices(8, 10, 300, 0.0, rng)
        _, pooling = pooled(slices)
        taus.append(pooling.tau)
        alone = sandwich(slices[0], fit(slices[0], prior=1e-3)).standard_errors
        assert pooling.slices[0].covariance.standard_errors.mean() < 0.6 * alone.mean()
    assert np.mean(taus) < 0.15


@pytest.mark.parametrize("n_slices", [2, 20])
def test_tau_is_found_with_few_and_with_many_slices(n_slices):
    # Also where each slice is a large part of the whole. 15 items and 1500 votes a slice: standard errors near 0.15.
    rng = np.random.default_rng(2)
    found = [
        estimate_tau(fit(summed(slices)), slices)
        for slices in (drawn_slices(n_slices, 15, 1500, 0.5, rng)[1] for _ in range(40 // n_slices))
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_voters_who_differ_are_not_taken_for_slices_that_do():
    # 25 voters a slice with tastes of their own (standard deviation 1) and 40 votes each, no difference between slices:
    # by vote, what the voters' tastes leave in a slice, 1 / sqrt(25) = 0.2 an item, would look like tau.
    rng = np.random.default_rng(3)
    slices = []
    for _ in range(6):
        voter = np.repeat(np.arange(25), 40)
        taste = rng.normal(0, 1.0, (25, 6))
        a = rng.integers(0, 6, 1000)
        b = (a + rng.integers(1, 6, 1000)) % 6
        outcome = np.where(rng.random(1000) < 1 / (1 + np.exp(taste[voter, b] - taste[voter, a])), 0, 1)
        slices.append(Comparisons.from_outcomes(6, a, b, outcome, clusters=voter))
    plain = [summed(part) for part in slices]
    whole = fit(summed(slices))
    assert estimate_tau(whole, slices) < 0.6 * estimate_tau(whole, plain)
    by_voter = pool_slices(whole, sandwich(summed(slices), whole), slices, tau=1.0).slices[0].covariance
    by_vote = pool_slices(whole, sandwich(summed(slices), whole), plain, tau=1.0).slices[0].covariance
    assert by_voter.is_clustered
    assert (by_voter.standard_errors > 1.3 * by_vote.standard_errors).all()
    alone = clustered_sandwich(slices[0], fit(slices[0]))
    assert by_voter.standard_errors == pytest.approx(alone.standard_errors, rel=0.1)


def test_an_item_without_votes_in_the_slice_has_the_strength_of_the_whole():
    rng = np.random.default_rng(4)
    big = draw_comparisons(rng.normal(0, 0.5, 5), 20_000, rng)
    without_4 = big.taking((big.second < 4) & (big.first < 4))
    whole, pooling = pooled([big, without_4], tau=0.4)
    part = pooling.slices[1]
    assert part.pooled_only == {4}
    assert pooling.slices[0].pooled_only == frozenset()
    assert part.fit.strengths[4] == pytest.approx(whole.strengths[4], abs=1e-9)
    # All votes are many. The whole knows 4 from the first slice alone, so what separates it from the second is the
    # difference of two distances, each tau, for it and for the mean of the other four: tau * sqrt(2 * (1 + 1/4)).
    assert part.covariance.standard_errors[4] == pytest.approx(0.4 * np.sqrt(2.5), rel=0.02)
    assert (part.covariance.standard_errors[:4] < 0.1).all()
    interval = strength_intervals(part.fit, part.covariance, confidence=0.95)[4]
    assert isinstance(interval, Interval)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.4 * np.sqrt(2.5), rel=0.02)


def test_items_that_a_slice_alone_cannot_rate_have_finite_strengths_and_intervals():
    # In the slice 0 never lost and 3 never met anybody; the whole knows both.
    part = counted(4, beats(0, 1, 3) + beats(1, 2) + beats(2, 1))
    rest = draw_comparisons(np.zeros(4), 500, np.random.default_rng(0))
    _, pooling = pooled([part, rest], tau=0.5)
    found = pooling.slices[0]
    assert np.isfinite(found.fit.strengths).all()
    assert all(isinstance(one, Interval) for one in strength_intervals(found.fit, found.covariance, confidence=0.95))


def test_a_slice_without_votes_is_the_whole_give_or_take_tau():
    rest = draw_comparisons(np.array([0.5, 0.0, -0.5]), 5_000, np.random.default_rng(0))
    nothing = Comparisons.from_outcomes(3, [], [], [])
    whole, pooling = pooled([rest, nothing], tau=0.3)
    found = pooling.slices[1]
    assert found.fit.strengths == pytest.approx(whole.strengths)
    assert found.pooled_only == {0, 1, 2}
    # Two distances from the mean of three: the slice's own, and that of the one slice of which the whole consists.
    assert found.covariance.standard_errors == pytest.approx([0.3 * np.sqrt(2 * 2 / 3)] * 3, rel=0.02)


def test_a_single_item_is_the_whole():
    nothing = Comparisons.from_outcomes(1, [], [], [])
    _, pooling = pooled([nothing], tau=0.3)
    assert pooling.slices[0].fit.strengths.tolist() == [0.0]


def test_the_order_of_slices_does_not_matter():
    _, slices = drawn_slices(4, 6, 150, 0.4, np.random.default_rng(6))
    _, one = pooled(slices)
    _, other = pooled(slices[::-1])
    assert one.tau == pytest.approx(other.tau)
    assert one.is_estimated
    for part, again in zip(one.slices, other.slices[::-1], strict=True):
        assert part.fit.strengths == pytest.approx(again.fit.strengths, abs=1e-6)
        assert part.covariance.matrix == pytest.approx(again.covariance.matrix, abs=1e-6)


def test_other_models_keep_their_extras_and_coefficients_to_each_slice():
    rng = np.random.default_rng(7)
    parts = [draw_comparisons(rng.normal(0, 0.5, 5), 600, rng, tie_share=share) for share in (0.1, 0.4)]
    whole = fit(summed(parts), Davidson())
    pooling = pool_slices(whole, sandwich(summed(parts), whole), parts)
    few, many = (part.fit.extras[0] for part in pooling.slices)
    assert few < whole.extras[0] < many
    assert pooling.slices[0].covariance.matrix.shape == (6, 6)
    assert (pooling.slices[0].covariance.standard_errors > 0.01).all()


def test_one_slice_alone_does_not_tell_how_far_slices_differ():
    comparisons = draw_comparisons(np.zeros(3), 100, np.random.default_rng(0))
    with pytest.raises(NotDetermined, match="how far slices differ"):
        pooled([comparisons])
    assert not pooled([comparisons], tau=0.2)[1].is_estimated
    whole = fit(comparisons)
    assert pool_slices(whole, sandwich(comparisons, whole), [], tau=0.2).slices == ()


@pytest.mark.parametrize("tau", [-0.1, np.nan, np.inf])
def test_a_tau_that_is_no_standard_deviation_is_refused(tau):
    with pytest.raises(InvalidSetting, match="tau"):
        pooled([counted(2, ties(0, 1))], tau=tau)


def test_slices_of_other_items_are_refused():
    comparisons = counted(2, ties(0, 1, 3))
    whole = fit(comparisons)
    with pytest.raises(InvalidComparisons, match="n_items of slice 1"):
        pool_slices(whole, sandwich(comparisons, whole), [comparisons, counted(3, ties(0, 1))], tau=0.1)
