"""How voters vote, counted voter by voter for the checks of `arena.suspicion`: only votes that count, and of each check
only those that it can say something about."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from arena.battle import ItemKind, KnownVerdict, Pair, Source, Verdict, VoterId, pair_of
from arena.store.catalogue import SAME_QUESTION
from arena.store.database import Database
from arena.store.log import standing, told
from arena.suspicion import Again, Known, Repeats, Sides, Speed
from arena.tally import EXCLUDED, WITHDRAWN

T = TypeVar("T", bound=tuple)

READ_PER_SECOND = 50
"""Characters: twice of what people read on average when they read silently, some 240 English words a minute
(Brysbaert 2019, doi:10.1016/j.jml.2019.104047)."""


class Conduct:
    """All questions are about the votes of the log up to an act, by some sources, that tell their voter."""

    def __init__(self, database: Database):
        self._database = database

    def reach(self, up_to: int, sources: Sequence[Source]) -> dict[str, int]:
        """How many votes there are, and how many of them the checks can see: by voters, timed, drawn by this arena."""
        with self._database.read() as cursor:
            [counts] = cursor.execute(
                f"""select count(*), count(voter_id), count(time_to_vote_ms) filter (where voter_id is not null),
                    count(draw_probability) filter (where voter_id is not null), count(distinct voter_id)
                {_VOTES.format(standing(up_to))} where {_BY_SOURCE}""",
                _named(sources),
            ).fetchall()
        return dict(zip(("votes", "with_voter", "timed", "drawn", "voters"), counts, strict=True))

    def speeds(self, up_to: int, sources: Sequence[Source], too_fast_seconds: float) -> list[Speed]:
        """Votes whose time and texts are known. Too fast is one that came in less than so many seconds and faster than
        its two answers can be read at READ_PER_SECOND; short answers take as little time as they take. A ranked list is
        one vote here: all that it says came in one time."""
        return self._asked(
            Speed,
            f"""with sizes as (select answer_id, length(text) as n from answers),
            timed as (
                select voter_id, list_id, time_to_vote_ms < 1000 * $seconds
                    and time_to_vote_ms < 1000 * (a.n + b.n) / {READ_PER_SECOND} as is_fast
                {_VOTES.format(standing(up_to))} left join ranked_pairs using (battle_id)
                join sizes a on a.answer_id = answer_a join sizes b on b.answer_id = answer_b
                {_BY} and time_to_vote_ms is not null)
            select voter_id, {_N_CAST}, {_N_FAST} from timed""",
            sources,
            seconds=too_fast_seconds,
        )

    def sides(self, up_to: int, sources: Sequence[Source]) -> list[Sides]:
        """Decisive votes on pairs that this arena drew: of others nobody knows whether the sides were drawn fairly."""
        return self._asked(
            Sides,
            f"""with decisive as (
                select voter_id, verdict, row_number() over (partition by voter_id order by seq)
                    - row_number() over (partition by voter_id, verdict order by seq) as run
                {_VOTES.format(standing(up_to))} {_BY} and verdict in ('A', 'B') and draw_probability is not null),
            runs as (select voter_id, verdict, count(*) as n from decisive group by voter_id, verdict, run)
            select voter_id, sum(n)::bigint, coalesce(sum(n) filter (where verdict = 'A'), 0)::bigint,
                coalesce(max(n) filter (where verdict = 'A'), 0), coalesce(max(n) filter (where verdict = 'B'), 0)
            from runs""",
            sources,
        )

    def repeats(self, up_to: int, sources: Sequence[Source]) -> list[Repeats]:
        """Of each voter the question judged most, among prompts that this arena drew; of equals the first by id.

        Prompts of the same messages are one question. A question that nobody else judged counts as one vote of theirs.
        A ranked list is one vote here: all that it says is on one question, whoever ranks it.
        """
        return self._asked(
            Repeats,
            f"""with questions as (select prompt_id, min(twin) as question from {SAME_QUESTION} group by prompt_id),
            drawn as (
                select voter_id, question, {_N_CAST} as n
                {_VOTES.format(standing(up_to))} join questions using (prompt_id)
                left join ranked_pairs using (battle_id)
                {_BY} and draw_probability is not null and voter_wrote_prompt is not true group by all),
            by_question as (select question, sum(n) as n_asked from drawn group by question),
            by_voter as (
                select *, sum(n) over (partition by voter_id) as n_own,
                    count(*) over (partition by voter_id) as n_questions
                from drawn qualify row_number() over (partition by voter_id order by n desc, question) = 1)
            select voter_id, n_own::bigint, n_questions, question, n,
                ((n_asked - n + 1) / ((select sum(n) from drawn) - n_own + 1))::double
            from by_voter join by_question using (question)""",
            sources,
            is_grouped=True,
        )

    def known(self, guideline_version: str, expected: dict[int, Verdict]) -> list[Known]:
        """What voters who are not excluded said of the worked examples of a guideline whose verdicts these are."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select voter_id, example, verdict from calibrations
                where guideline_version = ? and verdict is not null and voter_id not in
                    (select voter_id from exclusions group by voter_id having arg_max(is_excluded, seq))
                order by voter_id, example""",
                [guideline_version],
            ).fetchall()
        return [
            Known(VoterId(voter), expected[example], Verdict(given))
            for voter, example, given in rows
            if example in expected
        ]

    def gold(self, up_to: int, sources: Sequence[Source], known: Mapping[Pair, KnownVerdict]) -> list[Known]:
        """What voters said of pairs that were drawn since the verdict on them is known; in the order of the log."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select voter_id, answer_a, answer_b, verdict {_VOTES.format(standing(up_to))}
                where voter_id is not null and {_BY_SOURCE} and item_kind = '{ItemKind.GOLD}' order by seq""",
                _named(sources),
            ).fetchall()
        return [
            Known(VoterId(voter), known[pair].on(answer_a), Verdict(given))
            for voter, answer_a, answer_b, given in rows
            if (pair := pair_of(answer_a, answer_b)) in known
        ]

    def again(self, up_to: int, sources: Sequence[Source]) -> list[Again]:
        """Of voters who were given own pairs again: how often, and how often with another verdict than the first time.

        Only where both votes stand and their voter is not excluded; the first one counts, the repeat never does.
        """
        return self._asked(
            Again,
            f"""with cast_on as (
                select t.*, item_kind, least(answer_a, answer_b) as one, greatest(answer_a, answer_b) as other,
                    if(answer_a <= answer_b or verdict not in ('A', 'B'), verdict, if(verdict = 'A', 'B', 'A')) as told
                from {told(up_to)} t join battles using (battle_id)
                where voter_id is not null and list_contains($sources, source))
            select r.voter_id, count(*), count(*) filter (where r.told <> f.told)
            from cast_on r join cast_on f on f.voter_id = r.voter_id and f.one = r.one and f.other = r.other
            where r.item_kind = '{ItemKind.REPEAT}' and r.left_out not in ('{WITHDRAWN}', '{EXCLUDED}')
                and f.left_out is null and f.seq < r.seq group by r.voter_id""",
            sources,
            is_grouped=True,
        )

    def _asked(
        self, kind: type[T], query: str, sources: Sequence[Source], *, is_grouped: bool = False, **values: float
    ) -> list[T]:
        grouped = "" if is_grouped else "group by voter_id"
        with self._database.read() as cursor:
            rows = cursor.execute(f"{query} {grouped} order by voter_id", _named(sources) | values).fetchall()
        return [kind(*row) for row in rows]


_VOTES = "from {} v join battles using (battle_id)"
# Votes, those of one ranked list being one.
_N_CAST = "count(*) filter (where list_id is null) + count(distinct list_id)"
_N_FAST = "count(*) filter (where is_fast and list_id is null) + count(distinct list_id) filter (where is_fast)"
_BY_SOURCE = "list_contains($sources, v.source)"
_BY = f"where voter_id is not null and {_BY_SOURCE}"


def _named(sources: Sequence[Source]) -> dict[str, object]:
    return {"sources": [each.value for each in sources]}
