"""Answers whose authors a voter has seen named on a page with sample ballots, and what must not be shown there now."""

from collections.abc import Iterable
from datetime import datetime

from arena.battle import AnswerId, ModelId, PromptId, VoterId
from arena.store.catalogue import SAME_QUESTION
from arena.store.database import Database
from arena.store.voters import Voters


class Exposures:
    """An exposure is stored before the answer is shown, and never taken back: nobody can unsee a name."""

    def __init__(self, database: Database, voters: Voters):
        self._database = database
        self._voters = voters

    def add(self, voter_id: VoterId, answers: Iterable[AnswerId], now: datetime) -> None:
        """Note that this voter is about to see who wrote these answers; those that are noted keep their time."""
        with self._database.write() as cursor:
            cursor.execute(
                "insert into exposures select ?, unnest(?::varchar[]), ? on conflict do nothing",
                [voter_id, sorted(set(answers)), now],
            )
            self._voters.forget(voter_id)

    def authors_seen_by(self, voter_id: VoterId) -> dict[PromptId, set[ModelId]]:
        """The models whose names this voter has seen behind their answers on such pages, by prompt.

        Where one question is stored as several prompts, by all of these.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select twin, model_id from exposures join answers using (answer_id)
                join {SAME_QUESTION} using (prompt_id) where voter_id = ?""",
                [voter_id],
            ).fetchall()
        seen: dict[PromptId, set[ModelId]] = {}
        for prompt, model in rows:
            seen.setdefault(prompt, set()).add(model)
        return seen

    def prompts_open_for(self, voter_id: VoterId, now: datetime) -> set[PromptId]:
        """The prompts of the ballots that this voter can still vote on, and those that ask the same.

        No answer to one of these may be shown.
        """
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"""select twin from ballots join battles using (battle_id) join {SAME_QUESTION} using (prompt_id)
                where ballots.voter_id = $voter and expires_at > $now
                    and battle_id not in (select battle_id from votes where voter_id = $voter)
                    and ballot_id not in (select ballot_id from skips)
                union select twin from list_ballots join {SAME_QUESTION} using (prompt_id)
                where list_ballots.voter_id = $voter and expires_at > $now
                    and ballot_id not in (select ballot_id from rankings union select ballot_id from skips)""",
                {"voter": voter_id, "now": now},
            ).fetchall()
        return {prompt for (prompt,) in rows}
