"""Is A better than B yet? An answer that stays valid when it is looked at after every vote."""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.errors import InvalidComparisons, InvalidSetting
from ratings.interval import Absent, Interval, check_confidence

WORTH_HAVING = 0.05
"""Mean scores within 1/2 +- this differ too little to matter: 45 % to 55 %, about 35 points either way."""

_STAKES = 0.99 * 2.0 ** (-np.arange(13) / 2)
"""Shares of the capital staked on a vote, a thirteenth of it each, from nearly all to 1.5 %: large stakes decide within
ten votes, small ones are right for 30 000, and steps of sqrt(2) lose little between them. None stakes all, so no single
loss ruins it."""

_LEAST_LOG_MEAN = -50.0
"""Below exp(-50) = 2e-22 the low end is 0."""

_TOLERANCE = 1e-12
_MAX_STEPS = 100
_FIRST_BATCH, _MOST_AT_ONCE = 32, 4096


class Conclusion(Enum):
    """What the votes on one pair say so far."""

    A_BETTER = "A is better"
    B_BETTER = "B is better"
    NO_DIFFERENCE = "no difference worth having"
    UNDECIDED = "undecided"


@dataclass(frozen=True, eq=False)
class ConfidenceSequence:
    """An interval for A's mean score after each vote, and all of them hold at once with the given confidence.

    `low` and `high` have shape (n,), are shares in [0, 1] and read-only; `low` never falls and `high` never rises.
    Where low >= high no mean agrees with all the votes so far: votes drifted, or it is the unlucky case.
    """

    low: NDArray[np.float64] = field(repr=False)
    high: NDArray[np.float64] = field(repr=False)
    confidence: float


@dataclass(frozen=True)
class Decision:
    """The first conclusion that the votes allowed, and where A's mean score lies now.

    `decided_at` counts votes from 1 and is None while undecided. `n_used` is the number of votes that told: all, or one
    per cluster. `interval` is (0, 1) before the first vote, and Absent when no mean agrees with all the votes.
    """

    conclusion: Conclusion
    decided_at: int | None
    n_used: int
    interval: Interval | Absent


def confidence_sequence(
    scores: ArrayLike, *, confidence: float, clusters: ArrayLike | None = None
) -> ConfidenceSequence:
    """Intervals for the mean score of A against B, after every vote, that all contain it at once with `confidence`.

    `scores` are those of A in the order of the votes: 1 for a win, 0.5 for a tie, 0 for a loss, shape (n,). Looking
    after every vote, and stopping because of what is seen, costs nothing: that price is already in the width.
    The one assumption is that every vote has the same mean given those before it; nothing else about them, so ties
    need no model and make the interval narrower. Each end by itself fails with at most half of 1 - confidence.

    Method: for a mean m, bet against "the mean is m or less". Staking the share c of the capital on each vote
    multiplies it by 1 - c + c * score / m, which at that mean is 1 on average. So the capital of a fixed mixture of
    stakes (`_STAKES`) ever reaches 2 / (1 - confidence) with chance at most (1 - confidence) / 2 (Ville); `low` is the
    largest m at which it has, `high` the same for B. This is the hedged capital of Waudby-Smith and Ramdas (2024),
    doi:10.1093/jrsssb/qkad009, with stakes that do not depend on the data, so that counts of wins, ties and losses
    suffice.

    `clusters` holds one voter per vote, as whole numbers or strings, and only the first vote of each voter is used; a
    later one repeats the interval before it. One taste behind several votes makes the later ones predictable from the
    first, and then no bet on them is fair. Nor is the mean over a voter's votes a way out: a voter is never known to be
    done, a sequence that waits for more would change what it said before, and how often somebody votes may depend
    on how it went. One vote a voter is valid whatever voters do later; leave the others to the fit.

    No votes give empty arrays. Raises InvalidSetting for a confidence outside (0, 1), InvalidComparisons with the row
    for any other score, and for clusters of another length or kind.
    """
    check_confidence(confidence)
    column = _scores(scores)
    used = np.ones(len(column), dtype=bool) if clusters is None else _first_of_each(clusters, len(column))
    wins, ties, losses = (np.cumsum(used & (column == score)) for score in (1.0, 0.5, 0.0))
    low = _lower(wins, ties, losses, confidence)
    high = 1.0 - _lower(losses, ties, wins, confidence)
    for end in (low, high):
        end.setflags(write=False)
    return ConfidenceSequence(low, high, confidence)


def decide(
    scores: ArrayLike,
    *,
    confidence: float = 0.95,
    margin: float = WORTH_HAVING,
    clusters: ArrayLike | None = None,
) -> Decision:
    """Which of A and B is better, as soon as the votes on the pair allow it to be said; see `confidence_sequence`.

    A (or B) is better from the first vote on at which the interval for A's mean score lies above (below) 1/2; there is
    no difference worth having from the first vote at which it lies inside 1/2 +- margin. The first of these stands,
    whatever comes later; when one vote brings both, the winner is named. With `confidence` no conclusion is wrong,
    however often it was asked for; a wrong winner is named with chance at most (1 - confidence) / 2 each.

    Raises InvalidSetting for a margin outside (0, 1/2), and what `confidence_sequence` raises.
    """
    if not 0 < margin < 0.5:
        raise InvalidSetting("margin", margin, "a share of the mean score between 0 and 0.5, such as 0.05")
    sequence = confidence_sequence(scores, confidence=confidence, clusters=clusters)
    low, high = sequence.low, sequence.high
    first = {
        Conclusion.A_BETTER: low > 0.5,
        Conclusion.B_BETTER: high < 0.5,
        Conclusion.NO_DIFFERENCE: (low > 0.5 - margin) & (high < 0.5 + margin),
    }
    reached = {conclusion: int(holds.argmax()) + 1 for conclusion, holds in first.items() if holds.any()}
    conclusion = min(reached, key=lambda one: reached[one], default=Conclusion.UNDECIDED)
    n_used = len(low) if clusters is None else len(np.unique(np.asarray(clusters)))
    return Decision(conclusion, reached.get(conclusion), n_used, _last_interval(sequence))


def _last_interval(sequence: ConfidenceSequence) -> Interval | Absent:
    low, high = (float(sequence.low[-1]), float(sequence.high[-1])) if len(sequence.low) else (0.0, 1.0)
    if low < high:
        return Interval(low, high, sequence.confidence)
    return Absent(
        "no mean agrees with all the votes: it changed on the way, or this is a sequence of the unlucky "
        f"{1 - sequence.confidence:.1%}"
    )


def _lower(
    wins: NDArray[np.int64], ties: NDArray[np.int64], losses: NDArray[np.int64], confidence: float
) -> NDArray[np.float64]:
    """The largest mean that the bets on A have refuted after each vote, from running counts of shape (n,).

    The log of the capital falls with log(m) and is convex in it, as it is a log of sums of exponentials; so Newton's
    steps from the left approach the root without passing it, and an end that stopped early is only too low.
    """
    log_target = np.log(2.0 / (1.0 - confidence)) + np.log(len(_STAKES))
    low = np.zeros(len(wins))
    log_low = -np.inf
    start = 0
    while start < len(low):
        # Where the end of the batch before is not refuted, nothing is left to find: doubling batches save most steps.
        rows = slice(start, start + min(max(_FIRST_BATCH, start), _MOST_AT_ONCE))
        start = rows.stop
        counts = np.stack((wins[rows], ties[rows], losses[rows]), axis=1).astype(np.float64)
        log_mean = np.full(len(counts), max(log_low, _LEAST_LOG_MEAN))
        refuted = np.zeros(len(counts), dtype=bool)
        moving = np.arange(len(counts))
        for _ in range(_MAX_STEPS):
            log_capital, slope = _log_capital(log_mean[moving], counts[moving])
            excess = log_capital - log_target
            above = excess > 0
            moving, step = moving[above], -excess[above] / slope[above]
            refuted[moving] = True
            log_mean[moving] += step
            moving = moving[step > _TOLERANCE]
            if not moving.size:
                break
        best = np.maximum.accumulate(np.where(refuted, log_mean, log_low))
        log_low = best[-1]
        low[rows] = np.exp(best)
    return 1.0 - (1.0 - low)  # On the grid where 1 - low is exact, so that swapping the sides mirrors every bit.


def _log_capital(
    log_mean: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log of the capitals of all stakes added up, and its slope by log_mean; shape (n,) from counts of shape (n, 3)."""
    wins, ties, losses = counts.T[:, :, np.newaxis]
    kept = 1.0 - _STAKES
    won = _STAKES * np.exp(-log_mean)[:, np.newaxis]
    tied = won / 2
    logs = wins * np.log(kept + won) + ties * np.log(kept + tied) + losses * np.log(kept)
    slopes = -wins * won / (kept + won) - ties * tied / (kept + tied)
    largest = logs.max(axis=1)
    capitals = np.exp(logs - largest[:, np.newaxis])
    total = capitals.sum(axis=1)
    return largest + np.log(total), (capitals * slopes).sum(axis=1) / total


def _scores(scores: ArrayLike) -> NDArray[np.float64]:
    """The scores as float64; refuses all but 0, 0.5 and 1."""
    column = np.asarray(scores)
    if column.ndim != 1:
        raise InvalidComparisons("shape of scores", column.shape, "one column, (n,)")
    if column.size and column.dtype.kind not in "iuf":
        raise InvalidComparisons("type of scores", str(column.dtype), "numbers: 1 (A won), 0.5 (tie), 0 (B won)")
    wrong = ~np.isin(column, (0.0, 0.5, 1.0))
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidComparisons("score", column[row].item(), "1 (A won), 0.5 (tie), 0 (B won)", row=row)
    return column.astype(np.float64)


def _first_of_each(clusters: ArrayLike, n_scores: int) -> NDArray[np.bool_]:
    """Where a cluster appears for the first time."""
    column = np.asarray(clusters)
    if column.shape != (n_scores,):
        raise InvalidComparisons("shape of clusters", column.shape, f"one per score, ({n_scores},)")
    if column.size and column.dtype.kind not in "iuU":
        raise InvalidComparisons("type of clusters", str(column.dtype), "whole numbers or strings")
    first = np.zeros(n_scores, dtype=bool)
    first[np.unique(column, return_index=True)[1]] = True
    return first
