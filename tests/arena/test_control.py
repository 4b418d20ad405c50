"""The socket through which a serving arena is asked for a copy."""

import asyncio
import json
import logging
import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arena.battle import Verdict
from arena.control import NobodyServes, ask_for_copy, listening, socket_of
from arena.errors import DatabaseUnavailable
from arena.store import VoteStore
from arenas import KEY, booth, fill
from ground import NOW, skip_or_fail


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[VoteStore]:
    with VoteStore.open(tmp_path / "arena.duckdb") as store:
        fill(store, NOW)
        vote(store)
        yield store


def vote(store: VoteStore) -> None:
    here, me = booth(store, NOW), KEY.voter_id(KEY.issue())
    assert me is not None
    here.cast(here.open(me, NOW).id, Verdict.A, me, NOW)


@contextmanager
def served(store: VoteStore) -> Iterator[Path]:
    """Listen beside this store's database, as a serving arena does; yields the database's path."""
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with listening(store):
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        assert store.path is not None
        yield store.path
    finally:
        stop.set()
        thread.join()


def said_to(path: Path, line: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(socket_of(path)))
        caller.sendall(line)
        return json.loads(caller.makefile("rb").readline())


def test_a_copy_is_written_by_the_arena_that_serves(opened: VoteStore, tmp_path: Path):
    with served(opened) as path:
        ask_for_copy(path, tmp_path / "copy.duckdb")
    with VoteStore.open(tmp_path / "copy.duckdb") as copy:
        assert copy.log.position() == opened.log.position()


def test_the_socket_is_its_owners_alone_and_is_gone_at_the_end(opened: VoteStore):
    with served(opened) as path:
        mode = socket_of(path).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not socket_of(path).exists()
    with pytest.raises(NobodyServes):
        ask_for_copy(path, path.with_name("copy.duckdb"))


def test_another_user_is_not_heard(opened: VoteStore, tmp_path: Path):
    if os.geteuid() != 0:
        skip_or_fail("ROOT", "only root can be another user for a moment")
    place = tmp_path
    while place != place.parent:  # the folders are open to everybody, so that only the socket's own mode keeps them out
        if not place.stat().st_mode & 0o001:
            place.chmod(place.stat().st_mode | 0o011)
        place = place.parent
    with served(opened) as path:
        os.seteuid(65534)
        try:
            with pytest.raises(DatabaseUnavailable, match="open to its owner only"):
                ask_for_copy(path, tmp_path / "copy.duckdb")
        finally:
            os.seteuid(0)


def test_a_socket_that_a_killed_arena_left_is_replaced(opened: VoteStore, tmp_path: Path):
    assert opened.path is not None
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(socket_of(opened.path)))
    with pytest.raises(NobodyServes):
        ask_for_copy(opened.path, tmp_path / "copy.duckdb")
    with served(opened) as path:
        ask_for_copy(path, tmp_path / "copy.duckdb")


def test_a_file_that_is_no_socket_stays_and_costs_backups_only(opened: VoteStore, caplog: pytest.LogCaptureFixture):
    assert opened.path is not None
    socket_of(opened.path).write_text("mine")
    with caplog.at_level(logging.WARNING), served(opened):
        vote(opened)
    assert "`bakeoff backup` will not reach this arena while it serves" in caplog.text
    assert socket_of(opened.path).read_text() == "mine"


def test_a_path_too_long_for_a_socket_costs_backups_only(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = tmp_path / ("a" * 60) / ("b" * 60)
    with VoteStore.open(folder / "arena.duckdb") as store:
        fill(store, NOW)
        with caplog.at_level(logging.WARNING), served(store) as path:
            vote(store)
            with pytest.raises(NobodyServes):
                ask_for_copy(path, tmp_path / "copy.duckdb")
    assert "too long" in caplog.text


def test_an_arena_in_memory_has_no_socket(store: VoteStore, tmp_path: Path):
    async def serve() -> None:
        async with listening(store):
            pass

    asyncio.run(serve())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"copy\n",
        b"[1]\n",
        b"\xff\xfe\n",
        b'{"copy_to": "relative.duckdb"}\n',
        b'{"copy_to": 7}\n',
        b'{"copy_to": "/x", "and": "more"}\n',
        b"x" * 100_000 + b"\n",
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_is_heard(opened: VoteStore, tmp_path: Path, line: bytes):
    with served(opened) as path:
        assert "error" in said_to(path, line)
        ask_for_copy(path, tmp_path / "copy.duckdb")


def test_a_caller_that_leaves_does_no_harm(opened: VoteStore, tmp_path: Path):
    with served(opened) as path:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(socket_of(path)))
            caller.sendall(b'{"copy_to": "' + bytes(tmp_path / "left.duckdb") + b'"}\n')
        ask_for_copy(path, tmp_path / "copy.duckdb")
        vote(opened)


def test_a_copy_that_cannot_be_written_is_said_and_the_arena_goes_on(opened: VoteStore, tmp_path: Path):
    with served(opened) as path:
        with pytest.raises(DatabaseUnavailable, match=r"could not copy it: .*No such file or directory"):
            ask_for_copy(path, tmp_path / "nowhere" / "copy.duckdb")
        vote(opened)
        ask_for_copy(path, tmp_path / "copy.duckdb")
    assert opened.log.position()[0] == 2


def test_many_copies_at_once_are_made_one_after_the_other(opened: VoteStore, tmp_path: Path):
    targets = [tmp_path / f"copy{n}.duckdb" for n in range(4)]
    with served(opened) as path:
        threads = [threading.Thread(target=ask_for_copy, args=(path, target)) for target in targets]
        for thread in threads:
            thread.start()
        vote(opened)
        for thread in threads:
            thread.join()
    for target in targets:
        with VoteStore.open(target) as copy:
            assert copy.log.position()[0] in (1, 2)
            assert copy.log.broken_links() == []
