"""Is longer better? How often the longer answer wins, and what length is worth beside all else that can be counted."""

import numpy as np

from arena.features import FEATURES
from arena.quality.figure import Audit, Figure, effect, share, unknown
from arena.quality.sheet import Sheet
from ratings import Absent

FLOOR = 30

NOTICED = 30
"""Characters. Smaller differences are not looked at, as in AlpacaEval's `get_length_biases`."""

_MEANING = {
    True: "Length itself moves verdicts, with the models' strengths and other dress held fixed.",
    False: "Length does not move verdicts beyond chance, with the models' strengths and other dress held fixed.",
    None: "Not enough data to say what length does.",
}


def length(sheet: Sheet, *, confidence: float) -> Audit:
    """Of votes whose two texts are known."""
    figures = _told(sheet, confidence) if sheet.wording is not None else _untold()
    return Audit("length", "Is longer better?", tuple(figures), _MEANING)


def _untold() -> list[Figure]:
    labels = {"longer_wins": "the longer answer wins", "coefficient": "what length is worth, style-controlled"}
    return [unknown(name, label, "the votes do not tell the answers' texts") for name, label in labels.items()]


def _told(sheet: Sheet, confidence: float) -> list[Figure]:
    is_right = (sheet.longer > 0) == sheet.is_for_a
    clear = sheet.is_decisive & (np.abs(sheet.longer) > NOTICED)
    any_longer = sheet.is_decisive & (sheet.longer != 0)
    return [
        share(
            "longer_wins",
            f"the longer answer wins, by more than {NOTICED} characters",
            int(is_right[clear].sum()),
            int(clear.sum()),
            confidence=confidence,
            floor=FLOOR,
            is_even=True,
            method="strengths not taken out",
        ),
        share(
            "always_longer",
            "'always the longer one' is right",
            int(is_right[any_longer].sum()),
            int(any_longer.sum()),
            confidence=confidence,
            floor=FLOOR,
        ),
        _coefficient(sheet, confidence),
    ]


def style_columns(sheet: Sheet, rows: np.ndarray) -> np.ndarray:
    """(a - b) / (a + b) of each feature of style, in root mean squares: shape (n_rows, len(FEATURES))."""
    assert sheet.wording is not None  # noqa: S101 - rows have texts
    counts = sheet.wording.counts
    a, b = counts[sheet.answer_a[rows]].astype(np.float64), counts[sheet.answer_b[rows]]
    columns = (a - b) / np.maximum(a + b, 1.0)
    return columns / np.maximum(np.sqrt((columns**2).mean(axis=0)), 1e-300)


def _coefficient(sheet: Sheet, confidence: float) -> Figure:
    name, label = "coefficient", "what length is worth, style-controlled"
    rows = np.flatnonzero(sheet.is_decisive & sheet.is_worded)
    if len(rows) < FLOOR:
        return effect(name, label, Absent(f"{len(rows):,} votes, and {FLOOR} are the fewest"), len(rows), "none")
    columns = np.column_stack((style_columns(sheet, rows), np.ones(len(rows))))
    found, test = sheet.beside_strength(rows, columns, also=sheet.same_texts, confidence=confidence)
    how = f"Bradley-Terry with {', '.join(FEATURES)} and side; {test}"
    if isinstance(found, Absent):
        return effect(name, label, found, len(rows), how)
    return effect(name, label, found.effects[FEATURES.index("length")], found.n_used, f"{how}; logit a deviation")
