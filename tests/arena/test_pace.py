"""Two answers that come in live are shown in step: a watcher of the clock learns nothing of who answers."""

from collections.abc import Callable
from itertools import accumulate, pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.contenders.pace import FASTEST_CHARACTERS, LONGEST_WAIT, Pacer, Speed, Tempo

TICK = 0.2

Arrivals = list[tuple[float, int]]
"""When how many characters were there."""


def answer_of(rng: Random, *, wait: float, characters: float, chunk: int, n: int) -> Arrivals:
    """An answer of n characters by a model of this speed, in pieces, with the usual unevenness."""
    first = wait * rng.lognormvariate(0, 0.25)
    gaps = [chunk / characters * rng.lognormvariate(-0.02, 0.2) for _ in range(0, n, chunk)]
    times = accumulate(gaps, initial=first)
    return [(time, min((number + 1) * chunk, n)) for number, time in zip(range(len(gaps)), times, strict=False)]


def fast(rng: Random, n: int) -> Arrivals:
    return answer_of(rng, wait=0.3, characters=220, chunk=4, n=n)


def slow(rng: Random, n: int) -> Arrivals:
    """Thinks for a while, and then comes in large pieces."""
    return answer_of(rng, wait=4.0, characters=45, chunk=24, n=n)


def speed_of(arrivals: Arrivals) -> Speed:
    (first, _), (last, n) = arrivals[0], arrivals[-1]
    return Speed(first, n / max(last - first, 0.01))


def watched(tempo: Tempo, a: Arrivals, b: Arrivals) -> list[tuple[float, int, int]]:
    """What a browser gets: at each tick, how much of either answer is there."""
    pacer, seen, now = Pacer(tempo, 0.0), list[tuple[float, int, int]](), 0.0
    n_a, n_b = a[-1][1], b[-1][1]
    while not seen or seen[-1][1:] != (n_a, n_b):
        now += TICK
        there = [max((n for time, n in side if time <= now), default=0) for side in (a, b)]
        n = pacer.shown(now, (there[0], there[1]), (there[0] == n_a, there[1] == n_b))
        seen.append((now, min(n, n_a), min(n, n_b)))
    return seen


def raw(_: Tempo, a: Arrivals, b: Arrivals) -> list[tuple[float, int, int]]:
    """The same without any pacing: each piece as it comes."""
    times = sorted({time for time, _ in (*a, *b)})

    def there(side: Arrivals, now: float) -> int:
        return max((n for time, n in side if time <= now), default=0)

    return [(now, there(a, now), there(b, now)) for now in times]


def features(seen: list[tuple[float, int, int]]) -> list[float]:
    """What somebody who knows how this works would look at, the lengths of the two texts among it."""
    found = []
    for side in (1, 2):
        grown = [(time, row[side] - before[side]) for before, row in pairwise(seen) for time in [row[0]]]
        steps = [(time, n) for time, n in grown if n > 0] or [(0.0, 0)]
        gaps = [later - time for (time, _), (later, _) in pairwise(steps)] or [0.0]
        half = len(gaps) // 2
        found += [
            seen[-1][side] / 1000,
            steps[0][0],
            steps[-1][0],
            max(gaps),
            float(np.mean(gaps)),
            float(np.std(gaps)),
            max(gaps[half:], default=0.0),
            max(n for _, n in steps) / 100,
            seen[-1][side] / 1000 / max(steps[-1][0] - steps[0][0], TICK),
        ]
    return [*found, seen[-1][0], float(len(seen))]


def accuracy(watch: Callable[..., list[tuple[float, int, int]]], n: int, seed: int) -> float:
    """How often a classifier that was trained on half of the battles knows of the others which side the slow model is.

    Logistic regression on the features, the differences of the two sides, and their products with the difference of the
    two lengths, since a pause after the shorter answer has ended can only be the longer one's.
    """
    rng = Random(seed)
    known = [[speed_of(model(rng, rng.randrange(200, 2000))) for _ in range(40)] for model in (fast, slow)]
    tempo = Tempo.of(known)
    rows, labels = [], []
    for _ in range(n):
        is_a = rng.random() < 0.5
        sides = [model(rng, rng.randrange(200, 2000)) for model in ((slow, fast) if is_a else (fast, slow))]
        rows.append(features(watch(tempo, *sides)))
        labels.append(1.0 if is_a else -1.0)
    x, y = np.array(rows), np.array(labels)
    half = x.shape[1] // 2 - 1
    differences = x[:, :half] - x[:, half : 2 * half]
    x = np.hstack(
        [x, differences, differences * differences[:, :1], x * differences[:, :1], x * np.sign(differences[:, :1])]
    )
    x = (x - x[: n // 2].mean(axis=0)) / (x[: n // 2].std(axis=0) + 1e-9)
    x = np.clip(np.hstack([x, np.ones((n, 1))]), -5, 5)
    weights = np.zeros(x.shape[1])
    for _ in range(400):
        margin = y[: n // 2] * (x[: n // 2] @ weights)
        slope = -(y[: n // 2] / (1 + np.exp(np.clip(margin, -30, 30)))) @ x[: n // 2] / (n // 2)
        weights -= 0.3 * (slope + 0.01 * weights)
    return float(np.mean(np.sign(x[n // 2 :] @ weights) == y[n // 2 :]))


def test_who_watches_the_clock_knows_no_better_than_chance_which_side_the_slow_model_is():
    n = 1200

    found = accuracy(watched, n, seed=1)

    # Chance is a half, with a standard error of sqrt(1/4 / 600) = 0.0204 on the 600 battles that it was not trained on.
    assert abs(found - 0.5) < 3 * 0.0204


def test_without_pacing_the_same_watcher_knows_nearly_always():
    assert accuracy(raw, 400, seed=1) > 0.97


@given(
    st.lists(st.tuples(st.floats(0.01, 3), st.integers(0, 80)), min_size=1, max_size=60),
    st.lists(st.tuples(st.floats(0.01, 3), st.integers(0, 80)), min_size=1, max_size=60),
)
def test_both_grow_by_the_same_number_at_the_same_moment_and_never_shrink(
    a: list[tuple[float, int]], b: list[tuple[float, int]]
):
    def arrivals(pieces: list[tuple[float, int]]) -> Arrivals:
        times = accumulate(gap for gap, _ in pieces)
        return list(zip(times, accumulate(n for _, n in pieces), strict=True))

    seen = watched(Tempo(1.0, 100.0), arrivals(a), arrivals(b))

    for (_, before_a, before_b), (_, now_a, now_b) in pairwise(seen):
        assert now_a >= before_a
        assert now_b >= before_b
        assert now_a - before_a <= 100.0 * TICK + 1
        if now_a < arrivals(a)[-1][1] and now_b < arrivals(b)[-1][1]:
            assert now_a == now_b


def test_nothing_is_seen_before_the_tempo_has_it_and_then_at_its_rate():
    seen = watched(Tempo(2.0, 50.0), [(0.01, 100)], [(0.02, 60)])

    assert all((a, b) == (0, 0) for time, a, b in seen if time <= 2.0)
    assert seen[-1][0] == pytest.approx(2.0 + 100 / 50, abs=2 * TICK)


def test_what_came_late_is_waited_for_by_both_and_not_caught_up_with():
    tempo = Tempo(1.0, 100.0)

    seen = watched(tempo, [(0.1, 50), (11.0, 300)], [(0.1, 300)])

    assert [(a, b) for time, a, b in seen if 3 < time < 10.5] == [(50, 50)] * len([1 for t, *_ in seen if 3 < t < 10.5])
    assert max(after[1] - before[1] for before, after in pairwise(seen)) <= 100 * TICK + 1


def test_an_answer_that_has_ended_holds_the_other_one_up_no_more():
    assert watched(Tempo(1.0, 100.0), [(0.1, 5)], [(0.1, 200)])[-1][1:] == (5, 200)


def test_two_empty_answers_end_as_soon_as_the_tempo_has_it():
    assert watched(Tempo(1.0, 100.0), [(0.1, 0)], [(0.2, 0)])[-1][1:] == (0, 0)


def test_the_tempo_is_that_of_the_slowest_and_one_bad_answer_in_ten_does_not_change_it():
    fast_ones = [Speed(0.2, 200.0)] * 20
    slow_ones = [Speed(3.0, 46.0)] * 19 + [Speed(25.0, 1.0)]

    tempo = Tempo.of([fast_ones, slow_ones])

    assert tempo.first_word == pytest.approx(3.0 * 1.15)
    assert tempo.characters == pytest.approx(46.0 / 1.15)


@pytest.mark.parametrize("n_known", range(5))
def test_a_contender_of_which_few_answers_are_known_is_taken_for_a_slow_one(n_known: int):
    quick = [Speed(0.1, 400.0)] * 5

    assert Tempo.of([quick[:n_known], quick]) == Tempo(5.0 * 1.15, 25.0 / 1.15)
    assert Tempo.of([quick, quick]).characters > 25


def test_a_tempo_is_never_faster_than_people_read_nor_slower_than_they_wait():
    assert Tempo.of([[Speed(0.01, 9000.0)] * 5]).characters == FASTEST_CHARACTERS
    assert Tempo.of([[Speed(500.0, 0.1)] * 5]) == Tempo(LONGEST_WAIT, 15.0)
