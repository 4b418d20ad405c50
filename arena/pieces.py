"""Votes one by one as comparisons: with their clusters, weights and style, in pieces that memory can hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.battle import ModelId
from arena.errors import BadInput
from arena.plan import BothBad, Plan, Weights
from arena.rows import Rows, VoteRows
from arena.tally import Unit
from ratings import Comparisons, Outcome

Floats = NDArray[np.float64]

# Votes of one voter beyond this many do not add to that voter's weight.
_VOTER_CAP = 100

_ROWS_A_BATCH = 2**15


@dataclass(frozen=True, eq=False)
class Pieces:
    """The votes one by one as comparisons, read anew each time; no voter (or prompt) is in two of them."""

    rows: Iterable[Rows]
    """May be gone through again and again."""
    items: Mapping[ModelId, int]
    plan: Plan
    style: "Style | None" = None
    pair_weights: Floats | None = None
    """Shape (n_models, n_models); None: every vote weighs the same."""

    def __iter__(self) -> Iterator[Comparisons]:
        n_units = 0  # of the pieces before: clusters of one number would count as one voter's
        for piece in self.rows:
            yield from self._comparisons(piece, n_units)
            n_units += 0 if piece.unit is None else int(piece.unit.max(initial=-1)) + 1

    def _comparisons(self, piece: Rows, n_units: int) -> Iterator[Comparisons]:
        kept, outcome = outcomes_of(piece, self.plan)
        a, b = piece.model_a[kept], piece.model_b[kept]
        unit = None if piece.unit is None else piece.unit[kept]
        columns = [] if self.style is None else list(self.style.scaled(piece, kept))
        if self.plan.order:
            columns.append(np.ones(len(a)))
        weights = None
        if self.pair_weights is not None:
            weights = self.pair_weights[a, b]
        elif self.plan.weights is Weights.VOTERS and unit is not None:
            weights = np.minimum(1.0, _VOTER_CAP / np.bincount(unit)[unit])
        if not columns:
            clusters = None if unit is None else unit + n_units
            yield Comparisons.from_outcomes(len(self.items), a, b, outcome, weights=weights, clusters=clusters)
            return
        order = np.arange(len(a)) if unit is None else np.argsort(unit, kind="stable")
        covariates = np.stack(columns, axis=1)
        for part in cut_between(order, None if unit is None else unit[order]):
            yield Comparisons.from_outcomes(
                len(self.items),
                a[part],
                b[part],
                outcome[part],
                weights=None if weights is None else weights[part],
                clusters=None if unit is None else unit[part] - unit[part].min(),
                covariates=covariates[part],
            )


@dataclass(frozen=True, eq=False, slots=True)
class Style:
    """Features that vary, and by how much: the root of the mean square, which does not care about sides."""

    names: tuple[str, ...]
    scales: Floats
    notes: tuple[str, ...]

    @classmethod
    def measured(cls, rows: Iterable[Rows], plan: Plan) -> "Style":
        """The scales of the plan's features over the votes that it counts."""
        squares, n = np.zeros(len(plan.style)), 0
        for piece in rows:
            kept, _ = outcomes_of(piece, plan)
            squares += [float(np.square(piece.style[name][kept]).sum()) for name in plan.style]
            n += int(np.count_nonzero(kept))
        scales = np.sqrt(squares / max(n, 1))
        varies = scales > 0
        return cls(
            names=tuple(name for name, does in zip(plan.style, varies, strict=True) if does),
            scales=scales[varies],
            notes=tuple(
                f"{name} never differs between two answers, and is left out"
                for name, does in zip(plan.style, varies, strict=True)
                if not does
            ),
        )

    def scaled(self, piece: Rows, kept: NDArray[np.bool_]) -> Iterator[Floats]:
        """The columns of the features, in standard deviations."""
        return (piece.style[name][kept] / scale for name, scale in zip(self.names, self.scales, strict=True))


def outcomes_of(piece: Rows, plan: Plan) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which votes count, and what they are to `ratings`: verdicts and outcomes have the same numbers."""
    kept = piece.model_a != piece.model_b
    if plan.both_bad is BothBad.DROP:
        kept &= piece.verdict != Outcome.BOTH_BAD
    outcome = piece.verdict[kept]
    if plan.both_bad is BothBad.TIE:
        outcome = np.where(outcome == Outcome.BOTH_BAD, Outcome.TIE, outcome)
    return kept, outcome


def cut_between(order: NDArray[np.int64], units: NDArray[np.int64] | None) -> Iterator[NDArray[np.int64]]:
    """The rows in batches of about 65 thousand, cut only between units."""
    if units is None:
        yield from (order[start : start + _ROWS_A_BATCH] for start in range(0, len(order), _ROWS_A_BATCH))
        return
    start = 0
    while start < len(order):
        end = start + _ROWS_A_BATCH
        if end < len(order):
            end = int(np.searchsorted(units, units[end], side="left"))
            end = end if end > start else int(np.searchsorted(units, units[start], side="right"))
        yield order[start:end]
        start = end


@dataclass(frozen=True, eq=False)
class Read:
    """The votes one by one, read anew each time that they are gone through: nothing stays in memory."""

    source: VoteRows
    items: Mapping[ModelId, int]
    unit: Unit
    style: Sequence[str] = ()
    is_fixed: bool = False

    def __iter__(self) -> Iterator[Rows]:
        return self.source.rows(self.items, unit=self.unit, style=self.style, is_fixed=self.is_fixed)


def needed(rows: VoteRows | None, what: str) -> VoteRows:
    """The votes one by one. Raises BadInput where they are not there."""
    if rows is None:
        raise BadInput(f"{what}: these votes are counted already, and can no longer be read one by one")
    return rows
