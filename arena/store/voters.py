"""What the arena knows of the voters who are here now, so that a vote need not ask the database for it again.

One process writes the file, so what it has read and written it need not read again. A state is as of the last commit:
it changes after a commit and before the next write can begin, and after a failed one all of them are read anew. The
database still has the last word: that a battle takes one vote is its unique key, not this.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from arena.battle import (
    AnswerId,
    BallotId,
    Battle,
    Consent,
    ItemKind,
    Labels,
    ModelId,
    Pair,
    PromptId,
    Scale,
    SkipReason,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    pair_of,
)
from arena.store.database import Database

# Some 400 bytes each. What is remembered grows with what voters did, and not with how many they are: a few annotators
# with ten thousand votes each would take more room than all visitors of a day.
_MOST_ACTS = 25_000

Seen = Mapping[PromptId, frozenset[ModelId]]


@dataclass(frozen=True, slots=True)
class OpenedBallot:
    """A ballot with what the browser must not know: its battle, its voter, and what became of it.

    vote_id, verdict, labels and blind are None for a ballot without a vote, skipped for one that was not skipped.
    """

    id: BallotId
    battle: Battle
    voter_id: VoterId
    opened_at: datetime
    expires_at: datetime
    vote_id: VoteId | None = None
    verdict: Verdict | None = None
    labels: Labels | None = None
    blind: bool | None = None
    is_withdrawn: bool = False
    skipped: SkipReason | None = None


@dataclass(frozen=True, slots=True)
class LastVote:
    """The vote that a voter cast last. Scale and strength say how much better, where its voter said so."""

    seq: int
    vote_id: VoteId
    ballot_id: BallotId
    prompt_id: PromptId | None
    verdict: Verdict
    is_withdrawn: bool
    scale: Scale | None
    strength: int | None


class OwnPairs(NamedTuple):
    """What one voter has judged: `judged` are the pairs of all votes in their order, None for a vote that was withdrawn
    or not cast blind, as a repeat is; `repeated` are the pairs that came again."""

    judged: tuple[Pair | None, ...]
    repeated: frozenset[Pair]

    def plus(self, battle: Battle, vote: Vote) -> "OwnPairs":
        """With one more vote."""
        pair = pair_of(battle.answer_a, battle.answer_b) if battle.answer_a and battle.answer_b else None
        again = {pair} if pair is not None and battle.item_kind is ItemKind.REPEAT else set[Pair]()
        return OwnPairs((*self.judged, pair if vote.blind else None), self.repeated | again)


@dataclass(frozen=True, slots=True)
class VoterState:
    """One voter, as of the last commit. `open` is the ballot without a vote or a skip; it may have expired.

    `revealed` are the models whose names were seen behind their answers, by prompt, after a vote; `named` on a page
    with sample ballots; `skipped` the pairs of answers that this voter did not want to judge; `own` the pairs of
    answers that this voter has judged; `consent` what this voter said last of publishing the votes.
    """

    open: OpenedBallot | None
    last: LastVote | None
    n_votes: int
    revealed: Seen
    named: Seen
    skipped: frozenset[frozenset[AnswerId]]
    own: OwnPairs
    consent: Consent | None


class Voters:
    """The states of voters, the latest ones; others are read when they come. Any number of threads may ask.

    At most `most_acts` acts are remembered, of all voters together, and the voter who came last in any case.
    """

    def __init__(self, database: Database, read: Callable[[VoterId], VoterState], most_acts: int = _MOST_ACTS):
        self._database = database
        self._read = read
        self._most_acts = most_acts
        self._states: OrderedDict[VoterId, VoterState] = OrderedDict()
        self._n_acts = 0
        database.on_forgetting(self._clear)

    def of(self, voter_id: VoterId) -> VoterState:
        """This voter's state. Inside a write of the same thread, what that write has seen."""
        state = self._known(voter_id)
        if state is None:
            # Nothing can be written between the reading and the keeping.
            with self._database.write():
                state = self._read(voter_id)
                self._will_be(voter_id, state)
        return state

    def change(self, voter_id: VoterId, **changes: Any) -> None:
        """Once the write that is under way is stored, a known voter has these values."""
        state = self._known(voter_id)
        if state is not None:
            self._will_be(voter_id, replace(state, **changes))

    def forget(self, voter_id: VoterId) -> None:
        """Have this voter read anew, once the write that is under way is stored."""
        self._database.writing.states.pop(voter_id, None)
        self._drop(voter_id)

    def _known(self, voter_id: VoterId) -> VoterState | None:
        transaction = self._database.transaction
        coming = transaction.states.get(voter_id) if transaction else None
        return coming or self._states.get(voter_id)

    def _will_be(self, voter_id: VoterId, state: VoterState) -> None:
        coming = self._database.writing.states
        coming[voter_id] = state
        self._database.once_stored(lambda: self._keep(voter_id, coming.get(voter_id)))

    def _keep(self, voter_id: VoterId, state: VoterState | None) -> None:
        if state is None:  # forgotten in the meantime
            return
        before = self._states.get(voter_id)
        self._states[voter_id] = state
        self._states.move_to_end(voter_id)
        self._n_acts += _n_acts(state) - (_n_acts(before) if before else 0)
        while self._n_acts > self._most_acts and len(self._states) > 1:
            self._drop(next(iter(self._states)))

    def _drop(self, voter_id: VoterId) -> None:
        state = self._states.pop(voter_id, None)
        if state is not None:
            self._n_acts -= _n_acts(state)

    def _clear(self) -> None:
        self._states.clear()
        self._n_acts = 0


def _n_acts(state: VoterState) -> int:
    """How much there is to remember: votes, skips, prompts with named answers, and that the voter is here."""
    return 1 + len(state.own.judged) + len(state.named) + len(state.skipped)
