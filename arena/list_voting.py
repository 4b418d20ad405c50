"""The rules of the game where voters put several answers in order: open a list, rank it, reveal, skip, take it back.

What a list says of each two answers that are not as good as each other is stored as a vote, blind like any other; what
they have in common is noted, as for lists that were imported (`arena.rankings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from random import Random

from arena.battle import (
    NAMES_MASKED,
    BallotId,
    Battle,
    Contender,
    Message,
    ModelId,
    PromptId,
    SkipReason,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    Withdrawal,
)
from arena.errors import (
    AlreadyRanked,
    BallotExpired,
    BallotSkipped,
    NoBallotLeft,
    NotALabel,
    NothingToWithdraw,
    NotOffered,
    TooLateToWithdraw,
    UnknownBallot,
    VoteWithdrawn,
)
from arena.pairing import Candidate
from arena.ranked_list import list_id
from arena.self_naming import Names
from arena.store import OpenedList, RankedPair, VoteStore
from arena.voting import Booth, Permit, freely, new_id, new_key

FEWEST = 3
"""With two answers a list would be a pair."""


@dataclass(frozen=True, slots=True)
class ListBallot:
    """The blind view of a list: the only thing that a browser gets before its ranking is stored."""

    id: BallotId
    messages: tuple[Message, ...]
    answers: tuple[str, ...]
    category: str | None
    language: str | None


class ListBooth:
    """Where one arena's voters rank lists. Any number of threads may use it; `rng` as in `Booth`."""

    def __init__(self, store: VoteStore, booth: Booth, *, rng: Random, now: datetime):
        self.rules = booth.rules
        self._store = store
        self._booth = booth
        self._rng = rng
        self._lifetime = timedelta(minutes=self.rules.expires_after_minutes)
        guideline = store.catalogue.guideline()
        self._guideline_version = guideline.version if guideline else None
        self._names = Names.of(store.catalogue.models().values())
        self._named = store.named.ids()
        self._candidates: dict[PromptId, list[Candidate]] = {}
        for each in store.catalogue.candidates(now, named=self._served):
            self._candidates.setdefault(each.prompt_id, []).append(each)

    def open(self, voter_id: VoterId, now: datetime, *, permit: Permit = freely) -> ListBallot:
        """The voter's open list, so that a reload shows the same; else a new one.

        A prompt is drawn among those of which at least three answers are still blind to this voter, then the answers,
        then their order, each uniformly. Raises NoBallotLeft, ConsentNeeded, NotOffered, DatabaseUnavailable.
        """
        self._check_offered()
        self._booth.check_consent(voter_id)
        with self._store.together():  # so that a voter has one open list, however many requests come at once
            opened = self._store.lists.open_of(voter_id, now)
            if opened is None:
                permit()
                opened = self._draw(voter_id, now)
                self._store.lists.open(opened)
        return self._shown(opened)

    def rank(
        self, ballot_id: str, ranks: Sequence[int], voter_id: VoterId, now: datetime, *, permit: Permit = freely
    ) -> tuple[Contender, ...]:
        """Store the ranks of the answers as they were shown (1 the best, equal ones allowed), and reveal the names.

        The same ranks again return the same and store nothing. Raises UnknownBallot, BallotExpired, BallotSkipped,
        ConsentNeeded, NotALabel for ranks that are none or prefer nothing, AlreadyRanked where others are stored,
        VoteWithdrawn, VoteNotSaved.
        """
        opened = self._find(ballot_id, voter_id)
        ranks = _dense(ranks, len(opened.answers))
        if not opened.is_closed:
            if now >= opened.expires_at:
                raise BallotExpired(opened.id)
            self._booth.check_consent(voter_id)
            self._store.lists.rank(opened, ranks, self._votes(opened, ranks, now), now, permit=permit)
            opened = self._find(ballot_id, voter_id)
        if opened.skipped is not None:
            raise BallotSkipped(opened.id)
        if opened.is_withdrawn:
            raise VoteWithdrawn(opened.id)
        if opened.ranks != ranks:
            raise AlreadyRanked(opened.id)
        return self._booth.contenders(self._store.lists.texts(opened).models)

    def skip(self, ballot_id: str, reason: SkipReason, voter_id: VoterId, now: datetime) -> None:
        """Close the list without a vote; no list on its prompt comes back. Raises as `Booth.skip` does."""
        if not self.rules.skip:
            raise NotOffered("skip a ballot")
        opened = self._find(ballot_id, voter_id)
        if not opened.is_closed:
            if now >= opened.expires_at:
                raise BallotExpired(opened.id)
            self._store.lists.skip(opened, reason, now)
            opened = self._find(ballot_id, voter_id)
        if opened.ranks is not None:
            raise VoteWithdrawn(opened.id) if opened.is_withdrawn else AlreadyRanked(opened.id)

    def withdraw(self, ballot_id: str, voter_id: VoterId, now: datetime) -> None:
        """Take all votes of this voter's last list back, together. Again, it stores nothing.

        Raises as `Booth.withdraw` does.
        """
        if not self.rules.undo:
            raise NotOffered("withdraw a vote")
        with self._store.together():
            opened = self._find(ballot_id, voter_id)
            if opened.ranks is None:
                raise NothingToWithdraw(opened.id)
            if opened.is_withdrawn:
                return
            last = self._store.lists.last_of(voter_id)
            if last is None or last.id != opened.id:
                raise TooLateToWithdraw(opened.id)
            for vote_id in self._store.lists.vote_ids(opened):
                self._store.votes.withdraw(Withdrawal(vote_id, voter_id, now))

    def last_list(self, voter_id: VoterId) -> BallotId | None:
        """The list that this voter can take back, or None."""
        last = self._store.lists.last_of(voter_id) if self.rules.undo else None
        return None if last is None or last.is_withdrawn else last.id

    def _check_offered(self) -> None:
        if self.rules.kind != "ranked":
            raise NotOffered("rank several answers")

    def _find(self, ballot_id: str, voter_id: VoterId) -> OpenedList:
        self._check_offered()
        opened = self._store.lists.find(ballot_id)
        if opened is None or opened.voter_id != voter_id:
            raise UnknownBallot(ballot_id)
        return opened

    def _draw(self, voter_id: VoterId, now: datetime) -> OpenedList:
        state, skipped = self._store.voters.of(voter_id), self._store.lists.skipped_by(voter_id)
        free = {}
        for prompt, candidates in self._candidates.items():
            seen = state.revealed.get(prompt, frozenset[ModelId]()) | state.named.get(prompt, frozenset[ModelId]())
            blind = _distinct([each for each in candidates if each.model_id not in seen])
            if prompt not in skipped and len(blind) >= FEWEST:
                free[prompt] = blind
        if not free:
            most = max((len(_distinct(each)) for each in self._candidates.values()), default=0)
            raise NoBallotLeft(is_arena_empty=most < FEWEST)
        prompt = self._rng.choice(sorted(free))
        blind = free[prompt]
        n = min(self.rules.answers, len(blind))
        drawn = self._rng.sample(blind, n)  # in a random order, which is the one that is shown
        is_masked = self.rules.named_answers == "mask" and not self._named.isdisjoint(each.answer_id for each in drawn)
        return OpenedList(
            id=BallotId(new_id()),
            voter_id=voter_id,
            prompt_id=prompt,
            answers=tuple(each.answer_id for each in drawn),
            # Of this prompt with these two models among the answers, and this one of them as A.
            draw_probability=n * (n - 1) / (len(blind) * (len(blind) - 1)) / len(free) / 2,
            sampling_policy=f"uniform-over-blind-lists({n})" + (NAMES_MASKED if is_masked else ""),
            opened_at=now,
            expires_at=now + self._lifetime,
        )

    def _votes(
        self, opened: OpenedList, ranks: Sequence[int], now: datetime
    ) -> tuple[RankedPair, list[tuple[Battle, Vote]]]:
        """What the ranks say of each two answers. A coin draws the sides, so that the better one is on neither."""
        models, terms = self._store.lists.texts(opened).models, self._booth.terms_of(opened.voter_id)
        elapsed = now - opened.opened_at
        cast = []
        for number, pair in enumerate(combinations(range(len(ranks)), 2)):
            a, b = pair if self._rng.random() < 1 / 2 else pair[::-1]
            if ranks[a] == ranks[b]:
                continue
            battle = Battle(
                id=opened.battle_id(number),
                prompt_id=opened.prompt_id,
                answer_a=opened.answers[a],
                answer_b=opened.answers[b],
                model_a=models[a],
                model_b=models[b],
                draw_probability=opened.draw_probability,
                sampling_policy=opened.sampling_policy,
                drawn_at=opened.opened_at,
            )
            vote = Vote(
                id=VoteId(new_key(now)),
                battle_id=battle.id,
                verdict=Verdict.A if ranks[a] < ranks[b] else Verdict.B,
                source=Source.HUMAN,
                voter_id=opened.voter_id,
                voted_at=now,
                time_to_vote_ms=elapsed // timedelta(milliseconds=1) if elapsed >= timedelta(0) else None,
                blind=True,
                guideline_version=self._guideline_version,
                purpose=terms.purpose.value if terms else None,
                consent_version=terms.version if terms else None,
            )
            cast.append((battle, vote))
        return RankedPair(list_id(opened.prompt_id, opened.answers), len(cast)), cast

    def _served(self, text: str, author: ModelId) -> str | None:
        return self._names.served(text, author, self.rules.named_answers)

    def _shown(self, opened: OpenedList) -> ListBallot:
        told = self._store.lists.texts(opened)
        texts = told.texts
        if opened.sampling_policy.endswith(NAMES_MASKED):
            texts = tuple(self._names.masked(text, model) for text, model in zip(texts, told.models, strict=True))
        return ListBallot(opened.id, told.messages, texts, told.category, told.language)


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One of each text, by the order of the models."""
    return list({each.text_key: each for each in reversed(candidates)}.values())[::-1]


def _dense(ranks: Sequence[int], n_answers: int) -> tuple[int, ...]:
    """The ranks without gaps: 1 the best. Raises NotALabel where they are none, or all the same."""
    accepted = f"{n_answers} whole numbers from 1 to {n_answers}, not all the same; skip a list of which none is better"
    if len(ranks) != n_answers or any(not 1 <= rank <= n_answers for rank in ranks) or len(set(ranks)) == 1:
        raise NotALabel("ranks", accepted)
    order = sorted(set(ranks))
    return tuple(order.index(rank) + 1 for rank in ranks)
