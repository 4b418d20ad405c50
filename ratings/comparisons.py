"""What the methods rate: how often each pair of items met, and how it went."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.checks import refuse_where, whole_numbers
from ratings.errors import InvalidComparisons

Counts = NDArray[np.float64]
Items = NDArray[np.int64]

_PAIR = ("first", "second")
_COUNTS = ("wins_first", "wins_second", "ties", "both_bad")


class Outcome(IntEnum):
    """How one comparison ended. The numbers are codes for arrays: nothing computes with them."""

    A = 0
    """The item on side A won."""
    B = 1
    """The item on side B won."""
    TIE = 2
    """Neither won: half a win for each, or an outcome with a probability of its own."""
    BOTH_BAD = 3
    """Neither was good enough. Only the grounded model knows what to make of it; others want it merged or left out."""


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Comparisons between the items 0 .. n_items - 1, counted in *cells* of comparisons that are alike.

    Plain comparisons have one cell per unordered pair that met. Where comparisons carry a weight or belong to clusters
    (one a voter, say), a cell is a pair with one weight in one cluster; where they carry covariates, every row given
    is a cell. All arrays have n_cells rows and are read-only. `first` and `second` are items with first < second.
    `wins_first`, `wins_second`, `ties` and `both_bad` are float64 counts >= 0, and every cell holds at least one of
    them. Items that never met anybody are allowed; so are no items at all.

    `weights` are > 0 and multiply each comparison of their cell. `clusters` are numbers 0 .. n_clusters - 1. A row of
    `covariates`, shape (n_cells, n_covariates), is what speaks for `first` beside its strength (negative: for
    `second`). Each of the three may be None.

    Without covariates cells are sorted by cluster, pair and weight, each once, so the same comparisons are always the
    same bytes, whatever the order of rows and the sides. Raises InvalidComparisons if the cells are not of that form;
    `from_outcomes` makes them so.
    """

    n_items: int
    first: Items = field(repr=False)
    second: Items = field(repr=False)
    wins_first: Counts = field(repr=False)
    wins_second: Counts = field(repr=False)
    ties: Counts = field(repr=False)
    both_bad: Counts | None = field(default=None, repr=False)
    """None stands for zeros."""
    weights: Counts | None = field(default=None, repr=False)
    clusters: Items | None = field(default=None, repr=False)
    covariates: NDArray[np.float64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.both_bad is None:
            object.__setattr__(self, "both_bad", np.zeros(np.shape(self.first)))
        for name in (*_PAIR, *_COUNTS, "weights", "clusters", "covariates"):
            values = getattr(self, name)
            if values is None:
                continue
            numbered = name in (*_PAIR, "clusters")
            column = whole_numbers(values, name) if numbered else np.array(values, dtype=np.float64)
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        self._check()

    @classmethod
    def from_outcomes(
        cls,
        n_items: int,
        item_a: ArrayLike,
        item_b: ArrayLike,
        outcome: ArrayLike,
        *,
        counts: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        covariates: ArrayLike | None = None,
    ) -> Self:
        """Count comparisons: columns of equal length, one row a comparison or `counts` alike, in any order.

        `item_a` and `item_b` are items, `outcome` holds members (or codes) of `Outcome`. `covariates`, shape
        (n_rows, n_covariates), speak for side A. No rows are fine.

        Raises InvalidComparisons, with the row and the value, for an item outside 0 .. n_items - 1, an item compared
        with itself, an outcome that is none of the four, anything that is not a whole number where one is due, and a
        weight or covariate that is not finite.
        """
        a, b, how = (
            whole_numbers(column, name)
            for name, column in (("item_a", item_a), ("item_b", item_b), ("outcome", outcome))
        )
        if not len(a) == len(b) == len(how):
            raise InvalidComparisons(
                "number of rows", (len(a), len(b), len(how)), "item_a, item_b, outcome of one length"
            )
        if clusters is not None and np.shape(clusters) != (len(a),):
            raise InvalidComparisons("shape of clusters", np.shape(clusters), f"one column, ({len(a)},)")
        if covariates is not None and (np.ndim(covariates) != 2 or len(np.asarray(covariates)) != len(a)):
            raise InvalidComparisons("shape of covariates", np.shape(covariates), f"({len(a)}, n_covariates)")
        items = f"the items 0 to {n_items - 1}"
        _refuse_outside(a, n_items, "item_a", items)
        _refuse_outside(b, n_items, "item_b", items)
        refuse_where(a == b, b, "item_b", "an item other than item_a of the same row")
        known = ", ".join(f"{o.value} ({o.name})" for o in Outcome)
        _refuse_outside(how, len(Outcome), "outcome", known)
        turned = a > b
        won = how ^ (turned & (how < 2))  # who won, as seen from the smaller item: A and B change places
        table = (won == np.array(Outcome)[:, np.newaxis]).astype(np.float64)
        if counts is not None:
            n = _column(counts, "counts", len(a))
            refuse_where(~(np.isfinite(n) & (n > 0)), n, "counts", "finite counts above 0")
            table *= n
        first, second = np.minimum(a, b), np.maximum(a, b)
        return cls._counted(
            n_items,
            first,
            second,
            table,
            weights=None if weights is None else _weights(weights, len(a)),
            clusters=None if clusters is None else _clusters(clusters, len(a)),
            covariates=None if covariates is None else _covariates(covariates, turned),
        )

    def restricted_to(self, items: Iterable[int]) -> Self:
        """The comparisons among `items` only: item k of the result is the k-th of `items`.

        Raises InvalidComparisons if an item is unknown or named twice.
        """
        chosen = whole_numbers(list(items), "items")
        refuse_where((chosen < 0) | (chosen >= self.n_items), chosen, "items", f"the items 0 to {self.n_items - 1}")
        repeated = np.ones(len(chosen), dtype=bool)
        repeated[np.unique(chosen, return_index=True)[1]] = False
        refuse_where(repeated, chosen, "items", "each item once")
        place = np.full(self.n_items, -1)
        place[chosen] = np.arange(len(chosen))
        a, b = place[self.first], place[self.second]
        inside = (a >= 0) & (b >= 0)
        turned = inside & (a > b)
        counts = np.array(self.counts)
        counts[:2, turned] = counts[1::-1, turned]
        covariates = self.covariates
        if covariates is not None:
            covariates = np.where(turned, -1.0, 1.0)[inside, np.newaxis] * covariates[inside]
        return self._counted(
            len(chosen),
            np.minimum(a, b)[inside],
            np.maximum(a, b)[inside],
            counts[:, inside],
            weights=None if self.weights is None else self.weights[inside],
            clusters=None if self.clusters is None else self.clusters[inside],
            covariates=covariates,
        )

    def taking(self, cells: NDArray[np.bool_] | Items) -> Self:
        """Some of the cells, as a mask or as numbers in ascending order of what cells are sorted by."""
        numbers = np.flatnonzero(cells) if cells.dtype == np.bool_ else cells
        columns = {name: getattr(self, name) for name in (*_PAIR, "weights", "clusters")}
        taken = {name: None if column is None else column[numbers] for name, column in columns.items()}
        if self.covariates is not None:
            taken["covariates"] = np.take(self.covariates.T, numbers, axis=1).T
        return self._trusted(self.n_items, np.take(self.counts, numbers, axis=1), **taken)

    def by_pair(self) -> Self:
        """The same comparisons with one cell a pair: without clusters and covariates, counts times their weights."""
        counts = self.counts if self.weights is None else self.counts * self.weights
        return self._counted(self.n_items, self.first, self.second, counts)

    @property
    def n_cells(self) -> int:
        """How many cells there are: pairs that met, where nothing else tells comparisons apart."""
        return len(self.first)

    @cached_property
    def counts(self) -> Counts:
        """The four counts in the order of `Outcome`, seen from `first`; shape (4, n_cells), read-only."""
        counts = np.stack([getattr(self, name) for name in _COUNTS])
        counts.setflags(write=False)
        return counts

    @property
    def cell_counts(self) -> Counts:
        """Comparisons in each cell, shape (n_cells,)."""
        return self.counts.sum(axis=0)

    @property
    def n_clusters(self) -> int:
        """1 + the largest number of a cluster; 0 where there are none."""
        return 0 if self.clusters is None or not self.n_cells else int(self.clusters.max()) + 1

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
        """Entry [i, j] adds up the weighted wins of i over j, a tie as half a win for each, (n_items, n_items)."""
        weights = 1.0 if self.weights is None else self.weights
        won, lost = (self.wins_first + self.ties / 2) * weights, (self.wins_second + self.ties / 2) * weights
        n, size = self.n_items, self.n_items**2
        wins = np.bincount(self.first * n + self.second, weights=won, minlength=size)
        wins = wins + np.bincount(self.second * n + self.first, weights=lost, minlength=size)
        return wins.reshape(n, n).astype(np.float64)

    @classmethod
    def _counted(
        cls,
        n_items: int,
        first: Items,
        second: Items,
        counts: NDArray,
        *,
        weights: NDArray | None = None,
        clusters: NDArray | None = None,
        covariates: NDArray | None = None,
    ) -> Self:
        """Add up rows that are alike, shape of counts (4, n_rows), first < second; with covariates each row stays."""
        if covariates is not None:
            optional = {"weights": weights, "clusters": clusters, "covariates": covariates}
            return cls._trusted(n_items, counts, first=first, second=second, **optional)
        key = first * n_items + second
        if clusters is not None:
            key = key + clusters * n_items**2
        kinds = np.unique(weights, return_inverse=True) if weights is not None else None
        if kinds is not None:
            key = key * len(kinds[0]) + kinds[1]
        key, cell = np.unique(key, return_inverse=True)
        totals = [np.bincount(cell, weights=column, minlength=len(key)).astype(np.float64) for column in counts]
        if kinds is not None:
            key, weights = key // max(len(kinds[0]), 1), kinds[0][key % max(len(kinds[0]), 1)]
        if clusters is not None:
            clusters, key = key // max(n_items, 1) ** 2, key % max(n_items, 1) ** 2
        return cls(n_items, key // max(n_items, 1), key % max(n_items, 1), *totals, weights=weights, clusters=clusters)

    @classmethod
    def _trusted(cls, n_items: int, counts: Counts, **columns: NDArray | None) -> Self:
        """From columns that have been checked, which takes as long as all else for a million rows."""
        made = object.__new__(cls)
        object.__setattr__(made, "n_items", n_items)
        counts.setflags(write=False)
        made.__dict__["counts"] = counts
        for name, column in (columns | dict(zip(_COUNTS, counts, strict=True))).items():
            if column is not None:
                column.setflags(write=False)
            object.__setattr__(made, name, column)
        return made

    def _check(self) -> None:
        if self.n_items < 0:
            raise InvalidComparisons("n_items", self.n_items, "0 or more")
        optional = [name for name in ("weights", "clusters") if getattr(self, name) is not None]
        shapes = {name: getattr(self, name).shape for name in (*_PAIR, *_COUNTS, *optional)}
        if len(set(shapes.values())) > 1:
            raise InvalidComparisons("shapes", shapes, "one shape, (n_cells,)")
        if self.covariates is not None and (self.covariates.ndim, len(self.covariates)) != (2, self.n_cells):
            raise InvalidComparisons("shape of covariates", self.covariates.shape, f"({self.n_cells}, n_covariates)")
        refuse_where((self.first < 0) | (self.first >= self.second), self.first, "first", "0 <= first < second")
        refuse_where(self.second >= self.n_items, self.second, "second", f"the items 0 to {self.n_items - 1}")
        for name in _COUNTS:
            counts = getattr(self, name)
            refuse_where(~(np.isfinite(counts) & (counts >= 0)), counts, name, "finite counts, 0 or more")
        refuse_where(self.cell_counts == 0, self.cell_counts, "count of the cell", "more than 0")
        if self.weights is not None:
            refuse_where(~(np.isfinite(self.weights) & (self.weights > 0)), self.weights, "weights", "finite, above 0")
        if self.clusters is not None:
            refuse_where(self.clusters < 0, self.clusters, "clusters", "numbers from 0")
        if self.covariates is not None:
            wrong = ~np.isfinite(self.covariates)
            refuse_where(np.asarray(wrong.any(axis=1)), self.covariates.sum(axis=1), "covariates", "finite numbers")
            return
        order = [self.first * self.n_items + self.second]
        order += [] if self.clusters is None else [self.clusters]
        keys = np.stack(order if self.weights is None else [self.weights, *order])
        ordered = np.zeros(max(self.n_cells - 1, 0), dtype=bool)
        for key in keys:  # from the least to the most important one
            ordered = (key[1:] > key[:-1]) | ((key[1:] == key[:-1]) & ordered)
        place = "cells sorted by cluster, pair and weight, each once"
        refuse_where(np.append(False, ~ordered) if self.n_cells else ~ordered, self.first, "first", place)


def _weights(values: ArrayLike, n_rows: int) -> Counts:
    weights = _column(values, "weights", n_rows).copy()
    refuse_where(~(np.isfinite(weights) & (weights > 0)), weights, "weights", "finite, above 0")
    return weights


def _clusters(values: ArrayLike, n_rows: int) -> Items:
    clusters = whole_numbers(values, "clusters")
    if len(clusters) != n_rows:
        raise InvalidComparisons("shape of clusters", clusters.shape, f"one column, ({n_rows},)")
    refuse_where(clusters < 0, clusters, "clusters", "numbers from 0")
    return clusters


def _covariates(values: ArrayLike, turned: NDArray[np.bool_]) -> NDArray[np.float64]:
    """As they speak for the first item of each row."""
    covariates = np.asarray(values, dtype=np.float64)
    if covariates.ndim != 2 or len(covariates) != len(turned):
        raise InvalidComparisons("shape of covariates", covariates.shape, f"({len(turned)}, n_covariates)")
    if not np.isfinite(covariates.sum()):
        wrong = np.asarray(~np.isfinite(covariates).all(axis=1))
        refuse_where(wrong, covariates.sum(axis=1), "covariates", "finite numbers")
    # Each covariate in one stretch of memory, as all sums go along it.
    return np.multiply(covariates.T, 1.0 - 2.0 * turned, order="C").T


def _column(values: ArrayLike, name: str, n_rows: int) -> Counts:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (n_rows,):
        raise InvalidComparisons(f"shape of {name}", column.shape, f"one column, ({n_rows},)")
    return column


def _refuse_outside(column: Items, n: int, name: str, accepted: str) -> None:
    """Raise for the first row that is not among the numbers 0 to n - 1."""
    if len(column) and (column.min() < 0 or column.max() >= n):
        refuse_where((column < 0) | (column >= n), column, name, accepted)
