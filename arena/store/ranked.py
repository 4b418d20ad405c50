"""Which votes came as one ranked list, so that an export keeps a list together and weighs it as one vote."""

from collections.abc import Iterable
from dataclasses import dataclass

from arena.battle import BattleId
from arena.store.database import Database
from arena.table import append


@dataclass(frozen=True, slots=True)
class RankedPair:
    """The list of a vote, the same for everybody who ranked these answers, and the pairs that this ranking gave."""

    list_id: str
    n_pairs: int

    @property
    def weight(self) -> float:
        """What each vote of a list weighs, so that the list weighs as much as a single vote."""
        return 1 / self.n_pairs


class Ranked:
    """Votes that came as lists. What they say stands in the log; to which list they belong stands here."""

    def __init__(self, database: Database):
        self._database = database

    def add(self, pairs: Iterable[tuple[BattleId, RankedPair]]) -> None:
        """Note the lists of these battles; what is noted stays."""
        rows = [(battle, pair.list_id, pair.n_pairs) for battle, pair in pairs]
        with self._database.write() as cursor:
            cursor.execute("create temp table listed as from ranked_pairs limit 0")
            append(cursor, "listed", rows)
            cursor.execute("insert into ranked_pairs from listed on conflict do nothing")
            cursor.execute("drop table listed")

    def all(self) -> dict[BattleId, RankedPair]:
        """The list of every battle that belongs to one."""
        with self._database.read() as cursor:
            rows = cursor.execute("select battle_id, list_id, n_pairs from ranked_pairs order by battle_id").fetchall()
        return {battle: RankedPair(list_id, n_pairs) for battle, list_id, n_pairs in rows}
