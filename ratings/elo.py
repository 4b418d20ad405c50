"""Online Elo: scores that walk from one comparison to the next, and how they vary under resampling.

After each comparison the two scores move by k * (result - expected result) against each other, where the expected
result is 1 / (1 + 10 ** ((other - own) / 400)) and the result 1, 1/2 or 0. **The order of the rows is part of the
data**: the same comparisons in another order give other scores, and late rows count more than early ones. Put them in
the order of time; where that order means nothing, `fit_bradley_terry` says what the comparisons say.

Sources: Elo (1978), The Rating of Chessplayers, Past and Present; k = 4 and a bootstrap over it for language models:
Chiang et al. (2024), arXiv 2403.04132.

Inside, an item is half a strength (natural log-odds), because then the expected result is a hyperbolic tangent: with
x = (strength of the loser - strength of the winner) / 2 the winner gains k / 2 * (1 + tanh x), and in a tie the first
item k / 2 * tanh x.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.checks import refuse_where, whole_numbers
from ratings.comparisons import Outcome
from ratings.errors import InvalidComparisons, InvalidSetting
from ratings.scale import POINTS_PER_LOGIT, to_score

Floats = NDArray[np.float64]
Items = NDArray[np.int64]

K = 4.0
"""Points at stake in one comparison: small, as models do not learn between votes."""

INITIAL = 1000.0
"""Points of every item before its first comparison, and their mean for ever."""

_VOTES_DRAWN_AT_ONCE = 2**16
"""Fixed, because it decides which random number goes where: so many that a vote's number fills 16 bits."""
_VOTES_AT_ONCE = 2**11
_ENTRIES_AT_ONCE = 2**17
_MOST_ROUNDS_AT_ONCE = 256

_FINE_BELOW, _FINE_ABOVE = 1.0, 500.0
"""For a smaller or larger k rounds take double precision: below, roundings come near to moves; above 695, a move could
take two states of the scores further apart, so that roundings would grow."""


def online_elo(
    n_items: int, item_a: ArrayLike, item_b: ArrayLike, outcome: ArrayLike, *, k: float = K, initial: float = INITIAL
) -> Floats:
    """Elo scores after the last comparison, in points, shape (n_items,); NaN for an item that was in none.

    `item_a`, `item_b` and `outcome` (codes of `Outcome`: A, B or TIE) are columns of equal length, one row a
    comparison, **in the order in which they happened**. The mean of the scores stays `initial`. Swapping the sides of a
    row changes nothing, to the last bit.

    Raises InvalidComparisons for rows that are no comparisons (BOTH_BAD is no result of a game: count it as a tie or
    leave it out), InvalidSetting unless `k` is above 0 and finite and `initial` finite.
    """
    _check_settings(k, initial)
    first, second, decisive = _oriented(n_items, item_a, item_b, outcome)
    step = _step(k)
    halves, tanh = [0.0] * n_items, math.tanh
    for part in _parts(len(first), _VOTES_DRAWN_AT_ONCE):
        for i, j, won in zip(first[part].tolist(), second[part].tolist(), decisive[part].tolist(), strict=True):
            gain = step * (tanh(halves[j] - halves[i]) + won)
            halves[i] += gain
            halves[j] -= gain
    met = np.zeros(n_items, dtype=bool)
    met[first] = met[second] = True
    return np.where(met, to_score(2 * np.array(halves), mean=initial), np.nan)


def bootstrap_elo(
    n_items: int,
    item_a: ArrayLike,
    item_b: ArrayLike,
    outcome: ArrayLike,
    *,
    rounds: int,
    rng: np.random.Generator,
    k: float = K,
    initial: float = INITIAL,
    rounds_at_once: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Elo scores after resampled comparisons, in points, shape (rounds, n_items).

    A round draws as many rows as there are, with replacement, and keeps the order of time: a row drawn c times is
    applied c times in a row at its place. An item that is absent from a resample is NaN in that round. The spread of
    the rounds tells what another sample of the same rows would change, not what another order would.

    The result depends on the rows and their order, on `rounds`, `k`, `initial` and the state of `rng` alone; more
    rounds begin with the same rounds. `rounds_at_once` sets memory and speed, never a bit of it. `on_progress` is
    called with (rounds done, rounds) after each such batch.

    A row touches two items, so rows whose items are apart may be applied together: every row is put on the first level
    after those of its two items, and a level is applied at once in all rounds of the batch. That is the sequential
    result itself. A level holds less the fewer items there are, so 2 items take about five times as long as 130.

    Rounds are played in single precision if k is 1 to 500 (else in double), which takes a third less time. After a
    million votes with k = 4 a score of a round is off by 0.0002 points, where rounds spread by 12. Where one of two
    items wins more than 99.9 % of thousands of votes, moves become so small that roundings add up to some tenths of a
    point, one way. Processors whose tanh differs in the last digit differ by as much.

    Raises InvalidComparisons and InvalidSetting as `online_elo` does, the latter also if `rounds` or `rounds_at_once`
    is below 1.
    """
    _check_settings(k, initial)
    if rounds_at_once is None:
        rounds_at_once = min(_MOST_ROUNDS_AT_ONCE, max(1, _ENTRIES_AT_ONCE // max(n_items, 1)))
    for name, value in (("rounds", rounds), ("rounds_at_once", rounds_at_once)):
        if value < 1:
            raise InvalidSetting(name, value, "1 or more")
    schedule = _scheduled(n_items, *_oriented(n_items, item_a, item_b, outcome))
    precision = np.float32 if _FINE_BELOW <= k <= _FINE_ABOVE else np.float64
    seeds = np.random.SeedSequence(rng.integers(2**63, size=4).tolist()).spawn(rounds)
    samples = np.full((rounds, n_items), np.nan)
    for batch in _parts(rounds, rounds_at_once):
        rngs = [np.random.default_rng(seed) for seed in seeds[batch]]
        tables = _draw_counts(len(schedule.first), rngs)
        halves = _replay(schedule, tables, n_rounds=len(rngs), k=k, precision=precision)
        samples[batch] = to_score(2 * halves, mean=initial)
        if on_progress is not None:
            on_progress(batch.stop, rounds)
    return samples


@dataclass(frozen=True, eq=False)
class _Schedule:
    """Rows sorted by level, on each level ties before wins, all in order of time; columns of shape (n_votes,)."""

    n_items: int
    order: Items
    """The row that stands at each place."""
    first: NDArray[np.int32]
    """The winner, or the item on side A of a tie."""
    second: NDArray[np.int32]
    decisive: NDArray[np.bool_]
    level: Items


class _Batch(NamedTuple):
    """Some consecutive rows of the schedule with their counts, in the form in which `_apply` wants them."""

    items: Items
    """Of each run (rows of one level) all first items, then all second ones; shape (2 * n_votes,)."""
    gains: NDArray[np.floating]
    """Twice the step where a row was drawn, 0 where it was not; shape (n_votes, n_rounds)."""
    again: Items
    """Entries drawn more than once, as places in the flat table of their run; shape (n_again,)."""
    again_gains: NDArray[np.floating]
    """Twice the step where such an entry is due a third time (row 0), a fourth time and so on, and else 0."""
    twice: np.floating
    """Twice the step: what all of them gain by the second time."""
    runs: Iterable[tuple[int, int, int, int, int, int, int]]
    """Of each run the first row, how many are ties, and the end; the first entry of `again`, how many belong to ties,
    and the end; how many rows of `again_gains` it needs."""


def _check_settings(k: float, initial: float) -> None:
    if not (np.isfinite(k) and k > 0):
        raise InvalidSetting("k", k, "points above 0, finite")
    if not np.isfinite(initial):
        raise InvalidSetting("initial", initial, "points, finite")


def _step(k: float) -> float:
    """What k / 2 points are as half a strength."""
    return k / 4 / POINTS_PER_LOGIT


def _parts(n: int, size: int) -> list[slice]:
    """0 to n in consecutive slices of this size; the last may be shorter."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _oriented(
    n_items: int, item_a: ArrayLike, item_b: ArrayLike, outcome: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """The rows, checked, as (winner, loser, True), or (item_a, item_b, False) for a tie."""
    if n_items < 0:
        raise InvalidComparisons("n_items", n_items, "0 or more")
    a, b, how = (
        whole_numbers(column, name) for name, column in (("item_a", item_a), ("item_b", item_b), ("outcome", outcome))
    )
    if not len(a) == len(b) == len(how):
        raise InvalidComparisons("number of rows", (len(a), len(b), len(how)), "item_a, item_b, outcome of one length")
    for name, column in (("item_a", a), ("item_b", b)):
        refuse_where((column < 0) | (column >= n_items), column, name, f"the items 0 to {n_items - 1}")
    refuse_where(a == b, b, "item_b", "an item other than item_a of the same row")
    rated = (Outcome.A, Outcome.B, Outcome.TIE)
    known = (how == Outcome.A) | (how == Outcome.B) | (how == Outcome.TIE)
    refuse_where(~known, how, "outcome", ", ".join(f"{o.value} ({o.name})" for o in rated))
    turned = how == Outcome.B
    first, second = np.where(turned, b, a).astype(np.int32), np.where(turned, a, b).astype(np.int32)
    return first, second, how != Outcome.TIE


def _scheduled(
    n_items: int, first: NDArray[np.int32], second: NDArray[np.int32], decisive: NDArray[np.bool_]
) -> _Schedule:
    """Put each row on the level after the last one that touched either of its items, and sort by level."""
    n_votes = len(first)
    key = np.empty(n_votes, dtype=np.int64)
    last = [-1] * n_items
    for part in _parts(n_votes, _VOTES_DRAWN_AT_ONCE):
        levels = []
        for i, j in zip(first[part].tolist(), second[part].tolist(), strict=True):
            level = (last[i] if last[i] > last[j] else last[j]) + 1  # max() takes twice as long
            last[i] = last[j] = level
            levels.append(level)
        key[part] = levels
    # Level, tie before win, row: all keys differ, so that every way to sort gives the same order.
    key *= 2
    key += decisive
    key *= n_votes
    key += np.arange(n_votes)
    key.sort()
    order = key % max(n_votes, 1)
    key //= max(2 * n_votes, 1)
    return _Schedule(n_items, order, first[order], second[order], decisive[order], level=key)


def _draw_counts(n_votes: int, rngs: Sequence[np.random.Generator]) -> Iterator[NDArray[np.uint8]]:
    """How often each round draws each vote: tables of shape (consecutive votes, rounds), one generator a round.

    A round is one multinomial draw of n_votes out of n_votes: first how many fall into each part, then where in it. No
    vote is drawn 256 times, which would not fit: the chance is 1 in 256!, below 1e-500.
    """
    parts = _parts(n_votes, _VOTES_DRAWN_AT_ONCE)
    sizes = np.array([part.stop - part.start for part in parts])
    if not n_votes:
        return
    totals = [rng.multinomial(n_votes, sizes / n_votes) for rng in rngs]
    for number, size in enumerate(sizes.tolist()):
        counts = np.empty((len(rngs), size), dtype=np.uint8)
        for row, rng, total in zip(counts, rngs, totals, strict=True):
            row[:] = np.bincount(_drawn(rng, size, int(total[number])), minlength=size)
        yield np.ascontiguousarray(counts.T)


def _drawn(rng: np.random.Generator, size: int, n: int) -> NDArray[np.uint16]:
    """n whole numbers from 0 to size - 1 by chance, size at most 2 ** 16, shape (n,)."""
    if size < 2**16:
        return rng.integers(size, size=n, dtype=np.uint16)
    return rng.bit_generator.random_raw(-(-n // 4)).view(np.uint16)[:n]  # four of 16 bits in one of 64


def _replay(
    schedule: _Schedule, tables: Iterable[NDArray], *, n_rounds: int, k: float, precision: type[np.floating]
) -> Floats:
    """Half-strengths after the votes were applied as often as counted, shape (n_rounds, n_items); NaN if in none.

    The tables, each of shape (votes, n_rounds), cover the votes of the schedule one after the other.
    """
    halves = np.zeros((schedule.n_items, n_rounds), dtype=precision)
    seen = np.zeros((schedule.n_items, n_rounds), dtype=bool)
    room = np.empty((4, schedule.n_items // 2 + 1, n_rounds), dtype=precision)
    for batch in _batches(schedule, tables, precision(2 * _step(k)), seen):
        _apply(batch, halves, room)
    exact = halves.T.astype(np.float64)
    # Moves add up to 0, but for rounding: the one error that no later vote would shrink.
    exact -= exact.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=0), 1)[:, np.newaxis]
    return np.where(seen.T, exact, np.nan)


def _batches(
    schedule: _Schedule, tables: Iterable[NDArray], twice: np.floating, seen: NDArray[np.bool_]
) -> Iterator[_Batch]:
    """The whole schedule in batches of a few thousand votes; marks in `seen` who was drawn in which round."""
    start = 0
    for table in tables:
        for part in _parts(len(table), _VOTES_AT_ONCE):
            counts = table[part]
            votes = slice(start, start + len(counts))
            start = votes.stop
            _mark_seen(seen, schedule.first[votes], counts)
            _mark_seen(seen, schedule.second[votes], counts)
            yield _batch(schedule, votes, counts, twice)


def _mark_seen(seen: NDArray[np.bool_], items: NDArray[np.int32], counts: NDArray) -> None:
    """Set seen[item, round] where a vote with the item was drawn. Items seen in all rounds, soon most, cost nothing."""
    votes = np.flatnonzero(np.any(~seen, axis=1).take(items))
    if votes.size:
        votes = votes[np.argsort(items[votes], kind="stable")]
        present, starts = np.unique(items[votes], return_index=True)
        seen[present] |= np.maximum.reduceat(counts[votes], starts, axis=0) > 0


def _batch(schedule: _Schedule, votes: slice, counts: NDArray, twice: np.floating) -> _Batch:
    """These votes of the schedule, with counts of shape (n_votes, n_rounds); `twice` is twice the step."""
    n_votes, n_rounds = counts.shape
    decisive = schedule.decisive[votes]
    starts = np.flatnonzero(np.diff(schedule.level[votes], prepend=-1))
    ends = np.append(starts[1:], n_votes)
    widths = ends - starts
    place = np.arange(n_votes) + np.repeat(starts, widths)
    items = np.empty(2 * n_votes, dtype=np.int64)
    items[place], items[place + np.repeat(widths, widths)] = schedule.first[votes], schedule.second[votes]
    wins_from = ends - np.add.reduceat(decisive, starts, dtype=np.int64)

    flat = counts.reshape(-1)
    again = np.flatnonzero(flat > 1)
    times = flat.take(again)
    again_start, again_wins, again_end = (again.searchsorted(n_rounds * bound) for bound in (starts, wins_from, ends))
    again -= np.repeat(n_rounds * starts, again_end - again_start)
    most = np.maximum.reduceat(np.append(times, 0), again_start)  # of a run without such entries it is not read
    third_on = np.arange(3, times.max(initial=2) + 1, dtype=times.dtype)
    again_gains = np.multiply(times >= third_on[:, np.newaxis], twice)
    columns = (starts, wins_from - starts, ends, again_start, again_wins - again_start, again_end, most - 2)
    runs = zip(*(column.tolist() for column in columns), strict=True)
    return _Batch(items, np.multiply(counts > 0, twice), again, again_gains, twice, runs)


def _apply(batch: _Batch, halves: NDArray[np.floating], room: NDArray[np.floating]) -> None:
    """Move the half-strengths, shape (n_items, n_rounds), by the votes of the batch, run by run.

    This is where the time goes, some thirty small numpy calls a run; hence outputs in place, and views of them made
    beforehand. `room` is for four tables of one run.
    """
    n_rounds, precision = halves.shape[1], halves.dtype
    pairs, gaps, after = room[:2].reshape(-1, n_rounds), room[2], room[3]
    row = np.dtype((np.void, n_rounds * halves.itemsize))  # a whole row as one value is the quickest to write
    rows_of_all, rows_of_pairs = halves.view(row).reshape(-1), pairs.view(row).reshape(-1)
    views = [
        (
            pairs[: 2 * n],
            rows_of_pairs[: 2 * n],
            pairs[:n],
            pairs[n : 2 * n],
            gaps[:n],
            after[:n],
            after[:n].reshape(-1),
        )
        for n in range(len(gaps))
    ]
    # Numbers of Python would be made arrays anew in every call.
    one, half, twice = np.array(1, precision), np.array(0.5, precision), np.array(batch.twice)
    tanh, add, subtract, multiply = np.tanh, np.add, np.subtract, np.multiply
    for start, n_ties, end, again_start, n_again_ties, again_end, n_more in batch.runs:
        both, both_rows, own, other, gap, gap_after, flat = views[end - start]
        items = batch.items[2 * start : 2 * end]
        halves.take(items, 0, both, "clip")  # all in range: "clip" only spares a copy
        subtract(other, own, gap)
        tanh(gap, gap_after)
        wins = gap_after[n_ties:]
        add(wins, one, wins)
        multiply(gap_after, batch.gains[start:end], gap_after)
        subtract(gap, gap_after, gap_after)
        if again_start < again_end:
            entries = batch.again[again_start:again_end]
            x = flat.take(entries)
            change = tanh(x)
            wins = change[n_again_ties:]
            add(wins, one, wins)
            multiply(change, twice, change)
            subtract(x, change, x)
            for gains in batch.again_gains[:n_more, again_start:again_end]:
                tanh(x, change)
                add(wins, one, wins)
                multiply(change, gains, change)
                subtract(x, change, x)
            flat[entries] = x
        subtract(gap, gap_after, gap)
        multiply(gap, half, gap)
        add(own, gap, own)
        subtract(other, gap, other)
        rows_of_all[items] = both_rows
