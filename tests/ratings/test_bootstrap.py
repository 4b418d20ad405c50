import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import THREE, beats, counted, draw_comparisons, property_test, ties
from ratings import (
    BradleyTerry,
    Comparisons,
    Davidson,
    GroundedRaoKupper,
    Interval,
    InvalidComparisons,
    InvalidSetting,
    Outcome,
    RaoKupper,
    fit,
    fit_bradley_terry,
    percentile_intervals,
)
from ratings.bootstrap import ROUND_PRIOR, bootstrap_bradley_terry, bootstrap_clusters, bootstrap_fit
from ratings.bradley_terry import Refit, climb
from ratings.multinomial import Multinomial


def samples_of(comparisons, *, rounds=50, seed=1, **options):
    return bootstrap_bradley_terry(comparisons, rounds=rounds, rng=np.random.default_rng(seed), **options)


def first_drawn(counts, *, block, seed=1):
    """What the rounds of the first block draw of these counts, shape (block, *shape of counts), drawn once more."""
    stream = np.random.SeedSequence(np.random.default_rng(seed).integers(2**63, size=4).tolist()).spawn(1)[0]
    multinomial = Multinomial(counts)
    drawn = np.zeros((block, counts.size))
    drawn[:, multinomial.categories] = multinomial.draw(block, np.random.default_rng(stream)).T
    return drawn.reshape(block, *counts.shape)


def redrawn(comparisons, counts):
    """The cells with other counts, without those that have none."""
    kept = counts.sum(axis=0) > 0
    weights = None if comparisons.weights is None else comparisons.weights[kept]
    first, second = comparisons.first[kept], comparisons.second[kept]
    return Comparisons(comparisons.n_items, first, second, *counts[:, kept], weights=weights)


def fitted_by_hand(comparisons, counts, prior=ROUND_PRIOR):
    """The strengths of a round, with the gauge and the gaps that the docstring promises."""
    drawn = redrawn(comparisons, counts)
    present = drawn.games > 0
    point = fit_bradley_terry(comparisons, prior=prior).strengths
    strengths = fit_bradley_terry(drawn, prior=prior).strengths
    strengths = strengths + (point - strengths)[present].mean()
    return np.where(present, strengths, np.nan)


@pytest.fixture(scope="module")
def eight_items():
    return draw_comparisons(np.linspace(-1, 1, 8), 400, np.random.default_rng(3), tie_share=0.2)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(eight_items):
    assert samples_of(eight_items, seed=7).tobytes() == samples_of(eight_items, seed=7).tobytes()
    assert samples_of(eight_items, seed=7).tobytes() != samples_of(eight_items, seed=8).tobytes()


@pytest.mark.parametrize("n_threads", [1, 3, 8])
def test_the_number_of_threads_does_not_change_a_bit(eight_items, n_threads):
    once = samples_of(eight_items, rounds=1100)
    assert samples_of(eight_items, rounds=1100, n_threads=n_threads).tobytes() == once.tobytes()


@pytest.mark.parametrize("fewer", [1, 50, 250, 251, 599])
def test_more_rounds_begin_with_the_same_rounds(eight_items, fewer):
    assert samples_of(eight_items, rounds=600)[:fewer].tobytes() == samples_of(eight_items, rounds=fewer).tobytes()


def test_a_block_is_no_copy_of_another(eight_items):
    samples = samples_of(eight_items, rounds=500)
    assert len(np.unique(samples[:, 0])) == 500


def test_order_of_rows_and_sides_do_not_change_a_bit():
    rng = np.random.default_rng(5)
    a, b, outcome = rng.integers(0, 3, 90), rng.integers(3, 6, 90), rng.integers(0, 3, 90)
    there = Comparisons.from_outcomes(6, a, b, outcome)
    order = rng.permutation(90)
    swapped = np.choose(outcome, [1, 0, 2])
    back = Comparisons.from_outcomes(6, b[order], a[order], swapped[order])
    assert samples_of(back).tobytes() == samples_of(there).tobytes()


def test_a_round_is_the_fit_of_its_resample(eight_items):
    by_hand = [fitted_by_hand(eight_items, counts) for counts in first_drawn(eight_items.counts, block=250)[:40]]
    assert np.abs(samples_of(eight_items, rounds=40) - by_hand).max() < 1e-7


@property_test
@given(st.data(), st.integers(2, 6))
def test_a_round_of_few_comparisons_is_the_fit_of_its_resample(data, n_items):
    pair = st.lists(st.integers(0, n_items - 1), min_size=2, max_size=2, unique=True)
    rows = data.draw(st.lists(st.tuples(pair, st.sampled_from(THREE)), min_size=1, max_size=30))
    comparisons = counted(n_items, [(a, b, how) for (a, b), how in rows])
    by_hand = [fitted_by_hand(comparisons, counts) for counts in first_drawn(comparisons.counts, block=250)[:5]]
    assert samples_of(comparisons, rounds=5) == pytest.approx(np.array(by_hand), abs=1e-5, nan_ok=True)


def new_among_old(n_comparisons, rng):
    """30 items that know each other well, and three with few comparisons."""
    old = draw_comparisons(rng.normal(0, 1, 30), 6000, rng, tie_share=0.2)
    new = np.repeat([30, 31, 32], n_comparisons)
    met = rng.integers(0, 30, len(new))
    table = np.zeros((4, len(new)))
    table[rng.integers(0, 3, len(new)), np.arange(len(new))] = 1
    columns = (np.append(old.first, met), np.append(old.second, new), np.hstack((old.counts, table)))
    return Comparisons._counted(33, *columns)


@pytest.mark.parametrize(
    ("kind", "n_items", "n_comparisons", "points"),
    # Where an item had few comparisons, its strength varies by hundreds of points, and so does how fast it settles.
    [
        ("dense", 40, 100_000, 1e-5),
        ("sparse", 60, 3_000, 1e-5),
        ("new", 33, 8, 1e-4),
        ("new", 33, 2, 1e-4),
        ("sparse", 20, 40, 1e-4),
    ],
)
def test_refitting_together_finds_what_damped_newton_steps_find(kind, n_items, n_comparisons, points):
    rng = np.random.default_rng(17)
    if kind == "new":
        comparisons = new_among_old(n_comparisons, rng)
    else:
        comparisons = draw_comparisons(rng.normal(0, 1, n_items), n_comparisons, rng, tie_share=0.2)
    wins, losses, tied, _ = first_drawn(comparisons.counts, block=100).transpose(1, 2, 0)
    point = fit_bradley_terry(comparisons, prior=ROUND_PRIOR).strengths
    first, second = comparisons.first, comparisons.second
    refit = Refit(first, second, comparisons.cell_counts, point=point, prior=ROUND_PRIOR, at_once=100)
    together = refit.strengths(wins + losses + tied, wins - losses)
    matrices = np.zeros((100, n_items, n_items))
    matrices[:, first, second], matrices[:, second, first] = (wins + tied / 2).T, (losses + tied / 2).T
    alone, _ = climb(
        matrices, prior=ROUND_PRIOR, start=np.zeros((100, n_items)), max_steps=200, tolerance=1e-7
    )  # which leaves about 1e-14
    present = np.isfinite(together)
    assert (present == (matrices.sum(axis=1) + matrices.sum(axis=2) > 0)).all()
    apart = np.where(present, together - alone, np.nan)
    apart -= np.nanmean(apart, axis=1, keepdims=True)  # the level is the gauge's
    assert np.nanmax(np.abs(apart)) < points / 173.7


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


def test_weights_stay_with_the_comparisons_that_are_drawn():
    rng = np.random.default_rng(4)
    a, weights = rng.integers(0, 3, 200), rng.choice([0.5, 1.0, 3.0], 200)
    comparisons = Comparisons.from_outcomes(6, a, a + rng.integers(1, 4, 200), rng.integers(0, 3, 200), weights=weights)
    by_hand = [fitted_by_hand(comparisons, counts) for counts in first_drawn(comparisons.counts, block=250)[:20]]
    assert np.abs(samples_of(comparisons, rounds=20) - by_hand).max() < 1e-7


def test_clusters_are_ignored_where_comparisons_are_drawn():
    weights = np.ones(400)
    rng = np.random.default_rng(2)
    a, b, outcome = rng.integers(0, 4, 400), rng.integers(4, 8, 400), rng.integers(0, 3, 400)
    plain, clustered = (
        Comparisons.from_outcomes(8, a, b, outcome, weights=weights, clusters=clusters)
        for clusters in (None, rng.integers(0, 30, 400))
    )
    assert samples_of(clustered).tobytes() == samples_of(plain).tobytes()


def test_progress_is_told_after_each_block(eight_items):
    told = []
    samples_of(eight_items, rounds=600, on_progress=lambda *args: told.append(args))
    assert told == [(250, 600), (500, 600), (600, 600)]


def test_an_error_of_the_listener_ends_the_rounds(eight_items):
    def interrupt(done, rounds):
        raise KeyboardInterrupt(done, rounds)

    with pytest.raises(KeyboardInterrupt, match="250, 5000"):
        samples_of(eight_items, rounds=5000, on_progress=interrupt)


def test_without_comparisons_everything_is_missing():
    assert np.isnan(samples_of(counted(3, []), rounds=4)).all()
    assert samples_of(counted(0, []), rounds=4).shape == (4, 0)
    assert np.isnan(bootstrap_clusters(in_clusters(3, [], []), rounds=4, rng=np.random.default_rng(0))).all()
    with pytest.raises(InvalidComparisons, match="nothing to fit"):
        bootstrap_fit(counted(3, []), rounds=4, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("option", "value"), [("rounds", 0), ("prior", 0.0), ("prior", np.nan), ("n_threads", 0)])
def test_a_setting_that_cannot_work_is_refused_by_name(option, value):
    with pytest.raises(InvalidSetting, match=f"{option} is {value}"):
        samples_of(counted(2, ties(0, 1)), **{option: value})


def test_counts_that_are_not_whole_cannot_be_redrawn():
    with pytest.raises(InvalidComparisons, match=r"is 1\.5"):
        samples_of(Comparisons(2, np.array([0]), np.array([1]), np.array([1.0]), np.array([1.5]), np.array([0.0])))


@pytest.mark.parametrize("bootstrap", [bootstrap_bradley_terry, bootstrap_clusters])
def test_what_bradley_terry_has_no_place_for_is_refused(bootstrap):
    columns = (2, [0, 0], [1, 1], [Outcome.A, Outcome.BOTH_BAD])
    with pytest.raises(InvalidComparisons, match=r"both_bad is 1\.0; accepted: 0; count them as ties"):
        bootstrap(Comparisons.from_outcomes(*columns, clusters=[0, 1]), rounds=3, rng=np.random.default_rng(0))
    with_covariates = Comparisons.from_outcomes(2, [0], [1], [0], clusters=[0], covariates=[[0.5]])
    with pytest.raises(InvalidComparisons, match="bootstrap_fit and clustered_sandwich take them"):
        bootstrap(with_covariates, rounds=3, rng=np.random.default_rng(0))


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


def in_clusters(n_items, rows, clusters):
    item_a, item_b, outcome = zip(*rows, strict=True) if rows else ((), (), ())
    return Comparisons.from_outcomes(n_items, item_a, item_b, outcome, clusters=clusters)


def clustered_samples(batches, *, rounds=50, seed=1, **options):
    return bootstrap_clusters(batches, rounds=rounds, rng=np.random.default_rng(seed), **options)


@pytest.fixture(scope="module")
def forty_voters():
    rng = np.random.default_rng(8)
    a = rng.integers(0, 3, 300)
    b, outcome, voters = a + rng.integers(1, 4, 300), rng.integers(0, 3, 300), rng.integers(0, 40, 300)
    return Comparisons.from_outcomes(6, a, b, outcome, clusters=voters)


def test_a_round_is_the_fit_of_the_clusters_that_were_drawn(forty_voters):
    together = forty_voters.by_pair()
    for sample, times in zip(clustered_samples(forty_voters), first_drawn(np.ones(40), block=250), strict=False):
        drawn = forty_voters.counts * times[forty_voters.clusters]
        kept = drawn.sum(axis=0) > 0
        rows = Comparisons._counted(6, forty_voters.first[kept], forty_voters.second[kept], drawn[:, kept])
        strengths = fit_bradley_terry(rows, prior=ROUND_PRIOR).strengths
        present = rows.games > 0
        strengths += (fit_bradley_terry(together, prior=ROUND_PRIOR).strengths - strengths)[present].mean()
        assert sample == pytest.approx(np.where(present, strengths, np.nan), abs=1e-7, nan_ok=True)


def test_ten_votes_by_each_voter_are_worth_one_where_voters_never_change_their_mind():
    # 200 voters, of whom 120 always prefer 0: as in the test of one pair the gap varies by 0.1443, whether each votes
    # once or ten times. Drawn one by one, ten votes each would look like 2000, and vary by 0.1443 / sqrt(10).
    rows = beats(0, 1, 1200) + beats(1, 0, 800)
    comparisons = in_clusters(2, rows, np.repeat(np.arange(200), 10))
    by_voter, by_vote = clustered_samples(comparisons, rounds=4000), samples_of(comparisons, rounds=4000)
    assert (by_voter[:, 0] - by_voter[:, 1]).std() == pytest.approx(0.1443, rel=0.05)
    assert (by_vote[:, 0] - by_vote[:, 1]).std() == pytest.approx(0.1443 / np.sqrt(10), rel=0.05)


def test_voters_with_one_vote_each_are_drawn_like_votes():
    rng = np.random.default_rng(5)
    a, outcome = rng.integers(0, 4, 500), rng.integers(0, 3, 500)
    comparisons = Comparisons.from_outcomes(8, a, a + rng.integers(1, 5, 500), outcome, clusters=np.arange(500))
    by_voter, by_vote = clustered_samples(comparisons, rounds=4000), samples_of(comparisons, rounds=4000)
    # Both deviations are known to 1.1 %, their quotient to 1.6 %.
    assert by_voter.std(axis=0) == pytest.approx(by_vote.std(axis=0), rel=0.07)


def test_one_voter_leaves_no_spread_to_measure():
    samples = clustered_samples(in_clusters(3, ties(0, 1, 3) + beats(1, 2, 2), [4] * 5), rounds=20)
    assert np.ptp(samples, axis=0).max() == 0
    assert not isinstance(percentile_intervals(samples, confidence=0.95)[0], Interval)


def test_an_item_of_one_voter_is_missing_where_the_voter_is():
    # One of 30 voters: absent from (29/30)^30 = 36.2 % of the resamples; standard error 0.0107.
    rows = (beats(0, 1) + beats(1, 0)) * 29 + ties(1, 2)
    samples = clustered_samples(in_clusters(3, rows, [*np.repeat(np.arange(29), 2), 29]), rounds=2000)
    assert np.isnan(samples[:, 2]).mean() == pytest.approx(0.362, abs=0.04)


def test_batches_and_numbers_of_clusters_and_threads_do_not_change_a_bit(forty_voters):
    once = clustered_samples(forty_voters, rounds=600).tobytes()
    halves = [forty_voters.taking(np.arange(forty_voters.n_cells) % 2 == half) for half in (0, 1)]
    assert clustered_samples(halves, rounds=600).tobytes() == once
    assert clustered_samples(iter(halves), rounds=600).tobytes() == once
    assert clustered_samples(forty_voters, rounds=600, n_threads=1).tobytes() == once
    cells = (forty_voters.first, forty_voters.second, *forty_voters.counts)
    renumbered = Comparisons(6, *cells, clusters=forty_voters.clusters * 3 + 7)
    assert clustered_samples(renumbered, rounds=600).tobytes() == once


def test_comparisons_without_clusters_cannot_be_drawn_by_cluster(eight_items):
    with pytest.raises(InvalidComparisons, match="clusters is None"):
        clustered_samples(eight_items)
    with pytest.raises(InvalidComparisons, match="number of batches is 0"):
        clustered_samples([])


def test_batches_are_between_the_same_items():
    with pytest.raises(InvalidComparisons, match="n_items of a batch is 3; accepted: 2"):
        clustered_samples([in_clusters(n, ties(0, 1), [0]) for n in (2, 3)])


def refits_of(comparisons, likelihood=None, *, rounds=20, seed=1, **options):
    return bootstrap_fit(comparisons, likelihood, rounds=rounds, rng=np.random.default_rng(seed), **options)


@pytest.mark.parametrize("model", [BradleyTerry(), Davidson(), RaoKupper()])
def test_any_model_is_refitted_to_the_same_draws(eight_items, model):
    samples = refits_of(eight_items, model, rounds=10)
    for sample, counts in zip(samples, first_drawn(eight_items.counts, block=10), strict=True):
        by_hand = fit(redrawn(eight_items, counts), model, prior=ROUND_PRIOR).parameters
        assert sample == pytest.approx(by_hand, abs=1e-7)


def test_the_spread_of_davidsons_nu():
    # Of one pair with 90 wins, 60 losses and 50 ties nu = 50 / sqrt(90 * 60), fitted exactly. By the delta method the
    # variance of log nu is 1/50 + 1/(4 * 90) + 1/(4 * 60) = 0.02694, the deviation 0.1641, of 1000 rounds to 2.2 %.
    comparisons = counted(2, beats(0, 1, 90) + beats(1, 0, 60) + ties(0, 1, 50))
    assert refits_of(comparisons, Davidson(), rounds=1000)[:, 2].std() == pytest.approx(0.1641, rel=0.1)


def test_a_round_that_says_nothing_about_ties_is_missing():
    # One tie in 40 is absent from (39/40)^40 = 36.3 % of the resamples; standard error 0.024 with 400 of them.
    samples = refits_of(counted(2, beats(0, 1, 20) + beats(1, 0, 19) + ties(0, 1)), Davidson(), rounds=400)
    assert np.isnan(samples[:, 0]).mean() == pytest.approx(0.363, abs=0.09)
    assert (np.isnan(samples).all(axis=1) | np.isfinite(samples).all(axis=1)).all()
    (strength, *_) = percentile_intervals(samples, confidence=0.95)
    assert not isinstance(strength, Interval)


def test_an_absolute_level_varies_and_is_not_shifted():
    rng = np.random.default_rng(6)
    a = rng.integers(0, 2, 400)
    comparisons = Comparisons.from_outcomes(4, a, a + rng.integers(1, 3, 400), rng.integers(0, 4, 400))
    samples = refits_of(comparisons, GroundedRaoKupper())
    by_hand = fit(redrawn(comparisons, first_drawn(comparisons.counts, block=10)[0]), GroundedRaoKupper(), prior=0.01)
    assert samples[0] == pytest.approx(by_hand.parameters, abs=1e-6)
    assert samples[:, :4].mean(axis=1).std() > 0.01


def test_the_term_of_the_left_side_is_redrawn_with_its_rows():
    # 0 and 1 are equals, and A wins 130 of 200 on either side: gamma = ln(130 / 70) with a deviation of
    # 1 / sqrt(200 * 0.65 * 0.35) = 0.148, of 500 rounds to 3.2 %.
    rows = [(0, 1, Outcome.A), (0, 1, Outcome.B), (1, 0, Outcome.A), (1, 0, Outcome.B)]
    a, b, outcome = zip(*rows, strict=True)
    comparisons = Comparisons.from_outcomes(2, a, b, outcome, counts=[65, 35, 65, 35], covariates=np.ones((4, 1)))
    gamma = refits_of(comparisons, rounds=500)[:, 2]
    assert gamma.mean() == pytest.approx(np.log(130 / 70), abs=0.03)
    assert gamma.std() == pytest.approx(0.148, rel=0.13)


def test_refits_of_any_model_do_not_depend_on_threads_and_tell_how_far_they_are(eight_items):
    told = []
    samples = refits_of(eight_items, rounds=25, on_progress=lambda *args: told.append(args))
    assert told == [(10, 25), (20, 25), (25, 25)]
    assert refits_of(eight_items, rounds=25, n_threads=1).tobytes() == samples.tobytes()
    assert refits_of(eight_items, rounds=7).tobytes() == samples[:7].tobytes()


def test_an_absent_item_is_missing_from_refits_of_any_model_too():
    comparisons = counted(4, ties(0, 1, 9) + ties(1, 2, 9) + beats(1, 2, 9) + beats(2, 3))
    samples = refits_of(comparisons, Davidson(), rounds=50)
    missing = np.isnan(samples[:, 3])
    assert missing.any()
    assert not missing.all()
    point = fit(comparisons, Davidson(), prior=ROUND_PRIOR).strengths
    assert samples[missing, :3].mean(axis=1) == pytest.approx(np.full(missing.sum(), point[:3].mean()), abs=1e-9)
