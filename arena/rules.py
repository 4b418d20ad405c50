"""The rules of an arena, as its arena.toml has them: how it greets, draws, counts and rates."""

import re
import tomllib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from arena.battle import Source
from arena.consent import ConsentRules
from arena.errors import BadInput, Fault
from arena.items import Shares
from arena.labels import LabelRules
from arena.pairing import Mode
from arena.plan import BothBad, Intervals, Ties
from arena.record import Strict, sentences

NamedAnswers = Literal["withhold", "mask", "leave_out"]
"""What becomes of answers that tell who wrote them."""


class BallotRules(Strict):
    """`[ballot]` in arena.toml."""

    kind: Literal["pair", "ranked"] = "pair"
    answers: int = Field(default=4, ge=3, le=6)
    expires_after_minutes: int = Field(default=120, ge=1, le=7 * 24 * 60)
    skip: bool = True
    undo: bool = True
    show_others_from: int = Field(default=5, ge=0)
    named_answers: NamedAnswers = "withhold"


class GuidelineRules(Strict):
    """`[guideline]` in arena.toml: how many of its worked examples a voter judges before the first ballot."""

    calibration: int = Field(default=0, ge=0, le=20)


class PairingRules(Strict):
    """`[pairing]` in arena.toml: which pairs of models meet more often than others."""

    mode: Mode = "uniform"
    uniform_share: float = Field(default=0.1, ge=0.01, le=1)


class ItemRules(Strict):
    """`[items]` in arena.toml: which share of the ballots is not fresh, so that agreement can be measured."""

    overlap: float = Field(default=0.0, ge=0, le=1)
    overlap_voters: int = Field(default=3, ge=2, le=50)
    repeat: float = Field(default=0.0, ge=0, le=1)
    repeat_after: int = Field(default=20, ge=1, le=10_000)
    gold: float = Field(default=0.0, ge=0, le=1)
    hard: bool = False

    @model_validator(mode="after")
    def _leaves_something(self) -> "ItemRules":
        total = self.overlap + self.repeat + self.gold
        if total > 1 + 1e-9:  # as written, three shares of a third or tenths may sum to a rounding more than 1
            raise ValueError(f"overlap, repeat and gold sum to {total:g}; they are shares of all ballots: at most 1")
        return self

    def shares(self) -> Shares:
        """The same as `arena.items` takes it."""
        return Shares(**self.model_dump())


class RatingRules(Strict):
    """`[rating]` in arena.toml: how the board of this arena is computed."""

    sources: tuple[Annotated[Source, Field(strict=False)], ...] | None = Field(default=None, min_length=1, strict=False)
    rounds: int = Field(default=1000, ge=100, le=100_000)
    seed: int = Field(default=0, ge=0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    provisional_below: int = Field(default=30, ge=0)
    ties: Annotated[Ties, Field(strict=False)] = Ties.HALF
    both_bad: Annotated[BothBad, Field(strict=False)] = BothBad.TIE
    intervals: Annotated[Intervals, Field(strict=False)] = Intervals.SANDWICH
    min_votes: int = Field(default=0, ge=0)

    def choices(self) -> dict[str, Any]:
        """What `arena.plan.Plan` takes of this."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "sources"}

    @field_validator("sources", mode="before")
    @classmethod
    def _are_known(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        unknown = [each for each in value if each not in tuple(Source)]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no source; known: {', '.join(Source)}")
        return tuple(Source(each) for each in value)


class LiveRules(Strict):
    """`[live]` in arena.toml: whether voters type prompts of their own, which two models answer then and there."""

    own_prompts: bool = False
    longest_prompt: int = Field(default=4000, ge=1, le=20_000)
    at_once: int = Field(default=50, ge=1, le=200)


class ReviewRules(Strict):
    """`[review]` in arena.toml: what the checks of voters take for too fast."""

    too_fast_seconds: float = Field(default=3.0, ge=0, le=60)


class Rules(Strict):
    """arena.toml: how this arena greets, draws, counts and rates. Every key has the default shown here."""

    title: str = Field(default="Bakeoff", min_length=1, max_length=80)
    welcome: str = Field(default="", max_length=400)
    ballot: BallotRules = BallotRules()
    consent: ConsentRules | None = None
    guideline: GuidelineRules = GuidelineRules()
    labels: LabelRules = LabelRules()
    pairing: PairingRules = PairingRules()
    items: ItemRules = ItemRules()
    live: LiveRules = LiveRules()
    rating: RatingRules = RatingRules()
    review: ReviewRules = ReviewRules()

    @model_validator(mode="after")
    def _go_together(self) -> "Rules":
        shares = self.items.overlap + self.items.repeat + self.items.gold
        others = (
            (not self.labels.is_plain, "labels"),
            (self.guideline.calibration > 0, "guideline.calibration"),
            (self.pairing.mode != "uniform", "pairing.mode"),
            (shares > 0, "items"),
            (self.live.own_prompts, "live.own_prompts"),
        )
        told = [name for is_on, name in others if is_on]
        if self.ballot.kind == "ranked" and self.rating.intervals is Intervals.BOOTSTRAP:
            raise ValueError(
                "ballot.kind is 'ranked', and rating.intervals 'bootstrap' draws single votes again: the pairs of a "
                "list hang together. Take 'sandwich' or 'cluster', which keep what one voter said together"
            )
        if self.ballot.kind == "ranked" and told:
            raise ValueError(
                f"ballot.kind is 'ranked', which has no {' and no '.join(told)}: leave out what turns them on, or set "
                "ballot.kind to 'pair'"
            )
        return self


def parse_rules(text: str) -> Rules:
    """Rules from the text of an arena.toml that was checked when it came in, as the database keeps it.

    Raises BadInput if this program does not know them, as after a step back to an earlier version.
    """
    try:
        return Rules.model_validate(tomllib.loads(text))
    except ValidationError as error:
        [(_, message), *_] = sentences(error, Rules)
        raise BadInput(
            f"the database holds rules that this version cannot read: {message}. Update bakeoff, or bring in a pack "
            "that it knows"
        ) from error


def check_rules(file: str, text: str, faults: list[Fault]) -> Rules:
    """Rules from the text of an arena.toml; what is wrong with it is added to `faults`, with its line."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        faults.append(Fault(file, int(found[1]) if found else None, f"no valid TOML: {error}"))
        return Rules()
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists a thousand deep
        faults.append(Fault(file, None, f"no valid TOML: {error}"))
        return Rules()
    try:
        return Rules.model_validate(values)
    except ValidationError as error:
        for place, message in sentences(error, Rules):
            # What is wrong between tables is told of ballot.kind: it is what rules the others out.
            faults.append(Fault(file, line_of_key(text, place or ("ballot", "kind")), message))
        return Rules()


def line_of_key(text: str, place: Sequence[int | str]) -> int | None:
    """The line of a TOML file in which a key stands: the first one up to which the file holds it."""
    lines = text.split("\n")
    for number in range(1, len(lines) + 1):
        try:
            value: Any = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value of several lines
        for key in place:
            if isinstance(value, list) and isinstance(key, int):
                value = value[key] if key < len(value) else None
            else:
                value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return number
    # A key that is missing: where its table begins.
    return line_of_key(text, place[:-1]) if len(place) > 1 else None
