"""How far the estimates may be off: the sandwich covariance, by vote or by cluster, in its jackknife form.

With H the information and s_u the score (gradient) of the comparisons of one *unit* u, a single vote or everything by
one voter, leaving that unit out would move the estimate by about -d_u, d_u = (H - H_u)^-1 s_u, and

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

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons, Outcome
from ratings.connectivity import Links
from ratings.design import Design
from ratings.errors import InvalidComparisons, InvalidSetting
from ratings.fit import Batches, Fit, mapped, of_each, pieces, weighted_counts
from ratings.interval import NO_SPREAD, Absent, Interval, check_confidence
from ratings.linear import inverse, root_of
from ratings.multinomial import Multinomial

Floats = NDArray[np.float64]

_ENTRIES_AT_ONCE = 2**18
"""Entries of the clusters' scores that are held together: few enough to stay in a processor's cache."""

_SETTLED = 1e-4
"""A further term of a cluster's series that moves each parameter by less than this share of its move ends it, ..."""

_SETTLED_SHARE = 1e-5
"""... or by less than this share of the largest move by any cluster beside it."""

_MOST_TERMS = 12

_LEAST_DEGREES = 2.0
"""With fewer degrees of freedom Student's quantiles are ten times the normal ones, and say nothing."""

_FEW_DEGREES = 100.0

_MANY_DEGREES = 1000.0

_ROUNDS_AT_ONCE = 100

_FEWEST_CLUSTERS = 3
"""With fewer of them Student's t has less than `_LEAST_DEGREES`."""

_NOTHING_LEFT = 1e-8
"""When a unit leaves no more than this share of the information in some direction, that direction rests on it alone."""


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
    bread, games, meat = _bread(fit), fit.games, np.zeros_like(fit.information)
    links = Links(len(games), by_cluster=False)

    def of(batch: Comparisons) -> tuple[Comparisons, Floats]:
        return batch, _meat(fit, batch, bread)

    n_found = 0.0
    for batch, part in of_each(of, batches):
        links.add(batch)
        meat += part
        n_found += batch.n_comparisons
    _refuse_others(fit, n_found)
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
    bread, games = _bread(fit), fit.games
    gauge = _gauge(fit, games, gauge)
    n_items, n_clusters = len(games), 0
    links = Links(n_items, by_cluster=True)
    matrix, squares, fourths = np.zeros_like(bread), np.zeros(len(bread)), np.zeros(len(bread))
    n_clusters_of, n_found = np.zeros(n_items), 0.0
    for batch in _chunks_of_clusters(batches, max(1, _ENTRIES_AT_ONCE // max(len(bread), 1))):
        links.add(batch)
        moved, seen = _moves(fit, batch, bread)
        moved[:, :n_items] -= (moved[:, :n_items] @ gauge)[:, np.newaxis]
        matrix += moved.T @ moved
        moved **= 2
        squares += moved.sum(axis=0)
        fourths += np.einsum("ui,ui->i", moved, moved)
        n_clusters += int(seen.any(axis=1).sum())
        n_clusters_of += seen.sum(axis=0)
        n_found += batch.n_comparisons
    _refuse_others(fit, n_found)
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
    bread, gauge = _bread(fit), _gauge(fit, fit.games, gauge)
    n_at_once = max(1, _ENTRIES_AT_ONCE // max(len(bread), 1))
    moved = [_moves(fit, batch, bread)[0] for batch in _chunks_of_clusters(batches, n_at_once)]
    total = np.concatenate(moved) if moved else np.empty((0, len(bread)))
    total[:, : len(gauge)] -= (total[:, : len(gauge)] @ gauge)[:, np.newaxis]
    return total


def bootstrap_one_step(
    batches: Batches,
    fit: Fit,
    *,
    by_cluster: bool,
    rounds: int,
    rng: np.random.Generator,
    max_groups: int = 20_000,
) -> Floats:
    """Parameters as they would come out if comparisons, or clusters, were drawn again, shape (rounds, n_parameters).

    In logits. A round draws as many units as there are, with replacement, and takes one Newton step from the estimate:
    the sum of what each of them moves it by, in the jackknife form of the sandwich, which for ratings from hundreds of
    comparisons up is what a refit would give. More than `max_groups` units are first gathered into that many groups at
    random, which leaves the expected covariance as it is. The strengths' mean is that of the estimate in each round.

    Items whose link to the others rests on a single unit are NaN, and with fewer than three clusters everything is:
    what leaving these out would change cannot be told.

    Raises InvalidSetting if `rounds` is below 1; InvalidComparisons without clusters if these are drawn, with cells
    that hold more than one comparison if these are, and for other comparisons than were fitted. Source: the score
    bootstrap, Kline and Santos (2012), doi:10.1515/2156-6674.1006, with the moves of MacKinnon, Nielsen and Webb.
    """
    if rounds < 1:
        raise InvalidSetting("rounds", rounds, "1 or more")
    bread, n_items = _bread(fit), len(fit.strengths)
    links = Links(n_items, by_cluster=by_cluster)
    gathered, n_groups = np.zeros((max_groups, len(bread))), 0
    moves = _moved_by_clusters if by_cluster else _moved_by_groups
    for moved in moves(_linking(batches, links, fit), fit, bread, max_groups, rng):
        place = np.arange(n_groups, n_groups + len(moved))
        late = place >= max_groups
        place[late] = rng.integers(0, max_groups, int(late.sum()))
        np.add.at(gathered, place, moved)
        n_groups += len(moved)
    if by_cluster and n_groups < _FEWEST_CLUSTERS:
        return np.full((rounds, len(bread)), np.nan)
    groups = gathered[: min(n_groups, max_groups)]
    drawing = Multinomial(np.ones(len(groups)))
    samples = np.empty((rounds, len(bread)))
    for start in range(0, rounds, _ROUNDS_AT_ONCE):
        block = samples[start : start + _ROUNDS_AT_ONCE]
        drawn = drawing.draw(_ROUNDS_AT_ONCE, rng).T[: len(block)]
        block[:] = fit.parameters + (drawn - 1.0) @ groups
    samples[:, list(links.fragile())] = np.nan
    return samples


def _linking(batches: Batches, links: Links, fit: Fit) -> Iterator[Comparisons]:
    """The same batches, each told to the links."""
    n_found = 0.0
    for batch in pieces(batches):
        if links.by_cluster and batch.clusters is None:
            raise InvalidComparisons("clusters", None, "the number of the cluster of each comparison")
        links.add(batch)
        n_found += batch.n_comparisons
        yield batch
    _refuse_others(fit, n_found)


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


def _refuse_others(fit: Fit, n_found: float) -> None:
    if not np.isclose(n_found, fit.n_comparisons):
        raise InvalidComparisons("number of comparisons", n_found, f"{fit.n_comparisons:g}, those that were fitted")


def _bread(fit: Fit) -> Floats:
    matrix = fit.information.copy()
    if fit.likelihood.is_difference and not fit.prior:
        n_items = len(fit.strengths)
        matrix[:n_items, :n_items] += 1.0  # scores add up to 0 over items: their level is nobody's information
    return inverse(matrix)


def _gauge(fit: Fit, games: Floats, gauge: Floats | None) -> Floats:
    if not fit.likelihood.is_difference:
        return np.zeros(len(games))
    if gauge is None:
        return games / max(games.sum(), 1.0)
    if gauge.shape != games.shape or not np.isclose(gauge.sum(), 1.0):
        raise InvalidSetting("gauge", gauge.sum(), f"{len(games)} shares that add up to 1")
    return gauge


def _meat(fit: Fit, batch: Comparisons, bread: Floats) -> Floats:
    """The sum of s s' over the comparisons of a batch, s the score at the estimate that leaves the comparison out."""
    meat = np.zeros_like(bread)
    for design, pull, number in _pulls(fit, batch, bread):
        meat += design.information(pull[:, np.newaxis] * pull * number)
    return meat


def _pulls(fit: Fit, batch: Comparisons, bread: Floats) -> Iterator[tuple[Design, Floats, Floats]]:
    """Slopes of single comparisons at the estimate that leaves them out, (n_predictors, n), and how many are alike."""
    for cells, of_one, number in _one_by_one(batch):
        design = fit.design(cells)
        predictors = design.predictors(fit.parameters)
        slopes, curvature = fit.likelihood.gradient(predictors, of_one), fit.likelihood.curvature(predictors, of_one)
        yield design, _without_itself(slopes, curvature, design.spread(bread)), number


def _one_by_one(batch: Comparisons) -> Iterator[tuple[Comparisons, Floats, Floats]]:
    """Cells whose comparisons all ended alike, the counts of a single one with its weight, and how many each holds."""
    weights = np.ones(batch.n_cells) if batch.weights is None else batch.weights
    if (batch.cell_counts == 1).all():
        yield batch, batch.counts * weights, np.ones(batch.n_cells)
        return
    for outcome in Outcome:
        happened = batch.counts[outcome] > 0
        if happened.any():
            of_one = np.zeros((len(Outcome), np.count_nonzero(happened)))
            of_one[outcome] = weights[happened]
            yield batch.taking(happened), of_one, batch.counts[outcome, happened]


def _without_itself(slopes: Floats, curvature: Floats, spread: Floats) -> Floats:
    """(I - C B)^-1 g for each row: the slope of a vote at the estimate that leaves it out. (n_predictors, n).

    A vote that is all there is in one direction says nothing about the others: its slope is 0.
    """
    if len(slopes) == 1:
        left = 1.0 - curvature[0] * spread[0]
        return np.where(np.abs(left) <= _NOTHING_LEFT, 0.0, slopes / np.where(left == 0, 1.0, left))
    left = np.eye(len(slopes)) - np.einsum("ikn,kjn->nij", curvature, spread)
    alone = np.abs(np.linalg.det(left)) <= _NOTHING_LEFT
    left[alone] = np.eye(len(slopes))
    pulls = np.linalg.solve(left, slopes.T[:, :, np.newaxis])[:, :, 0]
    pulls[alone] = 0.0
    return pulls.T


def _moves(fit: Fit, batch: Comparisons, bread: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """d of each cluster of a batch, shape (n_clusters, n_parameters), and which items it compared.

    (I - H_u H^-1)^-1 s_u is summed as a series, whose terms need a pass over the cells and no matrix; clusters with a
    large share of the information, for which it converges slowly, are solved one by one.
    """
    assert batch.clusters is not None  # noqa: S101 - the caller's chunks have them
    numbers, which = np.unique(batch.clusters, return_inverse=True)
    n_clusters = len(numbers)
    design = fit.design(batch)
    predictors = design.predictors(fit.parameters)
    counts = weighted_counts(batch)
    curvature = fit.likelihood.curvature(predictors, counts)
    scores = design.pull_by(fit.likelihood.gradient(predictors, counts), which, n_clusters)
    seen = np.zeros((n_clusters, batch.n_items), dtype=bool)
    seen[which, batch.first] = seen[which, batch.second] = True

    # Each parameter for itself: where a voter gave nearly all votes on an item that hardly anybody judged, the series
    # goes on there long after it has settled for the rest.
    moved = scores @ bread
    least = _SETTLED_SHARE * np.abs(moved).max(axis=0, initial=0.0)
    step, rows = moved, np.arange(n_clusters)
    cells, part = batch, which
    for _ in range(_MOST_TERMS):
        pushed = fit.design(cells).push(step, part)
        bent = np.einsum("ijn,jn->in", curvature, pushed)
        step = fit.design(cells).pull_by(bent, part, len(rows)) @ bread
        moved[rows] += step
        open_ = np.any(np.abs(step) > _SETTLED * np.abs(moved[rows]) + least, axis=1)
        if not open_.any():
            return moved, seen
        if open_.mean() < 0.5:
            keep = open_[part]
            cells, curvature = cells.taking(keep), curvature[:, :, keep]
            part = (np.cumsum(open_) - 1)[part[keep]]
            rows, step = rows[open_], step[open_]
    for number, row in enumerate(rows):
        own = part == number
        matrix = fit.design(cells.taking(own)).information(curvature[:, :, own])
        moved[row] = _moved_by(scores[row], matrix, bread)
    return moved, seen


def _moved_by(score: Floats, matrix: Floats, bread: Floats) -> Floats:
    """(H - H_u)^-1 s_u; directions in which nothing would be left without the cluster are left out."""
    root = root_of(bread)
    shares, directions = np.linalg.eigh(root.T @ matrix @ root)
    left = 1.0 - shares
    along = directions.T @ (root.T @ score)
    kept = np.where(left > _NOTHING_LEFT, along / np.maximum(left, _NOTHING_LEFT), 0.0)
    return (root @ (directions @ kept)).astype(np.float64)


def _chunks_of_clusters(batches: Batches, n_clusters: int) -> Iterator[Comparisons]:
    """The batches, cut between clusters into pieces of about this many of them."""
    for batch in pieces(batches):
        if batch.clusters is None:
            raise InvalidComparisons("clusters", None, "the number of the cluster of each comparison")
        if batch.n_clusters <= n_clusters:
            yield batch
            continue
        order = np.argsort(batch.clusters, kind="stable")
        ends = np.searchsorted(batch.clusters[order], np.arange(0, batch.n_clusters + n_clusters, n_clusters))
        for start, end in pairwise(ends):
            if end > start:
                yield batch.taking(order[start:end])


def _moved_by_clusters(batches: Batches, fit: Fit, bread: Floats, *_: object) -> Iterator[Floats]:
    """What each cluster moves the parameters by, shape (n_clusters of a chunk, n_parameters)."""
    for chunk in _chunks_of_clusters(batches, max(1, _ENTRIES_AT_ONCE // len(bread))):
        moved, seen = _moves(fit, chunk, bread)
        yield moved[seen.any(axis=1)]


def _moved_by_groups(
    batches: Batches, fit: Fit, bread: Floats, n_groups: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """What the comparisons move the parameters by, added up in about so many groups at random, which are even."""
    size = max(fit.n_comparisons / n_groups, 1.0)

    def of(drawn: tuple[Comparisons, NDArray[np.int64], int]) -> Floats:
        batch, group, n = drawn
        most = float(batch.cell_counts.max(initial=1))
        if most != 1:
            raise InvalidComparisons("count of a cell", most, "1, where there are no clusters")
        design, pull, _ = next(iter(_pulls(fit, batch, bread)))
        return design.pull_by(pull, group, n) @ bread

    def drawn() -> Iterator[tuple[Comparisons, NDArray[np.int64], int]]:
        for batch in pieces(batches):
            n = max(1, round(batch.n_cells / size))
            yield batch, rng.permutation(batch.n_cells) % n, n

    return mapped(of, drawn())


def _in_gauge(fit: Fit, matrix: Floats, *, gauge: Floats, degrees: Floats, **known: object) -> Covariance:
    n_items = len(fit.strengths)
    matrix = matrix.copy()
    matrix[:n_items] -= gauge @ matrix[:n_items]
    matrix[:, :n_items] -= (matrix[:, :n_items] @ gauge)[:, np.newaxis]
    return Covariance(matrix=matrix, degrees=np.maximum(degrees, 1.0), gauge=gauge, **known)  # type: ignore[arg-type]
