"""Things of two kinds in a row: against counting every order."""

from itertools import groupby, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings import chance_of_drift, chance_of_runs, sequences

KINDS = st.lists(st.booleans(), min_size=1, max_size=30)


@given(st.lists(KINDS, min_size=1, max_size=4), st.randoms())
def test_each_row_is_looked_at_by_itself_and_in_its_own_order(rows: list[list[bool]], random):
    places = [(key, at) for key, row in enumerate(rows) for at in range(len(row))]
    left = {key: iter(row) for key, row in enumerate(rows)}
    random.shuffle(places)
    keys = [key for key, _ in places]
    found = sequences(keys, [next(left[key]) for key in keys])
    assert found.key.tolist() == list(range(len(rows)))
    for key, row in enumerate(rows):
        runs = [len(list(run)) for _, run in groupby(row)]
        assert found.n[key] == len(row)
        assert found.n_of_kind[key] == sum(row)
        assert found.n_runs[key] == len(runs)
        assert found.longest[key] == max(runs)
        share, n = sum(row) / len(row), len(row)
        off = [abs(sum(row[: k + 1]) - (k + 1) * share) for k in range(n)]
        spread = (n * share * (1 - share)) ** 0.5
        assert found.drift[key] == pytest.approx(max(off) / spread if spread else 0.0)


@pytest.mark.parametrize(("n", "of_kind"), [(5, 2), (6, 3), (7, 1), (6, 5)])
def test_the_chance_of_runs_is_that_of_all_orders(n: int, of_kind: int):
    orders = set(permutations([True] * of_kind + [False] * (n - of_kind)))
    runs = np.array([len(list(groupby(order))) for order in orders])
    for r in range(1, n + 1):
        expected = min(1.0, 2 * min((runs <= r).mean(), (runs >= r).mean()))
        assert chance_of_runs(n, of_kind, r) == pytest.approx(expected)


def test_things_that_are_all_alike_tell_nothing():
    assert chance_of_runs(8, 0, 1) == 1.0
    assert sequences([1, 1], [True, True]).drift.tolist() == [0.0]


def test_of_nothing_there_is_no_row():
    assert len(sequences(np.empty(0, dtype=np.int64), []).n) == 0


def test_a_change_in_the_middle_is_seen_and_a_steady_share_is_not():
    found = sequences([0] * 60 + [1] * 60, [True] * 30 + [False] * 30 + [True, False] * 30)
    # 30 of kind too many after 30 of 60, less half of them: 15, over the root of 60 / 4.
    assert found.drift[0] == pytest.approx(15 / 15**0.5)
    assert found.turn[0] == 30
    assert chance_of_drift(found.drift)[0] < 1e-10
    assert chance_of_drift(found.drift)[1] > 0.99


def test_kolmogorovs_five_percent_point_is_where_tables_have_it():
    assert chance_of_drift([1.3581])[0] == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("n", [20, 100])
def test_steady_rows_are_called_unsteady_at_most_as_often_as_said(n: int):
    rng = np.random.default_rng(7)
    found = sequences(np.repeat(np.arange(2000), n), rng.random(2000 * n) < 0.6)
    # 2,000 rows: three standard errors of 5 % are 1.5 %.
    assert (chance_of_drift(found.drift) <= 0.05).mean() <= 0.065
