"""What can be said of an item whose strength has no finite estimate: on which side of which value it lies."""

import numpy as np
from numpy.typing import NDArray

from ratings.interval import check_confidence
from ratings.logistic import expit, log_expit

_MAX_STEPS = 200


def unbeaten_bound(games: NDArray[np.float64], opponents: NDArray[np.float64], *, confidence: float) -> float | None:
    """The strength that an item which won all its games is above, in logits, with this confidence.

    `games` counts its wins over each opponent, `opponents` are their strengths, taken as known; both (n_opponents,).
    At the bound such a run of wins has the probability 1 - confidence: sum of games * log P(win) = log(1 - confidence),
    the exact one-sided bound of Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404, where all opponents are equal.
    For an item that lost all its games, negate the opponents and the result. None without games.

    Raises InvalidSetting for a confidence outside (0, 1).
    """
    check_confidence(confidence)
    met = games > 0
    if not met.any():
        return None
    games, opponents = games[met], opponents[met]
    target = np.log1p(-confidence)
    # One opponent of the mean strength would give this; the sum is concave and rises, so Newton's steps settle.
    chance = np.exp(target / games.sum())
    bound = float(np.average(opponents, weights=games) + np.log(chance / -np.expm1(target / games.sum())))
    for _ in range(_MAX_STEPS):
        excess = float((games * log_expit(bound - opponents)).sum() - target)
        step = float(np.clip(excess / (games * expit(opponents - bound)).sum(), -5.0, 5.0))
        bound -= step
        if abs(step) < 1e-10:
            break
    return bound
