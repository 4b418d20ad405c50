"""Boards of any choice of votes, as of the arena's latest snapshot: computed one at a time, each once, and kept while
there is room."""

import shlex
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from arena.batch import open_log, rate_log
from arena.battle import Model, Source
from arena.errors import ArenaError, BadInput, StoreError
from arena.features import FEATURES
from arena.leaderboard import Leaderboard, Snapshot
from arena.plan import Plan
from arena.store import VoteStore
from arena.tally import Selection

_KEPT = 64
_WAITING = 8


class NoBoardYet(ArenaError):
    """No board was ever computed here, so there is no position in the log to compute others at."""

    def __init__(self) -> None:
        super().__init__("there is no leaderboard yet")


class TooManyBoards(ArenaError):
    """So many different boards are asked for at once that one more would wait too long."""

    def __init__(self) -> None:
        super().__init__("too many different leaderboards are being computed; ask again in a moment")


class NoSuchValue(BadInput):
    """A value that no vote has."""

    def __init__(self, name: str, value: object, accepted: str):
        self.name, self.value, self.accepted = name, str(value), accepted
        super().__init__(f"{name} cannot be {value!r}; accepted: {accepted}")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which votes a board counts, and how. What is None is as on the arena's own board."""

    sources: tuple[Source, ...] | None = None
    categories: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_votes: int | None = None
    style: bool = False
    """Whether the effect of style is taken out."""
    up_to: int | None = None
    """The log as it stood after so many acts; None: as the latest snapshot saw it."""

    def beside(self, snapshot: Snapshot) -> "Choice":
        """The same choice in one form of several: each list once and in order, and None for what the snapshot has."""
        sources = None if self.sources is None else tuple(each for each in Source if each in self.sources)
        usual = snapshot.leaderboard.settings.get("min_votes", Plan().min_votes)
        return replace(
            self,
            sources=None if sources == tuple(each for each in Source if each in snapshot.sources) else sources,
            categories=None if self.categories is None else tuple(sorted(set(self.categories))),
            languages=None if self.languages is None else tuple(sorted(set(self.languages))),
            min_votes=None if self.min_votes == usual else self.min_votes,
            up_to=None if self.up_to == snapshot.n_log else self.up_to,
        )


USUAL = Choice()


@dataclass(frozen=True, slots=True)
class View:
    """A board and all that says which it is. `choice` is told apart from the arena's own board, which `snapshot` is."""

    board: Leaderboard
    choice: Choice
    sources: tuple[Source, ...]
    snapshot: Snapshot
    log_hash: str
    """Of the last act that was looked at."""

    @property
    def n_log(self) -> int:
        """How many acts of the log were looked at: the first so many."""
        return self.choice.up_to or self.snapshot.n_log

    @property
    def is_usual(self) -> bool:
        """Whether this is the arena's own board."""
        return self.choice == USUAL

    def pinned(self) -> Choice:
        """The choice that gives the same numbers also when newer votes are counted."""
        return replace(self.choice, sources=self.sources, up_to=self.n_log)

    def command(self, database: str = "arena.duckdb") -> str:
        """The command that computes the same board from the arena's database, or from a copy of it."""
        chosen = self.choice
        words = ["bakeoff", "rate", "--db", database, "--up-to", str(self.n_log), "--source", ",".join(self.sources)]
        for option, names in (("--category", chosen.categories), ("--language", chosen.languages)):
            words += [] if names is None else [option, ",".join(name.replace(",", "\\,") for name in names)]
        for option, time in (("--since", chosen.since), ("--until", chosen.until)):
            words += [] if time is None else [option, time.isoformat()]
        words += [] if chosen.min_votes is None else ["--min-votes", str(chosen.min_votes)]
        words += ["--style"] if chosen.style else []
        return shlex.join(words)


@dataclass(frozen=True, slots=True)
class Offer:
    """What boards can be chosen by: the values that votes of the log have, each with how many votes have it."""

    sources: Mapping[str, int]
    categories: Mapping[str, int]
    languages: Mapping[str, int]
    span: tuple[datetime, datetime] | None
    """When the first and the last vote were cast; None where no vote tells."""
    style: bool
    """Whether the texts are there and the arena's rules allow to take out style."""
    models: tuple[Model, ...]


class Boards:
    """The boards of one arena. Any number of threads may ask; one thread of its own computes."""

    def __init__(
        self, store: VoteStore, latest: Callable[[], Snapshot | None], *, keep: int = _KEPT, waiting: int = _WAITING
    ):
        """Up to `keep` boards are kept, the last used ones; up to `waiting` may be on their way at once."""
        self._store = store
        self._latest = latest
        self._keep = keep
        self._waiting = waiting
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="boards")
        # Of its own, so that what can be chosen from need not wait for boards, nor boards for themselves.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="offers")
        self._lock = threading.Lock()
        self._views: OrderedDict[tuple[str, Choice], Future[View]] = OrderedDict()
        self._offered: tuple[str, Future[Offer]] | None = None

    def view(self, choice: Choice = USUAL) -> "Future[View]":
        """The board of this choice, at once for the arena's own, else as soon as it is computed.

        Who asks for the same at the same time gets the same computation. The future raises NoSuchValue for values that
        no vote has, NothingToRate or RatingFailed where these votes give no board, BadInput where they lack what is
        asked. Raises NoBoardYet before the first snapshot, TooManyBoards when too many are on their way.
        """
        snapshot = self._latest()
        if snapshot is None:
            raise NoBoardYet
        if choice.up_to is not None and not 0 < choice.up_to <= snapshot.n_log:
            raise NoSuchValue("up_to", choice.up_to, f"1 to {snapshot.n_log}")
        choice = choice.beside(snapshot)
        if choice == USUAL:
            done: Future[View] = Future()
            done.set_result(View(snapshot.leaderboard, choice, snapshot.sources, snapshot, snapshot.log_hash))
            return done
        return self._shared(snapshot, choice)

    def _shared(self, snapshot: Snapshot, choice: Choice) -> "Future[View]":
        key = (snapshot.id, choice)
        with self._lock:
            found = self._views.get(key)
            if found is not None:
                self._views.move_to_end(key)
                return found
            if sum(not each.done() for each in self._views.values()) >= self._waiting:
                raise TooManyBoards
            for old in [each for each, future in self._views.items() if future.done()][: self._n_too_many()]:
                del self._views[old]
            future = self._views[key] = self._worker.submit(self.compute, snapshot, choice)
        future.add_done_callback(lambda done: self._forget_if_it_may_change(key, done))
        return future

    def _n_too_many(self) -> int:
        return max(0, len(self._views) + 1 - self._keep)

    def _forget_if_it_may_change(self, key: tuple[str, Choice], future: "Future[View]") -> None:
        """Keep no failure of the database: the next one to ask may be luckier. What votes lack, they lack for good."""
        error = None if future.cancelled() else future.exception()
        if error is not None:
            forget_frames(error)
        is_for_good = error is None or (isinstance(error, ArenaError) and not isinstance(error, StoreError))
        if future.cancelled() or not is_for_good:
            with self._lock:
                if self._views.get(key) is future:
                    del self._views[key]

    def compute(self, snapshot: Snapshot, choice: Choice) -> View:
        """The board of this choice, computed here and now, however many others are on their way."""
        self._refuse_unknown(choice)
        sources = choice.sources or snapshot.sources
        choices: dict[str, Any] = {"style": FEATURES} if choice.style else {}
        choices |= {} if choice.min_votes is None else {"min_votes": choice.min_votes}
        rated = rate_log(
            self._store,
            selection=Selection(sources, choice.categories, choice.languages, choice.since, choice.until),
            up_to=choice.up_to or snapshot.n_log,
            **choices,
        )
        n_log = choice.up_to or snapshot.n_log
        log_hash = snapshot.log_hash if n_log == snapshot.n_log else self._store.log.hash_at(n_log)
        return View(rated.board, choice, rated.sources, snapshot, log_hash)

    def _refuse_unknown(self, choice: Choice) -> None:
        offer = self.offer().result()
        for name, wanted, known in (
            ("category", choice.categories, offer.categories),
            ("language", choice.languages, offer.languages),
        ):
            for value in wanted or ():
                if value not in known:
                    raise NoSuchValue(name, value, ", ".join(known) or "none, as no vote tells")
        if choice.style and not offer.style and choice.sources is None:
            raise NoSuchValue("style", "on", "off")

    def offer(self) -> "Future[Offer]":
        """What can be chosen from, as of the latest snapshot; read once for each. Raises NoBoardYet.

        The future raises StoreError, and the next one to ask may be luckier.
        """
        snapshot = self._latest()
        if snapshot is None:
            raise NoBoardYet
        with self._lock:
            known = self._offered
            if known is None or known[0] != snapshot.id or (known[1].done() and known[1].exception() is not None):
                known = self._offered = (snapshot.id, self._reader.submit(self._read_offer, snapshot))
            return known[1]

    def _read_offer(self, snapshot: Snapshot) -> Offer:
        selection = Selection(sources=snapshot.sources)
        with open_log(self._store, selection, up_to=snapshot.n_log) as log:
            try:
                replace(log.plan, style=FEATURES)
                has_style = log.votes.has_texts()
            except BadInput:  # the rules contradict it
                has_style = False
            return Offer(
                log.votes.values("source"),
                log.votes.values("category"),
                log.votes.values("language"),
                log.votes.span(),
                has_style,
                tuple(entry.model for entry in snapshot.leaderboard.entries),
            )

    def close(self) -> None:
        """Compute nothing more, and wait for what is being computed: it reads a database that is about to be closed.

        Who still waits for another board is told so by a cancelled future.
        """
        for threads in (self._worker, self._reader):
            threads.shutdown(wait=True, cancel_futures=True)


def forget_frames(error: BaseException) -> None:
    """Take the tracebacks off an error that is kept, and off those behind it: they hold all that a computation had in
    hand."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.with_traceback(None)
            waiting += [each.__cause__, each.__context__]
