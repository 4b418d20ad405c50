"""What rows must be before anything is computed from them: refused with the place and the value of the first fault."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratings.errors import InvalidComparisons


def whole_numbers(column: ArrayLike, name: str) -> NDArray[np.int64]:
    """The column as int64; refuses True, 1.0, "1" and None, which numpy would turn into numbers without a word."""
    array = np.asarray(column)
    if array.ndim != 1:
        raise InvalidComparisons(f"shape of {name}", array.shape, "one column, (n_rows,)")
    if array.dtype.kind not in "iu":
        values: Sequence[object] = column if isinstance(column, list | tuple) else array.tolist()
        for row, value in enumerate(values):
            if not isinstance(value, Integral) or isinstance(value, bool):
                raise InvalidComparisons(name, value, "whole numbers", row=row)
    return array.astype(np.int64)


def refuse_where(wrong: NDArray[np.bool_], column: NDArray, name: str, accepted: str) -> None:
    """Raise InvalidComparisons for the first row that is wrong, naming its value."""
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidComparisons(name, column[row].item(), accepted, row=row)
