"""Are the prompts known already? Against texts that somebody brings: the same text, or long stretches in common.

Texts are compared without case, signs and spaces. A stretch is thirteen words in a row, as in the decontamination of
Brown et al. (2020), arXiv:2005.14165, appendix C; shorter texts can only be the same as a whole.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from arena.quality.figure import Audit, Figure, share, unknown
from arena.quality.sheet import UNKNOWN, Sheet

GRAM = 13

MUCH = 0.5
"""Of a text's stretches, found elsewhere: then it is called nearly the same."""

_MOST_LISTED = 20

_WORD = re.compile(r"\w+")

_MEANING = {
    True: "Some of these texts are known from elsewhere: who has seen them there answers from memory.",
    False: "None of these texts was found in what it was compared with.",
    None: "Not compared with anything: name texts with --against, or an export with --dataset.",
}
_QUESTION = "Are the prompts known already?"


@dataclass(frozen=True, eq=False)
class KnownTexts:
    """Texts to compare with, as hashes: none of them is kept."""

    whole: frozenset[int]
    stretches: NDArray[np.int64]
    """Ascending."""
    n: int

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Read each text once."""
        whole: set[int] = set()
        parts, n = [np.empty(0, dtype=np.int64)], 0
        for text in texts:
            words = _words(text)
            n += 1
            if words:
                whole.add(hash(words))
                parts.append(_stretches(words))
        return cls(frozenset(whole), np.unique(np.concatenate(parts)), n)

    def holds(self, text: str) -> bool:
        """Whether this text is one of them, but for case, signs and spaces; never for one without words."""
        words = _words(text)
        return bool(words) and hash(words) in self.whole

    def share_of(self, text: str) -> float:
        """Of the stretches of a text, the share that is in any of them; 0 for a text with fewer than thirteen words."""
        found = _stretches(_words(text))
        if not len(found) or not len(self.stretches):
            return 0.0
        place = np.minimum(np.searchsorted(self.stretches, found), len(self.stretches) - 1)
        return float((self.stretches[place] == found).mean())


def contamination(
    sheet: Sheet,
    *,
    confidence: float,
    against: KnownTexts | None = None,
    splits: Mapping[str, Sequence[str]] | None = None,
) -> Audit:
    """The prompts of the votes against known texts, and what an export holds back against what it trains on."""
    figures = [*_against(sheet, against, confidence), *_splits(splits, confidence)]
    compared = [figure for figure in figures if figure.value is not None]
    by_rule = any(figure.value for figure in compared) if compared else None
    return Audit("contamination", _QUESTION, tuple(figures), _MEANING, by_rule=by_rule)


def _against(sheet: Sheet, known: KnownTexts | None, confidence: float) -> list[Figure]:
    labels = {
        "known_exactly": "prompts that are known",
        "known_nearly": "prompts that are nearly the same as a known one",
    }
    if known is None:
        return [unknown(name, label, "no texts to compare with", unit="prompts") for name, label in labels.items()]
    if not sheet.prompt_texts:
        why = "the votes do not tell the texts of their prompts"
        return [unknown(name, label, why, unit="prompts") for name, label in labels.items()]
    votes = np.bincount(sheet.prompt[sheet.prompt != UNKNOWN], minlength=len(sheet.prompts))
    exact, near = [], []
    for place, text in sorted(sheet.prompt_texts.items()):
        told = {"prompt": sheet.prompts[place], "n": int(votes[place])}
        if known.holds(text):
            exact.append(told)
        elif (part := known.share_of(text)) >= MUCH:
            near.append(told | {"share": round(part, 6)})
    n = len(sheet.prompt_texts)
    return [
        _listing(name, label, found, n, confidence=confidence, method=f"against {known.n:,} texts")
        for (name, label), found in zip(labels.items(), (exact, near), strict=True)
    ]


def _splits(splits: Mapping[str, Sequence[str]] | None, confidence: float) -> list[Figure]:
    """Prompts that are held back, and are in the training split as well."""
    if splits is None:
        return []
    if not splits.get("train"):
        return [
            unknown("in_train", "held-back prompts that are in train", "the export has no train split", unit="prompts")
        ]
    known = KnownTexts.of(splits["train"])
    figures = []
    for split, texts in splits.items():
        if split == "train":
            continue
        found = [{"text": text[:80]} for text in texts if known.holds(text) or known.share_of(text) >= MUCH]
        label = f"{split} prompts that are in train, or nearly"
        how = f"against {known.n:,} of train"
        figures.append(_listing(f"{split}_in_train", label, found, len(texts), confidence=confidence, method=how))
    return figures or [
        unknown("in_train", "held-back prompts that are in train", "the export holds back nothing", unit="prompts")
    ]


def _listing(
    name: str, label: str, found: Sequence[Mapping[str, Any]], n: int, *, confidence: float, method: str
) -> Figure:
    figure = share(name, label, len(found), n, confidence=confidence, floor=1, unit="prompts", method=method)
    return replace(figure, listed=tuple(found[:_MOST_LISTED]))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _stretches(words: Sequence[str]) -> NDArray[np.int64]:
    each = [hash(tuple(words[i : i + GRAM])) for i in range(len(words) - GRAM + 1)]
    return np.array(each, dtype=np.int64)
