from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from comparison_data import beats, counted, draw_comparisons, mixed_rows, property_test, ties
from ratings import (
    BradleyTerry,
    Comparisons,
    Davidson,
    DidNotConverge,
    GroundedRaoKupper,
    InvalidComparisons,
    InvalidSetting,
    Likelihood,
    NotConnected,
    NotDetermined,
    Outcome,
    RaoKupper,
    fit,
    fit_bradley_terry,
    log_likelihood,
    rateable_groups,
)
from ratings.connectivity import grounded_group, ties_run_away

A, B, TIE, BOTH_BAD = Outcome
Floats = NDArray[np.float64]
MODELS = [BradleyTerry(), Davidson(), RaoKupper(), GroundedRaoKupper()]
EXTRAS = {"bradley-terry": [], "davidson": [-0.4], "rao-kupper": [0.5], "grounded-rao-kupper": [0.3]}
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
each_of_differences = pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: model.name)


def chances(model, strengths, extras):
    """Probabilities of the outcomes of every ordered pair, from the formulas in plain words; (4, n, n)."""
    a, b = strengths[:, np.newaxis], strengths[np.newaxis, :]
    d = a - b
    if isinstance(model, BradleyTerry):
        return np.stack((expit(d), expit(-d), 0 * d, 0 * d))
    if isinstance(model, Davidson):
        z = np.exp(d / 2) + np.exp(extras[0]) + np.exp(-d / 2)
        return np.stack((np.exp(d / 2) / z, np.exp(-d / 2) / z, np.exp(extras[0]) / z, 0 * d))
    if isinstance(model, RaoKupper):
        win, loss = expit(d - extras[0]), expit(-d - extras[0])
        return np.stack((win, loss, 1 - win - loss, 0 * d))
    theta = 1 + np.exp(extras[0])
    win = np.exp(a) / (np.exp(a) + theta * np.exp(b) + 1)
    loss = np.exp(b) / (np.exp(b) + theta * np.exp(a) + 1)
    bad = 1 / (1 + np.exp(a) + np.exp(b))
    return np.stack((win, loss, 1 - win - loss - bad, bad))


def expected_counts(model, strengths, extras, n=100.0):
    """n comparisons of each pair, with outcomes just as often as the model says."""
    first, second = np.triu_indices(len(strengths), 1)
    counts = n * chances(model, strengths, extras)[:, first, second]
    return Comparisons(len(strengths), first, second, *counts)


def log_posterior(
    parameters, comparisons: Comparisons, model: Likelihood, *, prior=0.0, centre: float | Floats = 0.0, ridge=0.0
) -> float:
    """The objective, written a second time: a sum over cells in plain words."""
    n_items = comparisons.n_items
    covariates = comparisons.covariates
    n_covariates = 0 if covariates is None else covariates.shape[1]
    strengths, coefficients = parameters[:n_items], parameters[n_items : n_items + n_covariates]
    extras = parameters[n_items + n_covariates :]
    total = -prior / 2 * ((strengths - centre) ** 2).sum() - ridge / 2 * (coefficients**2).sum()
    for cell in range(comparisons.n_cells):
        pair = strengths[[comparisons.first[cell], comparisons.second[cell]]].copy()
        if covariates is not None:
            pair[0] += covariates[cell] @ coefficients
        win, loss, tie, bad = np.log(np.maximum(chances(model, pair, extras)[:, 0, 1], 1e-300))
        if isinstance(model, BradleyTerry):
            tie = (win + loss) / 2
        weight = 1.0 if comparisons.weights is None else comparisons.weights[cell]
        total += weight * (comparisons.counts[:, cell] @ np.array([win, loss, tie, bad]))
    return float(total)


def some(model, *, n_items=5, n_rows=120, seed=0, n_covariates=0):
    return mixed_rows(
        n_items,
        n_rows,
        np.random.default_rng(seed),
        both_bad=not model.is_difference,
        n_covariates=n_covariates if model.is_difference else 0,
    )


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


# What the data do not tell


@each_of_differences
def test_both_bad_verdicts_are_refused_by_models_of_differences(model):
    with pytest.raises(NotDetermined, match="no place for these 2 verdicts"):
        fit(counted(2, ties(0, 1) + beats(0, 1) + [(0, 1, BOTH_BAD)] * 2), model)


@pytest.mark.parametrize("model", MODELS[1:3], ids=lambda model: model.name)
def test_no_ties_and_only_ties_leave_the_tie_parameter_undetermined(model):
    for rows in (beats(0, 1, 2) + beats(1, 0), ties(0, 1, 3)):
        with pytest.raises(NotDetermined, match="how likely a tie is"):
            fit(counted(2, rows), model)


def test_a_grounded_item_without_comparisons_is_named():
    rows = beats(0, 1, 3) + beats(1, 0, 2) + ties(0, 1, 2) + [(0, 1, BOTH_BAD)] * 2
    with pytest.raises(NotDetermined, match="the strength of item 2: no comparison depends on it"):
        fit(counted(3, rows), GroundedRaoKupper())
    assert np.isfinite(fit(counted(3, rows), GroundedRaoKupper(), prior=0.1).strengths).all()


@pytest.mark.parametrize(
    "rows",
    [beats(0, 2, 9), [(0, 2, BOTH_BAD)] * 9, beats(2, 0, 9)],
    ids=["always loses", "always both bad", "always wins"],
)
def test_a_grounded_item_without_finite_strength_has_no_estimate(rows):
    core = beats(0, 1, 30) + beats(1, 0, 20) + ties(0, 1, 20) + [(0, 1, BOTH_BAD)] * 10
    comparisons = counted(3, core + rows)
    assert grounded_group(comparisons) == (0, 1)
    with pytest.raises((DidNotConverge, NotDetermined)):
        fit(comparisons, GroundedRaoKupper())


def test_a_grounded_model_without_a_top_is_not_answered():
    # 0 and 1 only tie, 0 and 2 have a win, a tie and both bad. All gets likelier as theta grows and 2 sinks at the same
    # pace; there is no top, and at theta = e^71 the slope has sunk into rounding.
    comparisons = counted(3, [*ties(0, 1), *beats(0, 2), *ties(0, 2), (0, 2, BOTH_BAD)])
    assert grounded_group(comparisons) == (0, 1, 2)
    with pytest.raises(NotDetermined, match="log_theta_1: the comparisons are the more likely the further it goes"):
        fit(comparisons, GroundedRaoKupper())


@pytest.mark.parametrize("model", MODELS[1:3], ids=lambda model: model.name)
def test_ties_between_some_and_wins_between_others_leave_no_finite_estimate(model):
    # 0 always beats 1, both always tie with 2. The wins want a large gap, the ties two small ones or, which fits all
    # at once, a tie parameter without end: with gap g = 3 t and t -> oo every probability tends to 1.
    rows = beats(0, 1, 5) + ties(1, 2, 5) + ties(0, 2, 5)
    assert rateable_groups(counted(3, rows)) == [(0, 1, 2)]
    with pytest.raises(NotDetermined, match="how likely a tie is"):
        fit(counted(3, rows), model)


def test_ties_do_not_run_away_once_there_is_an_upset():
    # 10 wins and 10 ties, all for one side: the gap grows with the tie parameter. One upset ends that.
    one_sided = beats(0, 1, 10) + ties(0, 1, 10)
    assert ties_run_away(counted(2, one_sided))
    assert not ties_run_away(counted(2, one_sided + beats(1, 0)))
    # A circle of wins cannot be one of growing gaps either.
    assert not ties_run_away(counted(3, beats(0, 1) + beats(1, 2) + beats(2, 0) + ties(0, 1)))


@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        (ties(0, 1) + beats(0, 1) + ties(2, 3), [(0, 1), (2, 3)]),
        (ties(0, 1) + ties(2, 3) + beats(0, 2, 9), [(0, 1), (2, 3)]),
        (ties(0, 1) + ties(1, 2) + beats(3, 0), [(0, 1, 2), (3,)]),
        (ties(0, 1) + ties(1, 2) + beats(0, 3), [(0, 1, 2), (3,)]),
    ],
    ids=["islands", "one-way bridge", "unbeaten", "winless"],
)
@each_of_differences
def test_undetermined_strengths_are_refused_with_the_groups(model, rows, groups):
    with pytest.raises(NotConnected) as refusal:
        fit(counted(4, rows), model)
    assert refusal.value.groups == groups


# Settings


@pytest.mark.parametrize("name", ["prior", "ridge"])
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_a_precision_that_is_none_is_refused(name, value):
    with pytest.raises(InvalidSetting, match=f"{name} is"):
        fit(counted(2, ties(0, 1)), **{name: value})


@pytest.mark.parametrize("name", ["start", "towards"])
def test_numbers_of_another_shape_or_not_finite_are_refused(name):
    for wrong in (np.zeros(3), np.array([0.0, np.nan])):
        setting: dict[str, Any] = {name: wrong}
        with pytest.raises(InvalidSetting, match=name):
            fit(counted(2, ties(0, 1)), prior=1.0, **setting)


def test_pieces_that_can_be_gone_through_only_once_are_refused():
    comparisons = some(BradleyTerry())
    with pytest.raises(InvalidSetting, match="batches is 'generator'"):
        fit(piece for piece in [comparisons])


def test_no_piece_and_pieces_of_different_items_are_refused():
    with pytest.raises(InvalidComparisons, match="number of batches is 0"):
        fit([])
    with pytest.raises(InvalidComparisons, match="n_items of a batch is 3"):
        fit([counted(2, ties(0, 1)), counted(3, ties(0, 1))])


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


# The corners of the data


def test_only_ties_make_equals():
    assert fit(counted(3, ties(0, 1, 5) + ties(1, 2))).strengths.tolist() == [0, 0, 0]


def test_one_tie_is_enough_and_one_win_is_not():
    assert fit(counted(2, ties(0, 1))).strengths.tolist() == [0, 0]
    with pytest.raises(NotConnected):
        fit(counted(2, beats(0, 1)))


def test_a_newcomer_with_one_win_is_unrated_and_the_others_are_as_without_it():
    others = beats(0, 1, 30) + beats(1, 0, 20) + ties(1, 2, 9)
    comparisons = counted(4, others + beats(3, 0))
    assert rateable_groups(comparisons) == [(0, 1, 2), (3,)]
    with pytest.raises(NotConnected):
        fit(comparisons)
    rated = fit(comparisons.restricted_to([0, 1, 2])).strengths
    assert rated.tobytes() == fit(counted(3, others)).strengths.tobytes()


@each_of_differences
def test_nothing_to_rate_with_a_prior(model):
    if model.extras:
        with pytest.raises(NotDetermined):
            fit(counted(3, []), model, prior=1.0)
    else:
        assert fit(counted(0, []), model).strengths.shape == (0,)
        assert fit(counted(1, []), model).strengths.tolist() == [0]
        assert fit(counted(3, []), model, prior=1.0).strengths.tolist() == [0, 0, 0]


def test_an_iterator_is_refused_also_where_the_whole_is_given():
    comparisons = some(BradleyTerry())
    with pytest.raises(InvalidSetting, match="again and again"):
        fit((each for each in [comparisons]), whole=comparisons)
