"""How far voters agree on what they say beside the verdict: pure, each matter at the level that its labels allow.

As of verdicts the first vote of each voter on two answers counts, labels belong to texts and not to sides, and
intervals draw pairs of answers again. Of ratings and thumbs each of the two answers is a thing by itself, judged beside
the same other one; a pair is drawn again with both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from arena.agreement import Chance, Figure
from arena.judgements import UNTOLD, Judgements
from arena.matters import Kind, Matter
from ratings.agreement import (
    GwetAC1,
    Kinds,
    KrippendorffAlpha,
    Level,
    Measure,
    OfParts,
    PooledAgreement,
    RawAgreement,
)

NOBODY_TWICE = "no two voters have said this of the same two answers"


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How far voters agree on one matter."""

    kind: Kind
    name: str
    n_said: int
    """First votes that say anything of it."""
    n_items: int
    """Pairs of answers (of ratings and thumbs: answers in a pair) of which two voters or more said it."""
    n_votes: int
    """What was said of these."""
    n_voters: int
    n_pairs: int
    """Pairs of voters who said it of the same one."""
    labels: Mapping[str, int]
    """How often each label was given to these, in the order of the labels."""
    figures: Mapping[str, Figure]

    @classmethod
    def of(cls, votes: Judgements, matter: Matter, chance: Chance) -> Self:
        """From the first votes of each voter. Every figure is absent where no two of them said it of the same thing."""
        said, n = votes.said[matter], len(matter.labels)
        n_items = int(votes.item.max(initial=-1)) + 1
        row, part = np.nonzero(said != UNTOLD)
        place = (votes.item[row] * matter.n_parts + part) * n + said[row, part]
        counts = np.bincount(place, minlength=n_items * matter.n_parts * n).reshape(n_items, matter.n_parts, n)
        kinds = Kinds.of(counts)
        apart = kinds.apart
        is_shared = (counts.sum(axis=2) > 1)[votes.item[row], part]
        measures = {name: OfParts(measure) for name, measure in _measures(matter).items()}
        if apart.n_items:
            n_drawn = int(np.count_nonzero((counts.sum(axis=2) > 1).any(axis=1)))
            figures = chance.figures(measures, kinds, n_drawn, "label", matter.kind, matter.name)
        else:
            figures = {name: Figure(None, None, None, NOBODY_TWICE) for name in measures}
        return cls(
            kind=matter.kind,
            name=matter.name,
            n_said=len(np.unique(row)),
            n_items=apart.n_items,
            n_votes=int(np.count_nonzero(is_shared)),
            n_voters=len(np.unique(votes.voter[row[is_shared]])),
            n_pairs=apart.n_pairs,
            labels=dict(zip(matter.labels, apart.judgements.tolist(), strict=True)),
            figures=figures,
        )


def by_matter(votes: Judgements, chance: Chance) -> list[LabelAgreement]:
    """Of every matter that votes say anything of, in the order of these. From the first votes of each voter."""
    return [LabelAgreement.of(votes, matter, chance) for matter in votes.said]


def _measures(matter: Matter) -> dict[str, Measure]:
    measures: dict[str, Measure] = {"raw": RawAgreement(), "raw_pooled": PooledAgreement()}
    for level in matter.levels:
        measures[f"krippendorff_{level}"] = KrippendorffAlpha(level, codes=matter.codes)
    if Level.NOMINAL in matter.levels:
        measures["gwet_ac1"] = GwetAC1()
    return measures
