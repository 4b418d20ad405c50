"""Pairs of answers that votes are about: which of them may be shown, and what was said of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from arena.battle import AnswerId, Message, ModelId, Pair, PromptId, Source, Verdict, pair_of
from arena.policy import Made
from arena.store.database import Database
from arena.store.log import standing
from arena.store.row import first, to_messages

# One prompt in so many is for show.
SHOWN_ONE_IN = 4

# Votes that are listed one by one; the record counts all of them.
_MOST_LISTED = 10

# Votes seen from the model whose id comes first, whatever side it stood on. A model against itself tells nothing.
_TURNED = """(
    select seq, voted_at, source, voter_id, prompt_id, model_a < model_b as in_order,
        least(model_a, model_b) as model_first, greatest(model_a, model_b) as model_second,
        if(in_order, answer_a, answer_b) as answer_first, if(in_order, answer_b, answer_a) as answer_second,
        case when in_order or verdict not in ('A', 'B') then verdict when verdict = 'A' then 'B' else 'A' end as told
    from {votes} join battles using (battle_id) where list_contains($sources, source) and model_a <> model_b)"""

_RECORD = """count(*) filter (where told = 'A') as won, count(*) filter (where told = 'B') as lost,
    count(*) filter (where told = 'tie') as tied, count(*) filter (where told = 'both_bad') as bad"""

# Every fourth question, in the order in which they came in; those of one pack in an order that says nothing of them.
# Prompts are never taken out, and none comes in before another (`Catalogue.add_prompts`): so a question that is for
# show always was, and one that is not never will be. Prompts that ask the same are one question. What a voter has typed
# is shown to nobody else, and takes no place, since it may go.
_FOR_SHOW = f"""(select prompt_id, messages, category, language from
    (select *, dense_rank() over (order by since, sha256(digest)) as place from
        (select *, min(added_at) over (partition by digest) as since from prompts
            where prompt_id not in (select prompt_id from own_prompts)))
    where place % {SHOWN_ONE_IN} = 0)"""

# Of one model, or of one against another.
_ABOUT = """($one in (model_first, model_second) and ($other is null or $other in (model_first, model_second)))"""


class SaidVote(NamedTuple):
    """What one vote said, by its source, on a day of UTC, where that is known. Nothing of who cast it."""

    verdict: Verdict
    source: Source
    day: date | None


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two answers to one prompt and the votes on them; side A of every verdict is `model_a`, wherever it stood."""

    prompt_id: PromptId
    messages: tuple[Message, ...]
    category: str | None
    language: str | None
    model_a: ModelId
    model_b: ModelId
    answer_a: AnswerId
    answer_b: AnswerId
    record: tuple[int, int, int, int]
    """Won by A, won by B, ties, both bad."""
    votes: tuple[SaidVote, ...]
    """The newest of them, the newest first."""

    def seen_by(self, model: ModelId) -> "JudgedPair":
        """The same with this one of its two models as A."""
        if model == self.model_a:
            return self
        a, b, ties, both_bad = self.record
        return JudgedPair(
            *(self.prompt_id, self.messages, self.category, self.language),
            *(self.model_b, self.model_a, self.answer_b, self.answer_a),
            record=(b, a, ties, both_bad),
            votes=tuple(vote._replace(verdict=vote.verdict.swapped) for vote in self.votes),
        )


class Judged:
    """Reads only, and only votes up to an act: what is still open, or came in since, is not looked at."""

    def __init__(self, database: Database):
        self._database = database

    def pairs(
        self, one: ModelId, other: ModelId | None, sources: Sequence[Source], *, up_to: int, most: int
    ) -> list[JudgedPair]:
        """The pairs of answers of a model, or of two, with votes of these sources, on prompts that are for show.

        The pair with the newest vote comes first, and there are at most so many. Only pairs whose texts are stored.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select prompt_id, any_value(p.messages), any_value(p.category), any_value(p.language),
                    model_first, model_second, answer_first, answer_second, {_RECORD},
                    list({{'verdict': told, 'source': source, 'day': voted_at::date}} order by seq desc)
                        [:{_MOST_LISTED}]
                from {_turned(up_to)} join {_FOR_SHOW} p using (prompt_id)
                join answers x on x.answer_id = answer_first join answers y on y.answer_id = answer_second
                where {_ABOUT} group by 1, 5, 6, 7, 8 order by max(seq) desc limit {most:d}""",
                {"one": one, "other": other, "sources": [source.value for source in sources]},
            ).fetchall()
        return [
            JudgedPair(
                *(row[0], to_messages(row[1]), *row[2:8]),
                record=row[8:12],
                votes=tuple(SaidVote(Verdict(v["verdict"]), Source(v["source"]), v["day"]) for v in row[12]),
            )
            for row in rows
        ]

    def by(self, sources: Sequence[Source], *, up_to: int) -> frozenset[Pair]:
        """The pairs of stored answers that votes of these sources which count are on."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select distinct answer_a, answer_b from {standing(up_to)} join battles using (battle_id)
                where list_contains($sources, source) and answer_a is not null and answer_b is not null""",
                {"sources": [source.value for source in sources]},
            ).fetchall()
        return frozenset(pair_of(a, b) for a, b in rows)

    def counts(self, one: ModelId, other: ModelId | None, sources: Sequence[Source], *, up_to: int) -> tuple[int, int]:
        """How many votes of these sources there are on a model, or on two, and how many of them lack their texts."""
        with self._database.read() as cursor:
            row = first(
                cursor,
                f"""select count(*), count(*) filter (where x.text is null or y.text is null)
                from {_turned(up_to)} left join answers x on x.answer_id = answer_first
                left join answers y on y.answer_id = answer_second where {_ABOUT}""",
                {"one": one, "other": other, "sources": [source.value for source in sources]},
            )
        return (0, 0) if row is None else (row[0], row[1])

    def makers(self) -> Sequence[tuple[Made, Made, int]]:
        """Who made the two answers of votes that stand, model and revision, and how many votes there are on them."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select b.model_a, x.revision, b.model_b, y.revision, count(*)
                from votes v join battles b using (battle_id)
                left join answers x on x.answer_id = b.answer_a left join answers y on y.answer_id = b.answer_b
                where v.vote_id not in (select vote_id from withdrawals)
                group by all order by all"""
            ).fetchall()
        return [(Made(ModelId(a), rev_a), Made(ModelId(b), rev_b), n) for a, rev_a, b, rev_b, n in rows]


def _turned(up_to: int) -> str:
    """SQL of the votes that count, by the acts up to one."""
    return _TURNED.format(votes=standing(up_to))
