"""Whether two samples of one characteristic come from the same distribution, and how far apart they are.

Two measures of distance between shares: the Jensen-Shannon divergence in bits, from 0 (the same) to 1 (nothing in
common; Lin 1991, doi:10.1109/18.61115), and the population stability index, the sum over cells of (q - p) ln(q / p)
(Jeffreys's divergence), whose usual bands are 0.1 and 0.25. Both are above 0 for any two finite samples, the
more so the smaller they are. So a shift is called one only where a permutation of the two samples seldom gives as much.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

FEWEST = 50
"""Of each sample; below it nothing is said."""

MODERATE, LARGE = 0.1, 0.25
"""From which index on a shift is moderate, and large."""

# To each cell of each sample: an empty one has no logarithm.
_PSEUDOCOUNT = 0.5

_N_BINS = 10


class Shift(StrEnum):
    """How far apart two samples are."""

    NONE = "none"
    MODERATE = "moderate"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Drift:
    """How far two samples are apart; without a value where `reason` says why.

    low and high are the bootstrap interval of the index, p_value the share of permutations with at least as high an
    index (never 0). The shift is the index's band, but none where chance alone gives as much.
    """

    index: float | None
    low: float | None
    high: float | None
    divergence: float | None
    p_value: float | None
    shift: Shift | None
    n_reference: int
    n_recent: int
    reason: str | None = None


def jensen_shannon(reference: ArrayLike, recent: ArrayLike) -> float:
    """The divergence in bits of two rows of counts or shares, shape (n_cells,), each with a positive sum."""
    p, q = (_shares(np.asarray(each, dtype=float)) for each in (reference, recent))
    middle = (p + q) / 2

    def entropy(shares: NDArray[np.float64]) -> float:
        positive = shares[shares > 0]
        return float(-(positive * np.log2(positive)).sum())

    return max(0.0, entropy(middle) - (entropy(p) + entropy(q)) / 2)


def stability_index(reference: ArrayLike, recent: ArrayLike) -> float | NDArray[np.float64]:
    """The population stability index of counts, shape (..., n_cells), after half a count is added to every cell."""
    p, q = (_shares(np.asarray(each, dtype=float) + _PSEUDOCOUNT) for each in (reference, recent))
    index = ((q - p) * np.log(q / p)).sum(axis=-1)
    return float(index) if np.ndim(index) == 0 else index


def binned(reference: Sequence[float], recent: Sequence[float]) -> tuple[list[int], list[int]]:
    """Numbers as cells: tenths of the two samples together, so that neither is the measure of the other."""
    together = np.concatenate((np.asarray(reference, dtype=float), np.asarray(recent, dtype=float)))
    if not len(together):
        return [], []
    edges = np.unique(np.quantile(together, np.arange(1, _N_BINS) / _N_BINS))
    cells = np.searchsorted(edges, together, side="left").tolist()
    return cells[: len(reference)], cells[len(reference) :]


def drift(
    reference: Sequence[Hashable],
    recent: Sequence[Hashable],
    *,
    rng: Generator,
    rounds: int = 2000,
    confidence: float = 0.95,
    most_chance: float = 0.05,
) -> Drift:
    """How far the cells of a recent sample are from those of a reference.

    The test permutes which observation belongs to which sample, so its share of false alarms is at most `most_chance`
    where observations are exchangeable. The interval is the bootstrap's basic one (Davison and Hinkley 1997, section
    5.2.1), which takes out the index's bias upwards; it is cut at 0.
    """
    n_reference, n_recent = len(reference), len(recent)
    if min(n_reference, n_recent) < FEWEST:
        reason = f"not enough data: {n_reference:,} and {n_recent:,}, and {FEWEST} each are the fewest"
        return Drift(None, None, None, None, None, None, n_reference, n_recent, reason)
    p, q = _counts(reference, recent)
    index = float(stability_index(p, q))
    permuted = rng.multivariate_hypergeometric(p + q, n_reference, size=rounds)
    by_chance = stability_index(permuted, p + q - permuted)
    # Rounding must not make equal tables unequal.
    p_value = (1 + int(np.sum(by_chance >= index - 1e-12))) / (1 + rounds)
    drawn = stability_index(
        rng.multinomial(n_reference, p / n_reference, size=rounds), rng.multinomial(n_recent, q / n_recent, size=rounds)
    )
    tail = (1 - confidence) / 2
    at_low, at_high = np.quantile(drawn, [tail, 1 - tail])
    return Drift(
        index=index,
        low=max(0.0, 2 * index - float(at_high)),
        high=max(0.0, 2 * index - float(at_low)),
        divergence=jensen_shannon(p, q),
        p_value=p_value,
        shift=_shift(index) if p_value <= most_chance else Shift.NONE,
        n_reference=n_reference,
        n_recent=n_recent,
    )


def _shift(index: float) -> Shift:
    if index < MODERATE:
        return Shift.NONE
    return Shift.MODERATE if index < LARGE else Shift.LARGE


def _counts(reference: Sequence[Hashable], recent: Sequence[Hashable]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # In an order that does not hang on that of the observations.
    place = {cell: k for k, cell in enumerate(sorted({*reference, *recent}, key=repr))}
    counts = (
        np.bincount([place[cell] for cell in sample], minlength=len(place)).astype(np.int64)
        for sample in (reference, recent)
    )
    p, q = counts
    return p, q


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts / counts.sum(axis=-1, keepdims=True)
