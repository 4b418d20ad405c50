"""Which place an item takes, and which places it may take."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.errors import InvalidSetting
from ratings.interval import MAX_MISSING, NO_SPREAD, check_confidence
from ratings.threads import mapped

_ENTRIES_AT_ONCE = 2**16
"""Entries of the samples that are compared together: few enough to stay in a processor's cache."""

_CANCELLED = 1e-6
"""Of two variances that leave no more than this share of themselves, too many digits are gone."""

_HAIR = 1e-9


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
    unit. The range is from 1 + the number of items surely better to n_items - the number surely worse, where "surely"
    is `surely_above`; it contains the rank.

    Raises as `surely_above`. Source: Mogstad, Romano, Shaikh and Wilhelm (2024), doi:10.1093/restud/rdad006.
    """
    above = surely_above(strengths, samples, confidence=confidence, max_missing=max_missing)
    return [
        RankRange(best=1 + int(better), worst=len(strengths) - int(worse))
        for better, worse in zip(above.sum(axis=0), above.sum(axis=1), strict=True)
    ]


def surely_above(
    strengths: NDArray[np.float64],
    samples: NDArray[np.float64],
    *,
    confidence: float,
    max_missing: float = MAX_MISSING,
) -> NDArray[np.bool_]:
    """Whether item i is surely stronger than item j, (n_items, n_items): with `confidence` all of these hold at once.

    `strengths` is the point estimate, shape (n_items,), `samples` its bootstrap, shape (rounds, n_items), in the same
    unit. The difference of two items, over its bootstrap standard deviation, is certain when it exceeds the
    `confidence` quantile, over rounds, of the largest such deviation from the point estimate among all pairs.

    A pair is never certain when more than `max_missing` of the rounds lack one of the two (NaN), or when its difference
    does not vary over the rounds: no spread means too little data, not certainty. Memory is that of a few `samples`.

    Raises InvalidSetting for a confidence outside (0, 1), NaN strengths, or shapes that do not fit. Source: Hothorn,
    Bretz and Westfall (2008), doi:10.1002/bimj.200810425.
    """
    check_confidence(confidence)
    n_items = len(strengths)
    if np.isnan(strengths).any():
        raise InvalidSetting("strength", np.nan, "numbers; leave items without a strength out")
    if samples.ndim != 2 or samples.shape[1] != n_items or not len(samples):
        raise InvalidSetting("shape of samples", samples.shape, f"(rounds, {n_items}) with 1 round or more")
    spreads = _spreads(samples, max_missing)
    critical = np.quantile(_largest_deviations(samples - strengths, spreads), confidence, method="higher")
    has_spread = np.isfinite(spreads)
    # A hair above the critical value is on it: the last digits of a spread depend on the order of its sum.
    least = np.maximum(np.where(has_spread, spreads, 0.0) * critical * (1 + _HAIR), NO_SPREAD)
    return has_spread & (strengths[:, np.newaxis] - strengths[np.newaxis, :] > least)


def _largest_deviations(deviations: NDArray[np.float64], spreads: NDArray[np.float64]) -> NDArray[np.float64]:
    """In each round the largest difference of two deviations over its spread, shape (rounds,); 0 if there is none."""
    rounds_at_once = max(1, _ENTRIES_AT_ONCE // max(deviations.shape[1], 1))
    scales = 1 / spreads
    blocks = (deviations[start : start + rounds_at_once] for start in range(0, len(deviations), rounds_at_once))
    return np.concatenate(list(mapped(lambda block: _largest_in(np.ascontiguousarray(block.T), scales), blocks)))


def _largest_in(deviations: NDArray[np.float64], scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of rounds that fit into a processor's cache, (n_items, rounds), by what to multiply differences with."""
    n_items, n_rounds = deviations.shape
    largest, room = np.zeros(n_rounds), np.empty(deviations.size)
    with np.errstate(invalid="ignore"):  # NaN is a round that lacks an item: it has no deviation
        for item in range(n_items - 1):
            others = deviations[item + 1 :]
            apart = np.subtract(others, deviations[item], out=room[: others.size].reshape(others.shape))
            apart *= scales[item, item + 1 :, np.newaxis]
            np.fmax(largest, np.fmax.reduce(np.abs(apart, out=apart), axis=0), out=largest)
    return largest


def _spreads(samples: NDArray[np.float64], max_missing: float) -> NDArray[np.float64]:
    """Standard deviation of each difference over the rounds that have both; infinite where it says nothing."""
    seen = np.isfinite(samples)
    mean = np.where(seen, samples, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    centred = np.where(seen, samples - mean, 0.0)
    products = centred.T @ centred
    if seen.all():
        n_seen = np.full(products.shape, len(samples))
        own, shift = np.broadcast_to(np.diagonal(products)[:, np.newaxis], products.shape), 0.0
    else:
        both = seen.astype(np.float64)
        n_seen, sums, own = both.T @ both, centred.T @ both, (centred**2).T @ both
        shift = (sums - sums.T) ** 2 / np.maximum(n_seen, 1)
    squares = own + own.T - 2 * products - shift
    # What two items share cancels: where hardly anything else is left, take the differences themselves.
    close = np.triu(squares <= _CANCELLED * (own + own.T), k=1)
    for item in np.flatnonzero(close.any(axis=1)):
        others = np.flatnonzero(close[item])
        apart = np.where(seen[:, [item]] & seen[:, others], samples[:, [item]] - samples[:, others], np.nan)
        squares[item, others] = squares[others, item] = _squares(apart)
    spreads = np.sqrt(np.maximum(squares, 0.0) / np.maximum(n_seen - 1, 1))
    enough = n_seen >= (1 - max_missing) * len(samples)
    return np.where(enough & (spreads > NO_SPREAD), spreads, np.inf)


def _squares(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the squared deviations of each column from its mean, over the rounds that have it."""
    seen = np.isfinite(differences)
    mean = np.where(seen, differences, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return (np.where(seen, differences - mean, 0.0) ** 2).sum(axis=0)
