"""Which items the comparisons link, and which of them can be rated against each other."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons

Group = tuple[int, ...]
"""Items in ascending order."""


def components(comparisons: Comparisons) -> list[Group]:
    """Islands: the groups of items that a chain of comparisons links, however these ended.

    Every item is in exactly one group; one that never met anybody is a group of its own. The group with the most
    comparisons comes first, among equals the one with the smallest item.
    """
    edges = np.ones(comparisons.n_cells)
    return _groups(comparisons, comparisons.first, comparisons.second, edges, connection="weak")


def rateable_groups(comparisons: Comparisons) -> list[Group]:
    """Groups of items whose strengths have a finite and unique maximum-likelihood estimate.

    These are the strongly connected components of "i beat j or tied with j": inside a group a chain of wins and ties
    leads from each item to each other. So an item that nobody beat is a group of its own, and so is one without a win.
    Every item is in exactly one group, ordered as in `components`. Source: Ford (1957), doi:10.2307/2308513.
    """
    first, second = comparisons.first, comparisons.second
    beaten = np.concatenate((comparisons.wins_first + comparisons.ties, comparisons.wins_second + comparisons.ties))
    sources, targets = np.concatenate((first, second)), np.concatenate((second, first))
    return _groups(comparisons, sources, targets, beaten, connection="strong")


def grounded_group(comparisons: Comparisons) -> Group:
    """The items that the grounded model can rate from the comparisons among them, in ascending order.

    The silent contender is one more item, who beats both of a both-bad verdict and is beaten by everyone who wins or
    ties: strengths are finite for those in one strongly connected component with it. Who is left out takes comparisons
    along, so the others are looked at again.
    """
    n_items = comparisons.n_items
    won, lost, tied, bad = comparisons.counts
    first, second, ground = comparisons.first, comparisons.second, np.full(comparisons.n_cells, n_items)
    edges = (
        (first, second, won + tied),
        (second, first, lost + tied),
        (first, ground, won + tied),
        (second, ground, lost + tied),
        (ground, first, bad),
        (ground, second, bad),
    )
    winner, loser, happened = (np.concatenate(columns) for columns in zip(*edges, strict=True))
    winner, loser = winner[happened > 0], loser[happened > 0]
    label = _labels(n_items + 1, winner, loser, is_directed=True)
    core = np.flatnonzero(label[:n_items] == label[n_items])
    if len(core) in (0, n_items):
        return tuple(core.tolist())
    return tuple(core[list(grounded_group(comparisons.restricted_to(core)))].tolist())


def ties_run_away(comparisons: Comparisons) -> bool:
    """Whether models in which ties are outcomes (Davidson, Rao and Kupper) have no finite maximum for lack of upsets.

    Their likelihood rises for ever along strengths d * t with a tie parameter t, t to infinity, if some d has d_i - d_j
    >= 1 wherever i ever beat j, and |d_i - d_j| <= 1 wherever the two ever tied. Such differences exist unless the
    constraints close a circle of negative length, which is what Bellman and Ford's algorithm looks for.
    """
    first, second = comparisons.first, comparisons.second
    won, lost, tied, _ = comparisons.counts > 0
    # An edge from u to v of length w stands for d_v <= d_u + w.
    edges = ((first[won], second[won], -1.0), (second[lost], first[lost], -1.0))
    edges += ((first[tied], second[tied], 1.0), (second[tied], first[tied], 1.0))
    tails, heads = (np.concatenate(ends) for ends in list(zip(*edges, strict=True))[:2])
    lengths = np.concatenate([np.full(len(tail), length) for tail, _, length in edges])
    least = np.zeros(comparisons.n_items)
    for _ in range(comparisons.n_items + 1):
        before = least.copy()
        np.minimum.at(least, heads, before[tails] + lengths)
        if (least == before).all():
            return True
    return False


class Links:
    """Which pairs met in one unit only (a single comparison, or a single cluster), gathered batch by batch."""

    def __init__(self, n_items: int, *, by_cluster: bool):
        self._n_items = n_items
        self.by_cluster = by_cluster
        self._times = np.zeros(n_items**2)
        self._owner = np.arange(n_items**2)  # of a pair that met once; a comparison owns its pair
        self._n_before = 0

    def add(self, batch: Comparisons) -> None:
        """Take in comparisons; no cluster may be in two batches."""
        n_pairs = self._n_items**2
        pairs = batch.first * self._n_items + batch.second
        if not self.by_cluster:
            self._times += np.bincount(pairs, weights=batch.cell_counts, minlength=n_pairs)
            return
        assert batch.clusters is not None  # noqa: S101 - the caller has looked
        key = batch.clusters * n_pairs + pairs
        if batch.weights is not None or batch.covariates is not None:
            key = np.unique(key)  # otherwise each stands there once already
        pairs = key % n_pairs
        self._times += np.bincount(pairs, minlength=n_pairs)
        self._owner[pairs] = self._n_before + key // n_pairs
        self._n_before += batch.n_clusters

    def fragile(self) -> frozenset[int]:
        """Items whose link to the largest part of their island would be cut by leaving out one single unit.

        No variance can be given for such an item's distance from the others: leaving out cannot be tried. Only units
        that hold a link of a spanning tree of what is linked twice can cut anything, so few have to be tried.
        """
        n_items, times, owner = self._n_items, self._times, self._owner
        met = np.flatnonzero(times)
        linked = _linked(n_items, met[times[met] > 1])
        once = met[times[met] == 1]
        once = once[linked[once // n_items] != linked[once % n_items]]
        if not once.size:
            return frozenset()
        edges = np.sort(np.stack((linked[once // n_items], linked[once % n_items])), axis=0)
        # One link between two such parts is as good as another, and a sparse matrix would add up their numbers.
        distinct = np.unique(edges[0] * n_items + edges[1], return_index=True)[1]
        once, edges = once[distinct], edges[:, distinct]
        from scipy.sparse import csr_array  # noqa: PLC0415 - slow to load, and seldom needed
        from scipy.sparse.csgraph import minimum_spanning_tree  # noqa: PLC0415 - the same

        tree = minimum_spanning_tree(csr_array((np.arange(1.0, len(once) + 1), edges), shape=(n_items, n_items)))
        games = np.bincount(met // n_items, times[met], n_items) + np.bincount(met % n_items, times[met], n_items)
        played = games > 0
        whole = _linked(n_items, met)
        cut: set[int] = set()
        for unit in np.unique(owner[once[tree.data.astype(np.int64) - 1]]):
            part = _linked(n_items, met[(owner[met] != unit) | (times[met] > 1)])
            sizes = np.bincount(part[played], games[played])
            for island in np.unique(whole[played]):
                inside = (whole == island) & played
                largest = max(np.unique(part[inside]).tolist(), key=lambda each: (sizes[each], -each))
                cut.update(np.flatnonzero(inside & (part != largest)).tolist())
        return frozenset(cut)


def resting_on_one(batches: "Comparisons | Iterable[Comparisons]", *, by_cluster: bool) -> frozenset[int]:
    """The fragile items of all these batches, as `Links` finds them."""
    links = None
    for batch in (batches,) if isinstance(batches, Comparisons) else batches:
        links = links or Links(batch.n_items, by_cluster=by_cluster)
        links.add(batch)
    return links.fragile() if links is not None else frozenset()


def _linked(n_items: int, pairs: NDArray) -> NDArray[np.int64]:
    """The number of the island of each item when these pairs (first * n_items + second) are linked."""
    return _labels(n_items, pairs // n_items, pairs % n_items, is_directed=False)


def _labels(n_items: int, sources: NDArray, targets: NDArray, *, is_directed: bool) -> NDArray[np.int64]:
    """The number of the part of each item: linked by edges, or, directed, by paths in both directions."""
    if _reaches_all(n_items, sources, targets, is_directed=is_directed) and (
        not is_directed or _reaches_all(n_items, targets, sources, is_directed=True)
    ):
        return np.zeros(n_items, dtype=np.int64)
    from scipy.sparse import csr_array  # noqa: PLC0415 - slow to load, and on most boards all items are one part
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - the same

    graph = csr_array((np.ones(len(sources)), (sources, targets)), shape=(n_items, n_items))
    return connected_components(graph, directed=is_directed, connection="strong")[1].astype(np.int64)


def _reaches_all(n_items: int, sources: NDArray, targets: NDArray, *, is_directed: bool) -> bool:
    """Whether a path leads from item 0 to each other."""
    edges = np.zeros((n_items, n_items), dtype=bool)
    edges[sources, targets] = True
    if not is_directed:
        edges |= edges.T
    reached = np.zeros(n_items, dtype=bool)
    ahead = np.arange(min(n_items, 1))
    while ahead.size:
        reached[ahead] = True
        ahead = np.flatnonzero(edges[ahead].any(axis=0) & ~reached)
    return bool(reached.all())


def _groups(
    comparisons: Comparisons, sources: NDArray, targets: NDArray, weights: NDArray, *, connection: str
) -> list[Group]:
    """Connected components of the edges with weight > 0, in the order that `components` states."""
    n_items = comparisons.n_items
    if n_items == 0:
        return []
    edges = weights > 0
    label = _labels(n_items, sources[edges], targets[edges], is_directed=connection == "strong")
    n_groups = int(label.max()) + 1
    inside = label[comparisons.first] == label[comparisons.second]
    n_inside = np.bincount(
        label[comparisons.first][inside], weights=comparisons.cell_counts[inside], minlength=n_groups
    )
    groups = [(-n_inside[k], tuple(np.flatnonzero(label == k).tolist())) for k in range(n_groups)]
    return [group for _, group in sorted(groups)]
