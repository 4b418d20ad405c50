"""A disk that is full, read-only or torn: a clear line, nothing lost, and service goes on by itself when it can."""

import json
import logging
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from arena.errors import StoreError
from arena.intake import import_pack
from arena.pack import read_pack, starter_directory
from arena.store import VoteStore, log_of
from crowd import environment, free_port, light, start, wait_until_open
from ground import NOW, ROOT, skip_or_fail
from served import ballot_of, vote_on


@dataclass(frozen=True)
class SmallDisk:
    """A real small disk in memory, mounted in a namespace of its own: `inside` enters it.

    There it is at `folder`; from outside its files are seen at `seen`.
    """

    folder: Path
    seen: Path
    inside: tuple[str, ...]

    def mount_again(self, options: str) -> None:
        subprocess.run([*self.inside, "mount", "-o", f"remount,{options}", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, size: str = "24m") -> Iterator[SmallDisk]:
    """A small disk that is gone at the end, with the process that mounted it."""
    folder.mkdir()
    is_root = os.geteuid() == 0
    script = f"mount -t tmpfs -o size={size} none '{folder}' && echo mounted && exec sleep 1000"
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        skip_or_fail("MOUNT", "there is no `unshare` here to mount a small disk with")
    with subprocess.Popen(
        ["unshare", "-m" if is_root else "-rm", "sh", "-c", script], stdout=subprocess.PIPE, text=True
    ) as mounting:
        try:
            assert mounting.stdout is not None
            if mounting.stdout.readline() != "mounted\n":
                skip_or_fail("MOUNT", "this machine lets nobody mount a small disk")
            enter = ("nsenter", "-t", str(mounting.pid), "-m", *(() if is_root else ("-U", "--preserve-credentials")))
            yield SmallDisk(folder, Path(f"/proc/{mounting.pid}/root{folder}"), enter)
        finally:
            mounting.kill()


@contextmanager
def filled(disk: SmallDisk) -> Iterator[None]:
    """No byte is left on this disk."""
    filler = disk.seen / "filler"
    descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
    try:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    os.write(descriptor, b"x" * size)
            except OSError:
                continue
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


def stocked(path: Path) -> Path:
    with VoteStore.open(path) as store:
        import_pack(store, read_pack(starter_directory()), NOW)
    return path


@contextmanager
def visitor_of(path: Path, inside: tuple[str, ...] = ()) -> Iterator[httpx.Client]:
    """A voter at an arena that is served from this database by a process of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with start(light(path, port), inside=inside) as server:
        try:
            wait_until_open(url, server)
            with httpx.Client(base_url=url, trust_env=False, timeout=30) as visitor:
                visitor.get("/")
                yield visitor
        finally:
            server.terminate()


def bakeoff(*words: object, inside: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """The command in a process of its own."""
    done = subprocess.run(
        [*inside, sys.executable, "-m", "arena", *map(str, words)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def error_of(*words: object, inside: tuple[str, ...] = ()) -> str:
    """The one line that the command says as it refuses."""
    code, out, err = bakeoff(*words, inside=inside)
    assert (code, out) == (1, ""), err
    [line] = err.splitlines()
    assert line.startswith("bakeoff: ")
    return line


def acts(path: Path, inside: tuple[str, ...] = ()) -> int:
    """How many acts the log holds, which is whole."""
    code, out, err = bakeoff("verify", "--db", path, "--json", inside=inside)
    assert code == 0, out + err
    return json.loads(out)["acts"]


def refused(visitor: httpx.Client, ballot: str) -> str:
    answer = vote_on(visitor, ballot)
    assert answer.status_code == 503, answer.text
    return answer.json()["error"]


def test_a_full_disk_costs_no_vote_and_service_goes_on_when_there_is_room(tmp_path: Path):
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(stocked(tmp_path / "arena.duckdb"), disk.seen)
        path = disk.folder / "arena.duckdb"
        with visitor_of(path, disk.inside) as visitor, ExitStack() as browsers:
            visitors = [
                browsers.enter_context(httpx.Client(base_url=visitor.base_url, trust_env=False, timeout=30))
                for _ in range(8)
            ]
            for each in visitors:
                each.get("/")
            ballots = {each: ballot_of(each)["ballot_id"] for each in visitors}
            with filled(disk):
                # The first ones may still find room in the page of the log that was begun.
                waiting = [each for each in visitors if vote_on(each, ballots[each]).status_code != 200]
                assert len(waiting) >= 4
                for each in waiting:
                    assert refused(each, ballots[each]) == "not_saved"
                    assert ballot_of(each)["ballot_id"] == ballots[each]  # what is stored can still be read
                assert visitor.get("/healthz").status_code == 200
            # The same process, the same ballot: as the page's "Try again" sends it.
            for each in waiting:
                assert vote_on(each, ballots[each]).json()["verdict"] == "A"
            vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
        assert acts(path, disk.inside) == len(visitors) + 1


@pytest.mark.proof
def test_a_restart_on_a_full_disk_loses_nothing(tmp_path: Path):
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(stocked(tmp_path / "arena.duckdb"), disk.seen)
        path = disk.folder / "arena.duckdb"
        with visitor_of(path, disk.inside) as visitor:
            vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
        with filled(disk):
            assert acts(path, disk.inside) == 1
        assert acts(path, disk.inside) == 1


@pytest.mark.parametrize(
    "which", [["serve"], pytest.param(["verify", "serve anew", "backup", "restore"], marks=pytest.mark.proof)], ids=str
)
def test_a_disk_that_is_read_only_is_said_in_one_line(tmp_path: Path, which: list[str]):
    with small_disk(tmp_path / "disk") as disk:
        shutil.copy(stocked(tmp_path / "arena.duckdb"), disk.seen)
        path = disk.folder / "arena.duckdb"
        before = files(disk.seen)
        disk.mount_again("ro")
        commands = {
            "serve": ("serve", "--db", path, "--port", 0),
            "verify": ("verify", "--db", path),
            "serve anew": ("serve", "--db", disk.folder / "new" / "arena.duckdb", "--port", 0),
            "backup": ("backup", "--db", path, "--out", tmp_path / "copy.duckdb"),
            "restore": ("restore", tmp_path / "arena.duckdb", "--db", path, "--replace"),
        }
        for each in which:
            assert "Read-only file system" in error_of(*commands[each], inside=disk.inside)
        disk.mount_again("rw")
        assert files(disk.seen) == before
        assert acts(path, disk.inside) == 0


@pytest.mark.proof
def test_a_file_that_becomes_read_only_while_people_vote_costs_no_vote(tmp_path: Path):
    path = stocked(tmp_path / "arena.duckdb")
    with visitor_of(path) as visitor:
        for _ in range(2):
            vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
        ballot = ballot_of(visitor)["ballot_id"]
        protecting = subprocess.run(["chattr", "+i", log_of(path)], capture_output=True, check=False)
        if protecting.returncode != 0:
            skip_or_fail("CHATTR", "this machine lets nobody protect a file from its own owner")
        try:
            assert refused(visitor, ballot) == "not_saved"
            assert refused(visitor, ballot) == "not_saved"
        finally:
            subprocess.run(["chattr", "-i", log_of(path)], check=True)
        vote_on(visitor, ballot).raise_for_status()
    assert acts(path) == 3


@pytest.mark.proof
def test_a_backup_that_finds_no_room_leaves_nothing_and_harms_nobody(tmp_path: Path):
    path = stocked(tmp_path / "arena.duckdb")
    with small_disk(tmp_path / "disk", "1m") as disk:
        words = ("backup", "--db", path, "--out", disk.folder / "copy.duckdb")
        assert "No space left on device" in error_of(*words, inside=disk.inside)
        assert list(disk.seen.iterdir()) == []
        with visitor_of(path, disk.inside) as visitor:
            assert "No space left on device" in error_of(*words, inside=disk.inside)
            assert list(disk.seen.iterdir()) == []
            vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
    assert acts(path) == 1


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of an arena that was killed: eight votes, the last ones in its write-ahead log."""
    path = stocked(tmp_path_factory.mktemp("killed") / "arena.duckdb")
    port = free_port()
    with start(light(path, port)) as server:
        wait_until_open(url := f"http://127.0.0.1:{port}", server)
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as visitor:
            visitor.get("/")
            for _ in range(8):
                vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
        server.kill()
    assert log_of(path).stat().st_size > 0
    return path.parent


@pytest.fixture
def left(killed: Path, tmp_path: Path) -> Path:
    """A copy of what the kill left behind."""
    for name in ("arena.duckdb", "arena.duckdb.wal", "arena.duckdb.key"):
        shutil.copy(killed / name, tmp_path / name)
    return tmp_path / "arena.duckdb"


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def overwrite(path: Path, place: int, text: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(text)


def in_an_entry(path: Path) -> int:
    """A place inside the first entry of the write-ahead log, behind its length and its checksum."""
    return log_of(path).read_bytes().index(b"\xff\xff") + 2 + 16 + 4


TORN: dict[str, Callable[[Path], None]] = {
    "nothing left": lambda path: os.truncate(path, 0),
    "half a header": lambda path: os.truncate(path, 100),
    "a header and no more": lambda path: os.truncate(path, 12_288),
    "half a file": lambda path: os.truncate(path, path.stat().st_size // 2),
    "another beginning": lambda path: overwrite(path, 0, b"\0" * 4096),
    "another second header": lambda path: (overwrite(path, 4096, b"x" * 4096), overwrite(path, 8192, b"x" * 4096))[0],
    "text": lambda path: (os.truncate(path, 0), overwrite(path, 0, b"These are my votes.\n"))[0],
    "a damaged entry of the write-ahead log": lambda path: overwrite(log_of(path), in_an_entry(path), b"x" * 8),
    "the file is gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("tear", TORN.values(), ids=TORN.keys())
def test_a_torn_file_is_said_in_one_line_and_stays_as_it_is(left: Path, tear: Callable[[Path], None]):
    tear(left)
    before = files(left.parent)
    with pytest.raises(StoreError) as told:
        VoteStore.open(left)
    assert "\n" not in str(told.value)
    assert str(left) in str(told.value)
    assert files(left.parent) == before


def test_a_torn_file_is_not_served(left: Path):
    os.truncate(left, left.stat().st_size // 2)
    before = files(left.parent)
    said = error_of("serve", "--db", left, "--port", 0)
    assert f"{left} is damaged" in said
    assert f"`bakeoff restore BACKUP --db {left} --replace`" in said
    assert files(left.parent) == before


def test_the_torn_end_of_a_write_ahead_log_is_kept_and_said(left: Path, caplog: pytest.LogCaptureFixture):
    torn = log_of(left).read_bytes()
    torn = torn[: len(torn) * 3 // 4]
    log_of(left).write_bytes(torn)
    with caplog.at_level(logging.WARNING), VoteStore.open(left) as store:
        n_log, _ = store.log.position()
        assert 0 < n_log < 8  # what was committed before the place where it breaks off
        assert store.log.broken_links() == []
    [kept] = left.parent.glob("arena.duckdb.torn-*")
    assert kept.read_bytes() == torn
    assert str(kept) in caplog.text


@pytest.mark.proof
def test_after_a_torn_end_of_the_write_ahead_log_the_arena_goes_on(left: Path):
    os.truncate(log_of(left), log_of(left).stat().st_size * 3 // 4)
    n_log = acts(left)
    assert 0 < n_log < 8
    with visitor_of(left) as visitor:
        vote_on(visitor, ballot_of(visitor)["ballot_id"]).raise_for_status()
    assert acts(left) == n_log + 1


@pytest.mark.proof
def test_a_write_ahead_log_that_ends_with_a_commit_is_not_called_torn(left: Path):
    assert acts(left) == 8
    assert list(left.parent.glob("arena.duckdb.torn-*")) == []


@pytest.mark.proof
def test_a_torn_write_ahead_log_that_cannot_be_kept_is_not_opened(tmp_path: Path, killed: Path):
    with small_disk(tmp_path / "disk") as disk:
        for name in ("arena.duckdb", "arena.duckdb.wal", "arena.duckdb.key"):
            shutil.copy(killed / name, disk.seen / name)
        torn = disk.seen / "arena.duckdb.wal"
        os.truncate(torn, torn.stat().st_size - 7)
        with filled(disk):
            before = torn.read_bytes()
            said = error_of("serve", "--db", disk.folder / "arena.duckdb", "--port", 0, inside=disk.inside)
            assert "cannot be kept aside either: No space left on device" in said
            assert torn.read_bytes() == before
        assert acts(disk.folder / "arena.duckdb", disk.inside) in (7, 8)  # the last commit was a vote, or a leaderboard


@pytest.mark.parametrize(
    "key", ["", *(pytest.param(key, marks=pytest.mark.proof) for key in ("ab" * 31 + "\n", "no key\n"))]
)
def test_a_key_that_is_none_is_said_in_one_line(left: Path, key: str):
    place = left.with_name("arena.duckdb.key")
    place.write_text(key)
    said = error_of("serve", "--db", left, "--port", 0)
    assert str(place) in said
    assert place.read_text() == key


@pytest.mark.proof
def test_wherever_a_file_is_overwritten_it_is_refused_or_whole(killed: Path, tmp_path: Path):
    """A hundred times noise in the database or its write-ahead log: never a traceback, or a vote that nobody cast."""
    script = """
import sys
from pathlib import Path
from arena.errors import ArenaError
from arena.store import VoteStore
from arena.wholeness import examine
try:
    with VoteStore.open(Path(sys.argv[1])) as store:
        found = examine(store)
        print("opened", found.n_log, len(found.broken))
except ArenaError as error:
    print("refused", error)
"""
    rng = random.Random(5)
    outcomes = {"refused": 0, "opened": 0}
    for _ in range(100):
        for name in ("arena.duckdb", "arena.duckdb.wal"):
            shutil.copy(killed / name, tmp_path / name)
        target = tmp_path / rng.choice(["arena.duckdb", "arena.duckdb.wal"])
        overwrite(target, rng.randrange(target.stat().st_size), rng.randbytes(rng.choice([1, 16, 4096])))
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "arena.duckdb")],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        outcome, *numbers = done.stdout.split(maxsplit=2)
        outcomes[outcome] += 1
        if outcome == "opened":
            n_log, n_broken = map(int, numbers)
            assert n_broken == 0
            # Fewer only where the end of the write-ahead log could not be read, and then it was kept.
            assert n_log == 8 or list(tmp_path.glob("arena.duckdb.torn-*"))
        for file in tmp_path.iterdir():
            file.unlink()
    print(outcomes)  # noqa: T201 - the figures of the proof
