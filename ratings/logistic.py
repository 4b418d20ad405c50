"""The logistic function: all that most of `ratings` would want of SciPy, which takes longer to load than to use.

Both keep their digits at either end, as `scipy.special.expit` and `log_expit` do.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expit(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) for each element."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def log_expit(x: Floats) -> Floats:
    """log(1 / (1 + exp(-x))) for each element."""
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))
