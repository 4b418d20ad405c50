"""What is kept of one voter, for that voter to download. Nothing here tells one voter of another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.battle import Labels, Message, Purpose, SkipReason, Verdict, VoterId
from arena.store.database import Database
from arena.store.row import LABEL_COLUMNS, to_labels, to_messages

# A voter who downloads slowly must not keep the database busy: votes are read so many at a time.
_PAGE = 200

_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class KeptVote:
    """A vote with what it was cast on. The two models are named as the reveal named them; prompt and texts are None
    where none is stored."""

    voted_at: datetime | None
    verdict: Verdict
    labels: Labels
    prompt: tuple[Message, ...] | None
    answer_a: str | None
    answer_b: str | None
    model_a: str
    model_b: str
    time_to_vote_ms: int | None
    guideline_version: str | None
    consent_version: str | None
    purpose: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptBallot:
    """A ballot that the voter opened and did not vote on; skipped, or not. Its authors are not told: they may be
    on a ballot still to come."""

    opened_at: datetime
    expires_at: datetime
    prompt: tuple[Message, ...]
    skipped_at: datetime | None
    reason: SkipReason | None


@dataclass(frozen=True, slots=True)
class KeptExample:
    """What the voter said of a worked example of the guideline; None if it was passed over."""

    guideline_version: str
    example: int
    verdict: Verdict | None
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class KeptConsent:
    """What the voter said to publishing the own votes, and the terms that this was about."""

    said_at: datetime
    is_given: bool
    version: str
    license: str
    purpose: Purpose
    text: str


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list of answers that the voter opened. Texts and ranks are told of one that was ranked; the votes that it says
    are among the votes."""

    opened_at: datetime
    expires_at: datetime
    prompt: tuple[Message, ...]
    answers: tuple[str, ...] | None
    ranks: tuple[int, ...] | None
    ranked_at: datetime | None
    skipped_at: datetime | None
    reason: SkipReason | None


@dataclass(frozen=True, slots=True)
class KeptExposure:
    """An answer whose author the voter has seen named on a page with sample ballots."""

    seen_at: datetime
    prompt: tuple[Message, ...]
    answer: str
    model: str


class Holdings:
    """Everything in the database that hangs on one voter's pseudonym, but for what the host decided on the voter."""

    def __init__(self, database: Database):
        self._database = database

    def votes(self, voter_id: VoterId) -> Iterator[KeptVote]:
        """All votes of this voter, the newest first, read piece by piece."""
        before = _LAST
        while True:
            with self._database.read() as cursor:
                rows = cursor.execute(
                    f"""select v.seq, {", ".join(f"v.{name}" for name in LABEL_COLUMNS)}, voted_at, v.verdict, messages,
                        x.text, y.text, m.name, n.name, time_to_vote_ms, v.guideline_version, v.consent_version,
                        v.purpose, withdrawn_at
                    from (from votes where voter_id = ? and seq < ? order by seq desc limit {_PAGE}) v
                    join battles b using (battle_id) join models m on m.model_id = model_a
                    join models n on n.model_id = model_b left join prompts p on p.prompt_id = b.prompt_id
                    left join answers x on x.answer_id = b.answer_a left join answers y on y.answer_id = b.answer_b
                    left join withdrawals w on w.vote_id = v.vote_id order by v.seq desc""",
                    [voter_id, before],
                ).fetchall()
            if not rows:
                return
            for row in rows:
                yield _vote(row[1:])
            before = rows[-1][0]

    def ballots(self, voter_id: VoterId) -> list[KeptBallot]:
        """The ballots that this voter opened and did not vote on, the newest first."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select opened_at, expires_at, messages, skipped_at, reason
                from ballots o join battles using (battle_id) join prompts using (prompt_id)
                left join skips using (ballot_id)
                where o.voter_id = $me and battle_id not in (select battle_id from votes where voter_id = $me)
                order by opened_at desc""",
                {"me": voter_id},
            ).fetchall()
        return [
            KeptBallot(opened, expires, to_messages(prompt), at, None if reason is None else SkipReason(reason))
            for opened, expires, prompt, at, reason in rows
        ]

    def examples(self, voter_id: VoterId) -> list[KeptExample]:
        """What this voter said of worked examples."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select guideline_version, example, verdict, answered_at from calibrations where voter_id = ?
                order by answered_at desc, example""",
                [voter_id],
            ).fetchall()
        return [
            KeptExample(version, example, None if verdict is None else Verdict(verdict), at)
            for version, example, verdict, at in rows
        ]

    def consents(self, voter_id: VoterId) -> list[KeptConsent]:
        """What this voter has said to publishing the own votes, the newest first."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select said_at, is_given, version, license, purpose, text
                from consents join consent_terms using (version) where voter_id = ? order by seq desc""",
                [voter_id],
            ).fetchall()
        return [
            KeptConsent(said_at, given, version, license_, Purpose(purpose), text)
            for said_at, given, version, license_, purpose, text in rows
        ]

    def lists(self, voter_id: VoterId) -> list[KeptList]:
        """The lists that this voter opened, the newest first."""
        with self._database.read() as cursor:
            texts = dict(
                cursor.execute(
                    """select answer_id, text from answers where answer_id in (
                    select unnest(answers) from list_ballots join rankings using (ballot_id) where voter_id = ?)""",
                    [voter_id],
                ).fetchall()
            )
            rows = cursor.execute(
                """select opened_at, expires_at, messages, answers, ranks, said_at, skipped_at, reason
                from list_ballots join prompts using (prompt_id) left join rankings using (ballot_id)
                left join skips using (ballot_id) where voter_id = ? order by opened_at desc""",
                [voter_id],
            ).fetchall()
        return [
            KeptList(
                opened,
                expires,
                to_messages(prompt),
                None if ranks is None else tuple(texts[each] for each in answers),
                None if ranks is None else tuple(ranks),
                said_at,
                skipped_at,
                None if reason is None else SkipReason(reason),
            )
            for opened, expires, prompt, answers, ranks, said_at, skipped_at, reason in rows
        ]

    def exposures(self, voter_id: VoterId) -> list[KeptExposure]:
        """The answers whose authors this voter has seen named on a page."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select seen_at, messages, text, name
                from exposures join answers using (answer_id)
                join prompts using (prompt_id) join models using (model_id)
                where voter_id = ? order by seen_at desc, answer_id""",
                [voter_id],
            ).fetchall()
        return [KeptExposure(seen_at, to_messages(prompt), text, name) for seen_at, prompt, text, name in rows]


def _vote(row: Sequence[Any]) -> KeptVote:
    labels, (voted_at, verdict, prompt, *rest) = row[: len(LABEL_COLUMNS)], row[len(LABEL_COLUMNS) :]
    messages = None if prompt is None else to_messages(prompt)
    return KeptVote(voted_at, Verdict(verdict), to_labels(labels), messages, *rest)
