"""evalica's Elo over the votes in the order of time, and over resamples of them in the same order.

Models are given as numbers, which is quicker than names.
"""

import evalica
import numpy as np
import pandas as pd

import board

WINNERS = {
    "model_a": evalica.Winner.X,
    "model_b": evalica.Winner.Y,
    "tie": evalica.Winner.Draw,
    "both_bad": evalica.Winner.Draw,
}


def main() -> None:
    """Rate by evalica's Elo."""
    call = board.parse()
    votes = pd.read_parquet(call.votes, columns=["model_a", "model_b", "winner", "voted_at"])
    votes = votes.sort_values("voted_at", kind="stable")
    codes, models = pd.factorize(pd.concat([votes["model_a"], votes["model_b"]]))
    a, b = codes.reshape(2, -1)
    winners = votes["winner"].map(WINNERS).to_numpy(object)
    index = pd.RangeIndex(len(models))

    def rate(rows: np.ndarray | slice) -> np.ndarray:
        rated = evalica.elo(a[rows], b[rows], winners[rows].tolist(), index=index)
        return rated.scores.reindex(index).to_numpy()

    rng = np.random.default_rng(0)
    samples = np.array([rate(np.sort(rng.integers(len(a), size=len(a)))) for _ in range(call.rounds)])
    low, high = np.percentile(samples, board.CENTRAL_95, axis=0)
    board.tell(models, rate(slice(None)), low, high)


if __name__ == "__main__":
    main()
