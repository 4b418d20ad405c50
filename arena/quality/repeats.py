"""The same voter on the same two answers again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.quality.sheet import UNKNOWN, Sheet

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Repeats:
    """Each vote with the next one of the same voter on the same two answers: entries of equal length."""

    verdicts: Whole
    """As seen from the first of the two answers, shape (n, 2)."""
    sides: Whole
    """As given: what each verdict said of the sides, shape (n, 2)."""
    is_turned: NDArray[np.bool_]
    """Whether the two stood the other way round the second time."""
    lag: Whole
    """How many votes later the second came among the voter's own; UNKNOWN where times do not tell."""


def repeats_of(sheet: Sheet) -> Repeats:
    """All of them, in the order of time where it is known, else in that in which votes were stored."""
    rows = np.flatnonzero((sheet.voter != UNKNOWN) & (sheet.pair != UNKNOWN))
    rows = rows[np.lexsort((sheet.moment[rows], sheet.pair[rows], sheet.voter[rows]))]
    again = (sheet.voter[rows][1:] == sheet.voter[rows][:-1]) & (sheet.pair[rows][1:] == sheet.pair[rows][:-1])
    one, other = rows[:-1][again], rows[1:][again]
    number = np.full(len(sheet), UNKNOWN, dtype=np.int64)
    number[sheet.in_time] = np.arange(len(sheet.in_time))
    told = (number[one] != UNKNOWN) & (number[other] != UNKNOWN)
    return Repeats(
        verdicts=np.stack((sheet.turned_verdict[one], sheet.turned_verdict[other]), axis=1),
        sides=np.stack((sheet.verdict[one], sheet.verdict[other]), axis=1),
        is_turned=sheet.is_turned[one] != sheet.is_turned[other],
        lag=np.where(told, number[other] - number[one], UNKNOWN),
    )
