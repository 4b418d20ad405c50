"""Shares of things counted: how far they may be off, whether chance explains them, and whether they are alike.

Counts are taken as of independent things of which each is of the kind or not.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.discovery import false_discovery_rates
from ratings.errors import InvalidSetting
from ratings.interval import Absent, Interval, check_confidence
from ratings.streak import chance_of_as_many


@dataclass(frozen=True)
class ChiSquare:
    """Pearson's test of independence, without a correction for continuity."""

    statistic: float
    degrees: int
    p_value: float


def wilson(k: float, n: float, *, confidence: float) -> Interval | Absent:
    """Wilson's score interval of the share k / n; Absent where n is 0.

    n may be an effective number, k then that share of it. Raises InvalidSetting for a confidence outside (0, 1), and
    for k outside 0 .. n. Source: Wilson (1927), doi:10.1080/01621459.1927.10502953.
    """
    check_confidence(confidence)
    if not 0 <= k <= n:
        raise InvalidSetting("number of a kind", k, "0 to the number of all")
    if n == 0:
        return Absent("there is nothing to count")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = k / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half_width = z / (1 + z**2 / n) * sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    # Of none, and of all, the interval ends there, and not a rounding beside it.
    low, high = (0.0 if k == 0 else centre - half_width), (1.0 if k == n else centre + half_width)
    return Interval(low, high, confidence)


def even_chance(n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """The exact binomial test of k among n against a chance of one half, two-sided, elementwise: the p-value.

    As the distribution is symmetric, this is twice the smaller tail, at most 1. Raises InvalidSetting for k outside
    0 .. n. Source: Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.
    """
    n, k = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
    return np.minimum(2 * chance_of_as_many(n, np.maximum(k, n - k), 0.5), 1.0)


def difference_of_shares(k: float, n: float, k_other: float, n_other: float, *, confidence: float) -> Interval | Absent:
    """Where k / n minus k_other / n_other lies, for two independent counts; Absent where either n is 0.

    Newcombe's square-and-add of the two Wilson intervals, which never leaves [-1, 1] and holds its confidence at small
    counts. Source: Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10.
    """
    one, other = wilson(k, n, confidence=confidence), wilson(k_other, n_other, confidence=confidence)
    if isinstance(one, Absent) or isinstance(other, Absent):
        return Absent("one of the two has nothing to count")
    p, q = k / n, k_other / n_other
    below = sqrt((p - one.low) ** 2 + (other.high - q) ** 2)
    above = sqrt((one.high - p) ** 2 + (q - other.low) ** 2)
    return Interval(p - q - below, p - q + above, confidence)


def chi_square(table: ArrayLike) -> ChiSquare | Absent:
    """Whether rows and columns of a table of counts, shape (n_rows, n_columns), are independent.

    Rows and columns without any count say nothing and are left out; with fewer than two of either left it is Absent.
    Source: Pearson (1900), doi:10.1080/14786440009463897.
    """
    counts = np.asarray(table, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return Absent("there is nothing to compare: all counts stand in one row or in one column")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    degrees = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return ChiSquare(statistic, degrees, chance_beyond(statistic, degrees))


def chance_beyond(statistic: float, degrees: float) -> float:
    """The chance that a chi-square variable of so many degrees of freedom is this large, or larger."""
    from scipy.special import gammaincc  # noqa: PLC0415 - slow to load

    return float(gammaincc(degrees / 2, max(statistic, 0.0) / 2))


def simes(p_values: ArrayLike) -> float:
    """One p-value for a family of tests: the chance that something like its strongest members comes about by chance.

    The least of p_k * n / k, the p-values in ascending order; that is the least q-value of `false_discovery_rates`, so
    that it is at most a level exactly where that lists anybody. 1 for no tests. Valid where the tests are independent
    or hang together positively. Source: Simes (1986), doi:10.1093/biomet/73.3.751.
    """
    return float(false_discovery_rates(p_values).min(initial=1.0))


def gini(counts: ArrayLike) -> float:
    """How unequally a whole is divided: 0 if all have the same, towards 1 if one has it all; NaN for nothing.

    The mean difference of any two, over twice the mean. Source: Gini (1912).
    """
    ordered = np.sort(np.asarray(counts, dtype=np.float64))
    n, total = len(ordered), float(ordered.sum())
    if not total:
        return float("nan")
    return float(((2 * np.arange(1, n + 1) - n - 1) @ ordered) / (n * total))
