"""Pairs of answers that several voters have judged, and what they said."""

import json
from collections.abc import Sequence
from typing import TypeVar

from arena.battle import BattleId, Source, Verdict
from arena.disagreement import SharedPair, Spread
from arena.store.database import Database
from arena.store.log import standing

_Key = TypeVar("_Key")
_Spreads = dict[_Key, Spread]

_OF_BATTLE = """and battle_id in (
    select other.battle_id from battles one join battles other
        on least(one.answer_a, one.answer_b) = least(other.answer_a, other.answer_b)
        and greatest(one.answer_a, one.answer_b) = greatest(other.answer_a, other.answer_b)
    where one.battle_id = $of)"""


class Disagreements:
    """Reads only, and only votes that count by the acts up to one."""

    def __init__(self, database: Database):
        self._database = database

    def pairs(self, sources: Sequence[Source], *, up_to: int, of: BattleId | None = None) -> list[SharedPair]:
        """Every pair that two or more voters of these sources have judged, whatever kind of item it was for them; with
        `of` the pair of this battle alone, at a small part of the cost.

        Of a voter with several votes on a pair the newest counts. Only pairs whose texts are stored.
        """
        alone = "" if of is None else _OF_BATTLE
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""with cast_on as (
                    select seq, voter_id, guideline_version, verdict, dimensions, battle_id, prompt_id, answer_a,
                        answer_b, model_a, model_b,
                        least(answer_a, answer_b) as one, greatest(answer_a, answer_b) as other
                    from {standing(up_to)} join battles using (battle_id)
                    where list_contains($sources, source) and voter_id is not null and answer_a <> answer_b {alone}),
                firsts as (
                    select one, other, arg_min(battle_id, seq) as battle_id, arg_min(prompt_id, seq) as prompt_id,
                        arg_min(answer_a, seq) as answer_a, arg_min(answer_b, seq) as answer_b,
                        arg_min(model_a, seq) as model_a, arg_min(model_b, seq) as model_b
                    from cast_on group by one, other having count(distinct voter_id) > 1),
                newest as (
                    select c.* from cast_on c join firsts using (one, other)
                    qualify row_number() over (partition by one, other, voter_id order by seq desc) = 1)
                select f.battle_id, f.prompt_id, f.answer_a, f.answer_b, f.model_a, f.model_b, p.category, p.language,
                    length(x.text), length(y.text), n.guideline_version, n.verdict, n.dimensions::varchar,
                    n.answer_a <> f.answer_a, count(*)
                from newest n join firsts f using (one, other) join prompts p on p.prompt_id = f.prompt_id
                join answers x on x.answer_id = f.answer_a join answers y on y.answer_id = f.answer_b
                group by all order by all""",
                {"sources": [source.value for source in sources]} | ({} if of is None else {"of": of}),
            ).fetchall()
        found: dict[tuple[object, ...], tuple[_Spreads[str | None], _Spreads[str]]] = {}
        for *facts, version, verdict, dimensions, is_turned, n in rows:
            by_version, by_dimension = found.setdefault(tuple(facts), ({}, {}))
            _add(by_version, version, verdict, n, is_turned=is_turned)
            for name, told in (json.loads(dimensions) if dimensions else {}).items():
                _add(by_dimension, name, told, n, is_turned=is_turned)
        return [SharedPair(*facts, *spreads) for facts, spreads in found.items()]  # type: ignore[arg-type]


def _add(spreads: "_Spreads[_Key]", key: "_Key", verdict: str, n: int, *, is_turned: bool) -> None:
    given = Verdict(verdict).swapped if is_turned else Verdict(verdict)
    spreads[key] = spreads.get(key, Spread()).plus(given, n)
