import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import beats, counted, linked_rows, property_test, ties
from ratings import Comparisons, InvalidComparisons, Outcome

A, B, TIE = Outcome
SWAPPED = {A: B, B: A, TIE: TIE}


def cells(comparisons):
    """All that a Comparisons holds, as bytes and plain numbers."""
    names = ("first", "second", "wins_first", "wins_second", "ties")
    return comparisons.n_items, [getattr(comparisons, name).tobytes() for name in names]


def test_rows_are_counted_per_pair_in_lexicographic_order():
    comparisons = Comparisons.from_outcomes(4, [2, 0, 1, 1, 3], [1, 1, 0, 2, 0], [A, A, A, TIE, B])
    # pairs (0,1): 0 won, then 1 won; (0,3): side B, item 0, won; (1,2): 2 won, then a tie
    assert comparisons.first.tolist() == [0, 0, 1]
    assert comparisons.second.tolist() == [1, 3, 2]
    assert comparisons.wins_first.tolist() == [1, 1, 0]
    assert comparisons.wins_second.tolist() == [1, 0, 1]
    assert comparisons.ties.tolist() == [0, 0, 1]
    assert comparisons.n_comparisons == 5
    assert comparisons.games.tolist() == [3, 4, 2, 1]


@property_test
@given(linked_rows(), st.randoms(use_true_random=False))
def test_order_of_rows_and_sides_leave_no_trace(data, random):
    shuffled = [(b, a, SWAPPED[how]) if random.random() < 0.5 else (a, b, how) for a, b, how in data.rows]
    random.shuffle(shuffled)
    assert cells(counted(data.n_items, shuffled)) == cells(counted(data.n_items, data.rows))


def test_a_tie_is_half_a_win_for_each_in_the_wins_matrix():
    wins = counted(3, beats(0, 1, 2) + ties(1, 0) + beats(2, 1)).wins_matrix()
    assert wins.tolist() == [[0, 2.5, 0], [0.5, 0, 0], [0, 1, 0]]


def test_a_restriction_keeps_the_comparisons_inside_and_renumbers_in_the_given_order():
    comparisons = counted(4, beats(0, 1) + beats(1, 3, 2) + ties(2, 3) + beats(3, 1))
    restricted = comparisons.restricted_to([3, 1])
    # item 3 becomes 0 and item 1 becomes 1: one win for the former 3, two for the former 1
    assert restricted.wins_matrix().tolist() == [[0, 1], [2, 0]]
    assert cells(comparisons.restricted_to(range(4))) == cells(comparisons)
    assert comparisons.restricted_to([]).n_items == 0


@pytest.mark.parametrize(("items", "value", "row"), [([0, 4], 4, 1), ([-1], -1, 0), ([2, 1, 2], 2, 2)])
def test_a_restriction_refuses_unknown_and_repeated_items(items, value, row):
    with pytest.raises(InvalidComparisons) as refusal:
        counted(4, beats(0, 1)).restricted_to(items)
    assert (refusal.value.value, refusal.value.row) == (value, row)


@pytest.mark.parametrize(
    ("columns", "name", "value", "row"),
    [
        (([0, 1], [1, 1], [A, A]), "item_b", 1, 1),  # compared with itself
        (([0, 3], [1, 0], [A, A]), "item_a", 3, 1),
        (([-1], [1], [A]), "item_a", -1, 0),
        (([0, 0], [1, -1], [A, A]), "item_b", -1, 1),
        (([0, 0], [1, 3], [A, A]), "item_b", 3, 1),
        (([0, 1], [1, 0], [TIE, 3]), "outcome", 3, 1),
        (([0], [1], [0.5]), "outcome", 0.5, 0),
        (([0, 0], [1, 1], [A, None]), "outcome", None, 1),
        (([0], [1], ["tie"]), "outcome", "tie", 0),
        (([0], [1], [True]), "outcome", True, 0),
        (([0], [1.0], [A]), "item_b", 1.0, 0),
        ((["0"], [1], [A]), "item_a", "0", 0),
    ],
)
def test_a_row_that_is_not_understood_is_refused_with_its_place_and_value(columns, name, value, row):
    with pytest.raises(InvalidComparisons, match=f"{name} is {value!r} in row {row}; accepted: ") as refusal:
        Comparisons.from_outcomes(3, *columns)
    assert (refusal.value.name, refusal.value.value, refusal.value.row) == (name, value, row)


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(InvalidComparisons, match=r"\(2, 2, 1\)"):
        Comparisons.from_outcomes(3, [0, 1], [1, 2], [A])


def test_a_table_in_place_of_a_column_is_refused():
    with pytest.raises(InvalidComparisons, match=r"shape of outcome is \(1, 1\)"):
        Comparisons.from_outcomes(3, [0], [1], [[A]])


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        (([1], [0], [1], [0], [0]), "first < second"),
        (([1], [1], [1], [0], [0]), "first < second"),
        (([-1], [1], [1], [0], [0]), "first is -1"),
        (([0.5], [1], [1], [0], [0]), r"first is 0\.5"),
        (([0], [3], [1], [0], [0]), "second is 3"),
        (([0, 0], [1, 1], [1, 1], [0, 0], [0, 0]), "each once"),
        (([0, 0], [2, 1], [1, 1], [0, 0], [0, 0]), "sorted"),
        (([0], [1], [-1], [2], [0]), "wins_first is -1.0"),
        (([0], [1], [1], [np.nan], [0]), "wins_second is nan"),
        (([0], [1], [1], [0], [np.inf]), "ties is inf"),
        (([0], [1], [0], [0], [0]), "count of the cell is 0.0"),
        (([0], [1], [1, 2], [0], [0]), "one shape"),
    ],
)
def test_cells_that_are_not_canonical_are_refused(columns, complaint):
    with pytest.raises(InvalidComparisons, match=complaint):
        Comparisons(3, *columns)


def test_a_negative_number_of_items_is_refused():
    with pytest.raises(InvalidComparisons, match="n_items is -1"):
        Comparisons.from_outcomes(-1, [], [], [])


def test_the_counts_cannot_be_changed_afterwards():
    mine = np.array([1.0])
    comparisons = Comparisons(2, np.array([0]), np.array([1]), mine, np.array([0.0]), np.array([0.0]))
    mine[0] = 7.0
    assert comparisons.wins_first.tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        comparisons.wins_first[0] = 7.0


@pytest.mark.parametrize("n_items", [0, 1, 3])
def test_no_rows_are_fine(n_items):
    comparisons = Comparisons.from_outcomes(n_items, [], [], [])
    assert comparisons.n_comparisons == 0
    assert comparisons.games.tolist() == [0.0] * n_items
    assert comparisons.games.dtype == np.float64
    assert comparisons.wins_matrix().shape == (n_items, n_items)
