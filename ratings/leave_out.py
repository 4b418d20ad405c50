"""What leaving comparisons out of a fit, single ones or those of a cluster, would move: the jackknife of the sandwich.

With H the information and s_u the score (gradient) of the comparisons of one *unit* u, a single vote or everything by
one voter, leaving that unit out would move the estimate by about -d_u, d_u = (H - H_u)^-1 s_u.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons, Outcome
from ratings.design import Design
from ratings.errors import InvalidComparisons
from ratings.fit import Batches, Fit, pieces, weighted_counts
from ratings.linear import inverse, root_of

Floats = NDArray[np.float64]

ENTRIES_AT_ONCE = 2**18
"""Entries of the clusters' scores that are held together: few enough to stay in a processor's cache."""

_SETTLED = 1e-4
"""A further term of a cluster's series that moves each parameter by less than this share of its move ends it, ..."""

_SETTLED_SHARE = 1e-5
"""... or by less than this share of the largest move by any cluster beside it."""

_MOST_TERMS = 12

_NOTHING_LEFT = 1e-8
"""When a unit leaves no more than this share of the information in some direction, that direction rests on it alone."""


def refuse_others(fit: Fit, n_found: float) -> None:
    """Raise InvalidComparisons unless so many comparisons were fitted."""
    if not np.isclose(n_found, fit.n_comparisons):
        raise InvalidComparisons("number of comparisons", n_found, f"{fit.n_comparisons:g}, those that were fitted")


def bread_of(fit: Fit) -> Floats:
    """H^-1, shape (n_parameters, n_parameters)."""
    matrix = fit.information.copy()
    if fit.likelihood.is_difference and not fit.prior:
        n_items = len(fit.strengths)
        matrix[:n_items, :n_items] += 1.0  # scores add up to 0 over items: their level is nobody's information
    return inverse(matrix)


def pulls(fit: Fit, batch: Comparisons, bread: Floats) -> Iterator[tuple[Design, Floats, Floats]]:
    """Slopes of single comparisons at the estimate that leaves them out, (n_predictors, n), and how many are alike."""
    for cells, of_one, number in _one_by_one(batch):
        design = fit.design(cells)
        predictors = design.predictors(fit.parameters)
        slopes, curvature = fit.likelihood.derivatives(predictors, of_one)
        yield design, _without_itself(slopes, curvature, design.spread(bread)), number


def _one_by_one(batch: Comparisons) -> Iterator[tuple[Comparisons, Floats, Floats]]:
    """Cells whose comparisons all ended alike, the counts of a single one with its weight, and how many each holds."""
    if (batch.cell_counts == 1).all():
        yield batch, weighted_counts(batch), np.ones(batch.n_cells)
        return
    weights = np.ones(batch.n_cells) if batch.weights is None else batch.weights
    for outcome in Outcome:
        happened = batch.counts[outcome] > 0
        if happened.any():
            of_one = np.zeros((len(Outcome), np.count_nonzero(happened)))
            of_one[outcome] = weights[happened]
            yield batch.taking(happened), of_one, batch.counts[outcome, happened]


def _without_itself(slopes: Floats, curvature: Floats, spread: Floats) -> Floats:
    """(I - C B)^-1 g for each row: the slope of a vote at the estimate that leaves it out. (n_predictors, n).

    A vote that is all there is in one direction says nothing about the others: its slope is 0.
    """
    if len(slopes) == 1:
        left = 1.0 - curvature[0] * spread[0]
        return np.where(np.abs(left) <= _NOTHING_LEFT, 0.0, slopes / np.where(left == 0, 1.0, left))
    left = np.eye(len(slopes)) - np.einsum("ikn,kjn->nij", curvature, spread)
    alone = np.abs(np.linalg.det(left)) <= _NOTHING_LEFT
    left[alone] = np.eye(len(slopes))
    pulls = np.linalg.solve(left, slopes.T[:, :, np.newaxis])[:, :, 0]
    pulls[alone] = 0.0
    return pulls.T


def moves(fit: Fit, batch: Comparisons, bread: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """d of each cluster of a batch, shape (n_clusters, n_parameters), and which items it compared.

    (I - H_u H^-1)^-1 s_u is summed as a series, whose terms need a pass over the cells and no matrix; clusters with a
    large share of the information, for which it converges slowly, are solved one by one.
    """
    assert batch.clusters is not None  # noqa: S101 - the caller's chunks have them
    numbers, which = np.unique(batch.clusters, return_inverse=True)
    n_clusters = len(numbers)
    design = fit.design(batch)
    predictors = design.predictors(fit.parameters)
    counts = weighted_counts(batch)
    slopes, curvature = fit.likelihood.derivatives(predictors, counts)
    scores = design.pull_by(slopes, which, n_clusters)
    seen = np.zeros((n_clusters, batch.n_items), dtype=bool)
    seen[which, batch.first] = seen[which, batch.second] = True

    # Each parameter for itself: where a voter gave nearly all votes on an item that hardly anybody judged, the series
    # goes on there long after it has settled for the rest.
    moved = scores @ bread
    least = _SETTLED_SHARE * np.abs(moved).max(axis=0, initial=0.0)
    step, rows = moved, np.arange(n_clusters)
    cells, part = batch, which
    for _ in range(_MOST_TERMS):
        pushed = fit.design(cells).push(step, part)
        bent = np.einsum("ijn,jn->in", curvature, pushed)
        step = fit.design(cells).pull_by(bent, part, len(rows)) @ bread
        moved[rows] += step
        open_ = np.any(np.abs(step) > _SETTLED * np.abs(moved[rows]) + least, axis=1)
        if not open_.any():
            return moved, seen
        if open_.mean() < 0.5:
            keep = open_[part]
            cells, curvature = cells.taking(keep), curvature[:, :, keep]
            part = (np.cumsum(open_) - 1)[part[keep]]
            rows, step = rows[open_], step[open_]
    for number, row in enumerate(rows):
        own = part == number
        matrix = fit.design(cells.taking(own)).information(curvature[:, :, own])
        moved[row] = _moved_by(scores[row], matrix, bread)
    return moved, seen


def _moved_by(score: Floats, matrix: Floats, bread: Floats) -> Floats:
    """(H - H_u)^-1 s_u; directions in which nothing would be left without the cluster are left out."""
    root = root_of(bread)
    shares, directions = np.linalg.eigh(root.T @ matrix @ root)
    left = 1.0 - shares
    along = directions.T @ (root.T @ score)
    kept = np.where(left > _NOTHING_LEFT, along / np.maximum(left, _NOTHING_LEFT), 0.0)
    return (root @ (directions @ kept)).astype(np.float64)


def chunks_of_clusters(batches: Batches, n_clusters: int) -> Iterator[Comparisons]:
    """The batches, cut between clusters into pieces of about this many of them."""
    for batch in pieces(batches):
        if batch.clusters is None:
            raise InvalidComparisons("clusters", None, "the number of the cluster of each comparison")
        if batch.n_clusters <= n_clusters:
            yield batch
            continue
        order = np.argsort(batch.clusters, kind="stable")
        ends = np.searchsorted(batch.clusters[order], np.arange(0, batch.n_clusters + n_clusters, n_clusters))
        for start, end in pairwise(ends):
            if end > start:
                yield batch.taking(order[start:end])
