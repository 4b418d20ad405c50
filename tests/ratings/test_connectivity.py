import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparison_data import beats, counted, linked_rows, property_test, ties
from ratings import Comparisons, Outcome, components, rateable_groups
from ratings.connectivity import grounded_group, resting_on_one


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


def cut_by_leaving_out_each(comparisons, *, by_cluster):
    """Every unit left out in turn; who is then no longer with the largest part (by all its comparisons) of its island.

    Times are votes by vote and voters a pair by voter; equal parts are decided for the one with the smallest item.
    """
    votes = [
        (first, second, cluster if by_cluster else (cell, n))
        for cell, (first, second, cluster) in enumerate(
            zip(comparisons.first, comparisons.second, comparisons.clusters, strict=True)
        )
        for n in range(int(comparisons.cell_counts[cell]))
    ]
    units = {(first, second, unit) for first, second, unit in votes}
    size = [sum(item in pair[:2] for pair in units) for item in range(comparisons.n_items)]
    cut = set()
    for gone in {unit for _, _, unit in votes}:
        parts = islands(comparisons.n_items, [(a, b) for a, b, unit in votes if unit != gone])
        for island in islands(comparisons.n_items, [(a, b) for a, b, _ in votes]):
            inside = [part for part in parts if part <= island]
            largest = max(inside, key=lambda part: (sum(size[item] for item in part), -min(part)))
            cut |= island - largest
    return cut


def islands(n_items, pairs):
    parts = [{item} for item in range(n_items)]
    for a, b in pairs:
        one, other = (next(part for part in parts if item in part) for item in (a, b))
        if one is not other:
            parts.remove(other)
            one |= other
    return parts


@property_test
@given(
    st.integers(0, 2**32 - 1), st.booleans(), st.integers(0, 14), st.sampled_from(["plain", "weights", "covariates"])
)
def test_who_rests_on_one_vote_or_voter_is_who_leaving_each_out_cuts_off(seed, by_cluster, n_rows, kind):
    rng = np.random.default_rng(seed)
    n_items = int(rng.integers(2, 8))
    a = rng.integers(0, n_items, n_rows)
    comparisons = Comparisons.from_outcomes(
        n_items,
        a,
        (a + rng.integers(1, n_items, n_rows)) % n_items,
        rng.integers(0, 4, n_rows),
        clusters=rng.integers(0, 4, n_rows),
        weights=rng.uniform(1, 2, n_rows) if kind == "weights" else None,
        covariates=rng.normal(0, 1, (n_rows, 1)) if kind == "covariates" else None,
    )
    naive = cut_by_leaving_out_each(comparisons, by_cluster=by_cluster)
    assert resting_on_one(comparisons, by_cluster=by_cluster) == naive
    if by_cluster:
        cuts = [comparisons.taking(comparisons.clusters == cluster) for cluster in range(4)]
        # In pieces, clusters are numbered anew: what one of them holds up is held up all the same.
        assert resting_on_one([cut for cut in cuts if cut.n_cells], by_cluster=True) == naive
    else:
        halves = [comparisons.taking(np.arange(comparisons.n_cells) % 2 == half) for half in (0, 1)]
        assert resting_on_one(halves, by_cluster=False) == naive


def test_two_links_by_one_voter_are_one_and_by_two_voters_two():
    columns = [0, 0, 0, 1], [1, 1, 2, 2], [Outcome.A, Outcome.B, Outcome.TIE, Outcome.TIE]
    assert resting_on_one(Comparisons.from_outcomes(3, *columns, clusters=[0, 1, 2, 2]), by_cluster=True) == {2}
    assert not resting_on_one(Comparisons.from_outcomes(3, *columns, clusters=[0, 1, 2, 3]), by_cluster=True)
    assert not resting_on_one(Comparisons.from_outcomes(3, *columns), by_cluster=False)


def test_nothing_rests_on_nothing():
    assert resting_on_one(counted(3, []), by_cluster=False) == frozenset()
    assert resting_on_one([], by_cluster=False) == frozenset()


def test_both_bad_verdicts_link_islands_and_rate_nobody():
    comparisons = counted(2, [(0, 1, Outcome.BOTH_BAD)] * 3)
    assert components(comparisons) == [(0, 1)]
    assert rateable_groups(comparisons) == [(0,), (1,)]


@pytest.mark.parametrize(
    ("rows", "core"),
    [
        (ties(0, 1), ()),  # nothing is useless: the level has no upper bound
        ([*ties(0, 1), (0, 1, Outcome.BOTH_BAD)], (0, 1)),
        ([(0, 1, Outcome.BOTH_BAD)], ()),
        ([*beats(0, 1), (0, 1, Outcome.BOTH_BAD)], ()),  # 1 never did anything well, and 0 met nobody else
        (beats(0, 1) + beats(1, 0) + [(0, 1, Outcome.BOTH_BAD)], (0, 1)),
    ],
)
def test_who_has_a_finite_strength_above_the_ground(rows, core):
    assert grounded_group(counted(2, rows)) == core
