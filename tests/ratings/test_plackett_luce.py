from itertools import pairwise, permutations

import choix
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from comparison_data import beats, counted, property_test
from ratings import DidNotConverge, InvalidComparisons, InvalidSetting, NotConnected, fit_bradley_terry
from ratings import log_likelihood as of_pairs
from ratings.plackett_luce import _counted, _derivatives, _tables, fit_plackett_luce


@st.composite
def linked_rankings(draw):
    """Any lists over 2 to 6 items, and all items once in a row and once in reverse, so that a finite maximum exists."""
    n_items = draw(st.integers(2, 6))
    ranking = st.lists(st.integers(0, n_items - 1), min_size=2, max_size=n_items, unique=True)
    everyone = list(range(n_items))
    return n_items, [everyone, everyone[::-1], *draw(st.lists(ranking, max_size=15))]


def log_likelihood(strengths, rankings):
    """The definition, place by place."""
    total = 0.0
    for ranking in rankings:
        for place in range(len(ranking) - 1):
            left = strengths[list(ranking[place:])]
            total += left[0] - np.log(np.exp(left).sum())
    return total


def derivatives(strengths, rankings):
    return _derivatives(_tables(_counted(len(strengths), rankings)), strengths)


def draw_rankings(strengths, n_rankings, length, rng):
    """Lists from the model: sorted by strength plus Gumbel noise, of which the maximum is a Plackett-Luce choice."""
    rankings = []
    for _ in range(n_rankings):
        items = rng.permutation(len(strengths))[:length]
        rankings.append(items[np.argsort(-(strengths[items] + rng.gumbel(size=length)))].tolist())
    return rankings


def test_three_to_one():  # lists of two: P = 3 / 4, so the gap is ln 3
    fit = fit_plackett_luce(2, [[0, 1]] * 3 + [[1, 0]])
    assert fit.strengths == pytest.approx(np.array([1, -1]) * np.log(3) / 2, abs=1e-12)
    assert fit.log_likelihood == pytest.approx(3 * np.log(0.75) + np.log(0.25), abs=1e-12)
    assert fit.n_rankings == 4


def test_one_item_first_in_half_of_the_lists():
    # 0 is first in 2 lists of 4 and last in 2; 1 and 2 take turns, so they are equal. With shares (x, 1, 1) the
    # likelihood is (x / (x + 2))^2 * (1 / (x + 2))^2 * (1 / (x + 1))^2: 2 / x = 4 / (x + 2) + 2 / (x + 1), so
    # (x + 2)(x + 1) = 2 x (x + 1) + x (x + 2), 2 x^2 + x - 2 = 0, and x = (sqrt(17) - 1) / 4.
    fit = fit_plackett_luce(3, [[0, 1, 2], [0, 2, 1], [1, 2, 0], [2, 1, 0]])
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log((np.sqrt(17) - 1) / 4), abs=1e-12)
    assert fit.strengths[1] == pytest.approx(fit.strengths[2], abs=1e-12)


def test_every_order_once_makes_equals():
    fit = fit_plackett_luce(4, list(permutations(range(4))))
    assert fit.strengths == pytest.approx(np.zeros(4), abs=1e-12)
    assert fit.log_likelihood == pytest.approx(-24 * np.log(24), abs=1e-9)


@property_test
@given(linked_rankings(), st.integers(0, 2**32 - 1))
def test_value_gradient_and_information_are_those_of_the_definition(data, seed):
    n_items, rankings = data
    strengths = np.random.default_rng(seed).normal(0, 1, n_items)
    here = derivatives(strengths, rankings)
    assert here.value == pytest.approx(log_likelihood(strengths, rankings), abs=1e-9)
    assert here.gradient == pytest.approx(approx_fprime(strengths, log_likelihood, 1e-7, rankings), abs=1e-4)
    hessian = np.asarray(approx_fprime(strengths, lambda at: derivatives(at, rankings).gradient, 1e-7))
    assert here.information == pytest.approx(-hessian, abs=1e-4)
    scores = [derivatives(strengths, [ranking]).gradient for ranking in rankings]
    assert here.score_products == pytest.approx(sum(np.outer(score, score) for score in scores), abs=1e-9)


@property_test
@given(linked_rankings(), st.sampled_from([0.0, 0.3]))
def test_the_slope_is_zero_at_the_estimate(data, prior):
    n_items, rankings = data
    fit = fit_plackett_luce(n_items, rankings, prior=prior)
    assert derivatives(fit.strengths, rankings).gradient == pytest.approx(prior * fit.strengths, abs=1e-10)
    assert fit.strengths.sum() == pytest.approx(0, abs=1e-10)


@property_test
@given(linked_rankings())
def test_choix_comes_to_the_same_strengths(data):
    n_items, rankings = data
    independent = choix.opt_rankings(n_items, rankings, method="Newton-CG", tol=1e-10)
    assert fit_plackett_luce(n_items, rankings).strengths == pytest.approx(independent - independent.mean(), abs=1e-4)


@property_test
@given(linked_rankings(), st.sampled_from([0.0, 0.5]))
def test_lists_of_two_are_bradley_terry(data, prior):
    n_items, rankings = data
    pairs = [list(pair) for ranking in rankings for pair in pairwise(ranking)]
    comparisons = counted(n_items, [row for winner, loser in pairs for row in beats(winner, loser)])
    one, other = fit_plackett_luce(n_items, pairs, prior=prior), fit_bradley_terry(comparisons, prior=prior)
    assert one.strengths == pytest.approx(other.strengths, abs=1e-9)
    assert one.log_likelihood == pytest.approx(of_pairs(comparisons, other), abs=1e-9)


@property_test
@given(linked_rankings(), st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_change_a_bit(data, random):
    n_items, rankings = data
    shuffled = list(rankings)
    random.shuffle(shuffled)
    once, again = (fit_plackett_luce(n_items, lists) for lists in (rankings, shuffled))
    assert again.strengths.tobytes() == once.strengths.tobytes()
    assert again.covariance.tobytes() == once.covariance.tobytes()


@property_test
@given(linked_rankings(), st.data())
def test_names_of_items_do_not_matter(data, chosen):
    n_items, rankings = data
    label = chosen.draw(st.permutations(range(n_items)))
    renamed = [[label[item] for item in ranking] for ranking in rankings]
    strengths = fit_plackett_luce(n_items, rankings).strengths
    assert fit_plackett_luce(n_items, renamed).strengths[label] == pytest.approx(strengths, abs=1e-9)


def test_repeating_all_lists_halves_the_variance():
    rankings = draw_rankings(np.linspace(-1, 1, 5), 40, 4, np.random.default_rng(2))
    once, twice = fit_plackett_luce(5, rankings), fit_plackett_luce(5, rankings * 2)
    assert twice.strengths == pytest.approx(once.strengths, abs=1e-9)
    assert twice.covariance == pytest.approx(once.covariance / 2, abs=1e-9)


def test_the_standard_error_of_three_to_one():
    # The gap has information n p (1 - p) = 4 * 3 / 16 and scores 1 - p or -p, whose squares add up to the same, so its
    # variance is 4 / 3 both ways; each strength is half the gap.
    fit = fit_plackett_luce(2, [[0, 1]] * 3 + [[1, 0]])
    assert fit.standard_errors == pytest.approx(np.full(2, np.sqrt(4 / 3) / 2), abs=1e-9)
    assert fit.information == pytest.approx(np.array([[1, -1], [-1, 1]]) * 0.75, abs=1e-9)


def test_standard_errors_are_the_spread_over_data_sets_and_nearly_those_of_the_information():
    # 200 data sets of 100 lists of 4 out of 5 items: a standard deviation over 200 is known to 1 / sqrt(400) = 5 %.
    truth, rng = np.linspace(-1, 1, 5), np.random.default_rng(6)
    fits = [fit_plackett_luce(5, draw_rankings(truth, 100, 4, rng)) for _ in range(200)]
    spread = np.std([fit.strengths for fit in fits], axis=0)
    assert np.mean([fit.standard_errors for fit in fits], axis=0) == pytest.approx(spread, rel=0.15)
    believed = np.sqrt(np.diagonal(np.linalg.pinv(fits[0].information)))
    assert fits[0].standard_errors == pytest.approx(believed, rel=0.2)
    assert np.mean([fit.strengths for fit in fits], axis=0) == pytest.approx(truth, abs=0.05)


def test_the_covariance_is_that_of_strengths_with_mean_zero():
    fit = fit_plackett_luce(5, draw_rankings(np.linspace(-1, 1, 5), 40, 4, np.random.default_rng(2)))
    assert fit.covariance.sum(axis=0) == pytest.approx(np.zeros(5), abs=1e-10)


@pytest.mark.parametrize(
    ("rankings", "groups"),
    [
        ([[0, 1], [1, 0], [2, 3], [3, 2]], [(0, 1), (2, 3)]),
        ([[0, 1, 2], [1, 0, 2], [1, 2, 0], [3, 1, 0, 2]], [(0, 1, 2), (3,)]),
        ([[0, 1, 2], [1, 2, 0]], [(0, 1, 2), (3,)]),
    ],
    ids=["islands", "always first", "in no list"],
)
def test_undetermined_strengths_are_refused_with_the_groups(rankings, groups):
    with pytest.raises(NotConnected) as refusal:
        fit_plackett_luce(4, rankings)
    assert refusal.value.groups == groups


def test_a_prior_rates_an_item_that_is_always_first():
    fit = fit_plackett_luce(4, [[3, 0, 1, 2], [3, 1, 0, 2], [3, 2, 1, 0]], prior=0.1)
    assert fit.strengths.argmax() == 3
    assert np.isfinite(fit.strengths).all()
    assert np.isfinite(fit.standard_errors).all()


def test_an_item_in_fewer_than_two_lists_has_no_finite_error():
    fit = fit_plackett_luce(4, [[0, 1], [1, 0], [2, 0]], prior=0.5)
    assert np.isinf(fit.standard_errors).tolist() == [False, False, True, True]
    assert fit.strengths[3] == pytest.approx(0, abs=1e-12)


def test_ten_thousand_to_one_is_still_exact():  # in a tree every pair is fitted exactly
    rankings = [[0, 1]] * 10_000 + [[1, 0]] + [[1, 2]] * 10_000 + [[2, 1]]
    assert -np.diff(fit_plackett_luce(3, rankings).strengths) == pytest.approx(np.log([1e4, 1e4]), abs=1e-10)


@pytest.mark.parametrize(
    ("rankings", "sentence"),
    [
        ([[0, 1], [0, 3]], r"item of the ranking is 3 in row 1; accepted: the items 0 to 2"),
        ([[0, -1]], r"item of the ranking is -1 in row 0"),
        ([[0, True]], r"item of the ranking is True in row 0"),
        ([[0, 1.0]], r"item of the ranking is 1\.0 in row 0"),
        ([[0, 1, 0]], r"ranking is \[0, 1, 0\] in row 0; accepted: each item once"),
        ([[0, 1], [2]], r"ranking is \[2\] in row 1; accepted: two items or more"),
        ([[]], r"ranking is \[\] in row 0"),
    ],
)
def test_lists_that_are_no_rankings_are_refused_with_their_place(rankings, sentence):
    with pytest.raises(InvalidComparisons, match=sentence):
        fit_plackett_luce(3, rankings)


@pytest.mark.parametrize("prior", [-0.1, np.nan, np.inf])
def test_a_prior_that_is_no_precision_is_refused(prior):
    with pytest.raises(InvalidSetting, match="prior is"):
        fit_plackett_luce(2, [[0, 1], [1, 0]], prior=prior)


def test_steps_that_run_out_are_told():
    with pytest.raises(DidNotConverge, match="after 1 steps"):
        fit_plackett_luce(3, [[0, 1, 2]] * 5 + [[2, 1, 0]], max_steps=1, tolerance=0.0)


def test_nothing_to_rate_is_no_error():
    assert fit_plackett_luce(0, []).strengths.shape == (0,)
    assert fit_plackett_luce(1, []).strengths.tolist() == [0]
    assert fit_plackett_luce(3, [], prior=0.1).strengths.tolist() == [0, 0, 0]
