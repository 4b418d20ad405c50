"""The same comparisons in other clothes give the same estimate, however far away the search begins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from comparison_data import draw_comparisons, mixed_rows, property_test
from fit_models import MODELS, each_model, some
from ratings import (
    BradleyTerry,
    Comparisons,
    DidNotConverge,
    Outcome,
    fit,
    fit_bradley_terry,
    log_likelihood,
    rateable_groups,
)

A, B, TIE, BOTH_BAD = Outcome
Floats = NDArray[np.float64]


# The same data in other clothes


@each_model
@pytest.mark.parametrize("n_covariates", [0, 2])
def test_several_pieces_are_one(model, n_covariates):
    rng = np.random.default_rng(5)
    n_covariates = n_covariates if model.is_difference else 0
    parts = [mixed_rows(5, n, rng, both_bad=not model.is_difference, n_covariates=n_covariates) for n in (30, 1, 90)]
    a, b, how, counts, covariates = [], [], [], [], []
    for part in parts:
        for outcome in Outcome:
            seen = part.counts[outcome] > 0
            a.append(part.first[seen])
            b.append(part.second[seen])
            how.append(np.full(seen.sum(), outcome))
            counts.append(part.counts[outcome][seen])
            covariates += [] if part.covariates is None else [part.covariates[seen]]
    whole = Comparisons.from_outcomes(
        5,
        *(np.concatenate(column) for column in (a, b, how)),
        counts=np.concatenate(counts),
        covariates=np.concatenate(covariates) if covariates else None,
    )
    apart, together = fit(parts, model), fit(whole, model)
    assert apart.parameters == pytest.approx(together.parameters, abs=1e-9)
    assert log_likelihood(parts, apart) == pytest.approx(log_likelihood(whole, together), abs=1e-9)
    assert apart.n_comparisons == together.n_comparisons == 121


@each_model
def test_a_whole_weight_is_a_repeated_row(model):
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 3, 90), rng.integers(3, 6, 90)
    how, weight = rng.integers(0, 3 if model.is_difference else 4, 90), rng.integers(1, 4, 90)
    weighted = Comparisons.from_outcomes(6, a, b, how, weights=weight)
    repeated = Comparisons.from_outcomes(6, a, b, how, counts=weight)
    assert fit(weighted, model).parameters == pytest.approx(fit(repeated, model).parameters, abs=1e-9)
    assert fit(weighted, model).n_comparisons == 90
    assert fit(weighted.by_pair(), model).parameters == pytest.approx(fit(weighted, model).parameters, abs=1e-9)


@each_model
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_the_scale_of_weights_does_not_matter(model, scale):
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 3, 90), rng.integers(3, 6, 90)
    how, weight = rng.integers(0, 3 if model.is_difference else 4, 90), rng.uniform(0.5, 2, 90)
    plain, scaled = (
        fit(Comparisons.from_outcomes(6, a, b, how, weights=weight * factor), model) for factor in (1.0, scale)
    )
    assert scaled.parameters == pytest.approx(plain.parameters, abs=1e-8)


@each_model
def test_clusters_do_not_move_the_estimate(model):
    rng = np.random.default_rng(6)
    a, b, how = rng.integers(0, 3, 90), rng.integers(3, 6, 90), rng.integers(0, 3 if model.is_difference else 4, 90)
    clustered = Comparisons.from_outcomes(6, a, b, how, clusters=rng.integers(0, 9, 90))
    plain = Comparisons.from_outcomes(6, a, b, how)
    assert fit(clustered, model).parameters == pytest.approx(fit(plain, model).parameters, abs=1e-10)


@property_test
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS), st.booleans())
def test_order_of_rows_and_sides_leave_the_estimate_as_it_is(seed, model, with_side):
    rng = np.random.default_rng(seed)
    n = 80
    a, b, how = rng.integers(0, 3, n), rng.integers(3, 6, n), rng.integers(0, 3 if model.is_difference else 4, n)
    how[:4] = [A, B, TIE, BOTH_BAD if not model.is_difference else TIE]
    covariates = rng.normal(0, 1, (n, 1)) if with_side and model.is_difference else None
    turned, order = rng.random(n) < 0.5, rng.permutation(n)
    there = Comparisons.from_outcomes(6, a, b, how, covariates=covariates)
    back = Comparisons.from_outcomes(
        6,
        np.where(turned, b, a)[order],
        np.where(turned, a, b)[order],
        np.where(turned, np.array([B, A, TIE, BOTH_BAD])[how], how)[order],
        covariates=None if covariates is None else (np.where(turned, -1, 1)[:, np.newaxis] * covariates)[order],
    )
    one, other = fit(there, model, prior=0.01), fit(back, model, prior=0.01)
    if covariates is None:
        assert other.parameters.tobytes() == one.parameters.tobytes()
    assert other.parameters == pytest.approx(one.parameters, abs=1e-9)


@property_test
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS))
def test_names_of_items_do_not_matter(seed, model):
    comparisons = some(model, seed=seed)
    label = np.random.default_rng(seed).permutation(5)
    renamed = comparisons.restricted_to(np.argsort(label))
    one, other = fit(comparisons, model), fit(renamed, model)
    assert other.strengths[label] == pytest.approx(one.strengths, abs=1e-9)
    assert other.extras == pytest.approx(one.extras, abs=1e-9)


@property_test
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS), st.integers(2, 5))
def test_repeating_all_votes_leaves_the_estimate_as_it_is(seed, model, times):
    comparisons = some(model, seed=seed)
    repeated = Comparisons(5, comparisons.first, comparisons.second, *(times * comparisons.counts))
    assert fit(repeated, model).parameters == pytest.approx(fit(comparisons, model).parameters, abs=1e-9)


# Large, near and far


@each_model
def test_from_the_estimate_of_nearly_the_same_votes_few_steps_lead_to_the_new_one(model):
    comparisons = some(model, n_rows=2000)
    found = fit(comparisons, model)
    assert fit(comparisons, model, start=found.parameters).n_steps == 1
    more = comparisons.counts.copy()
    more[A, 0] += 1
    later = Comparisons(5, comparisons.first, comparisons.second, *more)
    warm = fit(later, model, start=found.parameters)
    assert warm.n_steps <= 3
    assert warm.parameters == pytest.approx(fit(later, model).parameters, abs=1e-9)


@each_model
@pytest.mark.parametrize("seed", range(5))
def test_a_start_far_off_finds_the_same_top(model, seed):
    comparisons = some(model, n_rows=200)
    far = np.random.default_rng(seed).normal(0, 8, len(fit(comparisons, model).parameters))
    if model.extras == ("eta",):
        far[-1] = abs(far[-1]) + 0.1
    assert fit(comparisons, model, start=far).parameters == pytest.approx(fit(comparisons, model).parameters, abs=1e-7)


@pytest.mark.parametrize("far", [50.0, 400.0, 1e4])
def test_a_start_from_where_no_slope_is_left_ends_at_the_top_or_in_a_refusal(far):
    comparisons = some(BradleyTerry(), n_rows=200)
    try:
        found = fit(comparisons, start=far * np.array([1.0, -1.0, 0.5, 0.0, -0.5]))
    except DidNotConverge:
        return
    assert found.strengths == pytest.approx(fit(comparisons).strengths, abs=1e-7)


def test_two_thousand_items_are_no_problem():
    comparisons = draw_comparisons(np.random.default_rng(0).normal(0, 1, 2000), 20_000, np.random.default_rng(1))
    core = comparisons.restricted_to(rateable_groups(comparisons)[0])
    assert core.n_items > 1900
    strengths = fit_bradley_terry(core).strengths
    # Wins are those expected, for every item: the sum over its cells of counts times P is what it won.
    p = expit(strengths[core.first] - strengths[core.second])
    excess = np.bincount(core.first, core.wins_first - core.cell_counts * p, core.n_items)
    excess += np.bincount(core.second, core.wins_second - core.cell_counts * (1 - p), core.n_items)
    assert np.abs(excess).max() < 1e-9
    assert strengths.mean() == pytest.approx(0, abs=1e-12)
