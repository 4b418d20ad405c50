"""Bradley-Terry strengths of many data sets at once: what a bootstrap fits, round by round.

`climb` fits any number of wins matrices together from anywhere, `_newton_step` is the mathematics of one step. `Refit`
fits resamples of comparisons that have been fitted already, which need not go far. A single data set is fitted by
`ratings.fit`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ratings.errors import DidNotConverge
from ratings.linear import solve_positive_definite
from ratings.logistic import expit

Floats = NDArray[np.float64]

MAX_STEPS = 200
"""Newton steps from anywhere: as for a single data set."""

NEWTON_TOLERANCE = 1e-6
"""In logits: the last Newton step of a data set is shorter than this, and its error about the square of it."""

CHORD_TOLERANCE = 1e-9
"""In logits: what the chords that a resample would still take add up to, as far as the last ones tell."""

_MAX_CHORDS = 40
_LEAST_SHRINKAGE = 0.05
"""Of one chord after another: a step that came out shorter by chance promises nothing."""

_LARGEST_STRENGTH = 300.0
"""In logits: where e^strength, and the sum of two, is still far from the ends of what a float64 holds."""

_ENTRIES_AT_ONCE = 2**16
"""Of the arrays over pairs and rounds: few enough to stay in a processor's cache."""

_WINS_AT_ONCE = 2**18
"""Entries of the wins matrices that are climbed together, for the same reason."""

_LARGEST_OWN_INVERSE = 512


class Refit:
    """Fits resamples of comparisons whose strengths are known, many at a time, with the prior N(0, 1 / prior) on each.

    A resample lies near the original. So all go together along *chords*: Newton steps whose matrix is that of the
    original, inverted once, which cost a pass over the pairs and a product with a matrix of n_items squared. A chord
    leaves about 3 % of the error in dense data and 30 % in sparse ones; Anderson's method takes the last three of them
    to guess where they lead, which settles also the rounds in which an item met much less often than in the original.
    What does not settle is climbed from the original by damped Newton steps.

    Nothing changes after construction: threads may share it. Sources: chords, Ortega and Rheinboldt (1970), section
    7.1; acceleration: Walker and Ni (2011), doi:10.1137/10078356X.
    """

    def __init__(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        games: Floats,
        *,
        point: Floats,
        prior: float,
        at_once: int,
    ) -> None:
        """`first` and `second` are the items of each pair, `games` how often it met, `point` the estimate; prior > 0.

        `at_once` is how many resamples will come together, which sets the size of what is worked on at a time.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415 - slow to load

        self._first, self._second, self._point, self._prior = first, second, point, prior
        self._n_items = n_items = len(point)
        n_pairs = len(first)
        items, pairs = np.concatenate((first, second)), np.tile(np.arange(n_pairs), 2)
        shape = (n_items, n_pairs)
        self._both = csr_array((np.ones(2 * n_pairs), (items, pairs)), shape=shape)
        """Adds up pairs by item. A sparse product adds in an order of its own, whatever the number of threads."""
        self._winner_less_loser = csr_array((np.repeat([1.0, -1.0], n_pairs), (items, pairs)), shape=shape)
        rows = max(1, _ENTRIES_AT_ONCE // at_once)
        self._parts = [slice(k, k + rows) for k in range(0, n_pairs, rows)]
        self._both_by_part = [self._both[:, part] for part in self._parts]
        gap = point[first] - point[second]
        information = games * expit(gap) * expit(-gap)
        matrix = np.zeros((n_items, n_items))
        matrix[first, second] = matrix[second, first] = -information
        self._information = self._both @ information + prior
        matrix[np.arange(n_items), np.arange(n_items)] = self._information
        # Strengths keep the mean 0, so what is added along their level changes nothing but the condition.
        self._inverse = _inverse(matrix + self._information.sum() / max(n_items, 1) ** 2)

    def strengths(self, games: Floats, margins: Floats) -> Floats:
        """The strengths of each resample, shape (n_rounds, n_items).

        `games` counts how often each pair met and `margins` how much more often `first` won than `second`, both of
        shape (n_pairs, n_rounds). An item that met nobody is NaN; the others have the mean that they have in `point`.

        Raises DidNotConverge if a resample finds no end.
        """
        met = self._both @ games
        present = met > 0
        scores = (met + self._winner_less_loser @ margins) / 2
        with np.errstate(all="ignore"):  # a round that overflows is NaN, never settles, and is climbed
            strengths, settled = self._follow_chords(games, scores, present)
        left = np.flatnonzero(~settled)
        at_once = max(1, _WINS_AT_ONCE // max(self._n_items, 1) ** 2)
        for start in range(0, len(left), at_once):
            rounds = left[start : start + at_once]
            strengths[:, rounds] = self._climb(games[:, rounds], margins[:, rounds])
        strengths += _mean(np.broadcast_to(self._point[:, np.newaxis], present.shape) - strengths, present)
        return np.where(present, strengths, np.nan).T

    def _follow_chords(
        self, games: Floats, scores: Floats, present: NDArray[np.bool_]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Where the chords lead, shape (n_items, n_rounds), and which rounds settled there."""
        point = np.broadcast_to(self._point[:, np.newaxis], present.shape)
        at = np.where(present, point - _mean(point, present), 0.0)
        strengths, settled = at.copy(), np.zeros(present.shape[1], dtype=bool)
        rounds, before = np.arange(present.shape[1]), np.full(present.shape[1], np.inf)
        trail: list[_Chord] = []
        for _ in range(_MAX_CHORDS):
            strength = np.exp(at)
            drawn = np.zeros_like(at)
            for part, both in zip(self._parts, self._both_by_part, strict=True):
                shares = np.take(strength, self._first[part], axis=0)
                shares += np.take(strength, self._second[part], axis=0)
                drawn += both @ np.divide(games[part], shares, out=shares)
            slope = np.where(present, scores - strength * drawn - self._prior * at, 0.0)
            # einsum and not @, which is faster but whose last bits depend on the number of threads.
            step = np.where(present, np.einsum("ij,jr->ir", self._inverse, slope), 0.0)
            step -= np.where(present, _mean(step, present), 0.0)

            size = np.abs(step).max(axis=0, initial=0.0)
            shrinkage = np.maximum(size / before, _LEAST_SHRINKAGE)
            near = (shrinkage < 1) & (size * shrinkage <= CHORD_TOLERANCE * (1 - shrinkage))
            near &= np.abs(at).max(axis=0, initial=0.0) < _LARGEST_STRENGTH
            done = near & ~settled[rounds]
            strengths[:, rounds[done]] = (at + step)[:, done]
            settled[rounds[done]] = True
            trail = [*trail[-2:], _Chord(at, step)]
            at, before = self._ahead(trail), size
            going = ~settled[rounds]
            if not going.any():
                break
            if going.mean() <= 0.5:  # a copy of the arrays costs about a chord
                rounds, before, at, trail = rounds[going], before[going], at[:, going], [c.of(going) for c in trail]
                games, scores, present = games[:, going], scores[:, going], present[:, going]
        return strengths, settled

    def _ahead(self, trail: "list[_Chord]") -> Floats:
        """Where to go after the last chords: the mixture of their ends that would make the shortest next one.

        With one chord that is its end, with two the secant method, with three the same in two dimensions. Lengths are
        measured by the information on each item.
        """
        last = trail[-1]
        ahead = last.at + last.step
        turns = [last.step - chord.step for chord in trail[:-1]]
        back = [ahead - chord.at - chord.step for chord in trail[:-1]]
        if len(turns) == 1:
            along = self._product(turns[0], last.step)
            return ahead - _quotient(along, self._product(turns[0], turns[0])) * back[0]
        if len(turns) == 2:
            (a, b), (a_back, b_back) = turns, back
            aa, ab, bb = self._product(a, a), self._product(a, b), self._product(b, b)
            a_along, b_along = self._product(a, last.step), self._product(b, last.step)
            volume = aa * bb - ab * ab
            flat = volume <= 1e-9 * aa * bb  # as good as parallel: one of them says it all
            share_a = np.where(flat, 0.0, _quotient(a_along * bb - b_along * ab, volume))
            share_b = np.where(flat, _quotient(b_along, bb), _quotient(b_along * aa - a_along * ab, volume))
            return ahead - share_a * a_back - share_b * b_back
        return ahead

    def _product(self, one: Floats, other: Floats) -> Floats:
        """The inner product of each round, shape (n_rounds,)."""
        return np.einsum("ir,ir,i->r", one, other, self._information)

    def _climb(self, games: Floats, margins: Floats) -> Floats:
        """The strengths by Newton's method, shape (n_items, n_rounds)."""
        wins = np.zeros((games.shape[1], self._n_items, self._n_items))
        wins[:, self._first, self._second] = (games + margins).T / 2
        wins[:, self._second, self._first] = (games - margins).T / 2
        start = np.tile(self._point, (len(wins), 1))
        strengths, _ = climb(wins, prior=self._prior, start=start, max_steps=MAX_STEPS, tolerance=NEWTON_TOLERANCE)
        return strengths.T


class _Chord(NamedTuple):
    """From where it went, and how; both of shape (n_items, n_rounds)."""

    at: Floats
    step: Floats

    def of(self, rounds: NDArray[np.bool_]) -> "_Chord":
        """The same of some rounds only."""
        return _Chord(self.at[:, rounds], self.step[:, rounds])


def climb(
    wins: Floats, *, prior: float, start: Floats, max_steps: int, tolerance: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Strengths at the top of the log-likelihood of several data sets, and the steps that each of them took.

    `wins` holds one wins matrix per data set, shape (n_sets, n_items, n_items), `start` the strengths to start from,
    shape (n_sets, n_items). The result of a data set does not depend on those beside it, to the last bit. Strengths
    keep the mean of `start` if prior is 0; otherwise their mean is 0.

    Raises DidNotConverge if a data set is still moving after `max_steps`.
    """
    strengths = start.copy()
    n_steps = np.zeros(len(wins), dtype=np.int64)
    moving = np.arange(len(wins))
    gradients = np.zeros_like(start)
    for n_step in range(1, max_steps + 1):
        steps, gradients = _newton_step(wins, strengths[moving], prior)
        strengths[moving] += steps
        arrived = np.abs(steps).max(axis=1, initial=0.0) <= tolerance
        n_steps[moving[arrived]] = n_step
        if arrived.any():
            moving, wins, gradients = moving[~arrived], wins[~arrived], gradients[~arrived]
        if not moving.size:
            return strengths, n_steps
    raise DidNotConverge(max_steps, float(np.abs(gradients).max(initial=0.0)))


def _newton_step(wins: Floats, strengths: Floats, prior: float) -> tuple[Floats, Floats]:
    """The damped step of each data set, and the gradient that it follows; both of shape (n_sets, n_items).

    The gradient is a sum of wins_ij * P(j beats i), not "wins minus expected wins": at a million wins to one that
    difference would lose the digits which count.

    Let `reach` be the largest change of a log-odds of two items that met. The third derivative along the step is at
    most `reach` times the second, hence a full step climbs if reach <= 1, and a fraction log(1 + reach) / reach
    climbs always: no line search, and no run-away from a poor start. Source of the bound: Bach (2010),
    doi:10.1214/09-EJS521.
    """
    upset = expit(strengths[:, np.newaxis, :] - strengths[:, :, np.newaxis])  # [set, i, j]: P(j beats i)
    pull = wins * upset
    gradients = pull.sum(axis=2) - pull.sum(axis=1) - prior * strengths
    half = pull * upset.transpose(0, 2, 1)
    curvature = half + half.transpose(0, 2, 1)  # games_ij * P(i beats j) * P(j beats i)

    # Without a prior only differences are determined: adding 1 everywhere keeps their sum, and the matrix definite.
    hessians = -curvature if prior > 0 else 1.0 - curvature
    items = np.arange(strengths.shape[1])
    hessians[:, items, items] += curvature.sum(axis=2) + prior
    steps = solve_positive_definite(hessians, gradients)

    changes = np.abs(steps[:, :, np.newaxis] - steps[:, np.newaxis, :])
    reach = np.where(curvature > 0, changes, 0.0).max(axis=(1, 2), initial=0.0)
    fraction = np.where(reach <= 1.0, 1.0, np.log1p(reach) / np.maximum(reach, 1.0))
    return steps * fraction[:, np.newaxis], gradients


def _inverse(matrix: Floats) -> Floats:
    """Of a symmetric positive definite matrix, by Gauss and Jordan's method, whose bits no number of threads changes.

    Beyond 512 unknowns LAPACK is used, and the last bits are its own.
    """
    if len(matrix) > _LARGEST_OWN_INVERSE:
        from scipy.linalg import inv  # noqa: PLC0415 - slow to load, and seldom needed

        return inv(matrix)
    inverse = matrix.copy()
    for k in range(len(matrix)):
        pivot = inverse[k, k]
        row, column = inverse[k] / pivot, inverse[:, k].copy()
        inverse -= np.multiply.outer(column, row)
        inverse[k], inverse[:, k], inverse[k, k] = row, -column / pivot, 1 / pivot
    return inverse


def _mean(values: Floats, present: NDArray[np.bool_]) -> Floats:
    """Over the items that are present, shape (n_rounds,); 0 where there are none."""
    return np.where(present, values, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)


def _quotient(dividend: Floats, divisor: Floats) -> Floats:
    """0 where there is nothing to divide by."""
    return np.divide(dividend, divisor, out=np.zeros_like(dividend), where=divisor > 0)
