"""The nouns of the arena, one meaning each; pages, tables, commands and docs use the same words.

Everything here is a frozen value that knows nothing of files, databases or pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

ModelId = NewType("ModelId", str)
PromptId = NewType("PromptId", str)
AnswerId = NewType("AnswerId", str)
BattleId = NewType("BattleId", str)
BallotId = NewType("BallotId", str)
VoteId = NewType("VoteId", str)
VoterId = NewType("VoterId", str)


class Side(StrEnum):
    """Where an answer stands on a ballot."""

    A = "A"
    B = "B"


class Verdict(StrEnum):
    """What a voter says of a ballot. The values are what the database and the browser's vote carry."""

    A = "A"
    B = "B"
    TIE = "tie"
    BOTH_BAD = "both_bad"

    @property
    def is_decisive(self) -> bool:
        """Whether the verdict prefers one answer to the other."""
        return self in (Verdict.A, Verdict.B)

    @property
    def swapped(self) -> "Verdict":
        """The same verdict as seen with the sides exchanged."""
        return {Verdict.A: Verdict.B, Verdict.B: Verdict.A}.get(self, self)


class Source(StrEnum):
    """Who or what gave a verdict. Votes of different sources are never mixed unless asked."""

    HUMAN = "human"
    AI_JUDGE = "ai_judge"
    RULE = "rule"
    IMPORT = "import"
    SIMULATED = "simulated"


class Scale(StrEnum):
    """In which steps a voter says by how much one answer is better. The values are what arena.toml and the log say."""

    PLAIN = "plain"
    MUCH_SLIGHTLY = "much-slightly"
    FIVE = "5-steps"
    EIGHT = "8-steps"

    @property
    def n_steps(self) -> int:
        """How many strengths each side has: 1 is the weakest."""
        return {Scale.PLAIN: 0, Scale.MUCH_SLIGHTLY: 2, Scale.FIVE: 2, Scale.EIGHT: 4}[self]

    @property
    def is_on_bar(self) -> bool:
        """Whether the verdict itself is given in these steps, so that there is none without a strength."""
        return self in (Scale.FIVE, Scale.EIGHT)


class Confidence(StrEnum):
    """How sure a voter is of a verdict."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Thumb(StrEnum):
    """Whether one answer is good by itself, whatever the other one is like."""

    UP = "up"
    DOWN = "down"


class Purpose(StrEnum):
    """What a vote may be used for, as its voter agreed."""

    TRAIN = "train"
    EVAL = "eval"
    BOTH = "both"


class SkipReason(StrEnum):
    """Why a voter closed a ballot without a verdict."""

    CANNOT_JUDGE = "cannot_judge"
    TOO_ALIKE = "too_alike"
    BROKEN = "broken"
    OTHER = "other"


class ItemKind(StrEnum):
    """Why a battle was drawn. The values are what the database has; no browser learns which one a ballot is."""

    FRESH = "fresh"
    OVERLAP = "overlap"
    """For several voters to judge the same two answers."""
    REPEAT = "repeat"
    """For a voter to judge again what this voter has judged before, names known: never a vote that counts."""
    GOLD = "gold"
    """Two answers on which a verdict is known."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; role is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Model:
    """A contender. It holds facts only: a rating is always derived from votes, never stored here."""

    id: ModelId
    name: str
    organization: str | None = None
    license: str | None = None
    open_weights: bool | None = None
    url: str | None = None
    aliases: tuple[str, ...] = ()
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages put to models; the last one is the user's."""

    id: PromptId
    messages: tuple[Message, ...]
    category: str | None = None
    language: str | None = None
    source: str | None = None
    license: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One model's text for one prompt, with how it was made. tokens and latency never reach a browser."""

    id: AnswerId
    prompt_id: PromptId
    model_id: ModelId
    text: str
    revision: str | None = None
    params: Mapping[str, Any] | None = None
    tokens: int | None = None
    latency_ms: float | None = None
    finish_reason: str | None = None


LIVE = "live-uniform"
"""How the sampling policy of a battle begins whose answers were made for it, to a prompt that its voter typed."""

NAMES_MASKED = ", names masked"
"""How the sampling policy of a battle ends whose ballot shows a mark in place of names in the answers."""


@dataclass(frozen=True, slots=True)
class Battle:
    """Two models on one prompt with sides drawn, and the probability of having drawn exactly this.

    prompt_id and the answers are None only for imported votes whose file told no more than the two models;
    the probability is None where somebody else drew.
    """

    id: BattleId
    model_a: ModelId
    model_b: ModelId
    prompt_id: PromptId | None = None
    answer_a: AnswerId | None = None
    answer_b: AnswerId | None = None
    draw_probability: float | None = None
    sampling_policy: str | None = None
    drawn_at: datetime | None = None
    batch: str | None = None
    item_kind: ItemKind = ItemKind.FRESH

    @property
    def is_live(self) -> bool:
        """Whether its voter has typed the prompt, and both models answered then and there."""
        return self.sampling_policy is not None and self.sampling_policy.startswith(LIVE)

    @property
    def is_masked(self) -> bool:
        """Whether its ballot showed a mark in place of names in the answers."""
        return self.sampling_policy is not None and self.sampling_policy.endswith(NAMES_MASKED)


@dataclass(frozen=True, slots=True)
class Ballot:
    """The blind view of a battle for one voter: all that a browser may know before the vote is stored.

    The id is drawn at random for this ballot alone, so it carries no order and names nothing.
    """

    id: BallotId
    messages: tuple[Message, ...]
    answer_a: str
    answer_b: str
    category: str | None
    language: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Labels:
    """What a voter says beside the verdict, where the rules of the arena ask for it. What is left out was not said.

    scale is the one that was shown, None for the plain one; strength counts its steps, from 1, and means nothing
    without it. dimensions has a verdict (A, B or tie) by the id of a dimension; reasons and ratings (1 to 5) are what
    was put on either answer; comment is the voter's own text; acceptable tells whether the better answer would do as it
    is; thumbs say of either answer whether it is good by itself. Sides are the battle's.
    """

    scale: Scale | None = None
    strength: int | None = None
    dimensions: Mapping[str, Verdict] = field(default_factory=dict)
    reasons: Mapping[Side, frozenset[str]] = field(default_factory=dict)
    comment: str | None = None
    confidence: Confidence | None = None
    ratings: Mapping[Side, int] = field(default_factory=dict)
    acceptable: bool | None = None
    thumbs: Mapping[Side, Thumb] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vote:
    """A verdict by a voter at a time. Append-only: a stored vote never changes.

    voted_at is None where an imported file told no time. import_key identifies an imported row, so that the same
    row counts once however often it is imported. comment_salt is a random text that keeps a comment from being guessed
    by its digest; a vote has one with a comment, and none without, or ValueError is raised.
    """

    id: VoteId
    battle_id: BattleId
    verdict: Verdict
    source: Source
    voter_id: VoterId | None
    voted_at: datetime | None
    shown_on_left: Side | None = None
    time_to_vote_ms: int | None = None
    blind: bool | None = None
    guideline_version: str | None = None
    import_key: str | None = None
    purpose: str | None = None
    consent_version: str | None = None
    voter_wrote_prompt: bool | None = None
    labels: Labels = field(default_factory=Labels)
    comment_salt: str | None = None

    def __post_init__(self) -> None:
        if (self.labels.comment is None) != (self.comment_salt is None):
            raise ValueError(f"the vote {self.id} has a comment without a salt, or a salt without a comment")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A voter takes a vote back. Append-only like the vote, which stays as it was and counts no more."""

    vote_id: VoteId
    voter_id: VoterId
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """A voter says whether the own votes may be published, on the terms of this version. Append-only.

    The last one holds: a yes for the votes that follow it, a no for all votes before it and after it.
    """

    voter_id: VoterId
    version: str
    is_given: bool
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The host leaves the votes of a voter out of boards and exports, those to come as well; or takes them in again.

    Append-only like the votes, which stay as they were. `decided_by` is a name that the host gave for this.
    """

    voter_id: VoterId
    is_excluded: bool
    reason: str
    decided_by: str
    decided_at: datetime


Pair = tuple[AnswerId, AnswerId]
"""Two answers to one prompt, whichever side each stands on: the id that comes first is first."""


def pair_of(one: AnswerId, other: AnswerId) -> Pair:
    """The pair that two answers make."""
    return (one, other) if one <= other else (other, one)


@dataclass(frozen=True, slots=True)
class KnownVerdict:
    """Two answers to one prompt on which the verdict is known, and why: gold. Side A of the verdict is `answer_a`."""

    prompt_id: PromptId
    answer_a: AnswerId
    answer_b: AnswerId
    verdict: Verdict
    reason: str

    @property
    def pair(self) -> Pair:
        return pair_of(self.answer_a, self.answer_b)

    def on(self, answer_a: AnswerId) -> Verdict:
        """The verdict as it is where this one of the two answers stands on side A."""
        return self.verdict if answer_a == self.answer_a else self.verdict.swapped


@dataclass(frozen=True, slots=True)
class Adjudication:
    """Somebody who was asked decides on a pair whose votes disagree, which makes it gold; or takes that back: without a
    verdict. Append-only; the votes stay as they were. Side A of the verdict is `answer_a`."""

    prompt_id: PromptId
    answer_a: AnswerId
    answer_b: AnswerId
    verdict: Verdict | None
    reason: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Contender:
    """A model as the reveal shows it: its facts and its place on the latest board, if it has one."""

    model: Model
    score: float | None = None
    low: float | None = None
    high: float | None = None
    rank_low: int | None = None
    rank_high: int | None = None


@dataclass(frozen=True, slots=True)
class Reveal:
    """What a stored vote opens: the verdict that was kept and who wrote the two answers."""

    verdict: Verdict
    a: Contender
    b: Contender


@dataclass(frozen=True, slots=True)
class PairRecord:
    """How often each verdict was given on two models, whatever the prompt and the side that each stood on."""

    n_a: int
    n_b: int
    n_tie: int
    n_both_bad: int

    @property
    def n(self) -> int:
        return self.n_a + self.n_b + self.n_tie + self.n_both_bad
