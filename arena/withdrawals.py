"""Votes that their voters took back: whether that hangs on who had written the answers, which they had seen by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from arena.battle import ModelId
from arena.meetings import Meetings, Record
from ratings import FALSE_SHARE, false_discovery_rates


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How the withdrawn votes on one model went, as seen by it, beside all that were cast on it."""

    model: ModelId
    withdrawn: Record
    cast: Record
    """The withdrawn ones and those that stand."""
    p_value: float
    """Of its wins and its losses being withdrawn equally often (`equally_often`)."""
    q_value: float
    """Among all models with a withdrawn vote."""
    apart: Literal["wins", "losses"] | None
    """Which of the two was withdrawn more often, if more than chance does (q up to `ratings.FALSE_SHARE`)."""


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """What voters took back once they had seen the names: if that hangs on the names, what is left is not blind."""

    n_votes: int
    n_cast: int
    """The withdrawn ones and those that stand."""
    n_voters: int
    """Who withdrew any."""
    models: tuple[Withdrawn, ...]
    """Those with a withdrawn vote, the most of them first."""

    @classmethod
    def of(cls, withdrawn: Meetings, standing: Meetings, n_voters: int) -> Self:
        told: list[tuple[ModelId, Record, Record]] = []
        for model in withdrawn.models:
            taken = withdrawn.record_of(model)
            cast = Record(*(np.array(taken) + standing.record_of(model)).tolist())
            told += [(model, taken, cast)] if taken.n else []
        p_values = [equally_often(taken[:2], cast[:2]) for _, taken, cast in told]
        q_values = false_discovery_rates(p_values).tolist()
        models = [
            Withdrawn(model, taken, cast, p, q, _more_often(taken, cast) if q <= FALSE_SHARE else None)
            for (model, taken, cast), p, q in zip(told, p_values, q_values, strict=True)
        ]
        n_votes = int(withdrawn.votes.sum()) // 2
        n_cast = n_votes + int(standing.votes.sum()) // 2
        return cls(n_votes, n_cast, n_voters, tuple(sorted(models, key=lambda each: (-each.withdrawn.n, each.model))))


def equally_often(taken: Sequence[int], cast: Sequence[int]) -> float:
    """Whether two kinds of votes were withdrawn equally often: the p-value, two-sided, of Fisher's exact test.

    `taken` of the `cast` ones of each kind were withdrawn. If all were withdrawn by chance alike, how many of the
    withdrawn ones are of the first kind is hypergeometric; the smaller of the two tails counts twice. Every vote is
    taken on its own. Without a vote of either kind, or without a withdrawal, 1. Fisher (1935), doi:10.2307/2342435.
    """
    (first, second), n_taken = cast, sum(taken)
    least, most = max(0, n_taken - second), min(first, n_taken)
    # The chance of x against that of x - 1, beginning with the least that is possible; in logs, against overflow.
    x = np.arange(least + 1, most + 1, dtype=np.float64)
    steps = np.log((first - x + 1) * (n_taken - x + 1)) - np.log(x * (second - n_taken + x))
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    chances = np.exp(logs - logs.max())
    at = taken[0] - least
    tail = min(chances[: at + 1].sum(), chances[at:].sum()) / chances.sum()
    return min(1.0, 2 * float(tail))


def _more_often(taken: Record, cast: Record) -> Literal["wins", "losses"]:
    return "wins" if taken.wins * cast.losses > taken.losses * cast.wins else "losses"
