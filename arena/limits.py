"""How often something may happen: per voter, per address, and in the whole arena. Pure: time is passed in.

A rate such as 60/minute is a bucket that holds 60 and fills evenly, one a second: so many at once, and then so many in
the time. Buckets are kept as the generic cell rate algorithm has them (ITU-T I.371): one whole number a key, the moment
when its bucket is full again, and a key whose bucket is full is forgotten.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_NANOSECONDS = 1_000_000_000
_MOST_PER_PERIOD = 10**9

# Some 16 MB for each rate. Beyond it, those that have used the least are forgiven.
MOST_KEYS = 100_000
_FEW_KEYS = 1000

OFF = "off"


class Act(StrEnum):
    """What is limited: a request that costs something, a new ballot, a prompt that models are asked, a vote about to be
    stored."""

    REQUEST = "requests"
    BALLOT = "ballots"
    PROMPT = "prompts"
    VOTE = "votes"


class Whose(StrEnum):
    """Who shares a bucket."""

    VOTER = "per_voter"
    ADDRESS = "per_address"
    ALL = "in_all"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in a period: `n` at once, and then one each `period / n`."""

    n: int
    period: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "60/minute". Raises ValueError, which says what would be accepted."""
        n, _, period = text.strip().partition("/")
        if period not in _SECONDS or not (n.isascii() and n.isdigit()) or not 1 <= int(n) <= _MOST_PER_PERIOD:
            raise ValueError(
                f"{text!r} is no rate; accepted: {OFF}, or a whole number from 1 and a period, as in 60/minute, with "
                f"the periods {', '.join(_SECONDS)}; several with commas, all of which hold: 30/minute,300/hour"
            )
        return cls(int(n), period)

    @property
    def nanoseconds(self) -> int:
        """How long the period is."""
        return _SECONDS[self.period] * _NANOSECONDS

    def __str__(self) -> str:
        return f"{self.n}/{self.period}"


@dataclass(frozen=True, slots=True)
class Limit:
    """Rates that hold together; none of them is no limit."""

    rates: tuple[Rate, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "off", "60/minute" or "30/minute,300/hour". Raises ValueError."""
        return cls() if text.strip() == OFF else cls(tuple(Rate.parse(part) for part in text.split(",")))

    def __str__(self) -> str:
        return ",".join(map(str, self.rates)) or OFF


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, as keyed hashes; None for what is not known, which is then not limited."""

    voter: bytes | None
    address: bytes | None

    def key(self, whose: Whose) -> bytes | None:
        """Which bucket of a kind is this visitor's."""
        return {Whose.VOTER: self.voter, Whose.ADDRESS: self.address, Whose.ALL: b""}[whose]


class Buckets:
    """The buckets of one rate, by key. In every stretch of time t a key gets at most n + n t / period.

    Times are nanoseconds of any clock that does not go back; one that does makes nobody wait longer for it than a
    period. All is whole numbers: times n, so that the time for one is the period, whatever n.
    """

    def __init__(self, rate: Rate, *, most_keys: int = MOST_KEYS):
        self._n = rate.n
        self._period = rate.nanoseconds
        self._most_keys = most_keys
        self._full_at: dict[bytes, int] = {}
        self._sweep_at = _FEW_KEYS

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, key: bytes, now: int) -> int:
        """Nanoseconds until this key may have one; 0 if it may now."""
        too_early = self._from(key, now) - now * self._n - (self._n - 1) * self._period
        return max(0, -(-too_early // self._n))

    def take(self, key: bytes, now: int) -> None:
        """Take one from this key's bucket, which `wait` says has it."""
        self._full_at[key] = self._from(key, now) + self._period
        if len(self._full_at) > min(self._sweep_at, self._most_keys):
            self._sweep(now)

    def _from(self, key: bytes, now: int) -> int:
        """When the bucket is full, not before now, and not later than an empty one is."""
        return min(max(self._full_at.get(key, 0), now * self._n), now * self._n + self._n * self._period)

    def _sweep(self, now: int) -> None:
        """Forget whose buckets are full: they are as good as new ones. Each key pays for one look at two."""
        self._full_at = {key: full for key, full in self._full_at.items() if full > now * self._n}
        if len(self._full_at) > self._most_keys * 3 // 4:
            kept = sorted(self._full_at.items(), key=lambda item: item[1])[-(self._most_keys // 2) :]
            self._full_at = dict(kept)
        self._sweep_at = max(_FEW_KEYS, 2 * len(self._full_at))


class Limiter:
    """All limits of an arena. Any number of threads may ask."""

    def __init__(self, limits: Mapping[tuple[Act, Whose], Limit]):
        self._buckets: dict[Act, list[tuple[Whose, Buckets]]] = {
            act: [
                (whose, Buckets(rate))
                for (limited, whose), limit in limits.items()
                if limited is act
                for rate in limit.rates
            ]
            for act in Act
        }
        self._lock = threading.Lock()

    def take(self, act: Act, visitor: Visitor, now: int) -> int:
        """Count one act of this visitor at a time in nanoseconds: 0, or after how many seconds it may come again.

        All limits allow it, or nothing is counted: a refused request makes nobody wait longer.
        """
        with self._lock:
            asked = [(key, buckets) for whose, buckets in self._buckets[act] if (key := visitor.key(whose)) is not None]
            wait = max((buckets.wait(key, now) for key, buckets in asked), default=0)
            if wait == 0:
                for key, buckets in asked:
                    buckets.take(key, now)
        return -(-wait // _NANOSECONDS)
