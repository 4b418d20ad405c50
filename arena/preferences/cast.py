"""A vote as an export reads it, the votes on one pair of answers, and which of them an export does not take. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from arena.battle import AnswerId, Model, ModelId, PromptId, Source, VoterId
from arena.preferences.choices import Choices
from arena.preferences.example import Opinion

CALIBRATION = "cast in calibration"
GOLD = "cast on an item with a known verdict"
EVALUATION = "for evaluation only"
UNLIKE_OTHERS = "a voter who agrees with others too rarely"

NO_CONSENT = "no consent is known"

# No person gave these, so there is nobody whose consent could be asked: they are the host's own.
_NOBODY = frozenset({Source.AI_JUDGE, Source.RULE, Source.SIMULATED})

ItemKind = Literal["fresh", "overlap", "repeat", "gold"]


@dataclass(frozen=True, slots=True)
class CastVote:
    """One vote with what it was cast on, as far as filters ask for it. The opinion's A is the group's first answer.

    left_out is the reason if the log says that it does not count, kept_back the one if its voter wants it in no export,
    though it counts. item_kind tells overlap, repeat and gold items from fresh ones. n_pairs is how many votes the
    ranked list gave that the vote is of; 1 for a vote of none.
    """

    opinion: Opinion
    model_a: ModelId
    model_b: ModelId
    voter_id: VoterId | None = None
    left_out: str | None = None
    phase: str = "production"
    item_kind: ItemKind = "fresh"
    kept_back: str | None = None
    n_pairs: int = 1


@dataclass(frozen=True, slots=True)
class CastVotes:
    """All votes on one pair of answers to one prompt, in the order of the log.

    The ids are None for imported votes that came without prompt or answers: then it is one vote by itself. category,
    language and license are the prompt's. conversation_id is that of a conversation with several voted turns. rows say
    where the store holds the prompt and the two answers, None for what it does not hold; the store alone reads them.
    """

    prompt_id: PromptId | None
    answer_a: AnswerId | None
    answer_b: AnswerId | None
    votes: tuple[CastVote, ...]
    category: str | None = None
    language: str | None = None
    license: str | None = None
    conversation_id: str | None = None
    turn: int = 1
    rows: tuple[int | None, int | None, int | None] = (None, None, None)


Reason = Callable[[CastVotes, CastVote], str | None]


def reason_against(choices: Choices, models: Mapping[ModelId, Model], unlike: Collection[VoterId]) -> Reason:
    """What says why a vote is not taken, or None for those that are.

    `unlike` are voters who agree with others too rarely. What the log says of a vote comes first, then its voter's
    will, then its source.
    """
    licensed = None
    if choices.model_licenses is not None:
        licensed = {model.id for model in models.values() if model.license in choices.model_licenses}
    of_pair: list[tuple[str, Collection[str] | None, Callable[[CastVotes], Any]]] = [
        ("category", choices.categories, lambda cast: cast.category),
        ("language", choices.languages, lambda cast: cast.language),
        ("license of the prompt", choices.licenses, lambda cast: cast.license),
    ]
    of_vote: list[tuple[str, Collection[str] | None, Callable[[CastVote], Any]]] = [
        ("guideline", choices.guidelines, lambda vote: vote.opinion.guideline_version),
        ("consent", choices.consents, lambda vote: vote.opinion.consent_version),
        ("purpose", choices.purposes, lambda vote: vote.opinion.purpose),
    ]
    of_pair = [each for each in of_pair if each[1] is not None]
    of_vote = [each for each in of_vote if each[1] is not None]

    def against(cast: CastVotes, vote: CastVote) -> str | None:
        opinion = vote.opinion
        if vote.left_out is not None or vote.kept_back is not None:
            return vote.left_out or vote.kept_back
        if opinion.source not in choices.sources:
            return f"source {opinion.source.value} is not asked for"
        if vote.phase != "production":
            return CALIBRATION
        if vote.item_kind == "gold" and not choices.keep_gold:
            return GOLD
        if choices.purposes is None and opinion.purpose == "eval":
            return EVALUATION
        is_unasked = choices.needs_consent and opinion.consent_version is None and opinion.source not in _NOBODY
        reason = NO_CONSENT if is_unasked else _by_time(choices, opinion)
        for name, wanted, told in of_pair:
            reason = reason or _by(name, told(cast), wanted)
        for name, wanted, told in of_vote:
            reason = reason or _by(name, told(vote), wanted)
        return reason or by_model(vote) or by_voter(vote)

    def by_model(vote: CastVote) -> str | None:
        for model in (vote.model_a, vote.model_b):
            if choices.models is not None and model not in choices.models:
                return "a model that is not asked for"
            if licensed is not None and model not in licensed:
                return "a model whose license is not asked for"
        return None

    def by_voter(vote: CastVote) -> str | None:
        if choices.voters is not None and vote.voter_id not in choices.voters:
            return "a voter who is not asked for"
        return UNLIKE_OTHERS if vote.voter_id in unlike else None

    return against


def _by_time(choices: Choices, opinion: Opinion) -> str | None:
    if choices.since is None and choices.until is None:
        return None
    if opinion.voted_at is None:
        return "no time is known"
    if choices.since is not None and opinion.voted_at < choices.since:
        return f"cast before {choices.since.isoformat()}"
    if choices.until is not None and opinion.voted_at >= choices.until:
        return f"cast from {choices.until.isoformat()}"
    return None


def _by(name: str, told: str | None, wanted: Collection[str] | None) -> str | None:
    """Why a value is not one of those that are wanted; None where it is."""
    if wanted is None or told in wanted:
        return None
    return f"no {name} is known" if told is None else f"{name} {told} is not asked for"
