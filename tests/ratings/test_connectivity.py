import pytest
from hypothesis import given

from comparison_data import beats, counted, linked_rows, property_test, ties
from ratings import components, rateable_groups


def test_islands_are_separate_components_and_separate_groups():
    comparisons = counted(4, ties(0, 2) + ties(1, 3))
    assert components(comparisons) == rateable_groups(comparisons) == [(0, 2), (1, 3)]


def test_a_one_way_bridge_links_components_but_not_rateable_groups():
    comparisons = counted(4, ties(0, 1) + ties(2, 3) + beats(1, 2, 5))
    assert components(comparisons) == [(0, 1, 2, 3)]
    assert rateable_groups(comparisons) == [(0, 1), (2, 3)]


def test_one_win_back_makes_the_bridge_two_way():
    comparisons = counted(4, ties(0, 1) + ties(2, 3) + beats(1, 2, 5) + beats(3, 0))
    assert rateable_groups(comparisons) == [(0, 1, 2, 3)]


@pytest.mark.parametrize("lone", [beats(2, 0) + beats(2, 1), beats(0, 2) + beats(1, 2)], ids=["unbeaten", "winless"])
def test_an_unbeaten_and_a_winless_item_stand_alone(lone):
    assert rateable_groups(counted(3, ties(0, 1) + lone)) == [(0, 1), (2,)]


def test_a_cycle_of_wins_is_one_group():
    assert rateable_groups(counted(3, beats(0, 1) + beats(1, 2) + beats(2, 0))) == [(0, 1, 2)]


def test_the_group_with_the_most_comparisons_comes_first_then_the_smallest_item():
    # {4, 5} has 3 comparisons inside, {0, 2} and {1, 3} have 1 each, 6 has none; the 9 between groups count for neither
    rows = ties(1, 3) + ties(0, 2) + ties(4, 5, 3) + beats(0, 6, 9)
    assert rateable_groups(counted(7, rows)) == [(4, 5), (0, 2), (1, 3), (6,)]
    assert components(counted(7, rows)) == [(0, 2, 6), (4, 5), (1, 3)]


def test_items_that_never_met_anybody_are_groups_of_their_own():
    assert components(counted(3, [])) == rateable_groups(counted(3, [])) == [(0,), (1,), (2,)]
    assert components(counted(0, [])) == rateable_groups(counted(0, [])) == []


@property_test
@given(linked_rows())
def test_every_item_is_in_one_group_and_ties_link(data):
    assert rateable_groups(counted(data.n_items, data.rows)) == [tuple(range(data.n_items))]
