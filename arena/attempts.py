"""How often a password may be tried. Kept in memory: a restart forgets it, and nothing of it is ever stored."""

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

MOST_IN_ALL = 30
MOST_OF_ONE = 5
_WINDOW = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass
class _Record:
    n_failed: int
    free_at: timedelta


class Attempts:
    """Counts tries before they are judged, so that no number of tries at the same time gets past it.

    One address has MOST_OF_ONE tries; each further one doubles the pause before the next, from a minute up to an hour.
    All addresses together have MOST_IN_ALL in a minute. An address that lets an hour pass in which it could try is
    forgotten, so at most some 3,600 are remembered.

    Times are what a clock that never goes back has run. By the time of day, one set back a year would let nobody try
    for a year.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[str, _Record] = {}
        self._recent: deque[timedelta] = deque()

    def begin(self, address: str, now: timedelta) -> timedelta | None:
        """Take a try, `address` being a pseudonym. None if it may be made, else how long to wait."""
        with self._lock:
            self._forget(now)
            record = self._records.get(address)
            if record is not None and now < record.free_at:
                return record.free_at - now
            if len(self._recent) >= MOST_IN_ALL:
                return self._recent[0] + _WINDOW - now
            n_failed = (record.n_failed if record else 0) + 1
            # The exponent is held down: 2 ** 1000 minutes is no pause that a number could hold.
            pause = _WINDOW * 2 ** min(n_failed - MOST_OF_ONE, 10) if n_failed >= MOST_OF_ONE else timedelta(0)
            self._records[address] = _Record(n_failed, now + min(pause, _LONGEST_PAUSE))
            self._recent.append(now)
            return None

    def succeeded(self, address: str) -> None:
        """The try was right: this address starts anew."""
        with self._lock:
            self._records.pop(address, None)

    def _forget(self, now: timedelta) -> None:
        while self._recent and self._recent[0] + _WINDOW <= now:
            self._recent.popleft()
        stale = [address for address, record in self._records.items() if record.free_at + _LONGEST_PAUSE <= now]
        for address in stale:
            del self._records[address]
