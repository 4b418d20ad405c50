"""The logistic function: all that most of `ratings` would want of SciPy, which takes longer to load than to use.

Both keep their digits at either end, as `scipy.special.expit` and `log_expit` do.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expit(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) for each element."""
    # Digits are kept at either end: where exp(-x) is large, 1 adds nothing to it. Beyond 709 it is infinite, and the
    # answer 0 or 1, which is right up to the smallest of all numbers.
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def log_expit(x: Floats) -> Floats:
    """log(1 / (1 + exp(-x))) for each element."""
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))
