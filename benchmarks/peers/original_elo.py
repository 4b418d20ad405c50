"""Elo and its bootstrap by the method of the original Chatbot Arena code, written anew.

One loop over the votes moves the ratings of all rounds at once; K = 4, base 10, scale 400. As there, a resample's votes
come in the order in which they were drawn, not in that of time.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

import board
import original

K = 4.0
PER_POINT = math.log(10) / 400


def run_through(pairs: NDArray[np.intp], outcomes: NDArray[np.float64], n_models: int) -> list[float]:
    """The ratings after the votes, in their order."""
    ratings = [1000.0] * n_models
    for (a, b), outcome in zip(pairs, outcomes, strict=True):
        update = K * (outcome - 1 / (1 + math.exp(PER_POINT * (ratings[b] - ratings[a]))))
        ratings[a] += update
        ratings[b] -= update
    return ratings


def run_through_samples(
    pairs: NDArray[np.intp], outcomes: NDArray[np.float64], n_models: int, drawn: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The ratings after each column of `drawn` votes, shape (rounds, n_models)."""
    rounds = np.arange(drawn.shape[1])
    ratings = np.zeros((len(rounds), n_models))
    for votes in drawn:
        a, b = pairs[votes, 0], pairs[votes, 1]
        ahead = ratings[rounds, a] - ratings[rounds, b]
        update = K * (outcomes[votes] - expit(PER_POINT * ahead))
        ratings[rounds, a] += update
        ratings[rounds, b] -= update
    return 1000 + ratings


def main() -> None:
    """Rate by the original's Elo."""
    call = board.parse()
    votes = original.read(call.votes)
    n_votes = len(votes.outcomes)
    drawn = np.random.default_rng(0).integers(n_votes, size=(n_votes, call.rounds))
    samples = run_through_samples(votes.pairs, votes.outcomes, len(votes.models), drawn)
    low, high = np.percentile(samples, board.CENTRAL_95, axis=0)
    board.tell(votes.models, run_through(votes.pairs, votes.outcomes, len(votes.models)), low, high)


if __name__ == "__main__":
    main()
