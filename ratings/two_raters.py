"""How far two raters agree, or one rater with several others, from tables of who said what."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ratings.agreement import NO_OVERLAP, ONE_CATEGORY, Floats, Ints, Kinds, divided
from ratings.errors import InvalidSetting


def crossed(own: Ints, others: Ints) -> Ints:
    """Of each item a table: how often one rater's category (a number from 0) met each category of the others' counts.

    `own` has shape (n_items,), `others` (n_items, n_categories), what comes back (n_items, n_categories, n_categories).
    """
    n_items, n_categories = others.shape
    table = np.zeros((n_items, n_categories, n_categories), dtype=np.int64)
    table[np.arange(n_items), own] = others
    return table


def of_table(table: NDArray[np.integer]) -> Kinds:
    """The items behind one table of two raters: rows are what the one said, columns what the other did."""
    n = table.size
    kinds = np.eye(n, dtype=np.int64).reshape(n, *table.shape)
    return Kinds(kinds, np.asarray(table, dtype=np.int64).reshape(-1))


def of_two(first: Ints, second: Ints, *, n_categories: int) -> Kinds:
    """The items that two raters put into categories, a number from 0 an item and rater."""
    flat = np.bincount(first * n_categories + second, minlength=n_categories**2)
    return of_table(flat.reshape(n_categories, n_categories))


@dataclass(frozen=True, slots=True)
class SameShare:
    """The share of pairs of judgements, one of each side, that name the same category."""

    def features(self, table: Ints) -> Floats:
        """Pairs that agree, and all pairs."""
        return np.column_stack((np.trace(table, axis1=1, axis2=2), table.sum(axis=(1, 2)))).astype(np.float64)

    def value(self, sums: Floats) -> Floats:
        """From 0 to 1."""
        return divided(sums[..., 0], sums[..., 1])

    def lacking(self, kinds: Kinds) -> str | None:
        """Items without a pair."""
        return None if kinds.n_crossed else NO_OVERLAP


class Weights(StrEnum):
    """How much a disagreement counts: all the same, by the distance of the categories, or by its square."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


@dataclass(frozen=True, slots=True)
class CohenKappa:
    """1 - (weighted disagreement observed) / (that expected of two raters who keep their shares and toss coins).

    Without weights it is (po - pe) / (1 - pe). `costs` are own weights, row by row, 0 on the diagonal. Of one rater
    against several others every pair of judgements counts once.
    Sources: Cohen (1960), doi:10.1177/001316446002000104; (1968), doi:10.1037/h0026256.

    Raises InvalidSetting for costs below 0, or other than 0 where both say the same.
    """

    weights: Weights = Weights.NONE
    costs: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        for row, costs in enumerate(self.costs or ()):
            if costs[row] != 0 or min(costs) < 0:
                raise InvalidSetting("costs", costs, "0 where both say the same, and nowhere below 0")

    def features(self, table: Ints) -> Floats:
        """The table itself, in rows."""
        return table.reshape(len(table), -1).astype(np.float64)

    def value(self, sums: Floats) -> Floats:
        """At most 1; 0 as by chance."""
        n = round(sums.shape[-1] ** 0.5)
        table = sums.reshape(*sums.shape[:-1], n, n)
        cost = self._cost(n)
        expected = table.sum(axis=-1)[..., :, None] * table.sum(axis=-2)[..., None, :]
        total = table.sum(axis=(-2, -1))
        return 1 - divided((table * cost).sum(axis=(-2, -1)) * total, (expected * cost).sum(axis=(-2, -1)))

    def lacking(self, kinds: Kinds) -> str | None:
        """No pair, or one category alone on both sides."""
        if not kinds.n_crossed:
            return NO_OVERLAP
        table = np.tensordot(kinds.times, kinds.table, 1)
        return ONE_CATEGORY if np.count_nonzero(table.sum(axis=0) + table.sum(axis=1)) < 2 else None

    def _cost(self, n: int) -> Floats:
        if self.costs is not None:
            return np.array(self.costs)
        apart = np.abs(np.arange(n)[:, None] - np.arange(n)[None, :]).astype(np.float64)
        return {Weights.NONE: (apart > 0) * 1.0, Weights.LINEAR: apart, Weights.QUADRATIC: apart**2}[self.weights]
