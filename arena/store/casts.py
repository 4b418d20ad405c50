"""All votes, pair of answers by pair of answers, as an export reads them; their texts; and how voters agree."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import groupby
from typing import Any

from arena.battle import Answer, AnswerId, Prompt, PromptId, Side, Source, Verdict, VoterId
from arena.preferences.cast import CastVote, CastVotes
from arena.preferences.example import Opinion
from arena.preferences.judgement import Texts
from arena.store.consents import kept_back
from arena.store.database import Database
from arena.store.log import standing, told
from arena.store.row import LABEL_COLUMNS, to_labels, to_messages

# As many ids as DuckDB looks up in its index; of more it would read the whole table.
_IDS_AT_ONCE = 500
_ROWS_AT_ONCE = 2_000

# The memory that DuckDB may take while a large log is sorted; what is more goes to its own file beside the database.
_MEMORY = "300MB"

# Whether answer A of the battle comes second in the order of ids.
_IS_TURNED = "coalesce(answer_a > answer_b, false)"

_CASTS = f"""
    select prompt_id, if(turned, answer_b, answer_a) as answer_first, if(turned, answer_a, answer_b) as answer_second,
        category, language, license, conversation, turn,
        turned, model_a, model_b, voter_id, left_out, phase, item_kind,
        vote_id, verdict, source, voted_at, shown_on_left, time_to_vote_ms, guideline_version, blind, purpose,
        consent_version, batch, kept_back, {", ".join(LABEL_COLUMNS)}
    from (select v.*, b.* exclude (battle_id), {_IS_TURNED} as turned, p.category, p.language, p.license,
            if(max(turn) over (partition by conversation_id) > 1, conversation_id, null) as conversation
        from {{votes}} v join battles b using (battle_id) left join prompts p using (prompt_id))
        left join {{kept_back}} using (vote_id)
    order by conversation nulls first, turn, prompt_id nulls first, answer_first nulls first,
        answer_second nulls first, seq"""


class Casts:
    """Reads only, and only the log up to an act."""

    def __init__(self, database: Database):
        self._database = database

    def pairs(self, up_to: int) -> Iterator[CastVotes]:
        """All votes of the log up to an act, those on one pair of answers together, in the order of prompts and pairs.

        Votes that came without prompt or answers stand alone, before the others; conversations with several turns come
        last, each in the order of its turns. One pair is held at a time.
        """
        for key, rows in groupby(self._rows(up_to), key=lambda row: row[:8]):
            prompt, first, second, category, language, license_, conversation, turn = key
            votes = (_vote(row) for row in rows)
            if prompt is None or first is None or second is None:
                parts: Iterator[tuple[CastVote, ...]] = ((vote,) for vote in votes)
            else:
                parts = iter((tuple(votes),))
            for part in parts:
                yield CastVotes(
                    prompt, first, second, part, category, language, license_, conversation_id=conversation, turn=turn
                )

    def _rows(self, up_to: int) -> Iterator[Sequence[Any]]:
        with self._database.read() as cursor:
            cursor.execute(_CASTS.format(votes=told(up_to), kept_back=kept_back(up_to)))
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from rows

    def texts(self, prompts: Collection[PromptId], answers: Collection[AnswerId]) -> Texts:
        """These prompts and answers, those of them that are stored."""
        found_prompts, found_answers = {}, {}
        with self._database.read() as cursor:
            for ids in _parts(sorted(prompts)):
                rows = cursor.execute(
                    f"select prompt_id, messages, category, language, source, license from prompts "
                    f"where prompt_id in ({', '.join('?' * len(ids))})",
                    ids,
                ).fetchall()
                found_prompts |= {row[0]: Prompt(row[0], to_messages(row[1]), *row[2:]) for row in rows}
            for ids in _parts(sorted(answers)):
                rows = cursor.execute(
                    f"select answer_id, prompt_id, model_id, text, revision, tokens, latency_ms, finish_reason "
                    f"from answers where answer_id in ({', '.join('?' * len(ids))})",
                    ids,
                ).fetchall()
                found_answers |= {
                    row[0]: Answer(*row[:5], tokens=row[5], latency_ms=row[6], finish_reason=row[7]) for row in rows
                }
        return Texts(found_prompts, found_answers)

    def voters_unlike_others(
        self, sources: Collection[Source], floor: Fraction, *, least: int, up_to: int
    ) -> set[VoterId]:
        """The voters whose votes agree with those of others on the same answers less often than this.

        Each vote is compared with each one by another voter on the same two answers, by the verdict; a voter with fewer
        than `least` such comparisons is in none. Of several votes of one voter on a pair all are compared.
        """
        query = f"""with said as (
                select voter_id, prompt_id, least(answer_a, answer_b) as first, greatest(answer_a, answer_b) as second,
                    case when verdict = 'A' and {_IS_TURNED} then 'B' when verdict = 'B' and {_IS_TURNED} then 'A'
                        else verdict end as said, count(*) as n
                from {standing(up_to)} join battles using (battle_id)
                where list_contains($sources, source) and voter_id is not null and answer_a is not null
                    and answer_b is not null group by all),
            shared as (
                select voter_id, n, n_same - n_own_same as n_agree, n_all - n_own as n_compared from (select *,
                    sum(n) over (partition by prompt_id, first, second) as n_all,
                    sum(n) over (partition by prompt_id, first, second, said) as n_same,
                    sum(n) over (partition by prompt_id, first, second, voter_id) as n_own, n as n_own_same from said))
            select voter_id, sum(n * n_agree)::bigint, sum(n * n_compared)::bigint from shared group by voter_id"""
        with self._database.read() as cursor:
            rows = cursor.execute(query, {"sources": [source.value for source in sources]}).fetchall()
        return {voter for voter, n_agree, n in rows if n >= max(least, 1) and Fraction(n_agree, n) < floor}

    @contextmanager
    def sparing(self) -> Iterator[None]:
        """Have DuckDB take little memory for as long as this lasts; what it sorts goes to disk beyond that."""
        with self._database.read() as cursor:
            [[before]] = cursor.execute("select current_setting('memory_limit')").fetchall()
            cursor.execute(f"set memory_limit = '{_MEMORY}'")
        try:
            yield
        finally:
            with self._database.read() as cursor:
                cursor.execute(f"set memory_limit = '{before}'")


def _vote(row: Sequence[Any]) -> CastVote:
    (turned, model_a, model_b, voter_id, left_out, phase, item_kind, vote_id, verdict, source, *rest) = row[8:]
    voted_at, shown_on_left, time_to_vote_ms, guideline, blind, purpose, consent, batch, back, *labels = rest
    opinion = Opinion(
        vote_id=vote_id,
        verdict=Verdict(verdict),
        source=Source(source),
        labels=to_labels(labels),
        voted_at=voted_at,
        shown_on_left=None if shown_on_left is None else Side(shown_on_left),
        time_to_vote_ms=time_to_vote_ms,
        guideline_version=guideline,
        blind=blind,
        purpose=purpose,
        consent_version=consent,
        batch=batch,
    )
    models = (model_b, model_a) if turned else (model_a, model_b)
    return CastVote(
        opinion.turned if turned else opinion,
        *models,
        voter_id=voter_id,
        left_out=left_out,
        phase=phase,
        item_kind=item_kind,
        kept_back=back,
    )


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]
