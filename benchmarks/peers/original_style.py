"""Style control by the method of the original Chatbot Arena code, written anew.

Differences of counts (a - b)/(a + b + 1), standardised; one logistic regression over all votes by L-BFGS, ridge 0.5 on
the summed loss, at most 100 steps, tolerance 1e-6. No interval with 0 rounds; otherwise one fit for each resample of
the votes, a process a core. A round draws its own votes; the original draws all rounds first, which takes more memory.
"""

import multiprocessing
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

import board
import original

RIDGE = 0.5
UNIT = np.log(10)

Array = NDArray[np.float64]


def loss(
    parameters: Array, pairs: NDArray[np.intp], style: Array, outcomes: Array, n_models: int
) -> tuple[float, Array]:
    """Minus the penalised log-likelihood, and its slope; strengths in units of ln 10 logits."""
    ahead = parameters[:n_models][pairs]
    chance = expit(UNIT * (ahead[:, 0] - ahead[:, 1]) + style @ parameters[n_models:])
    value = -np.sum(outcomes * np.log(chance) + (1 - outcomes) * np.log(1 - chance))
    errors = outcomes - chance
    slope = np.concatenate([UNIT * original.gradient_of_pairs(pairs, errors, n_models), errors @ style])
    return value + RIDGE / 2 * parameters @ parameters, RIDGE * parameters - slope


def fit(pairs: NDArray[np.intp], style: Array, outcomes: Array, n_models: int, seed: int | None) -> Array:
    """Scores in points, of all votes, or of a resample with this seed."""
    if seed is not None:
        drawn = np.random.default_rng(seed).integers(len(pairs), size=len(pairs))
        pairs, style, outcomes = pairs[drawn], style[drawn], outcomes[drawn]
    found = minimize(
        loss,
        np.zeros(n_models + style.shape[1]),
        args=(pairs, style, outcomes, n_models),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 100, "gtol": 1e-6},
    )
    return 1000 + 400 * found.x[:n_models]


def main() -> None:
    """Rate by the original's method, with style."""
    call = board.parse()
    votes = original.read(call.votes, *(f"{style}_{side}" for style in board.STYLES for side in "ab"))
    a = votes.frame[[f"{style}_a" for style in board.STYLES]].to_numpy(np.float64)
    b = votes.frame[[f"{style}_b" for style in board.STYLES]].to_numpy(np.float64)
    style = (a - b) / (a + b + 1)
    style = (style - style.mean(axis=0)) / style.std(axis=0)
    fit_resample = partial(fit, votes.pairs, style, votes.outcomes, len(votes.models))
    scores = fit_resample(None)
    if call.rounds == 0:
        board.tell(votes.models, scores, None, None)
        return
    with multiprocessing.Pool() as pool:
        samples = np.array(list(pool.imap_unordered(fit_resample, range(call.rounds))))
    low, high = np.percentile(samples, board.CENTRAL_95, axis=0)
    board.tell(votes.models, scores, low, high)


if __name__ == "__main__":
    main()
