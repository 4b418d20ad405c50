"""A plan says what was chosen, and choices that contradict each other are none."""

import json
from typing import Any

import pytest

from arena.battle import ModelId
from arena.errors import BadInput
from arena.plan import BothBad, Intervals, Method, Plan, Ties, Weights
from arena.tally import Unit

OTHERS = [Method.ELO, Method.WIN_RATE]
ONLY_BRADLEY_TERRY: dict[str, dict[str, Any]] = {
    "ties": {"ties": Ties.DAVIDSON},
    "both-bad as its own outcome": {"both_bad": BothBad.OWN},
    "order": {"order": True},
    "style": {"style": ("length",)},
    "prior": {"prior": 0.1},
    "weights": {"weights": Weights.PAIRS},
}


@pytest.mark.parametrize("method", OTHERS)
@pytest.mark.parametrize("name", ONLY_BRADLEY_TERRY)
def test_what_only_bradley_terry_knows_is_refused_by_name_with_another_method(name: str, method: Method):
    with pytest.raises(BadInput, match=f"^{name}: only bradley-terry knows that, and the method is {method}$"):
        Plan(method=method, **ONLY_BRADLEY_TERRY[name])


@pytest.mark.parametrize("method", OTHERS)
def test_all_that_a_method_does_not_know_is_said_at_once(method: Method):
    with pytest.raises(BadInput, match=r"^order, prior: only bradley-terry knows that"):
        Plan(method=method, order=True, prior=1.0)


@pytest.mark.parametrize("name", ONLY_BRADLEY_TERRY)
def test_a_choice_that_changes_the_model_of_the_votes_is_beyond_the_plain_one(name: str):
    assert Plan(**ONLY_BRADLEY_TERRY[name]).beyond_plain == (name,)


def test_which_votes_count_and_how_sure_scores_are_is_not_beyond_the_plain_model():
    plan = Plan(both_bad=BothBad.DROP, min_votes=5, anchor=(ModelId("a"), 1.0), intervals=Intervals.CLUSTER, seed=3)
    assert plan.beyond_plain == ()
    assert Plan(method=Method.ELO).beyond_plain == ("method",)


@pytest.mark.parametrize("method", OTHERS)
@pytest.mark.parametrize(
    "choices", [{"both_bad": BothBad.DROP}, {"min_votes": 5}, {"anchor": (ModelId("a"), 1.0)}, {"confidence": 0.8}]
)
def test_what_every_method_knows_is_taken(method: Method, choices: dict[str, Any]):
    if method is Method.WIN_RATE and "anchor" in choices:
        with pytest.raises(BadInput, match="no anchor"):
            Plan(method=method, **choices)
        return
    assert Plan(method=method, **choices).method is method


@pytest.mark.parametrize(
    "choices",
    [
        {"both_bad": BothBad.OWN, "ties": Ties.DAVIDSON},
        {"both_bad": BothBad.OWN, "order": True},
        {"both_bad": BothBad.OWN, "style": ("length",)},
        {"both_bad": BothBad.OWN, "ties": Ties.RAO_KUPPER, "order": True},
        {"intervals": Intervals.CLUSTER, "unit": Unit.NONE},
    ],
)
def test_choices_that_contradict_each_other_are_refused(choices: dict[str, Any]):
    with pytest.raises(BadInput):
        Plan(**choices)


@pytest.mark.parametrize("ties", [Ties.HALF, Ties.RAO_KUPPER])
def test_both_bad_as_its_own_outcome_brings_its_own_ties(ties: Ties):
    assert Plan(both_bad=BothBad.OWN, ties=ties).both_bad is BothBad.OWN


@pytest.mark.parametrize("ties", Ties)
@pytest.mark.parametrize("both_bad", [BothBad.TIE, BothBad.DROP])
@pytest.mark.parametrize("intervals", Intervals)
@pytest.mark.parametrize("weights", Weights)
def test_other_choices_go_together(ties: Ties, both_bad: BothBad, intervals: Intervals, weights: Weights):
    Plan(
        ties=ties,
        both_bad=both_bad,
        intervals=intervals,
        weights=weights,
        order=True,
        style=("length", "bold"),
        prior=1,
    )


def test_a_record_is_plain_and_tells_every_choice_that_the_board_does_not():
    plan = Plan(
        ties=Ties.RAO_KUPPER,
        both_bad=BothBad.DROP,
        order=True,
        style=("length", "bold"),
        prior=0.5,
        weights=Weights.VOTERS,
        min_votes=7,
        anchor=(ModelId("gpt"), 1114.0),
    )
    assert json.loads(json.dumps(plan.to_record())) == {
        "ties": "rao-kupper",
        "both_bad": "drop",
        "order": True,
        "style": ["length", "bold"],
        "prior": 0.5,
        "weights": "voters",
        "min_votes": 7,
        "provisional_below": 30,
        "anchor": {"gpt": 1114.0},
    }


def test_k_is_told_where_it_matters():
    assert "k" not in Plan().to_record()
    assert Plan(method=Method.ELO, k=8.0).to_record()["k"] == 8.0
