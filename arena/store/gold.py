"""Gold: pairs of answers on which the verdict is known, from the pack or by an adjudication of the host."""

from collections.abc import Iterable
from datetime import datetime

from arena.battle import Adjudication, KnownVerdict, Pair, Verdict, pair_of
from arena.store.database import Database
from arena.store.log import ADJUDICATION, decide
from arena.store.row import first
from arena.table import append

_ACTS = "select seq, prompt_id, answer_a, answer_b, verdict, reason, decided_by, decided_at from adjudications"


class Gold:
    """On one pair an adjudication takes the place of what the pack says, and of several acts the last one holds.

    `version` is another one whenever what was read before may no longer hold.
    """

    def __init__(self, database: Database):
        self._database = database
        self.version = 0
        database.on_forgetting(self._forget)

    def add(self, known: Iterable[KnownVerdict], now: datetime) -> int:
        """Take these from a pack; of a pair that was there before, the verdict and the reason are replaced. Returns how
        many are new or changed."""
        with self._database.write() as cursor:
            stored = {
                row[:2]: row[2:]
                for row in cursor.execute("select answer_a, answer_b, verdict, reason from known_verdicts").fetchall()
            }
            rows = []
            for each in known:
                verdict = each.on(each.pair[0])
                if stored.get(each.pair) != (verdict.value, each.reason):
                    rows.append((*each.pair, each.prompt_id, verdict.value, each.reason, now))
            for pair in (row[:2] for row in rows):
                cursor.execute("delete from known_verdicts where answer_a = ? and answer_b = ?", pair)
            append(cursor, "known_verdicts", rows)
            self._database.once_stored(self._database.forget)
        return len(rows)

    def adjudicate(self, act: Adjudication) -> bool:
        """Append an act. False: so it stands already (or there is nothing to take back), and nothing was stored."""
        pair = pair_of(act.answer_a, act.answer_b)
        verdict = act.verdict
        if verdict is not None and act.answer_a != pair[0]:
            verdict = verdict.swapped
        with self._database.write() as cursor:
            row = first(cursor, f"{_ACTS} where answer_a = ? and answer_b = ? order by seq desc limit 1", list(pair))
            if (row[4] if row else None) == verdict:
                return False
            value = None if verdict is None else verdict.value
            decide(cursor, ADJUDICATION, act.prompt_id, *pair, value, act.reason, act.decided_by, act.decided_at)
            self._database.once_stored(self._forget)  # of voters and votes all holds that was read before
        return True

    def acts(self, up_to: int | None = None) -> dict[int, Adjudication]:
        """All adjudications (of the log up to an act) by their numbers in the log, the newest first."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"{_ACTS} where seq <= coalesce(?::bigint, seq) order by seq desc", [up_to]
            ).fetchall()
        return {
            seq: Adjudication(prompt, a, b, None if verdict is None else Verdict(verdict), *why)
            for seq, prompt, a, b, verdict, *why in rows
        }

    def standing(self, up_to: int | None = None) -> dict[int, Adjudication]:
        """The adjudications that hold (or held as of an act), in the same way."""
        latest: dict[Pair, int] = {}
        acts = self.acts(up_to)
        for seq, act in acts.items():
            latest.setdefault((act.answer_a, act.answer_b), seq)
        return {seq: acts[seq] for seq in latest.values() if acts[seq].verdict is not None}

    def all(self) -> dict[Pair, KnownVerdict]:
        """What is known of each pair now, in the order of the pairs. A of each verdict is the pair's first answer."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select prompt_id, answer_a, answer_b, verdict, reason from known_verdicts"
            ).fetchall()
        known = {(a, b): KnownVerdict(prompt, a, b, Verdict(verdict), why) for prompt, a, b, verdict, why in rows}
        for act in self.standing().values():
            assert act.verdict is not None  # noqa: S101 - those that hold have one
            known[act.answer_a, act.answer_b] = KnownVerdict(
                act.prompt_id, act.answer_a, act.answer_b, act.verdict, act.reason
            )
        return dict(sorted(known.items()))

    def pairs(self) -> frozenset[Pair]:
        """The pairs alone: what no training set may hold."""
        return frozenset(self.all())

    def _forget(self) -> None:
        self.version += 1
