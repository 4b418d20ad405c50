"""The rating job: read the votes, compute the board, store a snapshot. Run by the app's timer and by the command."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from arena.battle import ModelId, Source
from arena.errors import ArenaError, StoreError
from arena.leaderboard import BothBad, Leaderboard, Snapshot, default_sources, rate
from arena.store import VoteStore


class Overrides(TypedDict, total=False):
    """Settings of a rating that may differ from the arena's rules."""

    rounds: int
    seed: int
    confidence: float
    anchor: tuple[ModelId, float] | None
    both_bad: BothBad


@dataclass(frozen=True, slots=True)
class RatedLog:
    """A board and the votes it came from: the first n_log of the log, the last of which has log_hash."""

    board: Leaderboard
    n_log: int
    log_hash: str
    sources: tuple[Source, ...]


def rate_log(
    store: VoteStore,
    *,
    sources: Sequence[Source] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    **overrides: Unpack[Overrides],
) -> RatedLog:
    """Rate the log as it stands, by the arena's rules where nothing else is given.

    Without sources here or in the rules, `leaderboard.default_sources` chooses. Raises NothingToRate when no vote is
    left to rate.
    """
    rules = store.catalogue.rules().rating
    n_log, log_hash = store.votes.position()
    chosen = tuple(sources or rules.sources or default_sources(store.votes.n_by_source(up_to=n_log)))
    by_rules: Overrides = {"rounds": rules.rounds, "seed": rules.seed, "confidence": rules.confidence}
    board = rate(
        store.votes.tallies(up_to=n_log),
        store.catalogue.models(),
        sources=chosen,
        provisional_below=rules.provisional_below,
        on_progress=on_progress,
        **(by_rules | overrides),
    )
    return RatedLog(board, n_log, log_hash, chosen)


def take_snapshot(store: VoteStore, now: datetime, *, sources: Sequence[Source] | None = None) -> Snapshot:
    """Rate the log by the arena's rules and store the result."""
    rated = rate_log(store, sources=sources)
    return store.snapshots.add(
        rated.board,
        n_log=rated.n_log,
        log_hash=rated.log_hash,
        sources=rated.sources,
        settings={"both_bad": "tie", "provisional_below": store.catalogue.rules().rating.provisional_below},
        now=now,
    )


class RatingJob:
    """Keeps the board of a running arena fresh: due when votes came in and either enough of them or enough time.

    One thread at a time computes; the latest snapshot is read without waiting for it.
    """

    def __init__(
        self,
        store: VoteStore,
        *,
        every: timedelta,
        after_votes: int,
        sources: Sequence[Source] | None = None,
    ):
        self._store = store
        self._every = every
        self._after_votes = after_votes
        self._sources = sources
        self._running = threading.Lock()
        self._latest = store.snapshots.latest(store.catalogue.models())
        self._tried: tuple[int, datetime] | None = None
        self._failure: str | None = None

    def latest(self) -> Snapshot | None:
        """The newest board, or None when none was ever computed."""
        return self._latest

    @property
    def failure(self) -> str | None:
        """Why the last run gave no board, in one sentence; None if it did."""
        return self._failure

    def run_if_due(self, now: datetime) -> bool:
        """Compute a new board if it is due; says whether a new one was stored.

        Where the votes themselves give no board, `failure` says why, and the next try waits for votes. A failure of the
        database is raised, said in `failure`, and tried again at the next call.
        """
        if not self._running.acquire(blocking=False):
            return False
        try:
            n_log, _ = self._store.votes.position()
            if not self._is_due(n_log, now):
                return False
            try:
                self._latest = take_snapshot(self._store, now, sources=self._sources)
            except StoreError as error:
                self._failure = str(error)
                raise
            except ArenaError as error:
                self._failure = str(error)
                self._tried = (n_log, now)
                return False
            self._failure = None
            self._tried = (n_log, now)
            return True
        finally:
            self._running.release()

    def _is_due(self, n_log: int, now: datetime) -> bool:
        if self._tried is None:
            # Once at the start: the rules or the sources may have changed since the stored board.
            return n_log > 0
        n_seen, tried_at = self._tried
        n_new = n_log - n_seen
        # abs(): a clock that was set back must not keep the board waiting until it has caught up.
        # While there are few votes each one counts for much: 1 new vote after 4, 3 after 10, `after_votes` in the end.
        enough = min(self._after_votes, 1 + n_seen // 5)
        return n_new >= enough or (n_new > 0 and abs(now - tried_at) >= self._every)
