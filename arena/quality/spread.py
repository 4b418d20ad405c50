"""How votes are spread over voters or prompts: how many there are of these, and what share the busiest has."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from arena.quality.figure import Audit, Figure, share, unknown
from arena.quality.sheet import UNKNOWN, Whole

FLOOR = 30

ALL_COUNTED = "no interval: all were counted"


class Over(NamedTuple):
    """Whom or what votes are spread over, in a word, and in words how the most of them come together."""

    word: str
    busiest: str


class Spread(NamedTuple):
    """Votes by voter or prompt."""

    n: Whole
    """By place; 0 where a place has none."""
    n_votes: int
    """That tell their voter or prompt."""

    @property
    def counted(self) -> Whole:
        """Without those that have none."""
        return self.n[self.n > 0]


Further = Callable[[Spread], tuple[Figure, bool]]
"""What an audit says beside that, and whether its rule is broken."""


def spread(
    name: str,
    question: str,
    meaning: Mapping[bool | None, str],
    column: Whole,
    over: Over,
    *,
    further: Further,
    confidence: float,
) -> Audit:
    """An audit of how votes are spread, of those that tell it."""
    top, top_label = f"top_{over.word}", f"votes {over.busiest}"
    known = column[column != UNKNOWN]
    if len(known) < FLOOR:
        why = f"{len(known):,} votes tell their {over.word}, and {FLOOR} are the fewest"
        return Audit(name, question, (unknown(top, top_label, why),), meaning)
    found = Spread(np.bincount(known), len(known))
    n_over = float(len(found.counted))
    more, is_broken = further(found)
    figures = (
        Figure(f"n_{over.word}s", f"{over.word}s", n_over, len(known), "counted", form="number", reason=ALL_COUNTED),
        share(top, top_label, int(found.n.max()), len(known), confidence=confidence, floor=FLOOR),
        more,
    )
    return Audit(name, question, figures, meaning, by_rule=is_broken)
