"""Linear equations, solved so that the number of threads leaves no trace."""

import numpy as np
from numpy.typing import NDArray

from ratings.errors import NotDetermined

Floats = NDArray[np.float64]

_LARGEST_OWN = 512


def solve_positive_definite(matrices: Floats, right_sides: Floats) -> Floats:
    """Solve symmetric positive definite systems, (n_sets, n, n) and (n_sets, n), by Cholesky's method.

    Written out because LAPACK's last bits change with the number of threads from about 130 items on, and ratings must
    not. Column by column over all sets at once it takes two or three times as long as LAPACK, and less than drawing
    the resamples. Only the lower triangles are read. Beyond 512 unknowns LAPACK is used, and the last bits are its own.
    """
    n = right_sides.shape[1]
    if n > _LARGEST_OWN:
        from scipy.linalg import solve  # noqa: PLC0415 - slow to load, and seldom needed

        return np.stack([solve(m, r, assume_a="pos", lower=True) for m, r in zip(matrices, right_sides, strict=True)])
    factor = np.zeros_like(matrices)
    # A pivot below the rounding error of its diagonal carries no information: do not divide by its noise.
    least = np.finfo(np.float64).eps * np.diagonal(matrices, axis1=1, axis2=2)
    solution = right_sides.copy()
    for k in range(n):
        column = matrices[:, k:, k] - np.vecdot(factor[:, k:, :k], factor[:, np.newaxis, k, :k])
        column[:, 0] = np.maximum(column[:, 0], least[:, k])
        factor[:, k:, k] = column / np.sqrt(column[:, :1])
        solution[:, k] = (solution[:, k] - np.vecdot(factor[:, k, :k], solution[:, :k])) / factor[:, k, k]
    for k in reversed(range(n)):
        solution[:, k] = (solution[:, k] - np.vecdot(factor[:, k + 1 :, k], solution[:, k + 1 :])) / factor[:, k, k]
    return solution


def inverse(matrix: Floats) -> Floats:
    """Of a symmetric positive definite matrix, exactly symmetric. Raises NotDetermined if there is none."""
    try:
        found = np.linalg.inv(matrix).astype(np.float64)
    except np.linalg.LinAlgError as error:
        raise NotDetermined("how far the estimate may be off", "the information about it is singular") from error
    return (found + found.T) / 2


def root_of(matrix: Floats) -> Floats:
    """The lower Cholesky factor. Raises NotDetermined for a matrix that is not positive definite."""
    try:
        return np.linalg.cholesky(matrix).astype(np.float64)
    except np.linalg.LinAlgError as error:
        raise NotDetermined("how far the estimate may be off", "its covariance is not definite") from error


def is_positive_definite(matrix: Floats) -> bool:
    """Whether a symmetric matrix has a Cholesky factor."""
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True
