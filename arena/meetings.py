"""Who met whom, how it went, and what share that is: pure, from votes that are counted or read one by one."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from arena.battle import ModelId, Verdict
from arena.pieces import counting
from arena.plan import Plan
from arena.rows import Counted, Rows
from ratings import (
    Absent,
    Comparisons,
    Outcome,
    RatingError,
    clustered_sandwich,
    difference,
    fit_bradley_terry,
    sandwich,
    to_probability,
    win_rates,
)

_DIGITS = 4

# How many times longer the longer of two answers is, up to these; beyond the last there is no limit.
LENGTHS = (1.1, 1.5, 2.0, 3.0)


class Record(NamedTuple):
    """How the votes on one against another went, as seen by the one."""

    wins: int
    losses: int
    ties: int
    both_bad: int

    @property
    def n(self) -> int:
        return sum(self)


@dataclass(frozen=True, slots=True)
class Share:
    """The share of votes that went one way, a tie as half, from 0 to 1, with its interval or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    n_votes: int
    reason: str | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Meetings:
    """Votes between models; entry [i, j] is about `models[i]` against `models[j]`. A model with itself has none."""

    models: tuple[ModelId, ...]
    wins: NDArray[np.int64]
    ties: NDArray[np.int64]
    both_bad: NDArray[np.int64]

    @classmethod
    def of(cls, counted: Counted) -> Self:
        """All votes but those with the same model on both sides."""
        kept = counted.taking(counted.model_a != counted.model_b)
        n = len(kept.models)
        wins, ties, both_bad = (np.zeros((n, n), dtype=np.int64) for _ in range(3))
        codes = {verdict: number for number, verdict in enumerate(Verdict)}
        for verdict, table in ((Verdict.A, wins), (Verdict.TIE, ties), (Verdict.BOTH_BAD, both_bad)):
            rows = kept.verdict == codes[verdict]
            np.add.at(table, (kept.model_a[rows], kept.model_b[rows]), kept.n[rows])
        rows = kept.verdict == codes[Verdict.B]
        np.add.at(wins, (kept.model_b[rows], kept.model_a[rows]), kept.n[rows])
        return cls(kept.models, wins, ties + ties.T, both_bad + both_bad.T)

    @property
    def votes(self) -> NDArray[np.int64]:
        """How many votes each two have."""
        return self.wins + self.wins.T + self.ties + self.both_bad

    def record(self, one: ModelId, other: ModelId) -> Record:
        """How the one did against the other; without a vote of either, nothing but zeros."""
        if one not in self.models or other not in self.models:
            return Record(0, 0, 0, 0)
        i, j = self.models.index(one), self.models.index(other)
        return Record(int(self.wins[i, j]), int(self.wins[j, i]), int(self.ties[i, j]), int(self.both_bad[i, j]))

    def record_of(self, one: ModelId) -> Record:
        """How the one did against all others together."""
        if one not in self.models:
            return Record(0, 0, 0, 0)
        i = self.models.index(one)
        tables = (self.wins[i], self.wins[:, i], self.ties[i], self.both_bad[i])
        return Record(*(int(table.sum()) for table in tables))

    def opponents(self, one: ModelId) -> list[ModelId]:
        """Those that the one has met."""
        if one not in self.models:
            return []
        return [self.models[other] for other in np.flatnonzero(self.votes[self.models.index(one)])]


def share_won(record: Record, *, confidence: float, counts_both_bad: bool) -> Share:
    """The share won, by Wilson's interval for votes that each stand alone; a both-bad verdict is a tie or no vote."""
    outcomes = [(Outcome.A, record.wins), (Outcome.B, record.losses), (Outcome.TIE, record.ties)]
    outcomes += [(Outcome.TIE, record.both_bad)] if counts_both_bad else []
    codes, counts = [outcome for outcome, n in outcomes if n], [n for _, n in outcomes if n]
    n_votes = sum(counts)
    if not n_votes:
        return Share(None, None, None, 0, "there is no vote")
    sides = np.zeros(len(codes), dtype=np.int64)
    comparisons = Comparisons.from_outcomes(2, sides, sides + 1, codes, counts=counts)
    found = win_rates(comparisons, confidence=confidence)[0]
    assert not isinstance(found.rate, Absent)  # noqa: S101 - there are votes
    value = round(found.rate, _DIGITS)
    if isinstance(found.interval, Absent):
        return Share(value, None, None, n_votes, found.interval.reason)
    return Share(value, round(found.interval.low, _DIGITS), round(found.interval.high, _DIGITS), n_votes)


@dataclass(frozen=True, eq=False, slots=True)
class Leaning:
    """Votes as seen by one of the two answers, told apart by anything but its author: its side, or its length."""

    outcome: NDArray[np.int64]
    """`Outcome.A` where the one won."""
    voter: NDArray[np.int64] | None
    by: NDArray[np.float64]
    """By how much the one is more of what tells it apart, 0 where nothing does."""

    @classmethod
    def to_side_a(cls, pieces: Iterable[Rows], plan: Plan) -> Self:
        """The answer on side A against that on side B."""
        return cls._of((piece, np.ones(len(piece))) for piece in _counted(pieces, plan))

    @classmethod
    def to_the_longer(cls, pieces: Iterable[Rows], plan: Plan) -> Self:
        """The longer answer against the shorter one; `by` is (longer - shorter) / (longer + shorter).

        The pieces have the style `length`.
        """
        return cls._of((piece, piece.style["length"]) for piece in _counted(pieces, plan))

    @classmethod
    def _of(cls, pieces: Iterable[tuple[Rows, NDArray[np.float64]]]) -> Self:
        outcomes, voters, bys = [np.empty(0, np.int64)], [], [np.empty(0)]
        n_voters = 0
        for piece, by in pieces:
            turned = (by < 0) & (piece.verdict < 2)
            outcomes.append(np.where(turned, 1 - piece.verdict, piece.verdict))
            bys.append(np.abs(by))
            if piece.unit is not None:
                voters.append(piece.unit + n_voters)
                n_voters += int(piece.unit.max(initial=-1)) + 1
        return cls(np.concatenate(outcomes), np.concatenate(voters) if voters else None, np.concatenate(bys))

    def share(self, *, confidence: float, above: float = 0.0, up_to: float = np.inf) -> Share:
        """The share that the one won among votes with `by` in (above, up_to], by voter where voters are known."""
        here = (self.by > above) & (self.by <= up_to)
        outcome = self.outcome[here]
        if not outcome.size:
            return Share(None, None, None, 0, "there is no vote")
        wins = np.where(outcome == Outcome.A, 1.0, np.where(outcome == Outcome.B, 0.0, 0.5))
        value, n_votes = round(float(wins.mean()), _DIGITS), len(outcome)
        sides = np.zeros(n_votes, dtype=np.int64)
        clusters = None if self.voter is None else self.voter[here]
        comparisons = Comparisons.from_outcomes(2, sides, sides + 1, outcome, clusters=clusters)
        try:
            found = fit_bradley_terry(comparisons)
        except RatingError:
            return Share(value, None, None, n_votes, "all votes went the same way")
        covariance = sandwich(comparisons, found) if clusters is None else clustered_sandwich(comparisons, found)
        interval = difference(found, covariance, 0, 1, confidence=confidence)
        if isinstance(interval, Absent):
            return Share(value, None, None, n_votes, "too few votes or voters to say how far it may be off")
        low, high = (round(to_probability(end), _DIGITS) for end in (interval.low, interval.high))
        return Share(value, low, high, n_votes)

    def by_length(self, *, confidence: float) -> list[tuple[float, float | None, Share]]:
        """The share by how many times longer the one is: (more than, up to, share); None: without limit."""
        edges = [0.0, *((times - 1) / (times + 1) for times in LENGTHS), np.inf]
        shares = [self.share(confidence=confidence, above=low, up_to=high) for low, high in pairwise(edges)]
        return list(zip((1.0, *LENGTHS), (*LENGTHS, None), shares, strict=True))


def _counted(pieces: Iterable[Rows], plan: Plan) -> Iterable[Rows]:
    return (counting(piece, plan) for piece in pieces)
