"""The walk along the chain of the log: which act was changed, removed or slipped in.

An honest act holds the next number and the hash of the act before it, and its own hash fits both and all that it says.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from arena.store.chain import GENESIS, entry_hash


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """An act of the log that does not fit the chain, and how.

    vote_id is that of the vote, or of the one that the act is about; None for an act about a voter, or for one that is
    not there any more.
    """

    seq: int
    vote_id: str | None
    fault: str


class Act(NamedTuple):
    """An act as the chain has it; `stands_on` are the digests and ids of the texts of a vote.

    `record_hash` is the hash that the record has in its place: that of the act, but for a vote from before digests that
    has lost its words. `own_fault` is what is wrong with an act that fits the chain for all that.
    """

    seq: int
    vote_id: str | None
    record: dict[str, Any]
    stands_on: set[str]
    previous_hash: str
    hash: str
    record_hash: str
    own_fault: str | None = None

    @property
    def fits_itself(self) -> bool:
        """Whether its hash is that of what it says, after the act that it names."""
        return entry_hash(self.previous_hash, self.record) == self.record_hash

    def stood_at(self, seq: int) -> bool:
        """Whether its hash is that of what it says but for its number, which was this one."""
        return entry_hash(self.previous_hash, self.record | {"seq": seq}) == self.record_hash


def broken(acts: Iterable[Act], changed_texts: Set[str]) -> Iterator[BrokenLink]:
    """Every act that does not fit, in the order of their numbers.

    `acts` come by their numbers; `changed_texts` are the digests and ids of texts that are no longer what they were.
    Whoever rewrites an act and all that follow it, with all their hashes, is found by a position that was noted
    elsewhere, and not here.
    """
    last: Act | None = None  # the last act in its place, not yet known to be good
    fault_of_last: str | None = None
    shift = 0  # acts after a slipped-in one whose numbers were moved to make room for it
    for act in acts:
        n_last, last_hash = (last.seq, last.hash) if last else (0, GENESIS)
        if act.seq <= n_last:
            yield BrokenLink(act.seq, act.vote_id, "it was slipped in: another act has its number")
            continue
        fault = None
        if act.seq == n_last + 1 and act.previous_hash == last_hash and act.fits_itself:
            fault = act.own_fault
            if not changed_texts.isdisjoint(act.stands_on):
                fault = "a text that it was cast on was changed"
        elif shift and act.previous_hash == last_hash and act.stood_at(act.seq - shift):
            fault = f"it was act {act.seq - shift:,}, and was moved for the one that was slipped in"
        elif act.previous_hash == last_hash:
            is_moved = act.seq != n_last + 1 and act.stood_at(n_last + 1)
            fault = (
                f"its number was changed: it is act {n_last + 1:,}"
                if is_moved
                else "it was changed after it was stored"
            )
        elif last is not None and act.previous_hash == last.previous_hash and act.stood_at(act.seq - 1):
            fault_of_last = "it was slipped in"
            fault = f"it was act {act.seq - 1:,}, and was moved for the one that was slipped in"
            shift = 1
        elif act.seq > n_last + 1:
            yield from _told(last, fault_of_last)
            last, fault_of_last = None, None
            yield BrokenLink(n_last + 1, None, _gone(n_last + 1, act.seq - 1))
            fault = act.own_fault if act.fits_itself else "it was changed after it was stored"
        elif act.fits_itself and last is not None:
            # This one is as it was stored, and it names another act before it than the one that stands there.
            fault_of_last = fault_of_last or "it was changed or slipped in, with a hash made to fit"
            fault = act.own_fault
        elif act.fits_itself:
            fault = "the acts before the first one are not there"
        elif entry_hash(last_hash, act.record) == act.record_hash:
            fault = "the hash that it holds of the act before it was changed"
        else:
            fault = "it was slipped in, or changed: neither its hash nor the one before it fits"
        yield from _told(last, fault_of_last)
        last, fault_of_last = act, fault
    yield from _told(last, fault_of_last)


def _told(act: Act | None, fault: str | None) -> Iterator[BrokenLink]:
    if act is not None and fault is not None:
        yield BrokenLink(act.seq, act.vote_id, fault)


def _gone(first: int, last: int) -> str:
    if first == last:
        return "it was removed"
    return f"it was removed, and so was what followed up to act {last:,}"
