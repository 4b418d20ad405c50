"""Strengths in slices of the comparisons (categories, languages), drawn towards the strengths of the whole.

In slice s item i has strength theta_si = mu_i + N(0, tau^2), independently: mu is the whole's strength and tau how far
slices differ. The estimate is the most probable one (MAP): `fit` with the prior N(mu_i, tau^2). Items with many votes
in the slice keep what these say, items with few stay near the whole. tau = 0 gives the whole, tau -> infinity the slice
by itself.

*How sure.* With H the information of the slice's comparisons, P = 1 / tau^2 for each strength, A = (H + P)^-1, G the
covariance of the slice's score (by vote or by cluster, see `ratings.sandwich`) and M that of the estimated mu,

    V = A (G + P + P M P) A

is the covariance of estimate minus truth: of chance in the slice's votes, of the distance from slice to whole that the
prior wants smaller than it is, and of errors in the whole. It holds on the average over slices and items, as the prior
does: an item whose distance from the whole is three times tau is drawn back too far, and its interval misses it more
often than stated. That the slice's votes are among the whole's does not widen it: where G is about H, the errors that
the two have in common and the part of the slice's own distance that the whole has taken over cancel.

*How far slices differ.* tau maximises tau times the likelihood of the slices' distances from the whole. In the
eigenvectors of H these are independent, with variance phi / eigenvalue + tau^2, where phi is how much more (or, with
ties as half-wins, less) the votes scatter than the model says; a slice that makes up a share f of all information pulls
the whole along and keeps 1 - f of that variance. The factor tau makes up for the likelihood's habit of peaking at 0
when slices are small, which would be certainty that there are no differences for want of votes.

Sources: Efron and Morris (1975), doi:10.1080/01621459.1975.10479864, for the idea; Breslow and Clayton (1993),
doi:10.1080/01621459.1993.10594284, for estimating tau by turns with the strengths; Li and Lahiri (2010), Journal of
Multivariate Analysis 101, for the factor; Morris (1983), doi:10.1080/01621459.1983.10477920, for intervals that hold
on the average.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons
from ratings.errors import DidNotConverge, InvalidComparisons, InvalidSetting, NotDetermined
from ratings.fit import Fit, fit, information
from ratings.sandwich import Covariance, clustered_sandwich, sandwich

Floats = NDArray[np.float64]

LEAST_TAU = 1e-4
"""In logits (0.02 points): slices that differ by less are the whole, as far as anybody can see."""

_LARGEST_TAU = 20.0

_FIRST_TAU = 0.3

_NEAREST = 0.05

_SETTLED = 0.005
"""Turns end when tau changes by less than this share of itself."""

_MOST_TURNS = 50

_LEAST_SCATTER = 1e-3

_ENOUGH_UNITS = 20

_DISTINCT = 1e-3
"""Directions about which a slice is the whole, up to this share of its information, say nothing about tau."""

_KNOWN = 1e-9
"""Directions about which the slice says less than this share of what it says about others are left out."""


@dataclass(frozen=True, eq=False)
class PooledSlice:
    """The strengths in one slice, to be used as any fit with its covariance (`strength_intervals`, `draws`)."""

    fit: Fit
    covariance: Covariance
    """In the gauge of the slice's own comparisons, or of the mean where there are none."""
    pooled_only: frozenset[int]
    """Items without votes in the slice: their strength is the whole's, their interval that of the prior around it."""


@dataclass(frozen=True, eq=False)
class Pooling:
    """All slices, drawn towards the whole by the same tau."""

    tau: float
    """Standard deviation of a strength in a slice around that of the whole, in logits."""
    is_estimated: bool
    slices: tuple[PooledSlice, ...] = field(repr=False)


def pool_slices(
    whole: Fit, covariance: Covariance, slices: Sequence[Comparisons], *, tau: float | None = None
) -> Pooling:
    """Strengths of the whole's model in each slice, with partial pooling towards the whole.

    `covariance` is that of the whole. `slices` are comparisons between the same items; if they are a division of the
    whole's comparisons, all of this is exact to first order, and with slices that overlap or leave some out it is
    nearly so. A slice whose comparisons carry clusters gets the covariance by cluster. Coefficients and extras are
    each slice's own, and not pooled. tau is taken as given in the intervals, also where it is estimated.

    `tau` in logits is the standard deviation of a slice's strengths around the whole's, 0 or more; less than
    `LEAST_TAU` counts as that. If it is not given it is estimated from all slices.

    Raises InvalidSetting for a tau that is negative or not finite, InvalidComparisons for a slice of other items,
    NotDetermined if tau is to be estimated and no slice is distinct from the whole, and as `fit` (with extras, a slice
    may leave them undetermined).
    """
    n_items = len(whole.strengths)
    for place, part in enumerate(slices):
        if part.n_items != n_items:
            raise InvalidComparisons(f"n_items of slice {place}", part.n_items, f"{n_items}, as in the whole")
    if tau is not None and not (np.isfinite(tau) and tau >= 0):
        raise InvalidSetting("tau", tau, "logits, 0 or more, finite")
    found = max(estimate_tau(whole, slices) if tau is None else tau, LEAST_TAU)
    parts = [_information(part, whole) for part in slices]
    total = sum(parts, np.zeros((n_items, n_items)))
    bread = np.linalg.pinv(total, hermitian=True)
    squares = sum((part @ part for part in parts), np.zeros((n_items, n_items)))
    # The whole is off by chance, and by which slices it happens to consist of.
    of_whole = covariance.matrix[:n_items, :n_items] + found**2 * bread @ squares @ bread
    pooled = tuple(_pooled(whole, of_whole, part, found) for part in slices)
    return Pooling(tau=found, is_estimated=tau is None, slices=pooled)


def estimate_tau(whole: Fit, slices: Sequence[Comparisons]) -> float:
    """How far strengths in the slices lie from those of the whole: a standard deviation in logits, above 0.

    Where slices do not differ, it is about the error with which that can be seen, which shrinks with more votes and
    with more slices. It has 4 digits, so that LAPACK's last bits leave no trace.

    Raises NotDetermined if no slice is distinct from the whole, DidNotConverge if tau does not settle, and as `fit`.
    """
    scatter: list[float] = []
    tau = before = _FIRST_TAU
    for _ in range(_MOST_TURNS):
        # Where to linearise need not be where tau is: very near to the whole nothing would be left of the distances.
        fits = [_fit(whole, part, max(tau, _NEAREST)) for part in slices]
        parts = [_information(part, fit_) for part, fit_ in zip(slices, fits, strict=True)]
        if not scatter:
            scatter = [_scatter(*slice_) for slice_ in zip(slices, fits, parts, strict=True)]
            # The scatter of a few votes or voters is no estimate: a single one has none at all. Such slices count as
            # the others do on average, and are no more certain than a model's own variance.
            known = [phi for phi, part in zip(scatter, slices, strict=True) if _n_units(part) >= _ENOUGH_UNITS]
            usual = max(float(np.median(known)), 1.0) if known else 1.0
            scatter = [
                phi if _n_units(part) >= _ENOUGH_UNITS else usual for phi, part in zip(scatter, slices, strict=True)
            ]
        total = sum(parts, np.zeros((len(whole.strengths), len(whole.strengths))))
        columns = [
            _distances(fit_, whole, part, total, phi) for fit_, part, phi in zip(fits, parts, scatter, strict=True)
        ]
        squares, variances = np.concatenate(columns, axis=1) if columns else np.empty((2, 0))
        if not squares.size:
            raise NotDetermined("how far slices differ", "no slice is distinct from the whole")
        before, tau = tau, _most_likely_tau(squares, variances)
        if abs(tau - before) <= _SETTLED * max(tau, _NEAREST):
            return tau
    raise DidNotConverge(_MOST_TURNS, abs(tau - before))


def _pooled(whole: Fit, of_whole: Floats, part: Comparisons, tau: float) -> PooledSlice:
    n_items = len(whole.strengths)
    pooled = _fit(whole, part, tau)
    of_votes = _covariance(part, pooled)
    drawn = np.linalg.inv(information(part, pooled))[:, :n_items] / tau**2  # A P
    rest = drawn @ (tau**2 * np.eye(n_items) + of_whole) @ drawn.T
    rest[:n_items] -= of_votes.gauge @ rest[:n_items]
    rest[:, :n_items] -= (rest[:, :n_items] @ of_votes.gauge)[:, np.newaxis]
    matrix = of_votes.matrix + rest
    # Satterthwaite: only what comes from the slice's votes is estimated from few of them.
    variance = np.diagonal(matrix)
    share = np.diagonal(of_votes.matrix) / np.where(variance > 0, variance, 1.0)
    degrees = of_votes.degrees / np.maximum(share, 1e-4) ** 2
    return PooledSlice(
        fit=pooled,
        # Nothing rests on a single vote: without it the prior would be left.
        covariance=replace(of_votes, matrix=matrix, degrees=degrees, fragile=frozenset()),
        pooled_only=frozenset(np.flatnonzero(part.games == 0).tolist()),
    )


def _fit(whole: Fit, part: Comparisons, tau: float) -> Fit:
    n_items, penalty = len(whole.strengths), whole.penalty
    return fit(
        part,
        whole.likelihood,
        prior=1 / tau**2,
        towards=whole.strengths,
        ridge=float(penalty.precision[n_items]) if penalty is not None and len(whole.coefficients) else 0.0,
        start=whole.parameters,
    )


def _covariance(part: Comparisons, of_fit: Fit) -> Covariance:
    if not part.n_cells:
        n_items = len(of_fit.strengths)
        return sandwich(part, of_fit, gauge=np.full(n_items, 1 / max(n_items, 1)))
    return sandwich(part, of_fit) if part.clusters is None else clustered_sandwich(part, of_fit)


def _information(part: Comparisons, of_fit: Fit) -> Floats:
    """What the comparisons alone say about the strengths, coefficients and extras being unknown."""
    n_items = len(of_fit.strengths)
    matrix = information(part, replace(of_fit, penalty=None))
    strengths, across, others = matrix[:n_items, :n_items], matrix[:n_items, n_items:], matrix[n_items:, n_items:]
    return strengths - across @ np.linalg.pinv(others, hermitian=True) @ across.T if others.size else strengths


def _n_units(part: Comparisons) -> float:
    """Votes, or clusters where there are some."""
    return part.n_comparisons if part.clusters is None else float(len(np.unique(part.clusters)))


def _scatter(part: Comparisons, of_fit: Fit, known: Floats) -> float:
    """phi: the covariance of the score over what the model says it is, on the average over directions."""
    if not part.n_cells:
        return 1.0
    n_items = len(of_fit.strengths)
    bread = np.linalg.inv(information(part, of_fit))[:n_items, :n_items]
    seen = float(np.vdot(known, _covariance(part, of_fit).matrix[:n_items, :n_items]))
    return max(seen / float(np.vdot(known, bread @ known @ bread)), _LEAST_SCATTER)


def _distances(of_fit: Fit, whole: Fit, known: Floats, total: Floats, phi: float) -> Floats:
    """Squared distances of a slice from the whole in the directions it knows of, and their variances by chance.

    Shape (2, n_directions); the squares as if the slice were not part of the whole. Distances are those without prior,
    linearised at the estimate with it, at which the slope of the likelihood is that of the prior.
    """
    values, vectors = np.linalg.eigh(known)
    of_total = (vectors * (total @ vectors)).sum(axis=0)
    kept = 1 - values / np.where(of_total > 0, of_total, 1.0)
    usable = (values > _KNOWN * values.max(initial=0.0)) & (kept > _DISTINCT)
    values, vectors, kept = values[usable], vectors[:, usable], kept[usable]
    along = (of_fit.strengths - whole.strengths) @ vectors
    return np.stack(((along * (1 + of_fit.prior / values)) ** 2 / kept, phi / values))


def _most_likely_tau(squares: Floats, variances: Floats) -> float:
    """The tau under which tau times the likelihood of these squares, of N(0, variance + tau^2) each, is the largest."""
    low, high = LEAST_TAU, _LARGEST_TAU
    best = low
    for _ in range(4):  # ever finer grids: there may be several peaks, and the first grid sees all that are wide
        grid = np.geomspace(low, high, 41)
        spread = variances + grid[:, np.newaxis] ** 2
        place = int(((np.log(spread) + squares / spread).sum(axis=1) - 2 * np.log(grid)).argmin())
        best, low, high = float(grid[place]), float(grid[max(place - 1, 0)]), float(grid[min(place + 1, 40)])
    return float(f"{best:.4g}")
