"""All audits, in the order in which their answers depend on each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from arena.quality.assignment import assignment
from arena.quality.concentration import concentration
from arena.quality.consistency import consistency
from arena.quality.contamination import KnownTexts, contamination
from arena.quality.drift import drift
from arena.quality.figure import Audit, corrected
from arena.quality.formatting import formatting
from arena.quality.length import length
from arena.quality.position import position
from arena.quality.prefix import prefix
from arena.quality.prompts import prompts
from arena.quality.sheet import Sheet
from arena.quality.sycophancy import sycophancy

AUDITS: Mapping[str, Callable[..., Audit]] = {
    "assignment": assignment,
    "position": position,
    "length": length,
    "formatting": formatting,
    "prefix": prefix,
    "sycophancy": sycophancy,
    "drift": drift,
    "consistency": consistency,
    "prompts": prompts,
    "contamination": contamination,
    "concentration": concentration,
}

READING = frozenset({"length", "formatting", "prefix", "sycophancy", "drift"})
"""Those with figures that go by the texts of answers: of a sample of the votes, if no others were read."""


def audit_votes(
    sheet: Sheet,
    *,
    confidence: float = 0.95,
    against: KnownTexts | None = None,
    splits: Mapping[str, Sequence[str]] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Audit]:
    """Ask all questions, and correct the answers for each other. The same votes give the same answers.

    `against` are texts that prompts should not be among, `splits` the prompts of an export by split.
    """
    found = []
    for number, (name, ask) in enumerate(AUDITS.items()):
        if on_progress is not None:
            on_progress(number, len(AUDITS))
        more = {"against": against, "splits": splits} if name == "contamination" else {}
        audit = ask(sheet, confidence=confidence, **more)
        found.append(replace(audit, n_sampled=sheet.n_sampled) if name in READING else audit)
    return corrected(found)
