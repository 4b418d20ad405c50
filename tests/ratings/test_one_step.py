"""Votes or voters drawn again, with one step from the estimate instead of a fit."""

import numpy as np
import pytest

from comparison_data import beats, counted, ties
from ratings import (
    Absent,
    Comparisons,
    Interval,
    InvalidComparisons,
    InvalidSetting,
    Outcome,
    bootstrap_fit,
    bootstrap_one_step,
    clustered_sandwich,
    fit,
    percentile_intervals,
    sandwich,
)


def votes(n: int, *, n_items: int = 5, n_covariates: int = 2, n_voters: int | None = None, seed: int = 0):
    """One vote a cell, half of them by strengths that differ, with covariates and, if asked for, voters."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, n_items, n)
    b = (a + rng.integers(1, n_items, n)) % n_items
    gap = 0.3 * (b - a) + rng.logistic(size=n)
    how = np.where(np.abs(gap) < 0.4, Outcome.TIE, np.where(gap > 0, Outcome.A, Outcome.B))
    return Comparisons.from_outcomes(
        n_items,
        a,
        b,
        how,
        covariates=rng.normal(size=(n, n_covariates)),
        clusters=None if n_voters is None else rng.integers(0, n_voters, n),
    )


def covariance_of(samples):
    """In the gauge in which strengths add up to 0 over items."""
    strengths = samples[:, :5] - samples[:, :5].mean(axis=1, keepdims=True)
    return np.cov(np.concatenate((strengths, samples[:, 5:]), axis=1).T)


@pytest.mark.parametrize("n_voters", [None, 40])
def test_the_covariance_of_the_rounds_is_that_of_the_sandwich(n_voters: int | None):
    # With 4,000 rounds a variance has a standard error of sqrt(2 / 4000) = 2.2 %; the jackknife's factor (n - 1) / n is
    # 0.975 for 40 voters.
    comparisons = votes(800, n_voters=n_voters)
    found = fit(comparisons)
    is_clustered = n_voters is not None
    gauge = np.full(5, 0.2)
    covariance = (clustered_sandwich if is_clustered else sandwich)(comparisons, found, gauge=gauge)
    samples = bootstrap_one_step(comparisons, found, by_cluster=is_clustered, rounds=4000, rng=np.random.default_rng(1))
    ratio = np.diagonal(covariance_of(samples)) / np.diagonal(covariance.matrix)
    assert ratio == pytest.approx(1, abs=0.1)
    assert samples.mean(axis=0) == pytest.approx(found.parameters, abs=0.02)


def test_rounds_vary_as_much_as_those_that_are_fitted_again():
    # Of 300 rounds each a standard deviation has a standard error of 1 / sqrt(600) = 4 %, of the ratio 6 %.
    comparisons = votes(600)
    found = fit(comparisons)
    one_step = bootstrap_one_step(comparisons, found, by_cluster=False, rounds=300, rng=np.random.default_rng(2))
    refitted = bootstrap_fit(comparisons, rounds=300, rng=np.random.default_rng(3), prior=1e-6)
    assert covariance_of(one_step).diagonal() ** 0.5 == pytest.approx(
        covariance_of(refitted).diagonal() ** 0.5, rel=0.2
    )


def test_groups_of_votes_leave_the_spread_as_it_is():
    comparisons = votes(3000)
    found = fit(comparisons)
    alone, grouped = (
        bootstrap_one_step(
            comparisons, found, by_cluster=False, rounds=3000, rng=np.random.default_rng(4), max_groups=n_groups
        )
        for n_groups in (20_000, 300)
    )
    # A variance from 300 groups is itself known to sqrt(2 / 300) = 8 %.
    assert covariance_of(grouped).diagonal() == pytest.approx(covariance_of(alone).diagonal(), rel=0.3)


def lone(clusters: bool):
    """Three who met often, and one more with a single tie (by vote), or with votes of one voter (by voter)."""
    rows = [(a, b, how) for a, b in ((0, 1), (1, 2), (0, 2)) for how in (0, 1, 2) for _ in range(20)]
    rows += [(0, 3, 0), (0, 3, 1), (0, 3, 2)] if clusters else [(0, 3, 2)]
    a, b, how = np.array(rows).T
    voter = np.where((a == 3) | (b == 3), 99, np.arange(len(a)) % 30)
    zeros = np.random.default_rng(0).normal(size=(len(a), 1))
    return Comparisons.from_outcomes(4, a, b, how, covariates=zeros, clusters=voter if clusters else None)


@pytest.mark.parametrize("by_cluster", [False, True])
def test_an_item_that_rests_on_one_vote_or_voter_gets_no_interval(by_cluster: bool):
    comparisons = lone(by_cluster)
    found = fit(comparisons)
    samples = bootstrap_one_step(comparisons, found, by_cluster=by_cluster, rounds=50, rng=np.random.default_rng(0))
    assert np.isnan(samples[:, 3]).all()
    intervals = percentile_intervals(samples[:, :4], confidence=0.95)
    assert [type(each) for each in intervals] == [Interval, Interval, Interval, Absent]


@pytest.mark.parametrize(("n_voters", "is_known"), [(1, False), (2, False), (3, True)])
def test_two_voters_are_too_few_to_tell_anything(n_voters: int, is_known: bool):
    comparisons = votes(300, n_voters=n_voters)
    samples = bootstrap_one_step(
        comparisons, fit(comparisons), by_cluster=True, rounds=20, rng=np.random.default_rng(0)
    )
    assert np.isfinite(samples).all() == is_known


def test_batches_are_as_good_as_one_piece():
    comparisons = votes(900, n_voters=30)
    assert comparisons.clusters is not None
    order = np.argsort(comparisons.clusters, kind="stable")
    sorted_ = comparisons.taking(order)
    cut = int(np.count_nonzero(comparisons.clusters < 15))
    parts = [sorted_.taking(np.arange(cut)), sorted_.taking(np.arange(cut, 900))]
    found = fit(parts)
    whole, apart = (
        bootstrap_one_step(batches, found, by_cluster=True, rounds=30, rng=np.random.default_rng(5))
        for batches in (sorted_, parts)
    )
    assert apart == pytest.approx(whole, abs=1e-9)


def test_what_cannot_be_drawn_is_refused():
    comparisons, rng = votes(100), np.random.default_rng(0)
    found = fit(comparisons)
    with pytest.raises(InvalidSetting, match="rounds"):
        bootstrap_one_step(comparisons, found, by_cluster=False, rounds=0, rng=rng)
    with pytest.raises(InvalidComparisons, match="clusters"):
        bootstrap_one_step(comparisons, found, by_cluster=True, rounds=5, rng=rng)
    twice = counted(3, beats(0, 1, 2) + beats(1, 2) + beats(2, 0) + ties(0, 1))
    with pytest.raises(InvalidComparisons, match="count of a cell"):
        bootstrap_one_step(twice, fit(twice), by_cluster=False, rounds=5, rng=rng)
    with pytest.raises(InvalidComparisons, match="those that were fitted"):
        bootstrap_one_step(votes(99), found, by_cluster=False, rounds=5, rng=rng)
