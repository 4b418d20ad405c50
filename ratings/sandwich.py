"""How far the estimates may be off: the sandwich covariance, by vote or by cluster, in its jackknife form.

With d_u what the estimate would move by if one *unit* u, a single vote or everything by one voter, were left out (see
`ratings.leave_out`), H the information and s_u the unit's score,

    V = (n_units - 1) / n_units * sum over units of d_u d_u'

estimates the covariance of the parameters, whether or not the model is quite right, as long as units are independent.
To first order d_u = H^-1 s_u, which gives White's H^-1 (sum s_u s_u') H^-1; the term H_u, which matters for voters who
give a large share of the votes, makes it what is called HC3 by vote and CR3 by cluster.

Intervals use Student's t: when few units carry most of the variance, V itself is uncertain. For a parameter that unit u
moves by q_u, the degrees of freedom are 3 (sum q_u^2)^2 / sum q_u^4: Satterthwaite's formula, with the fourth moment
that normal contributions have.

Sources: White (1982), doi:10.2307/1912526; Liang and Zeger (1986), doi:10.1093/biomet/73.1.13; Bell and McCaffrey
(2002), Survey Methodology 28; MacKinnon, Nielsen and Webb (2023), doi:10.1016/j.jeconom.2022.04.001.
"""

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons
from ratings.connectivity import Links
from ratings.errors import InvalidSetting
from ratings.fit import Batches, Fit, of_each
from ratings.interval import NO_SPREAD, Absent, Interval, check_confidence
from ratings.leave_out import ENTRIES_AT_ONCE, bread_of, chunks_of_clusters, moves, pulls, refuse_others
from ratings.linear import root_of

Floats = NDArray[np.float64]

_LEAST_DEGREES = 2.0
"""With fewer degrees of freedom Student's quantiles are ten times the normal ones, and say nothing."""

_FEW_DEGREES = 100.0

_MANY_DEGREES = 1000.0


@dataclass(frozen=True, eq=False)
class Covariance:
    """The covariance of a fit's parameters in a stated gauge, and how well it is known."""

    matrix: Floats = field(repr=False)
    """Shape (n_parameters, n_parameters), ordered as `Fit.parameters`, in squared logits."""
    degrees: Floats = field(repr=False)
    """Degrees of freedom of each parameter's variance, shape (n_parameters,), >= 1."""
    gauge: Floats = field(repr=False)
    """Shares of the items, adding up to 1: variances are those of strengths minus this weighted mean of strengths. All
    zero for a model that fixes an absolute level."""
    n_units: int
    """Votes, or clusters."""
    is_clustered: bool
    fragile: frozenset[int] = frozenset()
    """Items whose distance from the others rests on a single unit, so that no variance can be given."""
    n_units_of: Floats = field(default_factory=lambda: np.empty(0), repr=False)
    """In how many units each item was compared, shape (n_items,)."""

    @property
    def standard_errors(self) -> Floats:
        """Square roots of the diagonal, in logits; infinite for fragile items."""
        errors = np.sqrt(np.maximum(np.diagonal(self.matrix), 0.0))
        errors[list(self.fragile)] = np.inf
        return errors


def sandwich(batches: Batches, fit: Fit, *, gauge: Floats | None = None) -> Covariance:
    """The covariance when every comparison is independent of every other.

    `gauge` are shares of the items that add up to 1, shape (n_items,); by default each item's share of comparisons, so
    that an item about which little is known widens nobody else's interval. Weights count as they are: a comparison of
    weight 2 is one comparison with twice the pull. The comparisons are those that were fitted;
    InvalidComparisons is raised if they are not as many.
    """
    bread, games, meat = bread_of(fit), fit.games, np.zeros_like(fit.information)
    links = Links(len(games), by_cluster=False)

    def of(batch: Comparisons) -> tuple[Comparisons, Floats]:
        return batch, _meat(fit, batch, bread)

    n_found = 0.0
    for batch, part in of_each(of, batches):
        links.add(batch)
        meat += part
        n_found += batch.n_comparisons
    refuse_others(fit, n_found)
    n_votes = round(float(games.sum())) // 2
    return _in_gauge(
        fit,
        bread @ meat @ bread * (max(n_votes - 1, 0) / max(n_votes, 1)),
        gauge=_gauge(fit, games, gauge),
        # An item's variance comes from its own comparisons, each about as telling as the next.
        degrees=np.concatenate((games - 1, np.full(len(bread) - len(games), float(n_votes - len(bread))))),
        n_units=n_votes,
        is_clustered=False,
        fragile=links.fragile(),
        n_units_of=games,
    )


def clustered_sandwich(batches: Batches, fit: Fit, *, gauge: Floats | None = None) -> Covariance:
    """The covariance when comparisons of one cluster (a voter, a prompt) may resemble each other in any way.

    Comparisons are those that were fitted, with their `clusters`; in several batches, no cluster may be in two of them.
    They are gone through only once. `gauge` as for `sandwich`.

    Raises InvalidComparisons if a batch has no clusters, or if these are not as many comparisons as were fitted.
    """
    bread, games = bread_of(fit), fit.games
    gauge = _gauge(fit, games, gauge)
    n_items, n_clusters = len(games), 0
    links = Links(n_items, by_cluster=True)
    matrix, squares, fourths = np.zeros_like(bread), np.zeros(len(bread)), np.zeros(len(bread))
    n_clusters_of, n_found = np.zeros(n_items), 0.0
    for batch in chunks_of_clusters(batches, max(1, ENTRIES_AT_ONCE // max(len(bread), 1))):
        links.add(batch)
        moved, seen = moves(fit, batch, bread)
        moved[:, :n_items] -= (moved[:, :n_items] @ gauge)[:, np.newaxis]
        matrix += moved.T @ moved
        moved **= 2
        squares += moved.sum(axis=0)
        fourths += np.einsum("ui,ui->i", moved, moved)
        n_clusters += int(seen.any(axis=1).sum())
        n_clusters_of += seen.sum(axis=0)
        n_found += batch.n_comparisons
    refuse_others(fit, n_found)
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = np.where(fourths > 0, 3 * squares**2 / fourths, 1.0)
    return _in_gauge(
        fit,
        matrix * (max(n_clusters - 1, 0) / max(n_clusters, 1)),
        gauge=gauge,
        degrees=np.minimum(degrees, n_clusters - 1),
        n_units=n_clusters,
        is_clustered=True,
        fragile=links.fragile(),
        n_units_of=n_clusters_of,
    )


def cluster_moves(batches: Batches, fit: Fit, *, gauge: Floats | None = None) -> Floats:
    """How far each cluster moves the parameters, shape (n_clusters, n_parameters): the estimate with it minus without.

    To first order in the remaining comparisons, in the gauge of `clustered_sandwich`; in logits.
    """
    bread, gauge = bread_of(fit), _gauge(fit, fit.games, gauge)
    n_at_once = max(1, ENTRIES_AT_ONCE // max(len(bread), 1))
    moved = [moves(fit, batch, bread)[0] for batch in chunks_of_clusters(batches, n_at_once)]
    total = np.concatenate(moved) if moved else np.empty((0, len(bread)))
    total[:, : len(gauge)] -= (total[:, : len(gauge)] @ gauge)[:, np.newaxis]
    return total


def strength_intervals(fit: Fit, covariance: Covariance, *, confidence: float) -> list[Interval | Absent]:
    """Where the strength of each item lies, in logits and in the covariance's gauge; Absent, with the reason, where
    that rests on a single vote or cluster, or where nothing varies.

    Raises InvalidSetting for a confidence outside (0, 1).
    """
    centre = fit.strengths - covariance.gauge @ fit.strengths
    n_items = len(centre)
    errors, degrees = covariance.standard_errors[:n_items], covariance.degrees[:n_items]
    unit = "voter or prompt" if covariance.is_clustered else "vote"
    if covariance.is_clustered and covariance.n_units < 2:
        return [Absent("all votes come from one voter, or are on one prompt") for _ in range(n_items)]
    found = _intervals(centre, errors, degrees, confidence)
    return [
        Absent(f"the link to the others rests on a single {unit}") if item in covariance.fragile else interval
        for item, interval in enumerate(found)
    ]


def coefficient_intervals(fit: Fit, covariance: Covariance, *, confidence: float) -> list[Interval | Absent]:
    """Where each coefficient, and then each extra, lies; as `strength_intervals`, without a gauge."""
    n_items = len(fit.strengths)
    errors = covariance.standard_errors[n_items:]
    return _intervals(fit.parameters[n_items:], errors, covariance.degrees[n_items:], confidence)


def difference(fit: Fit, covariance: Covariance, item: int, other: int, *, confidence: float) -> Interval | Absent:
    """Where the strength of `item` minus that of `other` lies, in logits."""
    if item == other or {item, other} & covariance.fragile:
        return Absent("the two cannot be told apart: their distance rests on a single vote or voter, or is none")
    direction = np.zeros(len(fit.parameters))
    direction[item], direction[other] = 1.0, -1.0
    error = np.sqrt(max(float(direction @ covariance.matrix @ direction), 0.0))
    degrees = covariance.degrees[[item, other]].min(keepdims=True)
    return _intervals(direction @ fit.parameters[:, np.newaxis], np.array([error]), degrees, confidence)[0]


def draws(fit: Fit, covariance: Covariance, *, n_draws: int, rng: np.random.Generator) -> Floats:
    """Strengths as they might have come out, shape (n_draws, n_items): what `rank_ranges` takes.

    Normal around the estimate, and for items with less than a hundred degrees of freedom Student's t with their own;
    what is common to all items is arbitrary, only differences mean something. Fragile items are NaN.
    """
    n_items = len(fit.strengths)
    matrix = covariance.matrix[:n_items, :n_items]
    if fit.likelihood.is_difference:
        # One and the same chance for all is no difference, and makes the matrix definite.
        matrix = matrix + max(float(np.diagonal(matrix).mean()), NO_SPREAD)
    matrix = matrix + np.diag(np.full(n_items, 1e-12 * max(float(np.diagonal(matrix).max(initial=0.0)), NO_SPREAD)))
    root = root_of(matrix)
    drawn = rng.standard_normal((n_draws, n_items)) @ root.T
    few = np.flatnonzero(covariance.degrees[:n_items] < _FEW_DEGREES)
    if few.size:
        from scipy.special import gammaincinv  # noqa: PLC0415 - slow to load

        # One chance a round for all of them: variances that are too small are so together.
        half, chance = covariance.degrees[few] / 2, rng.random((n_draws, 1))
        drawn[:, few] *= np.sqrt(half / np.maximum(gammaincinv(half, chance), np.finfo(np.float64).tiny))
    drawn += fit.strengths
    drawn[:, list(covariance.fragile)] = np.nan
    return drawn


def _intervals(centre: Floats, errors: Floats, degrees: Floats, confidence: float) -> list[Interval | Absent]:
    check_confidence(confidence)
    half = _students_quantile(degrees, (1 + confidence) / 2) * errors
    found: list[Interval | Absent] = []
    for middle, width, freedom in zip(centre.tolist(), half.tolist(), degrees.tolist(), strict=True):
        if width <= NO_SPREAD:
            found.append(Absent("no spread to measure: the comparisons do not contradict each other in the least"))
        elif freedom < _LEAST_DEGREES or not width < np.inf:
            found.append(Absent("too few comparisons to say how far it may be off"))
        else:
            found.append(Interval(middle - width, middle + width, confidence))
    return found


def _students_quantile(degrees: Floats, chance: float) -> Floats:
    """Student's quantile: SciPy's, but with a thousand degrees and more by its expansion around the normal one, which
    is then exact to 12 digits (Abramowitz and Stegun 1964, 26.7.5) and spares loading SciPy."""
    if (degrees < _MANY_DEGREES).any():
        from scipy.special import stdtrit  # noqa: PLC0415 - slow to load

        return stdtrit(np.maximum(degrees, 1.0), chance)
    z = NormalDist().inv_cdf(chance)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + terms[0] / degrees + terms[1] / degrees**2 + terms[2] / degrees**3


def _gauge(fit: Fit, games: Floats, gauge: Floats | None) -> Floats:
    if not fit.likelihood.is_difference:
        return np.zeros(len(games))
    if gauge is None:
        return games / max(games.sum(), 1.0)
    if gauge.shape != games.shape or not np.isclose(gauge.sum(), 1.0):
        raise InvalidSetting("gauge", gauge.sum(), f"{len(games)} shares that add up to 1")
    return gauge


def _in_gauge(fit: Fit, matrix: Floats, *, gauge: Floats, degrees: Floats, **known: object) -> Covariance:
    n_items = len(fit.strengths)
    matrix = matrix.copy()
    matrix[:n_items] -= gauge @ matrix[:n_items]
    matrix[:, :n_items] -= (matrix[:, :n_items] @ gauge)[:, np.newaxis]
    return Covariance(matrix=matrix, degrees=np.maximum(degrees, 1.0), gauge=gauge, **known)  # type: ignore[arg-type]


def _meat(fit: Fit, batch: Comparisons, bread: Floats) -> Floats:
    """The sum of s s' over the comparisons of a batch, s the score at the estimate that leaves the comparison out."""
    meat = np.zeros_like(bread)
    for design, pull, number in pulls(fit, batch, bread):
        meat += design.information(pull[:, np.newaxis] * pull * number)
    return meat
