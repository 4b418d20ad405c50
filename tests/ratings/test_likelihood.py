import numpy as np
import pytest
from scipy.special import expit

from ratings import BradleyTerry, Davidson, GroundedRaoKupper, Likelihood, NotDetermined, Outcome, RaoKupper

A, B, TIE, BOTH_BAD = Outcome
MODELS = [BradleyTerry(), Davidson(), RaoKupper(), GroundedRaoKupper()]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def somewhere(model: Likelihood, n: int = 40, seed: int = 0):
    """Predictors of n rows: strengths or their difference, and an extra that the model accepts."""
    rng = np.random.default_rng(seed)
    lead = rng.normal(0, 2, (1 if model.is_difference else 2, n))
    extra = rng.normal(0, 1, (len(model.extras), n))
    return np.concatenate((lead, np.abs(extra) + 0.1 if model.extras == ("eta",) else extra))


def known(model):
    """The outcomes that have a probability of their own; a tie of Bradley-Terry is two half-wins."""
    return [A, B] if isinstance(model, BradleyTerry) else [A, B, TIE] if model.is_difference else list(Outcome)


@each_model
def test_probabilities_add_up_to_one(model):
    total = np.exp(model.log_probabilities(somewhere(model))[known(model)]).sum(axis=0)
    assert total == pytest.approx(np.ones(40), abs=1e-12)


def test_the_formulas_of_the_papers():
    d, log_nu, eta, a, b, t = np.array([0.7, -0.4, 0.3, 0.9, -0.2, 0.5])
    nu, theta = np.exp(log_nu), 1 + np.exp(t)
    z = np.exp(d / 2) + nu + np.exp(-d / 2)
    written = {
        Davidson(): ([d, log_nu], [np.exp(d / 2) / z, np.exp(-d / 2) / z, nu / z, 0]),
        RaoKupper(): (
            [d, eta],
            [
                expit(d - eta),
                expit(-d - eta),
                (np.exp(2 * eta) - 1) * expit(d - eta) * expit(-d - eta),
                0,
            ],
        ),
    }
    p_a = np.exp(a) / (np.exp(a) + theta * np.exp(b) + 1)
    p_b = np.exp(b) / (np.exp(b) + theta * np.exp(a) + 1)
    bad = 1 / (1 + np.exp(a) + np.exp(b))
    written[GroundedRaoKupper()] = ([a, b, t], [p_a, p_b, 1 - p_a - p_b - bad, bad])
    for model, (predictors, probabilities) in written.items():
        found = np.exp(model.log_probabilities(np.array(predictors)[:, np.newaxis]))[:, 0]
        assert found == pytest.approx(np.array(probabilities), abs=1e-14)


@each_model
def test_slopes_are_those_of_the_log_probabilities(model):
    predictors, step = somewhere(model), 1e-5
    slopes = model.slopes(predictors)
    for k in range(len(predictors)):
        aside = np.zeros_like(predictors)
        aside[k] = step
        up, down = (model.log_probabilities(predictors + sign * aside) for sign in (1, -1))
        seen = np.isfinite(up)
        assert slopes[:, k][seen] == pytest.approx((up[seen] - down[seen]) / (2 * step), rel=1e-7, abs=1e-8)


@each_model
def test_the_curvature_is_minus_the_slope_of_the_slopes(model):
    predictors, step = somewhere(model), 1e-5
    counts = np.random.default_rng(1).integers(0, 5, (4, 40)).astype(float)
    if model.is_difference:
        counts[BOTH_BAD] = 0
    _, curvature = model.derivatives(predictors, counts)
    for k in range(len(predictors)):
        aside = np.zeros_like(predictors)
        aside[k] = step
        up, down = ((counts[:, np.newaxis] * model.slopes(predictors + sign * aside)).sum(axis=0) for sign in (1, -1))
        assert curvature[:, k] == pytest.approx(-(up - down) / (2 * step), rel=1e-7, abs=1e-7)


@each_model
def test_the_expected_slope_is_zero_and_its_variance_is_the_expected_curvature(model):
    # The two identities of Bartlett (1953), which hold for probabilities and nothing else.
    predictors = somewhere(model)
    chances = np.zeros((4, 40))
    chances[known(model)] = np.exp(model.log_probabilities(predictors))[known(model)]
    slopes = model.slopes(predictors)
    assert np.abs(np.einsum("on,oin->in", chances, slopes)).max() < 1e-13
    variance = np.einsum("on,oin,ojn->ijn", chances, slopes, slopes)
    assert np.abs(variance - model.derivatives(predictors, chances)[1]).max() < 1e-13


@each_model
def test_seen_from_the_other_side_a_and_b_change_places(model):
    predictors = somewhere(model)
    turned = predictors.copy()
    if model.is_difference:
        turned[0] *= -1
    else:
        turned[:2] = predictors[1::-1]
    there, back = model.log_probabilities(predictors), model.log_probabilities(turned)
    assert back[[B, A, TIE, BOTH_BAD]] == pytest.approx(there, abs=1e-13)


def test_chances_between_equals():
    equals = np.zeros(1)
    for log_nu in (-2.0, 0.5):
        tie = np.exp(Davidson().log_probabilities(np.array([equals, [log_nu]]))[TIE, 0])
        assert tie == pytest.approx(np.exp(log_nu) / (2 + np.exp(log_nu)))
    for eta in (0.1, 2.0):
        tie = np.exp(RaoKupper().log_probabilities(np.array([equals, [eta]]))[TIE, 0])
        assert tie == pytest.approx(np.tanh(eta / 2))
    bad = np.exp(GroundedRaoKupper().log_probabilities(np.array([equals, equals, [0.3]]))[BOTH_BAD, 0])
    assert bad == pytest.approx(1 / 3)


def test_without_ties_all_models_of_differences_are_bradley_terry():
    d = np.linspace(-5, 5, 11)
    plain = BradleyTerry().log_probabilities(d[np.newaxis])[[A, B]]
    # nu -> 0 leaves e^(d/2) / (e^(d/2) + e^(-d/2)) = s(d); eta -> 0 leaves s(d)
    assert Davidson().log_probabilities(np.stack((d, np.full(11, -40.0))))[[A, B]] == pytest.approx(plain, abs=1e-12)
    assert RaoKupper().log_probabilities(np.stack((d, np.full(11, 1e-14))))[[A, B]] == pytest.approx(plain, abs=1e-12)


def test_far_above_the_ground_the_grounded_model_is_rao_and_kuppers():
    # A / (A + theta B + 1) -> s(d - eta) with theta = e^eta when A and B are large
    d, eta = np.linspace(-3, 3, 7), 0.6
    grounded = GroundedRaoKupper().log_probabilities(
        np.stack((40 + d, np.full(7, 40.0), np.full(7, np.log(np.expm1(eta)))))
    )
    plain = RaoKupper().log_probabilities(np.stack((d, np.full(7, eta))))
    assert grounded[:3] == pytest.approx(plain[:3], abs=1e-12)


@pytest.mark.parametrize("d", [-80.0, -40.0, 40.0, 80.0])
def test_slopes_keep_their_digits_where_an_outcome_is_all_but_certain(d):
    # The slope of the certain win is the chance of what did not happen: tie / 2 + loss, and tie ~ nu e^(-|d|/2).
    certain = A if d > 0 else B
    slope = Davidson().slopes(np.array([[d], [0.0]]))[certain, 0, 0]
    assert np.sign(d) * slope == pytest.approx(np.exp(-abs(d) / 2) / 2, rel=1e-8)
    slope = RaoKupper().slopes(np.array([[d], [1.0]]))[certain, 0, 0]
    assert np.sign(d) * slope == pytest.approx(np.exp(1 - abs(d)), rel=1e-12)


def test_slopes_keep_their_digits_where_a_tie_is_all_but_certain():
    # Davidson: win + loss -> 2 / nu. Rao and Kupper at d = 0: win + loss + 2 / (e^(2 eta) - 1) -> 2 e^(-eta).
    assert Davidson().slopes(np.array([[0.0], [60.0]]))[TIE, 1, 0] == pytest.approx(2 * np.exp(-60), rel=1e-12)
    assert RaoKupper().slopes(np.array([[0.0], [60.0]]))[TIE, 1, 0] == pytest.approx(2 * np.exp(-60), rel=1e-12)


def test_a_threshold_of_zero_or_less_has_no_likelihood_and_no_complaint():
    log_ties = RaoKupper().log_probabilities(np.array([[0.5, 0.5], [0.0, -0.1]]))[TIE]
    assert log_ties.tolist() == [-np.inf, -np.inf]


@pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: model.name)
def test_models_without_both_bad_refuse_them_with_the_number_and_the_way_out(model):
    with pytest.raises(NotDetermined, match=f"the model {model.name} has no place for these 7 verdicts; count them as"):
        model.start(np.array([5.0, 5.0, 5.0, 7.0]))


@pytest.mark.parametrize("model", MODELS[1:], ids=lambda model: model.name)
def test_models_of_ties_want_some_ties_and_not_only_ties(model):
    bad = 0.0 if model.is_difference else 4.0
    with pytest.raises(NotDetermined, match="how likely a tie is: no comparison is a tie"):
        model.start(np.array([5.0, 5.0, 0.0, bad]))
    with pytest.raises(NotDetermined, match="how likely a tie is: every comparison is a tie"):
        model.start(np.array([0.0, 0.0, 9.0, bad]))


@pytest.mark.parametrize(("bad", "why"), [(0.0, "no verdict"), (9.0, "every verdict")])
def test_the_grounded_model_wants_some_both_bad_and_not_only_those(bad, why):
    rest = 0.0 if bad else 3.0
    with pytest.raises(NotDetermined, match=f"the level at which an item is of use: {why} is 'both bad'"):
        GroundedRaoKupper().start(np.array([rest, rest, rest, bad]))


def test_the_start_is_the_estimate_for_equals():
    # 30 of 100 ties: nu / (2 + nu) = 0.3, tanh(eta / 2) = 0.3; 20 of 100 both bad: 1 / (1 + 2 A) = 0.2, A = 2
    counts = np.array([35.0, 35.0, 30.0, 0.0])
    assert Davidson().start(counts)[1] == pytest.approx([np.log(0.6 / 0.7)])
    assert RaoKupper().start(counts)[1] == pytest.approx([2 * np.arctanh(0.3)])
    assert GroundedRaoKupper().start(np.array([30.0, 30.0, 20.0, 20.0]))[0] == pytest.approx(np.log(2))
