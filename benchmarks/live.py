"""Times the ratings that follow every vote: one more vote, then strengths and intervals of all models.

    python benchmarks/live.py                    30, 130 and 250 models with 1,000,000 votes, in under half a minute
    python benchmarks/live.py --votes 10000

`by vote` takes every vote as independent, `by voter` widens by the design effects of 20,000 voters. Medians of many
votes: on the wall, which other work on the machine lengthens, and of processor time, which it hardly does. BLAS works
on one thread: more gain nothing at these sizes, and wait for each other where the machine is busy. `anew` is the time
in which the same board is computed from its counts without what was known before (`fit_bradley_terry`, `sandwich`).
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1"))  # before NumPy

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from ratings import Comparisons, Outcome, fit_bradley_terry, sandwich, strength_intervals
from ratings.live import LiveRatings

SIZES = (30, 130, 250)
N_VOTERS = 20_000
CONFIDENCE = 0.95
PATIENCE = 2.0
"""Seconds that each figure may take."""


class Times(NamedTuple):
    """Medians in milliseconds."""

    wall: float
    processor: float
    n: int


def measure(what: Callable[[], object]) -> Times:
    """Repeat it for a while."""
    what()
    wall, processor = [], []
    stop = time.perf_counter() + PATIENCE
    while time.perf_counter() < stop:
        began, began_processor = time.perf_counter(), time.process_time()
        what()
        wall.append(time.perf_counter() - began)
        processor.append(time.process_time() - began_processor)
    return Times(1e3 * statistics.median(wall), 1e3 * statistics.median(processor), len(wall))


def rows_for(n_models: int, n_votes: int, rng: np.random.Generator) -> list[list[str]]:
    """A row a way to look at votes: by vote, by voter, and anew."""
    strengths = rng.normal(0, 0.8, n_models)

    def draw(n: int) -> tuple[np.ndarray, ...]:
        a = rng.integers(0, n_models, n)
        b = (a + rng.integers(1, n_models, n)) % n_models
        outcome = np.where(rng.random(n) < 1 / (1 + np.exp(strengths[b] - strengths[a])), Outcome.A, Outcome.B)
        outcome[rng.random(n) < 0.25] = Outcome.TIE
        return a, b, outcome, (N_VOTERS * rng.random(n) ** 2).astype(np.int64)

    a, b, outcome, voter = draw(n_votes)
    by_vote = Comparisons.from_outcomes(n_models, a, b, outcome)
    by_voter = Comparisons.from_outcomes(n_models, a, b, outcome, clusters=voter)
    more = iter(list(zip(*(column.tolist() for column in draw(20_000)), strict=True)))

    def followed(live: LiveRatings, *, is_clustered: bool) -> Callable[[], object]:
        def one_vote() -> object:
            a, b, outcome, voter = next(more)
            live.add(a, b, Outcome(outcome), cluster=voter if is_clustered else None)
            return live.ratings().intervals(confidence=CONFIDENCE)

        return one_vote

    def anew() -> object:
        found = fit_bradley_terry(by_vote)
        return strength_intervals(found, sandwich(by_vote, found), confidence=CONFIDENCE)

    ways = {
        "by vote": followed(LiveRatings(by_vote), is_clustered=False),
        "by voter": followed(LiveRatings(by_voter), is_clustered=True),
        "anew": anew,
    }
    found = {name: measure(what) for name, what in ways.items()}
    return [
        [f"{n_models}", f"{n_votes:,}", name, f"{times.wall:.2f}", f"{times.processor:.2f}", f"{times.n:,}"]
        for name, times in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the ratings that follow every vote.")
    parser.add_argument("--votes", type=int, default=1_000_000, help="votes before the first one that is timed")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.perf_counter()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{platform.machine()}, {os.cpu_count()} processors{load}; "
        f"Python {platform.python_version()}, NumPy {np.__version__}, BLAS on one thread"
    )
    table = [["models", "votes", "board", "wall ms", "processor ms", "votes timed"]]
    for n_models in SIZES:
        table += rows_for(n_models, given.votes, np.random.default_rng(given.seed))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
