"""Which items the comparisons link, and which of them can be rated against each other."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

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


def _groups(
    comparisons: Comparisons, sources: NDArray, targets: NDArray, weights: NDArray, *, connection: str
) -> list[Group]:
    """Connected components of the edges with weight > 0, in the order that `components` states."""
    n_items = comparisons.n_items
    if n_items == 0:
        return []
    edges = weights > 0
    graph = csr_array((weights[edges], (sources[edges], targets[edges])), shape=(n_items, n_items))
    n_groups, label = connected_components(graph, directed=True, connection=connection)
    inside = label[comparisons.first] == label[comparisons.second]
    n_inside = np.bincount(
        label[comparisons.first][inside], weights=comparisons.cell_counts[inside], minlength=n_groups
    )
    groups = [(-n_inside[k], tuple(np.flatnonzero(label == k).tolist())) for k in range(n_groups)]
    return [group for _, group in sorted(groups)]
