"""What AI judges have ruled, as votes of a source of their own, each once: the voter is a judge in one version."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime

from arena.battle import (
    NAMES_MASKED,
    Answer,
    Battle,
    BattleId,
    Labels,
    Source,
    Vote,
    VoteId,
    VoterId,
)
from arena.contenders.judgement import Ruling
from arena.store import VoteStore
from arena.voter import VoterKey


@dataclass(frozen=True, slots=True)
class Brought:
    """What bringing rulings in has done: votes that are new, those that were there, and rulings that gave none.

    n_unknown are on answers that the database does not hold.
    """

    n_added: int
    n_known: int
    n_without_verdict: int
    n_unknown: int


def voter_of(label: str, voter_key: VoterKey, known: Container[str] = ()) -> VoterId:
    """The voter that a judge in a version is: a keyed hash, as of everybody. `known` are ids of imported rows."""
    return VoterId(voter_key.pseudonym("ai judge", label, known))


def bring_in(
    store: VoteStore, rulings: Iterable[Ruling], voter_key: VoterKey, now: datetime, *, samples: Iterable[Answer] = ()
) -> Brought:
    """Add a vote for each ruling that has a verdict. The same rulings again add nothing.

    `samples` are further answers of models: those that rulings are about come in with them, and are never served. A
    vote on two answers of one model counts on no board, which says so, and in exports where its source is asked for.
    """
    rulings = list(rulings)
    told = [each for each in rulings if each.verdict is not None]
    asked = {answer for each in told for answer in (each.answer_a, each.answer_b)}
    with store.together():
        served = store.catalogue.current_answers()
        further = [each for each in samples if each.id in asked and (each.prompt_id, each.model_id) in served]
        if further:
            store.catalogue.add_answers(further, now, replace=False)
        there = store.catalogue.texts(asked).keys()
        held = [each for each in told if {each.answer_a, each.answer_b} <= there]
        known = store.votes.imported_ids() if voter_key.has_earlier else set[str]()
        n_added = store.votes.add_imported([_vote(each, voter_key, known) for each in held], now)
    return Brought(n_added, len(held) - n_added, len(rulings) - len(told), len(told) - len(held))


def _vote(ruling: Ruling, voter_key: VoterKey, known: set[str]) -> tuple[Battle, Vote]:
    assert ruling.verdict is not None  # noqa: S101 - chosen above
    # Of two answers a judge in one version rules once.
    key = voter_key.pseudonym("ruling", " ".join((ruling.label, ruling.answer_a, ruling.answer_b)), known)
    battle = Battle(
        BattleId(key),
        ruling.model_a,
        ruling.model_b,
        prompt_id=ruling.prompt_id,
        answer_a=ruling.answer_a,
        answer_b=ruling.answer_b,
        sampling_policy=f"judged in both orders: {ruling.chosen}{NAMES_MASKED if ruling.is_masked else ''}",
        batch=ruling.label,
    )
    vote = Vote(
        id=VoteId(key),
        battle_id=battle.id,
        verdict=ruling.verdict,
        source=Source.AI_JUDGE,
        voter_id=voter_of(ruling.label, voter_key, known),
        voted_at=ruling.replied_at,
        blind=True,
        guideline_version=ruling.guideline_version,
        import_key=key,
        labels=Labels(dimensions=ruling.dimensions),
    )
    return battle, vote
