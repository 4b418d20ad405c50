"""How an answer is put: its length, how it is dressed, how it begins. Told from the text alone.

The patterns are those in which chosen and rejected answers of preference data differ most: Zhang et al. (2024), "From
lists to emojis", arXiv:2409.11704.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
from numpy.typing import NDArray

from arena import style

TRAITS = ("emoji", "bold", "exclamation", "list", "link", "headers", "code", "affirmative")
"""What an answer has or has not, in the order of `Wording.traits`."""

_COUNTED = {"emoji": "emoji", "bold": "bold", "list": "lists", "headers": "headers", "code": "code_blocks"}
_LOOKED_FOR = ("exclamation", "link", "affirmative")

_TEXTS_AT_ONCE = 1_000
_NO_COUNTS = np.empty((0, len(style.FEATURES)), dtype=np.int64)

# One that ends something: not that of != or of a picture.
_EXCLAMATION = re.compile(r"[!！](?=[\s\"'”’»)*_]|$)", re.MULTILINE)
_LINK = re.compile(r"https?://\w|\]\([^)\s]")
# Agreeing before anything is said, in the languages of the pages. A plain yes may be the answer itself, and is none.
_AFFIRMATIVE = re.compile(
    r"\W*(?:(?:sure|certainly|of course|absolutely|definitely|gladly|great question|good question|excellent question|"
    r"what a great|i'?d be (?:happy|glad)|i would be (?:happy|glad)|happy to|natürlich|gerne|selbstverständlich|"
    r"klar|bien sûr|avec plaisir|certainement|claro|por supuesto|desde luego|con mucho gusto)\b|当然|好的|没问题)",
    re.IGNORECASE,
)
# Words with their apostrophes, and signs that stand together.
_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]+")

OPENER_TOKENS = 3

NO_OPENER = ""
"""The opener of an answer with fewer tokens."""


@dataclass(frozen=True, eq=False, slots=True)
class Wording:
    """Of answers, one entry or row each."""

    characters: NDArray[np.int64]
    counts: NDArray[np.int64]
    """Shape (n_answers, len(style.FEATURES))."""
    traits: NDArray[np.bool_]
    """Shape (n_answers, len(TRAITS))."""
    opener: NDArray[np.int64]
    """The place of the first tokens, in small letters, in `openers`."""
    openers: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Look at every text once; a thousand are kept at a time."""
        characters, counts, traits, opener = [], [_NO_COUNTS], [], []
        openers: dict[str, int] = {}
        rest = iter(texts)
        while part := list(islice(rest, _TEXTS_AT_ONCE)):
            characters += map(len, part)
            counts.append(style.counts(part))
            traits += map(_unlike_style, part)
            opener += [openers.setdefault(opening(text), len(openers)) for text in part]
        counted = np.concatenate(counts)
        return cls(
            characters=np.array(characters, dtype=np.int64),
            counts=counted,
            traits=_traits(counted, np.array(traits, dtype=bool).reshape(-1, len(_LOOKED_FOR))),
            opener=np.array(opener, dtype=np.int64),
            openers=tuple(openers),
        )


def opening(text: str) -> str:
    """The first three words or signs, in small letters, apart by spaces; nothing where there are fewer."""
    tokens = [token.group() for token in islice(_TOKEN.finditer(text[:200]), OPENER_TOKENS)]
    return " ".join(tokens).casefold() if len(tokens) == OPENER_TOKENS else NO_OPENER


def _unlike_style(text: str) -> tuple[bool, ...]:
    """The traits of a text that are `_LOOKED_FOR`. A mark is looked for where its signs are there at all."""
    return (
        style.has(text, "!", "！") and _EXCLAMATION.search(text) is not None,
        style.has(text, "://", "](") and _LINK.search(text) is not None,
        _AFFIRMATIVE.match(text) is not None,
    )


def _traits(counted: NDArray[np.int64], looked_for: NDArray[np.bool_]) -> NDArray[np.bool_]:
    has = {trait: counted[:, style.FEATURES.index(feature)] > 0 for trait, feature in _COUNTED.items()}
    has |= dict(zip(_LOOKED_FOR, looked_for.T, strict=True))
    return np.column_stack([has[trait] for trait in TRAITS])
