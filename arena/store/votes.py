"""The log of votes: append-only, numbered, chained; and what it adds up to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from arena import __version__
from arena.battle import Battle, BattleId, ModelId, PromptId, Source, Verdict, Vote, VoterId
from arena.errors import DatabaseUnavailable, KeyTaken, VoteNotSaved
from arena.pack import answer_id, prompt_digest
from arena.preferences import PairTally
from arena.store.ballots import battle_row
from arena.store.chain import GENESIS, entry_hash
from arena.store.database import Database
from arena.store.row import first, to_json, to_messages
from arena.table import append
from arena.tally import Selection, Tally
from arena.vote_table import OPTIONAL, Answers, VoteTable

# The columns of a vote between its number and its hashes, as the table has them.
_COLUMNS = (
    *("seq", "vote_id", "battle_id", "voted_at", "stored_at", "verdict", "source", "voter_id", "shown_on_left"),
    *("strength", "confidence", "dimensions", "reasons", "comments", "voter_wrote_prompt", "time_to_vote_ms", "blind"),
    *("guideline_version", "prompt_digest", "phase", "purpose", "consent_version", "app_version", "import_key"),
)

# What the chain covers beside the vote itself: what it was cast on. The prompt is covered by its digest, the answers by
# their ids, which are digests of their texts.
_BATTLE_COLUMNS = ("prompt_id", "answer_a", "answer_b", "model_a", "model_b", "draw_probability", "sampling_policy")

_LOG = f"""
    select {", ".join(_COLUMNS)}, {", ".join(_BATTLE_COLUMNS)}, previous_hash, hash
    from votes join battles using (battle_id) order by seq"""

_TABLE_COLUMNS = ("model_a", "model_b", "winner", *OPTIONAL)

# Stored texts that are no longer what their digest says. A text that is gone contradicts nothing.
_PROMPTS = "select prompt_id, digest, messages from prompts"
_ANSWERS = "select answer_id, prompt_id, model_id, text from answers"


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """Votes by one voter, and by everybody in this arena."""

    mine: int
    all: int


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A row of the log that does not fit the chain, and how."""

    seq: int
    vote_id: str
    fault: str


class Votes:
    """Votes only ever come in. Ratings and exports are derived from them, and never written back."""

    def __init__(self, database: Database):
        self._database = database

    def add(self, vote: Vote, battle: Battle, now: datetime) -> bool:
        """Append one vote on a stored battle. True: it is on disk. False: the battle has a vote already.

        The second vote is refused by the database (battle_id is unique), however many arrive at once.
        Raises VoteNotSaved if it could not be written; nothing is stored then.
        """
        try:
            with self._database.write() as cursor:
                self._append(cursor, [(battle, vote)], now)
        except KeyTaken:
            if self.verdict_on(battle.id) is None:
                raise
            return False
        except DatabaseUnavailable as error:
            raise VoteNotSaved(str(error)) from error
        return True

    def add_imported(self, votes: Sequence[tuple[Battle, Vote]], now: datetime) -> int:
        """Append votes from elsewhere with their battles, all or none; rows stored before (import_key) are passed over.

        Returns how many were added.
        """
        with self._database.write() as cursor:
            stored = cursor.execute(
                "select import_key from votes where import_key in (select unnest(?::varchar[]))",
                [[vote.import_key for _, vote in votes]],
            ).fetchall()
            known = {key for (key,) in stored}
            new = [(battle, vote) for battle, vote in votes if vote.import_key not in known]
            append(cursor, "battles", [battle_row(battle) for battle, _ in new])
            self._append(cursor, new, now)
            return len(new)

    def batches_of(self, battles: Sequence[BattleId]) -> set[str]:
        """The batches (files, for imported votes) of those of these battles that are stored."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select distinct batch from battles "
                "where batch is not null and battle_id in (select unnest(?::varchar[]))",
                [list(battles)],
            ).fetchall()
        return {batch for (batch,) in rows}

    def verdict_on(self, battle_id: BattleId) -> Verdict | None:
        """The verdict that was stored for a battle, or None."""
        with self._database.read() as cursor:
            row = first(cursor, "select verdict from votes where battle_id = ?", [battle_id])
        return None if row is None else Verdict(row[0])

    def revealed_to(self, voter_id: VoterId) -> dict[PromptId, set[ModelId]]:
        """The models whose names this voter has seen behind their answers, by prompt: those of every vote cast."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select prompt_id, model_a, model_b from votes join battles using (battle_id) "
                "where votes.voter_id = ? and prompt_id is not null",
                [voter_id],
            ).fetchall()
        revealed: dict[PromptId, set[ModelId]] = {}
        for prompt, *models in rows:
            revealed.setdefault(prompt, set()).update(models)
        return revealed

    def counts(self, voter_id: VoterId) -> VoteCounts:
        """How many votes this voter has cast, and how many the log holds."""
        with self._database.read() as cursor:
            rows = cursor.execute("select count(*) filter (where voter_id = ?), count(*) from votes", [voter_id])
            return VoteCounts(*rows.fetchall()[0])

    def n_by_source(self, up_to: int) -> dict[Source, int]:
        """How many of the first `up_to` votes each source has given."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select source, count(*) from votes where seq <= ? group by source order by source", [up_to]
            ).fetchall()
        return {Source(source): n for source, n in rows}

    def position(self) -> tuple[int, str]:
        """How many votes the log holds, and the hash of the last one."""
        with self._database.read() as cursor:
            return _head(cursor)

    def tallies(self, up_to: int) -> list[Tally]:
        """The first `up_to` votes of the log, counted by models, verdict and source."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select model_a, model_b, verdict, count(*), source from votes join battles using (battle_id)
                where seq <= ? group by all order by all""",
                [up_to],
            ).fetchall()
        return [Tally(a, b, Verdict(verdict), n, Source(source)) for a, b, verdict, n, source in rows]

    @contextmanager
    def table(self, selection: Selection, *, up_to: int) -> Iterator[VoteTable]:
        """The first `up_to` votes of the log, to be counted or read one by one."""
        relation = f"""(
            select model_a, model_b, verdict as winner, voter_id as voter, prompt_id, voted_at, category, language,
                v.source, answer_a, answer_b
            from votes v join battles using (battle_id) left join prompts using (prompt_id) where seq <= {up_to:d})"""
        with self._database.read() as cursor:
            yield VoteTable(
                cursor,
                relation,
                _TABLE_COLUMNS,
                selection,
                parse_model=lambda _, model: ModelId(str(model)),
                parse_winner=lambda verdict: Verdict(str(verdict)),
                refuse=lambda misread: DatabaseUnavailable(f"stored votes cannot be read: {misread[0].fault}"),
                answers=Answers("select answer_id as key, text from answers", "answer_a", "answer_b"),
                where="the votes of this arena",
            )

    def pair_tallies(self, up_to: int) -> list[PairTally]:
        """The first `up_to` votes of the log, counted by prompt, pair of answers and source, in a fixed order."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """with sided as (
                    select prompt_id, source, verdict, model_a <= model_b as in_order,
                        least(model_a, model_b) as model_first, greatest(model_a, model_b) as model_second,
                        if(in_order, answer_a, answer_b) as answer_first,
                        if(in_order, answer_b, answer_a) as answer_second
                    from votes join battles using (battle_id) where seq <= ?)
                select prompt_id, model_first, model_second, answer_first, answer_second, source,
                    count(*) filter (where verdict = if(in_order, 'A', 'B')),
                    count(*) filter (where verdict = if(in_order, 'B', 'A')),
                    count(*) filter (where verdict = 'tie'), count(*) filter (where verdict = 'both_bad')
                from sided group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6""",
                [up_to],
            ).fetchall()
        return [
            PairTally(prompt, first, second, answer_first, answer_second, Source(source), *counts)
            for prompt, first, second, answer_first, answer_second, source, *counts in rows
        ]

    def broken_links(self) -> list[BrokenLink]:
        """Walk the log: every vote that does not fit its number, the vote before it, its own hash, or its texts."""
        broken = []
        previous, expected = GENESIS, 1
        changed = self._changed_texts()
        with self._database.read() as cursor:
            cursor.execute(_LOG)
            while rows := cursor.fetchmany(10_000):
                for *values, stored_previous, stored_hash in rows:
                    record = dict(zip((*_COLUMNS, *_BATTLE_COLUMNS), values, strict=True))
                    seq, vote_id = record["seq"], record["vote_id"]
                    if seq != expected:
                        broken.append(BrokenLink(seq, vote_id, f"vote {expected:,} should stand here"))
                    elif stored_previous != previous:
                        broken.append(BrokenLink(seq, vote_id, "it does not follow the vote before it"))
                    elif entry_hash(previous, record) != stored_hash:
                        broken.append(BrokenLink(seq, vote_id, "it was changed after it was stored"))
                    elif not changed.isdisjoint({record["prompt_digest"], record["answer_a"], record["answer_b"]}):
                        broken.append(BrokenLink(seq, vote_id, "a text that it was cast on was changed"))
                    previous, expected = stored_hash, seq + 1
        return broken

    def _changed_texts(self) -> set[str]:
        """The digests of prompts and the ids of answers whose stored text is another one."""
        changed = set()
        with self._database.read() as cursor:
            cursor.execute(_PROMPTS)
            for _, digest, messages in cursor.fetchall():
                if prompt_digest(to_messages(messages)) != digest:
                    changed.add(digest)
            cursor.execute(_ANSWERS)
            while rows := cursor.fetchmany(10_000):
                changed.update(each for each, *told in rows if answer_id(*told) != each)
        return changed

    def _append(self, cursor: duckdb.DuckDBPyConnection, votes: Sequence[tuple[Battle, Vote]], now: datetime) -> None:
        n_log, previous = _head(cursor)
        asked = [battle.prompt_id for battle, _ in votes if battle.prompt_id is not None]
        stored = cursor.execute(
            "select prompt_id, digest from prompts where prompt_id in (select unnest(?::varchar[]))", [asked]
        ).fetchall()
        digests = dict(stored)
        rows = []
        for seq, (battle, vote) in enumerate(votes, n_log + 1):
            record = _record(seq, vote, now) | {"prompt_digest": digests.get(battle.prompt_id)}
            link = entry_hash(previous, record | {name: getattr(battle, name) for name in _BATTLE_COLUMNS})
            rows.append((*record.values(), previous, link))
            previous = link
        append(cursor, "votes", rows)


def _head(cursor: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    row = first(cursor, "select seq, hash from votes order by seq desc limit 1")
    return (0, GENESIS) if row is None else (row[0], row[1])


def _record(seq: int, vote: Vote, now: datetime) -> dict[str, Any]:
    """A vote as its table has it, in the table's order, without the two hashes."""
    values = (
        *(seq, vote.id, vote.battle_id, vote.voted_at, now, vote.verdict.value, vote.source.value, vote.voter_id),
        vote.shown_on_left,
        *(vote.strength, vote.confidence, to_json(vote.dimensions) if vote.dimensions else None, None, None, None),
        *(vote.time_to_vote_ms, vote.blind, vote.guideline_version, None, "production", None, None, __version__),
        vote.import_key,
    )
    return dict(zip(_COLUMNS, values, strict=True))
