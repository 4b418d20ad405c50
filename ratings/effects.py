"""What speaks for a side beside the strength of the item on it: its place, its length, how it begins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.checks import whole_numbers
from ratings.comparisons import Comparisons, Outcome
from ratings.connectivity import rateable_groups
from ratings.errors import InvalidComparisons, RatingError
from ratings.fit import fit, log_likelihood
from ratings.interval import Absent, Interval
from ratings.sandwich import clustered_sandwich, coefficient_intervals, sandwich
from ratings.shares import chance_beyond

Floats = NDArray[np.float64]

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
    clusters: ArrayLike | None = None,
    confidence: float,
) -> Effects | Absent:
    """Fit Bradley-Terry strengths together with the effects of columns, shape (n_rows, n_columns), that speak for A.

    A column of ones is the advantage of side A. Outcomes are decisive, A or B, as ties have no place in the likelihood
    of one. Intervals and Wald tests are by the sandwich, clustered where clusters are given: those of one cluster may
    resemble each other in any way. The comparisons are those of the largest group of items that can be rated.

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
    cluster = None if clusters is None else np.unique(np.asarray(clusters)[inside], return_inverse=True)[1]
    rows = (place[a[inside]], place[b[inside]], how[inside])
    plain = Comparisons.from_outcomes(len(group), *rows)
    columns_used = values[inside][:, varies]
    comparisons = Comparisons.from_outcomes(len(group), *rows, clusters=cluster, covariates=columns_used)
    try:
        found = fit(comparisons, ridge=RIDGE)
        without = fit(plain)
        is_clustered = cluster is not None and comparisons.n_clusters > 1
        covariance = (clustered_sandwich if is_clustered else sandwich)(comparisons, found)
    except RatingError as error:
        return Absent(f"no fit: {error}")
    intervals = coefficient_intervals(found, covariance, confidence=confidence)
    errors, degrees = (column[len(group) :] for column in (covariance.standard_errors, covariance.degrees))
    known = iter(
        Effect(value, interval, 1.0 if isinstance(interval, Absent) else _p_value(value / error, freedom))
        for value, interval, error, freedom in zip(
            found.coefficients.tolist(), intervals, errors.tolist(), degrees.tolist(), strict=True
        )
    )
    statistic = max(2 * (log_likelihood(comparisons, found) - log_likelihood(plain, without)), 0.0)
    return Effects(
        effects=tuple(next(known) if does else Absent("never differs between the two sides") for does in varies),
        n_used=int(inside.sum()),
        n_items=len(group),
        statistic=statistic,
        p_value=chance_beyond(statistic, int(varies.sum())),
    )


def _p_value(t: float, degrees: float) -> float:
    from scipy.special import stdtr  # noqa: PLC0415 - slow to load

    return float(min(2 * stdtr(degrees, -abs(t)), 1.0))
