"""What speaks for a side beside strength: found where it was planted, and refused where it cannot be told."""

import numpy as np
import pytest

from ratings import Absent, Effect, Effects, Interval, effects_beside_strength
from ratings.errors import InvalidComparisons


def votes(n: int, seed: int, worth: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """Decisive votes between five items, with columns of which the first is the side."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(1, -1, 5)
    a = rng.integers(0, 5, n)
    b = (a + rng.integers(1, 5, n)) % 5
    columns = np.column_stack((np.ones(n), rng.normal(size=(n, len(worth) - 1))))
    edge = strength[a] - strength[b] + columns @ np.array(worth)
    return a, b, (rng.random(n) > 1 / (1 + np.exp(-edge))).astype(np.int64), columns


def found(effects: Effects | Absent, place: int) -> Effect:
    assert isinstance(effects, Effects)
    effect = effects.effects[place]
    assert isinstance(effect, Effect)
    return effect


def test_two_items_that_meet_on_both_sides_have_the_side_of_their_odds():
    """60 : 40 one way round and 60 : 40 the other: strengths are equal, and the side is worth ln(60 / 40)."""
    a, b = np.repeat([0, 1], 100), np.repeat([1, 0], 100)
    how = np.tile([0] * 60 + [1] * 40, 2)
    effects = effects_beside_strength(2, a, b, how, np.ones((200, 1)), confidence=0.95)
    side = found(effects, 0)
    # The prior of 10 logits draws it in by a thousandth part.
    assert side.value == pytest.approx(np.log(1.5), rel=1e-3)
    assert isinstance(side.interval, Interval)
    # By the formula for a logit of counts, 1.96 * sqrt(200 / (120 * 80)).
    assert side.interval.high - side.value == pytest.approx(1.96 * (200 / (120 * 80)) ** 0.5, rel=0.02)
    # 2 (120 ln 1.2 + 80 ln 0.8), and its tail with one degree of freedom.
    assert isinstance(effects, Effects)
    assert effects.statistic == pytest.approx(2 * (120 * np.log(1.2) + 80 * np.log(0.8)), rel=1e-3)
    assert effects.p_value == pytest.approx(0.0045, abs=2e-4)


def test_what_was_planted_lies_in_its_interval_as_often_as_said():
    worth, seeds = (0.3, 0.2, 0.0), 120
    inside = np.zeros(3)
    silent = 0
    for seed in range(seeds):
        effects = effects_beside_strength(5, *votes(600, seed, worth), confidence=0.95)
        for place, true in enumerate(worth):
            interval = found(effects, place).interval
            assert isinstance(interval, Interval)
            inside[place] += interval.low <= true <= interval.high
        silent += found(effects, 2).p_value > 0.05
    # 95 % less, or more, three standard errors of 120 seeds, 6 %.
    assert (inside / seeds > 0.89).all()
    assert silent / seeds > 0.89


def test_exchanging_sides_and_the_signs_of_columns_changes_nothing():
    a, b, how, columns = votes(400, 3, (0.2, 0.5))
    one = effects_beside_strength(5, a, b, how, columns, confidence=0.95)
    other = effects_beside_strength(5, b, a, 1 - how, -columns, confidence=0.95)
    for place in (0, 1):
        assert found(one, place).value == pytest.approx(found(other, place).value, abs=1e-9)
        assert found(one, place).p_value == pytest.approx(found(other, place).p_value, rel=1e-6)


def test_of_several_groupings_the_widest_interval_counts():
    a, b, how, columns = votes(600, 4, (0.2, 0.3))
    # Every vote ten times, so that alone they seem ten times as many.
    a, b, how, columns = (np.repeat(each, 10, axis=0) for each in (a, b, how, columns))
    ten = np.repeat(np.arange(600), 10)
    alone = found(effects_beside_strength(5, a, b, how, columns, confidence=0.95), 0)
    by_ten = found(effects_beside_strength(5, a, b, how, columns, clusters=[None, ten], confidence=0.95), 0)
    assert isinstance(alone.interval, Interval)
    assert isinstance(by_ten.interval, Interval)
    width, wide = (each.interval.high - each.interval.low for each in (alone, by_ten))  # type: ignore[union-attr]
    assert wide / width == pytest.approx(10**0.5, rel=0.1)


def test_a_column_that_always_wins_is_large_and_finite():
    a, b, how, columns = votes(300, 5, (0.0, 0.0))
    columns[:, 1] = 0
    columns[:40, 1] = np.where(how[:40] == 0, 1.0, -1.0)
    effect = found(effects_beside_strength(5, a, b, how, columns, confidence=0.95), 1)
    assert 2 < effect.value < 20


def test_a_column_that_never_differs_says_so_and_keeps_its_place():
    a, b, how, columns = votes(300, 6, (0.0, 0.0))
    columns[:, 0] = 0
    effects = effects_beside_strength(5, a, b, how, columns, confidence=0.95)
    assert isinstance(effects, Effects)
    assert isinstance(effects.effects[0], Absent)
    assert isinstance(effects.effects[1], Effect)


def test_without_anybody_to_rate_there_is_no_effect():
    none = np.empty(0, dtype=np.int64)
    assert isinstance(effects_beside_strength(3, none, none, none, np.empty((0, 1)), confidence=0.95), Absent)
    one_way = effects_beside_strength(2, [0, 0], [1, 1], [0, 0], [[1.0], [1.0]], confidence=0.95)
    assert isinstance(one_way, Absent)
    assert isinstance(effects_beside_strength(2, [0, 0], [1, 1], [0, 1], [[0.0], [0.0]], confidence=0.95), Absent)


def test_ties_are_refused():
    with pytest.raises(InvalidComparisons, match="ties are not decisive"):
        effects_beside_strength(2, [0], [1], [2], [[1.0]], confidence=0.95)
