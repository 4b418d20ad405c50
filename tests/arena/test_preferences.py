"""Votes become preferences: a strict majority of decisive votes on two different texts, and a reason for all others."""

from fractions import Fraction
from typing import Any

import pytest

from arena.battle import AnswerId, Message, ModelId, Prompt, PromptId, Source
from arena.preferences import PairTally, Selection, explicit, select
from arena.preferences.preference import BELOW_FLOOR, BOTH_BAD, CONFLICT, EMPTY, NO_TEXTS, SAME_TEXT, TIE

P = PromptId("p")
A, B = AnswerId("a1"), AnswerId("b1")
TEXTS = {A: "By a.", B: "By b."}


def pair(n_first: int = 0, n_second: int = 0, n_tie: int = 0, n_both_bad: int = 0, **more: Any) -> PairTally:
    """Votes on the answers of the models a (first) and b to one prompt."""
    facts: dict[str, Any] = {
        "prompt_id": P,
        "model_first": ModelId("a"),
        "model_second": ModelId("b"),
        "answer_first": A,
        "answer_second": B,
        "source": Source.HUMAN,
    }
    return PairTally(**(facts | more), n_first=n_first, n_second=n_second, n_tie=n_tie, n_both_bad=n_both_bad)


def chosen_from(*tallies: PairTally, texts: dict[AnswerId, str] = TEXTS, floor: str = "0") -> Selection:
    return select(tallies, texts, sources=(Source.HUMAN,), min_agreement=Fraction(floor))


def test_the_majority_chooses():
    [preference] = chosen_from(pair(1, 3)).preferences
    assert (preference.chosen, preference.rejected) == (B, A)
    assert (preference.chosen_model, preference.rejected_model) == ("b", "a")
    assert (preference.n_votes, preference.agreement) == (4, 0.75)  # 3 of 4


def test_ties_and_both_bad_are_left_out_and_do_not_dilute_the_agreement():
    selection = chosen_from(pair(2, 0, n_tie=5, n_both_bad=4))
    [preference] = selection.preferences
    assert (preference.n_votes, preference.agreement) == (2, 1.0)
    assert selection.left_out == {TIE: 5, BOTH_BAD: 4}


@pytest.mark.parametrize(("n_first", "n_second"), [(1, 1), (3, 3)])
def test_an_even_split_is_a_conflict_and_left_out_whole(n_first: int, n_second: int):
    selection = chosen_from(pair(n_first, n_second, n_tie=1))
    assert not selection.preferences
    assert selection.left_out == {CONFLICT: n_first + n_second, TIE: 1}


@pytest.mark.parametrize(
    ("floor", "is_kept"),
    [("0", True), ("0.5", True), ("2/3", True), ("0.66", True), ("0.67", False), ("0.75", False), ("1", False)],
)
def test_two_of_three_stand_against_the_floor(floor: str, is_kept: bool):  # 2/3 = 0.666...: exactly the floor 2/3
    selection = chosen_from(pair(2, 1), floor=floor)
    assert bool(selection.preferences) is is_kept
    assert selection.left_out == ({} if is_kept else {BELOW_FLOOR: 3})


@pytest.mark.parametrize(
    ("more", "texts", "reason"),
    [
        ({"prompt_id": None, "answer_first": None, "answer_second": None}, TEXTS, NO_TEXTS),
        ({"answer_first": None}, TEXTS, NO_TEXTS),
        ({}, {A: "By a.", B: ""}, EMPTY),
        ({}, {A: " \n\t\u00a0", B: "By b."}, EMPTY),
        ({}, {A: "", B: ""}, EMPTY),
        ({}, {A: "Same.", B: "Same."}, SAME_TEXT),
    ],
)
def test_what_cannot_be_a_pair_is_left_out_by_its_reason(more: dict[str, Any], texts: dict[AnswerId, str], reason: str):
    selection = chosen_from(pair(3, 1, n_tie=2, n_both_bad=1, **more), texts=texts)
    assert not selection.preferences
    assert selection.left_out == {reason: 4, TIE: 2, BOTH_BAD: 1}


def test_texts_that_a_ballot_would_call_equal_are_no_pair():
    # The arena never serves two answers that differ in blanks alone; imported votes on them teach nothing either.
    assert not chosen_from(pair(3), texts={A: "Yes.\n", B: " Yes."}).preferences


def test_sources_that_are_not_asked_for_are_left_out_whole():
    judged = pair(5, 0, n_tie=2, source=Source.AI_JUDGE)
    selection = chosen_from(pair(0, 1), judged)
    [preference] = selection.preferences
    assert (preference.chosen, preference.n_votes) == (B, 1)
    assert selection.left_out == {"source ai_judge is not asked for": 7}


def test_sources_that_are_asked_for_together_decide_together():
    tallies = (pair(0, 1), pair(2, 0, source=Source.AI_JUDGE))
    selection = select(tallies, TEXTS, sources=(Source.HUMAN, Source.AI_JUDGE))
    [preference] = selection.preferences
    assert (preference.chosen, preference.n_votes) == (A, 3)


def test_nothing_depends_on_the_order_of_tallies():
    tallies = [pair(n, 1, prompt_id=PromptId(f"p{n}")) for n in range(5)]
    assert chosen_from(*tallies) == chosen_from(*reversed(tallies))


def test_no_votes_are_no_preferences():
    assert chosen_from() == Selection((), {})


def test_a_row_is_what_the_trainer_takes():
    messages = (Message("system", "Be brief."), Message("user", "Hello?"))
    [preference] = chosen_from(pair(2, 1)).preferences
    row = dict(zip(explicit.SCHEMA, explicit.to_row(preference, {P: Prompt(P, messages)}, TEXTS), strict=True))
    assert row == {
        "prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "chosen": [{"role": "assistant", "content": "By a."}],
        "rejected": [{"role": "assistant", "content": "By b."}],
        "prompt_id": "p",
        "chosen_model": "a",
        "rejected_model": "b",
        "n_votes": 3,
        "agreement": 2 / 3,
    }
