"""What voters may judge beside the verdict, as scales of labels: pure, and how stored words are read as such labels."""

import ast
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arena.battle import Confidence, Scale, Side, Thumb, Verdict
from arena.errors import BadInput
from ratings.agreement import Level


class Kind(StrEnum):
    """What sort of thing is judged."""

    DIMENSION = "dimension"
    """Which answer is better in one matter: A, tie, B."""
    SCALE = "scale"
    """By how much an answer is better, in steps of one scale."""
    RATING = "rating"
    """Each of the two answers from 1 to 5."""
    THUMB = "thumb"
    """Of each of the two answers whether it is good by itself."""
    CONFIDENCE = "confidence"
    """How sure the voter is of the vote."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that is judged: its labels in ascending order, the numbers that they stand for, and what these mean.

    At a level no more than the numbers allow is looked at: names, an order, or distances.
    """

    kind: Kind
    name: str
    """The id of the dimension, or the name of the scale; of the others the word of their kind."""
    labels: tuple[str, ...]
    codes: tuple[float, ...]
    levels: tuple[Level, ...]

    @property
    def is_sided(self) -> bool:
        """Whether the labels lead from one answer to the other, so that exchanged answers reverse them."""
        return self.kind in (Kind.DIMENSION, Kind.SCALE)

    @property
    def n_parts(self) -> int:
        """How many things a vote labels: the two answers apart, or the pair."""
        return 2 if self.kind in (Kind.RATING, Kind.THUMB) else 1


_RATINGS = range(1, 6)

RATING = Matter(
    Kind.RATING,
    Kind.RATING.value,
    tuple(map(str, _RATINGS)),
    tuple(map(float, _RATINGS)),
    (Level.ORDINAL, Level.INTERVAL),
)
THUMB = Matter(
    Kind.THUMB,
    Kind.THUMB.value,
    (Thumb.DOWN.value, Thumb.UP.value),
    (0.0, 1.0),
    (Level.NOMINAL,),
)
CONFIDENCE = Matter(
    Kind.CONFIDENCE,
    Kind.CONFIDENCE.value,
    tuple(each.value for each in Confidence),
    tuple(map(float, range(1, len(Confidence) + 1))),
    (Level.ORDINAL,),  # nobody has said that medium lies half way
)


def dimension(name: str) -> Matter:
    """Which answer is better in one matter. A tie lies half way between the two."""
    return Matter(
        Kind.DIMENSION, name, ("A", "tie", "B"), (-1.0, 0.0, 1.0), (Level.NOMINAL, Level.ORDINAL, Level.INTERVAL)
    )


def steps(scale: Scale) -> Matter:
    """The steps of a scale, from much better on the one side to much better on the other; a tie and both bad lie in the
    middle. Neighbouring steps are one apart; where the scale has no tie, the two weakest steps are neighbours."""
    n = scale.n_steps
    start = 0.5 if scale is Scale.EIGHT else 1.0
    codes = [start + step for step in range(n)]
    labels = (*(f"A by {step}" for step in range(n, 0, -1)), "neither", *(f"B by {step}" for step in range(1, n + 1)))
    return Matter(
        Kind.SCALE,
        scale.value,
        labels,
        (*(-code for code in reversed(codes)), 0.0, *codes),
        (Level.ORDINAL, Level.INTERVAL),
    )


# Of JSON Lines, values that are no texts are marked by a leading zero.
_TEXT = "nullif(ltrim({}::varchar, chr(0)), '')"

COLUMNS: Mapping[str, str] = {
    "dimensions": _TEXT.format("dimensions"),
    "scale": f"{_TEXT.format('scale')} || '/' || coalesce({_TEXT.format('strength')}, '')",
    "ratings": _TEXT.format("ratings"),
    "thumbs": _TEXT.format("thumbs"),
    "confidence": _TEXT.format("confidence"),
}
"""Where votes say it, by the column that must be there, as SQL of the words."""

ALSO_NEEDS: Mapping[str, tuple[str, ...]] = {"scale": ("strength",)}


def read(column: str, words: Mapping[int, str], where: str) -> dict[int, Any] | None:
    """What each word of a column says, by its key; None where the column holds nothing but words of another meaning.

    Of dimensions: verdicts by id; of scales: the scale and its step, or None for no step; of ratings and thumbs: by
    side; of confidence: the word. Raises BadInput where some words are understood and others are not.
    """
    parse = _PARSED_BY[column]
    found, wrong = dict[int, Any](), list[str]()
    for key, word in words.items():
        try:
            found[key] = parse(word)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            wrong.append(word)
    if wrong and found:
        raise BadInput(
            f"{column} is {sorted(wrong)[0]!r} in {where}, and {len(found):,} other values of it are understood; "
            f"it may be {_MAY_BE[column]}"
        )
    return found or None


def _dimensions(word: str) -> dict[str, Verdict]:
    told = {name: Verdict(verdict) for name, verdict in _object(word).items()}
    if Verdict.BOTH_BAD in told.values():
        raise ValueError(word)
    return told


def _scale(word: str) -> tuple[Scale, int | None]:
    name, _, step = word.partition("/")
    scale = Scale(name)
    number = float(step) if step else None  # a column of numbers with gaps holds 2.0
    if scale is Scale.PLAIN or (number is not None and number not in range(1, scale.n_steps + 1)):
        raise ValueError(word)
    return scale, None if number is None else int(number)


def _ratings(word: str) -> dict[Side, int]:
    told = {Side(side): rating for side, rating in _object(word).items()}
    if any(type(rating) is not int or rating not in _RATINGS for rating in told.values()):
        raise ValueError(word)
    return told


def _thumbs(word: str) -> dict[Side, Thumb]:
    return {Side(side): Thumb(thumb) for side, thumb in _object(word).items()}


def _object(word: str) -> dict[str, Any]:
    """A JSON object with something in it; one that stood in JSON Lines as it is comes as Python writes it."""
    try:
        told = json.loads(word)
    except json.JSONDecodeError:
        told = ast.literal_eval(word)
    if not isinstance(told, dict) or not told:
        raise ValueError(word)
    return told


_PARSED_BY: Mapping[str, Callable[[str], Any]] = {
    "dimensions": _dimensions,
    "scale": _scale,
    "ratings": _ratings,
    "thumbs": _thumbs,
    "confidence": Confidence,
}
_MAY_BE: Mapping[str, str] = {
    "dimensions": 'a JSON object such as {"accuracy": "A"}, each A, B or tie',
    "scale": "much-slightly, 5-steps or 8-steps, with a strength from 1 to the steps of a side",
    "ratings": 'a JSON object such as {"A": 2, "B": 4}, each from 1 to 5',
    "thumbs": 'a JSON object such as {"A": "up", "B": "down"}',
    "confidence": ", ".join(Confidence),
}
