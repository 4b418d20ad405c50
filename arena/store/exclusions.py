"""Whose votes the host leaves out of boards and exports, and why: acts of the log, each of which can be undone."""

from arena.battle import Exclusion, VoterId
from arena.store.database import Database
from arena.store.log import EXCLUSION, decide
from arena.store.row import first

_ACTS = "select voter_id, is_excluded, reason, decided_by, decided_at from exclusions"


class Exclusions:
    """Of several acts on one voter the last one holds; none is ever taken out."""

    def __init__(self, database: Database):
        self._database = database

    def add(self, exclusion: Exclusion) -> bool:
        """Append an act. False: so it stands already, and nothing was stored."""
        with self._database.write() as cursor:
            last = first(cursor, f"{_ACTS} where voter_id = ? order by seq desc limit 1", [exclusion.voter_id])
            if (last is not None and last[1]) == exclusion.is_excluded:
                return False
            decide(
                cursor,
                EXCLUSION,
                exclusion.voter_id,
                exclusion.is_excluded,
                exclusion.reason,
                exclusion.decided_by,
                exclusion.decided_at,
            )
        return True

    def acts(self) -> list[Exclusion]:
        """All of them, the newest first."""
        with self._database.read() as cursor:
            return [Exclusion(*row) for row in cursor.execute(f"{_ACTS} order by seq desc").fetchall()]

    def n_votes(self) -> dict[VoterId, int]:
        """The voters who are excluded now, each with how many votes that leaves out, withdrawn ones not among them."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select x.voter_id, count(v.vote_id) filter (where w.vote_id is null)
                from (select voter_id from exclusions group by voter_id having arg_max(is_excluded, seq)) x
                left join votes v on v.voter_id = x.voter_id left join withdrawals w on w.vote_id = v.vote_id
                group by x.voter_id order by 2 desc, 1"""
            ).fetchall()
        return dict(rows)
