"""Bradley-Terry and its bootstrap by the method of the original Chatbot Arena code, written anew.

Unique rows of (model, model, outcome) with their counts; for each round one multinomial draw of the counts, divided by
the number of votes, and one L-BFGS fit from zero, at most 100 steps, tolerance 1e-6; a process a core.
"""

import multiprocessing
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

import board
import original

Array = NDArray[np.float64]


def loss(strengths: Array, pairs: NDArray[np.intp], outcomes: Array, weights: Array) -> tuple[float, Array]:
    """Minus the log-likelihood, and its slope."""
    ahead = strengths[pairs]
    chance = expit(ahead[:, 0] - ahead[:, 1])
    value = -np.sum(weights * (outcomes * np.log(chance) + (1 - outcomes) * np.log(1 - chance)))
    return value, -original.gradient_of_pairs(pairs, weights * (outcomes - chance), len(strengths))


def fit(pairs: NDArray[np.intp], outcomes: Array, n_models: int, weights: Array) -> Array:
    """Scores in points."""
    found = minimize(
        loss,
        np.zeros(n_models),
        args=(pairs, outcomes, weights),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 100, "gtol": 1e-6},
    )
    return 1000 + board.POINTS_PER_LOGIT * found.x


def main() -> None:
    """Rate by the original's method."""
    call = board.parse()
    votes = original.read(call.votes)
    rows = np.column_stack([votes.pairs, 2 * votes.outcomes]).astype(np.int32)
    cells, counts = np.unique(rows, axis=0, return_counts=True)
    fit_weights = partial(fit, cells[:, :2].astype(np.intp), cells[:, 2] / 2, len(votes.models))
    n_votes = counts.sum()
    scores = fit_weights(counts / n_votes)
    draws = np.random.default_rng(0).multinomial(n_votes, counts / n_votes, size=call.rounds)
    with multiprocessing.Pool() as pool:
        samples = np.array(list(pool.imap_unordered(fit_weights, draws / n_votes)))
    low, high = np.percentile(samples, board.CENTRAL_95, axis=0)
    board.tell(votes.models, scores, low, high)


if __name__ == "__main__":
    main()
