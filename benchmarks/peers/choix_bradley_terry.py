"""choix: iterative Luce spectral ranking of a matrix of wins, and of matrices resampled by one multinomial draw each.

The matrix is counted by DuckDB, the quickest way we know; choix itself reads no files and resamples nothing.
"""

import choix
import duckdb
import numpy as np

import board


def main() -> None:
    """Rate by choix."""
    call = board.parse()
    cells = duckdb.execute(
        "select model_a, model_b, winner, count(*) as n from read_parquet($path) group by all order by all",
        {"path": str(call.votes)},
    ).fetchnumpy()
    models, codes = np.unique(np.concatenate([cells["model_a"], cells["model_b"]]), return_inverse=True)
    a, b = codes.reshape(2, -1)
    outcome = np.array([board.OUTCOMES[winner] for winner in cells["winner"]])

    def rate(counts: np.ndarray) -> np.ndarray:
        wins = np.zeros((len(models), len(models)))
        np.add.at(wins, (a, b), outcome * counts)
        np.add.at(wins, (b, a), (1 - outcome) * counts)
        return 1000 + board.POINTS_PER_LOGIT * choix.ilsr_pairwise_dense(wins)

    counts = cells["n"]
    scores = rate(counts)
    if call.rounds == 0:
        board.tell(models, scores, None, None)
        return
    rng = np.random.default_rng(0)
    shares = counts / counts.sum()
    samples = np.array([rate(rng.multinomial(counts.sum(), shares)) for _ in range(call.rounds)])
    low, high = np.percentile(samples, board.CENTRAL_95, axis=0)
    board.tell(models, scores, low, high)


if __name__ == "__main__":
    main()
