"""Drawing with replacement, many rounds at once: as many things as there are, one multinomial a round, exactly.

Independent Poisson numbers are multinomial, given their sum. So numbers are drawn whose sum is expected a little below
the one wanted, rounds in which it came out above are drawn again, and what is lacking is added one by one.

The gain is that many categories hold equally many things, thus share one Poisson distribution, and that is drawn from a
table: 4096 slots hold as many copies of each number as its probability fills; the few slots left over stand for the
remainders together, and choose among them by a second random number. Nothing is rounded away. A number takes about two
nanoseconds, where numpy's binomial takes twenty to a hundred. Source of the table: Marsaglia, Tsang and Wang (2004),
doi:10.18637/jss.v011.i03.
"""

from math import lgamma

import numpy as np
from numpy.typing import NDArray

from ratings.errors import InvalidComparisons

Floats = NDArray[np.float64]
Numbers = NDArray[np.integer]

_BITS = 12
_SLOTS = 2**_BITS
_REMAINDER = -1

_SHARED = 8
"""Categories that must hold equally many things to make a table worth its while."""
_MOST_TABLED = 10_000
"""Things in a category: beyond this the numbers are too many for a table."""
_MOST_LISTED = 2**24
"""Things that are listed, to look up the category of a single one; beyond this it is searched."""
_ENTRIES_AT_ONCE = 2**16
"""Few enough to stay in a processor's cache."""


class Multinomial:
    """Things in categories, to be drawn. Nothing changes after construction: threads may share it."""

    def __init__(self, counts: Floats) -> None:
        """`counts` are things of each category, in an array of any shape; those without any are left out.

        Raises InvalidComparisons unless they are whole.
        """
        broken = counts[counts != np.floor(counts)]
        if broken.size:
            raise InvalidComparisons(
                "count of the cell", broken[0].item(), "whole counts, as only these can be redrawn"
            )
        self.categories: NDArray[np.int64] = np.flatnonzero(counts)
        """Places in the flattened array that are drawn from, shape (n_categories,)."""
        self.counts: Floats = counts.ravel()[self.categories]
        """Things in each of these."""
        self._n = int(self.counts.sum())
        self._ends = np.cumsum(self.counts)
        self._owner = None
        self._is_small = len(self.counts) ** 2 <= 4 * self._n
        """So few categories that the things to add would outnumber them: numpy's own draw is as quick."""
        if self._is_small:
            return
        if self._n <= _MOST_LISTED:
            self._owner = np.repeat(np.arange(len(self.counts), dtype=np.int32), self.counts.astype(np.int64))
        self._is_narrow = self.counts.max() <= _MOST_TABLED
        # One and a half standard deviations below: one sum in 15 is too large.
        thinning = 1 - 1.5 / np.sqrt(self._n)
        self._means = self.counts * thinning
        values, kind, shared = np.unique(self.counts, return_inverse=True, return_counts=True)
        has_table = (shared >= _SHARED) & (values <= _MOST_TABLED)
        self._rare = np.flatnonzero(~has_table[kind])
        self._table = np.maximum(np.cumsum(has_table) - 1, 0)[kind]  # a rare one gets any table, and then its own draw
        self._tables = _PoissonTables(values[has_table] * thinning)

    def draw(self, n_rounds: int, rng: np.random.Generator) -> Numbers:
        """How often each category is drawn, shape (n_categories, n_rounds): in all as many things as there are."""
        if not self._n:
            return np.zeros((0, n_rounds), dtype=np.int64)
        if self._is_small:
            return rng.multinomial(self._n, self.counts / self._n, size=n_rounds).T
        drawn = self._thinned(n_rounds, rng)
        lacking = self._n - drawn.sum(axis=0, dtype=np.int64)
        while (above := np.flatnonzero(lacking < 0)).size:
            drawn[:, above] = self._thinned(len(above), rng)
            lacking[above] = self._n - drawn[:, above].sum(axis=0, dtype=np.int64)
        single = rng.integers(0, self._n, size=lacking.sum())
        category = np.searchsorted(self._ends, single, side="right") if self._owner is None else self._owner[single]
        place = category * np.int64(n_rounds) + np.repeat(np.arange(n_rounds), lacking)
        np.add.at(drawn.reshape(-1), place, drawn.dtype.type(1))
        return drawn

    def _thinned(self, n_rounds: int, rng: np.random.Generator) -> Numbers:
        """Independent Poisson numbers, whose sum is mostly below the number of things."""
        rare = rng.poisson(self._means[self._rare, np.newaxis], (len(self._rare), n_rounds))
        if len(rare) == len(self.counts):
            return rare
        drawn = self._tables.draw(self._table, n_rounds, rng)
        if not self._is_narrow:
            drawn = drawn.astype(np.int64)
        drawn[self._rare] = rare
        return drawn


class _PoissonTables:
    """Poisson distributions, one for each mean, to be drawn from by table."""

    def __init__(self, means: Floats) -> None:
        n_tables = len(means)
        self._slots = np.full((n_tables, _SLOTS), _REMAINDER, dtype=np.int16)
        numbers, chances = [], []
        for table, mean in enumerate(means):
            # Beyond these ends lies less than the rounding error of what is inside.
            number = np.arange(np.floor(max(mean - 10 * np.sqrt(mean), 0)), mean + 12 * np.sqrt(mean) + 20)
            log_factorial = lgamma(number[0] + 1) + np.concatenate(([0.0], np.cumsum(np.log(number[1:]))))
            filled = np.exp(number * np.log(mean) - mean - log_factorial)
            filled *= _SLOTS / filled.sum()
            whole = np.floor(filled)
            copies = np.repeat(number, whole.astype(np.int64))
            self._slots[table, : len(copies)] = copies
            remainder = np.cumsum(filled - whole)
            numbers.append(number.astype(np.int16))
            chances.append(table + remainder / remainder[-1])
        self._slots = self._slots.ravel()
        self._numbers = np.concatenate(numbers) if numbers else np.empty(0, dtype=np.int16)
        """The numbers of all tables, one after another, to choose among where a slot is left over ..."""
        self._chances = np.concatenate(chances) if chances else np.empty(0)
        """... by these cumulative chances, to which the number of the table is added."""
        self._last = np.cumsum([len(number) for number in numbers], dtype=np.int64) - 1

    def draw(self, tables: NDArray[np.int64], n_rounds: int, rng: np.random.Generator) -> Numbers:
        """Of each of these tables n_rounds numbers, shape (len(tables), n_rounds)."""
        drawn = np.empty((len(tables), n_rounds), dtype=np.int16)
        starts = tables[:, np.newaxis] * _SLOTS
        n_rows = max(1, _ENTRIES_AT_ONCE // n_rounds)
        places = np.empty((n_rows, n_rounds), dtype=np.int64)
        for part in (slice(k, k + n_rows) for k in range(0, len(tables), n_rows)):
            size = drawn[part].size
            # Four numbers of 16 bits from one of 64.
            bits = rng.integers(0, 2**64, size=-(-size // 4), dtype=np.uint64).view(np.uint16)[:size]
            bits >>= 16 - _BITS
            place = np.add(starts[part], bits.reshape(-1, n_rounds), out=places[: len(starts[part])])
            np.take(self._slots, place, out=drawn[part], mode="clip")
        left = np.flatnonzero(drawn == _REMAINDER)
        table = tables[left // n_rounds]
        chosen = np.searchsorted(self._chances, table + rng.random(len(left)), side="right")
        drawn.reshape(-1)[left] = self._numbers[np.minimum(chosen, self._last[table])]
        return drawn
