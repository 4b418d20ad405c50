"""Votes as columns of numbers: counted, or one by one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from arena.battle import ModelId, Verdict
from arena.tally import Tally, Unit


@dataclass(frozen=True, eq=False, slots=True)
class Counted:
    """Votes counted by models and verdict: columns of equal length. Models are places in `models`, which is sorted,
    verdicts places in `Verdict`; `left_out` counts the votes that are not in the columns, by reason."""

    models: tuple[ModelId, ...]
    model_a: NDArray[np.int64]
    model_b: NDArray[np.int64]
    verdict: NDArray[np.int64]
    n: NDArray[np.int64]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, tallies: Iterable[Tally]) -> Self:
        """The same votes as columns."""
        kept, left_out = [], Counter[str]()
        for tally in tallies:
            if tally.left_out is None:
                kept.append(tally)
            else:
                left_out[tally.left_out] += tally.n
        models = sorted({model for tally in kept for model in (tally.model_a, tally.model_b)})
        item, code = {model: i for i, model in enumerate(models)}, {verdict: i for i, verdict in enumerate(Verdict)}
        columns = (
            np.array([item[tally.model_a] for tally in kept], dtype=np.int64),
            np.array([item[tally.model_b] for tally in kept], dtype=np.int64),
            np.array([code[tally.verdict] for tally in kept], dtype=np.int64),
            np.array([tally.n for tally in kept], dtype=np.int64),
        )
        return cls(tuple(models), *columns, left_out=dict(left_out))

    def taking(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Some of the rows, or all in another order; `left_out` stays."""
        columns = (column[rows] for column in (self.model_a, self.model_b, self.verdict, self.n))
        return type(self)(self.models, *columns, left_out=self.left_out)

    def games(self) -> NDArray[np.int64]:
        """Votes on each model, shape (n_models,)."""
        both = np.concatenate((self.model_a, self.model_b))
        return np.bincount(both, np.tile(self.n, 2), len(self.models)).astype(np.int64)

    def tallies(self) -> list[Tally]:
        """The rows as records, best for few of them."""
        verdicts = list(Verdict)
        rows = zip(*(column.tolist() for column in (self.model_a, self.model_b, self.verdict, self.n)), strict=True)
        return [Tally(self.models[a], self.models[b], verdicts[verdict], n) for a, b, verdict, n in rows]


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Votes one by one, as columns of equal length. Models are numbers as asked for, verdicts places in `Verdict`."""

    model_a: NDArray[np.int64]
    model_b: NDArray[np.int64]
    verdict: NDArray[np.int64]
    unit: NDArray[np.int64] | None = None
    """Numbers from 0; what is not known is a unit of its own."""
    unit_keys: NDArray[np.uint64] | None = None
    """The key of each unit that is known, in the order of its number; `VoteRows.labels` says whose it is."""
    moment: NDArray[np.int64] | None = None
    """When each was cast, in microseconds, where the order was asked for."""
    weight: NDArray[np.float64] | None = None
    """What each says of itself that it weighs, above 0, where that was asked for."""
    style: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """(a - b) / (a + b) of each feature of the two answers, 0 where both are 0."""

    def __len__(self) -> int:
        return len(self.model_a)

    def taking(self, rows: NDArray[np.int64] | slice) -> "Rows":
        """The rows in another order, or some of them."""
        return replace(
            self,
            model_a=self.model_a[rows],
            model_b=self.model_b[rows],
            verdict=self.verdict[rows],
            unit=None if self.unit is None else self.unit[rows],
            moment=None if self.moment is None else self.moment[rows],
            weight=None if self.weight is None else self.weight[rows],
            style={name: values[rows] for name, values in self.style.items()},
        )

    def by_unit(self) -> "Rows":
        """Those of one unit together; as they are if no units are known."""
        return self if self.unit is None else self.taking(np.argsort(self.unit, kind="stable"))

    def cut(self, n_rows: int) -> Iterator["Rows"]:
        """In parts of about so many, cut between units, which must be in order. Parts are views, and take no memory."""
        start = 0
        while start < len(self):
            end = min(start + n_rows, len(self))
            if self.unit is not None:
                end = int(np.searchsorted(self.unit, self.unit[end - 1], side="right"))
            yield self.taking(slice(start, end))
            start = end

    @property
    def n_at_one_time(self) -> int:
        """How many were cast at a time at which others were too, in rows by time."""
        if self.moment is None:
            return 0
        same = np.diff(self.moment) == 0
        return int((np.append(same, False) | np.insert(same, 0, False)).sum()) if len(self) else 0

    def shuffled(self, rng: np.random.Generator) -> "Rows":
        """In the order of time, those of one time (all, if it is not known) by chance.

        Nothing else would do: in any order that looks at who won, the votes of one time would play one model's wins
        before its losses.
        """
        if self.moment is not None and (np.diff(self.moment) > 0).all():
            return self
        chance = rng.permutation(len(self))
        return self.taking(chance if self.moment is None else np.lexsort((chance, self.moment)))


def joined(pieces: Sequence[Rows]) -> Rows:
    """Pieces without style as one, their units numbered anew: first those with keys, then the unknown ones."""
    if len(pieces) == 1:
        return pieces[0]
    columns = [
        np.concatenate([getattr(piece, name) for piece in pieces] or [np.empty(0, dtype=np.int64)])
        for name in ("model_a", "model_b", "verdict")
    ]
    keys = [np.empty(0, dtype=np.uint64) if piece.unit_keys is None else piece.unit_keys for piece in pieces]
    n_known, units = sum(map(len, keys)), []
    n_keys_before = n_unknown_before = 0
    for piece, own in zip(pieces, keys, strict=True):
        if piece.unit is None:
            continue
        is_known = piece.unit < len(own)
        units.append(np.where(is_known, piece.unit + n_keys_before, piece.unit - len(own) + n_known + n_unknown_before))
        n_unknown_before += max(int(piece.unit.max(initial=-1)) + 1 - len(own), 0)
        n_keys_before += len(own)
    unit = np.concatenate(units) if units else None
    return Rows(*columns, unit=unit, unit_keys=np.concatenate(keys) if units else None)


class VoteRows(Protocol):
    """Where votes can be had again, row by row, always the same ones."""

    def units(self) -> Sequence[Unit]:
        """The units that are known, besides single votes."""
        ...

    def labels(self, unit: Unit) -> Mapping[int, str]:
        """Who or what the keys of units stand for: a voter's id, a prompt's id."""
        ...

    def n_without(self, unit: Unit) -> int:
        """How many of the selected votes do not tell their voter or prompt: each stands alone."""
        ...

    def knows_order(self) -> bool:
        """Whether every vote tells when it was cast."""
        ...

    def rows(
        self,
        items: Mapping[ModelId, int],
        *,
        unit: Unit = Unit.NONE,
        style: Sequence[str] = (),
        weighted: bool = False,
        in_order: bool = False,
        is_fixed: bool = False,
    ) -> Iterator[Rows]:
        """The selected votes between these models, in pieces; no unit is in two of them.

        With `in_order` they come by the time at which they were cast, in pieces that follow each other. With `is_fixed`
        they come in an order that depends on nothing but themselves, for who draws single votes by chance.
        """
        ...
