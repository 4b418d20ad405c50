"""How often voters agree where several judged the same two answers: pure arithmetic, one measure.

Raw agreement is the share of pairs of votes on the same two answers that say the same. It is pooled over pairs of
votes, so that two answers that many judged weigh more: with n votes they have n (n - 1) / 2 pairs of votes. Chance is
not taken out; with verdicts at random over four words a quarter would agree, over two a half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

# Resampling fewer pairs of answers than this tells more of the few than of voters.
_FEWEST = 10
_ROUNDS = 2000
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Agreement:
    """The share of pairs of votes that say the same, from 0 to 1, with its interval or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    n_pairs: int
    """Pairs of votes by two voters on the same two answers."""
    n_items: int
    """Pairs of answers that have such votes."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Agreements:
    """Over all four verdicts, and over those alone that prefer one answer to the other."""

    all: Agreement
    decisive: Agreement
    n_items: int
    """Pairs of answers that anybody judged."""
    n_votes: int
    """Votes on these, one of each voter."""

    @classmethod
    def of(cls, opinions: Sequence[tuple[int, int, int, int, int]], *, confidence: float, rng: Generator) -> Self:
        """From (A, B, tie, both bad, of how many pairs of answers), one vote of each voter on each.

        The interval is by percentiles of the share over resampled pairs of answers, 2,000 times.
        """
        table = np.array(sorted(opinions), dtype=np.int64).reshape(-1, 5)
        counts, times = table[:, :4], table[:, 4]
        return cls(
            all=_agreement(counts, times, confidence, rng),
            decisive=_agreement(counts[:, :2], times, confidence, rng),
            n_items=int(times.sum()),
            n_votes=int((counts.sum(axis=1) * times).sum()),
        )


def _agreement(counts: NDArray[np.int64], times: NDArray[np.int64], confidence: float, rng: Generator) -> Agreement:
    """From the verdicts on each kind of item, shape (n_kinds, n_verdicts), and how many items there are of the kind."""
    n = counts.sum(axis=1)
    pairs, agreeing = n * (n - 1) // 2, (counts * (counts - 1) // 2).sum(axis=1)
    told = pairs > 0
    pairs, agreeing, times = pairs[told], agreeing[told], times[told]
    n_items, n_pairs = int(times.sum()), int((pairs * times).sum())
    if not n_items:
        return Agreement(None, None, None, 0, 0, "no two voters have judged the same two answers")
    n_agreeing = int((agreeing * times).sum())
    value = round(n_agreeing / n_pairs, _DIGITS)
    reason = None
    if n_items < _FEWEST:
        reason = f"{n_items} pairs of answers were judged by several, and {_FEWEST} are the fewest for an interval"
    elif n_agreeing in (0, n_pairs):
        reason = f"{'all' if n_agreeing else 'none'} of the pairs of votes agree, and resampling them cannot tell more"
    if reason is not None:
        return Agreement(value, None, None, n_pairs, n_items, reason)
    # Items of one kind are alike, so a resample is how many of each kind come up.
    kinds, kind = np.unique(np.column_stack((pairs, agreeing)), axis=0, return_inverse=True)
    (pairs, agreeing), times = kinds.T, np.bincount(kind.ravel(), weights=times)
    drawn = rng.multinomial(n_items, times / n_items, size=_ROUNDS)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn @ agreeing / (drawn @ pairs), [tail, 1 - tail])
    return Agreement(value, round(float(low), _DIGITS), round(float(high), _DIGITS), n_pairs, n_items)
