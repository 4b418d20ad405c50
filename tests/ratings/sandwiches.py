"""Comparisons in clusters, and the sandwich of them written out with dense matrices, one vote after the other."""

import numpy as np

from comparison_data import dense_jacobian
from ratings import (
    BradleyTerry,
    Comparisons,
    Fit,
    Outcome,
)


def spread_over(comparisons, clusters):
    """The rows of plain comparisons, one a cell and outcome, with a cluster each."""
    rows = [
        (first, second, outcome)
        for first, second, counts in zip(comparisons.first, comparisons.second, comparisons.counts.T, strict=True)
        for outcome, count in zip(Outcome, counts, strict=True)
        for _ in range(int(count))
    ]
    a, b, how = (np.array(column) for column in zip(*rows, strict=True))
    order = np.random.default_rng(0).permutation(len(rows))
    return Comparisons.from_outcomes(comparisons.n_items, a[order], b[order], how[order], clusters=clusters)


def clustered(model=None, *, n_items=5, n_rows=200, n_clusters=12, seed=0, n_covariates=0, weights=False, skew=1.0):
    """Rows in clusters of unequal size: cluster k has a share of about 1 / (k + 1)^skew."""
    rng = np.random.default_rng(seed)
    model = model or BradleyTerry()
    a = rng.integers(0, n_items, n_rows)
    b = (a + rng.integers(1, n_items, n_rows)) % n_items
    activity = np.arange(1.0, n_clusters + 1) ** -skew
    clusters = rng.choice(n_clusters, n_rows, p=activity / activity.sum())
    return Comparisons.from_outcomes(
        n_items,
        a,
        b,
        rng.integers(0, 3 if model.is_difference else 4, n_rows),
        clusters=np.unique(clusters, return_inverse=True)[1],
        weights=rng.uniform(0.5, 2, n_rows) if weights else None,
        covariates=rng.normal(0, 1, (n_rows, n_covariates)) if n_covariates and model.is_difference else None,
    )


def clusters_of(comparisons):
    assert comparisons.clusters is not None
    return comparisons.clusters


def weights_of(comparisons):
    return np.ones(comparisons.n_cells) if comparisons.weights is None else comparisons.weights


def written_out(comparisons: Comparisons, found: Fit, gauge, *, by_cluster: bool):
    """The information, and each unit's score and information, with dense matrices, one vote after the other."""
    model = found.likelihood
    jacobian = dense_jacobian(comparisons, is_difference=model.is_difference, n_extras=len(model.extras))
    n_parameters, n_items = len(found.parameters), len(found.strengths)
    units = {}
    for row, j in enumerate(jacobian):
        predictors = (j @ found.parameters)[:, np.newaxis]
        weight = weights_of(comparisons)[row]
        for outcome in Outcome:
            for n in range(int(comparisons.counts[outcome, row])):
                one = np.zeros((4, 1))
                one[outcome] = weight
                score = j.T @ model.slopes(predictors)[outcome, :, 0] * weight
                matrix = j.T @ model.derivatives(predictors, one)[1][:, :, 0] @ j
                unit = clusters_of(comparisons)[row] if by_cluster else (row, outcome, n)
                before = units.get(unit, (np.zeros(n_parameters), np.zeros((n_parameters, n_parameters))))
                units[unit] = before[0] + score, before[1] + matrix
    units = dict(sorted(units.items()))
    information = sum(matrix for _, matrix in units.values())
    if found.penalty is not None:
        information = information + np.diag(found.penalty.precision)
    if model.is_difference:  # only differences are determined, and the gauge below takes away what this adds
        level = np.zeros(n_parameters)
        level[:n_items] = 1.0
        information = information + (np.outer(level, level) if not found.prior else 0.0)
    to_gauge = np.eye(n_parameters)
    to_gauge[:n_items, :n_items] -= gauge[np.newaxis, :]
    return information, units, to_gauge


def jackknife(comparisons, found, gauge, *, by_cluster):
    """(n - 1) / n * sum of d d' with d = (H - H_u)^-1 s_u."""
    information, units, to_gauge = written_out(comparisons, found, gauge, by_cluster=by_cluster)
    moves = np.array([to_gauge @ np.linalg.solve(information - matrix, score) for score, matrix in units.values()])
    return moves.T @ moves * (len(units) - 1) / len(units), moves


def textbook(comparisons, found, gauge, *, by_cluster):
    """White's and Liang and Zeger's H^-1 (sum of s s') H^-1."""
    information, units, to_gauge = written_out(comparisons, found, gauge, by_cluster=by_cluster)
    meat = sum(np.outer(score, score) for score, _ in units.values())
    inverse = np.linalg.inv(information)
    return to_gauge @ inverse @ meat @ inverse @ to_gauge.T
