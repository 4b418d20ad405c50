"""Does the beginning decide? Answers that begin with the same three words, against answers that do not."""

import numpy as np

from arena.quality.figure import Audit, family, unknown
from arena.quality.sheet import Sheet
from arena.quality.wording import NO_OPENER
from ratings import Absent, Effect, even_chance, wilson

FLOOR = 30
TOP = 20
"""So many openers are looked at, those with the most one-sided votes."""

_MEANING = {
    True: "Some openings win or lose by themselves, with the models' strengths held fixed.",
    False: "No opening wins or loses beyond chance, with the models' strengths held fixed.",
    None: "Not enough data to say what openings do.",
}
_QUESTION = "Does the beginning decide?"
_ALIASED = "each of these openers belongs to one model, and cannot be told from its strength"
_RAW, _ADJUSTED = "openers that win or lose", "openers that are worth anything, strengths taken out"


def prefix(sheet: Sheet, *, confidence: float) -> Audit:
    """The most frequent openers, each where exactly one side has it."""
    if sheet.wording is None:
        why = "the votes do not tell the answers' texts"
        return Audit("prefix", _QUESTION, (unknown("openers", _RAW, why, unit="openers"),), _MEANING)
    rows = np.flatnonzero(sheet.is_decisive & sheet.is_worded)
    a, b = (sheet.wording.opener[side[rows]] for side in (sheet.answer_a, sheet.answer_b))
    rows, a, b = rows[a != b], a[a != b], b[a != b]
    won = sheet.is_for_a[rows]
    size = len(sheet.wording.openers)
    n_a, n_b = np.bincount(a, minlength=size), np.bincount(b, minlength=size)
    n = n_a + n_b
    k = np.bincount(a[won], minlength=size) + np.bincount(b[~won], minlength=size)
    known = np.array([opener != NO_OPENER for opener in sheet.wording.openers], dtype=bool)
    judged = np.array([i for i in np.argsort(-n, kind="stable") if known[i] and n[i] >= FLOOR][:TOP], dtype=np.int64)
    members = []
    for place in judged.tolist():
        interval = wilson(int(k[place]), int(n[place]), confidence=confidence)
        ends = {} if isinstance(interval, Absent) else {"low": round(interval.low, 6), "high": round(interval.high, 6)}
        share = round(int(k[place]) / int(n[place]), 6)
        members.append({"opener": sheet.wording.openers[place], "n": int(n[place]), "share": share} | ends)
    floor = f"no opener stands on one side of {FLOOR} decisive votes"
    raw = family(
        "openers",
        _RAW,
        members,
        even_chance(n[judged], k[judged]).tolist(),
        unit="openers",
        method=f"exact binomial test of the {TOP} most frequent with {FLOOR} one-sided votes, strengths not taken out",
        floor=floor,
        decides=False,
        confidence=confidence,
    )
    columns = np.column_stack([*((a == i).astype(np.float64) - (b == i) for i in judged), np.ones(len(rows))])
    found, test = sheet.beside_strength(rows, columns, also=sheet.same_texts, confidence=confidence)
    effects = () if isinstance(found, Absent) else found.effects
    worth = [
        (member | {"logit": round(each.value, 6)}, each.p_value)
        for member, each in zip(members, effects, strict=False)
        if isinstance(each, Effect) and not isinstance(each.interval, Absent)
    ]
    adjusted = family(
        "openers_adjusted",
        _ADJUSTED,
        [member for member, _ in worth],
        [p_value for _, p_value in worth],
        unit="openers",
        method=f"Bradley-Terry with these openers and side; {test}",
        floor=floor if not members else found.reason if isinstance(found, Absent) else _ALIASED,
        confidence=confidence,
    )
    return Audit("prefix", _QUESTION, (raw, adjusted), _MEANING)
