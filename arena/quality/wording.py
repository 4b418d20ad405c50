"""How an answer is put: its length, how it is dressed, how it begins. Told from the text alone.

The patterns are those in which chosen and rejected answers of preference data differ most: Zhang et al. (2024), "From
lists to emojis", arXiv:2409.11704.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from arena import style

TRAITS = ("emoji", "bold", "exclamation", "list", "link", "headers", "code", "affirmative")
"""What an answer has or has not, in the order of `Wording.traits`."""

_COUNTED = {"emoji": "emoji", "bold": "bold", "list": "lists", "headers": "headers", "code": "code_blocks"}

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
        """Look at every text once; none is kept."""
        characters, counts, traits, opener = [], [], [], []
        openers: dict[str, int] = {}
        for text in texts:
            counted = style.count(text)
            characters.append(len(text))
            counts.append(counted)
            traits.append(_traits(text, counted))
            opener.append(openers.setdefault(opening(text), len(openers)))
        return cls(
            characters=np.array(characters, dtype=np.int64),
            counts=np.array(counts, dtype=np.int64).reshape(-1, len(style.FEATURES)),
            traits=np.array(traits, dtype=bool).reshape(-1, len(TRAITS)),
            opener=np.array(opener, dtype=np.int64),
            openers=tuple(openers),
        )


def opening(text: str) -> str:
    """The first three words or signs, in small letters, apart by spaces; nothing where there are fewer."""
    tokens = _TOKEN.findall(text[:200])[:OPENER_TOKENS]
    return " ".join(tokens).casefold() if len(tokens) == OPENER_TOKENS else NO_OPENER


def _traits(text: str, counted: tuple[int, ...]) -> tuple[bool, ...]:
    has = {trait: counted[style.FEATURES.index(feature)] > 0 for trait, feature in _COUNTED.items()}
    has["exclamation"] = _EXCLAMATION.search(text) is not None
    has["link"] = _LINK.search(text) is not None
    has["affirmative"] = _AFFIRMATIVE.match(text) is not None
    return tuple(has[trait] for trait in TRAITS)
