"""evalica's Bradley-Terry: scores alone, or a loop over resampled votes when there are rounds.

Models are given as numbers, which is quicker than names. (evalica's own bootstrap resamples votes too and is slower.)
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
    """Rate by evalica."""
    call = board.parse()
    votes = pd.read_parquet(call.votes, columns=["model_a", "model_b", "winner"])
    codes, models = pd.factorize(pd.concat([votes["model_a"], votes["model_b"]]))
    a, b = codes.reshape(2, -1)
    winners = votes["winner"].map(WINNERS).to_numpy(object)
    index = pd.RangeIndex(len(models))

    def rate(rows: np.ndarray | slice) -> np.ndarray:
        rated = evalica.bradley_terry(a[rows], b[rows], winners[rows].tolist(), index=index)
        # evalica gives exp(strength), in the order of rank.
        return 1000 + board.POINTS_PER_LOGIT * np.log(rated.scores.reindex(index).to_numpy())

    scores = rate(slice(None))
    if call.rounds == 0:
        board.tell(models, scores, None, None)
        return
    rng = np.random.default_rng(0)
    samples = np.array([rate(rng.integers(len(a), size=len(a))) for _ in range(call.rounds)])
    low, high = np.percentile(samples, board.CENTRAL_95, axis=0)
    board.tell(models, scores, low, high)


if __name__ == "__main__":
    main()
