"""Is agreement rewarded? A proxy: answers that open by agreeing, and voters who judge a prompt of their own.

Who wrote the prompt may like to be agreed with; who judges somebody else's has no such reason. So the same shares are
taken from both, and compared.
"""

import numpy as np

from arena.quality.figure import Audit, Figure, change, share, unknown
from arena.quality.sheet import TIE, UNKNOWN, Mask, Sheet
from arena.quality.wording import TRAITS

FLOOR = 30

_MEANING = {
    True: "Voters judge prompts of their own otherwise than those of others.",
    False: "Voters judge prompts of their own as they judge those of others, as far as this tells.",
    None: "Not enough data to compare voters' own prompts with those of others.",
}


def sycophancy(sheet: Sheet, *, confidence: float) -> Audit:
    """How common affirmative openings are, and what changes where the voter wrote the prompt."""
    figures = [*_openings(sheet, confidence), *_split(sheet, confidence)]
    return Audit("sycophancy", "Is agreement rewarded?", tuple(figures), _MEANING)


def _affirmative(sheet: Sheet) -> tuple[Mask, Mask]:
    assert sheet.wording is not None  # noqa: S101 - asked for with texts only
    return sheet.worded(sheet.wording.traits[:, TRAITS.index("affirmative")])


def _openings(sheet: Sheet, confidence: float) -> list[Figure]:
    names = {
        "affirmative_chosen": "answers preferred that open by agreeing",
        "affirmative_rejected": "answers not preferred that do",
    }
    if sheet.wording is None:
        return [unknown(name, label, "the votes do not tell the answers' texts") for name, label in names.items()]
    a, b = _affirmative(sheet)
    rows = sheet.is_decisive & sheet.is_worded
    chosen = np.where(sheet.is_for_a, a, b)[rows]
    rejected = np.where(sheet.is_for_a, b, a)[rows]
    return [
        share(name, label, int(has.sum()), int(rows.sum()), confidence=confidence, floor=FLOOR)
        for (name, label), has in zip(names.items(), (chosen, rejected), strict=True)
    ]


def _split(sheet: Sheet, confidence: float) -> list[Figure]:
    own, others = sheet.wrote_prompt == 1, sheet.wrote_prompt == 0
    if not (sheet.wrote_prompt != UNKNOWN).any():
        return [unknown("own_prompt", "voters' own prompts against others'", "the votes do not tell who wrote prompts")]
    figures = []
    for name, label, all_of, counted in _shares(sheet):
        before, after = ((int((of & counted).sum()), int((of & all_of).sum())) for of in (others, own))
        figures.append(
            change(
                f"own_{name}", f"{label}: own prompts less others'", before, after, confidence=confidence, floor=FLOOR
            )
        )
    return figures


def _shares(sheet: Sheet) -> list[tuple[str, str, Mask, Mask]]:
    """Name, label, of which votes, and which of them are counted."""
    shares = [
        ("side_a", "side A wins", sheet.is_decisive, sheet.is_for_a),
        ("tie", "no preference", np.ones(len(sheet), dtype=bool), sheet.verdict >= TIE),
    ]
    if sheet.wording is None:
        return shares
    longer = sheet.is_decisive & (sheet.longer != 0)
    a, b = _affirmative(sheet)
    one_sided = sheet.is_decisive & sheet.is_worded & (a != b)
    return [
        *shares,
        ("longer", "the longer wins", longer, longer & ((sheet.longer > 0) == sheet.is_for_a)),
        ("affirmative", "the agreeing one wins", one_sided, one_sided & (a == sheet.is_for_a)),
    ]
