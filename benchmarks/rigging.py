"""Who rigs a board, and is found: simulated arenas, the checks of `arena.suspicion`, and what it did to the board.

    python benchmarks/rigging.py                the table, in some twenty minutes
    python benchmarks/rigging.py --runs 10      quicker, and coarser

An arena has 100,000 votes by 2,000 voters on 20 models (strengths: a standard deviation of 0.6 logits, 104 points).
A few voters vote very often: activity has the tail of a Pareto law, up to 1 % of all votes. Every voter has tastes
(0.5 logits a model, 87 points) and a lean to side A (0.1 logits on average, 0.2 between voters), gives 15 % ties, and
answers in less than 3 seconds in 3 % of the votes. So nobody honest is like the average voter.

Into it comes a rigger with 500 votes on pairs that the arena draws, as it draws everybody's. The target is the tenth of
the twenty by true strength, the rival the ninth. What the rigger does not bend is voted honestly, with tastes.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from arena.battle import ModelId, VoterId
from arena.rows import Rows
from arena.suspicion import Check, Sides, Speed, against_others, one_side, one_side_run, too_fast
from ratings import Comparisons, Outcome, fit_bradley_terry, to_points

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]

N_VOTES, N_VOTERS, N_MODELS = 100_000, 2_000, 20
N_RIGGED = 500
STRENGTH_SD, TASTE_SD = 0.6, 0.5
LEAN, LEAN_SD = 0.1, 0.2
TIES, HASTE = 0.15, 0.03
TAIL, MOST = 1.3, 0.01
SECONDS = 3.0
MODELS = [ModelId(f"m{item}") for item in range(N_MODELS)]


class Votes(NamedTuple):
    """Columns of equal length."""

    voter: Whole
    a: Whole
    b: Whole
    outcome: Whole
    is_fast: NDArray[np.bool_]

    def and_also(self, other: "Votes") -> "Votes":
        """These, and then those of others."""
        a, b = (np.concatenate((getattr(self, side), getattr(other, side))) for side in ("a", "b"))
        voter, outcome = (np.concatenate((getattr(self, name), getattr(other, name))) for name in ("voter", "outcome"))
        return Votes(voter, a, b, outcome, np.concatenate((self.is_fast, other.is_fast)))


class Arena:
    """Models, and voters who judge them as they like."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.strengths = rng.normal(0, STRENGTH_SD, N_MODELS)
        activity = rng.pareto(TAIL, N_VOTERS) + 0.3
        activity = np.minimum(activity, MOST * activity.sum())
        self.votes = self.honest(rng.choice(N_VOTERS, N_VOTES, p=activity / activity.sum()), N_VOTERS)
        best_first = np.argsort(-self.strengths)
        self.rival, self.target = int(best_first[8]), int(best_first[9])

    def honest(self, voter: Whole, n_voters: int) -> Votes:
        """A vote of each of these, who are numbers below n_voters."""
        rng, n = self.rng, len(voter)
        a = rng.integers(0, N_MODELS, n)
        b = (a + rng.integers(1, N_MODELS, n)) % N_MODELS
        view = self.strengths + rng.normal(0, TASTE_SD, (n_voters, N_MODELS))
        gap = view[voter, a] - view[voter, b] + rng.normal(LEAN, LEAN_SD, n_voters)[voter]
        wins_a = rng.random(n) < 1 / (1 + np.exp(-gap))
        outcome = np.where(rng.random(n) < TIES, Outcome.TIE, np.where(wins_a, Outcome.A, Outcome.B))
        return Votes(voter, a, b, outcome.astype(np.int64), rng.random(n) < HASTE)

    def rigged(self, style: str) -> Votes:
        """500 votes of one rigger, or of several with as many between them, numbered from N_VOTERS on."""
        rng = self.rng
        n_accounts = 10 if style == "ten accounts" else 1
        votes = self.honest(np.arange(N_RIGGED) % n_accounts, n_accounts)
        votes = votes._replace(voter=votes.voter + N_VOTERS)
        for_target = np.where(votes.a == self.target, Outcome.A, Outcome.B)
        against_rival = np.where(votes.a == self.rival, Outcome.B, Outcome.A)
        has_target = (votes.a == self.target) | (votes.b == self.target)
        has_rival = (votes.a == self.rival) | (votes.b == self.rival)
        by_chance = rng.choice([Outcome.A, Outcome.B], N_RIGGED)
        outcome = votes.outcome
        match style:
            case "always the target" | "ten accounts":
                outcome = np.where(has_target, for_target, outcome)
            case "always the target, else by chance":
                outcome = np.where(has_target, for_target, by_chance)
            case "the target in 80 %":
                outcome = np.where(has_target & (rng.random(N_RIGGED) < 0.8), for_target, outcome)
            case "never the rival":
                outcome = np.where(has_rival, against_rival, outcome)
            case "always side A":
                outcome = np.full(N_RIGGED, int(Outcome.A))
            case "a bot, by chance, at once":
                return votes._replace(outcome=by_chance.astype(np.int64), is_fast=np.ones(N_RIGGED, dtype=bool))
            case "by chance, in good time":
                outcome = by_chance
        return votes._replace(outcome=outcome.astype(np.int64))


STYLES = (
    "always the target",
    "always the target, else by chance",
    "the target in 80 %",
    "never the rival",
    "ten accounts",
    "always side A",
    "a bot, by chance, at once",
    "by chance, in good time",
)


def flagged(votes: Votes) -> Mapping[Check, set[int]]:
    """Whom each check flags."""
    n_voters = int(votes.voter.max()) + 1
    name = {number: VoterId(str(number)) for number in range(n_voters)}
    rows = Rows(votes.a, votes.b, votes.outcome, unit=votes.voter)
    sides = _sides(votes, n_voters)
    n, n_fast = np.bincount(votes.voter), np.bincount(votes.voter, votes.is_fast)
    speeds = [Speed(name[each], int(n[each]), int(n_fast[each])) for each in range(n_voters)]
    judged = (against_others(rows, name, MODELS), one_side(sides), one_side_run(sides), too_fast(speeds, SECONDS))
    return {each.check: {int(flag.voter) for flag in each.flags} for each in judged}


def _sides(votes: Votes, n_voters: int) -> list[Sides]:
    decisive = votes.outcome != Outcome.TIE
    voter, is_b = votes.voter[decisive], votes.outcome[decisive]
    order = np.argsort(voter, kind="stable")
    voter, is_b = voter[order], is_b[order]
    start = np.flatnonzero(np.diff(voter, prepend=-1) | np.diff(is_b, prepend=-1))
    length = np.diff(start, append=len(voter))
    longest = np.zeros((2, n_voters), dtype=np.int64)
    np.maximum.at(longest, (is_b[start], voter[start]), length)
    n, n_b = np.bincount(voter, minlength=n_voters), np.bincount(voter, is_b, n_voters).astype(np.int64)
    return [
        Sides(VoterId(str(each)), int(n[each]), int(n[each] - n_b[each]), int(longest[0, each]), int(longest[1, each]))
        for each in range(n_voters)
    ]


def scores(votes: Votes) -> Floats:
    """Bradley-Terry scores in points, their mean 0."""
    return to_points(fit_bradley_terry(Comparisons.from_outcomes(N_MODELS, votes.a, votes.b, votes.outcome)).strengths)


class Told(NamedTuple):
    """One run of one style."""

    found: float
    """Share of the rigger's accounts that are flagged by any check."""
    honest: int
    """Honest voters who are flagged by any check."""
    points: float
    """What the target gains (the rival, where it is voted down)."""
    places: int


def one_run(seed: int) -> dict[str, Told]:
    """All styles in one arena; None for nobody who rigs."""
    arena = Arena(np.random.default_rng(seed))
    before = scores(arena.votes)
    told = {"nobody": Told(0.0, len(set().union(*flagged(arena.votes).values())), 0.0, 0)}
    for style in STYLES:
        rigged = arena.rigged(style)
        votes = arena.votes.and_also(rigged)
        everybody, after = set().union(*flagged(votes).values()), scores(votes)
        accounts = set(rigged.voter.tolist())
        moved = arena.rival if style == "never the rival" else arena.target
        told[style] = Told(
            found=len(everybody & accounts) / len(accounts),
            honest=len(everybody - accounts),
            points=float(after[moved] - before[moved]),
            places=int((before > before[moved]).sum() - (after > after[moved]).sum()),
        )
    return told


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    asked = parser.parse_args()
    runs = []
    for run in range(asked.runs):
        runs.append(one_run(asked.seed + run))
        print(f"run {run + 1} of {asked.runs}", file=sys.stderr)
    print("| rigger | found | honest voters flagged, a run | points | places |")
    print("|---|---:|---:|---:|---:|")
    for style in ("nobody", *STYLES):
        told = [run[style] for run in runs]
        found, honest, points, places = (np.mean([each[column] for each in told]) for column in range(4))
        print(f"| {style} | {found:.0%} | {honest:.2f} | {points:+.1f} | {places:+.2f} |", flush=True)


if __name__ == "__main__":
    main()
