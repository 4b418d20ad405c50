"""Is the log whole? Its own chain is walked, and the positions that somebody noted are looked for in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from arena.store import BrokenLink, VoteStore


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log that was noted at a time: act number n_log had this hash. `noted_by` says where."""

    n_log: int
    log_hash: str
    noted_by: str


@dataclass(frozen=True, slots=True)
class Wholeness:
    """What the log holds, and every act that is not as it was; none if it is whole."""

    n_log: int
    log_hash: str
    broken: tuple[BrokenLink, ...]


def examine(store: VoteStore, expected: Sequence[Position] = ()) -> Wholeness:
    """Walk the log, and look for these positions and those of the stored leaderboards.

    The chain alone cannot tell that its last acts were removed, or that all of it from some act on was written anew;
    a position that was noted before can.
    """
    n_log, log_hash = store.log.position()
    noted = [
        Position(n, digest, f"the leaderboard of {at:%Y-%m-%d %H:%M:%S} UTC")
        for n, digest, at in store.snapshots.positions()
    ]
    links = {link.seq: link for link in _missed(store, (*expected, *noted), n_log)}
    # What the walk says of an act says more than that it is another one than was noted.
    links |= {link.seq: link for link in reversed(store.log.broken_links())}
    return Wholeness(n_log, log_hash, tuple(links[seq] for seq in sorted(links)))


def _missed(store: VoteStore, positions: Sequence[Position], n_log: int) -> list[BrokenLink]:
    hashes = store.log.hashes_at([position.n_log for position in positions])
    missed = []
    for position in positions:
        if position.n_log > n_log:
            fault = f"it was removed with all up to act {position.n_log:,}, which {position.noted_by} names"
            missed.append(BrokenLink(n_log + 1, None, fault))
        elif hashes.get(position.n_log) != position.log_hash:
            fault = f"it, or what stands before it, is not what {position.noted_by} names"
            missed.append(BrokenLink(position.n_log, None, fault))
    return missed[::-1]  # of several that miss the same act, the first one given speaks
