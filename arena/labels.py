"""What a voter may say beside the verdict: what `[labels]` of arena.toml turns on, and nothing else. Pure."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from arena import name
from arena.battle import Labels, Scale, Side, Verdict
from arena.errors import NotALabel
from arena.record import Strict

LONGEST_COMMENT = 2000
"""In characters, as Unicode counts them."""

LOWEST_RATING, HIGHEST_RATING = 1, 5

# What a dimension may get: both bad says nothing of one side of a matter.
OF_A_DIMENSION = (Verdict.A, Verdict.TIE, Verdict.B)

# Of the host: a name, a reason, an id of a dimension; and how many of them.
LONGEST_WORDS = 60
MOST_REASONS = 20
MOST_DIMENSIONS = 12


def _words(value: str) -> str:
    """A few words of the host's, as they stand on the page."""
    if value.strip() != value or not value:
        raise ValueError(f"the words {value!r} are empty or have a blank at an end")
    return _printable(_short(value))


def _id(value: str) -> str:
    try:
        return _short(name.parse(value))
    except name.NoName as error:
        raise ValueError(f"the id of a dimension {error}") from error


def _short(value: str) -> str:
    if len(value) > LONGEST_WORDS:
        raise ValueError(f"{value[:30]!r}... has {len(value):,} characters; at most {LONGEST_WORDS} have room")
    return value


def _printable(value: str) -> str:
    if any(_is_control(character) or character in "\n\t" for character in value):
        raise ValueError(f"the words {value!r} hold a control character")
    return value


Words = Annotated[str, AfterValidator(_words)]


class Dimension(Strict):
    """One of the matters that each vote may also judge by itself, such as accuracy. `name` is what voters see."""

    id: Annotated[str, AfterValidator(_id)]
    name: Words
    meaning: Annotated[str, AfterValidator(_printable)] = Field(default="", max_length=200)


class LabelRules(Strict):
    """`[labels]` in arena.toml: what voters are asked beside the verdict. All of it is off unless it is turned on."""

    scale: Annotated[Scale, Field(strict=False)] = Scale.PLAIN
    dimensions: tuple[Dimension, ...] = Field(default=(), max_length=MOST_DIMENSIONS, strict=False)
    reasons: tuple[Words, ...] = Field(default=(), max_length=MOST_REASONS, strict=False)
    comment: bool = False
    confidence: bool = False
    ratings: bool = False
    acceptable: bool = False
    thumbs: bool = False

    @field_validator("dimensions")
    @classmethod
    def _have_ids_of_their_own(cls, value: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
        for key in ("id", "name"):
            _once(f"the {key} of a dimension", [getattr(each, key) for each in value])
        return value

    @field_validator("reasons")
    @classmethod
    def _stand_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        _once("the reason", list(value))
        return value

    @property
    def asks_more(self) -> bool:
        """Whether there is more to say once a verdict is chosen, so that it is not yet the whole vote. Thumbs are said
        before it."""
        return (
            self.scale is Scale.MUCH_SLIGHTLY
            or bool(self.dimensions or self.reasons)
            or any((self.comment, self.confidence, self.ratings, self.acceptable))
        )

    @property
    def is_plain(self) -> bool:
        """Whether a vote is a verdict and nothing else."""
        return not self.asks_more and not self.thumbs and self.scale is Scale.PLAIN

    def check(self, verdict: Verdict, labels: Labels) -> None:
        """Refuse labels that a vote with this verdict cannot have here.

        Everything may be left unsaid but two things: the scale that was shown, unless it is the plain one, and the
        strength of a verdict that is itself a step. Raises NotALabel, which names the key and what it may be.
        """
        self._check_scale(verdict, labels)
        self._check_dimensions(labels.dimensions)
        self._check_reasons(labels.reasons)
        self._check_comment(labels.comment)
        if labels.confidence is not None and not self.confidence:
            raise NotALabel("confidence", "nothing")
        self._check_ratings(labels.ratings)
        if labels.acceptable is not None and not (self.acceptable and verdict.is_decisive):
            raise NotALabel("acceptable", "true or false, with A or B" if self.acceptable else "nothing")
        if labels.thumbs and not self.thumbs:
            raise NotALabel("thumbs", "nothing")

    def _check_scale(self, verdict: Verdict, labels: Labels) -> None:
        shown = None if self.scale is Scale.PLAIN else self.scale
        if labels.scale is not shown:
            raise NotALabel("scale", shown or "nothing")
        if self.scale is Scale.EIGHT and verdict is Verdict.TIE:
            raise NotALabel("verdict", ", ".join(each for each in Verdict if each is not Verdict.TIE))
        if labels.strength is None:
            if self.scale.is_on_bar and verdict.is_decisive:
                raise NotALabel("strength", f"1 to {self.scale.n_steps}, with A or B")
        elif not (verdict.is_decisive and 1 <= labels.strength <= self.scale.n_steps):
            steps = self.scale.n_steps
            raise NotALabel("strength", f"1 to {steps}, with A or B" if steps else "nothing")

    def _check_dimensions(self, given: Mapping[str, Verdict]) -> None:
        known = {each.id for each in self.dimensions}
        if not known.issuperset(given):
            raise NotALabel("dimensions", ", ".join(each.id for each in self.dimensions) or "nothing")
        if not set(OF_A_DIMENSION).issuperset(given.values()):
            raise NotALabel("dimensions", f"{', '.join(OF_A_DIMENSION)} for each")

    def _check_reasons(self, given: Mapping[Side, frozenset[str]]) -> None:
        if any(not reasons or not reasons <= set(self.reasons) for reasons in given.values()):
            raise NotALabel("reasons", f"some of: {', '.join(self.reasons)}" if self.reasons else "nothing")

    def _check_comment(self, comment: str | None) -> None:
        if comment is None:
            return
        if not self.comment:
            raise NotALabel("comment", "nothing")
        if not comment.strip() or len(comment) > LONGEST_COMMENT:
            raise NotALabel("comment", f"1 to {LONGEST_COMMENT:,} characters, not all of them blank")
        if any(_is_control(character) for character in comment):
            raise NotALabel("comment", "text, with no control characters but line breaks (\\n) and tabs")

    def _check_ratings(self, given: Mapping[Side, int]) -> None:
        if given and not self.ratings:
            raise NotALabel("ratings", "nothing")
        if any(not LOWEST_RATING <= rating <= HIGHEST_RATING for rating in given.values()):
            raise NotALabel("ratings", f"{LOWEST_RATING} to {HIGHEST_RATING} for each answer")


def _once(what: str, values: list[str]) -> None:
    twice = next((each for each in values if values.count(each) > 1), None)
    if twice is not None:
        raise ValueError(f"{what} {twice!r} stands twice")


def _is_control(character: str) -> bool:
    """Whether a character moves a terminal or ends a string somewhere, or is half of one (a surrogate)."""
    number = ord(character)
    return (number < 32 and character not in "\n\t") or 127 <= number < 160 or 0xD800 <= number < 0xE000
