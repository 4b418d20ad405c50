"""Pairs of answers that several voters judge, as far as they have got; and the own pairs that a voter may judge again.

Both follow from battles, ballots, skips and the log, so that nothing of them is kept anywhere else.
"""

from datetime import datetime

from arena.battle import Battle, ItemKind, Pair, Verdict, Vote, VoterId, pair_of
from arena.items import Shared
from arena.store.database import Database
from arena.store.log import head, told


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

    def judged_by(self, voter_id: VoterId) -> tuple[Pair | None, ...]:
        """The pairs of all votes of a voter in their order; None for one that cannot be repeated: a vote that was
        withdrawn, or was not cast blind."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select answer_a, answer_b, w.vote_id is null and (blind or item_kind = 'repeat')
                from votes v join battles using (battle_id) left join withdrawals w on w.vote_id = v.vote_id
                where v.voter_id = ? order by v.seq""",
                [voter_id],
            ).fetchall()
        return tuple(pair_of(a, b) if is_one and a and b else None for a, b, is_one in rows)

    def _forget(self) -> None:
        self.version += 1


def repeatable(battle: Battle, vote: Vote) -> Pair | None:
    """What `judged_by` has of a vote that is stored."""
    is_one = vote.blind or battle.item_kind is ItemKind.REPEAT
    return pair_of(battle.answer_a, battle.answer_b) if is_one and battle.answer_a and battle.answer_b else None


def _in_order(verdict: Verdict, pair: Pair, answer_a: str) -> Verdict:
    return verdict if answer_a == pair[0] else verdict.swapped
