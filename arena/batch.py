"""The rating job: read the votes, compute the board, store a snapshot. Run by the app's timer and by the command."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from arena.battle import Source, VoterId
from arena.errors import ArenaError, BadInput, NothingToRate, StoreError
from arena.leaderboard import Leaderboard, Snapshot
from arena.plan import Plan
from arena.rating import rate
from arena.store import VoteStore
from arena.tally import Selection, default_sources
from arena.vote_table import VoteTable


@dataclass(frozen=True, slots=True)
class RatedLog:
    """A board and what it came from: the first n_log acts of the log, the last of which has log_hash: see `OpenLog`."""

    board: Leaderboard
    n_log: int
    log_hash: str | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class OpenLog:
    """The votes of the log up to a position, those that count, and how they are to be rated."""

    votes: VoteTable
    plan: Plan
    n_log: int
    log_hash: str | None
    """Of the last act; None for a position before the end, which nobody has looked up."""
    sources: tuple[Source, ...]


@contextmanager
def open_log(
    store: VoteStore,
    selection: Selection | None = None,
    *,
    up_to: int | None = None,
    without: Collection[VoterId] = (),
    **choices: Any,
) -> Iterator[OpenLog]:
    """The log as it stands, by the arena's rules where nothing else is given; `choices` are those of `Plan`.

    With `up_to` it is the log as it stood after so many acts (votes and withdrawals); BadInput if there never were as
    many. Without sources in the selection or in the rules, `tally.default_sources` chooses. Votes
    of the voters `without` are left out as if the host had excluded them.
    """
    rules = store.catalogue.rules().rating
    n_log, log_hash = _position(store, up_to)
    selection = selection or Selection()
    sources = tuple(selection.sources or rules.sources or default_sources(store.votes.n_by_source(up_to=n_log)))
    plan = Plan(**(rules.choices() | choices))
    with store.votes.table(replace(selection, sources=sources), up_to=n_log, without=without) as votes:
        yield OpenLog(votes, plan, n_log, log_hash, sources)


def _position(store: VoteStore, up_to: int | None) -> tuple[int, str | None]:
    n_log, log_hash = store.log.position()
    if up_to is None or up_to == n_log:
        return n_log, log_hash
    if not 0 < up_to < n_log:
        raise BadInput(f"the log ends with entry {n_log:,}, so it cannot be read up to entry {up_to:,}")
    return up_to, None


def rate_log(
    store: VoteStore,
    *,
    selection: Selection | None = None,
    up_to: int | None = None,
    without: Collection[VoterId] = (),
    on_progress: Callable[[int, int], None] | None = None,
    **choices: Any,
) -> RatedLog:
    """Rate the log as `open_log` gives it. Raises NothingToRate when no vote is left to rate."""
    with open_log(store, selection, up_to=up_to, without=without, **choices) as log:
        models = store.catalogue.models()
        board = rate(log.votes.counted(), models, log.plan, rows=log.votes, on_progress=on_progress)
        return RatedLog(board, log.n_log, log.log_hash, log.sources)


def take_snapshot(store: VoteStore, now: datetime, *, sources: Sequence[Source] | None = None) -> Snapshot:
    """Rate the log by the arena's rules and store the result."""
    rated = rate_log(store, selection=Selection(sources=tuple(sources) if sources else None))
    assert rated.log_hash is not None  # noqa: S101 - it is rated to its end
    return store.snapshots.add(
        rated.board,
        n_log=rated.n_log,
        log_hash=rated.log_hash,
        sources=rated.sources,
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
        self.every = every
        self._store = store
        self._after_votes = after_votes
        self._sources = sources
        self._running = threading.Lock()
        self._latest = store.snapshots.latest(store.catalogue.models())
        self._tried: tuple[int, datetime] | None = None
        self._failure: str | None = None
        self._is_asked = threading.Event()

    def latest(self) -> Snapshot | None:
        """The newest board, or None when none was ever computed."""
        return self._latest

    @property
    def after_votes(self) -> int:
        """After so many new votes the next board is due, or sooner while there are few.

        Of many votes, less than one in a hundred moves nothing that could be seen, and each board has its cost.
        """
        n_seen, _ = self._tried or (0, None)
        return max(self._after_votes, n_seen // 100)

    @property
    def failure(self) -> str | None:
        """Why the last run gave no board, in one sentence; None if it did."""
        return self._failure

    def ask(self) -> None:
        """Make the next look compute a board, whatever came in: the host has decided something, and waits for it."""
        self._is_asked.set()

    def run_if_due(self, now: datetime) -> bool:
        """Compute a new board if it is due; says whether a new one was stored.

        Where the votes themselves give no board, `failure` says why, and the next try waits for votes; where none is
        left to count, as after the withdrawal of the last, there is no latest board either. A failure of the database
        is raised, said in `failure`, and tried again at the next call.
        """
        if not self._running.acquire(blocking=False):
            return False
        try:
            n_log, _ = self._store.log.position()
            if not self._is_due(n_log, now) and not (n_log and self._is_asked.is_set()):
                return False
            # Before the votes are read: who asks while a board is computed gets another one.
            self._is_asked.clear()
            try:
                self._latest = take_snapshot(self._store, now, sources=self._sources)
            except StoreError as error:
                self._failure = str(error)
                raise
            except ArenaError as error:
                if isinstance(error, NothingToRate):
                    self._latest = None
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
        # While there are few votes each one counts for much: 1 new vote after 4, 3 after 10, then `after_votes`.
        enough = min(self.after_votes, 1 + n_seen // 5)
        return n_new >= enough or (n_new > 0 and abs(now - tried_at) >= self.every)
