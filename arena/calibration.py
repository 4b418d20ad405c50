"""The calibration: a few worked examples of the guideline that a voter judges before the first ballot. No votes.

Whoever has not judged them under the guideline in force is asked, so that a new version asks again. Nobody has to: what
is passed over is not asked again, and a ballot is opened for anybody at any time.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from arena.battle import Verdict, VoterId
from arena.errors import UnknownExample
from arena.store import Answered, VoteStore
from arena.worked_example import WorkedExample, spread


@dataclass(frozen=True, slots=True)
class Step:
    """The example that a voter is to judge next: the k-th of n."""

    example: WorkedExample
    k: int
    n: int


@dataclass(frozen=True, slots=True)
class JudgedExample:
    """An example with what the voter said of it first; None if it was passed over."""

    example: WorkedExample
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Score:
    """How a voter did under one version of the guideline: of the examples judged, how many as the guideline says.

    So a voter's scores, one a version and in the order of time, tell whether they understand it better or worse.
    """

    voter_id: VoterId
    guideline_version: str
    began_at: datetime
    ended_at: datetime
    n_judged: int
    n_agreed: int
    n_passed: int

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        times = {"began_at": self.began_at.isoformat(), "ended_at": self.ended_at.isoformat()}
        return asdict(self) | times


class Calibration:
    """One arena's calibration, by the rules and the guideline in force when it was made. Any number of threads may use
    it. Where the rules ask for none it has no examples, and is done for everybody."""

    def __init__(self, store: VoteStore):
        wanted = store.catalogue.rules().guideline.calibration
        guideline = store.catalogue.guideline() if wanted else None
        self.examples: tuple[WorkedExample, ...] = spread(guideline.examples(), wanted) if guideline else ()
        self._version = guideline.version if guideline else ""
        self._store = store

    def next_step(self, voter_id: VoterId) -> Step | None:
        """The first example that this voter has neither judged nor passed over, or None."""
        if not self.examples:
            return None
        known = self._store.calibrations.verdicts(voter_id, self._version)
        steps = (Step(example, k, len(self.examples)) for k, example in enumerate(self.examples, 1))
        return next((step for step in steps if step.example.number not in known), None)

    def judge(self, number: int, verdict: Verdict, voter_id: VoterId, now: datetime) -> JudgedExample:
        """Store the verdict on an example, and return the first one that was stored: this, or an earlier one.

        Raises UnknownExample for a number that is none of this calibration's, DatabaseUnavailable when it could not be
        stored.
        """
        example = self._find(number)
        self._store.calibrations.add(voter_id, self._version, [number], verdict, now)
        return JudgedExample(example, self._store.calibrations.verdicts(voter_id, self._version)[number])

    def pass_over(self, number: int, voter_id: VoterId, now: datetime) -> None:
        """Leave out this example and all others that this voter has not judged. Raises as `judge` does."""
        self._find(number)
        numbers = [example.number for example in self.examples]
        self._store.calibrations.add(voter_id, self._version, numbers, None, now)

    def scores(self) -> list[Score]:
        """Everybody's scores, the latest first. Examples that no stored guideline has any more are not in them."""
        said = {
            (version, example.number): example.verdict
            for version, guideline in self._store.catalogue.guidelines().items()
            for example in guideline.examples()
        }
        of: dict[tuple[VoterId, str], list[Answered]] = {}
        for each in self._store.calibrations.all():
            if (each.guideline_version, each.example) in said:
                of.setdefault((each.voter_id, each.guideline_version), []).append(each)
        scores = [
            Score(
                voter_id=voter_id,
                guideline_version=version,
                began_at=answered[0].answered_at,
                ended_at=answered[-1].answered_at,
                n_judged=sum(each.verdict is not None for each in answered),
                n_agreed=sum(each.verdict is said[version, each.example] for each in answered),
                n_passed=sum(each.verdict is None for each in answered),
            )
            for (voter_id, version), answered in of.items()
        ]
        return sorted(scores, key=lambda each: (each.ended_at, each.voter_id), reverse=True)

    def _find(self, number: int) -> WorkedExample:
        for example in self.examples:
            if example.number == number:
                return example
        raise UnknownExample(number)
