"""Things of two kinds in a row: whether they come as chance would mix them, and whether their share moves over time."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.checks import whole_numbers

_Whole = NDArray[np.int64]
_Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sequences:
    """What several rows of things, each of a kind or not, look like; one entry a row, in ascending order of `key`."""

    key: _Whole
    n: _Whole
    n_of_kind: _Whole
    n_runs: _Whole
    """Stretches of things that are alike."""
    longest: _Whole
    """The longest such stretch, of either kind."""
    drift: _Real
    """The largest distance of the running count of the kind from the straight line to its end, in units of what chance
    spreads: the standard deviation of one thing times the root of n. 0 where all are alike."""
    turn: _Whole
    """After how many things that distance is reached."""


def sequences(key: ArrayLike, is_kind: ArrayLike) -> Sequences:
    """Look at the rows of each key, in the order in which they stand. Columns of equal length."""
    key, kind = whole_numbers(key, "key"), np.asarray(is_kind, dtype=bool)
    order = np.argsort(key, kind="stable")
    key, kind = key[order], kind[order].astype(np.int64)
    if not len(key):
        none = np.empty(0, dtype=np.int64)
        return Sequences(none, none, none, none, none, np.empty(0), none)
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    n = np.diff(np.append(starts, len(key)))
    n_of_kind = np.add.reduceat(kind, starts)
    row = np.repeat(np.arange(len(starts)), n)
    is_new = np.append(True, (key[1:] != key[:-1]) | (kind[1:] != kind[:-1]))
    begins = np.flatnonzero(is_new)
    lengths = np.diff(np.append(begins, len(key)))
    first_run = np.searchsorted(begins, starts)
    share = n_of_kind / n
    place = np.arange(len(key)) - starts[row] + 1
    so_far = np.cumsum(kind)
    so_far -= (so_far[starts] - kind[starts])[row]
    off = np.abs(so_far - place * share[row])
    spread = np.sqrt(n * share * (1 - share))
    furthest = np.maximum.reduceat(off, starts)
    at = np.where(off >= furthest[row], place, np.iinfo(np.int64).max)
    return Sequences(
        key=key[starts],
        n=n,
        n_of_kind=n_of_kind,
        n_runs=np.add.reduceat(is_new.astype(np.int64), starts),
        longest=np.maximum.reduceat(lengths, first_run),
        drift=np.divide(furthest, spread, out=np.zeros(len(n)), where=spread > 0),
        turn=np.minimum.reduceat(at, starts),
    )


def chance_of_drift(drift: ArrayLike) -> _Real:
    """The chance that the running count of things with one and the same share is this far from its line, or further.

    That of the largest distance of a Brownian bridge from 0, which a long row approaches from below: at a few dozen
    things it is too large by half, so it errs to the safe side. Source: Kolmogorov (1933); the CUSUM of Brown, Durbin
    and Evans (1975), doi:10.1111/j.2517-6161.1975.tb01532.x.
    """
    from scipy.special import kolmogorov  # noqa: PLC0415 - slow to load

    return np.asarray(kolmogorov(np.asarray(drift, dtype=np.float64)), dtype=np.float64)


def chance_of_runs(n: int, n_of_kind: int, n_runs: int) -> float:
    """The chance of so few runs, or so many, among n things of which some are of a kind, in an order drawn by chance.

    Exact and two-sided: the smaller tail twice, at most 1. 1 where all are alike.
    Source: Wald and Wolfowitz (1940), doi:10.1214/aoms/1177731909.
    """
    other = n - n_of_kind
    if min(n_of_kind, other) == 0:
        return 1.0
    fewer, more = _tails(min(n_of_kind, other), max(n_of_kind, other), n_runs)
    return min(1.0, 2 * min(fewer, more))


@lru_cache(maxsize=65_536)
def _tails(few: int, many: int, n_runs: int) -> tuple[float, float]:
    """The chances of so many runs or fewer, and of so many or more."""
    runs = np.arange(2, 2 * few + 2)
    half = runs // 2
    is_even = runs % 2 == 0
    even = np.log(2) + _log_choose(few - 1, half - 1) + _log_choose(many - 1, half - 1)
    odd = np.logaddexp(
        _log_choose(few - 1, half) + _log_choose(many - 1, half - 1),
        _log_choose(few - 1, half - 1) + _log_choose(many - 1, half),
    )
    chances = np.exp(np.where(is_even, even, odd) - _log_choose(few + many, np.array([few]))[0])
    return float(chances[runs <= n_runs].sum()), float(chances[runs >= n_runs].sum())


def _log_choose(n: int, k: _Whole) -> _Real:
    from scipy.special import gammaln  # noqa: PLC0415 - slow to load

    is_none = (k < 0) | (k > n)
    inside = np.clip(k, 0, n)
    logs = gammaln(n + 1) - gammaln(inside + 1) - gammaln(n - inside + 1)
    return np.where(is_none, -np.inf, logs)
