"""Limits: a bucket never gives more than it may, a refusal costs nothing, and memory stays small."""

import sys
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.limits import MOST_KEYS, Act, Buckets, Limit, Limiter, Rate, Visitor, Whose

SECOND = 1_000_000_000
RATES = st.builds(Rate, st.integers(1, 2000), st.sampled_from(["second", "minute", "hour", "day"]))
ANN, BOB = Visitor(b"ann", b"here"), Visitor(b"bob", b"here")


def taken(buckets: Buckets, times: list[int], key: bytes = b"k") -> list[int]:
    """Which of these moments were allowed."""
    given_at = []
    for now in times:
        if buckets.wait(key, now) == 0:
            buckets.take(key, now)
            given_at.append(now)
    return given_at


@given(RATES, st.lists(st.integers(0, 200 * SECOND), min_size=1, max_size=300), st.integers(0, 10**18))
def test_in_every_stretch_of_time_a_key_gets_at_most_a_bucket_and_what_flowed_in_meanwhile(rate, gaps, start):
    given_at = taken(Buckets(rate), list(accumulate(gaps, initial=start)))
    for i, first in enumerate(given_at):
        for n, last in enumerate(given_at[i:], start=1):
            # In whole numbers: n <= rate.n + (last - first) * rate.n / period.
            assert (n - rate.n) * rate.nanoseconds <= (last - first) * rate.n


@given(RATES, st.integers(0, 10**18))
def test_a_new_key_gets_the_whole_bucket_at_once_and_not_one_more(rate, now):
    assert len(taken(Buckets(rate), [now] * (rate.n + 5))) == rate.n


@given(RATES, st.lists(st.integers(0, 100 * SECOND), max_size=100), st.integers(1, 10**18))
def test_who_waits_as_told_is_let_in_and_who_comes_a_moment_earlier_is_not(rate, gaps, start):
    buckets = Buckets(rate)
    times = list(accumulate(gaps, initial=start))
    taken(buckets, times + [times[-1]] * rate.n)
    wait = buckets.wait(b"k", times[-1])
    assert wait > 0
    assert buckets.wait(b"k", times[-1] + wait - 1) > 0
    assert buckets.wait(b"k", times[-1] + wait) == 0


@given(RATES, st.integers(0, 10**18))
def test_after_a_whole_period_the_bucket_is_full_again(rate, now):
    buckets = Buckets(rate)
    taken(buckets, [now] * rate.n)
    assert len(taken(buckets, [now + rate.nanoseconds] * (rate.n + 5))) == rate.n


def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_a_period():
    rate = Rate(10, "minute")
    buckets = Buckets(rate)
    taken(buckets, [10**18] * 10)
    assert buckets.wait(b"k", 5) <= rate.nanoseconds


def test_keys_do_not_share_a_bucket():
    buckets = Buckets(Rate(3, "hour"))
    assert len(taken(buckets, [7] * 5, b"ann")) == len(taken(buckets, [7] * 5, b"bob")) == 3


def test_who_was_idle_is_forgotten():
    buckets = Buckets(Rate(60, "minute"))
    for number in range(50_000):
        # Each key needs a second to be as good as new; a thousand keys come in a second.
        buckets.take(number.to_bytes(16, "big"), number * SECOND // 1000)
    assert len(buckets) <= 3000


def test_a_hundred_thousand_keys_cost_less_than_twenty_megabytes_and_there_are_never_more():
    buckets = Buckets(Rate(400, "hour"))
    start = 10**16  # a machine that has been up for four months
    for number in range(MOST_KEYS):
        buckets.take(number.to_bytes(16, "big"), start + number)
    assert len(buckets) == MOST_KEYS
    table = buckets._full_at
    assert sys.getsizeof(table) + sum(sys.getsizeof(k) + sys.getsizeof(v) for k, v in table.items()) < 20e6
    spender = b"spender"
    taken(buckets, [start + MOST_KEYS] * 400, spender)
    for number in range(MOST_KEYS, MOST_KEYS + 60_000):
        buckets.take(number.to_bytes(16, "big"), start + number)
        assert len(buckets) <= MOST_KEYS
    # When it is full, those who used the least are forgiven, and not the one who used everything.
    assert buckets.wait(spender, start + MOST_KEYS + 60_000) > 0


def test_all_rates_of_a_limit_hold_together():
    limiter = Limiter({(Act.VOTE, Whose.VOTER): Limit.parse("2/second,3/hour")})
    waits = [limiter.take(Act.VOTE, ANN, now * SECOND) for now in (0, 0, 0, 1, 2)]
    # The third comes too soon for the second; one per 1200 s flows into the hour's bucket, which is empty at 1 s.
    assert waits == [0, 0, 1, 0, 1198]


def test_a_refusal_takes_from_no_bucket():
    limiter = Limiter(
        {(Act.VOTE, Whose.VOTER): Limit.parse("1/hour"), (Act.VOTE, Whose.ADDRESS): Limit.parse("2/hour")}
    )
    assert limiter.take(Act.VOTE, ANN, 0) == 0
    assert all(limiter.take(Act.VOTE, ANN, now) == 3600 for now in range(10))
    assert limiter.take(Act.VOTE, BOB, 10) == 0


def test_two_behind_one_address_have_a_bucket_each_and_share_the_address():
    limiter = Limiter(
        {(Act.VOTE, Whose.VOTER): Limit.parse("3/hour"), (Act.VOTE, Whose.ADDRESS): Limit.parse("5/hour")}
    )
    allowed = [limiter.take(Act.VOTE, visitor, 0) == 0 for visitor in [ANN] * 4 + [BOB] * 4]
    assert allowed == [True, True, True, False, True, True, False, False]


def test_acts_are_limited_apart_and_what_is_not_known_is_not_limited():
    limiter = Limiter({(Act.VOTE, Whose.VOTER): Limit.parse("1/hour"), (Act.VOTE, Whose.ADDRESS): Limit.parse("1/day")})
    assert limiter.take(Act.VOTE, ANN, 0) == 0
    assert limiter.take(Act.VOTE, ANN, 0) > 0
    assert limiter.take(Act.BALLOT, ANN, 0) == 0
    assert [limiter.take(Act.VOTE, Visitor(None, None), 0) for _ in range(3)] == [0, 0, 0]


def test_the_arena_has_one_bucket_for_everybody():
    limiter = Limiter({(Act.BALLOT, Whose.ALL): Limit.parse("2/minute")})
    visitors = [Visitor(bytes([n]), bytes([n])) for n in range(4)]
    assert [limiter.take(Act.BALLOT, visitor, 0) for visitor in visitors] == [0, 0, 30, 30]


@pytest.mark.parametrize("text", ["off", "60/minute", "30/minute,300/hour", "1/day"])
def test_a_limit_reads_as_it_is_written(text: str):
    assert str(Limit.parse(text)) == text


@pytest.mark.parametrize("text", ["", "60", "0/minute", "-1/minute", "1.5/hour", "60/fortnight", "60/minute,", "x/day"])
def test_what_is_no_rate_is_refused_with_what_would_be(text: str):
    with pytest.raises(ValueError, match="60/minute") as caught:
        Limit.parse(text)
    assert "second, minute, hour, day" in str(caught.value)
