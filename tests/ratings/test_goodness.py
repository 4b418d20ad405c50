import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import RowsOfItems, beats, counted, draw_comparisons, linked_rows, property_test, ties
from ratings import Absent, Comparisons, Davidson, InvalidSetting, Outcome, fit
from ratings.goodness import Cyclicity, ScaleFit, cyclicity, fit_by_pair, fit_of_scale


def circle(n: int) -> Comparisons:
    """0 beats 1 beats 2 beats 0, n times each: all strengths are equal."""
    return counted(3, beats(0, 1, n) + beats(1, 2, n) + beats(2, 0, n))


def drawn_by_rao_kupper(n_items, n_rows, rng, *, eta):
    """Comparisons for which one scale holds and ties follow Rao and Kupper."""
    strengths = rng.normal(0, 0.8, n_items)
    a = rng.integers(0, n_items, n_rows)
    b = (a + rng.integers(1, n_items, n_rows)) % n_items
    noise = rng.logistic(size=n_rows) + strengths[a] - strengths[b]
    outcome = np.where(noise > eta, Outcome.A, np.where(noise < -eta, Outcome.B, Outcome.TIE))
    return Comparisons.from_outcomes(n_items, a, b, outcome)


def test_a_perfect_circle_contradicts_the_scale_in_every_pair():
    # Strengths are equal, p = 1/2: each pair expects 5 of 10, gets 10 or 0, with variance 10/4. Two strengths for three
    # alike pairs: leverage 2/3. So z = 5 / sqrt(2.5 / 3), and the stretched binomial is 30 of 30: p = 2 * 0.5^30.
    pairs = fit_by_pair(circle(10), fit(circle(10)))
    assert pairs.observed.tolist() == [10, 0, 10]
    assert pairs.expected == pytest.approx([5, 5, 5])
    assert pairs.residual == pytest.approx(5 / np.sqrt(2.5 / 3) * np.array([1, -1, 1]))
    assert pairs.p_value == pytest.approx([2 * 0.5**30] * 3)
    assert pairs.q_value == pytest.approx([2 * 0.5**30] * 3)
    assert pairs.contradictions().tolist() == [0, 1, 2]


def test_a_perfect_circle_fails_the_test_of_the_scale():
    # Pearson: three times 5^2 / 2.5, one degree of freedom: P(chi-square_1 > 30) = P(|z| > 5.477) = 4.3e-8.
    found = fit_of_scale(circle(10), fit(circle(10)))
    assert isinstance(found, ScaleFit)
    assert (found.statistic, found.degrees) == (pytest.approx(30), pytest.approx(1))
    assert found.p_value == pytest.approx(4.32e-8, rel=1e-3)
    assert (found.n_pairs, found.n_left_out, found.dispersion) == (3, 0, 1.0)


def test_a_perfect_circle_is_all_circle():
    # Nothing is explained; chance alone gives one degree of freedom of the 30. Sign test of 10 : 0: 2 * 0.5^10, with
    # Holm at most three times that = 0.006.
    found = cyclicity(circle(10), fit(circle(10)), confidence=0.99)
    assert isinstance(found, Cyclicity)
    assert (found.share, found.observed_share) == (pytest.approx(1), pytest.approx(1))
    assert found.chance_share == pytest.approx(1 / 30)
    assert (found.n_triples, found.n_cycles, found.sure_cycles) == (1, 1, ((0, 1, 2),))
    unsure = cyclicity(circle(10), fit(circle(10)), confidence=0.995)
    assert isinstance(unsure, Cyclicity)
    assert (unsure.n_cycles, unsure.sure_cycles) == (1, ())


def test_ties_lessen_the_dispersion():
    # Every pair has 5 : 5 and 10 ties: 20 p (1 - p) = 5, of which 10 ties take 10/4: phi = 1/2.
    rows = [row for a, b in ((0, 1), (0, 2), (1, 2)) for row in beats(a, b, 5) + beats(b, a, 5) + ties(a, b, 10)]
    comparisons = counted(3, rows)
    assert fit_by_pair(comparisons, fit(comparisons)).dispersion == pytest.approx(0.5)


def test_leverages_add_up_to_the_strengths_that_are_free():
    # So the degrees of freedom are pairs - (items - 1): 28 - 7. With a prior fewer are used up.
    comparisons = draw_comparisons(np.zeros(8), 3_000, np.random.default_rng(0))
    found = fit_of_scale(comparisons, fit(comparisons))
    assert isinstance(found, ScaleFit)
    assert found.degrees == pytest.approx(28 - 7)
    pooled = fit_of_scale(comparisons, fit(comparisons, prior=50.0))
    assert isinstance(pooled, ScaleFit)
    assert 21 < pooled.degrees < 28


@pytest.mark.parametrize(("n_items", "n_rows", "eta"), [(6, 600, 0.3), (20, 4_000, 0.0), (20, 1_500, 0.5)])
def test_where_the_scale_fits_small_p_values_are_as_rare_as_they_say(n_items, n_rows, eta):
    # 150 data sets: the share of overall p-values below 0.1 has standard error 0.025. Pairwise ones err to the safe
    # side, so no more than 0.1 of them, and a contradiction (at 0.1 of false discovery) in at most 0.1 of the sets.
    rng = np.random.default_rng(1)
    overall, small, any_contradiction, spread = [], [], [], []
    for _ in range(150):
        comparisons = drawn_by_rao_kupper(n_items, n_rows, rng, eta=eta)
        whole = fit(comparisons, prior=1e-4)
        pairs, scale = fit_by_pair(comparisons, whole), fit_of_scale(comparisons, whole)
        small.append((pairs.p_value < 0.1).mean())
        any_contradiction.append(len(pairs.contradictions(0.1)) > 0)
        spread.append(np.nanmean(pairs.residual**2))
        if isinstance(scale, ScaleFit):
            overall.append(scale.p_value < 0.1)
    assert len(overall) > 100
    assert 0.03 < np.mean(overall) < 0.175
    assert 0.02 < np.mean(small) < 0.1
    assert np.mean(any_contradiction) < 0.16
    assert np.mean(spread) == pytest.approx(1, abs=0.1)


def test_a_pair_that_goes_its_own_way_is_found():
    # 3 is better than 0 by 1 logit, yet loses to it in 70 of 100.
    rng = np.random.default_rng(0)
    usual = draw_comparisons(np.linspace(0, 1, 6), 3_000, rng)
    odd = (usual.first == 0) & (usual.second == 3)
    counts = usual.counts.copy()
    counts[:, odd] = np.array([[70], [30], [0], [0]])
    comparisons = Comparisons(6, usual.first, usual.second, *counts)
    pairs = fit_by_pair(comparisons, fit(comparisons))
    found = pairs.contradictions()
    assert (pairs.first[found[0]], pairs.second[found[0]]) == (0, 3)
    assert pairs.residual[found[0]] > 4
    assert len(found) <= 2
    scale = fit_of_scale(comparisons, fit(comparisons))
    assert isinstance(scale, ScaleFit)
    assert scale.p_value < 1e-4


def test_what_is_half_circle_is_told_from_chance():
    # Log-odds 0.8 from a circle of three in each pair, and strengths that add 0.8, 0.8 and 1.6. Weighted equally, the
    # circle holds 3 * 0.64 of 3 * 0.64 + 0.64 + 0.64 + 2.56 = 1/3; the weights p (1 - p) are not equal, hence 0.1.
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(40):
        rows = []
        for a, b, d in ((0, 1, 1.6), (1, 2, 1.6), (0, 2, 0.8)):
            wins = rng.binomial(200, 1 / (1 + np.exp(-d)))
            rows += beats(a, b, wins) + beats(b, a, 200 - wins)
        found = cyclicity(counted(3, rows), fit(counted(3, rows)))
        assert isinstance(found, Cyclicity)
        shares.append(found.share)
        assert found.n_cycles == 0
    assert np.mean(shares) == pytest.approx(1 / 3, abs=0.1)


def test_without_circles_the_share_is_small_and_chance_is_taken_off():
    rng = np.random.default_rng(3)
    found = [cyclicity(c, fit(c)) for c in (drawn_by_rao_kupper(15, 6_000, rng, eta=0.2) for _ in range(40))]
    assert all(isinstance(f, Cyclicity) and f.sure_cycles == () for f in found)
    observed = np.mean([f.observed_share for f in found if isinstance(f, Cyclicity)])
    chance = np.mean([f.chance_share for f in found if isinstance(f, Cyclicity)])
    assert observed == pytest.approx(chance, rel=0.1)
    assert np.mean([f.share for f in found if isinstance(f, Cyclicity)]) < 0.02


@property_test
@given(linked_rows(), st.randoms(use_true_random=False))
def test_names_and_order_of_rows_do_not_matter(data: RowsOfItems, random):
    names = list(range(data.n_items))
    random.shuffle(names)
    rows = [(names[b], names[a], (Outcome.B, Outcome.A, Outcome.TIE)[how]) for a, b, how in data.rows]
    random.shuffle(rows)
    one, other = counted(*data), counted(data.n_items, rows)
    pairs, renamed = fit_by_pair(one, fit(one)), fit_by_pair(other, fit(other))
    for k in range(len(pairs.first)):
        a, b = names[pairs.first[k]], names[pairs.second[k]]
        j = np.flatnonzero((renamed.first == min(a, b)) & (renamed.second == max(a, b)))[0]
        sign = 1 if a < b else -1
        assert renamed.residual[j] == pytest.approx(sign * pairs.residual[k], abs=1e-5, nan_ok=True)
        assert renamed.p_value[j] == pytest.approx(pairs.p_value[k], abs=1e-6)
    circles = cyclicity(one, fit(one)), cyclicity(other, fit(other))
    if isinstance(circles[0], Cyclicity) and isinstance(circles[1], Cyclicity):
        assert circles[0].n_cycles == circles[1].n_cycles
        assert circles[0].observed_share == pytest.approx(circles[1].observed_share, abs=1e-6)


@property_test
@given(linked_rows())
def test_p_values_are_chances_and_q_values_are_never_below_them(data: RowsOfItems):
    comparisons = counted(*data)
    pairs = fit_by_pair(comparisons, fit(comparisons))
    assert ((pairs.p_value >= 0) & (pairs.p_value <= 1)).all()
    assert ((pairs.q_value >= pairs.p_value) & (pairs.q_value <= 1)).all()
    # The least q-value is the least of p_(k) * n / k.
    in_order = np.sort(pairs.p_value) * len(pairs.p_value) / np.arange(1, len(pairs.p_value) + 1)
    assert pairs.q_value.min() == pytest.approx(in_order.min())


def test_cycles_are_counted_and_named_once_each():
    # 0 > 1 > 2 > 0 and 1 > 2 > 3 > 1, and 3 is ahead of 0: two cycles of the four triples.
    wins = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 1), (3, 0)]
    comparisons = counted(4, [row for pair in wins for row in beats(*pair, 20)])
    found = cyclicity(comparisons, fit(comparisons))
    assert isinstance(found, Cyclicity)
    assert (found.n_triples, found.n_cycles) == (4, 2)
    assert found.sure_cycles == ((0, 1, 2), (1, 2, 3))


def test_one_upset_does_not_contradict_the_scale():
    # 1 has beaten 0 in 1 of 51 over many votes with others; a single upset of chance 1/50 is no scandal. The normal
    # distribution would give it z = 7.
    rows = [row for k in (2, 3) for row in beats(0, k, 98) + beats(k, 0, 14) + beats(k, 1, 98) + beats(1, k, 14)]
    comparisons = counted(4, [*rows, *beats(1, 0)])
    pairs = fit_by_pair(comparisons, fit(comparisons))
    assert pairs.residual[0] < -6
    assert pairs.p_value[0] > 0.02
    assert not pairs.contradictions().size


def test_a_pair_that_alone_links_two_halves_says_nothing():
    comparisons = counted(3, beats(0, 1, 3) + beats(1, 0) + beats(1, 2, 5) + beats(2, 1, 2))
    pairs = fit_by_pair(comparisons, fit(comparisons))
    assert np.isnan(pairs.residual).all()
    assert pairs.p_value.tolist() == [1.0, 1.0]
    found = fit_of_scale(comparisons, fit(comparisons))
    assert isinstance(found, Absent)
    assert "no more pairs than the strengths need" in found.reason


def test_no_test_of_the_scale_on_few_votes_a_pair():
    comparisons = draw_comparisons(np.zeros(12), 300, np.random.default_rng(0))
    found = fit_of_scale(comparisons, fit(comparisons, prior=0.01))
    assert isinstance(found, Absent)
    assert "too few votes a pair" in found.reason


def test_nothing_but_ties_gives_no_verdict():
    comparisons = counted(3, ties(0, 1, 30) + ties(1, 2, 30) + ties(0, 2, 30))
    scale, circles = fit_of_scale(comparisons, fit(comparisons)), cyclicity(comparisons, fit(comparisons))
    assert isinstance(scale, Absent)
    assert "every vote is a tie" in scale.reason
    assert isinstance(circles, Absent)
    assert not fit_by_pair(comparisons, fit(comparisons)).contradictions().size


def test_no_comparisons_give_no_verdict():
    comparisons = Comparisons.from_outcomes(3, [], [], [])
    nothing = fit(comparisons, prior=1.0)
    assert len(fit_by_pair(comparisons, nothing).p_value) == 0
    assert isinstance(fit_of_scale(comparisons, nothing), Absent)
    assert isinstance(cyclicity(comparisons, nothing), Absent)


def test_who_voted_makes_no_difference():
    rng = np.random.default_rng(0)
    a, b, outcome = rng.integers(0, 3, 300), rng.integers(3, 6, 300), rng.integers(0, 3, 300)
    plain = Comparisons.from_outcomes(6, a, b, outcome)
    clustered = Comparisons.from_outcomes(6, a, b, outcome, clusters=np.arange(300) % 7)
    assert fit_of_scale(plain, fit(plain)) == fit_of_scale(clustered, fit(plain))


def test_other_models_are_refused():
    comparisons = counted(3, beats(0, 1) + beats(1, 2) + beats(2, 0) + ties(0, 1))
    for ask in (fit_by_pair, fit_of_scale, cyclicity):
        with pytest.raises(InvalidSetting, match="davidson"):
            ask(comparisons, fit(comparisons, Davidson()))
    with pytest.raises(InvalidSetting, match="95"):
        cyclicity(comparisons, fit(comparisons), confidence=95)
