"""The checks by their numbers: the chance that stands in a flag, whom a check judges at all, and what is counted."""

from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest

from arena.battle import Exclusion, ModelId, Source, Verdict, VoterId
from arena.rows import Rows
from arena.store import VoteStore
from arena.suspicion import (
    HONEST_HASTE,
    HONEST_LEAN,
    HONEST_MISSES,
    HONEST_REPEATS,
    MIN_VOTES,
    Flag,
    Judged,
    Known,
    Repeats,
    Sides,
    Speed,
    against_others,
    known_verdicts,
    one_side,
    one_side_run,
    same_question,
    too_fast,
)
from tests.arena import crowds

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ADA = VoterId("ada")
HUMAN = [Source.HUMAN]


def only(judged: Judged) -> Flag:
    [flag] = judged.flags
    return flag


def all_wrong(n: int) -> list[Judged]:
    """Every check on a voter with so many votes, all of which are as bad as can be."""
    return [
        too_fast([Speed(ADA, n, n)], 3.0),
        one_side([Sides(ADA, n, n, n, 0)]),
        one_side_run([Sides(ADA, n, n, n, 0)]),
        same_question([Repeats(ADA, n, 1, "q", n, 0.01)]),
        known_verdicts([Known(ADA, Verdict.A, Verdict.B)] * n),
    ]


def test_ten_votes_are_enough_to_be_judged_and_nine_are_not():
    assert [each.n_judged for each in all_wrong(MIN_VOTES)] == [1] * 5
    assert [len(each.flags) for each in all_wrong(MIN_VOTES)] == [1] * 5
    assert [each.n_judged for each in all_wrong(MIN_VOTES - 1)] == [0] * 5


def test_either_side_may_be_the_one_so_its_chance_counts_twice():
    """All of 20 on one side: 0.6^20 for each of the two."""
    for n_a, side in ((20, "A"), (0, "B")):
        flag = only(one_side([Sides(ADA, 20, n_a, n_a, 20 - n_a)]))
        assert flag.p_value == pytest.approx(2 * HONEST_LEAN**20)
        assert (flag.facts["side"], flag.facts["k"]) == (side, 20)


def test_a_run_on_either_side_counts_twice_and_of_two_as_long_that_of_a_is_told():
    """A run of 20 in 40 begins with the first vote, or after one of the other side: 0.6^20 (1 + 20 * 0.4)."""
    flag = only(one_side_run([Sides(ADA, 40, 20, 20, 20)]))
    assert flag.p_value == pytest.approx(2 * HONEST_LEAN**20 * (1 + 20 * (1 - HONEST_LEAN)))
    assert flag.facts == {"n": 40, "k": 20, "side": "A"}


def test_any_question_may_be_the_one_that_is_judged_most_so_all_count():
    """All of 10 votes on one question with a tenth of the votes of others: (3 * 0.1)^10, for each of 4 questions."""
    flag = only(same_question([Repeats(ADA, 10, 4, "q", 10, 0.1)]))
    assert flag.p_value == pytest.approx(4 * (HONEST_REPEATS * 0.1) ** 10)


def test_misses_are_what_differs_from_what_is_known():
    right = [Known(ADA, Verdict.A, Verdict.A)] * 12
    assert known_verdicts(right).flags == ()
    flag = only(known_verdicts([Known(ADA, Verdict.A, Verdict.B)] * 12))
    assert flag.p_value == pytest.approx(HONEST_MISSES**12)
    assert (flag.n_votes, flag.facts) == (12, {"n": 12, "k": 12})


def test_haste_is_judged_by_its_share():
    assert only(too_fast([Speed(ADA, 10, 10)], 3.0)).p_value == pytest.approx(HONEST_HASTE**10)
    assert too_fast([Speed(ADA, 10, 2)], 3.0).flags == ()


def test_whoever_is_not_known_is_flagged_by_nothing():
    """Ten voters with 40 votes on two models, all by chance but the last, who always votes for the first model."""
    rng, n = np.random.default_rng(0), 400
    unit, none = np.arange(n) // 40, np.zeros(n, dtype=np.int64)
    verdict = np.where(unit == 9, 0, rng.integers(0, 2, n))  # the places of A and B
    votes = Rows(model_a=none, model_b=none + 1, verdict=verdict, unit=unit)
    known = {number: VoterId(f"voter-{number}") for number in range(10)}
    models = [ModelId("first"), ModelId("second")]
    assert only(against_others(votes, known, models)).voter == "voter-9"
    del known[9]
    assert against_others(votes, known, models).flags == ()


@pytest.mark.parametrize(
    ("text", "ms", "is_fast"),
    [
        (crowds.LONG, 2999, True),
        (crowds.LONG, 3000, False),  # three seconds are not less than three
        ("x" * 56, 2399, True),  # two answers of 60 characters, at 50 a second: 2.4 s
        ("x" * 56, 2400, False),
    ],
)
def test_too_fast_is_less_than_the_rule_and_than_both_answers_take(store: VoteStore, text: str, ms: int, is_fast: bool):
    crowds.stock(store, NOON, text=text)
    votes = crowds.votes_of(ADA, 3, crowds.honest, Random(0), NOON, ms=ms, prompts=[5], text=text)
    crowds.plant(store, votes, NOON)
    assert store.conduct.speeds(3, HUMAN, 3.0) == [(ADA, 3, 3 if is_fast else 0)]


def test_sides_and_questions_that_this_arena_did_not_draw_are_not_looked_at(store: VoteStore):
    crowds.stock(store, NOON)
    drawn = crowds.votes_of(ADA, 4, crowds.side_a, Random(0), NOON, prompts=[3])
    foreign = crowds.votes_of(ADA, 5, crowds.side_a, Random(1), NOON, prompts=[3], drawn=False)
    crowds.plant(store, drawn + foreign, NOON)
    assert store.conduct.sides(9, HUMAN) == [(ADA, 4, 4, 4, 0)]
    [repeats] = store.conduct.repeats(9, HUMAN)
    assert (repeats.n, repeats.n_on_it) == (4, 4)


def test_the_share_of_a_question_is_that_of_others_and_one_more(store: VoteStore):
    """Others: 2 of 8 votes on question 3. One vote more on it, and in all, is (2 + 1) / (8 + 1)."""
    crowds.stock(store, NOON)
    votes = crowds.votes_of(ADA, 6, crowds.honest, Random(0), NOON, prompts=[3])
    votes += crowds.votes_of("bob", 2, crowds.honest, Random(1), NOON, prompts=[3])
    votes += crowds.votes_of("bob", 6, crowds.honest, Random(2), NOON, prompts=[5])
    crowds.plant(store, votes, NOON)
    of_ada, _ = store.conduct.repeats(14, HUMAN)
    assert (of_ada.voter, of_ada.n_on_it, of_ada.share_of_others) == (ADA, 6, pytest.approx(3 / 9))


def test_votes_without_a_voter_are_in_no_other_count_than_all(store: VoteStore):
    crowds.stock(store, NOON)
    votes = crowds.votes_of(ADA, 3, crowds.honest, Random(0), NOON)
    votes += crowds.votes_of(None, 4, crowds.honest, Random(1), NOON)
    crowds.plant(store, votes, NOON)
    assert store.conduct.reach(7, HUMAN) == {"votes": 7, "with_voter": 3, "timed": 3, "drawn": 3, "voters": 1}


def test_known_verdicts_are_of_one_guideline_and_of_voters_who_are_not_left_out_now(store: VoteStore):
    """Ada is left out and taken in again, Bob is left out; what was said under another guideline is not looked at."""
    crowds.stock(store, NOON)
    bob = VoterId("bob")
    for voter, acts in ((ADA, (True, False)), (bob, (True,))):
        for version in ("8", "9", "91"):
            store.calibrations.add(voter, version, [1], Verdict.B, NOON)
        for is_excluded in acts:
            assert store.exclusions.add(Exclusion(voter, is_excluded, "a reason", "Eve", NOON))
    assert store.conduct.known("9", {1: Verdict.A}) == [Known(ADA, Verdict.A, Verdict.B)]
