import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ratings
from comparison_data import THREE, beats, linked_rows, property_test, ties
from ratings import InvalidComparisons, InvalidSetting, Outcome
from ratings.elo import _draw_counts, _oriented, _parts, _replay, _scheduled, bootstrap_elo, online_elo
from ratings.scale import to_score

# A half-strength below 2 is rounded by 2**-24 at most, 2e-5 points, a few times in each application of a row; and no
# application makes an earlier error larger. In the few hundred rows of these tests, that is some 0.01 points if all
# roundings went the same way, and some 0.0005 as they fall.
SINGLE = 0.002

SWAPPED = {Outcome.A: Outcome.B, Outcome.B: Outcome.A, Outcome.TIE: Outcome.TIE}


def columns(rows):
    return tuple(zip(*rows, strict=True)) if rows else ((), (), ())


def elo(n_items, rows, **options):
    return online_elo(n_items, *columns(rows), **options)


def samples_of(n_items, rows, *, rounds=30, seed=1, **options):
    return bootstrap_elo(n_items, *columns(rows), rounds=rounds, rng=np.random.default_rng(seed), **options)


def drawn_rows(n_items, n_rows, seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, n_items, n_rows)
    b = (a + rng.integers(1, n_items, n_rows)) % n_items
    return list(zip(a.tolist(), b.tolist(), rng.choice(THREE, n_rows).tolist(), strict=True))


def textbook(n_items, rows, times, k):
    """The definition in points, one row after the other, each as often as `times` says."""
    scores, met = np.full(n_items, 1000.0), set()
    for (a, b, outcome), n in zip(rows, times, strict=True):
        for _ in range(n):
            result = {Outcome.A: 1.0, Outcome.B: 0.0, Outcome.TIE: 0.5}[outcome]
            change = k * (result - 1 / (1 + 10 ** ((scores[b] - scores[a]) / 400)))
            scores[a] += change
            scores[b] -= change
            met |= {a, b}
    return np.array([scores[item] if item in met else np.nan for item in range(n_items)])


def replayed(n_items, rows, counts, k, precision: type[np.floating] = np.float64):
    """The scheduled result for counts of shape (n_rows, rounds), in points."""
    schedule = _scheduled(n_items, *_oriented(n_items, *columns(rows)))
    tables = [counts[schedule.order[part]] for part in _parts(len(rows), 2**16)]
    return to_score(2 * _replay(schedule, tables, n_rounds=counts.shape[1], k=k, precision=precision))


def drawn_counts(n_items, rows, rounds):
    """How often the rounds of `samples_of` with seed 1 draw each row, shape (n_rows, rounds)."""
    seeds = np.random.SeedSequence(np.random.default_rng(1).integers(2**63, size=4).tolist()).spawn(rounds)
    drawn = np.concatenate(list(_draw_counts(len(rows), [np.random.default_rng(seed) for seed in seeds])))
    counts = np.empty_like(drawn)
    counts[_scheduled(n_items, *_oriented(n_items, *columns(rows))).order] = drawn
    return counts


def test_two_wins_by_hand():
    # First win at equal scores: 1000 +- 32 / 2. The second: expected 1 / (1 + 10 ** (-32 / 400)) = 0.545922, so
    # 32 * (1 - 0.545922) = 14.5305 more.
    assert elo(2, beats(0, 1), k=32) == pytest.approx([1016, 984], abs=1e-12)
    assert elo(2, beats(0, 1, 2), k=32) == pytest.approx([1030.5305, 969.4695], abs=5e-5)


def test_a_tie_moves_the_higher_one_down():
    # 1002 and 998 after a win with k = 4; the higher one then expects 1 / (1 + 10 ** (-4 / 400)) = 0.5057562 of a tie.
    assert elo(2, beats(0, 1)) == pytest.approx([1002, 998], abs=1e-12)
    assert elo(2, beats(0, 1) + ties(1, 0)) == pytest.approx([1002 - 4 * 0.0057562, 998 + 4 * 0.0057562], abs=1e-6)


def test_the_order_of_rows_matters():
    # k = 400. Win, then loss: +200; at 1200 against 800 the win was expected with 1 / (1 + 0.1) = 0.909091, so the loss
    # takes 363.636 and leaves 836.364. Loss, then win: the same with the sides turned, 1163.636.
    win, loss = beats(0, 1), beats(1, 0)
    assert elo(2, win + loss, k=400) == pytest.approx([836.363636, 1163.636364], abs=1e-6)
    assert elo(2, loss + win, k=400) == pytest.approx([1163.636364, 836.363636], abs=1e-6)


@property_test
@given(linked_rows(), st.sampled_from([4.0, 32.0, 500.0]))
def test_the_scores_are_those_of_the_textbook(data, k):
    expected = textbook(data.n_items, data.rows, [1] * len(data.rows), k)
    assert elo(data.n_items, data.rows, k=k) == pytest.approx(expected, abs=1e-9)


@property_test
@given(linked_rows(), st.floats(0.1, 500))
def test_what_one_item_gains_another_loses(data, k):
    assert elo(data.n_items, data.rows, k=k, initial=1500).mean() == pytest.approx(1500, abs=1e-9)


@property_test
@given(linked_rows(), st.randoms(use_true_random=False))
def test_swapping_sides_does_not_change_a_bit(data, random):
    swapped = [(b, a, SWAPPED[how]) if random.random() < 0.5 else (a, b, how) for a, b, how in data.rows]
    assert elo(data.n_items, swapped).tobytes() == elo(data.n_items, data.rows).tobytes()
    there, back = (samples_of(data.n_items, rows, rounds=3) for rows in (data.rows, swapped))
    assert back.tobytes() == there.tobytes()


@property_test
@given(linked_rows(), st.data())
def test_names_of_items_do_not_matter(data, chosen):
    label = chosen.draw(st.permutations(range(data.n_items)))
    renamed = [(label[a], label[b], how) for a, b, how in data.rows]
    assert elo(data.n_items, renamed)[label] == pytest.approx(elo(data.n_items, data.rows), abs=1e-9)


@property_test
@given(linked_rows(), st.integers(1, 9))
def test_an_unbeaten_item_rises_with_every_win(data, n_wins):
    newcomer = data.n_items
    before = elo(data.n_items + 1, data.rows + beats(newcomer, 0, n_wins))[newcomer]
    after = elo(data.n_items + 1, data.rows + beats(newcomer, 0, n_wins + 1))[newcomer]
    assert 1000 < before < after


def test_an_item_without_a_comparison_has_no_score():
    assert np.isnan(elo(3, beats(0, 1))).tolist() == [False, False, True]
    assert np.isnan(elo(2, [])).all()
    assert elo(0, []).shape == (0,)
    assert np.isnan(samples_of(2, [], rounds=4)).all()
    assert samples_of(0, [], rounds=4).shape == (4, 0)


@pytest.mark.parametrize("n_items", [2, 3, 7, 60])
@pytest.mark.parametrize("k", [4.0, 100.0])
@pytest.mark.parametrize(("precision", "tolerance"), [(np.float64, 1e-9), (np.float32, SINGLE)])
def test_given_the_counts_each_round_is_the_sequential_replay(n_items, k, precision, tolerance):
    rows = drawn_rows(n_items, 400, seed=n_items)
    rng = np.random.default_rng(3)
    counts = rng.poisson(1.0, (400, 12))
    counts[:, 0] = 1
    counts[:, 1] = 0
    counts[rng.integers(0, 400, 3), 2] = (5, 17, 40)  # far more often than chance would
    scores = replayed(n_items, rows, counts, k, precision)
    for sample, times in zip(scores, counts.T, strict=True):
        assert sample == pytest.approx(textbook(n_items, rows, times, k), abs=tolerance, nan_ok=True)
    assert scores[0] == pytest.approx(elo(n_items, rows, k=k), abs=tolerance, nan_ok=True)
    assert np.isnan(scores[1]).all()


@pytest.mark.parametrize("k", [1.0, 4.0, 500.0])
def test_single_precision_is_far_below_the_spread_of_the_rounds(k):
    rows = drawn_rows(20, 30_000, seed=9)
    counts = np.random.default_rng(3).poisson(1.0, (30_000, 20))
    single, double = (replayed(20, rows, counts, k, precision) for precision in (np.float32, np.float64))
    error = np.abs(single - double).max(axis=0)
    assert single.tobytes() != double.tobytes()
    assert error.max() < 0.002
    assert (error < double.std(axis=0) / 1000).all()


@pytest.mark.parametrize(("k", "tolerance"), [(0.99, 1e-9), (1.0, SINGLE), (500.0, SINGLE), (501.0, 1e-9)])
def test_a_k_that_needs_double_precision_gets_it(k, tolerance):
    rows = drawn_rows(5, 300, seed=2)
    errors = np.abs(samples_of(5, rows, rounds=6, k=k) - replayed(5, rows, drawn_counts(5, rows, 6), k))
    assert errors.max() < tolerance
    assert (errors.max() < 1e-9) == (tolerance == 1e-9)


def test_many_rows_cross_the_bounds_of_batches_unharmed():
    # 20 000 rows are ten batches, and levels are cut at their bounds.
    rows = drawn_rows(12, 20_000, seed=8)
    counts = np.random.default_rng(3).poisson(1.0, (20_000, 3))
    for sample, times in zip(replayed(12, rows, counts, 4.0), counts.T, strict=True):
        assert sample == pytest.approx(textbook(12, rows, times, 4.0), abs=1e-9)


def test_a_round_of_the_bootstrap_is_the_replay_of_what_it_drew():
    rows = drawn_rows(5, 300, seed=2)
    for k, tolerance in ((4.0, SINGLE), (0.05, 1e-9)):
        samples = samples_of(5, rows, rounds=6, k=k)
        for sample, times in zip(samples, drawn_counts(5, rows, 6).T, strict=True):
            assert sample == pytest.approx(textbook(5, rows, times, k), abs=tolerance)


def test_levels_keep_the_order_of_the_rows_of_an_item():
    rows = drawn_rows(9, 500, seed=4)
    schedule = _scheduled(9, *_oriented(9, *columns(rows)))
    assert sorted(schedule.order.tolist()) == list(range(500))
    assert (np.diff(schedule.level) >= 0).all()
    for item in range(9):
        touching = (schedule.first == item) | (schedule.second == item)
        assert (np.diff(schedule.order[touching]) > 0).all()
        assert (np.diff(schedule.level[touching]) > 0).all()  # never twice on one level


def test_as_many_votes_are_drawn_as_there_are_each_with_the_same_chance():
    # Three parts, one of a single vote. Counts are Binomial(n, 1 / n): mean 1 exactly over a round, variance 1 - 1 / n.
    n_votes = 2 * 2**16 + 1
    counts = np.concatenate(list(_draw_counts(n_votes, [np.random.default_rng(seed) for seed in range(20)])))
    assert counts.shape == (n_votes, 20)
    assert counts.sum(axis=0, dtype=np.int64).tolist() == [n_votes] * 20
    # 131 073 counts with fourth moment 4 tell the variance to sqrt(3 / 131073) = 0.5 %, those of 20 rounds to 0.1 %.
    assert counts.var() == pytest.approx(1, abs=0.005)
    # The first part gets 2**16 +- sqrt(2**16 / 2) = 181 in a round; over 20 rounds the mean is known to 40.
    first_part = counts[: 2**16].sum(axis=0, dtype=np.int64)
    assert first_part.mean() == pytest.approx(2**16, abs=200)
    assert first_part.std() == pytest.approx(181, rel=0.6)
    # The single vote of the last part: 20 rounds of about Poisson(1), mean within four standard errors of 0.22.
    assert counts[-1].mean() == pytest.approx(1, abs=0.9)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    rows = drawn_rows(6, 200, seed=5)
    assert samples_of(6, rows, seed=7).tobytes() == samples_of(6, rows, seed=7).tobytes()
    assert samples_of(6, rows, seed=7).tobytes() != samples_of(6, rows, seed=8).tobytes()
    rng = np.random.default_rng(1)
    first, second = (bootstrap_elo(6, *columns(rows), rounds=5, rng=rng) for _ in range(2))
    assert first.tobytes() != second.tobytes()


@pytest.mark.parametrize("rounds_at_once", [1, 7, 29, 30, 1000])
def test_how_many_rounds_are_replayed_at_once_does_not_change_a_bit(rounds_at_once):
    rows = drawn_rows(6, 300, seed=5)
    assert samples_of(6, rows, rounds_at_once=rounds_at_once).tobytes() == samples_of(6, rows).tobytes()


def test_more_rounds_begin_with_the_same_rounds():
    rows = drawn_rows(6, 200, seed=5)
    assert samples_of(6, rows, rounds=40)[:30].tobytes() == samples_of(6, rows).tobytes()


def test_the_number_of_threads_does_not_change_a_bit():
    program = (
        "import numpy as np, hashlib; from ratings.elo import bootstrap_elo\n"
        "rng = np.random.default_rng(0); a = rng.integers(0, 40, 20000); b = (a + rng.integers(1, 40, 20000)) % 40\n"
        "samples = bootstrap_elo(40, a, b, rng.integers(0, 3, 20000), rounds=10, rng=rng)\n"
        "print(hashlib.sha256(samples.tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OPENBLAS_NUM_THREADS": n, "PYTHONPATH": str(Path(ratings.__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    }
    assert len(digests) == 1


def test_every_round_keeps_the_mean():
    rows = drawn_rows(8, 500, seed=6)
    assert samples_of(8, rows, rounds=20).mean(axis=1) == pytest.approx(np.full(20, 1000), abs=1e-9)


def test_an_absent_item_is_missing_and_never_filled():
    # Item 2 is in one of 61 rows: absent from (60 / 61)^61 = 36.5 % of the resamples, standard error 0.0108.
    samples = samples_of(3, beats(0, 1, 30) + ties(1, 2) + beats(1, 0, 30), rounds=2000)
    missing = np.isnan(samples[:, 2])
    assert missing.mean() == pytest.approx(0.365, abs=0.04)
    assert np.isfinite(samples[:, :2]).all()
    assert samples[~missing].sum(axis=1) == pytest.approx(np.full((~missing).sum(), 3000), abs=1e-9)


def test_a_tie_of_equals_is_a_score_and_not_an_absence():
    assert samples_of(2, ties(0, 1, 3), rounds=5).tolist() == [[1000, 1000]] * 5


def test_the_spread_of_one_pair_is_that_of_a_binomial():
    # With k = 0.01 scores hardly move, so the gain is 0.01 * (wins - n / 2) up to the drift of the expected result:
    # wins ~ Binomial(400, 1/2) has a standard deviation of 10, the score one of 0.1 points, known to 1.6 % by 2000.
    samples = samples_of(2, (beats(0, 1) + beats(1, 0)) * 200, rounds=2000, k=0.01)
    assert samples[:, 0].std() == pytest.approx(0.1, rel=0.07)


def test_progress_is_told_after_each_batch():
    told = []
    samples_of(2, ties(0, 1), rounds=10, rounds_at_once=4, on_progress=lambda *args: told.append(args))
    assert told == [(4, 10), (8, 10), (10, 10)]


@pytest.mark.parametrize(
    ("option", "value"),
    [("rounds", 0), ("rounds_at_once", 0), ("k", 0.0), ("k", np.nan), ("k", np.inf), ("initial", np.nan)],
)
def test_a_setting_that_cannot_work_is_refused_by_name(option, value):
    with pytest.raises(InvalidSetting, match=f"{option} is {value}"):
        samples_of(2, ties(0, 1), **{option: value})


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([(0, 1, 0), (0, 2, 0)], "item_b is 2 in row 1"),
        ([(-1, 1, 0)], "item_a is -1 in row 0"),
        ([(1, 1, 0)], "item_b is 1 in row 0"),
        ([(0, 1, 3)], "outcome is 3 in row 0"),
        ([(0, 1, True)], "outcome is True in row 0"),
    ],
)
def test_rows_that_are_no_comparisons_are_refused_with_their_place(rows, sentence):
    for rate in (elo, samples_of):
        with pytest.raises(InvalidComparisons, match=sentence):
            rate(2, rows)


def test_columns_of_different_length_are_refused():
    with pytest.raises(InvalidComparisons, match="number of rows"):
        online_elo(2, [0, 0], [1, 1], [0])
