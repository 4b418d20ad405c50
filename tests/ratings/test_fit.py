import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from comparison_data import beats, counted, draw_comparisons, mixed_rows, ties
from fit_models import EXTRAS, MODELS, chances, each_model, each_of_differences, expected_counts, log_posterior, some
from ratings import (
    BradleyTerry,
    Comparisons,
    Davidson,
    DidNotConverge,
    GroundedRaoKupper,
    InvalidComparisons,
    NotDetermined,
    Outcome,
    RaoKupper,
    fit,
    log_likelihood,
)

A, B, TIE, BOTH_BAD = Outcome
Floats = NDArray[np.float64]


# The estimate is the top


@each_model
@pytest.mark.parametrize(
    ("n_covariates", "prior", "ridge"), [(0, 0.0, 0.0), (2, 0.0, 0.0), (0, 0.7, 0.0), (2, 0.3, 5.0)]
)
def test_at_the_estimate_no_parameter_leads_further_up(model, n_covariates, prior, ridge):
    comparisons = some(model, n_covariates=n_covariates)
    towards = np.linspace(-1, 1, 5)
    found = fit(comparisons, model, prior=prior, towards=towards, ridge=ridge)

    def height(parameters):
        return log_posterior(parameters, comparisons, model, prior=prior, centre=towards, ridge=ridge)

    # Central differences of 1e-4 are exact to about 1e-8 times the third derivatives, here of the order of 10.
    for aside in 1e-4 * np.eye(len(found.parameters)):
        slope = (height(found.parameters + aside) - height(found.parameters - aside)) / 2e-4
        assert slope == pytest.approx(0, abs=2e-6)
    rng = np.random.default_rng(1)
    top = height(found.parameters)
    for _ in range(20):
        assert height(found.parameters + rng.normal(0, 0.3, len(found.parameters))) < top + 1e-9


@each_model
def test_an_optimiser_that_knows_nothing_of_newton_finds_the_same(model):
    comparisons = some(model, n_items=4, n_rows=60, n_covariates=1)
    found = fit(comparisons, model, prior=0.2, ridge=2.0)
    search = minimize(
        lambda p: -log_posterior(p, comparisons, model, prior=0.2, ridge=2.0, centre=centre_of(found)),
        np.append(np.zeros(len(found.parameters) - len(model.extras)), np.full(len(model.extras), 0.5)),
        tol=1e-9,
    )
    assert found.parameters == pytest.approx(search.x, abs=2e-4)


def centre_of(found):
    assert found.penalty is not None
    return found.penalty.centre[: len(found.strengths)]


@each_model
def test_the_log_likelihood_is_the_plain_sum_of_logs_without_the_penalty(model):
    comparisons = some(model, n_covariates=2)
    found = fit(comparisons, model, prior=0.5, ridge=1.0)
    assert log_likelihood(comparisons, found) == pytest.approx(
        log_posterior(found.parameters, comparisons, model), abs=1e-9
    )


@each_model
def test_expected_counts_give_back_the_parameters_they_came_from(model):
    strengths = np.array([0.9, -0.2, 0.4, -1.3, 0.7])
    if model.is_difference:
        strengths = strengths - strengths.mean()
    found = fit(expected_counts(model, strengths, EXTRAS[model.name]), model)
    assert found.strengths == pytest.approx(strengths, abs=1e-10)
    assert found.extras == pytest.approx(EXTRAS[model.name], abs=1e-10)


@pytest.mark.parametrize("model", MODELS[1:], ids=lambda model: model.name)
def test_simulated_parameters_are_recovered(model):
    # 200,000 votes between 10 items: a strength has a standard error of about 0.01 logits, 0.06 is out of reach.
    rng = np.random.default_rng(4)
    strengths = np.linspace(-1, 1, 10) + (0.0 if model.is_difference else 0.8)
    exact = expected_counts(model, strengths, EXTRAS[model.name], n=1.0)
    shares = exact.counts.clip(0) / exact.counts.clip(0).sum()
    counts = rng.multinomial(200_000, shares.ravel()).reshape(shares.shape)
    found = fit(Comparisons(10, exact.first, exact.second, *counts), model)
    assert np.abs(found.strengths - strengths).max() < 0.06
    assert found.extras == pytest.approx(EXTRAS[model.name], abs=0.03)


# Two items, where all is known


def test_davidson_of_two_items_fits_the_three_shares_exactly():
    # Three outcomes, two parameters: P(first) / P(second) = e^d = 6/2, P(tie)^2 / (P(first) P(second)) = nu^2 = 16/12
    found = fit(counted(2, beats(0, 1, 6) + beats(1, 0, 2) + ties(0, 1, 4)), Davidson())
    assert found.strengths[0] - found.strengths[1] == pytest.approx(np.log(3), abs=1e-12)
    assert np.exp(found.extras) == pytest.approx([np.sqrt(16 / 12)], abs=1e-12)


def test_rao_kupper_of_two_items_fits_the_three_shares_exactly():
    # s(d - eta) = 6/12 and s(-d - eta) = 2/12: d - eta = 0, -d - eta = -ln 5, so d = eta = ln(5) / 2
    found = fit(counted(2, beats(0, 1, 6) + beats(1, 0, 2) + ties(0, 1, 4)), RaoKupper())
    assert found.strengths[0] - found.strengths[1] == pytest.approx(np.log(5) / 2, abs=1e-12)
    assert found.extras == pytest.approx([np.log(5) / 2], abs=1e-12)


def test_the_grounded_model_of_two_items_fits_the_four_shares_exactly():
    # A = 3, B = 1, theta = 2: P(first) = 3 / (3 + 2 + 1) = 1/2, P(second) = 1 / (1 + 6 + 1) = 1/8,
    # P(both bad) = 1 / (1 + 3 + 1) = 1/5, the rest 7/40 are ties: 20, 5, 7 and 8 of 40.
    comparisons = Comparisons.from_outcomes(2, [0] * 4, [1] * 4, [A, B, TIE, BOTH_BAD], counts=[20, 5, 7, 8])
    found = fit(comparisons, GroundedRaoKupper())
    assert found.strengths == pytest.approx([np.log(3), 0.0], abs=1e-10)
    assert found.extras == pytest.approx([0.0], abs=1e-10)  # log(theta - 1)


@pytest.mark.parametrize("n", [1e6, 1e9])
def test_a_billion_wins_to_one_keep_all_digits(n):
    comparisons = Comparisons(2, np.array([0]), np.array([1]), np.array([n]), np.array([1.0]), np.array([2.0]))
    davidson, rao_kupper = fit(comparisons, Davidson()), fit(comparisons, RaoKupper())
    # e^d = n, nu = 2 / sqrt(n); and d - eta = logit(n / (n + 3)) = ln(n / 3), -d - eta = -ln(n + 2)
    assert -np.diff(davidson.strengths) == pytest.approx([np.log(n)], abs=1e-9)
    assert davidson.extras == pytest.approx([np.log(2) - np.log(n) / 2], abs=1e-9)
    assert -np.diff(rao_kupper.strengths) == pytest.approx([(np.log(n / 3) + np.log(n + 2)) / 2], abs=1e-9)


def test_with_hardly_any_ties_davidson_and_rao_kupper_agree_with_bradley_terry():
    comparisons = draw_comparisons(np.linspace(-1, 1, 6), 600, np.random.default_rng(2))
    won, lost = comparisons.counts[:2]
    rare = Comparisons(6, comparisons.first, comparisons.second, won, lost, np.full(15, 1e-9))
    plain = fit(comparisons).strengths
    for model in (Davidson(), RaoKupper()):
        assert fit(rare, model).strengths == pytest.approx(plain, abs=1e-7)


def test_one_win_with_a_prior_towards_centres():
    # Each moves by m from its centre, 0.3 and -0.1: the slope of ln s(gap) is P(upset), the pull of the prior 2 m.
    found = fit(counted(2, beats(0, 1)), prior=2.0, towards=np.array([0.3, -0.1])).strengths
    moved = found - [0.3, -0.1]
    assert moved[0] == pytest.approx(-moved[1], abs=1e-12)
    assert 2.0 * moved[0] == pytest.approx(expit(found[1] - found[0]), abs=1e-12)


def test_without_comparisons_a_prior_gives_its_centres():
    centres = np.array([0.5, -0.2, 0.1])
    assert fit(counted(3, []), prior=0.1, towards=centres).strengths == pytest.approx(centres)


def test_an_ever_stronger_prior_leaves_nothing_but_its_centres():
    centres = np.array([0.4, 0.0, -0.4])
    comparisons = counted(3, beats(2, 0, 50) + ties(0, 1) + ties(1, 2))
    assert fit(comparisons, prior=1e9, towards=centres).strengths == pytest.approx(centres, abs=1e-6)


def test_precision_is_on_the_scale_of_the_summed_log_likelihood():
    # Twice the votes and twice the precision are the same objective twice over.
    comparisons = some(BradleyTerry())
    doubled = Comparisons(5, comparisons.first, comparisons.second, *(2 * comparisons.counts))
    once, twice = fit(comparisons, prior=0.6), fit(doubled, prior=1.2)
    assert twice.strengths == pytest.approx(once.strengths, abs=1e-9)


# Covariates


def side_by_side(n_items, a, b, outcome, counts):
    """Rows with the covariate +1 for side A: its coefficient is what being on that side is worth."""
    return Comparisons.from_outcomes(n_items, a, b, outcome, counts=counts, covariates=np.ones((len(a), 1)))


def test_the_worth_of_a_side_with_two_items():
    # Item 0 wins 6:2 on side A and 3:3 on side B: gap + side = ln 3, gap - side = 0.
    found = fit(side_by_side(2, [0, 0, 1, 1], [1, 1, 0, 0], [A, B, A, B], [6, 2, 3, 3]))
    assert found.coefficients == pytest.approx([np.log(3) / 2], abs=1e-12)
    assert found.strengths[0] - found.strengths[1] == pytest.approx(np.log(3) / 2, abs=1e-12)


def test_a_ridge_of_known_size():
    # Equals, side A wins 9 of 12 whoever is on it: 9 (1 - s(c)) - 3 s(c) = ridge * c
    rows = side_by_side(2, [0, 0, 1, 1], [1, 1, 0, 0], [A, B, A, B], [4.5, 1.5, 4.5, 1.5])
    for ridge in (0.5, 3.0):
        (c,) = fit(rows, ridge=ridge).coefficients
        assert 9 * (1 - expit(c)) - 3 * expit(c) == pytest.approx(ridge * c, abs=1e-10)
    assert fit(rows).coefficients == pytest.approx([np.log(3)], abs=1e-12)


@each_of_differences
def test_a_simulated_bias_for_side_a_and_a_style_are_recovered(model):
    # 4,000 votes: standard errors of the coefficients are about 0.05 logits.
    rng = np.random.default_rng(7)
    strengths, coefficients, n = np.linspace(-1, 1, 8), np.array([0.25, -0.6]), 4000
    a = rng.integers(0, 8, n)
    b = (a + rng.integers(1, 8, n)) % 8
    covariates = np.column_stack((np.ones(n), rng.normal(0, 1, n)))
    advantage = np.cumsum([strengths[b], strengths[a] - strengths[b] + covariates @ coefficients], axis=0)
    p = np.array([chances(model, pair, EXTRAS[model.name])[:3, 1, 0] for pair in advantage.T])
    outcome = (rng.random(n)[:, np.newaxis] > np.cumsum(p, axis=1)[:, :2]).sum(axis=1)
    found = fit(Comparisons.from_outcomes(8, a, b, outcome, covariates=covariates), model)
    assert found.coefficients == pytest.approx(coefficients, abs=0.2)
    assert found.strengths == pytest.approx(strengths, abs=0.4)


def test_a_covariate_that_is_zero_everywhere_is_named():
    rows = mixed_rows(4, 80, np.random.default_rng(0), n_covariates=2)
    assert rows.covariates is not None
    silent = Comparisons(4, rows.first, rows.second, *rows.counts, covariates=rows.covariates * [1.0, 0.0])
    with pytest.raises(NotDetermined, match="the coefficient of covariate 1: no comparison depends on it"):
        fit(silent)
    found = fit(silent, ridge=1.0)
    assert found.coefficients[1] == 0.0


@each_of_differences
@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_a_covariate_that_repeats_another_is_named(model, prior):
    rows = mixed_rows(4, 80, np.random.default_rng(0), n_covariates=2)
    assert rows.covariates is not None
    both = np.column_stack((rows.covariates, rows.covariates @ [2.0, -3.0]))
    repeated = Comparisons(4, rows.first, rows.second, *rows.counts, covariates=both)
    with pytest.raises(NotDetermined, match="covariate 2: it is a sum of differences between items and of other"):
        fit(repeated, model, prior=prior)
    assert np.isfinite(fit(repeated, model, prior=prior, ridge=0.1).parameters).all()


def test_a_covariate_that_is_a_property_of_the_items_is_named():  # nobody can tell it from their strengths
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 80)
    b = (a + rng.integers(1, 4, 80)) % 4
    size = np.array([7.0, 13.0, 70.0, 3.0])
    rows = Comparisons.from_outcomes(4, a, b, rng.integers(0, 3, 80), covariates=(size[a] - size[b])[:, np.newaxis])
    with pytest.raises(NotDetermined, match="the coefficient of covariate 0: it is a sum of differences"):
        fit(rows)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_of_a_covariate_is_the_unit_of_its_coefficient(scale):
    rows = mixed_rows(4, 80, np.random.default_rng(3), n_covariates=1)
    assert rows.covariates is not None
    scaled = Comparisons(4, rows.first, rows.second, *rows.counts, covariates=rows.covariates * scale)
    assert fit(scaled).coefficients * scale == pytest.approx(fit(rows).coefficients, rel=1e-6)


def test_a_covariate_that_separates_wins_from_losses_has_no_estimate():  # but a ridge gives it one
    how = np.tile([A, B], 20)
    separating = np.where(how == A, 1.0, -1.0)[:, np.newaxis]
    rows = Comparisons.from_outcomes(4, [0, 1, 2, 3] * 10, [1, 2, 3, 1] * 10, how, covariates=separating)
    with pytest.raises(DidNotConverge):
        fit(rows, prior=0.1)
    assert fit(rows, prior=0.1, ridge=0.1).coefficients[0] > 1


def test_the_grounded_model_refuses_covariates():
    rows = mixed_rows(4, 80, np.random.default_rng(0), both_bad=True, n_covariates=1)
    with pytest.raises(InvalidComparisons, match="number of covariates is 1; accepted: none with the model grounded"):
        fit(rows, GroundedRaoKupper())
