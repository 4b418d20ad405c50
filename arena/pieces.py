"""Votes one by one as comparisons: with their clusters, weights and style, in pieces that memory can hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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


_ROWS_AT_ONCE = 2**16


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
            # With style every vote is a row of its own. Made anew each time from parts that a processor's cache holds,
            # that takes less time than memory would that has not been used before.
            for part in (piece,) if self.style is None else piece.cut(_ROWS_AT_ONCE):
                yield self._comparisons(counting(part, self.plan), n_units)
            n_units += 0 if piece.unit is None else int(piece.unit.max(initial=-1)) + 1

    def _comparisons(self, rows: Rows, n_units: int) -> Comparisons:
        weights = None
        if self.pair_weights is not None:
            weights = self.pair_weights[rows.model_a, rows.model_b]
        elif self.plan.weights is Weights.COLUMN:
            weights = rows.weight
        elif self.plan.weights is Weights.VOTERS and rows.unit is not None:
            _, voter, n_votes = np.unique(rows.unit, return_inverse=True, return_counts=True)
            weights = np.minimum(1.0, _VOTER_CAP / n_votes[voter])
        n_style = 0 if self.style is None else len(self.style.names)
        columns = np.ones((n_style + self.plan.order, len(rows)))
        if self.style is not None:
            self.style.scale(rows, columns)
        return Comparisons.from_outcomes(
            len(self.items),
            rows.model_a,
            rows.model_b,
            rows.verdict,
            weights=weights,
            clusters=None if rows.unit is None else rows.unit + n_units,
            covariates=columns.T if len(columns) else None,
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
            counted = counting(piece, plan)
            squares += [float(counted.style[name] @ counted.style[name]) for name in plan.style]
            n += len(counted)
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

    def scale(self, rows: Rows, columns: Floats) -> None:
        """Put the features in standard deviations into the first columns, shape (n_features or more, n_rows)."""
        for column, name, scale in zip(columns, self.names, self.scales, strict=False):
            np.divide(rows.style[name], scale, out=column)


def counting(rows: Rows, plan: Plan) -> Rows:
    """The votes that count, with verdicts as `ratings` takes them: their numbers are those of outcomes."""
    kept = rows.model_a != rows.model_b
    if plan.both_bad is BothBad.DROP:
        kept &= rows.verdict != Outcome.BOTH_BAD
    counted = rows if kept.all() else rows.taking(np.flatnonzero(kept))
    if plan.both_bad is not BothBad.TIE:
        return counted
    is_both_bad = counted.verdict == Outcome.BOTH_BAD
    return (
        replace(counted, verdict=np.where(is_both_bad, Outcome.TIE, counted.verdict)) if is_both_bad.any() else counted
    )


@dataclass(frozen=True, eq=False)
class Read:
    """The votes one by one, read anew each time that they are gone through: nothing stays in memory."""

    source: VoteRows
    items: Mapping[ModelId, int]
    unit: Unit
    style: Sequence[str] = ()
    weighted: bool = False
    is_fixed: bool = False

    def __iter__(self) -> Iterator[Rows]:
        return self.source.rows(
            self.items, unit=self.unit, style=self.style, weighted=self.weighted, is_fixed=self.is_fixed
        )


def needed(rows: VoteRows | None, what: str) -> VoteRows:
    """The votes one by one. Raises BadInput where they are not there."""
    if rows is None:
        raise BadInput(f"{what}: these votes are counted already, and can no longer be read one by one")
    return rows
