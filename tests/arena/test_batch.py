"""The rating job: due when it should be, and a snapshot that names its votes."""

from datetime import timedelta

import pytest

from arena.batch import RatingJob, rate_log, take_snapshot
from arena.battle import Battle, BattleId, ModelId, Source, Verdict, Vote, VoteId
from arena.errors import NothingToRate, StoreError
from arena.plan import Intervals
from arena.store import VoteStore
from arena.tally import Selection
from arenas import KEY, booth, fill
from ground import NOW

SECOND = timedelta(seconds=1)


def vote(store: VoteStore, n: int = 1, source: Source = Source.HUMAN, *, start: int | None = None) -> None:
    """Store n votes that make all three models rateable: everyone beats the next one in turn."""
    first = store.log.position()[0] if start is None else start
    rows = []
    for i in range(first, first + n):
        battle = Battle(BattleId(f"b{i}"), ModelId(f"m{i % 3}"), ModelId(f"m{(i + 1) % 3}"))
        rows.append((battle, Vote(VoteId(f"v{i}"), battle.id, Verdict.A, source, None, None, import_key=f"v{i}")))
    store.votes.add_imported(rows, NOW)


@pytest.fixture
def job(store: VoteStore) -> RatingJob:
    fill(store, NOW)
    return RatingJob(store, every=60 * SECOND, after_votes=10)


def test_nothing_is_due_without_votes(job: RatingJob):
    assert job.run_if_due(NOW) is False
    assert job.latest() is None


def test_the_first_look_rates_what_is_there(store: VoteStore, job: RatingJob):
    vote(store, 3)
    assert job.run_if_due(NOW) is True
    snapshot = job.latest()
    assert snapshot is not None
    assert (snapshot.n_log, snapshot.log_hash) == store.log.position()


def test_enough_votes_or_enough_time_make_it_due_and_nothing_else(store: VoteStore, job: RatingJob):
    vote(store, 60)
    assert job.run_if_due(NOW)
    vote(store, 9)
    assert not job.run_if_due(NOW + 59 * SECOND)
    assert job.run_if_due(NOW + 60 * SECOND)  # one minute later, nine votes are enough
    assert not job.run_if_due(NOW + 600 * SECOND)  # no new vote, nothing to do
    vote(store, 10)
    assert job.run_if_due(NOW + 601 * SECOND)  # ten votes need no wait


def test_while_there_are_few_votes_fewer_new_ones_are_enough(store: VoteStore, job: RatingJob):
    # After n votes, 1 + n // 5 new ones: 1 after 3, 2 after 5, 3 after 10, and never more than the setting's 10.
    vote(store, 3)
    assert job.run_if_due(NOW)
    for n_new, due in ((1, True), (1, True), (1, False), (1, True)):  # 4, 5, then 6 and 7 votes
        vote(store, n_new)
        assert job.run_if_due(NOW) is due


def test_a_failure_of_the_database_is_tried_again_and_told(store: VoteStore, job: RatingJob):
    vote(store, 3)
    store.close()
    with pytest.raises(StoreError):
        job.run_if_due(NOW)


def test_a_clock_that_was_set_back_does_not_keep_the_board_waiting(store: VoteStore, job: RatingJob):
    vote(store, 60)
    assert job.run_if_due(NOW)
    vote(store, 1)
    assert job.run_if_due(NOW - timedelta(days=1))


def test_a_log_that_cannot_be_rated_is_tried_again_when_votes_come(store: VoteStore, job: RatingJob):
    vote(store, 2, Source.IMPORT)
    job = RatingJob(store, every=60 * SECOND, after_votes=3, sources=(Source.HUMAN,))
    assert not job.run_if_due(NOW)
    assert job.failure == "no vote is left to rate: 2 left out (source import is not asked for)"
    vote(store, 3)
    assert job.run_if_due(NOW + SECOND)
    assert job.failure is None


def test_the_board_is_there_after_a_restart_and_the_same(store: VoteStore, job: RatingJob):
    vote(store, 30)
    assert job.run_if_due(NOW)
    again = RatingJob(store, every=60 * SECOND, after_votes=10)
    assert again.latest() == job.latest()


@pytest.mark.usefixtures("job")
def test_the_same_votes_give_the_same_snapshot_id(store: VoteStore):
    vote(store, 30)
    first, second = take_snapshot(store, NOW), take_snapshot(store, NOW + SECOND)
    assert first.id == second.id
    vote(store, 1)
    assert take_snapshot(store, NOW).id != first.id


@pytest.mark.usefixtures("job")
def test_the_rules_of_the_arena_are_used_unless_something_else_is_asked(store: VoteStore):
    vote(store, 30)
    store.catalogue.set_rules('[rating]\nrounds = 150\nseed = 7\nsources = ["human", "rule"]\n', None, NOW)
    rated = rate_log(store)
    assert (rated.board.rounds, rated.board.seed, rated.sources) == (150, 7, (Source.HUMAN, Source.RULE))
    asked = rate_log(store, selection=Selection(sources=(Source.HUMAN,)), rounds=120)
    assert (asked.board.rounds, asked.board.seed, asked.sources) == (120, 7, (Source.HUMAN,))


@pytest.mark.usefixtures("job")
def test_every_choice_of_the_rules_is_one_of_the_boards_settings(store: VoteStore):
    vote(store, 30)
    tied = Battle(BattleId("tied"), ModelId("m0"), ModelId("m1"))
    tie = Vote(VoteId("tied"), tied.id, Verdict.TIE, Source.HUMAN, None, None, import_key="tied")
    store.votes.add_imported([(tied, tie)], NOW)
    rules = 'ties = "davidson"\nboth_bad = "drop"\nintervals = "bootstrap"\nmin_votes = 5\nprovisional_below = 25\n'
    store.catalogue.set_rules(f"[rating]\n{rules}", None, NOW)
    board = take_snapshot(store, NOW).leaderboard
    assert board.method == "davidson"
    assert board.intervals.startswith("bootstrap")
    told = {"ties": "davidson", "both_bad": "drop", "min_votes": 5, "provisional_below": 25}
    assert {name: board.settings[name] for name in told} == told


def test_an_empty_log_is_an_error_for_who_asks(store: VoteStore):
    with pytest.raises(NothingToRate):
        take_snapshot(store, NOW)


@pytest.mark.usefixtures("job")
def test_votes_that_come_in_while_rating_are_in_the_next_snapshot(store: VoteStore):
    vote(store, 30)
    seen: list[int] = []

    def meanwhile(done: int, _total: int) -> None:
        if not seen:
            vote(store, 5)
        seen.append(done)

    rated = rate_log(store, on_progress=meanwhile, intervals=Intervals.BOOTSTRAP)
    assert seen
    assert (rated.n_log, rated.board.n_votes) == (30, 30)
    assert store.log.position()[0] == 35


def test_a_board_whose_votes_were_all_withdrawn_is_no_board_any_more(store: VoteStore, job: RatingJob):
    here = booth(store, NOW)
    me = KEY.voter_id(KEY.issue())
    assert me is not None
    ballot = here.open(me, NOW)
    here.cast(ballot.id, Verdict.A, me, NOW)
    assert job.run_if_due(NOW)
    assert job.latest() is not None
    here.withdraw(ballot.id, me, NOW)
    again = RatingJob(store, every=60 * SECOND, after_votes=10)  # as after a restart
    for each in (job, again):
        each.run_if_due(NOW + 120 * SECOND)
        assert each.latest() is None
        assert each.failure is not None
        assert "withdrawn" in each.failure


def test_a_vote_in_the_booth_reaches_the_board(store: VoteStore, job: RatingJob):
    here = booth(store, NOW)
    for _ in range(12):
        me = KEY.voter_id(KEY.issue())
        assert me is not None
        here.cast(here.open(me, NOW).id, Verdict.TIE, me, NOW)
    assert job.run_if_due(NOW)
    snapshot = job.latest()
    assert snapshot is not None
    assert snapshot.leaderboard.n_votes == 12
    assert {entry.score for entry in snapshot.leaderboard.entries} == {1000.0}
