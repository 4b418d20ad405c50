"""Copies of a closed arena: whole, checked, never over anything; and put back."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from arena.battle import Verdict
from arena.store import VoteStore
from arena.table import draft_of
from arenas import KEY, booth, fill
from command import ROOT, bakeoff, error_of
from ground import NOW

SHAPE = """
    select table_name, constraint_type, constraint_text from duckdb_constraints() union all
    select table_name, column_name, data_type || is_nullable from duckdb_columns() where not internal union all
    select view_name, 'view', sql from duckdb_views() where not internal order by all"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "here" / "arena.duckdb"
    with VoteStore.open(place) as store:
        fill(store, NOW, n_prompts=3, n_models=3)
        vote(store, 5)
    place.with_name("arena.duckdb.key").write_text("ab" * 32 + "\n")
    return place


def vote(store: VoteStore, n: int) -> None:
    here = booth(store, NOW)
    for _ in range(n):
        me = KEY.voter_id(KEY.issue())
        assert me is not None
        here.cast(here.open(me, NOW).id, Verdict.A, me, NOW)


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def position(path: Path) -> tuple[int, str]:
    with VoteStore.open(path) as store:
        return store.log.position()


def vote_and_die(path: Path) -> None:
    """Four votes by a process that is killed: they are in the write-ahead log."""
    script = f"""
import os, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}, {str(ROOT / "tests" / "arena")!r}]
from pathlib import Path
from test_backup import VoteStore, vote
store = VoteStore.open(Path(sys.argv[1]))
vote(store, 4)
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=120)


@contextmanager
def held(path: Path) -> Iterator[int]:
    """The number of another process that holds this database and serves nobody."""
    script = "import sys, duckdb\nc = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder.pid
        holder.kill()


def test_a_backup_holds_everything_and_says_how_much(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    said = bakeoff("backup", "--db", path, "--out", copy)
    assert said.code == 0, said
    n_log, log_hash = position(path)
    assert said.out == f"{copy}: 5 acts, the log is whole\n{n_log}:{log_hash}\n"
    assert position(copy) == (n_log, log_hash)
    with duckdb.connect(str(path), read_only=True) as original, duckdb.connect(str(copy), read_only=True) as copied:
        shape = original.execute(SHAPE).fetchall()
        assert copied.execute(SHAPE).fetchall() == shape
        assert len(shape) > 100  # keys, checks, columns and the view
        for (table,) in original.execute("select table_name from duckdb_tables()").fetchall():
            rows = original.execute(f"from {table} order by all").fetchall()
            assert copied.execute(f"from {table} order by all").fetchall() == rows


def test_the_copy_refuses_a_second_vote_on_a_battle_as_the_arena_does(path: Path, tmp_path: Path):
    assert bakeoff("backup", "--db", path, "--out", tmp_path / "copy.duckdb").code == 0
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as connection, pytest.raises(duckdb.ConstraintException):
        connection.execute("insert into votes select * replace (99 as seq, 'x' as vote_id) from votes limit 1")


def test_the_voters_key_goes_along_for_its_owner_only(path: Path, tmp_path: Path):
    said = bakeoff("backup", "--db", path, "--out", tmp_path / "copy.duckdb")
    key = tmp_path / "copy.duckdb.key"
    assert key.read_text() == "ab" * 32 + "\n"
    assert key.stat().st_mode & 0o777 == 0o600
    assert str(key) in said.err
    assert "abab" not in said.out + said.err


def test_without_key_there_is_no_key(path: Path, tmp_path: Path):
    said = bakeoff("backup", "--db", path, "--out", tmp_path / "copy.duckdb", "--without-key")
    assert said.code == 0
    assert not (tmp_path / "copy.duckdb.key").exists()


def test_an_arena_without_a_key_file_is_told_what_to_keep(path: Path, tmp_path: Path):
    path.with_name("arena.duckdb.key").unlink()
    said = bakeoff("backup", "--db", path, "--out", tmp_path / "copy.duckdb")
    assert said.code == 0
    assert "Keep BAKEOFF_SECRET" in said.err


@pytest.mark.parametrize("is_there", [True, False])
def test_in_a_folder_a_backup_is_named_for_the_time(path: Path, tmp_path: Path, is_there: bool):
    folder = tmp_path / "backups"
    if is_there:
        folder.mkdir()
    assert bakeoff("backup", "--db", path, "--out", folder).code == 0
    names = sorted(file.name for file in folder.iterdir())
    assert re.fullmatch(r"arena-\d{8}T\d{6}Z\.duckdb", names[0])
    assert names[1:] == [f"{names[0]}.key"]  # and nothing half written


def test_a_folder_that_cannot_be_made_is_named(path: Path, tmp_path: Path):
    folder = tmp_path / "nowhere" / "backups"
    said = error_of(bakeoff("backup", "--db", path, "--out", folder))
    assert f"the folder {folder} cannot be made: No such file or directory" in said


@pytest.mark.parametrize("name", ["copy.duckdb", "copy.duckdb.key", "copy.duckdb.wal"])
def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"mine")
    before = files(path.parent)
    assert "is there already" in error_of(bakeoff("backup", "--db", path, "--out", tmp_path / "copy.duckdb"))
    assert (tmp_path / name).read_bytes() == b"mine"
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["here", name])
    assert files(path.parent) == before


def test_what_a_killed_backup_left_does_not_stand_in_the_way(path: Path, tmp_path: Path):
    (tmp_path / ".copy.duckdb.part").write_bytes(b"half")
    assert bakeoff("backup", "--db", path, "--out", tmp_path / "copy.duckdb").code == 0
    assert not (tmp_path / ".copy.duckdb.part").exists()


def test_a_backup_where_nothing_can_be_written_says_so(path: Path):
    said = error_of(bakeoff("backup", "--db", path, "--out", "/proc/nowhere/copy.duckdb"))
    assert "/proc/nowhere/copy.duckdb cannot be written" in said


def test_a_log_that_is_not_whole_is_copied_as_it_is_and_not_restored(path: Path, tmp_path: Path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("update votes set verdict = 'B' where seq = 2")
    copy = tmp_path / "copy.duckdb"
    said = bakeoff("backup", "--db", path, "--out", copy)
    assert said.code == 1
    assert "5 acts, the log is not whole\nact 2 (vote" in said.out
    assert "the copy is as it is" in said.err
    before = files(path.parent)
    refused = error_of(bakeoff("restore", copy, "--db", path, "--replace"))
    assert "is not whole (act 2: it was changed after it was stored)" in refused
    assert files(path.parent) == before


def test_a_database_that_another_process_holds_is_named_with_that_process(path: Path, tmp_path: Path):
    with held(path) as holder:
        for words in (
            ("backup", "--db", path, "--out", tmp_path / "copy.duckdb"),
            ("verify", "--db", path),
            ("serve", "--db", path, "--port", 0),
        ):
            said = error_of(bakeoff(*words))
            assert f"{path} is in use by process {holder}. Stop that one first" in said
    assert sorted(file.name for file in tmp_path.iterdir()) == ["here"]


def test_a_restored_arena_goes_on_where_the_backup_was_made(path: Path, tmp_path: Path):
    copy, back = tmp_path / "copy.duckdb", tmp_path / "back" / "arena.duckdb"
    assert bakeoff("backup", "--db", path, "--out", copy).code == 0
    before = files(tmp_path / "here") | {copy.name: copy.read_bytes()}
    said = bakeoff("restore", copy, "--db", back)
    assert said.code == 0, said
    assert said.out.startswith(f"{back}: 5 acts, the log is whole\n5:")
    assert before == files(tmp_path / "here") | {copy.name: copy.read_bytes()}
    assert back.with_name("arena.duckdb.key").read_text() == "ab" * 32 + "\n"
    assert back.with_name("arena.duckdb.key").stat().st_mode & 0o777 == 0o600
    with VoteStore.open(back) as store:
        vote(store, 2)
        assert store.log.position()[0] == 7
        assert store.log.broken_links() == []


def test_a_database_that_is_there_is_not_replaced_unless_told_to(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    bakeoff("backup", "--db", path, "--out", copy)
    before = files(path.parent)
    assert "With --replace it is kept aside" in error_of(bakeoff("restore", copy, "--db", path))
    assert files(path.parent) == before


def test_what_is_replaced_is_kept_aside_with_its_key(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    bakeoff("backup", "--db", path, "--out", copy)
    with VoteStore.open(path) as store:
        vote(store, 3)
        later = store.log.position()
    path.with_name("arena.duckdb.key").write_text("cd" * 32 + "\n")
    said = bakeoff("restore", copy, "--db", path, "--replace")
    assert said.code == 0, said
    assert position(path)[0] == 5
    [kept] = [
        file for file in path.parent.iterdir() if re.fullmatch(r"arena\.duckdb\.replaced-\d{8}T\d{6}Z", file.name)
    ]
    assert str(kept) in said.err
    assert position(kept) == later
    assert kept.with_name(kept.name + ".key").read_text() == "cd" * 32 + "\n"
    assert path.with_name("arena.duckdb.key").read_text() == "ab" * 32 + "\n"


def test_votes_in_a_write_ahead_log_are_kept_aside_with_their_database(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    bakeoff("backup", "--db", path, "--out", copy)
    vote_and_die(path)
    assert path.with_name("arena.duckdb.wal").exists()
    assert bakeoff("restore", copy, "--db", path, "--replace").code == 0
    assert position(path)[0] == 5
    [kept] = [file for file in path.parent.iterdir() if file.name.endswith("Z")]
    assert position(kept)[0] == 9


def test_a_restore_that_fails_leaves_database_write_ahead_log_and_key_in_their_places(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    bakeoff("backup", "--db", path, "--out", copy)
    vote_and_die(path)
    before = files(path.parent)
    draft_of(path.with_name("arena.duckdb.key")).mkdir()  # so that the key cannot be put back
    assert "cannot be written" in error_of(bakeoff("restore", copy, "--db", path, "--replace"))
    draft_of(path.with_name("arena.duckdb.key")).rmdir()
    after = files(path.parent)
    assert {name: after.get(name) for name in before} == before
    assert position(path)[0] == 9


def test_a_backup_without_key_leaves_the_key_that_is_there(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    bakeoff("backup", "--db", path, "--out", copy, "--without-key")
    said = bakeoff("restore", copy, "--db", path, "--replace")
    assert said.code == 0
    assert "No key" not in said.err
    assert path.with_name("arena.duckdb.key").read_text() == "ab" * 32 + "\n"
    assert "returning voters will be new" in bakeoff("restore", copy, "--db", tmp_path / "new.duckdb").err


def test_a_damaged_database_is_replaced_by_its_backup(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    bakeoff("backup", "--db", path, "--out", copy)
    path.write_bytes(path.read_bytes()[:5000])
    assert bakeoff("restore", copy, "--db", path, "--replace").code == 0
    assert position(path)[0] == 5


def test_a_database_that_a_process_holds_is_not_replaced(path: Path, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    bakeoff("backup", "--db", path, "--out", copy)
    with held(path) as holder:
        before = files(path.parent)
        said = error_of(bakeoff("restore", copy, "--db", path, "--replace"))
        assert f"{path} is in use by process {holder}" in said
        assert files(path.parent) == before


@pytest.mark.parametrize("content", [b"", b"something else", b"\0" * 8 + b"DUCK" + b"\0" * 5000])
def test_what_is_no_backup_is_refused(path: Path, tmp_path: Path, content: bytes):
    (tmp_path / "copy.duckdb").write_bytes(content)
    before = files(path.parent)
    error_of(bakeoff("restore", tmp_path / "copy.duckdb", "--db", path, "--replace"))
    assert files(path.parent) == before


def test_a_backup_that_is_not_there_and_one_that_is_the_database_itself_are_refused(path: Path, tmp_path: Path):
    assert "there is no backup" in error_of(bakeoff("restore", tmp_path / "none", "--db", path, "--replace"))
    assert "is the database itself" in error_of(bakeoff("restore", path, "--db", path, "--replace"))
