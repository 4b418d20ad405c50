"""The database: the only folder with SQL.

store = VoteStore.open(path)
store.catalogue   models, prompts, answers, rules, guideline
store.ballots     battles and the blind views of them
store.voters      what is known by heart of the voters who are here now
store.named       answers that tell who wrote them
store.log         how far the log of all acts goes, and whether it is whole
store.votes       votes and withdrawals, and what they add up to
store.others      what others said of two models
store.exclusions  whose votes the host leaves out, and why
store.consents    what voters say of publishing their votes, and on which terms
store.conduct     how voters vote: speed, sides, questions, known verdicts
store.overlaps    pairs that several voters judge, and what voters may judge again
store.gold        pairs on which the verdict is known: from the pack, and by adjudication
store.disagreements  pairs that several voters judged, and what they said
store.lists       ballots of several answers that one voter puts in order
store.skips       ballots that were closed without a vote
store.snapshots   leaderboards as they were computed
store.exposures   answers whose authors a voter has seen named on a page
store.casts       all votes pair by pair, as an export reads them
store.judged      pairs of answers, and what votes said of them
store.calibrations  how voters judged the worked examples of a guideline; no votes
store.signals     what users of a product made of one answer; no votes
store.ranked      which votes came as one ranked list
store.holdings    all that is kept of one voter, for that voter
rewrite(path)     the file written anew, without the bytes of what was withdrawn
store.arrivals    when prompts came into the log, and which are gold
store.history     how the log and the leaderboards came together over time
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

from arena.battle import ModelId, PromptId, VoterId
from arena.store.arrivals import Arrivals
from arena.store.ballots import Ballots
from arena.store.calibrations import Answered, Calibrations
from arena.store.casts import Casts
from arena.store.catalogue import Catalogue
from arena.store.compact import Rewritten, rewrite
from arena.store.conduct import Conduct
from arena.store.consents import ConsentCount, Consents
from arena.store.database import Database, closed
from arena.store.disagreements import Disagreements
from arena.store.exclusions import Exclusions
from arena.store.exposures import Exposures
from arena.store.gold import Gold
from arena.store.history import History
from arena.store.holdings import Holdings
from arena.store.judged import Judged, JudgedPair
from arena.store.lists import Lists, ListTexts, OpenedList
from arena.store.log import Log, begin_era
from arena.store.named import Named
from arena.store.others import Others
from arena.store.overlaps import Overlaps
from arena.store.own_prompts import LiveBattle, OwnPrompts
from arena.store.ranked import Ranked, RankedPair
from arena.store.signals import SignalCounts, Signals
from arena.store.skips import Skips
from arena.store.snapshots import Snapshots
from arena.store.torn import log_of
from arena.store.voters import LastVote, OpenedBallot, Seen, Voters, VoterState
from arena.store.votes import VoteCounts, Votes
from arena.store.walk import BrokenLink

__all__ = [
    "Answered",
    "BrokenLink",
    "ConsentCount",
    "Holdings",
    "JudgedPair",
    "LastVote",
    "ListTexts",
    "LiveBattle",
    "OpenedBallot",
    "OpenedList",
    "RankedPair",
    "Rewritten",
    "SignalCounts",
    "VoteCounts",
    "VoteStore",
    "VoterState",
    "closed",
    "log_of",
    "rewrite",
]


T = TypeVar("T")


class VoteStore:
    """The store of one arena. Any number of threads may use it; one process at a time may hold its file."""

    def __init__(self, database: Database):
        self._database = database
        self.catalogue = Catalogue(database)
        self.named = Named(database, self.catalogue)
        self.voters = Voters(database, self._read_voter)
        self.ballots = Ballots(database, self.voters)
        self.log = Log(database)
        self.votes = Votes(database, self.voters, self.named)
        self.lists = Lists(database, self.votes)
        self.others = Others(database, self.voters)
        self.skips = Skips(database, self.voters)
        self.snapshots = Snapshots(database)
        self.exclusions = Exclusions(database)
        self.consents = Consents(database, self.voters)
        self.conduct = Conduct(database)
        self.exposures = Exposures(database, self.voters)
        self.casts = Casts(database)
        self.judged = Judged(database)
        self.calibrations = Calibrations(database)
        self.overlaps = Overlaps(database)
        self.gold = Gold(database)
        self.disagreements = Disagreements(database)
        self.history = History(database)
        self.arrivals = Arrivals(database)
        self.holdings = Holdings(database)
        self.signals = Signals(database)
        self.ranked = Ranked(database)
        self.own_prompts = OwnPrompts(database, self.ballots, self.voters, self.named)

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """Open or create the database file, and bring it up to date; None keeps everything in memory.

        Raises a StoreError that says what is wrong with the file and what to do.
        """
        return cls(Database.open(path, then=begin_era))

    def _read_voter(self, voter_id: VoterId) -> VoterState:
        return VoterState(
            open=self.ballots.open_of(voter_id),
            last=self.votes.last_of(voter_id),
            n_votes=self.votes.counts(voter_id).mine,
            revealed=_frozen(self.votes.revealed_to(voter_id)),
            named=_frozen(self.exposures.authors_seen_by(voter_id)),
            skipped=frozenset(self.skips.pairs_of(voter_id)),
            own=self.overlaps.judged_by(voter_id),
            consent=self.consents.last_of(voter_id),
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is stored together, or not at all."""
        with self._database.write():
            yield

    def gather(self, job: Callable[[], T]) -> T:
        """Do a job that stores little, many times a second, and return what it returns once that is stored.

        It shares a transaction with those of other threads that wait, runs in one of these threads, and may run twice;
        see `Database.gather`.
        """
        return self._database.gather(job)

    def check(self) -> None:
        """Raise DatabaseUnavailable where the database does not answer. Costs next to nothing, however long the log."""
        with self._database.read() as cursor:
            cursor.execute("select 1").fetchall()

    @property
    def path(self) -> Path | None:
        """The file; None in memory."""
        return self._database.path

    def copy_to(self, target: Path) -> None:
        """Write everything, as it stands at one instant, into a new file, while other threads go on writing here.

        Raises DatabaseUnavailable where the copy cannot be written; what is left of it then is the caller's to remove.
        """
        self._database.copy_to(target)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _frozen(seen: Mapping[PromptId, Collection[ModelId]]) -> Seen:
    return {prompt: frozenset(models) for prompt, models in seen.items()}
