"""How far raters agree who put items into categories: what of it is chance is taken out in several ways.

Items come as *kinds*: a table of counts of shape (n_kinds, n_categories), how many raters put such an item into each
category, and how many items there are of each kind. Raters have no names here, may be any number and may differ from
item to item; a rater judges an item once. Every measure is a function of sums over items, so a bootstrap that draws
items again draws how often each kind comes up, and a million judgements cost as much as their few kinds.

Where a measure says nothing there is an `Absent` with the reason, never a NaN, and never a 1 because nobody could have
disagreed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ratings.errors import InvalidComparisons, InvalidSetting
from ratings.interval import Absent, Interval, check_confidence, percentile_intervals

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FEWEST_ITEMS = 10
"""With fewer items that several raters judged, drawing them again tells more of these few than of raters."""

NO_OVERLAP = "no item was judged by two raters"
ONE_CATEGORY = "all judgements name one category, so that nobody could have disagreed"

_CELLS_AT_ONCE = 4_000_000
_NO_DENOMINATOR = 1e-12


@dataclass(frozen=True, eq=False, slots=True)
class Kinds:
    """Items that were judged alike, taken together: `table` has a kind a row, `times` how many items are of it."""

    table: Ints
    times: Ints

    @classmethod
    def of(cls, table: NDArray[np.integer]) -> "Kinds":
        """From a table with an item a row: its counts by category. An item that nobody judged is none.

        Raises InvalidComparisons for a count below 0.
        """
        table = np.ascontiguousarray(table, dtype=np.int64)
        if table.size and table.min() < 0:
            raise InvalidComparisons("count", int(table.min()), "0 or more")
        flat = table.reshape(len(table), int(np.prod(table.shape[1:])))
        flat = flat[flat.any(axis=1)]
        largest = flat.max(axis=0, initial=0).astype(object) + 1
        if np.prod(largest) < 2**62:  # a number a row: sorting these is many times faster than sorting rows
            place = np.concatenate(([1], np.cumprod(largest[:0:-1])))[::-1].astype(np.int64)
            _, first, times = np.unique(flat @ place, return_index=True, return_counts=True)
            kinds = flat[first]
        else:
            kinds, times = np.unique(flat, axis=0, return_counts=True)
        return cls(kinds.reshape(len(kinds), *table.shape[1:]), times.astype(np.int64))

    @classmethod
    def of_judgements(cls, item: Ints, category: Ints, *, n_items: int, n_categories: int) -> "Kinds":
        """From one row a judgement: which item, and the category that a rater put it into, both numbers from 0."""
        counts = np.bincount(item * n_categories + category, minlength=n_items * n_categories)
        return cls.of(counts.reshape(n_items, n_categories))

    @property
    def per_item(self) -> Ints:
        """How many judgements an item of each kind has."""
        return self.table.sum(axis=tuple(range(1, self.table.ndim)))

    @property
    def n_items(self) -> int:
        """Items that two raters or more judged."""
        return int(self.times[self.per_item > 1].sum())

    @property
    def n_pairs(self) -> int:
        """Pairs of judgements on one item, by two raters."""
        n = self.per_item
        return int((n * (n - 1) // 2 * self.times).sum())

    @property
    def n_crossed(self) -> int:
        """Items with any pair of judgements, where `table` says of each how often what one said met what others did."""
        return int(self.times[self.per_item > 0].sum())

    @property
    def judgements(self) -> Ints:
        """How many judgements each category has, on items that two raters or more judged."""
        told = self.per_item > 1
        return (self.table[told] * self.times[told, None]).sum(axis=0)

    @property
    def apart(self) -> "Kinds":
        """Of items with parts, shape (n_kinds, n_parts, n_categories): each part as an item by itself."""
        n_kinds, n_parts, n_categories = self.table.shape
        return Kinds(self.table.reshape(n_kinds * n_parts, n_categories), np.repeat(self.times, n_parts))

    def keeping(self, categories: slice) -> "Kinds":
        """Without the judgements of other categories."""
        return Kinds(self.table[:, categories], self.times)


class Measure(Protocol):
    """A number made of sums over items."""

    def features(self, table: Ints) -> Floats:
        """What is summed: of each kind of item a row, shape (n_kinds, n_features)."""
        ...

    def value(self, sums: Floats) -> Floats:
        """The measure, from sums of shape (..., n_features), shape (...); NaN where it is not defined."""
        ...

    def lacking(self, kinds: Kinds) -> str | None:
        """Why the measure cannot be had of these items, where that is so."""
        ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure, and where it would lie for other items of their sort."""

    value: float | Absent
    interval: Interval | Absent


def estimates(
    measures: Mapping[str, Measure],
    kinds: Kinds,
    *,
    n_items: int,
    confidence: float = 0.95,
    rounds: int = 1000,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """Each measure with the percentiles of `rounds` resamples of items, the same resamples for all of them.

    `n_items` is how many of the items say anything: with fewer than FEWEST_ITEMS there is no interval, nor where more
    than a twentieth of the resamples leave the measure undefined, or where they do not differ. Raters are not drawn
    again: the interval is about other items judged by such raters as these.

    Raises InvalidSetting for a confidence outside (0, 1). Method: Efron (1979), doi:10.1214/aos/1176344552.
    """
    check_confidence(confidence)
    lacking = {name: measure.lacking(kinds) for name, measure in measures.items()}
    found = {name: Estimate(Absent(why), Absent(why)) for name, why in lacking.items() if why is not None}
    told = {name: measure for name, measure in measures.items() if lacking[name] is None}
    if not told:
        return {name: found[name] for name in measures}
    features = [measure.features(kinds.table) for measure in told.values()]
    ends = np.cumsum([each.shape[1] for each in features])[:-1]
    joined = np.hstack(features)

    def values(times: NDArray[np.integer]) -> Floats:
        sums = np.split(times @ joined, ends, axis=-1)
        return np.stack([each.value(part) for each, part in zip(told.values(), sums, strict=True)], axis=-1)

    point = values(kinds.times)
    intervals: list[Interval | Absent]
    if n_items < FEWEST_ITEMS:
        there = "there is 1" if n_items == 1 else f"there are {n_items}"
        few = Absent(f"{FEWEST_ITEMS} items judged by several are the fewest for an interval, and {there}")
        intervals = [few] * len(told)
    else:
        drawn = np.vstack([values(times) for times in _resamples(kinds.times, rounds, rng)])
        intervals = percentile_intervals(drawn, confidence=confidence)
    for name, value, interval in zip(told, point.tolist(), intervals, strict=True):
        found[name] = Estimate(value, interval)
    return {name: found[name] for name in measures}


def measured(measure: Measure, kinds: Kinds) -> float | Absent:
    """The measure alone, without an interval."""
    lacking = measure.lacking(kinds)
    return float(measure.value(kinds.times @ measure.features(kinds.table))) if lacking is None else Absent(lacking)


def _resamples(times: Ints, rounds: int, rng: np.random.Generator) -> list[Ints]:
    """How often each kind comes up in each resample of items, in pieces of bounded size."""
    n, at_once = int(times.sum()), max(1, _CELLS_AT_ONCE // len(times))
    sizes = [min(at_once, rounds - start) for start in range(0, rounds, at_once)]
    return [rng.multinomial(n, times / n, size=size) for size in sizes]


def divided(above: Floats, below: Floats) -> Floats:
    """The quotient, NaN where there is nothing below."""
    is_told = np.abs(below) > _NO_DENOMINATOR
    return np.where(is_told, above / np.where(is_told, below, 1.0), np.nan)


def _agreeing(table: Ints) -> tuple[Floats, Floats]:
    """Of each kind: the pairs of judgements that agree, and all pairs."""
    n = table.sum(axis=1)
    return (table * (table - 1)).sum(axis=1) / 2, n * (n - 1) / 2


def _raw(table: Ints) -> Floats:
    """Of each kind: the share of pairs of judgements that agree, and 1 where there is a pair; else twice 0."""
    agreeing, pairs = _agreeing(table)
    return np.column_stack((agreeing / np.maximum(pairs, 1), np.minimum(pairs, 1)))


def _no_overlap(kinds: Kinds) -> str | None:
    return None if kinds.n_items else NO_OVERLAP


def _no_chance(kinds: Kinds) -> str | None:
    return _no_overlap(kinds) or (ONE_CATEGORY if np.count_nonzero(kinds.judgements) < 2 else None)


@dataclass(frozen=True, slots=True)
class RawAgreement:
    """The mean over items of the share of pairs of judgements that agree; every item weighs the same."""

    def features(self, table: Ints) -> Floats:
        """Share and presence."""
        return _raw(table)

    def value(self, sums: Floats) -> Floats:
        """From 0 to 1."""
        return divided(sums[..., 0], sums[..., 1])

    def lacking(self, kinds: Kinds) -> str | None:
        """Items without two judgements."""
        return _no_overlap(kinds)


@dataclass(frozen=True, slots=True)
class PooledAgreement:
    """The share of all pairs of judgements that agree; an item that many judged weighs more.

    So FastChat's compute_agreement counts (Zheng et al. 2023, arXiv:2306.05685).
    """

    def features(self, table: Ints) -> Floats:
        """Agreeing pairs and all pairs."""
        return np.column_stack(_agreeing(table))

    def value(self, sums: Floats) -> Floats:
        """From 0 to 1."""
        return divided(sums[..., 0], sums[..., 1])

    def lacking(self, kinds: Kinds) -> str | None:
        """Items without two judgements."""
        return _no_overlap(kinds)


@dataclass(frozen=True, slots=True)
class FleissKappa:
    """(P - Pe) / (1 - Pe): P the mean raw agreement, Pe the sum of squared shares of the categories.

    Every item needs the same number of judgements; items with fewer than two are not looked at. With `is_free` chance
    is one in n_categories instead, as for raters whom nothing holds to given shares (Randolph 2005).
    Source: Fleiss (1971), doi:10.1037/h0031619.
    """

    is_free: bool = False

    def features(self, table: Ints) -> Floats:
        """Share of agreeing pairs, presence, and the counts."""
        return np.hstack((_raw(table), table * (table.sum(axis=1) > 1)[:, None]))

    def value(self, sums: Floats) -> Floats:
        """At most 1; 0 as by chance."""
        counts = sums[..., 2:]
        chance = (divided(counts, counts.sum(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
        if self.is_free:
            chance = np.full_like(chance, 1 / counts.shape[-1])
        return divided(divided(sums[..., 0], sums[..., 1]) - chance, 1 - chance)

    def lacking(self, kinds: Kinds) -> str | None:
        """Unequal numbers of judgements, or nothing to compare."""
        n = kinds.per_item[(kinds.per_item > 1) & (kinds.times > 0)]
        if len(n) and n.min() != n.max():
            return f"items have {n.min()} to {n.max()} judgements, and this measure needs the same number on each"
        return _no_overlap(kinds) if self.is_free and kinds.table.shape[1] > 1 else _no_chance(kinds)


@dataclass(frozen=True, slots=True)
class GwetAC1:
    """(P - Pe) / (1 - Pe): P the mean raw agreement, Pe the sum of s (1 - s) by n_categories - 1.

    s is the mean over items, those with one judgement among them, of the share that a category has of an item. It stays
    near P where one category is much more frequent than the others, where kappa falls. n_categories are those that were
    used, unless more are said to have been on offer. Source: Gwet (2008), doi:10.1348/000711006X126600.
    """

    n_categories: int | None = None

    def features(self, table: Ints) -> Floats:
        """Share of agreeing pairs, presence of these, and the shares of the categories."""
        return np.hstack((_raw(table), table / np.maximum(table.sum(axis=1), 1)[:, None]))

    def value(self, sums: Floats) -> Floats:
        """At most 1; 0 as by chance."""
        shares = divided(sums[..., 2:], sums[..., 2:].sum(axis=-1, keepdims=True))
        n = self.n_categories or np.count_nonzero(sums[..., 2:] > 0, axis=-1)
        chance = divided((shares * (1 - shares)).sum(axis=-1), np.asarray(n - 1.0))
        return divided(divided(sums[..., 0], sums[..., 1]) - chance, 1 - chance)

    def lacking(self, kinds: Kinds) -> str | None:
        """Fewer than two categories, or nothing to compare."""
        return _no_overlap(kinds) if (self.n_categories or 0) > 1 else _no_chance(kinds)


@dataclass(frozen=True, slots=True)
class OfParts:
    """A measure of things that come several to an item, each judged apart: a table of shape (n_kinds, n_parts,
    n_categories). Every part counts as an item does by itself; but items are drawn again whole."""

    measure: Measure

    def features(self, table: Ints) -> Floats:
        """Those of the parts, summed over each item."""
        n_kinds, n_parts, n_categories = table.shape
        apart = self.measure.features(table.reshape(n_kinds * n_parts, n_categories))
        return apart.reshape(n_kinds, n_parts, apart.shape[1]).sum(axis=1)

    def value(self, sums: Floats) -> Floats:
        """As of the measure."""
        return self.measure.value(sums)

    def lacking(self, kinds: Kinds) -> str | None:
        """As of the measure."""
        return self.measure.lacking(kinds.apart)


class Level(StrEnum):
    """What the numbers of categories mean: names, an order, distances, or ratios from a zero."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class KrippendorffAlpha:
    """1 - Do / De: the disagreement observed within items by that expected between any two judgements.

    Any number of judgements an item may have; items with one are left out. `codes` are the categories' numbers, in
    ascending order, for levels above NOMINAL; without them these are 1, 2, 3, ...
    Source: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability"; (2004) Content Analysis, chapter 11.

    Raises InvalidSetting for codes that do not ascend.
    """

    level: Level = Level.NOMINAL
    codes: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.codes is not None and any(a >= b for a, b in zip(self.codes, self.codes[1:], strict=False)):
            raise InvalidSetting("codes", self.codes, "numbers that ascend, one a category")

    def features(self, table: Ints) -> Floats:
        """The coincidences of every two categories within an item, in rows."""
        n_kinds, n = table.shape
        m = table.sum(axis=1)
        pairs = table[:, :, None] * table[:, None, :] - table[:, :, None] * np.eye(n, dtype=np.int64)
        return (pairs / np.maximum(m - 1, 1)[:, None, None] * (m > 1)[:, None, None]).reshape(n_kinds, n * n)

    def value(self, sums: Floats) -> Floats:
        """At most 1; 0 as by chance."""
        n_categories = round(sums.shape[-1] ** 0.5)
        coincidences = sums.reshape(*sums.shape[:-1], n_categories, n_categories)
        counts = coincidences.sum(axis=-1)
        distance = self._distance(counts)
        observed = (coincidences * distance).sum(axis=(-2, -1))
        expected = (counts[..., :, None] * counts[..., None, :] * distance).sum(axis=(-2, -1))
        return 1 - (counts.sum(axis=-1) - 1) * divided(observed, expected)

    def lacking(self, kinds: Kinds) -> str | None:
        """One category, or nothing to compare."""
        return _no_chance(kinds)

    def _distance(self, counts: Floats) -> Floats:
        """Squared, between every two categories; of ordinal ones it depends on how many judgements lie between."""
        n = counts.shape[-1]
        if self.level is Level.NOMINAL:
            return 1 - np.eye(n)
        if self.level is Level.ORDINAL:
            middle = counts.cumsum(axis=-1) - counts / 2
            return (middle[..., :, None] - middle[..., None, :]) ** 2
        codes = np.arange(1.0, n + 1) if self.codes is None else np.array(self.codes)
        difference = codes[:, None] - codes[None, :]
        if self.level is Level.INTERVAL:
            return difference**2
        return np.nan_to_num(divided(difference, codes[:, None] + codes[None, :])) ** 2
