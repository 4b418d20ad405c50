"""What speaks for a side beside the strength of the item on it: its place, its length, how it begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.checks import whole_numbers
from ratings.comparisons import Comparisons, Outcome
from ratings.connectivity import rateable_groups
from ratings.errors import InvalidComparisons, RatingError
from ratings.fit import Fit, fit, log_likelihood
from ratings.interval import Absent, Interval
from ratings.sandwich import clustered_sandwich, coefficient_intervals, sandwich
from ratings.shares import chance_beyond

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

RIDGE = 0.01
"""Precision of a normal prior on each effect, a standard deviation of 10 logits: it moves none that is of this world,
and keeps one finite that always won."""


@dataclass(frozen=True)
class Effect:
    """One column's: what it adds to the logit of winning, per unit of the column."""

    value: float
    interval: Interval | Absent
    p_value: float
    """Wald's test of no effect, by Student's t; 1 where there is no interval."""


@dataclass(frozen=True, eq=False)
class Effects:
    """Of all columns together, each with the others and the strengths held fixed."""

    effects: tuple[Effect | Absent, ...]
    """In the order of the columns; Absent for one that is 0 everywhere."""
    n_used: int
    """Comparisons between items that can be rated against each other."""
    n_items: int
    statistic: float
    """Twice the gain in log-likelihood by all columns together."""
    p_value: float
    """Of the likelihood-ratio test; takes each comparison on its own, whatever the clusters are."""


def effects_beside_strength(
    n_items: int,
    item_a: ArrayLike,
    item_b: ArrayLike,
    outcome: ArrayLike,
    columns: ArrayLike,
    *,
    clusters: Sequence[ArrayLike | None] = (None,),
    confidence: float,
) -> Effects | Absent:
    """Fit Bradley-Terry strengths together with the effects of columns, shape (n_rows, n_columns), that speak for A.

    A column of ones is the advantage of side A. Outcomes are decisive, A or B, as ties have no place in the likelihood
    of one. The comparisons are those of the largest group of items that can be rated. Intervals and Wald tests are by
    the sandwich: `clusters` holds one grouping or several (by voter, by prompt), each a number a row, or None for rows
    that stand alone; those of one cluster may resemble each other in any way. Of several groupings the one with the
    widest interval counts, for each column by itself, which errs to the safe side.

    Absent where no two items can be rated, or the fit finds no end. Raises InvalidComparisons for a tie. Source: the
    home advantage of Davidson and Beaver (1977), doi:10.2307/2529464.
    """
    a, b, how = whole_numbers(item_a, "item_a"), whole_numbers(item_b, "item_b"), whole_numbers(outcome, "outcome")
    values = np.asarray(columns, dtype=np.float64)
    if (how > Outcome.B).any():
        raise InvalidComparisons("outcome", int(how[how > Outcome.B][0]), "A or B: ties are not decisive")
    groups = rateable_groups(Comparisons.from_outcomes(n_items, a, b, how)) if len(a) else [()]
    group = np.array(groups[0], dtype=np.int64)
    if len(group) < 2:
        return Absent("no two items can be rated against each other")
    place = np.full(n_items, -1)
    place[group] = np.arange(len(group))
    inside = (place[a] >= 0) & (place[b] >= 0)
    varies = (values[inside] != 0).any(axis=0)
    if not varies.any():
        return Absent("none of this ever tells the two sides apart")
    rows = (place[a[inside]], place[b[inside]], how[inside])
    plain = Comparisons.from_outcomes(len(group), *rows)
    # No copy of a large table where nothing is left out.
    used = values if inside.all() and varies.all() else values[inside][:, varies]
    ways: list[list[Effect]] = []
    try:
        counted = _grouped(len(group), rows, used, clusters[0], inside)
        found = fit(counted, ridge=RIDGE)
        without = fit(plain)
        gain = log_likelihood(counted, found) - log_likelihood(plain, without)
        ways.append(_by_sandwich(found, counted, confidence))
        for by in clusters[1:]:
            del counted
            counted = _grouped(len(group), rows, used, by, inside)
            ways.append(_by_sandwich(found, counted, confidence))
    except RatingError as error:
        return Absent(f"no fit: {error}")
    known = iter(max(each, key=_width) for each in zip(*ways, strict=True))
    statistic = max(2 * gain, 0.0)
    return Effects(
        effects=tuple(next(known) if does else Absent("never differs between the two sides") for does in varies),
        n_used=int(inside.sum()),
        n_items=len(group),
        statistic=statistic,
        p_value=chance_beyond(statistic, int(varies.sum())),
    )


def _grouped(
    n_items: int, rows: tuple[Whole, Whole, Whole], columns: Floats, by: ArrayLike | None, inside: NDArray[np.bool_]
) -> Comparisons:
    clusters = None if by is None else np.unique(np.asarray(by)[inside], return_inverse=True)[1]
    return Comparisons.from_outcomes(n_items, *rows, clusters=clusters, covariates=columns)


def _by_sandwich(found: Fit, comparisons: Comparisons, confidence: float) -> list[Effect]:
    is_clustered = comparisons.n_clusters > 1
    covariance = (clustered_sandwich if is_clustered else sandwich)(comparisons, found)
    n_items = len(found.strengths)
    errors, degrees = (column[n_items:].tolist() for column in (covariance.standard_errors, covariance.degrees))
    intervals = coefficient_intervals(found, covariance, confidence=confidence)
    return [
        Effect(value, interval, 1.0 if isinstance(interval, Absent) else _p_value(value / error, freedom))
        for value, interval, error, freedom in zip(found.coefficients.tolist(), intervals, errors, degrees, strict=True)
    ]


def _width(effect: Effect) -> float:
    """Of the interval; without end where there is none."""
    return np.inf if isinstance(effect.interval, Absent) else effect.interval.high - effect.interval.low


def _p_value(t: float, degrees: float) -> float:
    from scipy.special import stdtr  # noqa: PLC0415 - slow to load

    return float(min(2 * stdtr(degrees, -abs(t)), 1.0))
