"""What comparisons leave open is refused and named, and so are settings that are none."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from comparison_data import beats, counted, ties
from fit_models import MODELS, each_of_differences, some
from ratings import (
    BradleyTerry,
    DidNotConverge,
    GroundedRaoKupper,
    InvalidComparisons,
    InvalidSetting,
    NotConnected,
    NotDetermined,
    Outcome,
    fit,
    rateable_groups,
)
from ratings.connectivity import grounded_group, ties_run_away

A, B, TIE, BOTH_BAD = Outcome
Floats = NDArray[np.float64]


# What the data do not tell


@each_of_differences
def test_both_bad_verdicts_are_refused_by_models_of_differences(model):
    with pytest.raises(NotDetermined, match="no place for these 2 verdicts"):
        fit(counted(2, ties(0, 1) + beats(0, 1) + [(0, 1, BOTH_BAD)] * 2), model)


@pytest.mark.parametrize("model", MODELS[1:3], ids=lambda model: model.name)
def test_no_ties_and_only_ties_leave_the_tie_parameter_undetermined(model):
    for rows in (beats(0, 1, 2) + beats(1, 0), ties(0, 1, 3)):
        with pytest.raises(NotDetermined, match="how likely a tie is"):
            fit(counted(2, rows), model)


def test_a_grounded_item_without_comparisons_is_named():
    rows = beats(0, 1, 3) + beats(1, 0, 2) + ties(0, 1, 2) + [(0, 1, BOTH_BAD)] * 2
    with pytest.raises(NotDetermined, match="the strength of item 2: no comparison depends on it"):
        fit(counted(3, rows), GroundedRaoKupper())
    assert np.isfinite(fit(counted(3, rows), GroundedRaoKupper(), prior=0.1).strengths).all()


@pytest.mark.parametrize(
    "rows",
    [beats(0, 2, 9), [(0, 2, BOTH_BAD)] * 9, beats(2, 0, 9)],
    ids=["always loses", "always both bad", "always wins"],
)
def test_a_grounded_item_without_finite_strength_has_no_estimate(rows):
    core = beats(0, 1, 30) + beats(1, 0, 20) + ties(0, 1, 20) + [(0, 1, BOTH_BAD)] * 10
    comparisons = counted(3, core + rows)
    assert grounded_group(comparisons) == (0, 1)
    with pytest.raises((DidNotConverge, NotDetermined)):
        fit(comparisons, GroundedRaoKupper())


def test_a_grounded_model_without_a_top_is_not_answered():
    # 0 and 1 only tie, 0 and 2 have a win, a tie and both bad. All gets likelier as theta grows and 2 sinks at the same
    # pace; there is no top, and at theta = e^71 the slope has sunk into rounding.
    comparisons = counted(3, [*ties(0, 1), *beats(0, 2), *ties(0, 2), (0, 2, BOTH_BAD)])
    assert grounded_group(comparisons) == (0, 1, 2)
    with pytest.raises(NotDetermined, match="log_theta_1: the comparisons are the more likely the further it goes"):
        fit(comparisons, GroundedRaoKupper())


@pytest.mark.parametrize("model", MODELS[1:3], ids=lambda model: model.name)
def test_ties_between_some_and_wins_between_others_leave_no_finite_estimate(model):
    # 0 always beats 1, both always tie with 2. The wins want a large gap, the ties two small ones or, which fits all
    # at once, a tie parameter without end: with gap g = 3 t and t -> oo every probability tends to 1.
    rows = beats(0, 1, 5) + ties(1, 2, 5) + ties(0, 2, 5)
    assert rateable_groups(counted(3, rows)) == [(0, 1, 2)]
    with pytest.raises(NotDetermined, match="how likely a tie is"):
        fit(counted(3, rows), model)


def test_ties_do_not_run_away_once_there_is_an_upset():
    # 10 wins and 10 ties, all for one side: the gap grows with the tie parameter. One upset ends that.
    one_sided = beats(0, 1, 10) + ties(0, 1, 10)
    assert ties_run_away(counted(2, one_sided))
    assert not ties_run_away(counted(2, one_sided + beats(1, 0)))
    # A circle of wins cannot be one of growing gaps either.
    assert not ties_run_away(counted(3, beats(0, 1) + beats(1, 2) + beats(2, 0) + ties(0, 1)))


@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        (ties(0, 1) + beats(0, 1) + ties(2, 3), [(0, 1), (2, 3)]),
        (ties(0, 1) + ties(2, 3) + beats(0, 2, 9), [(0, 1), (2, 3)]),
        (ties(0, 1) + ties(1, 2) + beats(3, 0), [(0, 1, 2), (3,)]),
        (ties(0, 1) + ties(1, 2) + beats(0, 3), [(0, 1, 2), (3,)]),
    ],
    ids=["islands", "one-way bridge", "unbeaten", "winless"],
)
@each_of_differences
def test_undetermined_strengths_are_refused_with_the_groups(model, rows, groups):
    with pytest.raises(NotConnected) as refusal:
        fit(counted(4, rows), model)
    assert refusal.value.groups == groups


# Settings


@pytest.mark.parametrize("name", ["prior", "ridge"])
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_a_precision_that_is_none_is_refused(name, value):
    with pytest.raises(InvalidSetting, match=f"{name} is"):
        fit(counted(2, ties(0, 1)), **{name: value})


@pytest.mark.parametrize("name", ["start", "towards"])
def test_numbers_of_another_shape_or_not_finite_are_refused(name):
    for wrong in (np.zeros(3), np.array([0.0, np.nan])):
        setting: dict[str, Any] = {name: wrong}
        with pytest.raises(InvalidSetting, match=name):
            fit(counted(2, ties(0, 1)), prior=1.0, **setting)


def test_pieces_that_can_be_gone_through_only_once_are_refused():
    comparisons = some(BradleyTerry())
    with pytest.raises(InvalidSetting, match="batches is 'generator'"):
        fit(piece for piece in [comparisons])


def test_no_piece_and_pieces_of_different_items_are_refused():
    with pytest.raises(InvalidComparisons, match="number of batches is 0"):
        fit([])
    with pytest.raises(InvalidComparisons, match="n_items of a batch is 3"):
        fit([counted(2, ties(0, 1)), counted(3, ties(0, 1))])


# The corners of the data


def test_only_ties_make_equals():
    assert fit(counted(3, ties(0, 1, 5) + ties(1, 2))).strengths.tolist() == [0, 0, 0]


def test_one_tie_is_enough_and_one_win_is_not():
    assert fit(counted(2, ties(0, 1))).strengths.tolist() == [0, 0]
    with pytest.raises(NotConnected):
        fit(counted(2, beats(0, 1)))


def test_a_newcomer_with_one_win_is_unrated_and_the_others_are_as_without_it():
    others = beats(0, 1, 30) + beats(1, 0, 20) + ties(1, 2, 9)
    comparisons = counted(4, others + beats(3, 0))
    assert rateable_groups(comparisons) == [(0, 1, 2), (3,)]
    with pytest.raises(NotConnected):
        fit(comparisons)
    rated = fit(comparisons.restricted_to([0, 1, 2])).strengths
    assert rated.tobytes() == fit(counted(3, others)).strengths.tobytes()


@each_of_differences
def test_nothing_to_rate_with_a_prior(model):
    if model.extras:
        with pytest.raises(NotDetermined):
            fit(counted(3, []), model, prior=1.0)
    else:
        assert fit(counted(0, []), model).strengths.shape == (0,)
        assert fit(counted(1, []), model).strengths.tolist() == [0]
        assert fit(counted(3, []), model, prior=1.0).strengths.tolist() == [0, 0, 0]


def test_an_iterator_is_refused_also_where_the_whole_is_given():
    comparisons = some(BradleyTerry())
    with pytest.raises(InvalidSetting, match="again and again"):
        fit((each for each in [comparisons]), whole=comparisons)
