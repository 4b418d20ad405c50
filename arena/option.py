"""What may stand behind an option of a command, parsed once; wrong usage is said with the option's name."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import typer

from arena.battle import ModelId, Source
from arena.style import FEATURES

Choice = TypeVar("Choice", bound=StrEnum)


def choice(text: str, choices: type[Choice]) -> Choice:
    """The member of `choices` that this word names."""
    try:
        return choices(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(choices)}") from None


def source(text: str) -> Source:
    """One source."""
    return choice(text, Source)


def sources(text: str) -> tuple[Source, ...]:
    """Sources separated by commas."""
    return tuple(source(part.strip()) for part in text.split(","))


def pairs(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    """`a=b,c=d` as a dict; a comma or an equals sign that belongs to a name has a backslash before it."""
    result: dict[str, str] = {}
    for part in (part for text in texts or () for part in re.split(r"(?<!\\),", text)):
        sides = [re.sub(r"\\([,=])", r"\1", side) for side in re.split(r"(?<!\\)=", part)]
        if len(sides) != 2 or not all(sides):
            raise typer.BadParameter(f"{part!r} is no pair; write name=name", param_hint=option)
        if sides[0] in result:
            raise typer.BadParameter(f"{sides[0]!r} stands twice", param_hint=option)
        result[sides[0]] = sides[1]
    return result


def anchor(text: str) -> tuple[ModelId, float]:
    """`MODEL=SCORE`; the model's name may hold an equals sign."""
    model, _, score = text.rpartition("=")
    if not model or not re.fullmatch(r"[+-]?\d+(\.\d+)?", score):
        raise typer.BadParameter(f"{text!r} is no anchor; write MODEL=SCORE")
    return ModelId(model), float(score)


def confidence(text: str) -> float:
    """A share above one half."""
    value = share(text)
    if not Fraction(1, 2) < value < 1:
        raise typer.BadParameter(f"{text!r} is no confidence; choose one between 0.5 and 1")
    return float(value)


def share(text: str) -> Fraction:
    """A share from 0 to 1, as a decimal or a fraction."""
    if re.fullmatch(r"\d+/0*[1-9]\d*|\d*\.?\d+", text) and 0 <= Fraction(text) <= 1:
        return Fraction(text)
    raise typer.BadParameter(f"{text!r} is no share between 0 and 1")


def ratings_file(text: str) -> Path:
    """A file that ratings can be written to."""
    if Path(text).suffix.lower() not in (".csv", ".json", ".parquet"):
        raise typer.BadParameter(f"{text} ends in none of .csv, .json, .parquet")
    return Path(text)


def features(text: str) -> tuple[str, ...]:
    """Features of style, separated by commas."""
    named = tuple(part.strip() for part in text.split(","))
    unknown = [each for each in named if each not in FEATURES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(FEATURES)}")
    return named


def words(text: str) -> tuple[str, ...]:
    """Words separated by commas."""
    return tuple(part.strip() for part in text.split(","))


def time(text: str) -> datetime:
    """A day or a time in ISO 8601; without a zone it is in UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-11-21 or 2026-11-21T12:00+01:00") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
