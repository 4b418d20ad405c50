"""arena-rank's style control with sandwich intervals, or its bootstrap when there are rounds.

It is asked for the same estimate as everybody here: each vote counts once (reweighted=False) and the coefficients are
not shrunk (reg=0; the default of 1 is on the mean of the loss and shrinks them to almost nothing).
"""

import multiprocessing

import numpy as np
import pandas as pd
from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
from arena_rank.utils.data_utils import ContextualPairDataset

import board


def main() -> None:
    """Rate by arena-rank, with style."""
    call = board.parse()
    counts = [f"{style}_{side}" for style in board.STYLES for side in "ab"]
    votes = pd.read_parquet(call.votes, columns=["model_a", "model_b", "winner", *counts])
    for style in board.STYLES:
        a, b = votes[f"{style}_a"], votes[f"{style}_b"]
        votes[style] = (a - b) / np.maximum(a + b, 1)
    dataset = ContextualPairDataset.from_pandas(votes, list(board.STYLES), reweighted=False)
    model = ContextualBradleyTerry(len(dataset.competitors), dataset.n_features, reg=0.0)
    if call.rounds == 0:
        rated = model.compute_ratings_and_cis(dataset)
    else:
        multiprocessing.set_start_method("spawn")
        rated = model.compute_ratings_and_cis(dataset, ci_method="bootstrap", num_bootstrap=call.rounds)
    board.tell(rated["competitors"], rated["ratings"], rated["rating_lower"], rated["rating_upper"])


if __name__ == "__main__":
    main()
