"""Where a quantity lies, or the reason why that cannot be said."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.errors import InvalidInterval, InvalidSetting

MAX_MISSING = 0.05
"""The share of resamples that may lack an item before nothing is said about it."""

NO_SPREAD = 1e-9
"""Spreads up to this are rounding, not uncertainty."""


@dataclass(frozen=True)
class Interval:
    """From `low` to `high` with the given confidence, in the unit of the caller; low < high, both finite.

    Raises InvalidInterval if they are not.
    """

    low: float
    high: float
    confidence: float

    def __post_init__(self) -> None:
        if not (self.low < self.high and np.isfinite((self.low, self.high)).all()):
            raise InvalidInterval(self.low, self.high)


@dataclass(frozen=True)
class Absent:
    """No interval, and why, in a sentence."""

    reason: str


def percentile_intervals(
    samples: NDArray[np.float64], *, confidence: float, max_missing: float = MAX_MISSING
) -> list[Interval | Absent]:
    """The central `confidence` share of each column of bootstrap samples of shape (rounds, n_items), in their unit.

    Rounds in which a column is NaN are left out of it. A column is Absent when more than `max_missing` of its rounds
    are missing, or when the rest do not spread by more than 1e-9 between the two percentiles: a resample can only
    repeat what was seen, so no spread means too little data, not certainty. For 95 % take 1000 rounds or more.

    Raises InvalidSetting for a confidence outside (0, 1), a share outside [0, 1), or samples that are not a table.
    """
    check_confidence(confidence)
    if not 0 <= max_missing < 1:
        raise InvalidSetting("max_missing", max_missing, "a share from 0 to below 1")
    if samples.ndim != 2:
        raise InvalidSetting("shape of samples", samples.shape, "(rounds, n_items)")
    return [_percentile_interval(column, confidence, max_missing) for column in samples.T]


def check_confidence(confidence: float) -> None:
    """Raises InvalidSetting unless the confidence is a share strictly between 0 and 1: 0.95, not 95."""
    if not 0 < confidence < 1:
        raise InvalidSetting("confidence", confidence, "a share between 0 and 1, such as 0.95")


def _percentile_interval(column: NDArray[np.float64], confidence: float, max_missing: float) -> Interval | Absent:
    seen = column[np.isfinite(column)]
    n_missing = len(column) - len(seen)
    if not seen.size or n_missing > max_missing * len(column):
        return Absent(
            f"too few comparisons for an interval: missing from {n_missing:,} of {len(column):,} resamples, "
            f"more than {max_missing:.0%}"
        )
    low, high = np.quantile(seen, ((1 - confidence) / 2, (1 + confidence) / 2)).tolist()
    if np.ptp(seen) <= NO_SPREAD:
        return Absent("no spread to measure: every resample gives the same value")
    if high - low <= NO_SPREAD:
        return Absent("no spread to measure: nearly every resample gives the same value")
    return Interval(low, high, confidence)
