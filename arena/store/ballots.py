"""Battles, and the blind views of them that voters were given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from arena.battle import Ballot, BallotId, Battle, ItemKind, SkipReason, Verdict, VoterId
from arena.errors import DatabaseUnavailable
from arena.store.database import Database
from arena.store.row import LABEL_COLUMNS, first, to_labels, to_messages
from arena.store.voters import OpenedBallot, Voters

_OPENED = f"""
    select ballot_id, o.voter_id, opened_at, expires_at,
        battle_id, model_a, model_b, prompt_id, answer_a, answer_b, draw_probability, sampling_policy, drawn_at, batch,
        item_kind,
        v.vote_id, v.verdict, v.blind, w.vote_id is not null, s.reason,
        {", ".join(f"v.{column}" for column in LABEL_COLUMNS)}
    from ballots o join battles b using (battle_id)
    left join votes v using (battle_id) left join withdrawals w on w.vote_id = v.vote_id
    left join skips s using (ballot_id)"""

_TEXTS = """
    select messages, category, language, x.text, y.text from prompts
    join answers x on x.answer_id = ? join answers y on y.answer_id = ? where prompts.prompt_id = ?"""


class Ballots:
    """The pair, the sides and the texts of every ballot live here; the browser has no more than the ballot's id."""

    def __init__(self, database: Database, voters: Voters):
        self._database = database
        self._voters = voters

    def add(
        self, battle: Battle, ballot_id: BallotId, voter_id: VoterId, *, opened_at: datetime, expires_at: datetime
    ) -> OpenedBallot:
        """Store a battle and the ballot that one voter gets of it."""
        return self._database.gather(
            lambda: self._add(OpenedBallot(ballot_id, battle, voter_id, opened_at, expires_at))
        )

    def _add(self, opened: OpenedBallot) -> OpenedBallot:
        self._database.writing.append("battles", battle_row(opened.battle))
        row = (opened.id, opened.battle.id, opened.voter_id, opened.opened_at, opened.expires_at)
        self._database.writing.append("ballots", row)
        self._voters.change(opened.voter_id, open=opened)
        return opened

    def shown(self, opened: OpenedBallot) -> Ballot:
        """What the voter of a ballot sees of it. Raises DatabaseUnavailable where its texts are not stored."""
        battle = opened.battle
        with self._database.read() as cursor:
            row = first(cursor, _TEXTS, [battle.answer_a, battle.answer_b, battle.prompt_id])
        if row is None:
            raise DatabaseUnavailable(f"the texts of battle {battle.id} are not stored")
        messages, category, language, text_a, text_b = row
        return Ballot(opened.id, to_messages(messages), text_a, text_b, category, language, opened.expires_at)

    def find(self, ballot_id: str) -> OpenedBallot | None:
        """A ballot by its id, or None."""
        with self._database.read() as cursor:
            row = first(cursor, f"{_OPENED} where ballot_id = ?", [ballot_id])
        return None if row is None else _opened(row)

    def open_of(self, voter_id: VoterId) -> OpenedBallot | None:
        """The voter's latest ballot that has neither vote nor skip, expired or not, or None."""
        # Only the voter's own votes can be on these ballots. In a long log, to look there first is ten times as fast
        # as to join everything that a ballot is.
        with self._database.read() as cursor:
            row = first(
                cursor,
                """select ballot_id from ballots where voter_id = $voter
                and battle_id not in (select battle_id from votes where voter_id = $voter)
                and ballot_id not in (select ballot_id from skips) order by opened_at desc limit 1""",
                {"voter": voter_id},
            )
        return None if row is None else self.find(row[0])


def _opened(row: Sequence[Any]) -> OpenedBallot:
    values, labels = row[: -len(LABEL_COLUMNS)], row[-len(LABEL_COLUMNS) :]
    ballot_id, voter_id, opened_at, expires_at, *battle, kind, vote_id, verdict, blind, is_withdrawn, skipped = values
    return OpenedBallot(
        id=ballot_id,
        battle=Battle(*battle, item_kind=ItemKind(kind)),
        voter_id=voter_id,
        opened_at=opened_at,
        expires_at=expires_at,
        vote_id=vote_id,
        verdict=None if verdict is None else Verdict(verdict),
        labels=None if verdict is None else to_labels(labels),
        blind=blind,
        is_withdrawn=is_withdrawn,
        skipped=None if skipped is None else SkipReason(skipped),
    )


def battle_row(battle: Battle) -> tuple[Any, ...]:
    """A battle as its table has it. One turn a conversation, for now: it is called by the battle's id."""
    return (
        *(battle.id, battle.id, 1, battle.prompt_id, battle.answer_a, battle.answer_b, battle.model_a, battle.model_b),
        *(battle.item_kind.value, battle.batch, battle.draw_probability, battle.sampling_policy, battle.drawn_at),
    )
