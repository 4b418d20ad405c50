"""What others said of two models, up to an act of the log: shown to each voter after each vote."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from arena.battle import ModelId, PairRecord, Source, Verdict, VoterId
from arena.store.database import Database
from arena.store.log import standing
from arena.store.voters import Voters

_Pair = tuple[ModelId, ModelId]

_COUNTED = (
    "select model_a, model_b, verdict, count(*) from {votes} join battles using (battle_id) where {chosen} group by all"
)


class _Counted(NamedTuple):
    """All pairs of models, as of one act and by some sources; a pair in the order of its ids."""

    sources: frozenset[Source]
    up_to: int
    records: Mapping[_Pair, PairRecord]


class Others:
    """All pairs are counted once for each board; of a voter, only who has judged the two before is asked about."""

    def __init__(self, database: Database, voters: Voters):
        self._database = database
        self._voters = voters
        self._counted: _Counted | None = None
        database.on_forgetting(self._forget)

    def on_pair(
        self, model_a: ModelId, model_b: ModelId, *, sources: Sequence[Source], up_to: int, but_by: VoterId
    ) -> PairRecord:
        """What the log up to an act says of two models, by these sources and without the votes of one voter.

        Raises DatabaseUnavailable.
        """
        pair = (min(model_a, model_b), max(model_a, model_b))
        counted = self._counted
        if counted is None or (counted.sources, counted.up_to) != (frozenset(sources), up_to):
            # Two threads may count at once: then both are right.
            counted = self._counted = _Counted(frozenset(sources), up_to, self._count(sources, up_to, "true", ()))
        record = counted.records.get(pair, _NOTHING)
        if self._may_have_judged(but_by, pair, up_to):
            own = self._count(sources, up_to, "voter_id = ?", (but_by,)).get(pair, _NOTHING)
            record = PairRecord(*(n - n_own for n, n_own in zip(_numbers(record), _numbers(own), strict=True)))
        return (
            record
            if pair == (model_a, model_b)
            else PairRecord(record.n_b, record.n_a, record.n_tie, record.n_both_bad)
        )

    def _may_have_judged(self, voter_id: VoterId, pair: _Pair, up_to: int) -> bool:
        """False where no vote of this voter on the two models stands at or before the act."""
        state = self._voters.of(voter_id)
        met = {prompt for prompt, models in state.revealed.items() if models.issuperset(pair)}
        if state.last is not None and state.last.seq > up_to:
            met.discard(state.last.prompt_id)
        return bool(met)

    def _count(
        self, sources: Iterable[Source], up_to: int, chosen: str, values: Sequence[str]
    ) -> dict[_Pair, PairRecord]:
        query = _COUNTED.format(votes=standing(up_to), chosen=f"list_contains(?, source) and {chosen}")
        with self._database.read() as cursor:
            rows = cursor.execute(query, [[each.value for each in sources], *values]).fetchall()
        numbers: dict[_Pair, dict[Verdict, int]] = {}
        for model_a, model_b, told, n in rows:
            verdict, is_turned = Verdict(told), model_a > model_b
            of = numbers.setdefault((model_b, model_a) if is_turned else (model_a, model_b), {})
            verdict = _MIRRORED.get(verdict, verdict) if is_turned else verdict
            of[verdict] = of.get(verdict, 0) + n
        return {pair: PairRecord(*(of.get(each, 0) for each in _ORDER)) for pair, of in numbers.items()}

    def _forget(self) -> None:
        self._counted = None


_NOTHING = PairRecord(0, 0, 0, 0)
_ORDER = (Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD)
_MIRRORED = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}


def _numbers(record: PairRecord) -> tuple[int, int, int, int]:
    return record.n_a, record.n_b, record.n_tie, record.n_both_bad
