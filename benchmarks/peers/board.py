"""What the peers' jobs have in common: how they are called and how they answer.

    python benchmarks/peers/choix_bradley_terry.py votes.parquet --rounds 1000 > ratings.json

The answer is one JSON object like that of `bakeoff rate --json`, so that figures can be compared: under `ratings` an
object a model with `model`, `score`, `low` and `high`, in points; low and high are null where a job has no interval.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

POINTS_PER_LOGIT = 400 / math.log(10)
OUTCOMES = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}
STYLES = ("length", "headers", "lists", "bold", "code_blocks", "emoji")
CENTRAL_95 = 2.5, 97.5


class Call(NamedTuple):
    """A file of votes, and the bootstrap rounds; 0 rounds for a job without a bootstrap."""

    votes: Path
    rounds: int


def parse() -> Call:
    """The call from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("votes", type=Path)
    parser.add_argument("--rounds", type=int, default=0)
    given = parser.parse_args()
    return Call(given.votes, given.rounds)


def tell(models: Sequence[str], scores: ArrayLike, low: ArrayLike | None, high: ArrayLike | None) -> None:
    """Print the ratings, in points."""
    columns = [
        [None] * len(models) if values is None else np.asarray(values, np.float64).tolist()
        for values in (scores, low, high)
    ]
    ratings = [
        {"model": str(model), "score": score, "low": low, "high": high}
        for model, score, low, high in zip(models, *columns, strict=True)
    ]
    print(json.dumps({"ratings": ratings}))
