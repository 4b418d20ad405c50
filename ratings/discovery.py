"""Many tests at once: which of them may be listed so that few of those listed are there by chance."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.errors import InvalidSetting

FALSE_SHARE = 0.05
"""Of those listed, the share that may be there by chance where nobody chooses another."""


def false_discovery_rates(p_values: ArrayLike) -> NDArray[np.float64]:
    """The q-value of each test: the least false-discovery rate at which it would be listed, shape as `p_values`, (n,).

    With the p-values in ascending order, the k-th of n is p_k * n / k, or that of a later one where this is less. Of
    all tests with q <= 0.05 about one in twenty is there by chance, where the tests are independent or hang together
    positively. Never below the p-value, never above 1. No tests, no q-values.

    Raises InvalidSetting for a p-value outside [0, 1]. Source: Benjamini and Hochberg (1995),
    doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    p = np.asarray(p_values, dtype=np.float64)
    wrong = ~((p >= 0) & (p <= 1))
    if wrong.any():
        raise InvalidSetting("p-value", p[wrong][0].item(), "numbers from 0 to 1")
    order = np.argsort(p, kind="stable")
    # p / (k / n), not p * n / k: so the last of them, p / 1, is not even by rounding below p.
    scaled = p[order] / (np.arange(1, len(p) + 1) / max(len(p), 1))
    rates = np.empty_like(p)
    rates[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return rates
