"""How much the strengths would vary if the comparisons were collected again."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ratings.bradley_terry import MAX_STEPS, climb, fit_bradley_terry
from ratings.comparisons import Comparisons
from ratings.errors import InvalidComparisons, InvalidSetting

ROUND_PRIOR = 0.01
"""Precision of the prior on each strength in a round: N(0, 1 / 0.01), a standard deviation of 10 logits."""

ROUND_TOLERANCE = 1e-6
"""In logits: the last Newton step of a round is shorter than this, and its error about the square of it."""

_ENTRIES_AT_ONCE = 2**18
"""Entries of the wins matrices that are fitted together: few enough to stay in a processor's cache."""


def bootstrap_bradley_terry(
    comparisons: Comparisons,
    *,
    rounds: int,
    rng: np.random.Generator,
    prior: float = ROUND_PRIOR,
    rounds_at_once: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Bradley-Terry strengths refitted to resampled comparisons, shape (rounds, n_items), natural log-odds.

    A round draws as many comparisons as there are, with replacement, and fits them from scratch. Resampling treats
    comparisons as independent: several of them by one voter make the truth vary more than the rounds do.

    An unbeaten item in the resample would have an infinite maximum-likelihood strength, so rounds are fitted with a
    weak prior, independent N(0, 1 / prior) strengths: by default a standard deviation of 10 logits (1737 points), which
    bounds such a round, and moves an item with 50 comparisons against equals by less than a thousandth of its strength.

    An item that is absent from a resample is NaN in that round. The items present are shifted so that their mean is
    the mean of the same items in the point estimate (fitted with the same prior); with all present that is 0. Without
    comparisons everything is NaN.

    The result depends on the comparisons, `rounds`, `prior` and the state of `rng` alone: `rounds_at_once` sets memory
    and speed, never a bit of it. `on_progress` is called with (rounds done, rounds) after each such batch.

    Raises InvalidSetting if `rounds` or `rounds_at_once` is below 1 or `prior` not above 0, InvalidComparisons if a
    count is not whole. Source: Efron (1979), doi:10.1214/aos/1176344552.
    """
    n_items = comparisons.n_items
    if rounds_at_once is None:
        rounds_at_once = max(1, _ENTRIES_AT_ONCE // max(n_items, 1) ** 2)
    _refuse_unless(rounds >= 1, "rounds", rounds, "1 or more")
    _refuse_unless(rounds_at_once >= 1, "rounds_at_once", rounds_at_once, "1 or more")
    _refuse_unless(np.isfinite(prior) and prior > 0, "prior", prior, "a precision above 0, finite")
    resample = _Resample(comparisons)
    point = fit_bradley_terry(comparisons, prior=prior).strengths
    samples = np.full((rounds, n_items), np.nan)
    for done in range(0, rounds, rounds_at_once):
        wins = resample.draw(min(rounds_at_once, rounds - done), rng)
        samples[done : done + len(wins)] = _refit(wins, point, prior)
        if on_progress is not None:
            on_progress(done + len(wins), rounds)
    return samples


class _Resample:
    """Comparisons ready to be drawn with replacement: one multinomial over (pair, outcome), in canonical order."""

    def __init__(self, comparisons: Comparisons) -> None:
        counts = np.stack((comparisons.wins_first, comparisons.wins_second, comparisons.ties))
        broken = counts[counts != np.floor(counts)]
        if broken.size:
            raise InvalidComparisons(
                "count of the cell", broken[0].item(), "whole counts, as only these can be redrawn"
            )
        self._comparisons = comparisons
        self._shape = counts.shape
        # Outcomes that never happened stay out of the draw: the last category takes what rounding leaves over.
        self._seen = np.flatnonzero(counts)
        self._n_comparisons = int(counts.sum())
        self._chances = counts.ravel()[self._seen] / max(self._n_comparisons, 1)

    def draw(self, n_rounds: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """The wins matrices of the next rounds, shape (n_rounds, n_items, n_items)."""
        n_items = self._comparisons.n_items
        wins = np.zeros((n_rounds, n_items, n_items))
        if not self._n_comparisons:
            return wins
        drawn = np.zeros((n_rounds, *self._shape))
        drawn.reshape(n_rounds, -1)[:, self._seen] = rng.multinomial(self._n_comparisons, self._chances, size=n_rounds)
        wins_first, wins_second, ties = drawn.transpose(1, 0, 2)
        first, second = self._comparisons.first, self._comparisons.second
        wins[:, first, second] = wins_first + ties / 2
        wins[:, second, first] = wins_second + ties / 2
        return wins


def _refit(wins: NDArray[np.float64], point: NDArray[np.float64], prior: float) -> NDArray[np.float64]:
    """Strengths of each round, warm-started from the point estimate and in its gauge; NaN for absent items."""
    present = (wins.sum(axis=1) + wins.sum(axis=2)) > 0
    start = np.broadcast_to(point, present.shape)
    strengths, _ = climb(wins, prior=prior, start=start, max_steps=MAX_STEPS, tolerance=ROUND_TOLERANCE)
    shift = np.where(present, point - strengths, 0.0).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return np.where(present, strengths + shift[:, np.newaxis], np.nan)


def _refuse_unless(accepted: bool, name: str, value: object, what: str) -> None:
    if not accepted:
        raise InvalidSetting(name, value, what)
