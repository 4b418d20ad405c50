"""Ratings that follow every vote: the counts are kept, and each estimate starts from the one before.

`LiveRatings` is the one place in `ratings` that keeps state. What it answers does not depend on the order in which
votes came, up to rounding: strengths are those of `fit_bradley_terry` within 1e-8 logits, the covariance by vote is
that of `sandwich`.

After one more vote the old information matrix is still nearly right, so its inverse, which the sandwich needed anyhow,
serves for the next steps as well: a step costs a look at all pairs and no linear system. Where these steps do not get
shorter fast enough, as when many votes came at once, `fit` takes over from the last strengths.

Linear algebra is left to BLAS and LAPACK here, whose last bits depend on the number of threads. A board that must be
the same bytes everywhere is made by `fit_bradley_terry` and `sandwich`.
"""

from dataclasses import dataclass, field, replace
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons, Outcome
from ratings.connectivity import Group, rateable_groups, resting_on_one
from ratings.errors import InvalidComparisons
from ratings.fit import Fit, fit
from ratings.interval import NO_SPREAD, Absent, Interval
from ratings.logistic import expit
from ratings.sandwich import Covariance, clustered_sandwich, strength_intervals

Floats = NDArray[np.float64]

_TOLERANCE = 1e-9
"""Logits. The step that moves no strength further is the last; what is left is at most a tenth of it."""

_MOST_SHORT_STEPS = 6

_NOTHING_LEFT = 1e-8
"""As in `sandwich`: what a vote leaves of the information on its pair, below which the pair rests on it alone."""

_KINDS = (Outcome.A, Outcome.B, Outcome.TIE)

REFRESH_GROWTH = 0.05
"""Effects of clusters are measured again when there are this share more votes than when they were."""

REFRESH_MOVE = 0.05
"""Or when some strength has moved by this much since; logits, 9 Elo points."""


@dataclass(frozen=True, eq=False)
class LiveBoard:
    """The ratings after the votes so far. Item `group[k]` has place k in all arrays; the others have no rating yet."""

    group: Group
    """The largest group of items that can be rated against each other, as `rateable_groups` finds it; empty where
    there are no items, a single item where nobody can be rated."""
    n_waiting: int
    """Votes that do not count yet, because an item of theirs is outside the group."""
    fit: Fit
    """Of the votes within the group. Strengths have mean 0."""
    covariance: Covariance
    """By vote; with clusters, by vote times the effects of clustering. Its gauge are the items' shares of votes."""
    design_effects: Floats | None = field(default=None, repr=False)
    """How many times larger each strength's variance is than it would be if every vote stood alone; None without
    clusters."""

    @property
    def n_votes(self) -> int:
        """Votes that count."""
        return round(self.fit.n_comparisons)

    @property
    def strengths(self) -> Floats:
        """Natural log-odds with mean 0, shape (len(group),)."""
        return self.fit.strengths

    @property
    def standard_errors(self) -> Floats:
        """Of strengths minus the votes-weighted mean of strengths, in logits; infinite where a single vote or voter
        holds the link to the others."""
        return self.covariance.standard_errors

    def intervals(self, *, confidence: float) -> list[Interval | Absent]:
        """Where each strength minus the votes-weighted mean of strengths lies, in logits, as `strength_intervals`."""
        return strength_intervals(self.fit, self.covariance, confidence=confidence)


class LiveRatings:
    """Counts of votes between the items 0 .. n_items - 1, and the Bradley-Terry ratings that they give.

    Starts from `comparisons`, which may be empty; a tie is half a win for each. If these have clusters, every later
    vote needs one, by its number. Not to be used from two threads at once.

    With clusters, what resemblance within them does to variances is *measured at times*. The design effect d of an item
    is then its variance by `clustered_sandwich` over that by `sandwich`, and d - 1 is taken to grow in proportion to
    m - 1, with m the mean over votes of how many votes their cluster has (Kish 1965, Survey Sampling, 8.2). Until the
    next measurement, variances are those by vote, which are always exact, times the effects at the m of now: widths
    are right on average over items, and those of single items off by 1 % as a rule (4 % at most, with hundreds of
    voters). Correlations between items are those by vote; degrees of freedom, counts of clusters and the items that
    rest on a single one are as last measured.

    A measurement goes through all cells, one for each pair and cluster. `ratings` takes it when the rateable group has
    changed, when the votes in it have grown by a twentieth, or when a strength has moved by 0.05 logits, which with few
    votes is every time; `refresh` asks for it at a moment that suits.

    Raises InvalidComparisons for comparisons with weights, covariates or both-bad verdicts: merge or drop these first.
    """

    def __init__(self, comparisons: Comparisons):
        for name in ("weights", "covariates"):
            if getattr(comparisons, name) is not None:
                raise InvalidComparisons(name, "given", "none in live ratings")
        if comparisons.counts[Outcome.BOTH_BAD].any():
            raise InvalidComparisons("both_bad", "counted", "no such verdicts in live ratings: ties, or left out")
        self._n_items = comparisons.n_items
        self._won = np.zeros((self._n_items, self._n_items))
        self._tied = np.zeros_like(self._won)
        first, second = comparisons.first, comparisons.second
        np.add.at(self._won, (first, second), comparisons.wins_first)
        np.add.at(self._won, (second, first), comparisons.wins_second)
        np.add.at(self._tied, (first, second), comparisons.ties)
        np.add.at(self._tied, (second, first), comparisons.ties)
        self._clustered = None if comparisons.clusters is None else comparisons
        self._new: list[tuple[int, int, int, int]] = []  # votes that are not in self._clustered yet
        self._sizes = dict(enumerate(_sizes(comparisons).tolist()))
        self._squares = sum(size**2 for size in self._sizes.values())
        self._n_votes = round(comparisons.n_comparisons)
        self._strengths = np.zeros(self._n_items)
        self._bread: Floats | None = None  # None: there is none for this group
        self._fragile: frozenset[int] | None = None  # None: to be found again
        self._measured: _Measured | None = None
        self._regroup()

    @property
    def n_items(self) -> int:
        """Items, rated or not."""
        return self._n_items

    @property
    def n_votes(self) -> int:
        """All votes, whether they count yet or not."""
        return self._n_votes

    def add(self, item_a: int, item_b: int, outcome: Outcome, *, cluster: int | None = None) -> None:
        """Count one vote.

        Raises InvalidComparisons, and counts nothing, for an item outside 0 .. n_items - 1, an item against itself, an
        outcome other than A, B or TIE, and a cluster that is missing or given where the votes so far say otherwise.
        """
        for name, item in (("item_a", item_a), ("item_b", item_b)):
            if not _is_whole(item) or not 0 <= item < self._n_items:
                raise InvalidComparisons(name, item, f"the items 0 to {self._n_items - 1}")
        if item_a == item_b:
            raise InvalidComparisons("item_b", item_b, "an item other than item_a")
        if not _is_whole(outcome) or outcome not in _KINDS:
            raise InvalidComparisons("outcome", outcome, ", ".join(f"{o.value} ({o.name})" for o in _KINDS))
        if self._clustered is None and cluster is not None:
            raise InvalidComparisons("cluster", cluster, "None, as the votes so far are without")
        if self._clustered is not None:
            if cluster is None or not _is_whole(cluster) or cluster < 0:
                raise InvalidComparisons("cluster", cluster, "a number from 0")
            self._new.append((int(item_a), int(item_b), int(outcome), int(cluster)))
            size = self._sizes.get(cluster, 0)
            self._sizes[cluster] = size + 1
            self._squares += 2 * size + 1  # (size + 1)^2 - size^2

        ends = [(item_b, item_a)] if outcome == Outcome.B else [(item_a, item_b)]
        table = self._won
        if outcome == Outcome.TIE:
            ends, table = [(item_a, item_b), (item_b, item_a)], self._tied
        is_new_link = any(not self._won[end] + self._tied[end] for end in ends)
        if self._won[item_a, item_b] + self._won[item_b, item_a] + self._tied[item_a, item_b] < 2:
            self._fragile = None  # what rests on one vote may rest on two now
        for end in ends:
            table[end] += 1
        self._n_votes += 1
        label_a, label_b = self._label[[item_a, item_b]]
        if label_a == label_b:
            self._inside[label_a] += 1
            self._choose()
        elif is_new_link:
            self._regroup()

    def ratings(self) -> LiveBoard:
        """The ratings after all votes so far.

        Raises DidNotConverge as `fit` does.
        """
        group = np.array(self._group, dtype=np.int64)
        won, tied = self._won[np.ix_(group, group)], self._tied[np.ix_(group, group)]
        fitted = self._fitted(won, tied, self._strengths[group])
        self._strengths[group] = fitted.strengths
        bread, covariance = _by_vote(won, tied, fitted.strengths)
        self._bread = bread
        if self._fragile is None:
            self._fragile = resting_on_one(_comparisons(won, tied), by_cluster=False)
        board = LiveBoard(
            group=self._group,
            n_waiting=self._n_votes - round(fitted.n_comparisons),
            fit=fitted,
            covariance=replace(covariance, fragile=self._fragile),
        )
        if self._clustered is None:
            return board
        if self._measured is None or self._measured.is_outdated(board):
            self._measured = self._measure(board)
        return self._measured.widened(board, self._mates())

    def refresh(self) -> None:
        """Have the effects of clusters measured at the next call of `ratings`, whatever has changed since."""
        self._measured = None

    def _regroup(self) -> None:
        """Find the groups again: a vote has linked two of them in a way that none did before."""
        self._groups = sorted(rateable_groups(_comparisons(self._won, self._tied)))
        self._label = np.zeros(self._n_items, dtype=np.int64)
        for number, members in enumerate(self._groups):
            self._label[list(members)] = number
        same = self._label[:, np.newaxis] == self._label
        games = (self._won + self._tied / 2) * same
        self._inside = np.bincount(self._label, games.sum(axis=1), len(self._groups))
        self._group: Group = ()
        self._choose()

    def _choose(self) -> None:
        """Take the group with the most votes, among equals the one with the smallest item."""
        group = self._groups[int(self._inside.argmax())] if self._groups else ()
        if group != self._group:
            self._group, self._bread, self._fragile, self._measured = group, None, None, None

    def _fitted(self, won: Floats, tied: Floats, start: Floats) -> Fit:
        """The estimate by steps with the inverse information of last time, or by `fit` if there is none that helps."""
        strengths, before = start, np.inf
        for n_step in range(1, _MOST_SHORT_STEPS + 1):
            if self._bread is None:
                break
            step = self._bread @ _gradient(won, tied, strengths)
            size = float(np.abs(step).max(initial=0.0))
            if not size <= before / 10:
                break
            strengths, before = strengths + step, size
            if size <= _TOLERANCE:
                return _fit_at(strengths - strengths.mean(), won, tied, n_step)
        return fit(_comparisons(won, tied), start=start)

    def _mates(self) -> float:
        """How many other votes its cluster has, averaged over votes."""
        return self._squares / max(self._n_votes, 1) - 1

    def _measure(self, board: LiveBoard) -> "_Measured":
        """Gather the votes by cluster, and compare the two covariances."""
        assert self._clustered is not None  # noqa: S101 - the caller has looked
        if self._new:
            self._clustered = _joined(self._clustered, self._new)
            self._new = []
        inside = self._clustered.restricted_to(board.group)
        covariance = clustered_sandwich(inside, board.fit)
        alone, together = np.diagonal(board.covariance.matrix), np.diagonal(covariance.matrix)
        effects = np.divide(together, alone, out=np.ones_like(alone), where=alone > NO_SPREAD**2)
        return _Measured(board.strengths, board.n_votes, self._mates(), effects, covariance)


@dataclass(frozen=True, eq=False)
class _Measured:
    """What clusters do to variances, at the strengths and the number of votes at which that was measured."""

    strengths: Floats
    n_votes: int
    mates: float
    effects: Floats
    covariance: Covariance

    def is_outdated(self, board: LiveBoard) -> bool:
        moved = np.abs(board.strengths - self.strengths).max(initial=0.0)
        return bool(moved > REFRESH_MOVE or board.n_votes > self.n_votes * (1 + REFRESH_GROWTH))

    def widened(self, board: LiveBoard, mates: float) -> LiveBoard:
        growth = mates / self.mates if self.mates else 1.0
        # An effect below 1 is chance, or voters who contradict themselves: nothing to count on when they go on.
        effects = np.where(self.effects > 1, 1 + (self.effects - 1) * growth, self.effects)
        scale = np.sqrt(effects)
        covariance = replace(
            self.covariance,
            matrix=scale[:, np.newaxis] * board.covariance.matrix * scale,
            gauge=board.covariance.gauge,
        )
        return replace(board, covariance=covariance, design_effects=effects)


def _sizes(comparisons: Comparisons) -> Floats:
    """Votes of each cluster, shape (n_clusters,)."""
    clusters = np.empty(0, dtype=np.int64) if comparisons.clusters is None else comparisons.clusters
    return np.bincount(clusters, comparisons.cell_counts[: len(clusters)]).astype(np.float64)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _comparisons(won: Floats, tied: Floats) -> Comparisons:
    """One cell for each pair that met."""
    first, second = np.nonzero(np.triu(won + won.T + tied))
    return Comparisons(len(won), first, second, won[first, second], won[second, first], tied[first, second])


def _joined(comparisons: Comparisons, votes: list[tuple[int, int, int, int]]) -> Comparisons:
    """The comparisons with single votes (item_a, item_b, outcome, cluster) added to their cells."""
    assert comparisons.clusters is not None  # noqa: S101 - votes without clusters are not kept one by one
    outcome, cell = np.nonzero(comparisons.counts)
    counted = (comparisons.first[cell], comparisons.second[cell], outcome, comparisons.clusters[cell])
    a, b, how, clusters = (
        np.concatenate(columns) for columns in zip(counted, np.array(votes, dtype=np.int64).T, strict=True)
    )
    n = np.concatenate((comparisons.counts[outcome, cell], np.ones(len(votes))))
    return Comparisons.from_outcomes(comparisons.n_items, a, b, how, counts=n, clusters=clusters)


# The model on square arrays: entry [i, j] of `won` counts the wins of i over j, `tied` is symmetric, and p[i, j] is the
# probability that i beats j, so that its transpose is that of a loss.


def _gradient(won: Floats, tied: Floats, strengths: Floats) -> Floats:
    """The slope of the log-likelihood: counts times slopes, which keeps the digits that a difference would lose."""
    p = expit(strengths[:, np.newaxis] - strengths)
    return (won * p.T - won.T * p + tied * (p.T - p) / 2).sum(axis=1)


def _fit_at(strengths: Floats, won: Floats, tied: Floats, n_steps: int) -> Fit:
    games = won + won.T + tied
    p = expit(strengths[:, np.newaxis] - strengths)
    return Fit(
        strengths=strengths,
        games=games.sum(axis=1),
        prior=0.0,
        n_steps=n_steps,
        information=_of_differences(games * p * p.T),
    )


def _by_vote(won: Floats, tied: Floats, strengths: Floats) -> tuple[Floats, Covariance]:
    """The inverse information, and what `sandwich` says of the same counts, but for the fragile items."""
    games = won + won.T + tied
    n_games = games.sum(axis=1)
    n_votes = round(float(n_games.sum())) // 2
    gauge = n_games / max(n_games.sum(), 1.0)
    p = expit(strengths[:, np.newaxis] - strengths)
    q = p.T
    bread = np.linalg.inv(_of_differences(games * p * q) + 1.0)
    bread = (bread + bread.T) / 2

    variances = np.diagonal(bread)
    left = 1.0 - p * q * (variances[:, np.newaxis] + variances - 2 * bread)  # of a pair, without one of its votes
    is_alone = np.abs(left) <= _NOTHING_LEFT
    left[is_alone] = np.inf  # such a vote is all there is in one direction, and says nothing about the others
    squares = (won * q**2 + won.T * p**2 + tied * ((q - p) / 2) ** 2) / left**2
    # To have the gauge inside keeps the digits that it would lose if it were taken away from the product.
    moves = bread - gauge @ bread
    matrix = moves @ _of_differences(squares) @ moves.T
    return bread, Covariance(
        matrix=(matrix + matrix.T) * (max(n_votes - 1, 0) / max(n_votes, 1) / 2),
        degrees=np.maximum(n_games - 1, 1.0),
        gauge=gauge,
        n_units=n_votes,
        is_clustered=False,
        n_units_of=n_games,
    )


def _of_differences(weights: Floats) -> Floats:
    """The sum over pairs i < j of weights[i, j] (e_i - e_j)(e_i - e_j)', for symmetric weights."""
    return np.diag(weights.sum(axis=1)) - weights
