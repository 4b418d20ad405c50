"""How few votes hold up a place on the board: the fewest that must go for the order of two items to turn.

To first order, leaving out one vote of an outcome o in a cell c takes

    influence = (e_leader - e_runner_up)' H^-1 J_c' slope_o

from the gap between the two, with H the information and J_c' slope_o the gradient of that vote's log-likelihood. It is
the same for all votes of a (cell, outcome), so taking them in order of influence is the exact optimum of this linear
picture. The picture bends, above all where few votes matter; so the number is then confirmed: the model is fitted to
the remaining votes, and votes are added or put back along the same order until the order turns with the last of them
and not without it. Other sets of votes may be smaller still; the number is an upper bound, seldom by much.

It is a measure of fragility, not of uncertainty: a small share of votes may carry the order although the interval is
narrow (many votes, all of them needed), and nobody need have done anything wrong.

Sources: Broderick, Giordano and Meager (2020), arXiv:2011.14999; for Bradley-Terry boards Huang et al. (2025),
arXiv:2508.11847.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons, Outcome
from ratings.errors import DidNotConverge, InvalidComparisons, InvalidSetting, NotConnected, NotDetermined
from ratings.fit import Fit, fit, information, summed
from ratings.interval import NO_SPREAD, Absent
from ratings.linear import solve_positive_definite
from ratings.sandwich import cluster_moves

Floats = NDArray[np.float64]

_DIGITS = 9
"""Influences are ranked by this many digits of the largest: votes that only rounding tells apart keep their order."""

_GUESSES = 6
"""After as many interpolations the search halves instead, which never takes long."""


@dataclass(frozen=True)
class VotesOfAKind:
    """`count` votes in which `item_a` beat `item_b`, or, item_a < item_b, in which they tied or were both bad."""

    item_a: int
    item_b: int
    outcome: Outcome
    """A, TIE or BOTH_BAD."""
    count: int


@dataclass(frozen=True)
class VotesToSwap:
    """Votes without which `runner_up` is at least as strong as `leader`."""

    leader: int
    runner_up: int
    gap: float
    """The leader's strength minus the runner-up's with all votes, in logits; no vote need go if it is not above 0."""
    n_votes: int
    share: float
    """Of all votes, 0 to 1."""
    kinds: tuple[VotesOfAKind, ...]
    """Which votes, the most influential first; the counts add up to n_votes."""
    n_linear: int | None
    """How many it would be in the linear picture; None if there not even all votes for the leader would do."""
    gap_without: float | None
    """The gap fitted without these votes, at most 0 (up to rounding); None if that was not asked for."""

    @property
    def is_confirmed(self) -> bool:
        """Whether a fit without these votes turned the order, and one without all but the last of them did not."""
        return self.gap_without is not None


@dataclass(frozen=True)
class VotersToSwap:
    """Voters without whose votes `runner_up` is at least as strong as `leader`; as `VotesToSwap`."""

    leader: int
    runner_up: int
    gap: float
    voters: tuple[int, ...]
    """Numbers of their clusters, those that move the gap most first."""
    share: float
    """Of all voters, 0 to 1."""
    n_votes: int
    """Votes that these voters gave."""
    n_linear: int | None
    gap_without: float | None

    @property
    def is_confirmed(self) -> bool:
        """As `VotesToSwap.is_confirmed`."""
        return self.gap_without is not None


@dataclass(frozen=True, eq=False)
class VoterMoves:
    """How far each voter (cluster) moves the board: with the voter's votes minus without, in logits, to first order.

    All arrays have shape (n_clusters,), in the order of `cluster_moves`.
    """

    leader: int
    runner_up: int
    gap: Floats = field(repr=False)
    """Of the leader's strength minus the runner-up's; positive for who favours the leader."""
    largest: Floats = field(repr=False)
    """The largest absolute move of any rated item."""
    largest_item: NDArray[np.int64] = field(repr=False)
    """Which item that is."""
    root_mean_square: Floats = field(repr=False)
    """Over the rated items."""


def fewest_votes_to_swap(
    comparisons: Comparisons, fit: Fit, leader: int, runner_up: int, *, confirm: bool = True
) -> VotesToSwap | Absent:
    """The fewest votes without which `runner_up` is at least as strong as `leader`.

    `fit` is that of these comparisons. With `confirm` the number is the one that refits bear out, otherwise that of the
    linear picture. Absent, with the reason, if no number of votes turns the order before the rest leaves the strengths
    undetermined.

    Raises InvalidSetting for items that are unknown or the same, InvalidComparisons if a count is not whole.
    """
    _refuse_unknown(fit, leader, runner_up)
    votes = _Votes.of(comparisons, fit)
    contrast = _contrast(fit, leader, runner_up)
    direction = solve_positive_definite(votes.information[np.newaxis], contrast[np.newaxis])[0]
    return _votes_to_swap(votes, direction, leader, runner_up, confirm=confirm)


def swap_line(comparisons: Comparisons, fit: Fit, *, confirm: bool = False) -> list[VotesToSwap | Absent]:
    """`fewest_votes_to_swap` for each two neighbours on the board, from the top: n_items - 1 of them.

    Among equal strengths the smaller item comes first. Confirming takes about four refits a pair.
    """
    votes = _Votes.of(comparisons, fit)
    order = np.argsort(-fit.strengths, kind="stable").tolist()
    pairs = list(pairwise(order))
    if not pairs:
        return []
    contrasts = np.stack([_contrast(fit, *pair) for pair in pairs], axis=1)
    directions = np.linalg.solve(votes.information, contrasts).T
    return [
        _votes_to_swap(votes, direction, *pair, confirm=confirm)
        for pair, direction in zip(pairs, directions, strict=True)
    ]


def voters_moving(
    fit: Fit, moves: Floats, *, pair: tuple[int, int] | None = None, items: NDArray[np.int64] | None = None
) -> VoterMoves:
    """How far each voter moves the gap between two items, and the board as a whole.

    `moves` come from `cluster_moves`, shape (n_clusters, n_parameters). `items` are those that count as rated, by
    default all; `pair` is (leader, runner_up), by default the two strongest of the rated.

    Raises InvalidSetting for unknown items, or moves of another shape.
    """
    n_items = len(fit.strengths)
    if moves.ndim != 2 or moves.shape[1] != len(fit.parameters):
        raise InvalidSetting("shape of moves", moves.shape, f"(n_clusters, {len(fit.parameters)})")
    rated = np.arange(n_items) if items is None else items
    if len(rated) < 2 or rated.min() < 0 or rated.max() >= n_items:
        raise InvalidSetting("items", rated.tolist(), f"two or more of the items 0 to {n_items - 1}")
    leader, runner_up = pair or rated[np.argsort(-fit.strengths[rated], kind="stable")[:2]].tolist()
    _refuse_unknown(fit, leader, runner_up)
    size = np.abs(moves[:, rated])
    return VoterMoves(
        leader=leader,
        runner_up=runner_up,
        gap=moves[:, leader] - moves[:, runner_up],
        largest=size.max(axis=1),
        largest_item=rated[size.argmax(axis=1)],
        root_mean_square=np.sqrt(np.vecdot(size, size) / len(rated)),
    )


def fewest_voters_to_swap(
    comparisons: Comparisons,
    fit: Fit,
    leader: int,
    runner_up: int,
    *,
    moves: Floats | None = None,
    confirm: bool = True,
) -> VotersToSwap | Absent:
    """The fewest voters without whose votes `runner_up` is at least as strong as `leader`.

    As `fewest_votes_to_swap`, with voters taken in order of how far they move the gap. `comparisons` carry `clusters`;
    `moves` are `cluster_moves(comparisons, fit)`, computed if not given.

    Raises InvalidSetting for unknown items, InvalidComparisons for comparisons without clusters.
    """
    _refuse_unknown(fit, leader, runner_up)
    if comparisons.clusters is None:
        raise InvalidComparisons("clusters", None, "the number of the cluster of each comparison")
    moves = cluster_moves(comparisons, fit) if moves is None else moves
    moved = voters_moving(fit, moves, pair=(leader, runner_up))
    numbers, cluster = np.unique(comparisons.clusters, return_inverse=True)
    if len(moved.gap) != len(numbers):
        raise InvalidSetting("number of rows of moves", len(moved.gap), f"{len(numbers)}, one a cluster")
    queue = _queue(moved.gap, np.ones(len(numbers)))

    def goes(n_voters: int) -> NDArray[np.bool_]:
        left_out = np.zeros(len(numbers), dtype=bool)
        left_out[queue.order[:n_voters]] = True
        return left_out[cluster]

    def gap_without(n_voters: int) -> float | None:
        rest = comparisons.taking(~goes(n_voters))
        if rest.covariates is None:
            rest = summed(rest) if rest.weights is None else rest.by_pair()
        return _refitted_gap(rest, fit, leader, runner_up)

    found = _fewest(queue, _gap(fit, leader, runner_up), gap_without, confirm=confirm)
    if isinstance(found, Absent):
        return found
    return VotersToSwap(
        leader=leader,
        runner_up=runner_up,
        gap=_gap(fit, leader, runner_up),
        voters=tuple(numbers[queue.order[: found.number]].tolist()),
        share=found.number / len(numbers),
        n_votes=round(float(comparisons.cell_counts[goes(found.number)].sum())),
        n_linear=found.linear,
        gap_without=found.gap,
    )


@dataclass(frozen=True, eq=False)
class _Votes:
    """Everything about the votes that does not depend on which two items are compared."""

    comparisons: Comparisons
    fit: Fit
    slopes: Floats
    """Of each outcome, times the weight, over the predictors: shape (4, n_predictors, n_cells)."""
    information: Floats
    """Positive definite: the common level, which no comparison tells, is held."""

    @classmethod
    def of(cls, comparisons: Comparisons, fit: Fit) -> "_Votes":
        if comparisons.weights is None and comparisons.covariates is None:
            comparisons = summed(comparisons)  # who voted makes no difference here
        counts = comparisons.counts
        if (broken := counts[counts != np.floor(counts)]).size:
            raise InvalidComparisons(
                "count of the cell", broken[0].item(), "whole counts, as only whole votes can be left out"
            )
        slopes = fit.likelihood.slopes(fit.design(comparisons).predictors(fit.parameters))
        matrix = information(comparisons, fit)
        if fit.likelihood.is_difference and not fit.prior:
            n_items = len(fit.strengths)
            matrix[:n_items, :n_items] += 1.0
        weights = 1.0 if comparisons.weights is None else comparisons.weights
        return cls(comparisons, fit, slopes * weights, matrix)


class _Queue(NamedTuple):
    """Kinds of units whose removal helps, the most influential first."""

    order: NDArray[np.int64]
    numbers: Floats
    """Units up to and including each kind."""
    worths: Floats
    """What leaving all of these out takes from the gap, to first order."""

    def worth(self, number: int) -> float:
        """Of the first `number` units."""
        return float(np.interp(number, np.append(0.0, self.numbers), np.append(0.0, self.worths)))

    def reaching(self, worth: float) -> int:
        """The fewest units that are worth this; one more than there are if all are not."""
        kind = int(np.searchsorted(self.worths, worth - NO_SPREAD))
        if kind == len(self.worths):
            return self.most + 1
        before, done = (self.numbers[kind - 1], self.worths[kind - 1]) if kind else (0.0, 0.0)
        each = (self.worths[kind] - done) / (self.numbers[kind] - before)
        return int(before + max(np.ceil((worth - NO_SPREAD - done) / each), 0.0))

    @property
    def most(self) -> int:
        """All units whose removal helps."""
        return int(self.numbers[-1]) if len(self.numbers) else 0


class _Found(NamedTuple):
    number: int
    linear: int | None
    gap: float | None


def _votes_to_swap(
    votes: _Votes, direction: Floats, leader: int, runner_up: int, *, confirm: bool
) -> VotesToSwap | Absent:
    comparisons, fit = votes.comparisons, votes.fit
    n_cells, counts = comparisons.n_cells, comparisons.counts
    pushed = fit.design(comparisons).predictors(direction)
    influence = np.einsum("oin,in->on", votes.slopes, pushed)
    queue = _queue(influence.reshape(-1), counts.reshape(-1))

    def goes(n_votes: int) -> Floats:
        left_out, n_whole = np.zeros(counts.size), int(np.searchsorted(queue.numbers, n_votes, side="right"))
        left_out[queue.order[:n_whole]] = counts.reshape(-1)[queue.order[:n_whole]]
        if n_whole < len(queue.order):
            left_out[queue.order[n_whole]] = n_votes - (queue.numbers[n_whole - 1] if n_whole else 0)
        return left_out.reshape(counts.shape)

    def gap_without(n_votes: int) -> float | None:
        return _refitted_gap(_left(comparisons, counts - goes(n_votes)), fit, leader, runner_up)

    found = _fewest(queue, _gap(fit, leader, runner_up), gap_without, confirm=confirm)
    if isinstance(found, Absent):
        return found
    out = goes(found.number).reshape(-1)
    kinds: dict[tuple[int, int, Outcome], int] = {}
    for kind in queue.order[out[queue.order] > 0].tolist():
        outcome, cell = Outcome(kind // n_cells), kind % n_cells
        a, b = int(comparisons.first[cell]), int(comparisons.second[cell])
        key = (b, a, Outcome.A) if outcome is Outcome.B else (a, b, outcome)
        kinds[key] = kinds.get(key, 0) + round(float(out[kind]))
    return VotesToSwap(
        leader=leader,
        runner_up=runner_up,
        gap=_gap(fit, leader, runner_up),
        n_votes=found.number,
        share=found.number / max(comparisons.n_comparisons, 1.0),
        kinds=tuple(VotesOfAKind(*key, count) for key, count in kinds.items()),
        n_linear=found.linear,
        gap_without=found.gap,
    )


def _queue(influence: Floats, counts: Floats) -> _Queue:
    largest = np.abs(influence).max(initial=0.0) or 1.0
    rank = np.round(influence / largest, _DIGITS)
    helpful = np.flatnonzero((rank > 0) & (counts > 0))
    order = helpful[np.argsort(-rank[helpful], kind="stable")]
    return _Queue(order, np.cumsum(counts[order]), np.cumsum(counts[order] * influence[order]))


def _fewest(queue: _Queue, gap: float, gap_without: Callable[[int], float | None], *, confirm: bool) -> _Found | Absent:
    """The fewest units from the head of the queue without which the gap is closed.

    `gap_without` gives the gap without the first so many, None where it is undetermined. The linear picture, stretched
    to what the refits so far have found, says where to look; two refits that differ by one unit end the search.
    """
    if gap <= NO_SPREAD:
        return _Found(0, 0, gap)
    guess = queue.reaching(gap)
    linear = guess if guess <= queue.most else None
    if not confirm:
        return _Found(linear, linear, None) if linear is not None else _not_enough("to first order, ", queue.most)
    low, high = (0, gap), (queue.most + 1, None)  # with the gap there: above 0, and not above 0 or undetermined
    n_guesses = 0
    while high[0] - low[0] > 1:
        guess = min(max(guess, low[0] + 1), high[0] - 1)
        found = gap_without(guess)
        n_guesses += 1
        if found is not None and found > NO_SPREAD:
            low = (guess, found)
        else:
            high = (guess, found)
        if n_guesses >= _GUESSES or (high[1] is None and high[0] <= queue.most):
            guess = (low[0] + high[0]) // 2
            continue
        # How much of the gap really goes for each unit of worth, between the nearest refits on both sides.
        if high[1] is not None:
            rate = (low[1] - high[1]) / (queue.worth(high[0]) - queue.worth(low[0]))
        else:
            rate = (gap - low[1]) / queue.worth(low[0])
        guess = queue.reaching(queue.worth(low[0]) + low[1] / max(rate, NO_SPREAD))
    if high[1] is not None:
        return _Found(high[0], linear, high[1])
    if high[0] > queue.most:
        return _not_enough("", queue.most)
    return Absent(
        f"without the {high[0]:,} most influential the rest leaves the strengths undetermined, before any swap"
    )


def _not_enough(how: str, n_for_the_leader: int) -> Absent:
    if n_for_the_leader == 0:
        return Absent("none of them can be left out and the order still be known")
    return Absent(f"{how}the order stays the same even without all {n_for_the_leader:,} that speak for the leader")


def _refitted_gap(rest: Comparisons, full: Fit, leader: int, runner_up: int) -> float | None:
    """The gap fitted to what is left, None where that leaves it undetermined."""
    try:
        return _gap(_refit(rest, full, np.arange(rest.n_items)), leader, runner_up)
    except NotConnected as error:
        # Some other item may have lost its only win: then its votes say nothing about those who are still linked.
        group = next(group for group in error.groups if leader in group)
        if runner_up not in group:
            return None
    except (NotDetermined, DidNotConverge):
        return None
    try:
        again = _refit(rest.restricted_to(group), full, np.array(group))
    except (NotDetermined, DidNotConverge):
        return None
    return _gap(again, list(group).index(leader), list(group).index(runner_up))


def _refit(rest: Comparisons, full: Fit, items: NDArray[np.int64]) -> Fit:
    """The same model fitted to what is left between these items."""
    n_items, penalty = len(full.strengths), full.penalty
    return fit(
        rest,
        full.likelihood,
        prior=full.prior,
        towards=None if penalty is None else penalty.centre[items],
        ridge=float(penalty.precision[n_items]) if penalty is not None and len(full.coefficients) else 0.0,
        start=np.concatenate((full.strengths[items], full.parameters[n_items:])),
    )


def _left(comparisons: Comparisons, counts: Floats) -> Comparisons:
    """The comparisons with these counts, without the cells in which nothing is left."""
    kept = counts.sum(axis=0) > 0
    names = ("wins_first", "wins_second", "ties", "both_bad")
    return replace(comparisons.taking(kept), **dict(zip(names, counts[:, kept], strict=True)))


def _gap(fit: Fit, leader: int, runner_up: int) -> float:
    return float(fit.strengths[leader] - fit.strengths[runner_up])


def _contrast(fit: Fit, leader: int, runner_up: int) -> Floats:
    contrast = np.zeros(len(fit.parameters))
    contrast[leader], contrast[runner_up] = 1.0, -1.0
    return contrast


def _refuse_unknown(fit: Fit, leader: int, runner_up: int) -> None:
    n_items = len(fit.strengths)
    for name, item in (("leader", leader), ("runner_up", runner_up)):
        if not 0 <= item < n_items:
            raise InvalidSetting(name, item, f"the items 0 to {n_items - 1}")
    if leader == runner_up:
        raise InvalidSetting("runner_up", runner_up, "an item other than the leader")
