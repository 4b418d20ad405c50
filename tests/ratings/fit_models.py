"""The models of outcomes, each with its formulas written out a second time, in plain words."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from comparison_data import mixed_rows
from ratings import (
    BradleyTerry,
    Comparisons,
    Davidson,
    GroundedRaoKupper,
    Likelihood,
    RaoKupper,
)

Floats = NDArray[np.float64]
MODELS = [BradleyTerry(), Davidson(), RaoKupper(), GroundedRaoKupper()]
EXTRAS = {"bradley-terry": [], "davidson": [-0.4], "rao-kupper": [0.5], "grounded-rao-kupper": [0.3]}
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
each_of_differences = pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: model.name)


def chances(model, strengths, extras):
    """Probabilities of the outcomes of every ordered pair, from the formulas in plain words; (4, n, n)."""
    a, b = strengths[:, np.newaxis], strengths[np.newaxis, :]
    d = a - b
    if isinstance(model, BradleyTerry):
        return np.stack((expit(d), expit(-d), 0 * d, 0 * d))
    if isinstance(model, Davidson):
        z = np.exp(d / 2) + np.exp(extras[0]) + np.exp(-d / 2)
        return np.stack((np.exp(d / 2) / z, np.exp(-d / 2) / z, np.exp(extras[0]) / z, 0 * d))
    if isinstance(model, RaoKupper):
        win, loss = expit(d - extras[0]), expit(-d - extras[0])
        return np.stack((win, loss, 1 - win - loss, 0 * d))
    theta = 1 + np.exp(extras[0])
    win = np.exp(a) / (np.exp(a) + theta * np.exp(b) + 1)
    loss = np.exp(b) / (np.exp(b) + theta * np.exp(a) + 1)
    bad = 1 / (1 + np.exp(a) + np.exp(b))
    return np.stack((win, loss, 1 - win - loss - bad, bad))


def expected_counts(model, strengths, extras, n=100.0):
    """n comparisons of each pair, with outcomes just as often as the model says."""
    first, second = np.triu_indices(len(strengths), 1)
    counts = n * chances(model, strengths, extras)[:, first, second]
    return Comparisons(len(strengths), first, second, *counts)


def log_posterior(
    parameters, comparisons: Comparisons, model: Likelihood, *, prior=0.0, centre: float | Floats = 0.0, ridge=0.0
) -> float:
    """The objective, written a second time: a sum over cells in plain words."""
    n_items = comparisons.n_items
    covariates = comparisons.covariates
    n_covariates = 0 if covariates is None else covariates.shape[1]
    strengths, coefficients = parameters[:n_items], parameters[n_items : n_items + n_covariates]
    extras = parameters[n_items + n_covariates :]
    total = -prior / 2 * ((strengths - centre) ** 2).sum() - ridge / 2 * (coefficients**2).sum()
    for cell in range(comparisons.n_cells):
        pair = strengths[[comparisons.first[cell], comparisons.second[cell]]].copy()
        if covariates is not None:
            pair[0] += covariates[cell] @ coefficients
        win, loss, tie, bad = np.log(np.maximum(chances(model, pair, extras)[:, 0, 1], 1e-300))
        if isinstance(model, BradleyTerry):
            tie = (win + loss) / 2
        weight = 1.0 if comparisons.weights is None else comparisons.weights[cell]
        total += weight * (comparisons.counts[:, cell] @ np.array([win, loss, tie, bad]))
    return float(total)


def some(model, *, n_items=5, n_rows=120, seed=0, n_covariates=0):
    return mixed_rows(
        n_items,
        n_rows,
        np.random.default_rng(seed),
        both_bad=not model.is_difference,
        n_covariates=n_covariates if model.is_difference else 0,
    )
