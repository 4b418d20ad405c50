"""Votes counted, which of them a rating takes, and which of them may resemble each other."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from arena.battle import ModelId, Source, Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one verdict was given on two models by one source; left_out is the reason if these do not count."""

    model_a: ModelId
    model_b: ModelId
    verdict: Verdict
    n: int
    source: Source = Source.HUMAN
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which votes count. None stands for all; a vote that lacks what is asked for does not count."""

    sources: tuple[Source, ...] | None = None
    categories: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    since: datetime | None = None
    """Cast at this time or later."""
    until: datetime | None = None
    """Cast before this time."""


class Unit(StrEnum):
    """Votes that may resemble each other: those of one voter, those on one prompt; NONE, each vote stands alone."""

    VOTER = "voter"
    PROMPT = "prompt"
    NONE = "none"


class Slice(StrEnum):
    """What votes can be rated by, each kind by itself."""

    CATEGORY = "category"
    LANGUAGE = "language"
