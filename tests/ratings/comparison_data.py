"""Comparisons for the tests of `ratings`: written out, drawn from known strengths, or invented by hypothesis."""

from typing import NamedTuple

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ratings import Comparisons, Outcome

# The same examples in every run, and nothing kept on disk: a test that fails today fails tomorrow.
property_test = settings(max_examples=60, deadline=None, derandomize=True, database=None)

THREE = (Outcome.A, Outcome.B, Outcome.TIE)

Row = tuple[int, int, Outcome]


class RowsOfItems(NamedTuple):
    """Single comparisons between n_items items: (item_a, item_b, outcome)."""

    n_items: int
    rows: list[Row]


def counted(n_items: int, rows: list[Row]) -> Comparisons:
    """The rows as Comparisons."""
    item_a, item_b, outcome = zip(*rows, strict=True) if rows else ((), (), ())
    return Comparisons.from_outcomes(n_items, item_a, item_b, outcome)


def beats(winner: int, loser: int, n: int = 1) -> list[Row]:
    """The winner beats the loser n times."""
    return [(winner, loser, Outcome.A)] * n


def ties(one: int, other: int, n: int = 1) -> list[Row]:
    """The two tie n times."""
    return [(one, other, Outcome.TIE)] * n


def draw_comparisons(
    strengths: NDArray[np.float64], n_rows: int, rng: np.random.Generator, *, tie_share: float = 0.0
) -> Comparisons:
    """Rows from the Bradley-Terry model with these strengths, pairs uniform; a share of them turned into ties."""
    n_items = len(strengths)
    a = rng.integers(0, n_items, n_rows)
    b = (a + rng.integers(1, n_items, n_rows)) % n_items
    a_wins = rng.random(n_rows) < 1 / (1 + np.exp(strengths[b] - strengths[a]))
    outcome = np.where(a_wins, Outcome.A, Outcome.B)
    outcome[rng.random(n_rows) < tie_share] = Outcome.TIE
    return Comparisons.from_outcomes(n_items, a, b, outcome)


def mixed_rows(
    n_items: int, n_rows: int, rng: np.random.Generator, *, both_bad: bool = False, n_covariates: int = 0
) -> Comparisons:
    """Outcomes at random, all of them, between uniform pairs; with covariates a row each, otherwise counted."""
    a = rng.integers(0, n_items, n_rows)
    b = (a + rng.integers(1, n_items, n_rows)) % n_items
    outcome = rng.integers(0, 4 if both_bad else 3, n_rows)
    covariates = rng.normal(0, 1, (n_rows, n_covariates)) if n_covariates else None
    return Comparisons.from_outcomes(n_items, a, b, outcome, covariates=covariates)


def dense_jacobian(comparisons: Comparisons, *, is_difference: bool, n_extras: int) -> NDArray[np.float64]:
    """How the parameters enter the predictors of each row, written out: (n_rows, n_predictors, n_parameters)."""
    n_items, covariates = comparisons.n_items, comparisons.covariates
    n_covariates = 0 if covariates is None else covariates.shape[1]
    lead = 1 if is_difference else 2
    jacobian = np.zeros((comparisons.n_cells, lead + n_extras, n_items + n_covariates + n_extras))
    for row, (first, second) in enumerate(zip(comparisons.first, comparisons.second, strict=True)):
        if is_difference:
            jacobian[row, 0, first], jacobian[row, 0, second] = 1, -1
            if covariates is not None:
                jacobian[row, 0, n_items : n_items + n_covariates] = covariates[row]
        else:
            jacobian[row, 0, first] = jacobian[row, 1, second] = 1
        for k in range(n_extras):
            jacobian[row, lead + k, n_items + n_covariates + k] = 1
    return jacobian


@st.composite
def linked_rows(draw: st.DrawFn) -> RowsOfItems:
    """Any rows between 2 to 6 items, and one tie between neighbours, so that a finite maximum exists (Ford 1957)."""
    n_items = draw(st.integers(2, 6))
    pair = st.lists(st.integers(0, n_items - 1), min_size=2, max_size=2, unique=True)
    rows = draw(st.lists(st.tuples(pair, st.sampled_from(THREE)), max_size=40))
    chain = [row for item in range(n_items - 1) for row in ties(item, item + 1)]
    return RowsOfItems(n_items, chain + [(a, b, outcome) for (a, b), outcome in rows])
