"""Pairs of answers that several voters judge, as far as they have got; and the own pairs that a voter may judge again.

Both follow from battles, ballots, skips and the log, so that nothing of them is kept anywhere else.
"""

from datetime import datetime

from arena.battle import ItemKind, Pair, Verdict, VoterId, pair_of
from arena.items import Shared
from arena.store.database import Database
from arena.store.log import head, told
from arena.store.voters import OwnPairs


class Overlaps:
    """`version` is another one whenever what was read before may no longer hold."""

    def __init__(self, database: Database):
        self._database = database
        self.version = 0
        database.on_forgetting(self._forget)

    def all(self) -> list[Shared]:
        """Every pair that was opened for several voters, with what counts of their votes, and with who has a ballot on
        it, expired or not. Votes of other kinds of items on the same pair are not among them."""
        with self._database.read() as cursor:
            up_to, _ = head(cursor)
            rows = cursor.execute(
                f"""select answer_a, answer_b, drawn_at, o.voter_id, expires_at, verdict, left_out, reason
                from battles b join ballots o using (battle_id) left join {told(up_to)} v using (battle_id)
                left join skips using (ballot_id) where item_kind = '{ItemKind.OVERLAP}' order by drawn_at, ballot_id"""
            ).fetchall()
        opened: dict[Pair, datetime] = {}
        said: dict[Pair, dict[VoterId, Verdict]] = {}
        waiting: dict[Pair, dict[VoterId, datetime]] = {}
        for answer_a, answer_b, drawn_at, voter, expires_at, verdict, left_out, skipped in rows:
            pair = pair_of(answer_a, answer_b)
            opened.setdefault(pair, drawn_at)
            if verdict is None and skipped is None:
                waiting.setdefault(pair, {})[voter] = expires_at
            elif verdict is not None and left_out is None:
                said.setdefault(pair, {})[voter] = _in_order(Verdict(verdict), pair, answer_a)
        return [Shared(pair, at, said.get(pair, {}), waiting.get(pair, {})) for pair, at in opened.items()]

    def judged_by(self, voter_id: VoterId) -> OwnPairs:
        """The pairs of a voter's votes, and which of them came again."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select answer_a, answer_b, item_kind, w.vote_id is null and blind
                from votes v join battles using (battle_id) left join withdrawals w on w.vote_id = v.vote_id
                where v.voter_id = ? order by v.seq""",
                [voter_id],
            ).fetchall()
        pairs = [(pair_of(a, b) if a and b else None, kind, can_come) for a, b, kind, can_come in rows]
        return OwnPairs(
            tuple(pair if can_come else None for pair, _, can_come in pairs),
            frozenset(pair for pair, kind, _ in pairs if pair is not None and kind == ItemKind.REPEAT),
        )

    def _forget(self) -> None:
        self.version += 1


def _in_order(verdict: Verdict, pair: Pair, answer_a: str) -> Verdict:
    return verdict if answer_a == pair[0] else verdict.swapped
