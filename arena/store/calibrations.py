"""How voters judged the worked examples of a guideline. No votes: nothing that counts votes asks this table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from arena.battle import Verdict, VoterId
from arena.store.database import Database


@dataclass(frozen=True, slots=True)
class Answered:
    """What a voter said of one worked example; None if it was passed over."""

    voter_id: VoterId
    guideline_version: str
    example: int
    verdict: Verdict | None
    answered_at: datetime


class Calibrations:
    """One row a voter, version of the guideline and example: the first verdict, or none if it was passed over."""

    def __init__(self, database: Database):
        self._database = database

    def add(
        self, voter_id: VoterId, guideline_version: str, examples: Iterable[int], verdict: Verdict | None, now: datetime
    ) -> None:
        """Store a verdict (None: passed over) on those of these examples for which nothing of this voter is stored."""
        value = None if verdict is None else verdict.value
        with self._database.write() as cursor:
            for example in examples:
                cursor.execute(
                    "insert into calibrations values (?, ?, ?, ?, ?) on conflict do nothing",
                    [voter_id, guideline_version, example, value, now],
                )

    def all(self) -> list["Answered"]:
        """What everybody said, in the order of time."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select voter_id, guideline_version, example, verdict, answered_at from calibrations "
                "order by answered_at, voter_id, example"
            ).fetchall()
        return [
            Answered(voter_id, version, example, None if verdict is None else Verdict(verdict), at)
            for voter_id, version, example, verdict, at in rows
        ]

    def forget(self, voter_id: VoterId) -> None:
        """Delete all that is stored of this voter here; nothing is derived from it."""
        with self._database.write() as cursor:
            cursor.execute("delete from calibrations where voter_id = ?", [voter_id])

    def verdicts(self, voter_id: VoterId, guideline_version: str) -> dict[int, Verdict | None]:
        """What this voter said of the examples of this version, without those that were not asked yet."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select example, verdict from calibrations where voter_id = ? and guideline_version = ?",
                [voter_id, guideline_version],
            ).fetchall()
        return {example: None if verdict is None else Verdict(verdict) for example, verdict in rows}
