"""Battles, and the blind views of them that voters were given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.battle import Ballot, BallotId, Battle, Labels, SkipReason, Verdict, VoteId, VoterId
from arena.store.database import Database
from arena.store.row import LABEL_COLUMNS, first, to_labels, to_messages
from arena.table import append

_BALLOT = f"""
    select ballot_id, messages, x.text, y.text, category, language, expires_at,
        battle_id, b.model_a, b.model_b, b.prompt_id, b.answer_a, b.answer_b,
        draw_probability, sampling_policy, drawn_at, batch, o.voter_id, opened_at, v.vote_id, v.verdict,
        w.vote_id is not null, s.reason, {", ".join(f"v.{column}" for column in LABEL_COLUMNS)}
    from ballots o join battles b using (battle_id) join prompts p using (prompt_id)
    join answers x on x.answer_id = b.answer_a join answers y on y.answer_id = b.answer_b
    left join votes v using (battle_id) left join withdrawals w on w.vote_id = v.vote_id
    left join skips s using (ballot_id)"""


@dataclass(frozen=True, slots=True)
class OpenedBallot:
    """A ballot with what the browser must not know: its battle, its voter, and what became of it.

    vote_id, verdict and labels are None for a ballot without a vote, skipped for one that was not skipped.
    """

    ballot: Ballot
    battle: Battle
    voter_id: VoterId
    opened_at: datetime
    vote_id: VoteId | None
    verdict: Verdict | None
    labels: Labels | None
    is_withdrawn: bool
    skipped: SkipReason | None


class Ballots:
    """The pair, the sides and the texts of every ballot live here; the browser has no more than the ballot's id."""

    def __init__(self, database: Database):
        self._database = database

    def add(
        self, battle: Battle, ballot_id: BallotId, voter_id: VoterId, *, opened_at: datetime, expires_at: datetime
    ) -> None:
        """Store a battle and the ballot that one voter gets of it."""
        with self._database.write() as cursor:
            append(cursor, "battles", [battle_row(battle)])
            cursor.execute(
                "insert into ballots values (?, ?, ?, ?, ?)", [ballot_id, battle.id, voter_id, opened_at, expires_at]
            )

    def find(self, ballot_id: str) -> OpenedBallot | None:
        """A ballot by its id, or None."""
        with self._database.read() as cursor:
            row = first(cursor, f"{_BALLOT} where ballot_id = ?", [ballot_id])
        return None if row is None else _opened(row)

    def open_of(self, voter_id: VoterId, now: datetime) -> OpenedBallot | None:
        """The voter's latest ballot that can still take a vote, or None."""
        # Only the voter's own votes can be on these ballots. In a long log, to look there first is ten times as fast
        # as to join everything that a ballot is.
        with self._database.read() as cursor:
            row = first(
                cursor,
                """select ballot_id from ballots where voter_id = $voter and expires_at > $now
                and battle_id not in (select battle_id from votes where voter_id = $voter)
                and ballot_id not in (select ballot_id from skips) order by opened_at desc limit 1""",
                {"voter": voter_id, "now": now},
            )
        return None if row is None else self.find(row[0])


def _opened(row: Sequence[Any]) -> OpenedBallot:
    ballot_id, messages, text_a, text_b, category, language, expires_at, *rest = row
    rest, labels = rest[: -len(LABEL_COLUMNS)], rest[-len(LABEL_COLUMNS) :]
    *battle, voter_id, opened_at, vote_id, verdict, is_withdrawn, skipped = rest
    return OpenedBallot(
        ballot=Ballot(ballot_id, to_messages(messages), text_a, text_b, category, language, expires_at),
        battle=Battle(*battle),
        voter_id=voter_id,
        opened_at=opened_at,
        vote_id=vote_id,
        verdict=None if verdict is None else Verdict(verdict),
        labels=None if verdict is None else to_labels(labels),
        is_withdrawn=is_withdrawn,
        skipped=None if skipped is None else SkipReason(skipped),
    )


def battle_row(battle: Battle) -> tuple[Any, ...]:
    """A battle as its table has it. One turn a conversation, for now: it is called by the battle's id."""
    return (
        *(battle.id, battle.id, 1, battle.prompt_id, battle.answer_a, battle.answer_b, battle.model_a, battle.model_b),
        *("fresh", battle.batch, battle.draw_probability, battle.sampling_policy, battle.drawn_at),
    )
