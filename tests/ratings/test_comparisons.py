import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import beats, counted, linked_rows, property_test, ties
from ratings import Comparisons, InvalidComparisons, Outcome

A, B, TIE, BOTH_BAD = Outcome
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
        (([0, 1], [1, 0], [TIE, 4]), "outcome", 4, 1),
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


# Both-bad verdicts, counts, weights, clusters and covariates


def test_both_bad_is_counted_apart_and_wins_nothing():
    comparisons = Comparisons.from_outcomes(2, [0, 1, 1], [1, 0, 0], [BOTH_BAD, BOTH_BAD, A])
    assert comparisons.both_bad is not None
    assert comparisons.both_bad.tolist() == [2]
    assert comparisons.counts.tolist() == [[0], [1], [0], [2]]
    assert comparisons.wins_matrix().tolist() == [[0, 0], [1, 0]]
    assert comparisons.games.tolist() == [3, 3]


def test_counts_are_repeated_rows():
    counted_rows = Comparisons.from_outcomes(3, [0, 2, 1], [1, 1, 0], [A, TIE, A], counts=[2, 3, 4])
    repeated = Comparisons.from_outcomes(
        3, [0] * 2 + [2] * 3 + [1] * 4, [1] * 5 + [0] * 4, [A] * 2 + [TIE] * 3 + [A] * 4
    )
    assert cells(counted_rows) == cells(repeated)


def test_cells_are_sorted_by_cluster_pair_and_weight_whatever_the_order_of_rows():
    rows = [(0, 1, A, 2.0, 1), (0, 1, A, 0.5, 1), (1, 2, A, 2.0, 0), (1, 0, A, 0.5, 1), (0, 2, TIE, 2.0, 1)]
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        a, b, how, weights, clusters = zip(*(rows[k] for k in order), strict=True)
        made = Comparisons.from_outcomes(3, a, b, how, weights=weights, clusters=clusters)
        assert made.weights is not None
        assert made.clusters is not None
        assert made.clusters.tolist() == [0, 1, 1, 1]
        assert list(zip(made.first.tolist(), made.second.tolist(), strict=True)) == [(1, 2), (0, 1), (0, 1), (0, 2)]
        assert made.weights.tolist() == [2.0, 0.5, 2.0, 2.0]
        assert made.counts.tolist() == [[1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
        assert made.n_clusters == 2


def test_covariates_speak_for_side_a_and_are_turned_to_the_first_item():
    made = Comparisons.from_outcomes(3, [0, 2], [1, 1], [A, A], covariates=[[1.0, 2.0], [3.0, -4.0]])
    assert made.covariates is not None
    assert made.covariates.tolist() == [[1, 2], [-3, 4]]
    assert made.wins_first.tolist() == [1, 0]
    turned = made.restricted_to([2, 1])  # item 2 comes first now, and its row speaks for it again
    assert turned.covariates is not None
    assert turned.covariates.tolist() == [[3, -4]]
    assert turned.wins_first.tolist() == [1]


@property_test
@given(st.integers(0, 2**32 - 1))
def test_a_restriction_keeps_weights_clusters_and_both_bad_of_the_rows_inside(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 5, 40)
    b, how = (a + rng.integers(1, 5, 40)) % 5, rng.integers(0, 4, 40)
    weights, clusters = rng.choice([0.5, 1.0, 3.0], 40), rng.integers(0, 4, 40)
    chosen = rng.permutation(5)[:3]
    place = np.full(5, -1)
    place[chosen] = np.arange(3)
    inside = (place[a] >= 0) & (place[b] >= 0)
    everything = Comparisons.from_outcomes(5, a, b, how, weights=weights, clusters=clusters)
    direct = Comparisons.from_outcomes(
        3, place[a[inside]], place[b[inside]], how[inside], weights=weights[inside], clusters=clusters[inside]
    )
    restricted = everything.restricted_to(chosen)
    for name in ("first", "second", "counts", "weights", "clusters"):
        assert getattr(restricted, name).tolist() == getattr(direct, name).tolist()


def test_by_pair_adds_up_clusters_and_multiplies_by_weights():
    made = Comparisons.from_outcomes(2, [0, 0, 1], [1, 1, 0], [A, A, TIE], weights=[2.0, 0.5, 3.0], clusters=[0, 1, 1])
    plain = made.by_pair()
    assert plain.weights is plain.clusters is None
    assert plain.counts.tolist() == [[2.5], [0], [3], [0]]
    assert made.wins_matrix().tolist() == plain.wins_matrix().tolist() == [[0, 4], [1.5, 0]]
    assert made.n_comparisons == 3  # weights count for nothing here


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ({"weights": [1.0, 0.0]}, "weights is 0.0"),
        ({"weights": [1.0, -1.0]}, "weights is -1.0"),
        ({"weights": [np.nan, 1.0]}, "weights is nan"),
        ({"weights": [1.0]}, "shape of weights"),
        ({"weights": 2.0}, "shape of weights"),
        ({"clusters": [0, -1]}, "clusters is -1"),
        ({"clusters": [0.0, 1.5]}, "clusters is 0.0"),
        ({"clusters": [0]}, r"shape of clusters is \(1,\)"),
        ({"clusters": [0, 1, 2]}, r"shape of clusters is \(3,\)"),
        ({"covariates": [1.0, 2.0]}, r"shape of covariates is \(2,\)"),
        ({"covariates": [[1.0]]}, r"shape of covariates is \(1, 1\)"),
        ({"covariates": [[1.0], [np.nan]]}, "covariates is nan in row 1"),
        ({"covariates": [[np.inf], [0.0]]}, "covariates is inf in row 0"),
        ({"counts": [1.0, 0.0]}, r"counts is 0\.0 in row 1"),
        ({"counts": [1.0, -2.0]}, r"-2\.0"),
        ({"counts": [1.0]}, "shape of counts"),
    ],
)
def test_a_column_that_does_not_fit_is_refused(extra, complaint):
    with pytest.raises(InvalidComparisons, match=complaint):
        Comparisons.from_outcomes(3, [0, 1], [1, 2], [A, A], **extra)


def test_no_rows_are_fine_with_all_columns():
    for n_items in (0, 2):
        made = Comparisons.from_outcomes(n_items, [], [], [], weights=[], clusters=np.zeros(0, dtype=int))
        assert made.n_cells == made.n_clusters == 0
        assert made.by_pair().n_comparisons == 0
        assert made.restricted_to(range(n_items)).n_items == n_items
        assert Comparisons.from_outcomes(n_items, [], [], [], covariates=np.zeros((0, 2))).n_cells == 0


def test_taking_cells_keeps_what_belongs_to_them():
    made = Comparisons.from_outcomes(3, [0, 1, 0], [1, 2, 2], [A, B, TIE], clusters=[1, 0, 1], weights=[1.0, 2.0, 3.0])
    taken = made.taking(np.array([True, False, True]))
    assert taken.clusters is not None
    assert taken.weights is not None
    assert taken.clusters.tolist() == [0, 1]
    assert taken.weights.tolist() == [2.0, 3.0]
    assert taken.counts.tolist() == made.counts[:, [0, 2]].tolist()


def test_what_the_caller_gives_stays_the_callers():
    weights, covariates = np.array([1.0, 2.0]), np.ones((2, 1))
    made = Comparisons.from_outcomes(3, [0, 1], [1, 2], [0, 1], weights=weights, covariates=covariates)
    weights[0], covariates[0, 0] = 99.0, 99.0
    assert made.weights is not None
    assert made.covariates is not None
    assert (made.weights.tolist(), made.covariates.ravel().tolist()) == ([1.0, 2.0], [1.0, 1.0])
