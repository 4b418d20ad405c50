"""All votes, pair of answers by pair of answers, as an export reads them; their texts; and how voters agree."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Any

from arena.battle import Answer, Prompt, Side, Source, Verdict, VoterId
from arena.dataset import personal
from arena.preferences import flag
from arena.preferences.cast import CastVote, CastVotes
from arena.preferences.example import Opinion
from arena.preferences.judgement import Texts
from arena.store.consents import kept_back
from arena.store.database import Database
from arena.store.log import standing, told
from arena.store.row import LABEL_COLUMNS, to_labels, to_messages

_ROWS_AT_ONCE = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # DuckDB looks up a time zone for every time that it makes itself

# Whether answer A of the battle comes second in the order of ids.
_IS_TURNED = "coalesce(answer_a > answer_b, false)"

# What a voter has typed goes into an export with the voter's consent alone.
OWN_PROMPT = "its prompt is its voter's own, and no consent is known"
_OWN_PROMPT = "if(voter_wrote_prompt and consent_version is null, '" + OWN_PROMPT.replace("'", "''") + "', null)"

_CASTS = f"""
    select prompt_id, if(turned, answer_b, answer_a) as answer_first, if(turned, answer_a, answer_b) as answer_second,
        category, language, license, conversation, turn,
        prompt_row, if(turned, row_b, row_a) as row_first, if(turned, row_a, row_b) as row_second,
        turned, model_a, model_b, voter_id, left_out, phase, item_kind,
        vote_id, verdict, source, epoch_us(voted_at) as voted_at, shown_on_left, time_to_vote_ms, guideline_version,
        blind, purpose, consent_version, batch, coalesce(kept_back, {_OWN_PROMPT}) as kept_back, list_id, n_pairs,
        {", ".join(LABEL_COLUMNS)}
    from (select v.*, b.* exclude (battle_id), {_IS_TURNED} as turned, p.category, p.language, p.license,
            p.rowid as prompt_row, x.rowid as row_a, y.rowid as row_b,
            if(max(turn) over (partition by conversation_id) > 1, conversation_id, null) as conversation
        from {{votes}} v join battles b using (battle_id) left join prompts p using (prompt_id)
        left join answers x on x.answer_id = b.answer_a left join answers y on y.answer_id = b.answer_b)
        left join {{kept_back}} using (vote_id) left join ranked_pairs using (battle_id)
    order by conversation nulls first, turn, prompt_id nulls first, answer_first nulls first,
        answer_second nulls first, seq"""

# What of a row is the pair's, and the same for all votes on it.
_N_OF_PAIR = 11
_PAIR = itemgetter(slice(_N_OF_PAIR))

_IN_ROWS = "rowid in (select unnest(?::bigint[]))"
_PROMPTS = f"select prompt_id, messages, category, language, source, license from prompts where {_IN_ROWS}"
_ANSWERS = f"""
    select not regexp_matches(text, '{personal.SIGNS}|{flag.SIGNS}'), answer_id, prompt_id, model_id, text, revision,
        null, tokens, latency_ms, finish_reason
    from answers where {_IN_ROWS}"""


class Casts:
    """Reads only, and only the log up to an act."""

    def __init__(self, database: Database):
        self._database = database

    def pairs(self, up_to: int) -> Iterator[CastVotes]:
        """All votes of the log up to an act, those on one pair of answers together, in the order of prompts and pairs.

        Votes that came without prompt or answers stand alone, before the others; conversations with several turns come
        last, each in the order of its turns. One pair is held at a time.
        """
        for key, rows in groupby(self._rows(up_to), key=_PAIR):
            prompt, first, second, category, language, license_, conversation, turn, *places = key
            votes = (_vote(row) for row in rows)
            if prompt is None or first is None or second is None:
                parts: Iterator[tuple[CastVote, ...]] = ((vote,) for vote in votes)
            else:
                parts = iter((tuple(votes),))
            for part in parts:
                known = category, language, license_, conversation, turn, tuple(places)
                yield CastVotes(prompt, first, second, part, *known)

    def _rows(self, up_to: int) -> Iterator[Sequence[Any]]:
        with self._database.read() as cursor:
            cursor.execute(_CASTS.format(votes=told(up_to), kept_back=kept_back(up_to)))
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from rows

    def texts(self, casts: Sequence[CastVotes]) -> Texts:
        """The prompts and answers of these pairs, those of them that are stored.

        They are read by their rows, as `pairs` tells them: by their ids, each would be searched in the index alone.
        """
        prompts = {cast.rows[0] for cast in casts}
        answers = {row for cast in casts for row in cast.rows[1:]}
        with self._database.read() as cursor:
            found_prompts = cursor.execute(_PROMPTS, [sorted(row for row in prompts if row is not None)]).fetchall()
            found_answers = cursor.execute(_ANSWERS, [sorted(row for row in answers if row is not None)]).fetchall()
        return Texts(
            {row[0]: Prompt(row[0], to_messages(row[1]), *row[2:]) for row in found_prompts},
            {row[1]: Answer(*row[1:]) for row in found_answers},
            {row[1] for row in found_answers if row[0]},
        )

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
    def sparing(self, megabytes: int) -> Iterator[None]:
        """Have DuckDB take so much memory for as long as this lasts; what it sorts goes to disk beyond that, beside the
        database, and what it has read is not kept."""
        with self._database.read() as cursor:
            [[before]] = cursor.execute("select current_setting('memory_limit')").fetchall()
            cursor.execute(f"set memory_limit = '{megabytes:d}MB'")
        try:
            yield
        finally:
            with self._database.read() as cursor:
                cursor.execute(f"set memory_limit = '{before}'")


def _vote(row: Sequence[Any]) -> CastVote:
    (turned, model_a, model_b, voter_id, left_out, phase, item_kind, vote_id, verdict, source, *rest) = row[_N_OF_PAIR:]
    (
        voted_at,
        shown_on_left,
        time_to_vote_ms,
        guideline,
        blind,
        purpose,
        consent,
        batch,
        back,
        list_id,
        n_pairs,
        *labels,
    ) = rest
    opinion = Opinion(
        vote_id=vote_id,
        verdict=Verdict(verdict),
        source=Source(source),
        labels=to_labels(labels),
        voted_at=None if voted_at is None else _EPOCH + timedelta(microseconds=voted_at),
        shown_on_left=None if shown_on_left is None else Side(shown_on_left),
        time_to_vote_ms=time_to_vote_ms,
        guideline_version=guideline,
        blind=blind,
        purpose=purpose,
        consent_version=consent,
        batch=batch,
        list_id=list_id,
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
        n_pairs=n_pairs or 1,
    )
