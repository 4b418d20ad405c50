"""The database: the only folder with SQL.

store = VoteStore.open(path)
store.catalogue   models, prompts, answers, rules, guideline
store.ballots     battles and the blind views of them
store.log         how far the log of all acts goes, and whether it is whole
store.votes       votes and withdrawals, and what they add up to
store.exclusions  whose votes the host leaves out, and why
store.conduct     how voters vote: speed, sides, questions, known verdicts
store.skips       ballots that were closed without a vote
store.snapshots   leaderboards as they were computed
store.exposures   answers whose authors a voter has seen named on a page
store.judged      pairs of answers, and what votes said of them
store.calibrations  how voters judged the worked examples of a guideline; no votes
store.history     how the log and the leaderboards came together over time
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from arena.store.ballots import Ballots, OpenedBallot
from arena.store.calibrations import Calibrations
from arena.store.catalogue import Catalogue
from arena.store.conduct import Conduct
from arena.store.database import Database
from arena.store.exclusions import Exclusions
from arena.store.exposures import Exposures
from arena.store.history import History
from arena.store.judged import Judged, JudgedPair
from arena.store.log import BrokenLink, Log
from arena.store.skips import Skips
from arena.store.snapshots import Snapshots
from arena.store.votes import LastVote, VoteCounts, Votes

__all__ = ["BrokenLink", "JudgedPair", "LastVote", "OpenedBallot", "VoteCounts", "VoteStore"]


class VoteStore:
    """The store of one arena. Any number of threads may use it; one process at a time may hold its file."""

    def __init__(self, database: Database):
        self._database = database
        self.catalogue = Catalogue(database)
        self.ballots = Ballots(database)
        self.log = Log(database)
        self.votes = Votes(database)
        self.skips = Skips(database)
        self.snapshots = Snapshots(database)
        self.exclusions = Exclusions(database)
        self.conduct = Conduct(database)
        self.exposures = Exposures(database)
        self.judged = Judged(database)
        self.calibrations = Calibrations(database)
        self.history = History(database)

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """Open or create the database file; None keeps everything in memory.

        Raises a StoreError that says what is wrong with the file and what to do.
        """
        return cls(Database.open(path))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is stored together, or not at all."""
        with self._database.write():
            yield

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
