"""The rules of the game: open a ballot, cast a vote, reveal. Nothing of the web.

open     a voter gets the ballot that is still open for them, or a new one that the server draws and stores first
cast     the ballot takes one verdict, from its voter, before it expires; the database enforces the "one"
reveal   what a stored vote returns: who wrote the two answers; nothing else opens it
skip     the ballot is closed without a vote and without a reveal, and the voter does not get these two answers again
consent  the voter says whether the own votes may be published: a yes goes along with each vote from then on, a no also
         holds for all votes before it
withdraw the voter takes the last vote back, until the next one is cast; the log keeps both acts, the vote counts no
         more, and the ballot stays closed, because its names were shown; or all votes, at any time
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from arena.battle import (
    NAMES_MASKED,
    Ballot,
    BallotId,
    Battle,
    BattleId,
    Consent,
    Contender,
    ItemKind,
    Labels,
    Model,
    ModelId,
    PairRecord,
    Reveal,
    Side,
    SkipReason,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    Withdrawal,
    pair_of,
)
from arena.consent import ConsentRules
from arena.errors import (
    AlreadyVoted,
    BallotExpired,
    BallotSkipped,
    ConsentNeeded,
    NoBallotLeft,
    NotAsked,
    NothingToWithdraw,
    NotOffered,
    TooLateToWithdraw,
    UnknownBallot,
    VoteWithdrawn,
)
from arena.items import Items, View
from arena.labels import LabelRules
from arena.leaderboard import Leaderboard, Snapshot
from arena.own_votes import OwnRecord, OwnVote, records
from arena.pairing import Policy, Pool
from arena.rules import BallotRules
from arena.self_naming import Names
from arena.store import LastVote, OpenedBallot, VoteCounts, VoteStore

NO_LABELS = Labels()

# What may raise an error before something is stored; then nothing is.
Permit = Callable[[], None]


def freely() -> None:
    """The permit that everybody has."""


# Nobody guesses 120 random bits.
_MINUTE_BYTES, _RANDOM_BYTES = 3, 15


def new_id() -> str:
    """128 random bits, as 22 letters: it carries no order and names nothing. Whatever a browser learns is called so."""
    return secrets.token_urlsafe(16)


def new_key(now: datetime) -> str:
    """A fresh key of the database, which no browser learns: 120 random bits behind the minute of its making.

    Indexes are in memory as far as they were touched since the last checkpoint. Keys of one minute are near each other
    there, so that new ones do not bring back the old: random all through, they would touch all of the index before
    long. 24 letters of base64url; the minutes begin again after 31 years.
    """
    minute = int(now.timestamp()) // 60 % 256**_MINUTE_BYTES
    return urlsafe_b64encode(minute.to_bytes(_MINUTE_BYTES) + secrets.token_bytes(_RANDOM_BYTES)).decode("ascii")


@dataclass(frozen=True, slots=True)
class OwnVotes:
    """What one voter sees of the own votes: the record of each model, all votes from the newest on, and the models."""

    records: tuple[OwnRecord, ...]
    votes: tuple[OwnVote, ...]
    models: dict[ModelId, Model]


class Booth:
    """Where one arena's voters vote. Any number of threads may use it.

    `rng` draws pairs and sides: `random.SystemRandom()` where people vote, so that nobody can foretell a draw, and a
    seeded `random.Random` where a run must repeat. `board` gives the latest snapshot for the reveal, or None.

    Where the rules want pairs drawn by the votes that they have, those of people count: the log's when the booth
    opens, and each one that is cast in it; not those of voters whom the host has excluded (`recount`).
    """

    def __init__(self, store: VoteStore, *, rng: Random, board: Callable[[], Snapshot | None], now: datetime):
        rules = store.catalogue.rules()
        self.rules: BallotRules = rules.ballot
        self.labels: LabelRules = rules.labels
        self.consent: ConsentRules | None = rules.consent
        guideline = store.catalogue.guideline()
        self.holdings = store.holdings
        self._store = store
        self._rng = rng
        self._board = board
        self.lifetime = timedelta(minutes=self.rules.expires_after_minutes)
        self._guideline_version = guideline.version if guideline else None
        self._models = store.catalogue.models()
        self._names = Names.of(self._models.values())
        self._named = store.named.ids()
        self._pool = Pool(
            store.catalogue.candidates(now, named=self._served),
            Policy(rules.pairing.mode, uniform_share=rules.pairing.uniform_share),
        )
        self._items = Items(self._pool, rules.items.shares())
        self._items_version = self._gold_version = -1
        self._excluded: frozenset[VoterId] = frozenset()
        self.recount()

    def recount(self) -> None:
        """Count the log anew for the next draws: the votes of a voter who was excluded steer none any more."""
        with self._store.together():  # so that no vote comes between what is read here and what is counted one by one
            self._excluded = frozenset(self._store.exclusions.n_votes())
            self._pool.forget_votes()
            for tally in self._store.votes.tallies(up_to=self._store.log.position()[0]):
                if tally.source is Source.HUMAN and tally.left_out is None:
                    self._pool.count(tally.model_a, tally.model_b, tally.verdict, tally.n)
            self._renew_items()

    def open(self, voter_id: VoterId, now: datetime, *, permit: Permit = freely) -> Ballot:
        """The voter's open ballot, so that a reload shows the same pair again; else a new one.

        The new pair is drawn among all that this voter can judge blind: an answer whose author a vote has revealed to
        them, or a page with sample ballots has named, is not shown again. However many requests come at once, a voter
        has one open ballot. `permit` is asked before a new one is drawn.

        Raises NoBallotLeft when no pair is left, ConsentNeeded where the rules want a yes that is not there, NotOffered
        where they want lists, DatabaseUnavailable when it cannot be stored.
        """
        if self.rules.kind != "pair":
            raise NotOffered("open a ballot of two answers")
        self.check_consent(voter_id)
        opened = self._open_of(voter_id, now)
        if opened is None:
            # Asked once more there, where no other request of this voter can come between.
            opened = self._store.gather(lambda: self._open_of(voter_id, now) or self._draw(voter_id, now, permit))
        return self.shown(opened)

    def still_open(self, voter_id: VoterId, now: datetime) -> Ballot | None:
        """The ballot that this voter has not voted on yet, or None; nothing is drawn."""
        opened = self._open_of(voter_id, now)
        return None if opened is None else self.shown(opened)

    @property
    def has_pairs(self) -> bool:
        """Whether there is any pair of answers in the bank."""
        return self._pool.n_pairs > 0

    def cast(
        self,
        ballot_id: str,
        verdict: Verdict,
        voter_id: VoterId,
        now: datetime,
        labels: Labels = NO_LABELS,
        *,
        permit: Permit = freely,
    ) -> Reveal:
        """Store the verdict with its labels and reveal the names; when this returns, the vote is on disk.

        The same verdict with the same labels again returns the same reveal and stores nothing, so a client that lost
        the answer may ask once more: `permit` is asked only when a vote is about to be stored.

        Raises UnknownBallot for a ballot that is not this voter's, BallotExpired, BallotSkipped, ConsentNeeded where
        the rules want a yes that is not there, NotALabel for labels that the rules do not ask for, AlreadyVoted where
        the stored verdict or its labels are others, VoteWithdrawn for a vote that was taken back, VoteNotSaved when the
        commit failed.
        """
        opened = self._find(ballot_id, voter_id)
        if opened.verdict is None and opened.skipped is None:
            if now >= opened.expires_at:
                raise BallotExpired(opened.id)
            self.check_consent(voter_id)
            self.labels.check(verdict, labels)
            permit()
            vote, count = self._vote(opened, verdict, labels, now), partial(self._count, opened, verdict, 1)
            if self._store.votes.add(vote, opened.battle, now, then=lambda stored: count(stored.blind)):
                return self._reveal(opened.battle, verdict)
            opened = self._find(ballot_id, voter_id)
        if opened.verdict is None:
            raise BallotSkipped(opened.id)
        if opened.is_withdrawn:
            raise VoteWithdrawn(opened.id)
        if (opened.verdict, opened.labels) != (verdict, labels):
            raise AlreadyVoted(opened.id, opened.verdict, opened.labels or NO_LABELS)
        return self._reveal(opened.battle, verdict)

    def skip(self, ballot_id: str, reason: SkipReason, voter_id: VoterId, now: datetime) -> None:
        """Close the ballot without a vote. A second skip changes nothing: the first reason stays.

        Raises UnknownBallot, BallotExpired, AlreadyVoted or VoteWithdrawn for a ballot that had a vote, NotOffered
        where the rules have it so, DatabaseUnavailable when it could not be stored.
        """
        if not self.rules.skip:
            raise NotOffered("skip a ballot")
        opened = self._find(ballot_id, voter_id)
        if opened.verdict is None and opened.skipped is None:
            if now >= opened.expires_at:
                raise BallotExpired(opened.id)
            if self._store.skips.add(opened.id, reason, now):
                self._note(opened, None)
                return
            opened = self._find(ballot_id, voter_id)
        if opened.is_withdrawn:
            raise VoteWithdrawn(opened.id)
        if opened.verdict is not None:
            raise AlreadyVoted(opened.id, opened.verdict, opened.labels or NO_LABELS)

    def withdraw(self, ballot_id: str, voter_id: VoterId, now: datetime) -> Verdict:
        """Take this voter's last vote back; returns what it was. Again, it stores nothing and returns the same.

        A vote is the last one until its voter casts the next, however long that takes; a skip in between does not
        matter. Raises UnknownBallot, NothingToWithdraw for a ballot without a vote, TooLateToWithdraw for an earlier
        vote, NotOffered where the rules have it so, DatabaseUnavailable when it could not be stored.
        """
        if not self.rules.undo:
            raise NotOffered("withdraw a vote")
        with self._store.together():  # so that no vote and no second withdrawal can come between
            opened = self._find(ballot_id, voter_id)
            if opened.vote_id is None or opened.verdict is None:
                raise NothingToWithdraw(opened.id)
            if opened.is_withdrawn:
                return opened.verdict
            last = self._store.votes.last_of(voter_id)
            if last is None or last.vote_id != opened.vote_id:
                raise TooLateToWithdraw(opened.id)
            verdict = opened.verdict
            self._store.votes.withdraw(
                Withdrawal(opened.vote_id, voter_id, now), then=lambda: self._count(opened, verdict, -1, opened.blind)
            )
        return verdict

    def withdraw_all(self, voter_id: VoterId, now: datetime) -> int:
        """Take all votes of this voter back, at once or not at all; returns how many were still standing.

        A voter's right, whatever the rules of the game say of undoing the last vote. What the voter wrote goes with
        the votes, and how the voter judged the worked examples goes too. What the voter has seen stays noted, so that
        votes cast from now on are blind as ever; a ballot that is open stays open. Raises DatabaseUnavailable when it
        could not be stored.
        """
        with self._store.together():
            n_withdrawn = self._store.votes.withdraw_all(voter_id, now)
            self._store.calibrations.forget(voter_id)
            self._store.own_prompts.erase_all_of(voter_id, now)
        self.recount()
        return n_withdrawn

    def consent_of(self, voter_id: VoterId) -> Consent | None:
        """What this voter said last of publishing the own votes; None: nothing yet."""
        return self._store.voters.of(voter_id).consent

    def say(self, voter_id: VoterId, version: str, *, is_given: bool, now: datetime, permit: Permit = freely) -> None:
        """Store whether this voter's votes may be published, on the terms of a version. The same again stores nothing.

        A yes is taken to the terms in force alone, and counted by `permit`; a no at any time, also where the rules have
        ceased to ask. Raises NotAsked for other terms, DatabaseUnavailable when it could not be stored.
        """
        with self._store.together():  # so that no other word of this voter can come between
            said = self.consent_of(voter_id)
            versions = {said.version} if said and not is_given else set[str]()
            if self.consent is not None:
                versions.add(self.consent.version)
            if version not in versions:
                raise NotAsked(version)
            if said is None or (said.version, said.is_given) != (version, is_given):
                if is_given:
                    permit()
                self._store.consents.add(Consent(voter_id, version, is_given, now))

    def n_with_consent(self, voter_id: VoterId) -> int:
        """How many votes of this voter stand, and are under a consent that was not taken back."""
        return self._store.consents.n_votes(voter_id)

    def last_vote(self, voter_id: VoterId) -> LastVote | None:
        """The vote that this voter can withdraw, or None."""
        last = self._store.voters.of(voter_id).last if self.rules.undo else None
        return None if last is None or last.is_withdrawn else last

    def others_on(self, reveal: Reveal, voter_id: VoterId) -> PairRecord | None:
        """How others voted on the two models, by the votes of the board; None without a board, or with few of them.

        n_a counts the votes for the model of side A, wherever it stood.
        """
        snapshot, enough = self._board(), self.rules.show_others_from
        if snapshot is None or enough == 0:
            return None
        record = self._store.others.on_pair(
            reveal.a.model.id, reveal.b.model.id, sources=snapshot.sources, up_to=snapshot.n_log, but_by=voter_id
        )
        return record if record.n >= enough else None

    def own_votes(self, voter_id: VoterId) -> OwnVotes:
        """This voter's votes, and what they add up to."""
        votes = self._store.votes.by_voter(voter_id)
        return OwnVotes(tuple(records(votes)), tuple(votes), self._models)

    def counts(self, voter_id: VoterId) -> VoteCounts:
        """How many votes this voter has cast, and how many the arena holds, without those that were withdrawn."""
        return VoteCounts(self._store.voters.of(voter_id).n_votes, self._store.votes.n_standing())

    def check_database(self) -> None:
        """Raise DatabaseUnavailable where the database does not answer."""
        self._store.check()

    def n_acts(self) -> int:
        """How many acts the log holds: votes, and withdrawals of votes."""
        return self._store.log.position()[0]

    def terms_of(self, voter_id: VoterId) -> ConsentRules | None:
        """The terms in force, where this voter has said yes to them."""
        terms = self.consent
        said = self.consent_of(voter_id) if terms is not None else None
        if terms is None or said is None or not said.is_given or said.version != terms.version:
            return None
        return terms

    def check_consent(self, voter_id: VoterId) -> None:
        """Raise ConsentNeeded where the rules want a yes that this voter has not said."""
        if self.consent is not None and self.consent.required and self.terms_of(voter_id) is None:
            raise ConsentNeeded

    def _count(self, opened: OpenedBallot, verdict: Verdict, n: int, blind: bool | None) -> None:
        counts = blind is not False and opened.voter_id not in self._excluded
        if counts:
            self._pool.count(opened.battle.model_a, opened.battle.model_b, verdict, n)
        self._note(opened, verdict if counts and n > 0 else None)

    def _note(self, opened: OpenedBallot, verdict: Verdict | None) -> None:
        """Let the next draws know what came of a ballot: a verdict, or nothing that counts."""
        battle = opened.battle
        if battle.answer_a is None or battle.answer_b is None:
            return
        pair = pair_of(battle.answer_a, battle.answer_b)
        told = verdict if verdict is None or pair[0] == battle.answer_a else verdict.swapped
        self._items.judged(pair, battle.item_kind, opened.voter_id, told)

    def _renew_items(self) -> None:
        self._items_version, self._gold_version = self._store.overlaps.version, self._store.gold.version
        self._items.renew(self._store.overlaps.all(), self._store.gold.pairs())

    def _find(self, ballot_id: str, voter_id: VoterId) -> OpenedBallot:
        known = self._store.voters.of(voter_id).open
        if known is not None and known.id == ballot_id:
            return known
        opened = self._store.ballots.find(ballot_id)
        if opened is None or opened.voter_id != voter_id:
            raise UnknownBallot(ballot_id)
        return opened

    def _draw(self, voter_id: VoterId, now: datetime, permit: Permit) -> OpenedBallot:
        permit()
        state = self._store.voters.of(voter_id)
        named = dict(state.revealed)
        for prompt, models in state.named.items():
            named[prompt] = named.get(prompt, frozenset()) | models
        if self._items_version != self._store.overlaps.version:  # as after a write that failed
            self._renew_items()
        elif self._gold_version != self._store.gold.version:
            self._gold_version = self._store.gold.version
            self._items.renew_known(self._store.gold.pairs())
        draw = self._items.draw(View(named, state.skipped, *state.own), self._rng, now)
        if draw is None:
            raise NoBallotLeft(is_arena_empty=self._pool.n_pairs == 0)
        is_masked = self.rules.named_answers == "mask" and not self._named.isdisjoint(
            (draw.a.answer_id, draw.b.answer_id)
        )
        battle = Battle(
            id=BattleId(new_key(now)),
            prompt_id=draw.a.prompt_id,
            answer_a=draw.a.answer_id,
            answer_b=draw.b.answer_id,
            model_a=draw.a.model_id,
            model_b=draw.b.model_id,
            draw_probability=draw.probability,
            sampling_policy=draw.policy + (NAMES_MASKED if is_masked else ""),
            drawn_at=now,
            item_kind=draw.kind,
        )
        # Told at once, and not when it is stored: others may draw before that. A write that fails renews everything.
        pair = pair_of(draw.a.answer_id, draw.b.answer_id)
        self._items.opened(pair, draw.kind, voter_id, now, now + self.lifetime)
        ballot_id = BallotId(new_id())
        return self._store.ballots.add(battle, ballot_id, voter_id, opened_at=now, expires_at=now + self.lifetime)

    def _open_of(self, voter_id: VoterId, now: datetime) -> OpenedBallot | None:
        opened = self._store.voters.of(voter_id).open
        return opened if opened is not None and opened.expires_at > now else None

    def _served(self, text: str, author: ModelId) -> str | None:
        return self._names.served(text, author, self.rules.named_answers)

    def shown(self, opened: OpenedBallot) -> Ballot:
        """The ballot as its voter sees it. Both answers are masked alike, whichever of them tells who wrote it."""
        ballot, battle = self._store.ballots.shown(opened), opened.battle
        if not battle.is_masked:
            return ballot
        return replace(
            ballot,
            answer_a=self._names.masked(ballot.answer_a, battle.model_a),
            answer_b=self._names.masked(ballot.answer_b, battle.model_b),
        )

    def _vote(self, opened: OpenedBallot, verdict: Verdict, labels: Labels, now: datetime) -> Vote:
        elapsed, terms = now - opened.opened_at, self.terms_of(opened.voter_id)
        return Vote(
            id=VoteId(new_key(now)),
            battle_id=opened.battle.id,
            verdict=verdict,
            source=Source.HUMAN,
            voter_id=opened.voter_id,
            voted_at=now,
            shown_on_left=Side.A,
            # A clock that was set back between the two gives no time rather than a false one.
            time_to_vote_ms=elapsed // timedelta(milliseconds=1) if elapsed >= timedelta(0) else None,
            # Who judges a pair again has seen the names after the first time.
            blind=opened.battle.item_kind is not ItemKind.REPEAT,
            guideline_version=self._guideline_version,
            purpose=terms.purpose.value if terms else None,
            consent_version=terms.version if terms else None,
            voter_wrote_prompt=True if opened.battle.is_live else None,
            labels=labels,
            comment_salt=None if labels.comment is None else new_id(),
        )

    def _reveal(self, battle: Battle, verdict: Verdict) -> Reveal:
        snapshot = self._board()
        board = snapshot.leaderboard if snapshot else None
        return Reveal(verdict, self._contender(battle.model_a, board), self._contender(battle.model_b, board))

    def contenders(self, models: Sequence[ModelId]) -> tuple[Contender, ...]:
        """These models as a reveal shows them."""
        snapshot = self._board()
        return tuple(self._contender(each, snapshot.leaderboard if snapshot else None) for each in models)

    def _contender(self, model_id: ModelId, board: Leaderboard | None) -> Contender:
        entry = board.entry(model_id) if board else None
        if entry is None:
            return Contender(self._models[model_id])
        return Contender(self._models[model_id], entry.score, entry.low, entry.high, entry.rank_low, entry.rank_high)
