"""Were the sides drawn fairly? Asked first: where they were not, no other answer about sides is about the voters."""

import numpy as np

from arena.quality.figure import Audit, Figure, family, share, unknown
from arena.quality.sheet import UNKNOWN, Sheet
from ratings import even_chance, wilson

FLOOR = 20

_MEANING = {
    True: "Models were not put on the sides by a fair coin: the randomiser, or whoever made this file, favours a side.",
    False: "Models stand on either side as often as a fair coin puts them there.",
    None: "Not enough data to say whether sides were drawn fairly.",
}


def assignment(sheet: Sheet, *, confidence: float) -> Audit:
    """Each model's share of its ballots on side A, against a half."""
    rows, unit = _draws(sheet)
    a, b = sheet.model_a[rows], sheet.model_b[rows]
    n_a, n_b = (np.bincount(side, minlength=len(sheet.models)) for side in (a, b))
    n = n_a + n_b
    judged = np.flatnonzero(n >= FLOOR)
    p_values = even_chance(n[judged], n_a[judged])
    members = []
    for model in judged.tolist():
        found = wilson(int(n_a[model]), int(n[model]), confidence=confidence)
        members.append(
            {"model": sheet.models[model], "share": round(int(n_a[model]) / int(n[model]), 6), "n": int(n[model])}
            | {"low": round(getattr(found, "low", 0.0), 6), "high": round(getattr(found, "high", 1.0), 6)}
        )
    first = a < b
    figures = [
        share(
            "first_on_a",
            "models first by id, on side A",
            int(first.sum()),
            len(rows),
            confidence=confidence,
            floor=FLOOR,
            is_even=True,
            decides=True,
            unit=unit,
        ),
        family(
            "models_off",
            "models not evenly on both sides",
            members,
            p_values.tolist(),
            unit="models",
            method=f"exact binomial test of each model with {FLOOR} {unit} or more",
            floor=f"no model has {FLOOR} {unit}",
            confidence=confidence,
        ),
        _drawn_here(sheet),
    ]
    return Audit("assignment", "Were the sides drawn fairly?", tuple(figures), _MEANING)


def _draws(sheet: Sheet) -> tuple[np.ndarray, str]:
    """The rows that stand for a draw each. Where votes on one pair never differ in sides, these were drawn once."""
    if not sheet.has_frozen_sides:
        return np.arange(len(sheet)), "votes"
    known = np.flatnonzero(sheet.pair != UNKNOWN)
    _, first = np.unique(sheet.pair[known], return_index=True)
    return np.sort(np.concatenate((known[first], np.flatnonzero(sheet.pair == UNKNOWN)))), "pairs"


def _drawn_here(sheet: Sheet) -> Figure:
    if sheet.n_drawn is None:
        return unknown("drawn_here", "drawn by this arena", "a file does not tell who drew the sides")
    label = "drawn by this arena"
    return Figure(
        "drawn_here",
        label,
        sheet.n_drawn / max(len(sheet), 1),
        len(sheet),
        "counted",
        reason="no interval: all were counted",
    )
