"""How contenders do: who rests and for how long, what the host is told, and the tempo that follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battle import ModelId
from arena.contenders.client import Completion
from arena.contenders.health import FEWEST_FAILURES, FIRST_REST, LONGEST_REST, Health
from arena.contenders.pace import Speed, Tempo
from arena.errors import EndpointFailed, Failure

A, B = ModelId("a"), ModelId("b")


def answer(first_word: float = 0.5, seconds: float = 2.0, text: str = "x" * 150) -> Completion:
    return Completion(text, "stop", None, 10, 30, first_word * 1000, seconds * 1000, 1)


def test_few_failures_send_nobody_to_rest():
    health = Health((A, B))
    for _ in range(FEWEST_FAILURES - 1):
        health.failed(A, EndpointFailed(Failure.BROKEN, "so it was"), 0.0)

    assert health.well(0.0) == {A, B}


def test_a_contender_that_fails_more_often_than_not_rests_and_the_others_go_on():
    health = Health((A, B))
    for _ in range(FEWEST_FAILURES):
        health.failed(A, EndpointFailed(Failure.BROKEN, "so it was"), 100.0)

    assert health.well(100.0) == {B}
    assert health.well(100.0 + FIRST_REST) == {A, B}


def test_one_failure_in_ten_is_no_reason_to_rest():
    health = Health((A,))
    for number in range(100):
        if number % 10:
            health.answered(A, answer(), None)
        else:
            health.failed(A, EndpointFailed(Failure.LIMITED, "so it was"), float(number))

    assert health.well(100.0) == {A}


def test_each_failure_after_a_rest_doubles_it_and_an_answer_ends_it():
    health, now, rests = Health((A,)), 0.0, []
    for _ in range(FEWEST_FAILURES + 9):
        health.failed(A, EndpointFailed(Failure.SLOW, "so it was"), now)
        rest = health.figures(now)[A].rests_for
        rests.append(rest)
        now += rest

    assert rests[FEWEST_FAILURES - 1 :] == [min(FIRST_REST * 2**n, LONGEST_REST) for n in range(10)]
    health.answered(A, answer(), None)
    health.failed(A, EndpointFailed(Failure.SLOW, "so it was"), now)
    assert health.figures(now)[A].rests_for == FIRST_REST  # half of its latest requests and more have failed


def test_a_key_that_is_refused_is_reason_enough():
    health = Health((A, B))
    health.failed(A, EndpointFailed(Failure.NO_KEY, "so it was"), 0.0)

    assert health.well(0.0) == {B}


def test_the_host_is_told_medians_costs_and_counts_and_nothing_that_is_not_known():
    health = Health((A, B))
    for first_word, usd in ((0.2, 0.01), (0.4, 0.02), (0.9, None)):
        health.answered(A, answer(first_word, first_word + 1.0), usd)
    health.failed(A, EndpointFailed(Failure.CUT, "so it was"), 0.0)

    told = health.figures(0.0)

    assert (told[A].n_answers, told[A].success, told[A].failures) == (3, 0.75, {Failure.CUT: 1})
    assert (told[A].first_word, told[A].characters) == (0.4, pytest.approx(150.0))
    assert told[A].usd == pytest.approx(0.03)
    last = told[A].last_failure
    assert last is not None
    assert last.detail == "so it was"
    assert told[B].last_failure is None
    assert (told[B].success, told[B].first_word, told[B].characters, told[B].usd) == (None, None, None, None)


def test_a_rest_is_not_seen_in_the_tempo():
    health = Health((A, B))
    for _ in range(10):
        health.answered(A, answer(first_word=0.5, seconds=1.5), None)
        health.answered(B, answer(first_word=9.0, seconds=19.0), None)
    before = health.tempo()
    assert before == Tempo.of([[Speed(0.5, 150.0)], [Speed(9.0, 15.0)]])

    health.failed(B, EndpointFailed(Failure.NO_KEY, "so it was"), 0.0)

    assert health.well(0.0) == {A}
    assert health.tempo() == before


@pytest.mark.parametrize("failure", [Failure.REJECTED, Failure.FILTERED, Failure.ENDLESS])
def test_no_prompt_sends_a_contender_to_rest(failure: Failure):
    health = Health((A, B))
    for _ in range(100):
        health.failed(A, EndpointFailed(failure, "so it was"), 0.0)

    assert health.well(0.0) == {A, B}
    assert health.figures(0.0)[A].failures == {failure: 100}


@given(st.lists(st.one_of(st.none(), st.sampled_from(Failure)), max_size=80))
def test_whatever_happens_success_is_a_share_of_the_latest_fifty(course: list[Failure | None]):
    health = Health((A,))
    for failure in course:
        if failure is None:
            health.answered(A, answer(), None)
        else:
            health.failed(A, EndpointFailed(failure, "so it was"), 0.0)

    latest = [each for each in course if each is None or each.is_illness][-50:]
    expected = sum(each is None for each in latest) / len(latest) if latest else None
    assert health.figures(0.0)[A].success == expected
