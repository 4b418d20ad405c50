"""Do few voters cast many votes? What the votes say is then what these few think."""

import numpy as np

from arena.quality.figure import Audit, Figure, share, unknown
from arena.quality.sheet import UNKNOWN, Sheet
from ratings import gini

TOP = 0.1
"""A single voter with more than this share of the votes is one voice too loud, ..."""

TIMES_EVEN = 3
"""... if that is so many times what each would have had they all cast as many."""

FLOOR = 30

_MEANING = {
    True: "One voter has cast so many votes that what all say is partly what this one thinks.",
    False: "No voter has cast so many votes that what all say is what this one thinks.",
    None: "Not enough data to say how votes are spread over voters.",
}


def concentration(sheet: Sheet, *, confidence: float) -> Audit:
    """Votes by voter, of votes that tell it."""
    known = sheet.voter[sheet.voter != UNKNOWN]
    question = "Do few voters cast many votes?"
    if len(known) < FLOOR:
        why = f"{len(known):,} votes tell their voter, and {FLOOR} are the fewest"
        return Audit("concentration", question, (unknown("top_voter", "votes by the busiest voter", why),), _MEANING)
    n = np.bincount(known)
    counted = n[n > 0]
    top = int(n.argmax())
    all_counted = "no interval: all were counted"
    figures = (
        Figure("n_voters", "voters", float(len(counted)), len(known), "counted", form="number", reason=all_counted),
        Figure(
            "gini",
            "Gini coefficient of votes by voter",
            gini(counted),
            len(known),
            "0 if all cast as many, towards 1 if one casts all",
            form="number",
            reason=all_counted,
        ),
        share("top_voter", "votes by the busiest voter", int(n[top]), len(known), confidence=confidence, floor=FLOOR),
    )
    is_loud = n[top] > TOP * len(known) and n[top] * len(counted) > TIMES_EVEN * len(known)
    return Audit("concentration", question, figures, _MEANING, by_rule=bool(is_loud))
