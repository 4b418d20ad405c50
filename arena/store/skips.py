"""Ballots that were closed without a vote: why, and which pairs a voter is not to be asked about again."""

from datetime import datetime

from arena.battle import AnswerId, BallotId, SkipReason, VoterId
from arena.errors import KeyTaken
from arena.store.database import Database
from arena.store.own_prompts import erase_without_vote
from arena.store.row import first
from arena.store.voters import Voters


class Skips:
    """A skip closes its ballot for good, as a vote does; a ballot has one or the other."""

    def __init__(self, database: Database, voters: Voters):
        self._database = database
        self._voters = voters

    def add(self, ballot_id: BallotId, reason: SkipReason, now: datetime) -> bool:
        """Close a ballot without a vote. False: it has a vote or a skip already, and nothing was stored."""
        try:
            with self._database.write() as cursor:
                if first(cursor, "select 1 from ballots join votes using (battle_id) where ballot_id = ?", [ballot_id]):
                    return False
                cursor.execute("insert into skips values (?, ?, ?)", [ballot_id, reason.value, now])
                erase_without_vote(cursor, ballot_id, now)
                opened_for = first(cursor, "select voter_id from ballots where ballot_id = ?", [ballot_id])
                if opened_for:
                    self._voters.forget(opened_for[0])
        except KeyTaken:
            return False
        return True

    def pairs_of(self, voter_id: VoterId) -> set[frozenset[AnswerId]]:
        """The pairs of answers that this voter has skipped."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select answer_a, answer_b from skips join ballots using (ballot_id) join battles using (battle_id) "
                "where voter_id = ?",
                [voter_id],
            ).fetchall()
        return {frozenset(pair) for pair in rows}
