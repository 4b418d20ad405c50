"""Boards of any choice of votes: the arena's own is the snapshot, and others are computed once, from the same log."""

import json
import shlex
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arena import option
from arena.batch import take_snapshot
from arena.battle import Source
from arena.boards import USUAL, Boards, Choice, NoBoardYet, NoSuchValue, TooManyBoards, View, forget_frames
from arena.errors import BadInput, NothingToRate, StoreError
from arena.leaderboard import Snapshot
from arena.store import VoteStore
from command import bakeoff
from ground import NOW
from polls import BEGIN, EVERY, NAMES, stock, ties

JANUARY_2 = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def still() -> Iterator[VoteStore]:
    """A store for all tests that add nothing to it."""
    with VoteStore.open(None) as opened:
        stock(opened)
        take_snapshot(opened, NOW)
        yield opened


@pytest.fixture
def snapshot(still: VoteStore) -> Snapshot:
    found = still.snapshots.latest(still.catalogue.models())
    assert found is not None
    return found


@pytest.fixture
def boards(still: VoteStore, snapshot: Snapshot) -> Iterator[Boards]:
    made = Boards(still, lambda: snapshot)
    yield made
    made.close()


@pytest.fixture
def growing(store: VoteStore) -> Iterator["Growing"]:
    made = Growing(store)
    yield made
    made.boards.close()


class Growing:
    """An arena that goes on: votes come in, and a snapshot is taken when the test says so."""

    def __init__(self, store: VoteStore):
        self.store = store
        stock(store)
        self.snapshot = take_snapshot(store, NOW)
        self.boards = Boards(store, lambda: self.snapshot)

    def vote(self) -> None:
        ties(self.store, [*NAMES, *NAMES])

    def count(self) -> None:
        self.snapshot = take_snapshot(self.store, NOW + timedelta(hours=1))


def seen(boards: Boards, choice: Choice = USUAL) -> View:
    return boards.view(choice).result(timeout=60)


def test_the_usual_board_is_the_snapshot_itself(boards: Boards, snapshot: Snapshot):
    view = seen(boards)
    assert view.board is snapshot.leaderboard
    assert view.is_usual
    assert (view.n_log, view.log_hash, view.sources) == (300, snapshot.log_hash, (Source.HUMAN,))


@pytest.mark.parametrize(
    "choice",
    [
        Choice(sources=(Source.HUMAN,)),
        Choice(sources=(Source.HUMAN, Source.HUMAN)),
        Choice(min_votes=0),
        Choice(up_to=300),
        Choice(sources=(Source.HUMAN,), min_votes=0, up_to=300),
    ],
)
def test_the_usual_choice_in_other_words_is_the_usual_board(boards: Boards, snapshot: Snapshot, choice: Choice):
    assert seen(boards, choice).board is snapshot.leaderboard


def test_what_is_counted_and_what_is_left_out_add_up_to_the_log(boards: Boards):
    for choice in (USUAL, Choice(categories=("code",)), Choice(since=JANUARY_2), Choice(style=True)):
        board = seen(boards, choice).board
        assert board.n_votes + sum(board.dropped.values()) == 300


def test_a_category_counts_the_votes_of_that_category_alone(boards: Boards):
    offer = boards.offer().result(timeout=60)
    board = seen(boards, Choice(categories=("code",), sources=(Source.HUMAN, Source.RULE))).board
    assert board.n_votes == offer.categories["code"]
    assert set(board.dropped) == {"category facts is not asked for", "category writing is not asked for"}


def test_the_order_in_which_values_are_named_makes_no_other_board(boards: Boards):
    one = boards.view(Choice(categories=("code", "facts"), sources=(Source.RULE, Source.HUMAN)))
    two = boards.view(Choice(categories=("facts", "code", "facts"), sources=(Source.HUMAN, Source.RULE)))
    assert one is two


def test_a_view_counts_no_vote_that_came_after_the_snapshot(growing: Growing):
    before = seen(growing.boards, Choice(categories=("code",))).board
    growing.vote()
    fresh = Boards(growing.store, lambda: growing.snapshot)
    assert seen(fresh, Choice(categories=("code",))).board == before
    fresh.close()


def test_a_pinned_view_gives_the_same_numbers_when_newer_votes_are_counted(growing: Growing):
    usual, filtered = seen(growing.boards), seen(growing.boards, Choice(languages=("de",)))
    growing.vote()
    growing.count()
    assert seen(growing.boards).board != usual.board
    for earlier in (usual, filtered):
        later = seen(growing.boards, earlier.pinned())
        assert later.board == earlier.board
        assert (later.n_log, later.log_hash) == (300, usual.log_hash)


def test_values_that_no_vote_has_are_refused(boards: Boards):
    for choice, name in (
        (Choice(categories=("poems",)), "category"),
        (Choice(languages=("fr",)), "language"),
        (Choice(categories=("code", "")), "category"),
    ):
        with pytest.raises(NoSuchValue) as refused:
            seen(boards, choice)
        assert refused.value.name == name
    for position in (0, -1, 301):
        with pytest.raises(NoSuchValue, match="accepted: 1 to 300"):
            boards.view(Choice(up_to=position))


def test_votes_that_give_no_board_say_why(boards: Boards):
    with pytest.raises(NothingToRate, match="no vote is left to rate"):
        seen(boards, Choice(sources=(Source.AI_JUDGE,)))
    with pytest.raises(NothingToRate):
        seen(boards, Choice(until=datetime(1, 1, 1, tzinfo=UTC)))
    with pytest.raises(NothingToRate):
        seen(boards, Choice(since=datetime(9999, 12, 31, tzinfo=UTC)))


def test_style_is_offered_where_all_texts_are_there_and_refused_elsewhere(growing: Growing):
    assert growing.boards.offer().result(timeout=60).style
    assert seen(growing.boards, Choice(style=True)).board.settings["style"]
    growing.vote()  # without answers
    growing.count()
    assert not growing.boards.offer().result(timeout=60).style
    with pytest.raises(BadInput):
        seen(growing.boards, Choice(style=True))


def test_style_is_not_offered_where_the_rules_contradict_it(store: VoteStore):
    stock(store)
    store.catalogue.set_rules('[rating]\nboth_bad = "own"\n', None, NOW)
    snapshot = take_snapshot(store, NOW)
    boards = Boards(store, lambda: snapshot)
    assert not boards.offer().result(timeout=60).style
    boards.close()


def test_what_is_offered_is_what_votes_have(boards: Boards):
    offer = boards.offer().result(timeout=60)
    assert offer.sources == {"human": 270, "rule": 30}
    assert sum(offer.categories.values()) == sum(offer.languages.values()) == 300
    assert set(offer.categories) == {"code", "facts", "writing"}
    assert offer.span == (BEGIN, BEGIN + 299 * EVERY)


def test_before_the_first_snapshot_there_is_nothing_to_see(store: VoteStore):
    boards = Boards(store, lambda: None)
    for ask in (boards.view, boards.offer):
        with pytest.raises(NoBoardYet):
            ask()
    boards.close()


@pytest.mark.parametrize(
    "choice",
    [
        USUAL,
        Choice(categories=("code", "writing"), min_votes=12),
        Choice(languages=("de",), sources=(Source.HUMAN, Source.RULE), style=True),
        Choice(since=JANUARY_2, until=datetime(2026, 1, 3, 4, 30, tzinfo=UTC)),
        Choice(up_to=120),
    ],
)
def test_the_command_gives_the_same_numbers_on_a_copy_of_the_database(tmp_path: Path, choice: Choice):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        stock(store)
        snapshot = take_snapshot(store, NOW)
        ties(store, [*NAMES, *NAMES])  # votes that came later, and that the command must not count
        boards = Boards(store, lambda: snapshot)
        view = seen(boards, choice)
        boards.close()
    copy = tmp_path / "a copy.duckdb"
    copy.write_bytes(path.read_bytes())
    program, *words = shlex.split(view.command(str(copy)))
    assert program == "bakeoff"
    said = bakeoff(*words, "--json")
    assert said.code == 0, said.err
    board = json.loads(json.dumps(view.board.to_record()))
    assert {name: said.record[name] for name in board} == board


def test_a_failure_that_many_ask_for_gathers_nothing(boards: Boards):
    # The same object answers them all; with each raising its traceback would grow by the frames of one more.
    choice = Choice(since=datetime(2031, 1, 1, tzinfo=UTC))
    error = boards.view(choice).exception(timeout=60)
    assert isinstance(error, NothingToRate)
    assert boards.view(choice).exception(timeout=60) is error
    assert error.__traceback__ is None


def test_a_failure_that_is_kept_holds_no_frames_nor_those_of_what_was_behind_it():
    def fail() -> None:
        try:
            int("within")
        except ValueError as error:
            raise BadInput("without") from error

    with pytest.raises(BadInput) as caught:
        fail()
    error = caught.value
    error.__context__.__context__ = error  # type: ignore[union-attr]  # a circle ends
    forget_frames(error)
    behind = [error, error.__cause__, error.__context__]
    assert [each.__traceback__ for each in behind if each is not None] == [None] * 3


def test_what_can_be_chosen_from_does_not_wait_for_boards(growing: Growing):
    release = threading.Event()
    growing.boards._worker.submit(release.wait)
    try:
        assert growing.boards.offer().result(timeout=60).categories
    finally:
        release.set()


def test_a_command_can_name_a_category_with_a_comma():
    choice = Choice(categories=("maths, logic", "it's"))
    view = View(board=None, choice=choice, sources=(Source.HUMAN,), snapshot=_Nothing(), log_hash="")  # type: ignore[arg-type]
    words = shlex.split(view.command())
    assert option.words(words[words.index("--category") + 1]) == ("maths, logic", "it's")


class _Nothing:
    n_log = 7


# ---- one at a time, each once, and no more than there is room for ----


class HeldBoards(Boards):
    """The real boards, held up until a test lets them go; `asked` are the choices that were computed."""

    def __init__(self, store: VoteStore, snapshot: Snapshot, **limits: int):
        super().__init__(store, lambda: snapshot, **limits)
        self.asked: list[Choice] = []
        self.go = threading.Event()
        self.failure: Exception | None = None

    def compute(self, snapshot: Snapshot, choice: Choice) -> View:
        self.asked.append(choice)
        assert self.go.wait(30)
        if self.failure is not None:
            raise self.failure
        return super().compute(snapshot, choice)


@pytest.fixture
def held(still: VoteStore, snapshot: Snapshot) -> Iterator[HeldBoards]:
    made = HeldBoards(still, snapshot, keep=2, waiting=3)
    yield made
    made.go.set()
    made.close()


def least(*numbers: int) -> list[Choice]:
    return [Choice(min_votes=n) for n in numbers]


def test_who_asks_for_the_same_at_once_shares_one_computation(held: HeldBoards):
    futures = [held.view(Choice(min_votes=5)) for _ in range(20)]
    held.go.set()
    assert len({id(future.result(60).board) for future in futures}) == 1
    assert seen(held, Choice(min_votes=5)).board is futures[0].result().board
    assert held.asked == least(5)


def test_too_many_different_boards_are_refused_and_the_usual_one_never(held: HeldBoards, snapshot: Snapshot):
    waiting = [held.view(choice) for choice in least(1, 2, 3)]
    with pytest.raises(TooManyBoards):
        held.view(Choice(min_votes=4))
    assert held.view(Choice(min_votes=2)) is waiting[1]  # on its way already
    assert held.view().result(0).board is snapshot.leaderboard
    held.go.set()
    for future in waiting:
        future.result(60)
    assert seen(held, Choice(min_votes=4)).board.settings["min_votes"] == 4


def test_boards_that_nobody_asked_for_in_a_while_make_room(held: HeldBoards):
    held.go.set()
    for choice in least(1, 2, 1, 3, 1):  # the third board drops 2, which was used longest ago
        seen(held, choice)
    assert held.asked == least(1, 2, 3)
    seen(held, Choice(min_votes=2))
    assert held.asked == least(1, 2, 3, 2)


@pytest.mark.parametrize(
    ("failure", "n_tries"), [(StoreError("gone"), 2), (OSError("disk"), 2), (NothingToRate("none"), 1)]
)
def test_a_failure_of_the_database_is_not_kept_and_what_votes_lack_is(
    held: HeldBoards, failure: Exception, n_tries: int
):
    held.failure = failure
    held.go.set()
    for _ in range(2):
        with pytest.raises(type(failure)):
            seen(held, Choice(min_votes=1))
    assert len(held.asked) == n_tries


def test_closing_tells_those_who_wait(held: HeldBoards):
    first, second = held.view(Choice(min_votes=1)), held.view(Choice(min_votes=2))
    closing = threading.Thread(target=held.close)
    closing.start()
    told = threading.Event()
    second.add_done_callback(lambda _: told.set())
    assert told.wait(30)
    assert second.cancelled()
    held.go.set()
    closing.join(30)
    assert first.result(0).board.n_votes


def test_a_new_snapshot_makes_new_boards(growing: Growing):
    before = seen(growing.boards, Choice(min_votes=1))
    growing.vote()
    growing.count()
    after = seen(growing.boards, Choice(min_votes=1))
    assert after.n_log == before.n_log + 9
    assert sum(growing.boards.offer().result(timeout=60).sources.values()) == 309
    assert after.choice == before.choice
