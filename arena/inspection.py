"""What the data-quality page shows: how much an export would give, whether voters agree, and what moves verdicts.

All of it is of the log up to the latest snapshot, and of the sources that its board counts. It takes up to minutes of
many votes, so it is no visitor's business: one thread looks, once for all who ask, and rests between two looks. Until
the next one is done the last one is shown, which says of when it is and how many votes it saw.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from arena import judgement_table
from arena.agreement import Chance
from arena.agreement_report import Report
from arena.battle import Source
from arena.dataset.readiness import Readiness
from arena.dataset.split import Split
from arena.errors import ArenaError
from arena.export import GOLD, IN_GOLD, NOT_GOLD, PREFERENCE, Rehearsal, rehearse
from arena.leaderboard import Snapshot
from arena.quality.audits import audit_votes
from arena.quality.figure import Audit
from arena.store import ConsentCount, VoteStore
from arena.tally import Selection
from arena.vote_sheet import MOST_WORDED, read_sheet

GROUPS = (judgement_table.Group.CATEGORY, judgement_table.Group.GUIDELINE, judgement_table.Group.WEEK)
"""What agreement is looked at by."""

# So many times as long as a look took, the next one waits: looking never takes more than a tenth of the time.
_RESTS = 9

_WHAT = "data_quality"

OnFailure = Callable[[str, Exception], None]


class NothingToInspect(ArenaError):
    """No vote was counted yet."""

    def __init__(self) -> None:
        super().__init__("there is no leaderboard yet, and so no vote that it counts")


@dataclass(frozen=True, slots=True)
class Supply:
    """From the votes in the log to the pairs that a trainer can use; nothing on the way is left out without a reason.

    n_pairs (pairs of answers with votes; a vote without texts is one by itself) are the usable ones, the gold ones and
    those left out; n_votes are those kept in usable or gold pairs and those left out.
    """

    n_votes: int
    n_votes_kept: int
    votes_left_out: Mapping[str, int]
    n_pairs: int
    readiness: Readiness
    pairs_left_out: Mapping[str, int]
    """By the reason why the last of their votes fell, the most frequent first."""

    @classmethod
    def of(cls, found: Rehearsal) -> Self:
        """From an export that was not written."""
        account, pairs = found.account, found.summary.pairs
        votes, lost = account.left_out.copy(), account.pairs_left_out.copy()
        # A pair is in train and test or in gold; that each of the two does not have the other's is no loss.
        for name, of_the_other in ((PREFERENCE, IN_GOLD), (GOLD, NOT_GOLD)):
            lost.update(account.pairs_left_out_by.get(name, {}))
            votes.update({why: n for why, n in account.left_out_by.get(name, {}).items() if why != of_the_other})
        readiness = Readiness(pairs[Split.TRAIN] + pairs[Split.TEST], pairs[Split.GOLD])
        return cls(
            n_votes=account.n_votes,
            n_votes_kept=account.kept_by[PREFERENCE] + account.kept_by[GOLD],
            votes_left_out=_most_first(votes),
            n_pairs=readiness.n_pairs + readiness.n_gold + sum(lost.values()),
            readiness=readiness,
            pairs_left_out=_most_first(lost),
        )


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found of the log up to a snapshot."""

    snapshot: str
    n_log: int
    sources: tuple[Source, ...]
    confidence: float
    """Of all intervals."""
    n_votes: int
    """The votes of these sources that count."""
    inspected_at: datetime
    supply: Supply
    agreement: Report
    audits: tuple[Audit, ...]
    """None where there is no vote between two models."""
    n_sampled: int | None
    """The size of the random sample of votes whose texts the audits read; None where they read all."""
    consents: tuple[ConsentCount, ...]
    """How many voters agree to be published, by version of the terms; none where nobody was asked."""


class Shown(NamedTuple):
    """The last inspection, if there is one, and the one that is on its way, if any is."""

    found: Inspection | None
    coming: "Future[Inspection] | None"


def inspect(store: VoteStore, snapshot: Snapshot, now: datetime, *, most_worded: int = MOST_WORDED) -> Inspection:
    """Look at everything, here and now. For the audits texts are read of `most_worded` votes."""
    board = snapshot.leaderboard
    with store.votes.table(Selection(sources=snapshot.sources), up_to=snapshot.n_log) as votes:
        n_votes = int(votes.counted().n.sum())
        judged = judgement_table.read(votes, GROUPS)
        sheet = read_sheet(votes, most_worded=most_worded)
    chance = Chance(board.confidence, seed=board.seed)
    return Inspection(
        snapshot=snapshot.id,
        n_log=snapshot.n_log,
        sources=snapshot.sources,
        confidence=board.confidence,
        n_votes=n_votes,
        inspected_at=now,
        supply=Supply.of(rehearse(store, sources=snapshot.sources, up_to=snapshot.n_log)),
        agreement=Report.of(judged, chance, by=[group.value for group in GROUPS], voters=True),
        audits=tuple(audit_votes(sheet, confidence=board.confidence)) if len(sheet) else (),
        n_sampled=sheet.n_sampled,
        consents=store.consents.counts(snapshot.n_log),
    )


class Inspector:
    """Looks at one arena. Any number of threads may ask; one thread of its own looks."""

    def __init__(
        self,
        store: VoteStore,
        latest: Callable[[], Snapshot | None],
        *,
        clock: Callable[[], datetime],
        on_failure: OnFailure,
        ticks: Callable[[], float] = time.monotonic,
    ):
        """`ticks` are seconds that never go back; `on_failure` is told of a look that failed."""
        self._store = store
        self._latest = latest
        self._clock = clock
        self._ticks = ticks
        self._on_failure = on_failure
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="inspector")
        self._lock = threading.Lock()
        self._found: Inspection | None = None
        self._coming: Future[Inspection] | None = None
        self._rests_until = float("-inf")

    def shown(self) -> Shown:
        """What there is to show of the latest snapshot: if nothing is up to date, a look that is due is begun.

        Without a last inspection there is always one coming; its future raises what looking raises, to all who ask
        until the next look is due. Raises NothingToInspect where there is no snapshot.
        """
        snapshot = self._latest()
        if snapshot is None:
            raise NothingToInspect
        with self._lock:
            found = self._found
            is_fresh = found is not None and (found.n_log, found.sources) == (snapshot.n_log, snapshot.sources)
            if is_fresh:
                return Shown(found, None)
            if (self._coming is None or self._coming.done()) and self._ticks() >= self._rests_until:
                self._coming = self._worker.submit(self._look, snapshot)
            is_over = self._coming is None or self._coming.done()
            return Shown(found, None if is_over and found is not None else self._coming)

    def _look(self, snapshot: Snapshot) -> Inspection:
        began = self._ticks()
        try:
            found = inspect(self._store, snapshot, self._clock())
        except Exception as error:
            self._on_failure(_WHAT, error)
            raise
        else:
            with self._lock:
                self._found = found
            return found
        finally:
            with self._lock:
                ended = self._ticks()
                self._rests_until = ended + _RESTS * (ended - began)

    def close(self) -> None:
        """Look no more, and wait for a look that is under way: it reads a database that is about to be closed."""
        self._worker.shutdown(wait=True, cancel_futures=True)


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    ordered: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return {reason: n for reason, n in ordered if n}
