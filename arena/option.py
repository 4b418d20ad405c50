"""What may stand behind an option of a command, parsed once; wrong usage is said with the option's name."""

# ruff: noqa: PLC0415
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from arena.battle import ModelId, Source
from arena.features import FEATURES

if TYPE_CHECKING:
    from fractions import Fraction

Member = TypeVar("Member", bound=StrEnum)


class Word(click.Choice[Member]):
    """The member of an enumeration that a word names; `click.Choice` would go by the members' names in Python."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """The word itself."""
        return str(choice)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        """Without click's brackets, which elsewhere mean that something may be left out."""
        return "|".join(self.choices)


class Number(click.FloatRange):
    """A number from `min` to `max`; NaN, which is on neither side of a bound, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or wrong usage."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


def sources(text: str) -> tuple[Source, ...]:
    """Sources separated by commas."""
    return tuple(Word(Source).convert(word, None, None) for word in words(text))


def features(text: str) -> tuple[str, ...]:
    """Features of style, separated by commas."""
    return tuple(click.Choice(FEATURES).convert(word, None, None) for word in words(text))


def words(text: str) -> tuple[str, ...]:
    """Words separated by commas; a comma that belongs to a word has a backslash before it."""
    return tuple(part.strip().replace("\\,", ",") for part in re.split(r"(?<!\\),", text))


def pairs(_context: click.Context, _option: click.Parameter, texts: Sequence[str]) -> dict[str, str]:
    """`a=b,c=d` as a dict; a comma or an equals sign that belongs to a name has a backslash before it.

    A callback, which sees all texts of an option that may be repeated.
    """
    result: dict[str, str] = {}
    for part in (part for text in texts for part in re.split(r"(?<!\\),", text)):
        sides = [re.sub(r"\\([,=])", r"\1", side) for side in re.split(r"(?<!\\)=", part)]
        if len(sides) != 2 or not all(sides):
            raise click.BadParameter(f"{part!r} is no pair; write name=name")
        if sides[0] in result:
            raise click.BadParameter(f"{sides[0]!r} stands twice")
        result[sides[0]] = sides[1]
    return result


def anchor(text: str) -> tuple[ModelId, float]:
    """`MODEL=SCORE`; the model's name may hold an equals sign."""
    model, _, score = text.rpartition("=")
    if not model or not re.fullmatch(r"[+-]?\d{1,9}(\.\d+)?", score):
        raise click.BadParameter(f"{text!r} is no anchor; write MODEL=SCORE")
    return ModelId(model), float(score)


def confidence(text: str) -> float:
    """A share above one half."""
    value = float(share(text))
    if not 0.5 < value < 1:
        raise click.BadParameter(f"{text!r} is no confidence; choose one between 0.5 and 1")
    return value


def share(text: str) -> "Fraction":
    """A share from 0 to 1, as a decimal or a fraction."""
    from fractions import Fraction

    if re.fullmatch(r"\d+/0*[1-9]\d*|\d*\.?\d+", text) and 0 <= Fraction(text) <= 1:
        return Fraction(text)
    raise click.BadParameter(f"{text!r} is no share between 0 and 1")


def ratings_file(text: str) -> Path:
    """A file that ratings can be written to."""
    if Path(text).suffix.lower() not in (".csv", ".json", ".parquet"):
        raise click.BadParameter(f"{text} ends in none of .csv, .json, .parquet")
    return Path(text)


def time(text: str) -> datetime:
    """A day or a time in ISO 8601; without a zone it is in UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write 2026-11-21 or 2026-11-21T12:00+01:00") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
