"""Withdrawn text is gone: from the tables, from the bytes of the file, and from every copy made later."""

import gzip
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from arena.battle import Labels, Source, Verdict, VoterId
from arena.errors import DatabaseInUse, DatabaseUnavailable, NotADatabase
from arena.export import export
from arena.store import VoteStore, rewrite
from arena.store.log import redact_withdrawn
from arena.voting import Booth
from arenas import booth, fill, voter
from command import bakeoff, error_of
from ground import NOW, ROOT

MARKER = b"a word that only Tamsin would use"
OLD_DATABASES = Path(__file__).parent / "old_databases"
COMMENTING = "[labels]\ncomment = true\n"


def holding(folder: Path, marker: bytes = MARKER) -> set[str]:
    """The files below a folder that have these bytes."""
    return {path.name for path in folder.rglob("*") if path.is_file() and marker in path.read_bytes()}


def write(path: Path, *, withdrawn: bool = True) -> None:
    """A database with nine votes of nine voters, each with a comment; the last one withdrawn."""
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=6)
        store.catalogue.set_rules(COMMENTING, None, NOW)
        here = booth(store, NOW)
        for n in range(9):
            _say(here, voter(), f"what voter {n} says" if n < 8 else MARKER.decode())
        with store._database.read() as cursor:
            [(last,)] = cursor.execute("select voter_id from votes where seq = 9").fetchall()
        if withdrawn:
            # Written to the file before it is withdrawn, as in an arena that has run for days.
            with store._database.read() as cursor:
                cursor.execute("checkpoint")
            here.withdraw_all(last, NOW)


def _say(here: Booth, me: VoterId, comment: str) -> None:
    here.cast(here.open(me, NOW).id, Verdict.A, me, NOW, Labels(comment=comment))


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that a database is: its tables with their keys and checks, its views, its rows."""
    with duckdb.connect(str(path), read_only=True) as con:
        tables = [name for (name,) in con.execute("select table_name from duckdb_tables() order by 1").fetchall()]
        asked = {
            "constraints": "select table_name, constraint_type, constraint_text from duckdb_constraints() order by all",
            "views": "select view_name, sql from duckdb_views() where not internal",
            **{table: f"from {table} order by all" for table in tables if table != "rewrites"},
        }
        return {name: con.execute(query).fetchall() for name, query in asked.items()}


def test_duckdb_itself_leaves_the_bytes_of_a_withdrawn_comment_in_the_file(tmp_path: Path):
    # Why all of this is needed. Should a later DuckDB clear its free blocks, `rewrite` can go.
    path = tmp_path / "arena.duckdb"
    write(path)
    with duckdb.connect(str(path)) as con:
        con.execute("force checkpoint")
        con.execute("vacuum")
    assert holding(tmp_path) == {"arena.duckdb"}


def test_after_a_rewrite_no_byte_is_left_and_all_else_is_the_same(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path)
    path.chmod(0o600)
    before = shape(path)
    done = rewrite(path, NOW)
    assert done is not None
    assert done.n_texts == 1
    assert holding(tmp_path) == set()
    assert [each.name for each in tmp_path.iterdir()] == ["arena.duckdb"]
    assert shape(path) == before
    assert path.stat().st_mode & 0o777 == 0o600
    with VoteStore.open(path) as store:
        assert store.log.broken_links() == []
        assert store.log.position()[0] == 11  # nine votes, a withdrawal, a redaction
    assert holding(tmp_path, b"what voter 7 says") == {"arena.duckdb"}  # what stands is kept


def test_a_file_is_written_anew_once_for_each_withdrawal_and_not_without(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path, withdrawn=False)
    assert rewrite(path, NOW) is None
    with VoteStore.open(path) as store:
        with store._database.read() as cursor:
            [(one,)] = cursor.execute("select voter_id from votes where seq = 9").fetchall()
        booth(store, NOW).withdraw_all(one, NOW)
    assert rewrite(path, NOW) is not None
    assert rewrite(path, NOW) is None


def test_a_rewritten_file_still_refuses_a_second_vote_and_a_false_word(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path)
    rewrite(path, NOW)
    with duckdb.connect(str(path)) as con:
        with pytest.raises(duckdb.ConstraintException):
            con.execute("insert into votes select * replace (99 as seq) from votes where seq = 1")
        with pytest.raises(duckdb.ConstraintException):
            con.execute("update votes set verdict = 'perhaps' where seq = 1")


def test_text_of_a_withdrawal_from_before_redactions_is_taken_out_as_acts_of_the_chain(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    path.write_bytes(gzip.decompress((OLD_DATABASES / "0005.gz").read_bytes()))
    assert holding(tmp_path, b"Vote 3.") == {"arena.duckdb"}
    with VoteStore.open(path) as store:
        assert store.log.broken_links() == []
        assert store.log.position()[0] == 10  # eight votes, a withdrawal, and the era that ends here
    rewrite(path, NOW)
    assert holding(tmp_path, b"Vote 3.") == set()
    assert holding(tmp_path, b"Vote 4.") == {"arena.duckdb"}
    with VoteStore.open(path) as store:
        assert store.log.broken_links() == []
        assert store.log.position()[0] == 11
        with store._database.write() as cursor:
            assert redact_withdrawn(cursor, NOW) == 0
        assert store.log.position()[0] == 11


def test_what_was_withdrawn_is_in_no_export_rating_or_later_copy(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path)
    (tmp_path / "later").mkdir()
    with duckdb.connect() as con:
        con.execute(f"attach '{path}' as old (read_only)")
        con.execute(f"attach '{tmp_path / 'later' / 'backup.duckdb'}' as copy")
        con.execute("copy from database old to copy")
    with VoteStore.open(path) as store:
        export(store, tmp_path / "later" / "export")
    rated = bakeoff("rate", "--db", path, "--json", "--out", tmp_path / "later" / "board.json")
    assert rated.code == 0, rated
    assert holding(tmp_path / "later") == set()
    assert holding(tmp_path / "later", b"what voter") == {"backup.duckdb"}  # comments are in no export anyway
    assert MARKER.decode() not in rated.out + rated.err


def test_the_command_says_what_it_did(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path)
    said = bakeoff("compact", "--db", path)
    assert said.code == 0
    assert "nothing is left in it of 1 withdrawn text\n" in said.out
    assert holding(tmp_path) == set()
    assert "holds nothing of a withdrawn text" in bakeoff("compact", "--db", path).out
    assert "there is no database" in error_of(bakeoff("compact", "--db", tmp_path / "other.duckdb"))
    assert [each.name for each in tmp_path.iterdir()] == ["arena.duckdb"]


def test_a_file_that_is_open_elsewhere_is_left_alone(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path)
    held = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseInUse, match=str(holder.pid)):
            rewrite(path, NOW)
    assert holding(tmp_path) == {"arena.duckdb"}
    assert rewrite(path, NOW) is not None


def test_what_is_no_database_is_left_alone(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    path.write_bytes(b"a letter, not a database")
    with pytest.raises(NotADatabase):
        rewrite(path, NOW)
    assert path.read_bytes() == b"a letter, not a database"


def test_a_copy_that_is_not_the_same_never_takes_the_place_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "arena.duckdb"
    write(path)
    before = path.read_bytes()
    heads = iter([(10, "one"), (10, "another")])
    monkeypatch.setattr("arena.store.compact.head", lambda _: next(heads))
    with pytest.raises(DatabaseUnavailable, match="the copy is not the same"):
        rewrite(path, NOW)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["arena.duckdb"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path)
    script = f"""
        import resource, signal, sys
        sys.path.insert(0, {str(ROOT)!r})
        from datetime import UTC, datetime
        from pathlib import Path
        from arena.errors import DatabaseUnavailable
        from arena.store import rewrite
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        try:
            rewrite(Path(sys.argv[1]), datetime.now(UTC))
        except DatabaseUnavailable as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(path)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "cannot be" in done.stdout, done
    with VoteStore.open(path) as store:
        assert store.log.broken_links() == []
        assert store.log.position()[0] == 11
    assert [each.name for each in tmp_path.iterdir()] == ["arena.duckdb"]
    assert rewrite(path, NOW) is not None


# Every call through which the new file comes to its place: the process dies before each of them.
KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from datetime import UTC, datetime
from pathlib import Path
import duckdb
import arena.store.compact as room
when, seen = int(sys.argv[2]), 0

def step():
    global seen
    if seen == when:
        os.kill(os.getpid(), signal.SIGKILL)
    seen += 1

class Connection:
    def __init__(self, real):
        self._real = real
    def execute(self, *asked):
        step()
        return self._real.execute(*asked)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        step()
        self._real.close()
        step()

def stepping(call):
    def called(*given, **named):
        step()
        return call(*given, **named)
    return called

connect = room.connect
room.connect = lambda path: Connection(connect(path))
Path.replace = stepping(Path.replace)
Path.unlink = stepping(Path.unlink)
os.fsync = stepping(os.fsync)
room.rewrite(Path(sys.argv[1]), datetime.now(UTC))
print("done", seen)
"""


@pytest.mark.proof
def test_killed_at_any_step_the_old_or_the_new_file_is_there_whole(tmp_path: Path):
    script = KILLED.format(root=str(ROOT))
    path = tmp_path / "arena.duckdb"
    write(path)
    old, rows = path.read_bytes(), shape(path)
    when, n_new = 0, 0
    while True:
        done = subprocess.run(
            [sys.executable, "-c", script, str(path), str(when)], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, -9), done.stderr
        with VoteStore.open(path) as store:
            assert store.log.broken_links() == []
        assert shape(path) == rows
        n_new += not holding(tmp_path)
        rewrite(path, NOW)  # the next start of the arena
        assert [each.name for each in tmp_path.iterdir()] == ["arena.duckdb"]
        assert holding(tmp_path) == set()
        if done.returncode == 0:
            break
        path.write_bytes(old)
        when += 1
    assert when >= 15
    assert 1 < n_new < when  # some were killed before the new name, some after


def test_a_kill_while_the_copy_grows_leaves_the_old_file_and_the_next_start_clears_up(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    write(path)
    (tmp_path / "arena.duckdb.rewritten").write_bytes(b"half a copy")
    (tmp_path / "arena.duckdb.rewritten.wal").write_bytes(b"half a log")
    assert rewrite(path, NOW) is not None
    assert [each.name for each in tmp_path.iterdir()] == ["arena.duckdb"]


def test_all_votes_of_a_voter_are_withdrawn_and_no_comment_is_left(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=10)
        store.catalogue.set_rules(COMMENTING, None, NOW)
        here, me = booth(store, NOW), voter()
        for n in range(7):
            here.cast(here.open(me, NOW).id, Verdict.A, me, NOW, Labels(comment=f"{MARKER.decode()} {n}"))
        assert here.withdraw_all(me, NOW) == 7
        assert store.log.broken_links() == []
        assert store.votes.n_by_source(up_to=store.log.position()[0]).get(Source.HUMAN, 0) == 0
    rewrite(path, NOW)
    assert holding(tmp_path) == set()
