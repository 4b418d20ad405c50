"""Which place an item takes, and which places it may take."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.errors import InvalidSetting
from ratings.interval import MAX_MISSING, NO_SPREAD, check_confidence


@dataclass(frozen=True)
class RankRange:
    """Places that an item may take, 1 the best: best <= worst."""

    best: int
    worst: int


def ranks(strengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """1 + the number of items that are stronger by more than 1e-9, shape (n_items,); equals share the better rank.

    Any unit will do. Raises InvalidSetting if a strength is NaN: an item without a strength has no rank.
    """
    if np.isnan(strengths).any():
        raise InvalidSetting("strength", np.nan, "numbers; leave items without a strength out")
    return 1 + (strengths[np.newaxis, :] > strengths[:, np.newaxis] + NO_SPREAD).sum(axis=1)


def rank_ranges(
    strengths: NDArray[np.float64],
    samples: NDArray[np.float64],
    *,
    confidence: float,
    max_missing: float = MAX_MISSING,
) -> list[RankRange]:
    """Places that each item may take, such that with `confidence` all ranges hold at once.

    `strengths` is the point estimate, shape (n_items,), `samples` its bootstrap, shape (rounds, n_items), in the same
    unit. The difference of two items, over its bootstrap standard deviation, is certain when it exceeds the
    `confidence` quantile, over rounds, of the largest such deviation from the point estimate among all pairs. The range
    is then from 1 + the number of items surely better to n_items - the number surely worse; it contains the rank.

    A pair is never certain when more than `max_missing` of the rounds lack one of the two (NaN), or when its difference
    does not vary over the rounds: no spread means too little data, not certainty. Memory is that of a few `samples`.

    Raises InvalidSetting for a confidence outside (0, 1), NaN strengths, or shapes that do not fit. Sources: Hothorn,
    Bretz and Westfall (2008), doi:10.1002/bimj.200810425, for the largest deviation; Mogstad, Romano, Shaikh and
    Wilhelm (2024), doi:10.1093/restud/rdad006, for the ranges.
    """
    check_confidence(confidence)
    n_items = len(strengths)
    if np.isnan(strengths).any():
        raise InvalidSetting("strength", np.nan, "numbers; leave items without a strength out")
    if samples.ndim != 2 or samples.shape[1] != n_items or not len(samples):
        raise InvalidSetting("shape of samples", samples.shape, f"(rounds, {n_items}) with 1 round or more")

    spreads = np.full((n_items, n_items), np.inf)
    largest = np.zeros(len(samples))
    for item in range(n_items - 1):
        others = slice(item + 1, n_items)
        differences = samples[:, item, np.newaxis] - samples[:, others]
        spread = _spread(differences, max_missing)
        spreads[item, others] = spreads[others, item] = spread
        deviations = np.abs(differences - (strengths[item] - strengths[others])) / spread
        largest = np.fmax(largest, np.fmax.reduce(deviations, axis=1))
    critical = np.quantile(largest, confidence, method="higher")

    has_spread = np.isfinite(spreads)
    least = np.maximum(np.where(has_spread, spreads, 0.0) * critical, NO_SPREAD)
    surely_above = has_spread & (strengths[:, np.newaxis] - strengths[np.newaxis, :] > least)
    return [
        RankRange(best=1 + int(above), worst=n_items - int(below))
        for above, below in zip(surely_above.sum(axis=0), surely_above.sum(axis=1), strict=True)
    ]


def _spread(differences: NDArray[np.float64], max_missing: float) -> NDArray[np.float64]:
    """Standard deviation of each column over the rounds that have it; infinite where it says nothing."""
    seen = np.isfinite(differences)
    n_seen = seen.sum(axis=0)
    mean = np.where(seen, differences, 0.0).sum(axis=0) / np.maximum(n_seen, 1)
    squares = np.where(seen, differences - mean, 0.0) ** 2
    spread = np.sqrt(squares.sum(axis=0) / np.maximum(n_seen - 1, 1))
    enough = n_seen >= (1 - max_missing) * len(differences)
    return np.where(enough & (spread > NO_SPREAD), spread, np.inf)
