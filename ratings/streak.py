"""How improbable it is that so many things of one kind come together: in all, or in a row. Exact, no approximation."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.errors import InvalidSetting


def chance_of_as_many(n: ArrayLike, k: ArrayLike, chance: float) -> NDArray[np.float64]:
    """The chance that among n independent things k or more are of a kind that each is with `chance`.

    Elementwise over whole numbers of equal shape; 1 where k is 0. The upper tail of the binomial distribution, as the
    regularised incomplete beta function I_chance(k, n - k + 1). Raises InvalidSetting for k outside 0 .. n, or a chance
    outside [0, 1].
    """
    _refuse_no_chance(chance)
    n, k = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
    wrong = (k < 0) | (k > n)
    if wrong.any():
        raise InvalidSetting("number of a kind", float(k[wrong].flat[0]), "0 to the number of all")
    from scipy.special import betainc  # noqa: PLC0415 - slow to load

    return np.where(k == 0, 1.0, betainc(np.maximum(k, 1), n - k + 1, chance))


def chance_of_a_run(n: int, length: int, chance: float) -> float:
    """The chance that among n independent things some `length` of a kind, or more, follow each other.

    Each is of that kind with `chance`. The first such run ends at thing m with a chance of (1 - chance) chance^length,
    times that of no run before the thing that stands in front of it; added up over m, so that no two nearly equal
    numbers are ever subtracted and small chances are exact as well. Takes about n steps. 1 for a length of 0.

    Raises InvalidSetting for a negative number, or a chance outside [0, 1].
    Source: Feller, An Introduction to Probability Theory (1968), section XIII.7.
    """
    _refuse_no_chance(chance)
    if n < 0 or length < 0:
        raise InvalidSetting("length of a run", min(n, length), "whole numbers from 0 on")
    if length == 0:
        return 1.0
    if length > n:
        return 0.0
    whole = chance**length
    ends = (1 - chance) * whole
    # [m]: a run among the first m; before the first whole run there is none.
    found = [0.0] * length + [whole]
    for m in range(length + 1, n + 1):
        found.append(found[-1] + ends * (1 - found[m - length - 1]))
    return min(found[n], 1.0)


def _refuse_no_chance(chance: float) -> None:
    if not 0 <= chance <= 1:
        raise InvalidSetting("chance", chance, "numbers from 0 to 1")
