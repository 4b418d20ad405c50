"""Tiers: neighbours on the board that the data cannot tell apart."""

import numpy as np
from numpy.typing import NDArray

from ratings.errors import InvalidSetting
from ratings.interval import NO_SPREAD


def tiers(strengths: NDArray[np.float64], above: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The tier of each item, 1 the best, shape (n_items,): no item is surely stronger than another of its tier.

    `above[i, j]` says that i is surely stronger than j, as `surely_above` finds it for the same `strengths`. Items are
    gone through from the strongest to the weakest, and a new tier begins with the first one that is surely weaker than
    some member of the present tier. Items of equal strength share a tier.

    What that means, each with the confidence of `above`: the first item of a tier is surely weaker than somebody in
    the tier before, so there are at least as many different strengths as there are tiers, and no division of the order
    into runs without sure differences has fewer. What it does not mean: that whoever is in a better tier is surely
    stronger. Neighbours across a border may be as close as neighbours within; for two items ask `above`.

    Raises InvalidSetting for NaN strengths, a matrix of another shape, or one that puts an item surely above a stronger
    one or an equal.
    """
    n_items = len(strengths)
    if np.isnan(strengths).any():
        raise InvalidSetting("strength", np.nan, "numbers; leave items without a strength out")
    if above.shape != (n_items, n_items):
        raise InvalidSetting("shape of above", above.shape, f"({n_items}, {n_items})")
    if (above & (strengths[:, np.newaxis] <= strengths[np.newaxis, :])).any():
        raise InvalidSetting("above", "true for an item that is not stronger", "the matrix for these strengths")
    order = np.argsort(-strengths, kind="stable")
    found = np.ones(n_items, dtype=np.int64)
    start, place = 0, 0
    while place < n_items:
        end = place + 1
        while end < n_items and strengths[order[end - 1]] - strengths[order[end]] <= NO_SPREAD:
            end += 1
        number = int(found[order[place - 1]]) if place else 1
        if above[np.ix_(order[start:place], order[place:end])].any():
            number, start = number + 1, place
        found[order[place:end]] = number
        place = end
    return found
