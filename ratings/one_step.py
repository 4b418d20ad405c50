"""A bootstrap for many comparisons that cannot be counted in cells: one Newton step a round, no refit."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons
from ratings.connectivity import Links
from ratings.errors import InvalidComparisons, InvalidSetting
from ratings.fit import Batches, Fit, pieces
from ratings.leave_out import ENTRIES_AT_ONCE, bread_of, chunks_of_clusters, moves, pulls, refuse_others
from ratings.multinomial import Multinomial
from ratings.threads import mapped

Floats = NDArray[np.float64]

_ROUNDS_AT_ONCE = 100

_FEWEST_CLUSTERS = 3
"""With fewer of them Student's t has less than `_LEAST_DEGREES`."""


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
    bread, n_items = bread_of(fit), len(fit.strengths)
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
    refuse_others(fit, n_found)


def _moved_by_clusters(batches: Batches, fit: Fit, bread: Floats, *_: object) -> Iterator[Floats]:
    """What each cluster moves the parameters by, shape (n_clusters of a chunk, n_parameters)."""
    for chunk in chunks_of_clusters(batches, max(1, ENTRIES_AT_ONCE // len(bread))):
        moved, seen = moves(fit, chunk, bread)
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
        design, pull, _ = next(iter(pulls(fit, batch, bread)))
        return design.pull_by(pull, group, n) @ bread

    def drawn() -> Iterator[tuple[Comparisons, NDArray[np.int64], int]]:
        for batch in pieces(batches):
            n = max(1, round(batch.n_cells / size))
            yield batch, rng.permutation(batch.n_cells) % n, n

    return mapped(of, drawn())
