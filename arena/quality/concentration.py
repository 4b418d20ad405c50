"""Do few voters cast many votes? What the votes say is then what these few think."""

from arena.quality.figure import Audit, Figure
from arena.quality.sheet import Sheet
from arena.quality.spread import ALL_COUNTED, Over, Spread, spread
from ratings import gini

TOP = 0.1
"""A single voter with more than this share of the votes is one voice too loud, ..."""

TIMES_EVEN = 3
"""... if that is so many times what each would have had they all cast as many."""

_MEANING = {
    True: "One voter has cast so many votes that what all say is partly what this one thinks.",
    False: "No voter has cast so many votes that what all say is what this one thinks.",
    None: "Not enough data to say how votes are spread over voters.",
}


def concentration(sheet: Sheet, *, confidence: float) -> Audit:
    """Votes by voter, of votes that tell it."""
    over = Over("voter", "by the busiest voter")
    question = "Do few voters cast many votes?"
    return spread("concentration", question, _MEANING, sheet.voter, over, further=_loudness, confidence=confidence)


def _loudness(found: Spread) -> tuple[Figure, bool]:
    figure = Figure(
        "gini",
        "Gini coefficient of votes by voter",
        gini(found.counted),
        found.n_votes,
        "0 if all cast as many, towards 1 if one casts all",
        form="number",
        reason=ALL_COUNTED,
    )
    top = int(found.n.max())
    return figure, top > TOP * found.n_votes and top * len(found.counted) > TIMES_EVEN * found.n_votes
