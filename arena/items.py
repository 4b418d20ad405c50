"""Which kind of item a voter gets next: a fresh pair, one that several voters share, an own earlier one, or gold.

The kind is drawn first, by the shares of the pack, then the item, then the sides by a fair coin. A kind of which there
is nothing for this voter gives its share to the fresh pairs. With `pool` for the probability of `arena.pairing`, sides
included, what is stored is the probability of this kind and this prompt with this model as A and that one as B:

    repeat    share / 2 / how many own pairs can be repeated
    gold      share / 2 / how many known pairs this voter can judge blind
    overlap   share / 2 for the pair under way whose turn it is; where none is, a pair is opened: share * pool
    fresh     (1 - the shares of the kinds that there are) * pool

and, since a pair is opened once, the share of overlap comes on top for a fresh pair that was drawn to be opened and was
open before. All of them sum to 1. Pure: the randomness and the time are passed in.
"""

import threading
from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from arena.battle import AnswerId, ItemKind, ModelId, Pair, PromptId, Verdict, VoterId, pair_of
from arena.pairing import Draw, Pool

MOST_UNDER_WAY = 500
"""As long as so many pairs wait for voters, no other is opened."""

# A vote that was sent before its ballot expired may be stored a moment later.
_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Shares:
    """Which share of the draws is of which kind; the rest are fresh. `hard`: pairs whose votes differ come first."""

    overlap: float = 0.0
    overlap_voters: int = 3
    repeat: float = 0.0
    repeat_after: int = 20
    gold: float = 0.0
    hard: bool = False

    @property
    def are_none(self) -> bool:
        """Whether every draw is a fresh one."""
        return not (self.overlap or self.repeat or self.gold)

    @property
    def name(self) -> str:
        """What the sampling policy of a battle says of them: the same for every kind, so that it tells none."""
        hard = ", hard" if self.hard else ""
        return (
            f"items(overlap={self.overlap} of {self.overlap_voters}{hard}, "
            f"repeat={self.repeat} after {self.repeat_after}, gold={self.gold})"
        )


@dataclass(frozen=True, slots=True)
class View:
    """What a voter has seen: names behind answers by prompt, pairs that were skipped, the pairs of all own votes in
    their order (None for a vote that cannot be repeated, as one that was withdrawn), and those that came again."""

    revealed: Mapping[PromptId, Collection[ModelId]] = field(default_factory=dict)
    skipped: Collection[frozenset[AnswerId]] = ()
    judged: Sequence[Pair | None] = ()
    repeated: Collection[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class Shared:
    """A pair for several voters: when it was opened, what they said (A is the first answer), and who has a ballot on it
    until when."""

    pair: Pair
    opened_at: datetime
    said: Mapping[VoterId, Verdict]
    waiting: Mapping[VoterId, datetime]


class Queue:
    """The pairs that were opened for several voters, the oldest first. Any number of threads may use it.

    A ballot holds a place for its voter until it expires, so that no pair gets more than `n_voters` votes.
    """

    def __init__(self, n_voters: int, *, hard: bool, pairs: Iterable[Shared] = ()):
        self._n_voters = n_voters
        self._hard = hard
        self._lock = threading.Lock()
        self._pairs: dict[Pair, _Place] = {}
        self._order: list[tuple[datetime, Pair]] = []
        for each in pairs:
            self._pairs[each.pair] = _Place(each.opened_at, dict(each.said), dict(each.waiting))
            self._line_up(each.pair)

    @property
    def has_room(self) -> bool:
        """Whether another pair may be opened."""
        return len(self._order) < MOST_UNDER_WAY

    def has(self, pair: Pair) -> bool:
        """Whether this pair was opened, be it complete or not."""
        return pair in self._pairs

    def under_way(self, now: datetime) -> list[Shared]:
        """The pairs that lack votes, the oldest first, with the places that are held."""
        with self._lock:
            found = []
            for opened_at, pair in self._order:
                place = self._pairs[pair]
                place.clear_up(now)
                found.append(Shared(pair, opened_at, dict(place.said), dict(place.waiting)))
            return found

    def next(self, is_free: Callable[[Pair], bool], now: datetime) -> Pair | None:
        """The pair whose turn it is, among those that have a place and are free for a voter; None if there is none."""
        with self._lock:
            turns = (True, False) if self._hard else (None,)
            for in_conflict in turns:
                for _, pair in self._order:
                    place = self._pairs[pair]
                    if in_conflict is not None and place.is_in_conflict is not in_conflict:
                        continue
                    if place.n_taken(now) < self._n_voters and is_free(pair):
                        return pair
        return None

    def hold(self, pair: Pair, voter: VoterId, now: datetime, until: datetime) -> None:
        """A voter has a ballot on this pair, which opens it if it is new."""
        with self._lock:
            if pair not in self._pairs:
                self._pairs[pair] = _Place(now, {}, {})
                self._line_up(pair)
            self._pairs[pair].waiting[voter] = until

    def note(self, pair: Pair, voter: VoterId, verdict: Verdict | None) -> None:
        """What a voter has said of a pair in the end; None: nothing that counts."""
        with self._lock:
            place = self._pairs.get(pair)
            if place is None:
                return
            place.waiting.pop(voter, None)
            if verdict is None:
                place.said.pop(voter, None)
            else:
                place.said[voter] = verdict
            self._line_up(pair)

    def _line_up(self, pair: Pair) -> None:
        """Have the pair in the order exactly while it lacks votes."""
        place = self._pairs[pair]
        turn, is_lacking = (place.opened_at, pair), len(place.said) < self._n_voters
        if is_lacking and not place.is_in_line:
            insort(self._order, turn)
        elif not is_lacking and place.is_in_line:
            self._order.remove(turn)
        place.is_in_line = is_lacking


@dataclass(slots=True)
class _Place:
    opened_at: datetime
    said: dict[VoterId, Verdict]
    waiting: dict[VoterId, datetime]
    is_in_line: bool = False

    @property
    def is_in_conflict(self) -> bool:
        return len(set(self.said.values())) > 1

    def clear_up(self, now: datetime) -> None:
        for voter in [voter for voter, until in self.waiting.items() if until + _GRACE < now]:
            del self.waiting[voter]

    def n_taken(self, now: datetime) -> int:
        if self.waiting:
            self.clear_up(now)
        return len(self.said) + len(self.waiting)


class Items:
    """What voters are given to judge, by the shares of the kinds. Any number of threads may use it; `draw` changes
    nothing: what becomes of a draw is told by `opened` and `judged`."""

    def __init__(self, pool: Pool, shares: Shares):
        self._pool = pool
        self._shares = shares
        self.queue = Queue(shares.overlap_voters, hard=shares.hard)
        self._known: tuple[Pair, ...] = ()

    def renew(self, shared: Iterable[Shared], known: Collection[Pair]) -> None:
        """Begin anew with the pairs that were opened for several voters, and those on which the verdict is known."""
        there = [each for each in shared if self._pool.has(each.pair)]
        self.queue = Queue(self._shares.overlap_voters, hard=self._shares.hard, pairs=there)
        self.renew_known(known)

    def renew_known(self, known: Collection[Pair]) -> None:
        """Go on with other pairs on which the verdict is known."""
        self._known = tuple(sorted(pair for pair in known if self._pool.has(pair)))

    def draw(self, view: View, rng: Random, now: datetime) -> Draw | None:
        """Draw what a voter gets next, with its probability as the module tells it; None when no fresh pair is left,
        whatever could be repeated then."""
        fresh = self._pool.draw(view.revealed, rng, skipped=view.skipped)
        if fresh is None or self._shares.are_none:
            return fresh
        shares = self._shares
        fresh = replace(fresh, policy=f"{fresh.policy}, {shares.name}")
        pair = pair_of(fresh.a.answer_id, fresh.b.answer_id)
        # Of most kinds it is enough to know that there is one: all are looked at for the kind that is drawn alone.
        has_repeat = shares.repeat > 0 and any(True for _ in self._repeats(view))
        has_known = shares.gold > 0 and any(True for _ in self._free_known(view))
        turn = self.queue.next(lambda each: self._is_free(each, view), now) if shares.overlap else None
        opens = shares.overlap > 0 and turn is None and self.queue.has_room
        share_of = {
            ItemKind.REPEAT: shares.repeat if has_repeat else 0.0,
            ItemKind.GOLD: shares.gold if has_known else 0.0,
            ItemKind.OVERLAP: shares.overlap if turn is not None or opens else 0.0,
        }
        kind = _drawn(share_of, rng)
        match kind:
            case ItemKind.REPEAT:
                return self._one_of(list(self._repeats(view)), kind, share_of[kind], fresh.policy, rng)
            case ItemKind.GOLD:
                return self._one_of(list(self._free_known(view)), kind, share_of[kind], fresh.policy, rng)
            case ItemKind.OVERLAP if turn is not None:
                return self._one_of([turn], kind, share_of[kind], fresh.policy, rng)
        rest, is_new = max(0.0, 1 - sum(share_of.values())), not self.queue.has(pair)
        if opens and not is_new:
            rest += share_of[ItemKind.OVERLAP]
        if kind is ItemKind.OVERLAP and is_new:
            return replace(fresh, probability=share_of[kind] * fresh.probability, kind=kind)
        return replace(fresh, probability=rest * fresh.probability)

    def opened(self, pair: Pair, kind: ItemKind, voter: VoterId, now: datetime, until: datetime) -> None:
        """A voter has got a ballot on this pair."""
        if kind is ItemKind.OVERLAP:
            self.queue.hold(pair, voter, now, until)

    def judged(self, pair: Pair, kind: ItemKind, voter: VoterId, verdict: Verdict | None) -> None:
        """What came of a voter's ballot on this pair; None: nothing that counts, as a skip or a withdrawn vote. A of
        the verdict is the first answer of the pair."""
        if kind is ItemKind.OVERLAP:
            self.queue.note(pair, voter, verdict)

    def _is_free(self, pair: Pair, view: View) -> bool:
        return self._pool.is_blind(pair, view.revealed, view.skipped)

    def _free_known(self, view: View) -> Iterator[Pair]:
        return (pair for pair in self._known if self._is_free(pair, view))

    def _repeats(self, view: View) -> Iterator[Pair]:
        """The own pairs of long enough ago that have not come again, and can still be served."""
        for pair in view.judged[: max(0, len(view.judged) - self._shares.repeat_after)]:
            if pair is None or pair in view.repeated or not self._pool.has(pair):
                continue
            if not view.skipped or frozenset(pair) not in view.skipped:
                yield pair

    def _one_of(self, pairs: Sequence[Pair], kind: ItemKind, share: float, policy: str, rng: Random) -> Draw:
        pair = pairs[rng.randrange(len(pairs))]
        a, b = self._pool.answers_of(pair)
        if rng.random() < 0.5:
            a, b = b, a
        return Draw(a, b, probability=share / len(pairs) / 2, policy=policy, kind=kind)


def _drawn(share_of: Mapping[ItemKind, float], rng: Random) -> ItemKind:
    """A kind by its share; fresh for the rest of 1."""
    drawn, bound = rng.random(), 0.0
    for kind, share in share_of.items():
        bound += share
        if drawn < bound:
            return kind
    return ItemKind.FRESH
