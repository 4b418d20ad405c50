"""Does dress win? Of pairs in which exactly one answer has a pattern, how often that one wins."""

import numpy as np

from arena.features import FEATURES
from arena.quality.figure import Audit, Figure, effect, share, unknown
from arena.quality.sheet import Sheet
from arena.quality.wording import TRAITS
from ratings import Absent, Effects

FLOOR = 30

_LABELS = {
    "emoji": "emoji",
    "bold": "bold",
    "exclamation": "an exclamation mark",
    "list": "a list",
    "link": "a link",
    "headers": "headers",
    "code": "a code block",
    "affirmative": "an affirmative opening",
}

_MEANING = {
    True: "Some patterns win or lose by themselves, with the models' strengths and length held fixed.",
    False: "No pattern wins or loses beyond chance, with the models' strengths and length held fixed.",
    None: "Not enough data to say what formatting does.",
}


def formatting(sheet: Sheet, *, confidence: float) -> Audit:
    """Each pattern raw, and together with all others beside strength, length and side."""
    if sheet.wording is None:
        figures = [unknown("any", "formatting", "the votes do not tell the answers' texts")]
        return Audit("formatting", "Does dress win?", tuple(figures), _MEANING)
    rows = np.flatnonzero(sheet.is_decisive & sheet.is_worded)
    has_a, has_b = (sheet.wording.traits[side[rows]] for side in (sheet.answer_a, sheet.answer_b))
    one_sided = has_a.astype(np.float64) - has_b
    won = sheet.is_for_a[rows]
    n = (one_sided != 0).sum(axis=0)
    k = ((one_sided != 0) & ((one_sided > 0) == won[:, np.newaxis])).sum(axis=0)
    judged = np.flatnonzero(n >= FLOOR)
    found, test = _adjusted(sheet, rows, one_sided[:, judged], confidence)
    place = {int(trait): number for number, trait in enumerate(judged)}
    figures: list[Figure] = []
    for number, trait in enumerate(TRAITS):
        figures.append(
            share(
                f"{trait}_wins",
                f"the one with {_LABELS[trait]} wins",
                int(k[number]),
                int(n[number]),
                confidence=confidence,
                floor=FLOOR,
                is_even=True,
                unit="one-sided votes",
                method="strengths not taken out",
            )
        )
        if number in place:
            of = found if isinstance(found, Absent) else found.effects[place[number]]
            how = f"Bradley-Terry with all patterns, length and side; {test}"
            figures.append(effect(trait, f"what {_LABELS[trait]} is worth", of, int(n[number]), how))
    return Audit("formatting", "Does dress win?", tuple(figures), _MEANING)


def _adjusted(sheet: Sheet, rows: np.ndarray, one_sided: np.ndarray, confidence: float) -> tuple[Effects | Absent, str]:
    if not one_sided.shape[1]:
        return Absent("no pattern stands on one side often enough"), "none"
    assert sheet.wording is not None  # noqa: S101 - rows have texts
    tokens = sheet.wording.counts[:, FEATURES.index("length")].astype(np.float64)
    a, b = tokens[sheet.answer_a[rows]], tokens[sheet.answer_b[rows]]
    columns = np.column_stack((one_sided, (a - b) / np.maximum(a + b, 1.0), np.ones(len(rows))))
    return sheet.beside_strength(rows, columns, also=sheet.same_texts, confidence=confidence)
