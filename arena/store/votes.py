"""Votes and their withdrawals as acts of the log (`arena.store.log`), and what the votes add up to."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from arena import __version__
from arena.battle import (
    BallotId,
    Battle,
    BattleId,
    ModelId,
    PromptId,
    Scale,
    Source,
    Verdict,
    Vote,
    VoterId,
    Withdrawal,
)
from arena.errors import DatabaseUnavailable, KeyTaken, VoteNotSaved
from arena.own_votes import OwnVote
from arena.store.ballots import battle_row
from arena.store.catalogue import SAME_QUESTION
from arena.store.chain import entry_hash
from arena.store.database import Database
from arena.store.log import (
    BATTLE_COLUMNS,
    LATER_COLUMNS,
    VOTE_COLUMNS,
    WITHDRAWAL,
    chained,
    decide,
    decide_all,
    head,
    redact,
    standing,
    told,
)
from arena.store.named import Named
from arena.store.own_prompts import erase_under
from arena.store.row import RATINGS, THUMBS, first, from_labels, scalar
from arena.store.voters import LastVote, Voters, VoterState
from arena.store.words import digest_of
from arena.table import append
from arena.tally import EXCLUDED, WITHDRAWN, Selection, Tally
from arena.vote_relation import OPTIONAL
from arena.vote_table import Answers, VoteTable

# Of prompts, kept in memory.
_MOST_QUESTIONS = 10_000

# What only audits ask for, and agreement.
_PROMPT_TEXT = "array_to_string(list_transform(messages, lambda message: message.content), chr(10))"
_AUDITED = ("seq", "time_to_vote_ms", "voter_wrote_prompt", "guideline_version", "prompt_digest", "draw_probability")
_JUDGED = ("bakeoff_seq", "question", "turn", "batch")
_LABELS = {
    **{each: each for each in ("scale", "strength", "dimensions", "confidence")},
    "ratings": RATINGS,
    "thumbs": THUMBS,
}

# Whoever ranks the same answers has the same list; a ranking of it is one voter's, or one time's where nobody is named.
_RANKING = "list_id || ' ' || coalesce(voter_id, '') || ' ' || voted_at::varchar"
_ANSWERS = "select answer_id as key, text, rowid as place from answers"
_TABLE_COLUMNS = ("model_a", "model_b", "winner", *OPTIONAL, *_AUDITED, *_JUDGED, *_LABELS, "prompt_text", "left_out")


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """Votes by one voter, and by everybody in this arena, without those that were withdrawn."""

    mine: int
    all: int


class _Question(NamedTuple):
    """A prompt's digest, and the ids of all prompts with the same, itself among them."""

    digest: str | None
    twins: tuple[PromptId, ...]


class Votes:
    """Votes and withdrawals only ever come in. Ratings and exports are derived from them, and never written back."""

    def __init__(self, database: Database, voters: Voters, named: Named):
        self._database = database
        self._voters = voters
        self._named = named
        self._questions: dict[PromptId, _Question] = {}
        self._n_standing: int | None = None
        database.on_forgetting(self._forget)

    def add(
        self, vote: Vote, battle: Battle, now: datetime, *, then: Callable[[Vote], object] = lambda _: None
    ) -> Vote | None:
        """Append one vote on a stored battle. Returns it as stored; None: the battle has a vote, or was skipped.

        The second vote is refused by the database (battle_id is unique), however many arrive at once; a vote after a
        skip, or the other way round, by asking inside the one transaction that writes at a time. A vote whose voter has
        seen the author of one of the two answers named, on a page or in the answer itself, is stored as not blind; one
        whose voter has taken the consent back, as one without.
        `then` is called with the stored vote before anything else is written. Raises VoteNotSaved if it could not be
        written; nothing is stored then.
        """
        try:
            self._question(battle.prompt_id)  # to be known by heart in there, where others wait
            return self._database.gather(lambda: self._add(vote, battle, now, then))
        except KeyTaken:
            if self.verdict_on(battle.id) is None:
                raise
            return None
        except DatabaseUnavailable as error:
            raise VoteNotSaved(str(error)) from error

    def _add(self, vote: Vote, battle: Battle, now: datetime, then: Callable[[Vote], object]) -> Vote | None:
        state = None if vote.voter_id is None else self._voters.of(vote.voter_id)
        opened = state.open if state is not None else None
        ballot = opened.id if opened is not None and opened.battle.id == battle.id else None
        if ballot is None and self._is_closed(battle.id):
            return None
        vote = self._as_it_stands(vote, battle, state)
        seq = self._append(vote, battle, now)
        self._database.once_stored(lambda: then(vote))
        if vote.voter_id is not None and state is not None:
            self._note(seq, (battle, vote), self._question(battle.prompt_id).twins, state, ballot)
        return vote

    def _as_it_stands(self, vote: Vote, battle: Battle, state: VoterState | None) -> Vote:
        """The vote with what is true at this instant of its voter's consent, and of whether it is cast blind.

        Asked inside the one transaction that writes, so that no exposure and no other word can come between.
        """
        if vote.consent_version is not None:
            said = state.consent if state is not None else None
            if said is None or not said.is_given or said.version != vote.consent_version:
                vote = replace(vote, consent_version=None, purpose=None)
        if state is not None and battle.prompt_id is not None:
            named = state.named.get(battle.prompt_id, frozenset())
            if not named.isdisjoint((battle.model_a, battle.model_b)):
                vote = replace(vote, blind=False)
        if not battle.is_masked and not self._named.ids().isdisjoint((battle.answer_a, battle.answer_b)):
            vote = replace(vote, blind=False)
        return vote

    def _append(self, vote: Vote, battle: Battle, now: datetime) -> int:
        """Add a vote to the log; its number there."""
        question = self._question(battle.prompt_id)
        writing = self._database.writing
        writing.head = writing.head or head(writing.cursor)
        row, link = _linked(writing.head, (battle, vote), question.digest, now)
        writing.append("votes", row)
        seq, _ = writing.head = writing.head[0] + 1, link
        self._database.once_stored(lambda: self._count(1))
        return seq

    def add_list(self, cast: Sequence[tuple[Battle, Vote]], now: datetime) -> int:
        """Append the votes of one voter that say a ranked list, with their battles; the number of the first.

        A vote is stored as not blind where its voter knows an author, as `add` does, also by the reveal of another
        vote. To be called in a `gather`, once the list is known to have no votes.
        """
        voter_id = cast[0][1].voter_id
        assert voter_id is not None  # noqa: S101 - for the type
        state = self._voters.of(voter_id)
        seqs = []
        for battle, vote in cast:
            self._database.writing.append("battles", battle_row(battle))
            seen = state.revealed.get(battle.prompt_id, frozenset()) if battle.prompt_id else frozenset[ModelId]()
            told = vote if seen.isdisjoint((battle.model_a, battle.model_b)) else replace(vote, blind=False)
            seqs.append(self._append(self._as_it_stands(told, battle, state), battle, now))
        self._voters.forget(voter_id)
        return seqs[0]

    def _is_closed(self, battle_id: BattleId) -> bool:
        with self._database.read() as cursor:
            row = first(
                cursor,
                """select 1 from votes where battle_id = $battle
                union all select 1 from skips join ballots using (ballot_id) where battle_id = $battle""",
                {"battle": battle_id},
            )
        return row is not None

    def _note(
        self,
        seq: int,
        cast: tuple[Battle, Vote],
        twins: Sequence[PromptId],
        state: VoterState,
        ballot: BallotId | None,
    ) -> None:
        """What a vote changes in the state of its voter."""
        battle, vote = cast
        assert vote.voter_id is not None  # noqa: S101 - for the type
        if ballot is None or battle.prompt_id is None:
            self._voters.forget(vote.voter_id)
            return
        revealed = dict(state.revealed)
        for twin in twins:
            revealed[twin] = revealed.get(twin, frozenset()) | {battle.model_a, battle.model_b}
        scale, strength = vote.labels.scale, vote.labels.strength
        last = LastVote(
            seq, vote.id, ballot, battle.prompt_id, vote.verdict, is_withdrawn=False, scale=scale, strength=strength
        )
        own = state.own.plus(battle, vote)
        self._voters.change(vote.voter_id, open=None, last=last, n_votes=state.n_votes + 1, revealed=revealed, own=own)

    def _question(self, prompt_id: PromptId | None) -> "_Question":
        """What a vote needs to know of its prompt."""
        if prompt_id is None:
            return _Question(None, ())
        question = self._questions.get(prompt_id)
        if question is None:
            with self._database.read() as cursor:
                rows = cursor.execute(
                    f"select digest, twin from prompts join {SAME_QUESTION} using (prompt_id) where prompt_id = ?",
                    [prompt_id],
                ).fetchall()
            question = _Question(rows[0][0] if rows else None, tuple(twin for _, twin in rows))
            if len(self._questions) >= _MOST_QUESTIONS:
                self._questions.clear()
            self._questions[prompt_id] = question
        return question

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
            self._append_imported(cursor, new, now)
            self._database.once_stored(self._database.forget)
            return len(new)

    def withdraw(self, withdrawal: Withdrawal, *, then: Callable[[], object] = lambda: None) -> None:
        """Append the withdrawal of a stored vote; what its voter wrote goes with it.

        `then` is called once it is stored, before anything else is written. Raises KeyTaken, and stores nothing, if it
        was withdrawn before.
        """
        with self._database.write() as cursor:
            decide(cursor, WITHDRAWAL, withdrawal.vote_id, withdrawal.voter_id, withdrawal.withdrawn_at)
            redact(cursor, [withdrawal.vote_id], withdrawal.withdrawn_at)
            erase_under(cursor, [withdrawal.vote_id], withdrawal.withdrawn_at)
            self._voters.forget(withdrawal.voter_id)
            self._database.once_stored(lambda: self._count(-1))
            self._database.once_stored(then)

    def withdraw_all(self, voter_id: VoterId, now: datetime) -> int:
        """Append the withdrawal of every vote of one voter that was not withdrawn before, all or none, as `withdraw`.

        Returns how many these were.
        """
        with self._database.write() as cursor:
            rows = cursor.execute(
                """select vote_id from votes where voter_id = ?
                and vote_id not in (select vote_id from withdrawals) order by seq""",
                [voter_id],
            ).fetchall()
            decide_all(cursor, WITHDRAWAL, [(vote_id, voter_id, now) for (vote_id,) in rows])
            redact(cursor, [vote_id for (vote_id,) in rows], now)
            erase_under(cursor, [vote_id for (vote_id,) in rows], now)
            self._voters.forget(voter_id)
            self._database.once_stored(lambda: self._count(-len(rows)))
        return len(rows)

    def last_of(self, voter_id: VoterId) -> LastVote | None:
        """The vote that this voter cast last, withdrawn or not, or None."""
        with self._database.read() as cursor:
            row = first(
                cursor,
                """select v.seq, v.vote_id, ballot_id, prompt_id, verdict, w.vote_id is not null, scale, strength
                from votes v join ballots using (battle_id) join battles using (battle_id)
                left join withdrawals w on w.vote_id = v.vote_id where v.voter_id = ? order by v.seq desc limit 1""",
                [voter_id],
            )
        if row is None:
            return None
        seq, vote_id, ballot_id, prompt_id, verdict, is_withdrawn, scale, strength = row
        return LastVote(seq, vote_id, ballot_id, prompt_id, Verdict(verdict), is_withdrawn, _scale(scale), strength)

    def by_voter(self, voter_id: VoterId) -> list[OwnVote]:
        """All votes of one voter, the newest first."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select scale, verdict, voted_at, model_a, model_b, left(messages[-1].content, 200),
                    w.vote_id is not null, strength
                from votes v join battles using (battle_id) left join prompts using (prompt_id)
                left join withdrawals w on w.vote_id = v.vote_id where v.voter_id = ? order by v.seq desc""",
                [voter_id],
            ).fetchall()
        return [
            OwnVote(Verdict(verdict), *told, scale=_scale(scale), strength=strength)
            for scale, verdict, *told, strength in rows
        ]

    def imported_ids(self) -> set[str]:
        """Under which ids imported rows and their voters are known here."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select import_key from votes where import_key is not null
                union select voter_id from votes where import_key is not null and voter_id is not null"""
            ).fetchall()
        return {each for (each,) in rows}

    def has_any(self, voter_id: VoterId) -> bool:
        """Whether any vote, withdrawn or not, is by this voter."""
        with self._database.read() as cursor:
            return first(cursor, "select 1 from votes where voter_id = ? limit 1", [voter_id]) is not None

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
        """The models whose names this voter has seen behind their answers, by prompt: those of every vote cast.

        Where one question is stored as several prompts, by all of these. A withdrawal takes nothing from that.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select twin, model_a, model_b from votes join battles using (battle_id)
                join {SAME_QUESTION} using (prompt_id) where votes.voter_id = ?""",
                [voter_id],
            ).fetchall()
        revealed: dict[PromptId, set[ModelId]] = {}
        for prompt, *models in rows:
            revealed.setdefault(prompt, set()).update(models)
        return revealed

    def counts(self, voter_id: VoterId) -> VoteCounts:
        """How many votes this voter has cast, and how many the log holds, without those that were withdrawn."""
        # One statement, so that no vote and no withdrawal comes between what is counted and what is taken off.
        with self._database.read() as cursor:
            [counted] = cursor.execute(
                """select cast_by_me - withdrawn_by_me, cast_by_all - withdrawn_by_all from
                (select count(*) filter (where voter_id = $me) as cast_by_me, count(*) as cast_by_all from votes),
                (select count(*) filter (where voter_id = $me) as withdrawn_by_me, count(*) as withdrawn_by_all
                    from withdrawals)""",
                {"me": voter_id},
            ).fetchall()
        return VoteCounts(*counted)

    def n_standing(self) -> int:
        """How many votes the log holds, without those that were withdrawn. Asked with each ballot: known by heart."""
        counted = "select (select count(*) from votes) - (select count(*) from withdrawals)"
        if self._database.transaction is not None:  # what is only being stored is not to be kept
            with self._database.read() as cursor:
                return scalar(cursor, counted)
        n_standing = self._n_standing
        if n_standing is None:
            with self._database.write() as cursor:  # nothing can be written between the reading and the keeping
                n_standing = self._n_standing = scalar(cursor, counted)
        return n_standing

    def n_by_source(self, up_to: int) -> dict[Source, int]:
        """How many votes that count, by the acts up to one, each source has given."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"select source, count(*) from {standing(up_to)} group by source order by source"
            ).fetchall()
        return {Source(source): n for source, n in rows}

    def tallies(self, up_to: int) -> list[Tally]:
        """The votes of the log up to an act, counted by models, verdict, source, and why they do not count."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select model_a, model_b, verdict, count(*), source, left_out from {told(up_to)}
                join battles using (battle_id) group by all order by all"""
            ).fetchall()
        return [
            Tally(a, b, Verdict(verdict), n, Source(source), left_out) for a, b, verdict, n, source, left_out in rows
        ]

    @contextmanager
    def table(self, selection: Selection, *, up_to: int, without: Collection[VoterId] = ()) -> Iterator[VoteTable]:
        """The votes of the log up to an act, to be counted or read one by one; those that do not count are left out.

        Those of the voters `without` are left out as if the host had excluded them by then.
        """
        labels = ", ".join(f"{sql} as {name}" for name, sql in _LABELS.items())
        relation = f"""(
            select model_a, model_b, verdict as winner, voter_id as voter, prompt_id, voted_at, category, language,
                v.source, answer_a, answer_b, {", ".join(_AUDITED)}, {labels}, {_PROMPT_TEXT} as prompt_text,
                seq as bakeoff_seq, coalesce(digest, prompt_id) as question, turn, batch, {_RANKING} as ranking,
                case when left_out is distinct from '{WITHDRAWN}' and voter_id in (select voter_id
                    from bakeoff_without) then '{EXCLUDED}' else left_out end as left_out
            from {told(up_to)} v join battles using (battle_id) left join prompts using (prompt_id)
                left join ranked_pairs using (battle_id))"""
        with self._database.read() as cursor:
            cursor.execute("create or replace temp table bakeoff_without (voter_id varchar)")
            append(cursor, "bakeoff_without", [(voter,) for voter in without])
            yield VoteTable(
                cursor,
                relation,
                _TABLE_COLUMNS,
                selection,
                parse_model=lambda _, model: ModelId(str(model)),
                parse_winner=lambda verdict: Verdict(str(verdict)),
                refuse=lambda misread: DatabaseUnavailable(f"stored votes cannot be read: {misread[0].fault}"),
                answers=Answers(_ANSWERS, "answer_a", "answer_b", have_places=True),
                where="the votes of this arena",
            )

    def _append_imported(
        self, cursor: duckdb.DuckDBPyConnection, votes: Sequence[tuple[Battle, Vote]], now: datetime
    ) -> None:
        asked = [battle.prompt_id for battle, _ in votes if battle.prompt_id is not None]
        found = cursor.execute(
            "select prompt_id, digest from prompts where prompt_id in (select unnest(?::varchar[]))", [asked]
        ).fetchall()
        digests = dict(found)
        n_log, link = head(cursor)
        rows = []
        for seq, (battle, vote) in enumerate(votes, n_log):
            row, link = _linked((seq, link), (battle, vote), digests.get(battle.prompt_id), now)
            rows.append(row)
        append(cursor, "votes", rows)

    def _count(self, n: int) -> None:
        if self._n_standing is not None:
            self._n_standing += n

    def _forget(self) -> None:
        self._questions.clear()
        self._n_standing = None


def _linked(
    last: tuple[int, str], cast: tuple[Battle, Vote], prompt_digest: str | None, now: datetime
) -> tuple[tuple[Any, ...], str]:
    """A vote as its table has it, as the act after the last one of the log, and its hash."""
    (n_log, previous), (battle, vote) = last, cast
    record = _record(n_log + 1, vote, now) | {"prompt_digest": prompt_digest}
    on = {name: getattr(battle, name) for name in (*BATTLE_COLUMNS, "item_kind")}
    link = entry_hash(previous, chained(record | on))
    stored = [record[name] for name in VOTE_COLUMNS]
    return (*stored, previous, link, *(record[name] for name in LATER_COLUMNS), vote.comment_salt), link


def _scale(value: str | None) -> Scale | None:
    return None if value is None else Scale(value)


def _record(seq: int, vote: Vote, now: datetime) -> dict[str, Any]:
    """A vote by the columns of its table, without the two hashes and the salt."""
    said = from_labels(vote.labels)
    return dict.fromkeys(VOTE_COLUMNS) | {
        "seq": seq,
        "vote_id": vote.id,
        "battle_id": vote.battle_id,
        "voted_at": vote.voted_at,
        "voter_wrote_prompt": vote.voter_wrote_prompt,
        "stored_at": now,
        "verdict": vote.verdict.value,
        "source": vote.source.value,
        "voter_id": vote.voter_id,
        "shown_on_left": vote.shown_on_left,
        **said,
        "comments_digest": digest_of(said["comments"], vote.comment_salt),
        "time_to_vote_ms": vote.time_to_vote_ms,
        "blind": vote.blind,
        "guideline_version": vote.guideline_version,
        "phase": "production",
        "purpose": vote.purpose,
        "consent_version": vote.consent_version,
        "app_version": __version__,
        "import_key": vote.import_key,
    }
