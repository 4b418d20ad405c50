"""How the original Chatbot Arena code prepares its votes, written anew from what it does: pandas, then plain arrays."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import board


class Votes(NamedTuple):
    """`pairs` of shape (n, 2) index `models`; `outcomes` of shape (n,) are 1, 0.5 or 0 for the first of each pair."""

    models: list[str]
    pairs: NDArray[np.intp]
    outcomes: NDArray[np.float64]
    frame: pd.DataFrame


def read(path: Path, *more_columns: str) -> Votes:
    """Read the votes; `frame` holds the columns."""
    frame = pd.read_parquet(path, columns=["model_a", "model_b", "winner", *more_columns])
    codes, models = pd.factorize(pd.concat([frame["model_a"], frame["model_b"]]))
    outcomes = frame["winner"].map(board.OUTCOMES).to_numpy(np.float64)
    return Votes(models.to_list(), np.ascontiguousarray(codes.reshape(2, -1).T), outcomes, frame)


def gradient_of_pairs(pairs: NDArray[np.intp], errors: NDArray[np.float64], n_models: int) -> NDArray[np.float64]:
    """The slope of the log-likelihood in each model's strength: each error counts for the first, against the second."""
    slope = np.zeros(n_models)
    np.add.at(slope, pairs, np.stack([errors, -errors], axis=1))
    return slope
