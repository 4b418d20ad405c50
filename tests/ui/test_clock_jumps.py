"""A clock that is set a day forth and back while people vote: numbers decide, not times, and nothing is lost."""

import itertools
from datetime import timedelta

import pytest

from arena.wholeness import examine
from served import Arena, ballot_of, vote_on, withdraw

DAY = timedelta(days=1)
JUMPS = (DAY, -2 * DAY, DAY, 3 * DAY, -DAY)


def test_votes_go_on_in_order_whatever_the_clock_says(arena: Arena):
    visitors = [arena.visitor() for _ in range(3)]
    told = []
    for jump, verdict in zip(JUMPS, itertools.cycle(("A", "B", "tie"))):
        for visitor in visitors:
            ballot = ballot_of(visitor)["ballot_id"]
            vote_on(visitor, ballot, verdict).raise_for_status()
            told.append((ballot, verdict))
        arena.clock.now += jump
    with arena.store._database.read() as cursor:
        stored = cursor.execute(
            "select ballot_id, verdict from votes join ballots using (battle_id) order by seq"
        ).fetchall()
    assert stored == told
    found = examine(arena.store)
    assert (found.broken, found.n_log) == ((), len(told))


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_ballot_that_was_open_takes_a_vote_or_says_that_it_expired(arena: Arena, jump: timedelta):
    visitor = arena.visitor()
    ballot = ballot_of(visitor)["ballot_id"]
    arena.clock.now += jump
    answer = vote_on(visitor, ballot)
    if jump > timedelta(0):
        # It was open for a day, as far as anybody can know: the voter gets another, and no vote is called saved.
        assert (answer.status_code, answer.json()["error"]) == (410, "ballot_expired")
        assert ballot_of(visitor)["ballot_id"] != ballot
    else:
        assert answer.status_code == 200
        with arena.store._database.read() as cursor:
            # No time at all rather than a false one.
            assert cursor.execute("select time_to_vote_ms from votes").fetchall() == [(None,)]


def test_the_last_vote_can_be_taken_back_across_a_jump(arena: Arena):
    visitor = arena.visitor()
    first, second = (ballot_of(visitor)["ballot_id"] for _ in range(2))
    assert first == second
    vote_on(visitor, first).raise_for_status()
    arena.clock.now -= DAY
    ballot = ballot_of(visitor)["ballot_id"]
    vote_on(visitor, ballot).raise_for_status()
    arena.clock.now += 2 * DAY
    # By its number the second vote is the last, by the clock the first would be.
    assert withdraw(visitor, first).status_code == 410
    withdraw(visitor, ballot).raise_for_status()
    assert arena.n_votes == 1
    assert examine(arena.store).broken == ()


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_the_board_is_computed_on_whatever_the_clock_says(arena: Arena, jump: timedelta):
    arena.crowd(4)
    arena.compute_board()
    before = arena.job.latest()
    assert before is not None
    arena.clock.now += jump
    arena.crowd(2)
    arena.job.run_if_due(arena.clock())
    arena.compute_board()
    after = arena.job.latest()
    assert after is not None
    assert after.n_log == before.n_log + 6
    assert examine(arena.store).broken == ()
