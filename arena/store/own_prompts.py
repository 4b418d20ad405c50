"""Prompts that voters typed themselves, with the answers that two models gave them live, for one battle each.

Such a prompt is its voter's own text, and goes when the voter takes the vote back: then it is deleted with its answers,
and what stays is a battle between two models. The chain covers it by a salted digest, so that nobody can test a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from arena.battle import Answer, AnswerId, BallotId, Battle, Prompt, SkipReason, VoterId
from arena.pack import prompt_digest
from arena.store.ballots import Ballots
from arena.store.database import Database
from arena.store.named import Named
from arena.store.row import from_messages, to_json
from arena.store.voters import OpenedBallot, Voters

# Of erased prompts whose bytes may still be in the file, and the note that they are not.
N_UNERASED = "select count(*) from own_prompts where erased_at is not null and not is_rewritten"
ERASED = "update own_prompts set is_rewritten = true where erased_at is not null"

NOBODY = "voter"
"""The source of such a prompt: nobody is named."""


@dataclass(frozen=True, slots=True)
class LiveBattle:
    """A battle with what was made for it: the prompt, and an answer by each of the two models.

    `told` are the answers that tell who wrote them, each with its words, where they are served all the same.
    """

    battle: Battle
    prompt: Prompt
    answers: tuple[Answer, Answer]
    told: tuple[tuple[AnswerId, str], ...] = ()


class OwnPrompts:
    """They come in whole, with both answers and the ballot, and go whole."""

    def __init__(self, database: Database, ballots: Ballots, voters: Voters, named: Named):
        self._database = database
        self._named = named
        self._ballots = ballots
        self._voters = voters

    def add(
        self,
        live: LiveBattle,
        ballot_id: BallotId,
        voter_id: VoterId,
        *,
        salt: str,
        opened_at: datetime,
        expires_at: datetime,
    ) -> OpenedBallot:
        """Store a live battle with everything that belongs to it, all or nothing; nobody else is ever given it.

        A ballot of this voter that is still open is skipped: who could hold several could choose which to vote on.
        `salt` is a random text. Raises DatabaseUnavailable where it cannot be stored.
        """
        prompt = live.prompt

        def store() -> OpenedBallot:
            writing = self._database.writing
            digest = prompt_digest(prompt.messages, salt)
            messages = from_messages(prompt.messages)
            writing.append("prompts", (prompt.id, digest, messages, None, prompt.language, NOBODY, None, opened_at))
            writing.append("own_prompts", (prompt.id, voter_id, salt, opened_at, None, False))
            for each in live.answers:
                made = (each.revision, to_json(each.params), each.tokens, each.latency_ms, each.finish_reason)
                # In force for no moment: an answer that is not in force is kept for its votes, and not served.
                writing.append(
                    "answers", (each.id, each.prompt_id, each.model_id, each.text, *made, opened_at, opened_at)
                )
            for row in live.told:
                writing.append("named_answers", row)
            if live.told:
                self._database.once_stored(self._named.forget)
            self._close_open(voter_id, opened_at)
            return self._ballots.add(live.battle, ballot_id, voter_id, opened_at=opened_at, expires_at=expires_at)

        return self._database.gather(store)

    def _close_open(self, voter_id: VoterId, now: datetime) -> None:
        opened = self._voters.of(voter_id).open
        if opened is not None:
            self._database.writing.append("skips", (opened.id, SkipReason.OTHER.value, now))
            erase_without_vote(self._database.writing.cursor, opened.id, now)
            self._voters.forget(voter_id)

    def erase_expired(self, now: datetime) -> None:
        """Erase the prompts of ballots that nobody can vote on any more."""
        with self._database.write() as cursor:
            rows = cursor.execute(
                """select prompt_id from own_prompts join battles using (prompt_id) join ballots using (battle_id)
                where erased_at is null and expires_at <= ? and battle_id not in (select battle_id from votes)""",
                [now],
            ).fetchall()
            if rows:
                erase(cursor, [prompt for (prompt,) in rows], now)

    def erase_all_of(self, voter_id: VoterId, now: datetime) -> int:
        """Erase every prompt that this voter typed, whether a vote came of it or not; returns how many there were."""
        with self._database.write() as cursor:
            rows = cursor.execute(
                "select prompt_id from own_prompts where voter_id = ? and erased_at is null", [voter_id]
            ).fetchall()
            # A ballot without its texts cannot be voted on.
            cursor.execute(
                """insert into skips select ballot_id, ?, ? from ballots join battles using (battle_id)
                where prompt_id in (select unnest(?::varchar[])) and battle_id not in (select battle_id from votes)
                and ballot_id not in (select ballot_id from skips)""",
                [SkipReason.OTHER.value, now, [prompt for (prompt,) in rows]],
            )
            erase(cursor, [prompt for (prompt,) in rows], now)
            self._voters.forget(voter_id)
            self._database.once_stored(self._database.forget)
        return len(rows)


def erase(cursor: duckdb.DuckDBPyConnection, prompts: Sequence[str], now: datetime) -> None:
    """Delete these own prompts and their answers. To be called in a `write`."""
    for statement in (
        "delete from named_answers where answer_id in (select answer_id from answers where prompt_id in {these})",
        "delete from answers where prompt_id in {these}",
        "delete from prompts where prompt_id in {these}",
    ):
        cursor.execute(statement.format(these="(select unnest(?::varchar[]))"), [prompts])
    cursor.execute(
        "update own_prompts set salt = null, erased_at = ? where prompt_id in (select unnest(?::varchar[]))",
        [now, prompts],
    )


def erase_without_vote(cursor: duckdb.DuckDBPyConnection, ballot_id: str, now: datetime) -> None:
    """Erase the own prompt of a ballot that is closed without a vote. To be called in a `write`."""
    rows = cursor.execute(
        """select prompt_id from ballots join battles using (battle_id) join own_prompts using (prompt_id)
        where ballot_id = ? and erased_at is null""",
        [ballot_id],
    ).fetchall()
    if rows:
        erase(cursor, [prompt for (prompt,) in rows], now)


def erase_under(cursor: duckdb.DuckDBPyConnection, vote_ids: Sequence[str], now: datetime) -> None:
    """Erase the own prompts that these votes were cast on. To be called in a `write`, after the withdrawals."""
    rows = cursor.execute(
        """select prompt_id from votes join battles using (battle_id) join own_prompts using (prompt_id)
        where vote_id in (select unnest(?::varchar[])) and erased_at is null""",
        [vote_ids],
    ).fetchall()
    if rows:
        erase(cursor, [prompt for (prompt,) in rows], now)
