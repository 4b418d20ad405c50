import choix
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from comparison_data import beats, counted, draw_comparisons, linked_rows, property_test, ties
from ratings import (
    Comparisons,
    DidNotConverge,
    InvalidSetting,
    NotConnected,
    Outcome,
    fit_bradley_terry,
    log_likelihood,
    to_score,
)
from ratings.bradley_terry import climb

SWAPPED = {Outcome.A: Outcome.B, Outcome.B: Outcome.A, Outcome.TIE: Outcome.TIE}


def log_posterior(strengths, comparisons, prior):
    """The objective, written a second time: a loop over cells in plain words."""
    total = -prior / 2 * (strengths**2).sum()
    columns = (comparisons.wins_first, comparisons.wins_second, comparisons.ties)
    for first, second, wins, losses, tied in zip(comparisons.first, comparisons.second, *columns, strict=True):
        p = 1 / (1 + np.exp(strengths[second] - strengths[first]))
        total += (wins + tied / 2) * np.log(p) + (losses + tied / 2) * np.log(1 - p)
    return total


def test_three_wins_to_one():  # P = 3/4, so the gap is ln(3/1); in Elo points 400 * log10(3) = 190.85
    fit = fit_bradley_terry(counted(2, beats(0, 1, 3) + beats(1, 0)))
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(3), abs=1e-12)
    assert np.subtract(*to_score(fit.strengths)) == pytest.approx(190.85, abs=0.005)
    assert fit.strengths.sum() == pytest.approx(0, abs=1e-12)


def test_the_log_likelihood_of_three_wins_to_one():  # 3 ln(3/4) + ln(1/4)
    comparisons = counted(2, beats(0, 1, 3) + beats(1, 0))
    fit = fit_bradley_terry(comparisons)
    assert log_likelihood(comparisons, fit) == pytest.approx(3 * np.log(0.75) + np.log(0.25), abs=1e-12)


def test_the_log_likelihood_leaves_the_prior_out():
    comparisons = counted(3, beats(0, 1, 3) + ties(1, 2) + beats(2, 0))
    fit = fit_bradley_terry(comparisons, prior=0.7)
    assert log_likelihood(comparisons, fit) == pytest.approx(
        log_posterior(fit.strengths, comparisons, prior=0.0), abs=1e-12
    )


def test_a_tie_is_two_half_wins():  # 2 wins and 2 ties against 0: the odds are (2 + 1) / (0 + 1), as in three to one
    fit = fit_bradley_terry(counted(2, beats(0, 1, 2) + ties(0, 1, 2)))
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(3), abs=1e-12)


def test_only_ties_make_equals():
    assert fit_bradley_terry(counted(3, ties(0, 1, 5) + ties(1, 2))).strengths.tolist() == [0, 0, 0]


def test_the_chain_rule_of_odds():  # in a tree every pair is fitted exactly: 0 over 1 is 2:1, 1 over 2 is 5:1
    strengths = fit_bradley_terry(counted(3, beats(0, 1, 2) + beats(1, 0) + beats(1, 2, 5) + beats(2, 1))).strengths
    assert -np.diff(strengths) == pytest.approx(np.log([2, 5]), abs=1e-12)


def test_a_billion_to_one_and_two_thousand_logits_are_still_exact():
    # Each neighbour is beaten a billion times and wins once: 100 gaps of ln(1e9) = 20.72 logits.
    n_items = 101
    n_cells = n_items - 1
    first = np.arange(n_cells)
    comparisons = Comparisons(n_items, first, first + 1, np.full(n_cells, 1e9), np.ones(n_cells), np.zeros(n_cells))
    gaps = -np.diff(fit_bradley_terry(comparisons).strengths)
    assert gaps == pytest.approx(np.full(n_cells, np.log(1e9)), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_choix_finds_the_same_strengths(seed):
    rng = np.random.default_rng(seed)
    n_items = int(rng.integers(3, 40))
    comparisons = draw_comparisons(rng.normal(0, 1.5, n_items), 60 * n_items, rng, tie_share=0.2)
    strengths = fit_bradley_terry(comparisons).strengths
    by_spectrum = choix.ilsr_pairwise_dense(comparisons.wins_matrix(), alpha=0.0, max_iter=1000, tol=1e-12)
    assert np.abs(strengths - (by_spectrum - by_spectrum.mean())).max() < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_choix_finds_the_same_strengths_by_optimisation(seed):
    rng = np.random.default_rng(seed)
    comparisons = draw_comparisons(rng.normal(0, 1, 8), 600, rng)
    wins = comparisons.wins_matrix().astype(int)
    pairs = [(i, j) for i in range(8) for j in range(8) for _ in range(wins[i, j])]
    by_optimisation = choix.opt_pairwise(8, pairs, alpha=0.0, method="Newton-CG", tol=1e-12)
    strengths = fit_bradley_terry(comparisons).strengths
    assert np.abs(strengths - (by_optimisation - by_optimisation.mean())).max() < 1e-6


@property_test
@given(linked_rows())
def test_expected_wins_equal_observed_wins_at_the_maximum(data):  # the gradient of the log-likelihood is zero
    comparisons = counted(data.n_items, data.rows)
    strengths = fit_bradley_terry(comparisons).strengths
    wins = comparisons.wins_matrix()
    expected = (wins + wins.T) / (1 + np.exp(strengths[np.newaxis, :] - strengths[:, np.newaxis]))
    assert wins.sum(axis=1) == pytest.approx(expected.sum(axis=1), abs=1e-10)


@property_test
@given(linked_rows(), st.sampled_from([0.0, 0.3]), st.integers(0, 2**32 - 1))
def test_no_direction_leads_further_up(data, prior, seed):
    comparisons = counted(data.n_items, data.rows)
    strengths = fit_bradley_terry(comparisons, prior=prior).strengths
    top = log_posterior(strengths, comparisons, prior)
    aside = np.random.default_rng(seed).normal(0, 1, data.n_items)
    aside -= aside.mean()
    for distance in (-0.1, -0.01, 0.01, 0.1):
        assert log_posterior(strengths + distance * aside, comparisons, prior) < top


@property_test
@given(linked_rows(), st.floats(0.01, 10))
def test_a_prior_gives_the_maximum_of_the_posterior(data, prior):
    comparisons = counted(data.n_items, data.rows)
    found = minimize(lambda r: -log_posterior(r, comparisons, prior), np.zeros(data.n_items), tol=1e-10)
    assert np.abs(fit_bradley_terry(comparisons, prior=prior).strengths - found.x).max() < 1e-4


def test_the_posterior_of_one_win():  # strengths +-d/2 with slope P(upset) = prior * d / 2
    gap = -np.diff(fit_bradley_terry(counted(2, beats(0, 1)), prior=1.0).strengths)[0]
    assert gap / 2 == pytest.approx(1 / (1 + np.exp(gap)), abs=1e-12)


@property_test
@given(linked_rows(), st.randoms(use_true_random=False))
def test_order_of_rows_and_sides_do_not_change_a_bit(data, random):
    shuffled = [(b, a, SWAPPED[how]) if random.random() < 0.5 else (a, b, how) for a, b, how in data.rows]
    random.shuffle(shuffled)
    once, again = (fit_bradley_terry(counted(data.n_items, rows)) for rows in (data.rows, shuffled))
    assert again.strengths.tobytes() == once.strengths.tobytes()


@property_test
@given(linked_rows(), st.data())
def test_names_of_items_do_not_matter(data, chosen):
    label = chosen.draw(st.permutations(range(data.n_items)))
    renamed = counted(data.n_items, [(label[a], label[b], how) for a, b, how in data.rows])
    strengths = fit_bradley_terry(counted(data.n_items, data.rows)).strengths
    assert fit_bradley_terry(renamed).strengths[label] == pytest.approx(strengths, abs=1e-9)


@property_test
@given(linked_rows(), st.integers(2, 5))
def test_repeating_all_rows_leaves_strengths_unchanged(data, times):
    strengths = fit_bradley_terry(counted(data.n_items, data.rows)).strengths
    repeated = fit_bradley_terry(counted(data.n_items, data.rows * times))
    assert repeated.strengths == pytest.approx(strengths, abs=1e-9)
    assert repeated.n_comparisons == times * len(data.rows)


@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        (ties(0, 1) + ties(2, 3), [(0, 1), (2, 3)]),
        (ties(0, 1) + ties(2, 3) + beats(0, 2, 9), [(0, 1), (2, 3)]),
        (ties(0, 1) + ties(1, 2) + beats(3, 0), [(0, 1, 2), (3,)]),
        (ties(0, 1) + ties(1, 2) + beats(0, 3), [(0, 1, 2), (3,)]),
    ],
    ids=["islands", "one-way bridge", "unbeaten", "winless"],
)
def test_undetermined_strengths_are_refused_with_the_groups(rows, groups):
    with pytest.raises(NotConnected) as refusal:
        fit_bradley_terry(counted(4, rows))
    assert refusal.value.groups == groups
    assert "4 items fall into 2 groups" in str(refusal.value)
    for group in groups:
        assert "{" + ", ".join(map(str, group)) + "}" in str(refusal.value)


def test_a_prior_rates_an_unbeaten_item_finitely():
    strengths = fit_bradley_terry(counted(3, ties(0, 1, 9) + beats(2, 0)), prior=0.01).strengths
    assert strengths.argmax() == 2
    assert np.isfinite(strengths).all()


@pytest.mark.parametrize("prior", [-0.1, np.nan, np.inf])
def test_a_prior_that_is_no_precision_is_refused(prior):
    with pytest.raises(InvalidSetting, match="prior is"):
        fit_bradley_terry(counted(2, ties(0, 1)), prior=prior)


def test_steps_that_run_out_are_told_with_the_slope_that_is_left():
    with pytest.raises(DidNotConverge, match="after 1 steps") as refusal:
        fit_bradley_terry(counted(2, beats(0, 1, 3) + beats(1, 0)), max_steps=1)
    # The step starts at equal strengths, where the slope is wins - games / 2 = 3 - 2 = 1.
    assert (refusal.value.steps, refusal.value.gradient) == (1, pytest.approx(1.0))


def test_a_start_far_off_on_the_flat_side_finds_the_top():
    # An undamped Newton step from here overshoots by more each time and never comes back.
    wins = np.array([[[0.0, 10.0], [90.0, 0.0]]])
    for start in (-150.0, 5.0, 150.0):
        strengths, _ = climb(wins, prior=0.0, start=np.array([[start, -start]]), max_steps=50, tolerance=1e-9)
        assert strengths[0, 1] - strengths[0, 0] == pytest.approx(np.log(9), abs=1e-9)


def test_nothing_to_rate_is_no_error():
    assert fit_bradley_terry(counted(0, [])).strengths.shape == (0,)
    assert fit_bradley_terry(counted(1, [])).strengths.tolist() == [0]
    assert fit_bradley_terry(counted(3, []), prior=0.1).strengths.tolist() == [0, 0, 0]
