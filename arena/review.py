"""The host's review: which voters the checks flag, what their votes do to the board, and whose votes are left out.

Nothing here removes a vote. Leaving a voter out is an act of the host with a reason and a name, stored in the log as
votes are, and can be undone by another one.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from arena.batch import OpenLog, open_log, rate_log
from arena.battle import Exclusion, Model, ModelId, Source, VoterId
from arena.effect import Effect
from arena.errors import BadInput, NothingToRate, RatingFailed
from arena.pieces import counting
from arena.plan import Intervals, Plan
from arena.rating import rate
from arena.rows import Counted, Rows, joined
from arena.store import VoteStore
from arena.suspicion import (
    Check,
    Flag,
    Judged,
    against_others,
    known_verdicts,
    one_side,
    one_side_run,
    other_verdict,
    same_question,
    too_fast,
)
from arena.tally import Selection, Unit

MOST_EFFECTS = 20
"""Of so many voters, those whose votes are the least likely, the effect on the board is computed one by one."""

LONGEST_REASON = 500
LONGEST_NAME = 100

_EFFECT = "effect_on_the_board"
_WHOLE = "review"
_REACH = "what_can_be_checked"

OnFailure = Callable[[str, Exception], None]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A voter with all that the checks say, and what leaving out this one alone would change."""

    voter: VoterId
    flags: tuple[Flag, ...]
    effect: Effect | None
    """None beyond the first MOST_EFFECTS, and where it could not be computed."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A voter whose votes the host leaves out, how many votes these are, and the act."""

    act: Exclusion
    n_votes: int


@dataclass(frozen=True, slots=True)
class Findings:
    """A review of the log up to an act."""

    n_log: int
    sources: tuple[Source, ...]
    """Whose votes the arena's board counts, and this review looks at."""
    reach: Mapping[str, int] | None
    """Votes on the board; those with a voter, and of these those that were timed, and drawn by this arena; voters.
    What is not among them no check can see."""
    checks: tuple[Judged, ...]
    failed: tuple[str, ...]
    """Checks that gave no answer (and the effect on the board): nobody is flagged by these."""
    suspects: tuple[Suspect, ...]
    """The least likely first."""
    together: Effect | None
    """What leaving out all suspects would change: the board as it would be, computed as the arena's own."""
    left_out: tuple[LeftOut, ...]
    """The latest act first."""

    def to_record(self) -> dict[str, Any]:
        """Plain values, as `bakeoff review --json` prints them."""
        return {
            "n_log": self.n_log,
            "sources": [each.value for each in self.sources],
            "reach": None if self.reach is None else dict(self.reach),
            "checks": {
                each.check.value: {"n_judged": each.n_judged, "n_flagged": len(each.flags)} for each in self.checks
            },
            "failed": list(self.failed),
            "suspects": [
                {
                    "voter": each.voter,
                    "flags": [flag.to_record() for flag in each.flags],
                    "effect": None if each.effect is None else each.effect.to_record(),
                }
                for each in self.suspects
            ],
            "together": None if self.together is None else self.together.to_record(),
            "left_out": [
                asdict(each.act) | {"decided_at": each.act.decided_at.isoformat(), "n_votes": each.n_votes}
                for each in self.left_out
            ],
        }


class Review:
    """The review of one arena. Any number of threads may ask; one thread of its own looks.

    `sources` are those that the arena's board counts, None for what its rules say. `on_failure` is told of every check
    that fails, by its name; `on_decision` is called when somebody was left out or taken in again.
    """

    def __init__(
        self,
        store: VoteStore,
        *,
        sources: Sequence[Source] | None = None,
        on_failure: OnFailure,
        on_decision: Callable[[], None] = lambda: None,
    ):
        self._store = store
        self._sources = tuple(sources) if sources else None
        self._on_failure = on_failure
        self._on_decision = on_decision
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="review")
        self._lock = threading.Lock()
        self._known: tuple[int, Future[Findings]] | None = None
        self._n_decided = 0

    def findings(self) -> "Future[Findings]":
        """The review of the log as it stands; of a log that has grown since, while one is on its way, that one.

        What the host has decided is always in it. The future raises StoreError where the log cannot be read, BadInput
        where nobody has said which sources count; the next one to ask may be luckier.
        """
        n_log, _ = self._store.log.position()
        with self._lock:
            if self._known is not None:
                n_seen, future = self._known
                is_failure = future.done() and (future.cancelled() or future.exception() is not None)
                is_fresh = n_seen == n_log or (not future.done() and n_seen >= self._n_decided)
                if is_fresh and not is_failure:
                    return future
            future = self._worker.submit(self.look, n_log)
            self._known = (n_log, future)
        future.add_done_callback(self._tell_failure)
        return future

    def look(self, n_log: int) -> Findings:
        """Run every check on the log up to this act, here and now; one that fails is told, and the others go on."""
        left_out = self._left_out()
        if n_log == 0:
            return Findings(0, self._sources or (), None, (), (), (), None, left_out)
        checked = _Checked(self._on_failure)
        conduct, rules = self._store.conduct, self._store.catalogue.rules().review
        with open_log(self._store, Selection(sources=self._sources), up_to=n_log) as log:
            of = (n_log, log.sources)
            reach = checked.ask(_REACH, lambda: conduct.reach(*of))
            seconds = rules.too_fast_seconds
            checked.run(Check.SPEED, lambda: too_fast(conduct.speeds(*of, seconds), seconds))
            checked.run(Check.SIDE, lambda: one_side(conduct.sides(*of)))
            checked.run(Check.RUN, lambda: one_side_run(conduct.sides(*of)))
            checked.run(Check.REPEATS, lambda: same_question(conduct.repeats(*of)))
            checked.run(Check.KNOWN, lambda: self._known_verdicts(*of))
            checked.run(Check.CHANGES, lambda: other_verdict(conduct.again(*of)))
            votes = checked.ask(Check.OTHERS, lambda: _Votes.of(log))
            if votes is not None:
                checked.run(Check.OTHERS, lambda: against_others(votes.plain, votes.voters, votes.counted.models))
            suspects = _suspects(checked.judged)
            together = None
            if votes is not None and suspects:
                models = self._store.catalogue.models()
                alone = _Alone(votes, log.plan, models)
                suspects = [
                    replace(each, effect=checked.ask(_EFFECT, lambda each=each: alone.effect(each.voter)))
                    if place < MOST_EFFECTS
                    else each
                    for place, each in enumerate(suspects)
                ]
                everybody = [each.voter for each in suspects]
                together = checked.ask(_EFFECT, lambda: self._together(log, everybody, votes.n_of(everybody)))
        return Findings(
            n_log=n_log,
            sources=log.sources,
            reach=reach,
            checks=tuple(checked.judged),
            failed=tuple(checked.failed),
            suspects=tuple(suspects),
            together=together,
            left_out=left_out,
        )

    def exclude(self, voter: str, reason: str, decided_by: str, now: datetime) -> bool:
        """Leave the votes of a voter out of boards and exports, those to come as well. False: so it stands already.

        Raises BadInput for somebody who never voted here, and for a reason or a name that is empty, too long, or holds
        control characters.
        """
        return self._decide(voter, reason, decided_by, now, is_excluded=True)

    def readmit(self, voter: str, reason: str, decided_by: str, now: datetime) -> bool:
        """Take the votes of a voter in again. False: they are not left out. Raises as `exclude`."""
        return self._decide(voter, reason, decided_by, now, is_excluded=False)

    def close(self) -> None:
        """Look no more, and wait for a look that is under way: it reads a database that is about to be closed."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _decide(self, voter: str, reason: str, decided_by: str, now: datetime, *, is_excluded: bool) -> bool:
        reason, decided_by = said("reason", reason, LONGEST_REASON), said("name", decided_by, LONGEST_NAME)
        if not self._store.votes.has_any(VoterId(voter)):
            raise BadInput(
                f"no vote in this arena is by voter {voter!r}; `bakeoff review` lists voters as they are called"
            )
        act = Exclusion(VoterId(voter), is_excluded, reason, decided_by, now)
        if not self._store.exclusions.add(act):
            return False
        with self._lock:
            self._n_decided, _ = self._store.log.position()
        self._on_decision()
        return True

    def _tell_failure(self, future: "Future[Findings]") -> None:
        error = None if future.cancelled() else future.exception()
        # What is wrong with what was asked for is said to who asked.
        if isinstance(error, Exception) and not isinstance(error, BadInput):
            self._on_failure(_WHOLE, error)

    def _left_out(self) -> tuple[LeftOut, ...]:
        n_votes, latest = self._store.exclusions.n_votes(), dict[VoterId, Exclusion]()
        for act in self._store.exclusions.acts():
            latest.setdefault(act.voter_id, act)
        return tuple(LeftOut(act, n_votes[voter]) for voter, act in latest.items() if voter in n_votes)

    def _known_verdicts(self, n_log: int, sources: tuple[Source, ...]) -> Judged:
        found = self._store.conduct.gold(n_log, sources, self._store.gold.all())
        guideline = self._store.catalogue.guideline()
        if guideline is not None:
            expected = {example.number: example.verdict for example in guideline.examples()}
            found += self._store.conduct.known(guideline.version, expected)
        return known_verdicts(found)

    def _together(self, log: OpenLog, voters: Sequence[VoterId], n_votes: int) -> Effect:
        """The board as the arena computes it, and as it would compute it without them."""
        selection = Selection(sources=log.sources)
        try:
            board = rate_log(self._store, selection=selection, up_to=log.n_log).board
            without = rate_log(self._store, selection=selection, up_to=log.n_log, without=voters).board
        except (NothingToRate, RatingFailed) as error:
            return Effect.unknown(voters, n_votes, str(error))
        return Effect.between(voters, n_votes, board, without)


class _Checked:
    """Checks run one after the other: what they say, and the names of those that failed."""

    def __init__(self, on_failure: OnFailure):
        self._on_failure = on_failure
        self.judged: list[Judged] = []
        self.failed: list[str] = []

    def ask(self, what: str, question: Callable[[], Any]) -> Any:
        """The answer, or None where it fails: that is told to the host, and accuses nobody."""
        try:
            return question()
        except Exception as error:  # noqa: BLE001 - whatever it was: it is told, and the other checks go on
            if what not in self.failed:
                self.failed.append(str(what))
            self._on_failure(what, error)
            return None

    def run(self, check: Check, question: Callable[[], Judged]) -> None:
        """Keep what a check says."""
        judged = self.ask(check, question)
        if judged is not None:
            self.judged.append(judged)


class _Votes(NamedTuple):
    """The votes of the board, counted and one by one with their voters."""

    counted: Counted
    rows: Rows
    plain: Rows
    """Those between different models, with both-bad verdicts as ties."""
    voters: Mapping[int, VoterId]
    """By the number of the unit; of known voters only."""

    @classmethod
    def of(cls, log: OpenLog) -> "_Votes":
        counted = log.votes.counted()
        items = {model: item for item, model in enumerate(counted.models)}
        rows = joined(list(log.votes.rows(items, unit=Unit.VOTER)))
        if rows.unit is None:  # not a single vote is left
            rows = replace(rows, unit=np.empty(0, dtype=np.int64), unit_keys=np.empty(0, dtype=np.uint64))
        labels = log.votes.labels(Unit.VOTER)
        keys = [] if rows.unit_keys is None else rows.unit_keys.tolist()
        return cls(
            counted, rows, counting(rows, Plan()), {number: VoterId(labels[key]) for number, key in enumerate(keys)}
        )

    def n_of(self, voters: Collection[VoterId]) -> int:
        """How many votes on the board are by these voters."""
        assert self.rows.unit is not None  # noqa: S101 - see `of`
        wanted = [number for number, voter in self.voters.items() if voter in set(voters)]
        return int(np.isin(self.rows.unit, wanted).sum())


class _Alone:
    """Boards without one voter, from counts: scores and ranks are exactly those of the votes that are left.

    Rank ranges take every vote by itself, on both boards, where the arena's own may take votes of one voter together:
    that would cost as much for each voter as the board itself.
    """

    def __init__(self, votes: _Votes, plan: Plan, models: Mapping[ModelId, Model]):
        self._votes = votes
        self._plan = replace(plan, unit=Unit.NONE, intervals=Intervals.SANDWICH)
        self._models = models
        try:
            self._board, self._reason = rate(votes.counted, models, self._plan), ""
        except (NothingToRate, RatingFailed) as error:
            self._board, self._reason = None, str(error)
        self._numbers = {voter: number for number, voter in votes.voters.items()}
        rows = votes.rows
        assert rows.unit is not None  # noqa: S101 - see `_Votes.of`
        self._order = np.argsort(rows.unit, kind="stable")
        self._start = np.searchsorted(rows.unit[self._order], np.arange(len(votes.voters) + 1))

    def effect(self, voter: VoterId) -> Effect:
        """What leaving out this one alone would change."""
        number = self._numbers.get(voter)
        own = self._order[:0] if number is None else self._order[self._start[number] : self._start[number + 1]]
        if self._board is None:
            return Effect.unknown([voter], len(own), self._reason)
        try:
            without = rate(self._without(own), self._models, self._plan)
        except (NothingToRate, RatingFailed) as error:
            return Effect.unknown([voter], len(own), str(error))
        return Effect.between([voter], len(own), self._board, without)

    def _without(self, own: np.ndarray) -> Counted:
        counted, rows = self._votes.counted, self._votes.rows
        n_models = len(counted.models)

        def cell(model_a: np.ndarray, model_b: np.ndarray, verdict: np.ndarray) -> np.ndarray:
            return (verdict * n_models + model_a) * n_models + model_b

        cells = cell(counted.model_a, counted.model_b, counted.verdict)
        gone = np.bincount(
            cell(rows.model_a[own], rows.model_b[own], rows.verdict[own]), minlength=int(cells.max()) + 1
        )
        n = counted.n - gone[cells]
        return replace(counted, n=n).taking(n > 0)


def _suspects(judged: Sequence[Judged]) -> list[Suspect]:
    flags: dict[VoterId, list[Flag]] = {}
    for each in judged:
        for flag in each.flags:
            flags.setdefault(flag.voter, []).append(flag)
    ordered = sorted(flags.items(), key=lambda item: (min(flag.p_value for flag in item[1]), item[0]))
    return [Suspect(voter, tuple(sorted(told, key=lambda flag: flag.p_value)), None) for voter, told in ordered]


def said(what: str, text: str, longest: int) -> str:
    """A reason or a name, without blanks around it."""
    text = text.strip()
    if not text:
        raise BadInput(
            f"the {what} is empty; say it in a few words, so that others can tell later why this was decided"
        )
    if len(text) > longest:
        raise BadInput(f"the {what} has {len(text):,} characters; up to {longest:,} are kept")
    if not text.isprintable():
        raise BadInput(f"the {what} holds a control character, or a line break; write it in one line")
    return text
