"""How the log came together over time: votes by day, how their pairs were drawn, which of them were withdrawn, and the
boards on the way."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from arena.battle import ModelId, Source, Verdict
from arena.leaderboard import Snapshot
from arena.store.database import Database
from arena.store.log import standing, told
from arena.tally import WITHDRAWN, Tally


@dataclass(frozen=True, slots=True)
class PastBoard:
    """What a board once said: each rated model's score, with the ends of its interval where there was one."""

    snapshot_id: str
    computed_at: datetime
    n_log: int
    scores: Mapping[ModelId, tuple[float, float | None, float | None]]


class History:
    """Reads only, and only votes: a ballot that is still open, if it were counted, would tell who wrote its answers."""

    def __init__(self, database: Database):
        self._database = database

    def votes_by_day(
        self, sources: Sequence[Source], *, up_to: int, model: ModelId | None = None
    ) -> list[tuple[date | None, int]]:
        """How many votes of these sources (on this model) each day of UTC has in the log up to an act, ascending.

        None, if there, comes last: votes that do not tell when they were cast.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select voted_at::date as day, count(*) from {standing(up_to)} join battles using (battle_id)
                where list_contains($sources, source) and ($model is null or model_a = $model or model_b = $model)
                group by day order by day nulls last""",
                {"sources": [source.value for source in sources], "model": model},
            ).fetchall()
        return list(rows)

    def votes_by_policy(self, sources: Sequence[Source], *, up_to: int) -> dict[str | None, int]:
        """How many votes of these sources each way to draw pairs has brought in the log up to an act.

        None stands for pairs that somebody else drew.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select sampling_policy, count(*) from {standing(up_to)} join battles using (battle_id)
                where list_contains($sources, source) group by 1 order by 1 nulls last""",
                {"sources": [source.value for source in sources]},
            ).fetchall()
        return dict(rows)

    def withdrawn(self, sources: Sequence[Source], *, up_to: int) -> tuple[list[Tally], int]:
        """The votes of these sources that were withdrawn up to an act of the log, counted, and by how many voters."""
        withdrawn = f"""{told(up_to)} join battles using (battle_id)
            where left_out = '{WITHDRAWN}' and list_contains($sources, source)"""
        with self._database.read() as cursor:
            values = {"sources": [source.value for source in sources]}
            rows = cursor.execute(
                f"select model_a, model_b, verdict, count(*) from {withdrawn} group by all order by all", values
            ).fetchall()
            n_voters = cursor.execute(f"select count(distinct voter_id) from {withdrawn}", values).fetchall()[0][0]
        return [Tally(a, b, Verdict(verdict), n) for a, b, verdict, n in rows], n_voters

    def boards(self, latest: Snapshot, *, most: int) -> list[PastBoard]:
        """The boards up to this one that counted the same sources in the same way, in the order of their votes: scores
        under other settings would be on another scale.

        Of more than `most` so many are taken, at about equal distances in votes, the first and the last among them. Of
        several boards on the same votes the newest counts.
        """
        with self._database.read() as cursor:
            listed = cursor.execute(
                """select snapshot_id, n_log from snapshots
                where n_log <= $n_log
                    and (settings::varchar, leaderboard ->> '$.method', leaderboard ->> '$.confidence',
                         (leaderboard -> '$.settings')::varchar)
                    is not distinct from (
                        select (settings::varchar, leaderboard ->> '$.method', leaderboard ->> '$.confidence',
                                (leaderboard -> '$.settings')::varchar)
                        from snapshots where snapshot_id = $id)
                qualify row_number() over (partition by n_log order by computed_at desc, snapshot_id) = 1
                order by n_log""",
                {"n_log": latest.n_log, "id": latest.id},
            ).fetchall()
            rows = cursor.execute(
                """select snapshot_id, computed_at, n_log, leaderboard -> '$.ratings' from snapshots
                where snapshot_id in (select unnest(?::varchar[])) order by n_log""",
                [_spread(listed, most)],
            ).fetchall()
        return [PastBoard(*row[:3], scores=_scores(json.loads(row[3]))) for row in rows]


def _spread(listed: Sequence[tuple[str, int]], most: int) -> list[str]:
    """The ids of at most so many of the (id, place), the first, the last, and those next to equal steps between."""
    if len(listed) <= most:
        return [each for each, _ in listed]
    first, last = listed[0][1], listed[-1][1]
    chosen, at = [], 0
    for step in range(most):
        goal = first + (last - first) * step / (most - 1)
        while listed[at][1] < goal:
            at += 1
        if not chosen or chosen[-1] != listed[at][0]:
            chosen.append(listed[at][0])
    return chosen


def _scores(ratings: Sequence[Mapping[str, object]]) -> dict[ModelId, tuple[float, float | None, float | None]]:
    return {row["model"]: (row["score"], row["low"], row["high"]) for row in ratings if row["score"] is not None}  # type: ignore[misc]
