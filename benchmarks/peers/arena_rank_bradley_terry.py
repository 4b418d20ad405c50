"""arena-rank's Bradley-Terry as its README shows it: sandwich intervals, or its bootstrap when there are rounds.

The bootstrap uses processes, and forking them after JAX has started its threads hangs: they are spawned instead.
"""

import multiprocessing

import pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.utils.data_utils import PairDataset

import board


def main() -> None:
    """Rate by arena-rank."""
    call = board.parse()
    votes = pd.read_parquet(call.votes, columns=["model_a", "model_b", "winner"])
    dataset = PairDataset.from_pandas(votes)
    model = BradleyTerry(n_competitors=len(dataset.competitors))
    if call.rounds == 0:
        rated = model.compute_ratings_and_cis(dataset)
    else:
        multiprocessing.set_start_method("spawn")
        rated = model.compute_ratings_and_cis(dataset, ci_method="bootstrap", num_bootstrap=call.rounds)
    board.tell(rated["competitors"], rated["ratings"], rated["rating_lower"], rated["rating_upper"])


if __name__ == "__main__":
    main()
