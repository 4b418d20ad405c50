"""Answers whose authors a voter has seen named on a page with sample ballots, and what must not be shown there now."""

from collections.abc import Iterable
from datetime import datetime

from arena.battle import AnswerId, ModelId, PromptId, VoterId
from arena.store.database import Database


class Exposures:
    """An exposure is stored before the answer is shown, and never taken back: nobody can unsee a name."""

    def __init__(self, database: Database):
        self._database = database

    def add(self, voter_id: VoterId, answers: Iterable[AnswerId], now: datetime) -> None:
        """Note that this voter is about to see who wrote these answers; those that are noted keep their time."""
        with self._database.write() as cursor:
            cursor.execute(
                "insert into exposures select ?, unnest(?::varchar[]), ? on conflict do nothing",
                [voter_id, sorted(set(answers)), now],
            )

    def authors_seen_by(self, voter_id: VoterId) -> dict[PromptId, set[ModelId]]:
        """The models whose names this voter has seen behind their answers on such pages, by prompt."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select prompt_id, model_id from exposures join answers using (answer_id) where voter_id = ?",
                [voter_id],
            ).fetchall()
        seen: dict[PromptId, set[ModelId]] = {}
        for prompt, model in rows:
            seen.setdefault(prompt, set()).add(model)
        return seen

    def prompts_open_for(self, voter_id: VoterId, now: datetime) -> set[PromptId]:
        """The prompts of the ballots that this voter can still vote on. No answer to one of these may be shown."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select prompt_id from ballots o join battles b using (battle_id)
                left join votes v using (battle_id) left join skips s using (ballot_id)
                where o.voter_id = ? and expires_at > ? and v.seq is null and s.reason is null""",
                [voter_id, now],
            ).fetchall()
        return {prompt for (prompt,) in rows}
