"""How many votes the modes of `arena.pairing` save: simulated voters, the arena's own draws, and `ratings`.

    python benchmarks/pairing.py            the tables, in about a minute
    python benchmarks/pairing.py --seed 1   the same with other strengths and other voters

Two stories, each told several times with strengths drawn anew, and with the same strengths for every mode:

joining   25 models have 10,000 votes, drawn uniformly, when 5 more join. How wide are the intervals after 4,000 further
          votes, and after how many is each mode as precise as uniform draws after these?
start     30 models begin together. After how many votes is each mode as precise as uniform draws after 2,000, and
          after 8,000?

Strengths are normal with a standard deviation of 0.8 logits (140 points). An outcome is a tie with probability
p (1 - p), p being the expected outcome, so that a tie as half a win is right on average. A voter gives 20 votes on 200
prompts, and sees no answer again whose author they know.

The half-width of a score is 1.96 standard errors from the Fisher information at the fitted strengths (and the weak
prior of the fit), for scores whose mean is fixed. That of an entry of the win matrix is 1.96 sqrt(variance / votes),
with the variance that the simulation knows; it is 1/2, which says nothing, where that would be larger or where there is
no vote.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from arena.battle import AnswerId, ModelId, PromptId, Verdict
from arena.pairing import Candidate, Mode, Policy, Pool
from ratings import Comparisons, Outcome, fit_bradley_terry
from ratings.scale import POINTS_PER_LOGIT

Floats = NDArray[np.float64]

MODES: tuple[Mode, ...] = get_args(Mode)
N_PROMPTS = 200
VOTES_A_VOTER = 20
SPREAD = 0.8
CERTAIN = 1.96
EVERY = 125
# Keeps the fit finite while a model has only won or lost; too weak to be seen elsewhere.
PRIOR = 0.01


class Row(NamedTuple):
    """One vote, as `Comparisons.from_outcomes` counts it."""

    a: int
    b: int
    outcome: Outcome


class Precision(NamedTuple):
    """After some votes; scores in Elo points, `of_old` and `of_new` are models before and from `n_old` on."""

    n_votes: int
    of_all: float
    of_old: float
    of_new: float
    of_pairs: float
    error_of_all: float
    error_of_new: float


class Arena:
    """Models with known strengths, and voters who come one after the other."""

    def __init__(self, strengths: Floats, policy: Policy, seed: str):
        self.strengths = strengths
        self.rows: list[Row] = []
        self.pool = Pool(
            (
                Candidate(PromptId(f"p{p:03}"), ModelId(f"m{m:02}"), AnswerId(f"{p}/{m}"), f"{p}/{m}")
                for p in range(N_PROMPTS)
                for m in range(len(strengths))
            ),
            policy,
        )
        self._rng = Random(seed)  # noqa: S311 - a simulation that repeats
        self._revealed: defaultdict[PromptId, set[ModelId]] = defaultdict(set)
        self._left = VOTES_A_VOTER

    def vote(self) -> None:
        """One more ballot is drawn, judged and counted."""
        draw = self.pool.draw(self._revealed, self._rng)
        if draw is None:
            raise RuntimeError("a voter has judged everything")
        a, b = int(draw.a.model_id[1:]), int(draw.b.model_id[1:])
        self.add(Row(a, b, judge(self.strengths[a] - self.strengths[b], self._rng)))
        self._revealed[draw.a.prompt_id] |= {draw.a.model_id, draw.b.model_id}
        self._left -= 1
        if not self._left:
            self._revealed.clear()
            self._left = VOTES_A_VOTER

    def add(self, row: Row) -> None:
        """A vote is counted, here and by the pool."""
        self.rows.append(row)
        verdict = {Outcome.A: Verdict.A, Outcome.B: Verdict.B, Outcome.TIE: Verdict.TIE}[row.outcome]
        self.pool.count(self.pool.models[row.a], self.pool.models[row.b], verdict)


def judge(difference: float, rng: Random) -> Outcome:
    """A verdict on two models that lie so many logits apart; its mean is the Bradley-Terry probability."""
    p = 1 / (1 + np.exp(-difference))
    tie = p * (1 - p)
    drawn = rng.random()
    if drawn < tie:
        return Outcome.TIE
    return Outcome.A if drawn < p + tie / 2 else Outcome.B


def precision(rows: Sequence[Row], strengths: Floats, n_old: int) -> Precision:
    """How precise these votes are on scores and on the outcomes of pairs."""
    n_models = len(strengths)
    comparisons = Comparisons.from_outcomes(n_models, *zip(*rows, strict=True))
    n = np.zeros((n_models, n_models))
    n[comparisons.first, comparisons.second] = comparisons.cell_counts
    n += n.T
    fitted = fit_bradley_terry(comparisons, prior=PRIOR).strengths
    centre = np.eye(n_models) - 1 / n_models
    covariance = centre @ np.linalg.inv(information(n, fitted) + PRIOR * np.eye(n_models)) @ centre
    widths = CERTAIN * POINTS_PER_LOGIT * np.sqrt(np.diag(covariance))
    p = expected_outcomes(strengths)
    # Of an outcome 1, 1/2 or 0 with mean p and p (1 - p) ties: p - p (1 - p) / 4 - p^2.
    variance = 0.75 * p * (1 - p)
    with np.errstate(divide="ignore"):
        pair_widths = np.minimum(0.5, CERTAIN * np.sqrt(variance / n))
    errors = POINTS_PER_LOGIT * (fitted - (strengths - strengths.mean()))
    return Precision(
        n_votes=len(rows),
        of_all=widths.mean(),
        of_old=widths[:n_old].mean(),
        of_new=widths[n_old:].mean() if n_old < n_models else np.nan,
        of_pairs=pair_widths[np.triu_indices(n_models, 1)].mean(),
        error_of_all=np.sqrt((errors**2).mean()),
        error_of_new=np.sqrt((errors[n_old:] ** 2).mean()) if n_old < n_models else np.nan,
    )


def expected_outcomes(strengths: Floats) -> Floats:
    """P(i beats j), shape (n_models, n_models)."""
    return 1 / (1 + np.exp(strengths - strengths[:, np.newaxis]))


def information(n: Floats, strengths: Floats) -> Floats:
    """The Fisher information of n[i, j] = n[j, i] votes on strengths; its null space is a common shift of all."""
    p = expected_outcomes(strengths)
    weights = n * p * (1 - p)
    return np.diag(weights.sum(axis=1)) - weights


def course(arena: Arena, n_votes: int, n_old: int) -> list[Precision]:
    """Votes come in; the precision at the start, if there is a vote, and after every `EVERY` of them."""
    n_before = len(arena.rows)
    told = [precision(arena.rows, arena.strengths, n_old)] if n_before else []
    for n in range(1, n_votes + 1):
        arena.vote()
        if n % EVERY == 0:
            told.append(precision(arena.rows, arena.strengths, n_old))
    return [each._replace(n_votes=each.n_votes - n_before) for each in told]


def votes_until(told: Sequence[Precision], name: str, width: float) -> float:
    """After how many votes this half-width is down to `width`, on a line between two points; NaN if never."""
    for before, after in pairwise(told):
        wide, narrow = getattr(before, name), getattr(after, name)
        if narrow <= width < wide:
            return before.n_votes + (wide - width) / (wide - narrow) * (after.n_votes - before.n_votes)
    return np.nan


def joining(seed: int, n_repeats: int, n_votes: int = 4000, n_old: int = 25, n_new: int = 5) -> list[list[str]]:
    """The table of new models in a running arena."""
    found: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for repeat in range(n_repeats):
        strengths = np.random.default_rng([seed, repeat]).normal(0, SPREAD, n_old + n_new)
        past = Arena(strengths[:n_old], Policy(), f"past {seed} {repeat}")
        for _ in range(10_000):
            past.vote()
        goal = None
        for mode in MODES:
            arena = Arena(strengths, Policy(mode), f"joining {seed} {repeat}")
            for row in past.rows:
                arena.add(row)
            told = course(arena, n_votes, n_old)
            goal = goal or told[-1]
            until = {name: votes_until(told, name, getattr(goal, name)) for name in ("of_all", "of_new")}
            found[mode].append(told[-1]._asdict() | {f"votes {name}": n for name, n in until.items()})
    return table_of(
        found,
        {
            "all": ("of_all", ".1f"),
            "old": ("of_old", ".1f"),
            "new": ("of_new", ".1f"),
            "error all": ("error_of_all", ".1f"),
            "error new": ("error_of_new", ".1f"),
            "votes for all": ("votes of_all", ",.0f"),
            "votes for new": ("votes of_new", ",.0f"),
        },
    )


def start(seed: int, n_repeats: int, n_votes: int, n_models: int = 30) -> list[list[str]]:
    """The table of models that begin together."""
    found: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for repeat in range(n_repeats):
        strengths = np.random.default_rng([seed, repeat, 1]).normal(0, SPREAD, n_models)
        goal = None
        for mode in MODES:
            # Some more, should a mode be less precise than uniform draws.
            told = course(Arena(strengths, Policy(mode), f"start {seed} {repeat}"), n_votes + 4 * EVERY, n_models)
            [end] = [each for each in told if each.n_votes == n_votes]
            goal = goal or end
            until = {name: votes_until(told, name, getattr(goal, name)) for name in ("of_all", "of_pairs")}
            found[mode].append(end._asdict() | {f"votes {name}": n for name, n in until.items()})
    return table_of(
        found,
        {
            "scores": ("of_all", ".1f"),
            "error": ("error_of_all", ".1f"),
            "win matrix": ("of_pairs", ".4f"),
            "votes for scores": ("votes of_all", ",.0f"),
            "votes for win matrix": ("votes of_pairs", ",.0f"),
        },
    )


def table_of(
    found: Mapping[str, Sequence[Mapping[str, float]]], columns: Mapping[str, tuple[str, str]]
) -> list[list[str]]:
    """A head, and a row a mode with the means over its repeats; columns by their titles: what stands there, and how."""
    rows = [
        [mode, *(format(float(np.mean([each[key] for each in repeats])), how) for key, how in columns.values())]
        for mode, repeats in found.items()
    ]
    return [["mode", *columns], *rows]


def show(title: str, table: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    print(f"{title}\n", *lines, "", sep="\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="How many votes the modes of pairing save.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=6, help="how often each story is told")
    given = parser.parse_args()
    began = time.perf_counter()
    show(
        "25 models with 10,000 votes, 5 that join, 4,000 further votes: mean half-widths and root mean square errors\n"
        "in points; further votes for the half-widths that uniform draws have after 4,000",
        joining(given.seed, given.repeats),
    )
    for n_votes in (2000, 8000):
        show(
            f"30 models that begin together, after {n_votes:,} votes: mean half-widths of scores (points) and of the\n"
            f"win matrix, root mean square error; votes for the half-widths that uniform draws have after {n_votes:,}",
            start(given.seed, given.repeats, n_votes),
        )
    print(f"{given.repeats} repeats, seed {given.seed}: {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
