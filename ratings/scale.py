"""From log-odds to Elo points and back: the one place where the conversion stands."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

POINTS_PER_LOGIT = 400.0 / math.log(10.0)
"""On the Elo scale 400 points are odds of ten to one, so one natural logit is 173.72 points."""

Value = TypeVar("Value", float, NDArray[np.float64])


def to_score(strength: Value, *, mean: float = 1000.0) -> Value:
    """Elo points of a strength (natural log-odds), a number or an array; strength 0 is `mean` points, NaN stays NaN.

    Source: Elo (1978), The Rating of Chessplayers, Past and Present.
    """
    return mean + POINTS_PER_LOGIT * strength


def to_strength(score: Value, *, mean: float = 1000.0) -> Value:
    """Natural log-odds of a score in Elo points: the inverse of `to_score` with the same `mean`."""
    return (score - mean) / POINTS_PER_LOGIT


def to_points(difference: Value) -> Value:
    """Elo points of a difference of strengths, a number or an array."""
    return POINTS_PER_LOGIT * difference


def to_probability(difference: float) -> float:
    """The chance that an item wins against one that is weaker by this difference of strengths, a tie as half a win."""
    return 1.0 / (1.0 + math.exp(-difference)) if difference >= 0 else 1.0 - to_probability(-difference)
