import numpy as np
import pytest

from comparison_data import beats, counted, draw_comparisons, ties
from ratings import (
    Comparisons,
    Interval,
    InvalidComparisons,
    InvalidSetting,
    bootstrap_bradley_terry,
    fit_bradley_terry,
    percentile_intervals,
)
from ratings.bootstrap import ROUND_PRIOR


def samples_of(comparisons, *, rounds=50, seed=1, **options):
    return bootstrap_bradley_terry(comparisons, rounds=rounds, rng=np.random.default_rng(seed), **options)


@pytest.fixture(scope="module")
def eight_items():
    return draw_comparisons(np.linspace(-1, 1, 8), 400, np.random.default_rng(3), tie_share=0.2)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(eight_items):
    assert samples_of(eight_items, seed=7).tobytes() == samples_of(eight_items, seed=7).tobytes()
    assert samples_of(eight_items, seed=7).tobytes() != samples_of(eight_items, seed=8).tobytes()


@pytest.mark.parametrize("rounds_at_once", [1, 7, 49, 50, 1000])
def test_how_many_rounds_are_fitted_at_once_does_not_change_a_bit(eight_items, rounds_at_once):
    assert samples_of(eight_items, rounds_at_once=rounds_at_once).tobytes() == samples_of(eight_items).tobytes()


def test_more_rounds_begin_with_the_same_rounds(eight_items):
    assert samples_of(eight_items, rounds=60)[:50].tobytes() == samples_of(eight_items, rounds=50).tobytes()


def test_order_of_rows_and_sides_do_not_change_a_bit():
    rng = np.random.default_rng(5)
    a, b, outcome = rng.integers(0, 3, 90), rng.integers(3, 6, 90), rng.integers(0, 3, 90)
    there = Comparisons.from_outcomes(6, a, b, outcome)
    order = rng.permutation(90)
    swapped = np.choose(outcome, [1, 0, 2])
    back = Comparisons.from_outcomes(6, b[order], a[order], swapped[order])
    assert samples_of(back).tobytes() == samples_of(there).tobytes()


def test_a_round_is_the_fit_of_its_resample():
    # The first draw of the generator, repeated by hand: cells (0,1), (0,2), (1,2) x (first won, second won, tie),
    # those that happened, in the order that the canonical form gives them: all first wins, all second wins, all ties.
    comparisons = counted(3, beats(0, 1, 30) + beats(1, 0, 10) + ties(0, 2, 20) + beats(1, 2, 15) + beats(2, 1, 25))
    n01, n12, n10, n21, tied = np.random.default_rng(1).multinomial(100, np.array([30, 15, 10, 25, 20]) / 100)
    rows = beats(0, 1, n01) + beats(1, 0, n10) + ties(0, 2, tied) + beats(1, 2, n12) + beats(2, 1, n21)
    by_hand = fit_bradley_terry(counted(3, rows), prior=ROUND_PRIOR).strengths
    assert samples_of(comparisons, rounds=1)[0] == pytest.approx(by_hand, abs=1e-9)


def test_the_spread_of_one_pair_is_that_of_a_proportion():
    # 0 beats 1 in 120 of 200: the gap is logit(p*) with p* = Binomial(200, 0.6) / 200. By the delta method its standard
    # deviation is 1 / sqrt(200 * 0.6 * 0.4) = 0.1443; that of 4000 rounds is known to 1 / sqrt(8000) = 1.1 %, so 5 % is
    # more than four standard errors wide.
    samples = samples_of(counted(2, beats(0, 1, 120) + beats(1, 0, 80)), rounds=4000)
    assert (samples[:, 0] - samples[:, 1]).std() == pytest.approx(0.1443, rel=0.05)


def test_ties_are_drawn_as_ties():
    # A tie stays a tie in every resample, so equals stay equal; as pairs of half-wins they would drift apart.
    assert np.abs(samples_of(counted(3, ties(0, 1, 9) + ties(1, 2, 9)), rounds=200)).max() == 0


def test_an_absent_item_is_missing_and_never_filled():
    # Item 3 met once in 61 comparisons: absent from (60/61)^61 = 36.5 % of the resamples.
    rows = beats(0, 1, 15) + beats(1, 0, 15) + beats(1, 2, 15) + beats(2, 1, 15) + ties(2, 3)
    samples = samples_of(counted(4, rows), rounds=2000)
    missing = np.isnan(samples[:, 3])
    # standard error sqrt(0.365 * 0.635 / 2000) = 0.0108
    assert missing.mean() == pytest.approx(0.365, abs=0.04)
    assert np.isfinite(samples[:, :3]).all()
    assert np.isfinite(samples[~missing]).all()


def test_the_items_present_keep_the_mean_that_they_have_in_the_point_estimate():
    rows = beats(0, 1, 20) + beats(1, 0, 10) + beats(1, 2, 10) + beats(2, 1, 20) + beats(3, 2, 2) + beats(2, 3)
    comparisons = counted(4, rows)
    samples = samples_of(comparisons, rounds=300)
    point = fit_bradley_terry(comparisons, prior=ROUND_PRIOR).strengths
    missing = np.isnan(samples[:, 3])
    assert missing.any()
    assert samples[missing, :3].mean(axis=1) == pytest.approx(np.full(missing.sum(), point[:3].mean()), abs=1e-12)
    assert samples[~missing].mean(axis=1) == pytest.approx(np.zeros((~missing).sum()), abs=1e-12)


def test_a_round_with_an_unbeaten_item_stays_finite():
    # Item 2 lost once in 12: it is unbeaten in about exp(-1) = 37 % of the resamples, where no finite maximum exists.
    rows = beats(0, 1, 20) + beats(1, 0, 20) + beats(2, 0, 11) + beats(0, 2)
    samples = samples_of(counted(3, rows), rounds=500)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 10  # within one standard deviation of the prior


def test_a_weak_prior_hardly_moves_a_round(eight_items):
    assert np.abs(samples_of(eight_items, prior=1e-6) - samples_of(eight_items)).max() < 0.01


def test_progress_is_told_after_each_batch():
    told = []
    samples_of(counted(2, ties(0, 1)), rounds=10, rounds_at_once=4, on_progress=lambda *args: told.append(args))
    assert told == [(4, 10), (8, 10), (10, 10)]


def test_without_comparisons_everything_is_missing():
    assert np.isnan(samples_of(counted(3, []), rounds=4)).all()
    assert samples_of(counted(0, []), rounds=4).shape == (4, 0)


@pytest.mark.parametrize(("option", "value"), [("rounds", 0), ("prior", 0.0), ("prior", np.nan), ("rounds_at_once", 0)])
def test_a_setting_that_cannot_work_is_refused_by_name(option, value):
    with pytest.raises(InvalidSetting, match=f"{option} is {value}"):
        samples_of(counted(2, ties(0, 1)), **{option: value})


def test_counts_that_are_not_whole_cannot_be_redrawn():
    with pytest.raises(InvalidComparisons, match=r"is 1\.5"):
        samples_of(Comparisons(2, np.array([0]), np.array([1]), np.array([1.0]), np.array([1.5]), np.array([0.0])))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    # 200 data sets of 400 comparisons between 5 items: 1000 intervals of nominally 95 %. With 200 rounds the
    # percentiles are a little too close together, so about 0.94 is expected. The five of one data set move together;
    # were they one, the standard error would be sqrt(0.94 * 0.06 / 200) = 0.017: 0.88 and 0.99 are three of these away.
    truth = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    rng = np.random.default_rng(11)
    held = []
    for _ in range(200):
        samples = bootstrap_bradley_terry(draw_comparisons(truth, 400, rng), rounds=200, rng=rng)
        for strength, interval in zip(truth, percentile_intervals(samples, confidence=0.95), strict=True):
            assert isinstance(interval, Interval)
            held.append(interval.low <= strength <= interval.high)
    assert 0.88 < np.mean(held) < 0.99
