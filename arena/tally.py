"""Votes counted, which of them a rating takes, and which of them may resemble each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from arena.battle import ModelId, Source, Verdict
from arena.errors import BadInput

WITHDRAWN = "withdrawn by its voter"
"""Why a vote that its voter took back is left out, in ratings and exports alike."""

EXCLUDED = "excluded by the host"
"""Why the votes of a voter whom the host has excluded are left out."""

NOT_BLIND = "not cast blind"
"""Why a vote is left out whose voter could know who wrote an answer: it was named in its text, or on another page."""

REPEATED = "a repeat of the voter's own"
"""Why a vote is left out whose voter had judged the same two answers before, and has seen their names since."""


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

    def to_record(self) -> dict[str, Any]:
        """As plain values; what is null is not chosen by."""
        lists = {name: getattr(self, name) for name in ("sources", "categories", "languages")}
        times = {name: getattr(self, name) for name in ("since", "until")}
        return {name: None if values is None else [str(each) for each in values] for name, values in lists.items()} | {
            name: None if time is None else time.isoformat() for name, time in times.items()
        }


class Unit(StrEnum):
    """Votes that may resemble each other: those of one voter, those on one prompt, those that one ranked list says;
    NONE, each vote stands alone."""

    VOTER = "voter"
    PROMPT = "prompt"
    LIST = "list"
    NONE = "none"


class Slice(StrEnum):
    """What votes can be rated by, each kind by itself."""

    CATEGORY = "category"
    LANGUAGE = "language"


def default_sources(counts: Mapping[Source, int]) -> tuple[Source, ...]:
    """The sources that a board counts when nobody said which: people's votes, or the only source there is.

    Raises BadInput where several sources but no people voted, since mixing them must be asked for.
    """
    present = tuple(source for source in Source if counts.get(source))
    if Source.HUMAN in present or not present:
        return (Source.HUMAN,)
    if len(present) == 1:
        return present
    listed = ", ".join(f"{source.value} ({counts[source]:,})" for source in present)
    raise BadInput(f"the votes come from several sources, none of them people: {listed}. Say which to count: --source")
