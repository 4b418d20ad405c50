"""Ballots of several answers that one voter puts in order, and the votes that such an order says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.battle import (
    AnswerId,
    BallotId,
    Battle,
    BattleId,
    Message,
    ModelId,
    PromptId,
    SkipReason,
    Vote,
    VoteId,
    VoterId,
)
from arena.errors import DatabaseUnavailable, VoteNotSaved
from arena.store.catalogue import SAME_QUESTION
from arena.store.database import Database
from arena.store.ranked import RankedPair
from arena.store.row import first, to_messages
from arena.store.votes import Votes

_OPENED = """
    select o.ballot_id, o.voter_id, prompt_id, answers, draw_probability, sampling_policy, opened_at, expires_at,
        ranks, first_seq, reason, w.vote_id is not null
    from list_ballots o left join rankings r using (ballot_id) left join skips s using (ballot_id)
    left join votes v on v.seq = r.first_seq left join withdrawals w on w.vote_id = v.vote_id"""


@dataclass(frozen=True, slots=True)
class OpenedList:
    """A list ballot with what the browser must not know. ranks is None for one without a ranking, skipped for one that
    was not skipped; models are those of the answers."""

    id: BallotId
    voter_id: VoterId
    prompt_id: PromptId
    answers: tuple[AnswerId, ...]
    draw_probability: float
    sampling_policy: str
    opened_at: datetime
    expires_at: datetime
    ranks: tuple[int, ...] | None = None
    first_seq: int | None = None
    skipped: SkipReason | None = None
    is_withdrawn: bool = False

    def battle_id(self, number: int) -> BattleId:
        """What the battle of a pair is called."""
        return BattleId(f"{self.id}.{number}")

    @property
    def is_closed(self) -> bool:
        return self.ranks is not None or self.skipped is not None


@dataclass(frozen=True, slots=True)
class ListTexts:
    """What the voter of a list sees; texts and models in the order in which the answers are shown."""

    messages: tuple[Message, ...]
    category: str | None
    language: str | None
    texts: tuple[str, ...]
    models: tuple[ModelId, ...]


class Lists:
    """A list takes one ranking or one skip, whatever comes at once."""

    def __init__(self, database: Database, votes: Votes):
        self._database = database
        self._votes = votes

    def open(self, opened: OpenedList) -> None:
        """Store a list ballot."""
        row = (opened.id, opened.voter_id, opened.prompt_id, list(opened.answers), opened.draw_probability)
        with self._database.write() as cursor:
            cursor.execute(
                "insert into list_ballots values (?, ?, ?, ?, ?, ?, ?, ?)",
                [*row, opened.sampling_policy, opened.opened_at, opened.expires_at],
            )

    def find(self, ballot_id: str) -> OpenedList | None:
        """A list by its id, or None."""
        with self._database.read() as cursor:
            row = first(cursor, f"{_OPENED} where o.ballot_id = ?", [ballot_id])
        return None if row is None else _opened(row)

    def open_of(self, voter_id: VoterId, now: datetime) -> OpenedList | None:
        """The list that this voter can still rank, or None."""
        with self._database.read() as cursor:
            row = first(
                cursor,
                f"{_OPENED} where o.voter_id = ? and expires_at > ? and ranks is null and reason is null "
                "order by opened_at desc limit 1",
                [voter_id, now],
            )
        return None if row is None else _opened(row)

    def last_of(self, voter_id: VoterId) -> OpenedList | None:
        """The list that this voter ranked last, withdrawn or not, or None."""
        with self._database.read() as cursor:
            row = first(
                cursor,
                f"{_OPENED} where o.voter_id = ? and ranks is not null order by first_seq desc limit 1",
                [voter_id],
            )
        return None if row is None else _opened(row)

    def skipped_by(self, voter_id: VoterId) -> frozenset[PromptId]:
        """The prompts whose lists this voter has skipped, and those that ask the same."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select twin from list_ballots join skips using (ballot_id) join {SAME_QUESTION} using (prompt_id)
                where voter_id = ?""",
                [voter_id],
            ).fetchall()
        return frozenset(prompt for (prompt,) in rows)

    def texts(self, opened: OpenedList) -> ListTexts:
        """What is shown of a list. Raises DatabaseUnavailable where its texts are not stored."""
        with self._database.read() as cursor:
            row = first(
                cursor, "select messages, category, language from prompts where prompt_id = ?", [opened.prompt_id]
            )
            rows = cursor.execute(
                "select answer_id, text, model_id from answers where answer_id in (select unnest(?::varchar[]))",
                [list(opened.answers)],
            ).fetchall()
        found = {answer: told for answer, *told in rows}
        if row is None or not found.keys() >= {*opened.answers}:
            raise DatabaseUnavailable(f"the texts of the list {opened.id} are not stored")
        texts, models = zip(*(found[each] for each in opened.answers), strict=True)
        return ListTexts(to_messages(row[0]), row[1], row[2], texts, models)

    def rank(
        self,
        opened: OpenedList,
        ranks: Sequence[int],
        votes: tuple[RankedPair, Sequence[tuple[Battle, Vote]]],
        now: datetime,
        *,
        permit: Callable[[], None],
    ) -> bool:
        """Store a ranking with its votes, all or none. False: the list has a ranking or a skip by now.

        Raises VoteNotSaved if it could not be written; nothing is stored then.
        """
        try:
            return self._database.gather(lambda: self._rank(opened, ranks, votes, now, permit))
        except DatabaseUnavailable as error:
            raise VoteNotSaved(str(error)) from error

    def _rank(
        self,
        opened: OpenedList,
        ranks: Sequence[int],
        votes: tuple[RankedPair, Sequence[tuple[Battle, Vote]]],
        now: datetime,
        permit: Callable[[], None],
    ) -> bool:
        there = self.find(opened.id)
        if there is None or there.is_closed:
            return False
        permit()
        pair, cast = votes
        first_seq = self._votes.add_list(cast, now)
        writing = self._database.writing
        writing.append("rankings", (opened.id, list(ranks), first_seq, now))
        for battle, _ in cast:
            writing.append("ranked_pairs", (battle.id, pair.list_id, pair.n_pairs))
        return True

    def skip(self, opened: OpenedList, reason: SkipReason, now: datetime) -> bool:
        """Close a list without a vote. False: it has a ranking or a skip by now."""
        with self._database.write() as cursor:
            there = self.find(opened.id)
            if there is None or there.is_closed:
                return False
            cursor.execute("insert into skips values (?, ?, ?)", [opened.id, reason.value, now])
        return True

    def vote_ids(self, opened: OpenedList) -> list[VoteId]:
        """The votes of a list that stand, in their order."""
        n = len(opened.answers) * (len(opened.answers) - 1) // 2
        ids = [opened.battle_id(number) for number in range(n)]
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select vote_id from votes where battle_id in (select unnest(?::varchar[]))
                and vote_id not in (select vote_id from withdrawals) order by seq""",
                [ids],
            ).fetchall()
        return [vote for (vote,) in rows]


def _opened(row: Sequence[Any]) -> OpenedList:
    ballot, voter, prompt, answers, probability, policy, opened_at, expires_at, ranks, seq, reason, is_withdrawn = row
    return OpenedList(
        *(ballot, voter, prompt, tuple(answers), probability, policy, opened_at, expires_at),
        ranks=None if ranks is None else tuple(ranks),
        first_seq=seq,
        skipped=None if reason is None else SkipReason(reason),
        is_withdrawn=is_withdrawn,
    )
