"""What the methods rate: how often each pair of items met, and how it went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.errors import InvalidComparisons

Counts = NDArray[np.float64]
Items = NDArray[np.int64]

_PAIR = ("first", "second")
_COUNTS = ("wins_first", "wins_second", "ties")


class Outcome(IntEnum):
    """How one comparison ended. The numbers are codes for arrays: nothing computes with them."""

    A = 0
    """The item on side A won."""
    B = 1
    """The item on side B won."""
    TIE = 2
    """Neither won: half a win for each."""


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Comparisons between the items 0 .. n_items - 1, counted per unordered pair that met: a *cell*.

    All arrays have shape (n_cells,) and are read-only copies. `first` and `second` are items with first < second,
    cells are in lexicographic order without repetition, so the same comparisons are always the same bytes, whatever
    the order of rows and the sides. `wins_first`, `wins_second` and `ties` are float64 counts >= 0, and every cell
    holds at least one of them. Items that never met anybody are allowed; so are no items at all.

    Raises InvalidComparisons if the cells are not of that form; `from_outcomes` makes them so.
    """

    n_items: int
    first: Items = field(repr=False)
    second: Items = field(repr=False)
    wins_first: Counts = field(repr=False)
    wins_second: Counts = field(repr=False)
    ties: Counts = field(repr=False)

    def __post_init__(self) -> None:
        for name in (*_PAIR, *_COUNTS):
            values = getattr(self, name)
            column = _whole_numbers(values, name) if name in _PAIR else np.array(values, dtype=np.float64)
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        self._check()

    @classmethod
    def from_outcomes(cls, n_items: int, item_a: ArrayLike, item_b: ArrayLike, outcome: ArrayLike) -> Self:
        """Count single comparisons: three columns of equal length, one row a comparison, in any order.

        `item_a` and `item_b` are items, `outcome` holds members (or codes) of `Outcome`. No rows are fine.

        Raises InvalidComparisons, with the row and the value, for an item outside 0 .. n_items - 1, an item compared
        with itself, an outcome that is none of the three, and anything that is not a whole number.
        """
        a, b, how = (
            _whole_numbers(column, name)
            for name, column in (("item_a", item_a), ("item_b", item_b), ("outcome", outcome))
        )
        if not len(a) == len(b) == len(how):
            raise InvalidComparisons(
                "number of rows", (len(a), len(b), len(how)), "item_a, item_b, outcome of one length"
            )
        items = f"the items 0 to {n_items - 1}"
        _refuse_where((a < 0) | (a >= n_items), a, "item_a", items)
        _refuse_where((b < 0) | (b >= n_items), b, "item_b", items)
        _refuse_where(a == b, b, "item_b", "an item other than item_a of the same row")
        _refuse_where(~np.isin(how, list(Outcome)), how, "outcome", ", ".join(f"{o.value} ({o.name})" for o in Outcome))
        return cls._counted(n_items, a, b, wins_a=how == Outcome.A, wins_b=how == Outcome.B, ties=how == Outcome.TIE)

    def restricted_to(self, items: Iterable[int]) -> Self:
        """The comparisons among `items` only: item k of the result is the k-th of `items`.

        Raises InvalidComparisons if an item is unknown or named twice.
        """
        chosen = _whole_numbers(list(items), "items")
        _refuse_where((chosen < 0) | (chosen >= self.n_items), chosen, "items", f"the items 0 to {self.n_items - 1}")
        repeated = np.ones(len(chosen), dtype=bool)
        repeated[np.unique(chosen, return_index=True)[1]] = False
        _refuse_where(repeated, chosen, "items", "each item once")
        place = np.full(self.n_items, -1)
        place[chosen] = np.arange(len(chosen))
        a, b = place[self.first], place[self.second]
        inside = (a >= 0) & (b >= 0)
        return self._counted(
            len(chosen),
            a[inside],
            b[inside],
            wins_a=self.wins_first[inside],
            wins_b=self.wins_second[inside],
            ties=self.ties[inside],
        )

    @property
    def n_cells(self) -> int:
        """How many pairs met."""
        return len(self.first)

    @property
    def cell_counts(self) -> Counts:
        """Comparisons in each cell, shape (n_cells,)."""
        return self.wins_first + self.wins_second + self.ties

    @property
    def n_comparisons(self) -> float:
        """All comparisons: the sum of the counts, hence a float."""
        return float(self.cell_counts.sum())

    @property
    def games(self) -> Counts:
        """Comparisons in which each item took part, shape (n_items,); 0 for one that never met anybody."""
        both_sides = np.concatenate((self.first, self.second))
        games = np.bincount(both_sides, weights=np.tile(self.cell_counts, 2), minlength=self.n_items)
        return games.astype(np.float64)  # without cells numpy would count in integers

    def wins_matrix(self) -> Counts:
        """Entry [i, j] counts the wins of i over j, a tie as half a win for each; shape (n_items, n_items)."""
        wins = np.zeros((self.n_items, self.n_items))
        wins[self.first, self.second] = self.wins_first + self.ties / 2
        wins[self.second, self.first] = self.wins_second + self.ties / 2
        return wins

    @classmethod
    def _counted(cls, n_items: int, a: Items, b: Items, *, wins_a: NDArray, wins_b: NDArray, ties: NDArray) -> Self:
        """Add up rows of counts per unordered pair, turning each row so that the smaller item comes first."""
        turned = a > b
        pair, cell = np.unique(np.where(turned, b * n_items + a, a * n_items + b), return_inverse=True)

        def total(counts: NDArray) -> NDArray:
            return np.bincount(cell, weights=counts, minlength=len(pair))

        return cls(
            n_items,
            first=pair // max(n_items, 1),
            second=pair % max(n_items, 1),
            wins_first=total(np.where(turned, wins_b, wins_a)),
            wins_second=total(np.where(turned, wins_a, wins_b)),
            ties=total(ties),
        )

    def _check(self) -> None:
        if self.n_items < 0:
            raise InvalidComparisons("n_items", self.n_items, "0 or more")
        shapes = {name: getattr(self, name).shape for name in (*_PAIR, *_COUNTS)}
        if len(set(shapes.values())) > 1:
            raise InvalidComparisons("shapes", shapes, "one shape, (n_cells,)")
        _refuse_where((self.first < 0) | (self.first >= self.second), self.first, "first", "0 <= first < second")
        _refuse_where(self.second >= self.n_items, self.second, "second", f"the items 0 to {self.n_items - 1}")
        for name in _COUNTS:
            counts = getattr(self, name)
            _refuse_where(~(np.isfinite(counts) & (counts >= 0)), counts, name, "finite counts, 0 or more")
        _refuse_where(self.cell_counts == 0, self.cell_counts, "count of the cell", "more than 0")
        pair = self.first * self.n_items + self.second
        _refuse_where(np.diff(pair, prepend=-1) <= 0, self.first, "first", "cells sorted by (first, second), each once")


def _whole_numbers(column: ArrayLike, name: str) -> Items:
    """The column as int64; refuses True, 1.0, "1" and None, which numpy would turn into numbers without a word."""
    array = np.asarray(column)
    if array.ndim != 1:
        raise InvalidComparisons(f"shape of {name}", array.shape, "one column, (n_rows,)")
    if array.dtype.kind not in "iu":
        values: Sequence[object] = column if isinstance(column, list | tuple) else array.tolist()
        for row, value in enumerate(values):
            if not isinstance(value, Integral) or isinstance(value, bool):
                raise InvalidComparisons(name, value, "whole numbers", row=row)
    return array.astype(np.int64)


def _refuse_where(wrong: NDArray[np.bool_], column: NDArray, name: str, accepted: str) -> None:
    """Raise for the first row that is wrong, naming its value."""
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidComparisons(name, column[row].item(), accepted, row=row)
