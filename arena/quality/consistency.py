"""Does a voter say the same again? Repeats that come late enough to be judged and not remembered."""

import numpy as np

from arena.battle import Verdict
from arena.quality.figure import Audit, Figure, ends, share, unknown
from arena.quality.repeats import repeats_of
from arena.quality.sheet import Sheet
from ratings import Absent, wilson
from ratings.agreement import measured
from ratings.two_raters import CohenKappa, of_table

LAG = 20
"""Of the voter's own votes from the first to its repeat."""

FLOOR = 10

_MEANING: dict[bool | None, str] = {
    False: "How sure a single vote is. No value is right: where answers are alike, taste may be close to a coin.",
    None: "Not enough data to say how sure a single vote is.",
}


def consistency(sheet: Sheet, *, confidence: float) -> Audit:
    """Of votes by the same voter on the same two answers, the second at least `LAG` votes after the first."""
    repeats = repeats_of(sheet)
    late = repeats.lag >= LAG
    question = "Does a voter say the same again?"
    if not late.any():
        why = f"no voter judged the same two answers again, {LAG} votes later or more"
        figures = (unknown("same_again", "the same verdict again", why, unit="repeats"),)
        return Audit("consistency", question, figures, _MEANING)
    one, other = repeats.verdicts[late].T
    n, same = int(late.sum()), int((one == other).sum())
    turned = repeats.is_turned[late]
    figures = (
        share("same_again", "the same verdict again", same, n, confidence=confidence, floor=FLOOR, unit="repeats"),
        share(
            "same_again_turned",
            "the same, of those with sides exchanged",
            int((one == other)[turned].sum()),
            int(turned.sum()),
            confidence=confidence,
            floor=FLOOR,
            unit="repeats",
        ),
        _beyond_chance(one, other, same, confidence),
    )
    return Audit("consistency", question, figures, _MEANING, by_rule=None if figures[0].value is None else False)


def _beyond_chance(one: np.ndarray, other: np.ndarray, same: int, confidence: float) -> Figure:
    name, label, n = "kappa", "the same, beyond chance", len(one)
    size = len(Verdict)
    table = np.bincount(one * size + other, minlength=size**2).reshape(size, size)
    kappa = measured(CohenKappa(), of_table(table))
    if n < FLOOR or isinstance(kappa, Absent):
        why = kappa.reason if isinstance(kappa, Absent) else f"{n:,} repeats, and {FLOOR} are the fewest"
        return unknown(name, label, why, unit="repeats")
    by_chance = float(table.sum(axis=0) @ table.sum(axis=1)) / n**2
    low, high, _ = ends(wilson(same, n, confidence=confidence))
    assert low is not None  # noqa: S101 - there are repeats
    assert high is not None  # noqa: S101 - the same
    low, high = ((end - by_chance) / (1 - by_chance) for end in (low, high))
    method = "Cohen's kappa; Wilson's interval of the raw share, chance agreement as seen"
    return Figure(name, label, kappa, n, method, low=low, high=high, unit="repeats", form="number")
