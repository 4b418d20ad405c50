"""Findings in words: which number is which, what was assumed, and models by the names that the board gives them."""

from dataclasses import replace
from typing import Any

import pytest

from arena.analysis import (
    Contradiction,
    Cycles,
    Goodness,
    HeadToHead,
    Influence,
    MovingVoter,
    Range,
    Suspects,
    SuspectVoter,
    Swap,
    VoterSwap,
)
from arena.battle import Model, ModelId
from arena.finding import to_text
from ratings import Absent

X, Y, Z = (ModelId(key) for key in ("x", "y", "z"))
MODELS = {X: Model(X, "GPT 4"), Y: Model(Y, "Claude v1"), Z: Model(Z, "Weaver 12k")}

HEAD_TO_HEAD = HeadToHead(
    a=X,
    b=Y,
    direct={"GPT 4 better": 12, "Claude v1 better": 8, "neither": 1},
    probability=Range(0.611, 0.493, 0.717),
    points=Range(78.4, -5.0, 161.0),
    conclusion="undecided",
    decided_at=None,
    n_used=21,
    is_in_order=True,
    votes_needed=1234,
    votes_needed_reason=None,
    power=0.8,
    confidence=0.95,
)
SWAP = Swap(X, Y, 13, 0.00146, confirmed=True, reason=None, n_estimated=16, kinds=("13 x Weaver 12k over Claude v1",))
NEIGHBOURS = (
    Swap(X, Y, 16, 0.00179, confirmed=False, reason=None, n_estimated=16),
    Swap(Y, Z, 2, 0.00022, confirmed=False, reason=None, n_estimated=2),
)
INFLUENCE = Influence(
    first_place=SWAP,
    neighbours=NEIGHBOURS,
    first_place_by_voters=VoterSwap(X, Y, ("ann", "bea"), 99, confirmed=True, reason=None),
    moving_most=(MovingVoter("ann", 10.8, 14.7, Z),),
)
GOODNESS = Goodness(
    scale=Absent("too few votes a pair"),
    cycles=Cycles(0.212, 1, 1, ((X, Y, Z),)),
    n_contradictions=1,
    contradictions=(Contradiction(X, Y, 1, 1.0, 0.5, 0.01),),
)
SUSPECTS = Suspects(0.05, 124, 82, (SuspectVoter("ann", 343, 1.7e-26, 1.4e-24, X, favours=True),))


def lines_of(found: Any) -> list[str]:
    return to_text(found, MODELS).splitlines()


@pytest.mark.parametrize("found", [HEAD_TO_HEAD, INFLUENCE, GOODNESS, SUSPECTS])
def test_models_are_called_what_the_board_calls_them(found: Any):
    words = to_text(found, MODELS).split()
    assert "GPT" in words
    assert not {"x", "y", "z", "x,", "y,", "z,"} & set(words) - {"x" if found is INFLUENCE else ""}  # "13 x ..."


LISTED = (
    "  Listed if q, the false-discovery rate, is 0.05 or less; the most extreme first, and then the others without "
    "them."
)


def test_without_models_ids_stand_for_themselves():
    assert to_text(SUSPECTS).splitlines()[-1].startswith("  ann: for x, 343 votes")


def test_votes_needed_come_with_power_confidence_and_what_is_assumed():
    assert lines_of(HEAD_TO_HEAD)[-2:] == [
        "  further votes until the difference is sure: about 1,234, if all of them are on these two",
        "    (a chance of 80 % that the 95 % interval then leaves out 0, if the true difference is as estimated)",
    ]


def test_where_no_further_votes_are_needed_or_none_can_be_named_that_is_said():
    assert lines_of(replace(HEAD_TO_HEAD, votes_needed=0))[-1].endswith(
        "none, by all votes together it is sure already"
    )
    unknown = replace(HEAD_TO_HEAD, votes_needed=None, votes_needed_reason="the two are exactly equal so far")
    assert lines_of(unknown)[-1].endswith("sure: the two are exactly equal so far")


def test_without_direct_votes_nothing_is_concluded_from_them():
    none = replace(HEAD_TO_HEAD, direct=dict.fromkeys(HEAD_TO_HEAD.direct, 0), n_used=0)
    assert "  direct votes: none" in lines_of(none)
    assert "looked at one by one" not in to_text(none, MODELS)


def test_an_order_drawn_by_chance_is_called_so():
    by_chance = "looked at one by one (in an order drawn by chance where times do not tell it): undecided"
    assert by_chance in to_text(replace(HEAD_TO_HEAD, is_in_order=False), MODELS)
    assert "by chance" not in to_text(HEAD_TO_HEAD, MODELS)


def test_a_single_direct_vote_is_one_vote():
    one = replace(HEAD_TO_HEAD, direct={"GPT 4 better": 1, "Claude v1 better": 0, "neither": 0}, n_used=1)
    assert "  from the 1 direct vote that counts, looked at one by one: undecided" in lines_of(one)
    assert "100% of 1 vote, expected 50%" in to_text(GOODNESS, MODELS)


def test_the_confirmed_number_is_the_headline_and_the_estimate_is_called_one():
    lines = lines_of(INFLUENCE)
    assert lines[:4] == [
        "First place: GPT 4, then Claude v1",
        "  votes that it hangs on: 13 (0.146% of all)",
        "    (confirmed: fitted without them the two are level or have changed places; with one put back, not)",
        "    (a quick estimate without fitting again, as for the places below, gives 16)",
    ]
    # The first two are told once; below them everything is an estimate.
    assert lines.count("  GPT 4 over Claude v1: 16 (0.179% of all)") == 0
    head = lines.index("Votes that the places below hang on, quick estimates that no fit has confirmed")
    assert lines[head + 1] == "  Claude v1 over Weaver 12k: 2 (0.022% of all)"


def test_an_estimate_that_agrees_needs_no_second_number():
    assert "gives" not in to_text(replace(INFLUENCE, first_place=replace(SWAP, n_estimated=13)), MODELS)


def test_of_a_long_list_it_is_said_how_much_of_it_is_shown():
    many = replace(INFLUENCE, neighbours=NEIGHBOURS[:1] + NEIGHBOURS[1:] * 58)
    assert "no fit has confirmed (the first 10 of 58)" in to_text(many, MODELS)


def test_a_place_that_nothing_turns_is_told_with_the_reason():
    none = Swap(X, Y, None, None, confirmed=False, reason="the order stays without any and all of them")
    assert lines_of(replace(INFLUENCE, first_place=none))[1].endswith(": the order stays without any and all of them")


def test_two_models_have_no_places_below():
    assert "places below hang on" not in to_text(replace(INFLUENCE, neighbours=NEIGHBOURS[:1]), MODELS)


def test_suspects_are_told_with_the_threshold_the_number_tested_and_that_nobody_is_removed():
    assert lines_of(SUSPECTS) == [
        "Voters whose votes go against those of others: 1 of 82 tested",
        "  For review: nobody is removed, and all of their votes count.",
        LISTED,
        "  42 more have too few votes to be tested.",
        "  ann: for GPT 4, 343 votes, p = 1.7e-26, q = 1.4e-24",
    ]


def test_where_nobody_is_suspected_it_is_said_of_how_many():
    assert lines_of(replace(SUSPECTS, n_voters=82, voters=())) == [
        "Voters whose votes go against those of others: none of 82 tested",
        "  For review: nobody is removed, and all of their votes count.",
        LISTED,
    ]
