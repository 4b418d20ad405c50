"""Pairs of answers that several voters have judged, and what they said."""

from collections.abc import Sequence

from arena.battle import Source, Verdict
from arena.disagreement import SharedPair, Spread
from arena.store.database import Database
from arena.store.log import standing


class Disagreements:
    """Reads only, and only votes that count by the acts up to one."""

    def __init__(self, database: Database):
        self._database = database

    def pairs(self, sources: Sequence[Source], *, up_to: int) -> list[SharedPair]:
        """Every pair that two or more voters of these sources have judged, whatever kind of item it was for them.

        Of a voter with several votes on a pair the newest counts. Only pairs whose texts are stored.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""with cast_on as (
                    select seq, voter_id, guideline_version, verdict, battle_id, prompt_id, answer_a, answer_b,
                        model_a, model_b,
                        least(answer_a, answer_b) as one, greatest(answer_a, answer_b) as other
                    from {standing(up_to)} join battles using (battle_id)
                    where list_contains($sources, source) and voter_id is not null and answer_a <> answer_b),
                firsts as (
                    select one, other, arg_min(battle_id, seq) as battle_id, arg_min(prompt_id, seq) as prompt_id,
                        arg_min(answer_a, seq) as answer_a, arg_min(answer_b, seq) as answer_b,
                        arg_min(model_a, seq) as model_a, arg_min(model_b, seq) as model_b
                    from cast_on group by one, other having count(distinct voter_id) > 1),
                newest as (
                    select c.* from cast_on c join firsts using (one, other)
                    qualify row_number() over (partition by one, other, voter_id order by seq desc) = 1)
                select f.battle_id, f.prompt_id, f.answer_a, f.answer_b, f.model_a, f.model_b, p.category, p.language,
                    length(x.text), length(y.text), n.guideline_version, n.verdict, n.answer_a <> f.answer_a, count(*)
                from newest n join firsts f using (one, other) join prompts p on p.prompt_id = f.prompt_id
                join answers x on x.answer_id = f.answer_a join answers y on y.answer_id = f.answer_b
                group by all order by all""",
                {"sources": [source.value for source in sources]},
            ).fetchall()
        found: dict[tuple[object, ...], dict[str | None, Spread]] = {}
        for *facts, version, verdict, is_turned, n in rows:
            by_version = found.setdefault(tuple(facts), {})
            given = Verdict(verdict).swapped if is_turned else Verdict(verdict)
            by_version[version] = by_version.get(version, Spread()).plus(given, n)
        return [SharedPair(*facts, by_version) for facts, by_version in found.items()]  # type: ignore[arg-type]
