"""How far a dataset is from being of use: its size after all filters, against the sizes that practice names."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

GOLD_NEEDED = 500
"""Pairs of a gold set that tell two models or two guidelines apart with some certainty."""


class Band(StrEnum):
    """What a number of preference pairs suffices for."""

    TOO_FEW = "too few pairs to train on"
    NARROW = "enough pairs for one narrow task"
    GENERAL = "enough pairs for a general model"
    FRONTIER = "as many pairs as large laboratories use"


MARKS: Mapping[Band, int] = {Band.TOO_FEW: 0, Band.NARROW: 500, Band.GENERAL: 5_000, Band.FRONTIER: 50_000}
"""From how many usable pairs a band begins, in ascending order."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """A dataset's usable pairs (a chosen and a rejected answer, in train or test) and its gold pairs."""

    n_pairs: int
    n_gold: int

    @property
    def band(self) -> Band:
        """What the usable pairs suffice for."""
        return max((band for band, least in MARKS.items() if self.n_pairs >= least), key=MARKS.__getitem__)

    @property
    def missing(self) -> int | None:
        """How many more usable pairs the next band needs; None at the last."""
        above = [least for least in MARKS.values() if least > self.n_pairs]
        return min(above) - self.n_pairs if above else None

    @property
    def has_gold(self) -> bool:
        """Whether the gold set is large enough."""
        return self.n_gold >= GOLD_NEEDED

    def sentences(self) -> list[str]:
        """The same in words."""
        more = "" if self.missing is None else f"; {self.missing:,} more for the next band"
        gold = "enough" if self.has_gold else f"{GOLD_NEEDED - self.n_gold:,} fewer than the {GOLD_NEEDED} to be had"
        return [f"{_pairs(self.n_pairs, 'usable')}: {self.band.value}{more}", f"{_pairs(self.n_gold, 'gold')}: {gold}"]


def told_of(manifest: Mapping[str, Any]) -> list[str]:
    """How far a dataset is from being of use, in sentences, the last one on whether its voters agree.

    An increment is held against no mark: what it continues has pairs as well.
    """
    pairs = manifest["pairs"]
    found = Readiness(pairs["train"] + pairs["test"], pairs["gold"])
    if manifest["since"] is None:
        size = found.sentences()
    else:
        size = [f"{_pairs(found.n_pairs, 'usable')} and {_pairs(found.n_gold, 'gold')} in this increment alone"]
    return [*size, manifest["agreement"]["gate"]["reason"]]


def _pairs(n: int, what: str) -> str:
    return f"{n:,} {what} pair{'' if n == 1 else 's'}"
