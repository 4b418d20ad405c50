import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import beats, counted, draw_comparisons, mixed_rows, property_test, ties
from ratings import (
    Absent,
    BradleyTerry,
    Comparisons,
    Davidson,
    GroundedRaoKupper,
    Interval,
    InvalidComparisons,
    InvalidSetting,
    Outcome,
    RaoKupper,
    cluster_moves,
    clustered_sandwich,
    coefficient_intervals,
    difference,
    draws,
    fit,
    rank_ranges,
    sandwich,
    strength_intervals,
)
from sandwiches import clustered, clusters_of, jackknife, spread_over, textbook, weights_of

A, B, TIE, BOTH_BAD = Outcome
MODELS = [BradleyTerry(), Davidson(), RaoKupper(), GroundedRaoKupper()]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
THREE_ROUND = ties(0, 1, 2) + beats(0, 1, 3) + beats(1, 2, 4) + beats(2, 0, 2) + ties(1, 2)


# Against formulas written out with dense matrices


@each_model
@pytest.mark.parametrize(
    ("n_covariates", "weights", "prior"), [(0, False, 0.0), (2, False, 0.0), (0, True, 0.3), (1, True, 0.0)]
)
def test_by_vote_it_is_the_one_step_jackknife_over_votes(model, n_covariates, weights, prior):
    comparisons = clustered(model, n_covariates=n_covariates, weights=weights)
    found = fit(comparisons, model, prior=prior, ridge=0.1)
    covariance = sandwich(comparisons, found)
    naive, moves = jackknife(comparisons, found, covariance.gauge, by_cluster=False)
    assert covariance.matrix == pytest.approx(naive, rel=1e-8, abs=1e-10)
    assert covariance.n_units == len(moves) == 200


@each_model
@pytest.mark.parametrize(
    ("n_covariates", "weights", "prior"), [(0, False, 0.0), (2, False, 0.0), (0, True, 0.3), (1, True, 0.0)]
)
@pytest.mark.parametrize("skew", [0.0, 2.0])
def test_by_cluster_it_is_the_one_step_jackknife_over_clusters(model, n_covariates, weights, prior, skew):
    comparisons = clustered(model, n_covariates=n_covariates, weights=weights, skew=skew)
    found = fit(comparisons, model, prior=prior, ridge=0.1)
    covariance = clustered_sandwich(comparisons, found)
    naive, moves = jackknife(comparisons, found, covariance.gauge, by_cluster=True)
    errors = np.sqrt(np.diag(naive))
    # The series of small clusters ends when its terms are below 1e-4 of the score.
    assert np.abs(covariance.matrix - naive).max() < 2e-3 * errors.max() ** 2
    assert covariance.standard_errors == pytest.approx(errors, rel=1e-3)
    assert covariance.n_units == comparisons.n_clusters
    squares = moves**2
    degrees = 3 * squares.sum(axis=0) ** 2 / (squares**2).sum(axis=0)
    assert covariance.degrees == pytest.approx(np.clip(degrees, 1, len(moves) - 1), rel=1e-2)
    assert np.abs(cluster_moves(comparisons, found) - moves).max() < 1e-3 * np.abs(moves).max()


@each_model
def test_with_many_units_it_is_the_textbook_formula(model):
    # 500 votes an item: leaving one out adds about 1/500 by vote, and by cluster of 5 votes 1/100.
    comparisons = clustered(model, n_items=4, n_rows=2000, n_clusters=400, skew=0.0)
    found = fit(comparisons, model)
    for covariance, by_cluster in (
        (sandwich(comparisons, found), False),
        (clustered_sandwich(comparisons, found), True),
    ):
        plain = textbook(comparisons, found, covariance.gauge, by_cluster=by_cluster)
        assert covariance.standard_errors == pytest.approx(np.sqrt(np.diag(plain)), rel=0.02)
        assert (covariance.standard_errors >= np.sqrt(np.diag(plain)) * 0.998).all()


@each_model
@pytest.mark.parametrize("by_cluster", [False, True])
def test_it_is_close_to_refitting_without_each_unit(model, by_cluster):
    comparisons = clustered(model, n_items=4, n_rows=300, n_clusters=30, skew=0.0)
    found = fit(comparisons, model)
    covariance = (clustered_sandwich if by_cluster else sandwich)(comparisons, found)
    moves = []
    for cell in range(comparisons.n_cells):
        for outcome in Outcome if not by_cluster else ():
            if comparisons.counts[outcome, cell]:
                counts = comparisons.counts.copy()
                counts[outcome, cell] -= 1
                kept = counts.sum(axis=0) > 0
                rest = Comparisons(4, comparisons.first[kept], comparisons.second[kept], *counts[:, kept],
                                   clusters=clusters_of(comparisons)[kept])  # fmt: skip
                move = fit(rest, model, start=found.parameters).parameters
                moves += [move] * int(comparisons.counts[outcome, cell])
    for unit in range(comparisons.n_clusters) if by_cluster else ():
        rest = comparisons.taking(clusters_of(comparisons) != unit)
        moves.append(fit(rest, model, start=found.parameters).parameters)
    moved = np.array(moves) - found.parameters
    moved[:, :4] -= (moved[:, :4] @ covariance.gauge)[:, np.newaxis]
    exact = np.sqrt((moved**2).sum(axis=0) * (len(moved) - 1) / len(moved))
    assert covariance.standard_errors == pytest.approx(exact, rel=0.05)


def test_two_items_by_hand():
    # w wins and l losses, d = ln(w / l), H = w l / n. In the gauge of equal shares each strength is +-d/2.
    # Leaving out a win moves d by (H - p q)^-1 q, with H - pq = pq (n - 1). So
    # Var d = (n-1)/n * (w q^2 + l p^2) / (pq (n-1))^2 = (n-1)/n * n p q / (pq (n-1))^2 = 1 / (p q (n - 1)).
    comparisons = counted(2, beats(0, 1, 30) + beats(1, 0, 10))
    found = fit(comparisons)
    covariance = sandwich(comparisons, found)
    variance = 1 / (0.75 * 0.25 * 39)
    assert covariance.standard_errors == pytest.approx([np.sqrt(variance) / 2] * 2, rel=1e-12)
    interval = difference(found, covariance, 0, 1, confidence=0.95)
    assert isinstance(interval, Interval)
    # 39 degrees of freedom: t = 2.02269
    assert interval.high - np.log(3) == pytest.approx(2.02269 * np.sqrt(variance), rel=1e-5)
    assert interval.low + interval.high == pytest.approx(2 * np.log(3))


def test_ties_are_less_uncertain_than_wins_and_losses():
    # Half-win ties carry no residual between equals: only 10 + 10 of 40 votes do, so the error is sqrt(20 / 40).
    decided, half_tied = (counted(2, beats(0, 1, n) + beats(1, 0, n) + ties(0, 1, 40 - 2 * n)) for n in (20, 10))
    whole, half = (sandwich(c, fit(c)).standard_errors for c in (decided, half_tied))
    assert half / whole == pytest.approx(np.sqrt([0.5, 0.5]), rel=1e-12)


# The same data in other clothes


@each_model
def test_a_cluster_of_its_own_for_every_vote_is_by_vote(model):
    comparisons = mixed_rows(5, 250, np.random.default_rng(1), both_bad=not model.is_difference)
    apart = spread_over(comparisons, np.arange(250))
    found = fit(apart, model)
    by_cluster, by_vote = clustered_sandwich(apart, found), sandwich(apart, found)
    assert by_cluster.standard_errors == pytest.approx(by_vote.standard_errors, rel=1e-4)
    assert by_cluster.n_units == by_vote.n_units == 250


@each_model
@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_the_scale_of_weights_leaves_the_sandwich_as_it_is(model, scale):
    comparisons = clustered(model, weights=True)
    scaled = Comparisons(
        5,
        comparisons.first,
        comparisons.second,
        *comparisons.counts,
        weights=weights_of(comparisons) * scale,
        clusters=comparisons.clusters,
    )
    one, other = fit(comparisons, model), fit(scaled, model)
    for method in (sandwich, clustered_sandwich):
        assert method(scaled, other).matrix == pytest.approx(method(comparisons, one).matrix, rel=1e-6, abs=1e-9)


@each_model
def test_every_vote_twice_narrows_by_vote_by_root_two_and_by_cluster_not_at_all(model):
    comparisons = clustered(model, n_items=4, n_rows=1000, n_clusters=50)
    twice = Comparisons(
        4, comparisons.first, comparisons.second, *(2 * comparisons.counts), clusters=comparisons.clusters
    )
    one, other = fit(comparisons, model), fit(twice, model)
    assert other.parameters == pytest.approx(one.parameters, abs=1e-8)
    ratio = sandwich(comparisons, one).standard_errors / sandwich(twice, other).standard_errors
    assert ratio == pytest.approx(np.full(len(ratio), np.sqrt(2)), rel=0.01)
    same = clustered_sandwich(twice, other)
    assert same.matrix == pytest.approx(clustered_sandwich(comparisons, one).matrix, rel=1e-6, abs=1e-10)
    assert same.degrees == pytest.approx(clustered_sandwich(comparisons, one).degrees, rel=1e-6)


@property_test
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS), st.booleans())
def test_order_of_rows_and_sides_leave_no_trace(seed, model, by_cluster):
    rng = np.random.default_rng(seed)
    n = 120
    a, b, how = rng.integers(0, 3, n), rng.integers(3, 6, n), rng.integers(0, 3 if model.is_difference else 4, n)
    voter = rng.integers(0, 20, n)
    turned, order = rng.random(n) < 0.5, rng.permutation(n)
    sides = np.where(turned, b, a)[order], np.where(turned, a, b)[order]
    back = np.where(turned, np.array([B, A, TIE, BOTH_BAD])[how], how)[order]
    method = clustered_sandwich if by_cluster else sandwich
    results = []
    for columns, voters in (((a, b, how), voter), ((*sides, back), voter[order])):
        comparisons = Comparisons.from_outcomes(6, *columns, clusters=voters)
        found = fit(comparisons, model, prior=0.1)
        results.append(method(comparisons, found).matrix.tobytes())
    assert results[0] == results[1]


@property_test
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS), st.booleans())
def test_names_of_items_and_voters_do_not_matter(seed, model, by_cluster):
    comparisons = clustered(model, seed=seed)
    rng = np.random.default_rng(seed)
    label, number = rng.permutation(5), rng.permutation(comparisons.n_clusters)
    renamed = comparisons.restricted_to(np.argsort(label))
    order = np.lexsort((renamed.second, renamed.first, number[clusters_of(renamed)]))
    renamed = Comparisons(
        5,
        renamed.first[order],
        renamed.second[order],
        *renamed.counts[:, order],
        clusters=number[clusters_of(renamed)][order],
    )
    method = clustered_sandwich if by_cluster else sandwich
    one, other = (method(c, fit(c, model)).standard_errors for c in (comparisons, renamed))
    assert other[label] == pytest.approx(one[:5], rel=1e-7)


@each_model
@pytest.mark.parametrize("n_covariates", [0, 2])
def test_several_pieces_with_clusters_of_their_own_are_one(model, n_covariates):
    whole = clustered(model, n_covariates=n_covariates)
    cuts = [whole.taking(np.isin(clusters_of(whole), part)) for part in ([0, 3, 4], [1], [2, 5, 6, 7, 8, 9, 10, 11])]
    one, other = fit(whole, model), fit(cuts, model)
    for method in (sandwich, clustered_sandwich):
        together, apart = method(whole, one), method(cuts, other)
        # By cluster up to the end of the series, which depends a little on who is summed together.
        assert np.abs(apart.matrix - together.matrix).max() < 1e-4 * together.matrix.max()
        assert apart.n_units == together.n_units
        assert apart.n_units_of.tolist() == together.n_units_of.tolist()
    assert np.abs(cluster_moves(cuts, other)).sum() == pytest.approx(np.abs(cluster_moves(whole, one)).sum(), rel=1e-3)


# Votes and voters on which a link rests


def test_an_item_that_one_tie_links_has_no_interval_and_leaves_the_others_as_they_are():
    alone = counted(3, THREE_ROUND * 5)
    linked = counted(4, THREE_ROUND * 5 + ties(2, 3))
    covariance, before = sandwich(linked, fit(linked)), sandwich(alone, fit(alone))
    assert covariance.fragile == {3}
    intervals = strength_intervals(fit(linked), covariance, confidence=0.95)
    assert intervals[3] == Absent("the link to the others rests on a single vote")
    assert np.isinf(covariance.standard_errors[3])
    # The gauge has moved by the newcomer's share of 1 in 122: differences between the others are as they were.
    for item, other in ((0, 1), (1, 2), (0, 2)):
        new, old = difference(fit(linked), covariance, item, other, confidence=0.95), difference(
            fit(alone), before, item, other, confidence=0.95
        )  # fmt: skip
        assert isinstance(new, Interval)
        assert isinstance(old, Interval)
        assert new.high - new.low == pytest.approx(old.high - old.low, rel=0.01)
    assert covariance.standard_errors[:3] == pytest.approx(before.standard_errors, rel=0.02)
    assert isinstance(difference(fit(linked), covariance, 0, 3, confidence=0.95), Absent)


def test_a_set_that_one_voter_links_has_no_intervals_and_leaves_the_others_as_they_are():
    # Items 3 and 4 know each other well, through many voters, but the others only through the 9 votes of voter 99.
    rng = np.random.default_rng(0)
    core, island = THREE_ROUND * 10, (beats(3, 4, 2) + beats(4, 3) + ties(3, 4)) * 5
    bridge = beats(0, 3, 3) + beats(3, 1, 3) + ties(4, 2, 3)
    voters = [*rng.integers(0, 40, len(core)), *rng.integers(0, 40, len(island)), *[99] * len(bridge)]
    columns = (np.array(column) for column in zip(*core, *island, *bridge, strict=True))
    comparisons = Comparisons.from_outcomes(5, *columns, clusters=voters)
    covariance = clustered_sandwich(comparisons, fit(comparisons))
    assert covariance.fragile == {3, 4}
    intervals = strength_intervals(fit(comparisons), covariance, confidence=0.95)
    assert [isinstance(i, Absent) for i in intervals] == [False, False, False, True, True]
    assert intervals[3] == Absent("the link to the others rests on a single voter or prompt")
    # By vote nine votes are nine votes.
    assert sandwich(comparisons, fit(comparisons)).fragile == frozenset()


def test_an_item_that_only_one_voter_saw_is_fragile_by_voter_and_not_by_vote():
    rows = THREE_ROUND * 10 + beats(3, 0, 5) + beats(0, 3, 5)
    voters = [*np.arange(len(rows) - 10) % 30, *[30] * 10]
    comparisons = Comparisons.from_outcomes(4, *(np.array(c) for c in zip(*rows, strict=True)), clusters=voters)
    core = comparisons.restricted_to([0, 1, 2])
    found, covariance = fit(comparisons), clustered_sandwich(comparisons, fit(comparisons))
    assert covariance.fragile == {3}
    assert sandwich(comparisons, found).fragile == frozenset()
    before = clustered_sandwich(core, fit(core))
    # Without its votes the fit of the others is the same: a tie in all but name. 10 of 140 shares of the gauge moved.
    for item, other in ((0, 1), (1, 2), (0, 2)):
        direction = np.zeros(4)
        direction[[item, other]] = 1, -1
        now, then = direction @ covariance.matrix @ direction, direction[:3] @ before.matrix @ direction[:3]
        # one cluster more: (n - 1) / n
        assert now * 31 / 30 == pytest.approx(then * 30 / 29, rel=1e-3)


def test_a_newcomer_with_two_votes_widens_nobody_else_by_more_than_a_hair():
    old = draw_comparisons(np.linspace(-1, 1, 10), 3000, np.random.default_rng(0))
    counts = [*old.counts]
    new = Comparisons(
        11,
        np.append(old.first, [0])[order := np.lexsort((np.append(old.second, 10), np.append(old.first, 0)))],
        np.append(old.second, [10])[order],
        *(np.append(column, extra)[order] for column, extra in zip(counts, (1, 1, 0, 0), strict=True)),
    )
    before, after = sandwich(old, fit(old)).standard_errors, sandwich(new, fit(new)).standard_errors
    assert after[10] > 10 * before.max()
    assert after[:10] == pytest.approx(before, rel=0.005)
    # In the unweighted gauge, mean 0, it widens everybody.
    shares = np.full(11, 1 / 11)
    assert (sandwich(new, fit(new), gauge=shares).standard_errors[:10] > 1.5 * before).all()


def test_differences_do_not_depend_on_the_gauge():
    comparisons = clustered()
    found = fit(comparisons)
    anchor = np.array([1.0, 0, 0, 0, 0])
    for method in (sandwich, clustered_sandwich):
        one, other = method(comparisons, found), method(comparisons, found, gauge=anchor)
        assert other.standard_errors[0] == pytest.approx(0, abs=1e-9)
        a, b = (difference(found, c, 1, 3, confidence=0.9) for c in (one, other))
        assert isinstance(a, Interval)
        assert isinstance(b, Interval)
        assert a.low + a.high == pytest.approx(b.low + b.high)


@pytest.mark.parametrize("gauge", [np.full(5, 0.3), np.ones(4) / 4])
def test_a_gauge_that_is_no_shares_of_the_items_is_refused(gauge):
    comparisons = clustered()
    with pytest.raises(InvalidSetting, match="gauge"):
        sandwich(comparisons, fit(comparisons), gauge=gauge)


def test_a_voter_with_nearly_all_votes_on_an_item_is_solved_exactly():
    # Voter 0 gave 10,000 one-sided votes elsewhere, and 30 of 31 votes on item 3.
    rng = np.random.default_rng(0)
    rows = THREE_ROUND * 20 + beats(0, 1, 10_000) + beats(3, 2, 15) + beats(2, 3, 15) + ties(2, 3)
    voters = [*rng.integers(1, 40, len(THREE_ROUND) * 20), *[0] * 10_030, 1]
    comparisons = Comparisons.from_outcomes(4, *(np.array(c) for c in zip(*rows, strict=True)), clusters=voters)
    found = fit(comparisons)
    covariance = clustered_sandwich(comparisons, found)
    naive, _ = jackknife(comparisons, found, covariance.gauge, by_cluster=True)
    assert covariance.standard_errors == pytest.approx(np.sqrt(np.diag(naive)), rel=0.01)


# Intervals and draws


def test_intervals_are_symmetric_around_strengths_in_the_gauge_and_widen_with_confidence():
    comparisons = clustered(Davidson(), n_covariates=1)
    found = fit(comparisons, Davidson())
    covariance = clustered_sandwich(comparisons, found)
    centre = found.strengths - covariance.gauge @ found.strengths
    narrow, wide = (ends(strength_intervals(found, covariance, confidence=c)) for c in (0.5, 0.99))
    assert narrow.mean(axis=1) == pytest.approx(centre)
    assert (np.diff(narrow) > 0).all()
    assert (wide[:, 0] < narrow[:, 0]).all()
    assert (wide[:, 1] > narrow[:, 1]).all()
    others = ends(coefficient_intervals(found, covariance, confidence=0.95))
    assert others.mean(axis=1) == pytest.approx([*found.coefficients, *found.extras])


def ends(intervals):
    """(low, high) of each, none of them absent."""
    assert all(isinstance(interval, Interval) for interval in intervals)
    return np.array([(interval.low, interval.high) for interval in intervals])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, np.nan])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    comparisons = clustered()
    found = fit(comparisons)
    covariance = sandwich(comparisons, found)
    for ask in (
        lambda: strength_intervals(found, covariance, confidence=confidence),
        lambda: coefficient_intervals(found, covariance, confidence=confidence),
        lambda: difference(found, covariance, 0, 1, confidence=confidence),
    ):
        with pytest.raises(InvalidSetting, match="confidence"):
            ask()


def test_an_item_minus_itself_is_nothing():
    comparisons = clustered()
    assert isinstance(
        difference(fit(comparisons), sandwich(comparisons, fit(comparisons)), 1, 1, confidence=0.9), Absent
    )


@pytest.mark.parametrize("model", [BradleyTerry(), GroundedRaoKupper()], ids=lambda model: model.name)
def test_draws_scatter_as_the_covariance_says_and_repeat_with_their_seed(model):
    comparisons = clustered(model, n_rows=500, n_clusters=100, skew=0.0)
    found = fit(comparisons, model)
    covariance = clustered_sandwich(comparisons, found)
    matrix = covariance.matrix[:5, :5]
    drawn = draws(found, covariance, n_draws=40_000, rng=np.random.default_rng(1))
    in_gauge = drawn - (drawn @ covariance.gauge)[:, np.newaxis]
    degrees = np.median(covariance.degrees[:5])
    # A multivariate t has degrees / (degrees - 2) times the covariance; 40,000 draws know a variance to about 1 %.
    assert np.cov(in_gauge.T) == pytest.approx(matrix * degrees / (degrees - 2), abs=0.03 * matrix.max())
    assert in_gauge.mean(axis=0) == pytest.approx(found.strengths - covariance.gauge @ found.strengths, abs=0.01)
    again = draws(found, covariance, n_draws=40_000, rng=np.random.default_rng(1))
    assert again.tobytes() == drawn.tobytes()


def test_draws_of_fragile_items_are_missing_and_their_rank_is_open():
    linked = counted(4, THREE_ROUND * 5 + ties(2, 3))
    found = fit(linked)
    covariance = sandwich(linked, found)
    drawn = draws(found, covariance, n_draws=500, rng=np.random.default_rng(0))
    assert np.isnan(drawn[:, 3]).all()
    assert np.isfinite(drawn[:, :3]).all()
    ranges = rank_ranges(found.strengths, drawn, confidence=0.95)
    assert (ranges[3].best, ranges[3].worst) == (1, 4)


# The corners of the data


def test_comparisons_without_clusters_are_refused_by_cluster():
    comparisons = counted(2, beats(0, 1, 2) + beats(1, 0))
    with pytest.raises(InvalidComparisons, match="clusters is None"):
        clustered_sandwich(comparisons, fit(comparisons))


def test_only_ties_have_no_spread():
    comparisons = counted(3, ties(0, 1, 5) + ties(1, 2, 5))
    intervals = strength_intervals(fit(comparisons), sandwich(comparisons, fit(comparisons)), confidence=0.95)
    assert all(isinstance(i, Absent) and i.reason.startswith("no spread to measure") for i in intervals)


def test_one_vote_has_no_interval():
    comparisons = counted(2, ties(0, 1))
    intervals = strength_intervals(fit(comparisons), sandwich(comparisons, fit(comparisons)), confidence=0.95)
    assert all(isinstance(i, Absent) for i in intervals)


@pytest.mark.parametrize("n_items", [0, 1, 3])
def test_nothing_has_no_interval(n_items):
    comparisons = Comparisons.from_outcomes(n_items, [], [], [], clusters=np.zeros(0, dtype=int))
    found = fit(comparisons, prior=1.0)
    for method in (sandwich, clustered_sandwich):
        covariance = method(comparisons, found)
        assert covariance.n_units == 0
        assert all(isinstance(i, Absent) for i in strength_intervals(found, covariance, confidence=0.95))


def test_a_single_voter_has_no_interval():
    comparisons = Comparisons.from_outcomes(2, [0] * 4, [1] * 4, [A, A, B, TIE], clusters=[7] * 4)
    covariance = clustered_sandwich(comparisons, fit(comparisons))
    assert covariance.n_units == 1
    assert all(isinstance(i, Absent) for i in strength_intervals(fit(comparisons), covariance, confidence=0.95))


def busy_voter(n_all: int, n_own: int, n_votes_of_newcomer: int, n_own_of_newcomer: int):
    """A voter with a large share of all votes, and with nearly all of those on the last item, which has few."""
    rng = np.random.default_rng(7)
    n_items = 6
    a = rng.integers(0, n_items - 1, n_all)
    b = (a + rng.integers(1, n_items - 1, n_all)) % (n_items - 1)
    voter = np.where(np.arange(n_all) < n_own, 0, rng.integers(1, 500, n_all))
    a[-n_votes_of_newcomer:], b[-n_votes_of_newcomer:] = n_items - 1, rng.integers(0, n_items - 1, n_votes_of_newcomer)
    voter[-n_votes_of_newcomer:] = rng.integers(1, 500, n_votes_of_newcomer)
    voter[-n_own_of_newcomer:] = 0
    taste = (voter == 0) * 0.3 * (b - a)
    how = np.where(0.2 * (b - a) + taste + rng.logistic(size=n_all) > 0, A, B)
    return Comparisons.from_outcomes(n_items, a, b, how, clusters=voter)


def test_a_voter_who_gave_nearly_all_votes_on_one_item_is_left_out_exactly_there_too():
    # Its pull on the others is a hundred times larger, so a rule for all items at once would end the series too soon.
    comparisons = busy_voter(20_000, 4_000, 44, 40)
    found = fit(comparisons)
    moved = cluster_moves(comparisons, found, gauge=np.full(6, 1 / 6))
    own = clusters_of(comparisons) == 0
    rest, all_ = fit(comparisons.taking(~own)), found.strengths
    truth = (all_ - all_.mean()) - (rest.strengths - rest.strengths.mean())
    assert abs(truth[5]) > 0.02
    # One Newton step from the whole: what is left is of second order in the move, which is half a logit.
    assert moved[0, 5] == pytest.approx(truth[5], abs=truth[5] ** 2 / 2)
    design = found.design(comparisons.taking(own))
    predictors = design.predictors(found.parameters)
    counts = comparisons.taking(own).counts
    slopes, curvature = BradleyTerry().derivatives(predictors, counts)
    score = design.pull(slopes)
    left = found.information + 1 - design.information(curvature)
    exact = np.linalg.solve(left, score)
    assert moved[0] == pytest.approx(exact - exact.mean(), rel=1e-3, abs=1e-6)


def test_other_comparisons_than_were_fitted_are_refused():
    comparisons = clustered(n_rows=200)
    found = fit(comparisons)
    part = comparisons.taking(np.arange(50))
    for how in (sandwich, clustered_sandwich):
        with pytest.raises(InvalidComparisons, match="200, those that were fitted"):
            how(part, found)
