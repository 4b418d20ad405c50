"""How often an item wins: no model, only counting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons
from ratings.errors import InvalidComparisons
from ratings.interval import Absent, Interval, check_confidence
from ratings.shares import wilson

Floats = NDArray[np.float64]

_NEVER_MET = Absent("no comparisons")


@dataclass(frozen=True)
class WinRate:
    """What share of its comparisons an item won, a tie as half a win; shares are from 0 to 1."""

    n_comparisons: float
    n_opponents: int
    """Items that it met."""
    rate: float | Absent
    """Over all comparisons: depends on whom the item met how often."""
    interval: Interval | Absent
    """Of `rate`, for other comparisons with the same opponents."""
    average: float | Absent
    """The mean, over the opponents, of the rate against each: as if it had met all of them equally often."""


def win_rates(comparisons: Comparisons, *, confidence: float = 0.95) -> list[WinRate]:
    """The win rate of each item, plain and averaged over opponents; Absent for an item without comparisons.

    A win rate is no strength: who meets weak opponents wins more. The average takes out how often each was met, not who
    they were.

    The interval is Wilson's score interval with the number of comparisons replaced by the number of plain wins and
    losses that would tell as much: n * p (1 - p) / v, where p is the rate and v the observed variance of one result,
    (wins + ties / 4) / n - p^2. A tie lies in the middle, so v <= p (1 - p), and ties narrow the interval as they
    should; without ties it is Wilson's own. It is Absent with fewer than 2 comparisons, and where all went the same way
    (won, lost, or tied), as there is no variance to measure.

    Comparisons count as independent and as one each: weights and clusters are not looked at.

    Raises InvalidSetting for a confidence outside (0, 1), InvalidComparisons if some are neither won nor tied. Sources:
    Wilson (1927), doi:10.1080/01621459.1927.10502953; with an effective number: Korn and Graubard (1998), Survey
    Methodology 24.
    """
    check_confidence(confidence)
    counted = comparisons.wins_first + comparisons.wins_second + comparisons.ties
    if n_others := float((comparisons.cell_counts - counted).sum()):
        raise InvalidComparisons(
            "number of outcomes that are neither a win nor a tie", n_others, "0; count these as ties, or leave them out"
        )
    games, wins, ties = _pair_counts(comparisons)
    return [_win_rate(*rows, confidence) for rows in zip(games, wins, ties, strict=True)]


def _pair_counts(comparisons: Comparisons) -> tuple[Floats, Floats, Floats]:
    """Comparisons of i with j, wins of i over j, and ties: three tables of shape (n_items, n_items)."""
    n_items = comparisons.n_items
    own = np.concatenate((comparisons.first, comparisons.second))
    other = np.concatenate((comparisons.second, comparisons.first))

    def table(from_first: Floats, from_second: Floats) -> Floats:
        counts = np.concatenate((from_first, from_second))
        flat = np.bincount(own * n_items + other, weights=counts, minlength=n_items**2)
        return flat.astype(np.float64).reshape(n_items, n_items)

    wins = table(comparisons.wins_first, comparisons.wins_second)
    ties = table(comparisons.ties, comparisons.ties)
    return wins + wins.T + ties, wins, ties


def _win_rate(games: Floats, wins: Floats, ties: Floats, confidence: float) -> WinRate:
    """Of one item, from its counts against each other one."""
    met = games > 0
    if not met.any():
        return WinRate(0.0, 0, _NEVER_MET, _NEVER_MET, _NEVER_MET)
    n, won, tied = float(games.sum()), float(wins.sum()), float(ties.sum())
    return WinRate(
        n_comparisons=n,
        n_opponents=int(met.sum()),
        rate=(won + tied / 2) / n,
        interval=_interval(n, won, tied, confidence),
        average=float(((wins + ties / 2)[met] / games[met]).mean()),
    )


def _interval(n: float, won: float, tied: float, confidence: float) -> Interval | Absent:
    if n < 2:
        return Absent("too few comparisons for an interval: fewer than 2")
    lost = n - won - tied
    if n in (won, lost, tied):
        how = "won" if n == won else "lost" if n == lost else "tied"
        return Absent(f"no variance to measure: all comparisons were {how}")
    p = (won + tied / 2) / n
    # n^2 times the variance of one result, as a sum of products that rounding cannot turn negative.
    variance = (won * lost + (won + lost) * tied / 4) / n**2
    effective = n * p * (1 - p) / variance
    return wilson(p * effective, effective, confidence=confidence)
