"""The Bradley-Terry model: P(i beats j) = 1 / (1 + exp(strength j - strength i)), a tie is half a win for each.

Engine, kernel, wrapper: `climb` fits any number of data sets at once, `_newton_step` is the mathematics of one step,
`fit_bradley_terry` is the door. Source of the model: Bradley and Terry (1952), doi:10.1093/biomet/39.3-4.324.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from ratings.comparisons import Comparisons
from ratings.connectivity import rateable_groups
from ratings.errors import DidNotConverge, InvalidSetting, NotConnected

Floats = NDArray[np.float64]

MAX_STEPS = 200
"""Ordinary data take 5 to 10 steps, a chain of 100 items with strengths 680 logits apart takes 160."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimated strengths, and how they came about."""

    strengths: Floats = field(repr=False)
    """Natural log-odds with mean 0, shape (n_items,)."""
    n_comparisons: float
    """Comparisons that were used."""
    prior: float
    """Precision of the prior on each strength; 0 for maximum likelihood."""
    n_steps: int
    """Newton steps taken."""
    log_likelihood: float
    """Of the comparisons at these strengths, in nats, <= 0, without the prior; a tie counts as two half-wins."""


def fit_bradley_terry(
    comparisons: Comparisons, *, prior: float = 0.0, max_steps: int = MAX_STEPS, tolerance: float = 1e-8
) -> Fit:
    """Maximum-likelihood strengths of the Bradley-Terry model.

    Strengths are natural log-odds, centred on 0, one per item, shape (n_items,). A tie counts as two half-wins.
    With prior > 0 this is the MAP estimate under independent N(0, 1 / prior) strengths, which exists for any data; but
    where comparisons do not link two groups of items, the distance between these comes from the prior alone.

    `tolerance` is in logits: the first Newton step that moves no strength further than this is taken and is the last,
    which leaves an error of about its square.

    Raises NotConnected if prior is 0 and the comparisons leave the strengths undetermined, DidNotConverge if the steps
    run out, InvalidSetting for a prior that is negative or not finite. Likelihood and the conditions for its maximum:
    Hunter (2004), doi:10.1214/aos/1079120141.
    """
    if not (np.isfinite(prior) and prior >= 0):
        raise InvalidSetting("prior", prior, "a precision of 0 or more, finite")
    if prior == 0 and len(groups := rateable_groups(comparisons)) > 1:
        raise NotConnected(groups)
    wins = comparisons.wins_matrix()
    start = np.zeros((1, comparisons.n_items))
    climbed, n_steps = climb(wins[np.newaxis], prior=prior, start=start, max_steps=max_steps, tolerance=tolerance)
    strengths = climbed[0] - climbed[0].sum() / max(comparisons.n_items, 1)
    return Fit(
        strengths=strengths,
        n_comparisons=comparisons.n_comparisons,
        prior=prior,
        n_steps=int(n_steps[0]),
        log_likelihood=float((wins * log_expit(strengths[:, np.newaxis] - strengths)).sum()),
    )


def climb(
    wins: Floats, *, prior: float, start: Floats, max_steps: int, tolerance: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Strengths at the top of the log-likelihood of several data sets, and the steps that each of them took.

    `wins` holds one wins matrix per data set, shape (n_sets, n_items, n_items), `start` the strengths to start from,
    shape (n_sets, n_items). The result of a data set does not depend on those beside it, to the last bit. Strengths
    keep the mean of `start` if prior is 0; otherwise their mean is 0.

    Raises DidNotConverge if a data set is still moving after `max_steps`.
    """
    strengths = start.copy()
    n_steps = np.zeros(len(wins), dtype=np.int64)
    moving = np.arange(len(wins))
    gradients = np.zeros_like(start)
    for n_step in range(1, max_steps + 1):
        steps, gradients = _newton_step(wins, strengths[moving], prior)
        strengths[moving] += steps
        arrived = np.abs(steps).max(axis=1, initial=0.0) <= tolerance
        n_steps[moving[arrived]] = n_step
        if arrived.any():
            moving, wins, gradients = moving[~arrived], wins[~arrived], gradients[~arrived]
        if not moving.size:
            return strengths, n_steps
    raise DidNotConverge(max_steps, float(np.abs(gradients).max(initial=0.0)))


def _newton_step(wins: Floats, strengths: Floats, prior: float) -> tuple[Floats, Floats]:
    """The damped step of each data set, and the gradient that it follows; both of shape (n_sets, n_items).

    The gradient is a sum of wins_ij * P(j beats i), not "wins minus expected wins": at a million wins to one that
    difference would lose the digits which count.

    Let `reach` be the largest change of a log-odds of two items that met. The third derivative along the step is at
    most `reach` times the second, hence a full step climbs if reach <= 1, and a fraction log(1 + reach) / reach
    climbs always: no line search, and no run-away from a poor start. Source of the bound: Bach (2010),
    doi:10.1214/09-EJS521.
    """
    upset = expit(strengths[:, np.newaxis, :] - strengths[:, :, np.newaxis])  # [set, i, j]: P(j beats i)
    pull = wins * upset
    gradients = pull.sum(axis=2) - pull.sum(axis=1) - prior * strengths
    half = pull * upset.transpose(0, 2, 1)
    curvature = half + half.transpose(0, 2, 1)  # games_ij * P(i beats j) * P(j beats i)

    # Without a prior only differences are determined: adding 1 everywhere keeps their sum, and the matrix definite.
    hessians = -curvature if prior > 0 else 1.0 - curvature
    items = np.arange(strengths.shape[1])
    hessians[:, items, items] += curvature.sum(axis=2) + prior
    steps = _solve(hessians, gradients)

    changes = np.abs(steps[:, :, np.newaxis] - steps[:, np.newaxis, :])
    reach = np.where(curvature > 0, changes, 0.0).max(axis=(1, 2), initial=0.0)
    fraction = np.where(reach <= 1.0, 1.0, np.log1p(reach) / np.maximum(reach, 1.0))
    return steps * fraction[:, np.newaxis], gradients


def _solve(matrices: Floats, right_sides: Floats) -> Floats:
    """Solve symmetric positive definite systems, (n_sets, n, n) and (n_sets, n), by Cholesky's method.

    Written out because LAPACK's last bits change with the number of threads from about 130 items on, and ratings must
    not. Column by column over all sets at once it takes two or three times as long as LAPACK, and less than drawing
    the resamples. Only the lower triangles are read.
    """
    n = right_sides.shape[1]
    factor = np.zeros_like(matrices)
    # A pivot below the rounding error of its diagonal carries no information: do not divide by its noise.
    least = np.finfo(np.float64).eps * np.diagonal(matrices, axis1=1, axis2=2)
    solution = right_sides.copy()
    for k in range(n):
        column = matrices[:, k:, k] - np.vecdot(factor[:, k:, :k], factor[:, np.newaxis, k, :k])
        column[:, 0] = np.maximum(column[:, 0], least[:, k])
        factor[:, k:, k] = column / np.sqrt(column[:, :1])
        solution[:, k] = (solution[:, k] - np.vecdot(factor[:, k, :k], solution[:, :k])) / factor[:, k, k]
    for k in reversed(range(n)):
        solution[:, k] = (solution[:, k] - np.vecdot(factor[:, k + 1 :, k], solution[:, k + 1 :])) / factor[:, k, k]
    return solution
