"""What many threads store at the same moment is stored together: each gets its own answer, and nothing is mixed up."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from arena.battle import SkipReason, Verdict, VoterId
from arena.errors import ArenaError, DatabaseUnavailable, KeyTaken, NoBallotLeft
from arena.store import VoteStore
from arena.voting import Booth
from arenas import booth, fill, race
from ground import NOW

N = 12


def all_at_once(store: VoteStore, jobs: list[Callable[[], Any]]) -> list[Any]:
    """Hand in jobs while somebody else writes, so that they are all there when that is over; errors are results."""
    database = store._database

    def hand_in(job: Callable[[], Any]) -> Any:
        try:
            return database.gather(job)
        except (ArenaError, ZeroDivisionError) as error:
            return error

    with ThreadPoolExecutor(len(jobs) + 1) as threads:
        with store.together():
            # The first one leads, and waits for the write to end; the others gather behind it.
            first = threads.submit(database.gather, lambda: None)
            wait_until(lambda: database._line._is_somebodys_turn and not database._line._waiting)
            results = []
            for number, job in enumerate(jobs, 1):
                results.append(threads.submit(hand_in, job))
                wait_until(lambda number=number: len(database._line._waiting) == number)
        first.result(30)
        return [each.result(30) for each in results]


def wait_until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not holds():
        pause.wait(0.001)


def adding(store: VoteStore, key: str) -> Callable[[], int]:
    """A job that adds a row with this key, and says in which transaction."""

    def job() -> int:
        store._database.writing.append("keys", (key,))
        return id(store._database.writing)

    return job


@pytest.fixture
def store() -> VoteStore:
    store = VoteStore.open(None)
    with store._database.write() as cursor:
        cursor.execute("create table keys (key varchar primary key check (key <> 'bad'))")
    return store


def keys(store: VoteStore) -> list[str]:
    with store._database.read() as cursor:
        return [key for (key,) in cursor.execute("select key from keys order by rowid").fetchall()]


def test_those_who_wait_share_one_transaction_in_the_order_in_which_they_came(store: VoteStore):
    transactions = all_at_once(store, [adding(store, f"k{n:02}") for n in range(N)])
    assert len(set(transactions)) == 1
    assert keys(store) == [f"k{n:02}" for n in range(N)]


def test_who_is_refused_before_adding_anything_keeps_nobody_from_it(store: VoteStore):
    def refused() -> None:
        raise NoBallotLeft(is_arena_empty=False)

    results = all_at_once(store, [adding(store, "one"), refused, adding(store, "two")])
    assert isinstance(results[1], NoBallotLeft)
    assert results[0] == results[2]
    assert keys(store) == ["one", "two"]


@pytest.mark.parametrize("key", ["one", "bad"])
def test_what_the_database_refuses_is_refused_to_its_own_thread_alone(store: VoteStore, key: str):
    results = all_at_once(store, [adding(store, "one"), adding(store, key), adding(store, "two")])
    assert isinstance(results[1], KeyTaken)
    assert not any(isinstance(results[place], Exception) for place in (0, 2))
    assert keys(store) == ["one", "two"]


def test_a_mistake_after_a_row_was_added_takes_that_row_back_and_no_other(store: VoteStore):
    def mistaken() -> float:
        adding(store, "half")()
        return 1 / 0

    results = all_at_once(store, [adding(store, "one"), mistaken, adding(store, "two")])
    assert isinstance(results[1], ZeroDivisionError)
    assert keys(store) == ["one", "two"]


def test_where_nothing_can_be_written_everybody_is_told(store: VoteStore):
    def in_vain() -> None:
        raise DatabaseUnavailable("the disk is full")

    def broken() -> None:
        adding(store, "never")()
        in_vain()

    results = all_at_once(store, [adding(store, "one"), broken, adding(store, "two")])
    assert [str(each) for each in results] == ["the disk is full"] * 3
    assert keys(store) == []
    assert store.gather(adding(store, "later"))  # and the next one is served again
    assert keys(store) == ["later"]


def test_what_is_added_is_seen_by_whoever_reads_in_the_same_transaction(store: VoteStore):
    def both() -> list[str]:
        adding(store, "one")()
        return keys(store)

    assert store.gather(both) == ["one"]


def test_what_is_to_follow_follows_once_and_only_what_was_stored(store: VoteStore):
    told: list[str] = []

    def telling(key: str) -> Callable[[], None]:
        def job() -> None:
            adding(store, key)()
            store._database.once_stored(lambda: told.append(key))

        return job

    all_at_once(store, [telling("one"), telling("one"), telling("two")])
    assert told == ["one", "two"]


def open_arena(n_prompts: int = 8, n_models: int = 5) -> tuple[VoteStore, Booth]:
    store = VoteStore.open(None)
    fill(store, NOW, n_prompts=n_prompts, n_models=n_models)
    return store, booth(store, NOW)


@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_that_does_everything_at_once_leaves_a_whole_log_and_knows_it_by_heart(seed: int):
    store, here = open_arena()
    voters = [VoterId(f"voter {number}") for number in range(8)]
    said: list[dict[str, Verdict]] = [{} for _ in voters]

    def act(number: int) -> None:
        rng, me = Random(f"{seed} {number}"), voters[number]
        last = ""
        for _ in range(14):
            with suppress(NoBallotLeft):
                ballot = here.open(me, NOW).id
                match rng.choice(["vote", "vote", "vote", "skip", "withdraw", "reload"]):
                    case "vote":
                        verdict = rng.choice(list(Verdict))
                        here.cast(ballot, verdict, me, NOW)
                        said[number][ballot] = verdict
                        last = ballot
                    case "skip":
                        here.skip(ballot, SkipReason.OTHER, me, NOW)
                    case "withdraw" if last in said[number]:
                        here.withdraw(last, me, NOW)
                        del said[number][last]
                    case _:
                        assert here.open(me, NOW).id == ballot

    race(act, len(voters), refused=NoBallotLeft)
    assert store.log.broken_links() == []
    for me, mine in zip(voters, said, strict=True):
        assert store.voters.of(me) == store._read_voter(me)
        assert here.counts(me).mine == len(mine)
        with store._database.read() as cursor:
            stored = cursor.execute(
                "select ballot_id, verdict from votes join ballots using (battle_id) where votes.voter_id = ? "
                "and vote_id not in (select vote_id from withdrawals)",
                [me],
            ).fetchall()
        assert {ballot: Verdict(verdict) for ballot, verdict in stored} == mine
    assert store.votes.n_standing() == sum(map(len, said)) > 0
    # What was counted vote by vote, by whichever thread, is what the log adds up to.
    one_by_one = [here._pool._votes.weights(mode).tolist() for mode in ("least-voted", "uncertainty")]
    here.recount()
    assert [here._pool._votes.weights(mode).tolist() for mode in ("least-voted", "uncertainty")] == one_by_one


def test_one_voter_in_many_windows_has_one_ballot_and_one_vote():
    store, here = open_arena()
    me = VoterId("me")
    opened = race(lambda _: here.open(me, NOW).id, N, refused=ArenaError)
    assert len(set(opened)) == 1
    results = race(lambda i: here.cast(opened[0], list(Verdict)[i % 4], me, NOW), N, refused=ArenaError)
    stored = [result.verdict for result in results if not isinstance(result, ArenaError)]
    assert len(set(stored)) == 1  # the three windows with the same verdict are told the same
    assert store.votes.n_standing() == store.log.position()[0] == 1
