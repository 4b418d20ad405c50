"""Step 0013: the table of votes moves out from under its two longest keys, whole or not at all."""

import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from test_old_databases import ask, unpack

from arena.errors import KeyTaken
from arena.store import VoteStore
from arena.store.row import scalar
from arena.table import append
from arena.voting import new_key
from ground import NOW, ROOT

N_VOTES = 40_000

# Every value of every vote, in the order in which the table holds them.
ROWS = """
    select count(*), sum(hash(v)), bool_and(seq > before)
    from (select v, seq, lag(seq) over () as before from votes v)"""
KEYS = """
    select constraint_column_names from duckdb_constraints()
    where table_name = $table and constraint_type in ('UNIQUE', 'PRIMARY KEY') order by all"""


def keys_of(path: Path, table: str) -> list[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [names for ([names],) in connection.execute(KEYS, {"table": table}).fetchall()]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A database of version 12 with 40,000 votes more, whose chain nobody has walked."""
    path = unpack(12, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""insert into battles select b.* replace ('battle ' || n as battle_id)
            from battles b, range({N_VOTES}) r(n) where b.battle_id = (select battle_id from votes where seq = 1);
            insert into votes select v.* replace (1000 + n as seq, 'vote ' || n as vote_id, 'battle ' || n as battle_id,
                sha256('before ' || n) as previous_hash, sha256('of ' || n) as hash)
            from votes v, range({N_VOTES}) r(n) where seq = 1 order by n"""
        )
    return path


def test_every_vote_is_the_same_row_afterwards_under_fewer_keys(tmp_path: Path):
    path = unpack(12, tmp_path)
    views = "select view_name, sql from duckdb_views() where not internal"
    columns = "select column_name, column_type from (describe votes)"
    questions = (ROWS, "from votes", "from vote_log order by seq", views, columns)
    before = [ask(path, question) for question in questions]
    checks = """select constraint_text from duckdb_constraints()
        where table_name = 'votes' and constraint_type in ('CHECK', 'NOT NULL') order by all"""
    kept = ask(path, checks)
    assert keys_of(path, "votes") == ["battle_id", "hash", "import_key", "previous_hash", "seq", "vote_id"]
    with VoteStore.open(path):
        pass
    assert [ask(path, question) for question in questions] == before
    assert ask(path, checks) == kept
    assert keys_of(path, "votes") == ["battle_id", "import_key", "seq", "vote_id"]
    assert ask(path, "select table_name from duckdb_tables() where table_name like 'votes%'") == [("votes",)]


def test_what_once_rests_on_is_unique_in_the_database(tmp_path: Path):
    path = tmp_path / "new.duckdb"
    with VoteStore.open(path):
        pass
    assert keys_of(path, "battles") == ["battle_id"]
    assert keys_of(path, "ballots") == ["ballot_id", "battle_id"]
    assert keys_of(path, "votes") == ["battle_id", "import_key", "seq", "vote_id"]
    assert keys_of(path, "withdrawals") == ["hash", "previous_hash", "seq", "vote_id"]
    assert keys_of(path, "rankings") == ["ballot_id", "first_seq"]


@pytest.mark.parametrize("column", ["seq", "vote_id", "battle_id"])
def test_a_second_vote_of_the_same_number_or_name_is_refused(tmp_path: Path, column: str):
    path = unpack(12, tmp_path)
    other = {"seq": "seq + 1000 as seq", "vote_id": "'v' as vote_id", "battle_id": "'b' as battle_id"}
    others = ", ".join(value for name, value in other.items() if name != column)
    with VoteStore.open(path) as store, pytest.raises(KeyTaken), store._database.write() as cursor:
        cursor.execute(f"insert into votes select * replace ({others}) from votes where seq = 1")


def test_a_kill_while_the_votes_move_loses_none(large: Path):
    before = ask(large, ROWS)
    assert before[0][0] == N_VOTES + 8
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}]
from pathlib import Path
from arena.store import VoteStore
from arena.store.row import scalar
from arena.table import append
print("now", flush=True)
VoteStore.open(Path(sys.argv[1])).close()
"""
    began, took, rng, seen = large.read_bytes(), 0.0, random.Random(5), set[int]()
    for number in range(5):
        for file in large.parent.iterdir():
            file.unlink()
        large.write_bytes(began)
        with subprocess.Popen([sys.executable, "-c", script, str(large)], stdout=subprocess.PIPE) as moving:
            assert moving.stdout is not None
            assert moving.stdout.readline() == b"now\n"
            started = time.monotonic()
            if number == 0:  # this one is left alone, to see how long it takes
                assert moving.wait(120) == 0
                took = time.monotonic() - started
            else:
                time.sleep(rng.random() * took)
                moving.kill()
        # With the write-ahead log that the process left, if it left one.
        with duckdb.connect(str(large)) as connection:
            [(version,)] = connection.execute("select max(version) from schema_versions").fetchall()
            assert connection.execute(ROWS).fetchall() == before
        seen.add(version)
        with VoteStore.open(large):
            pass
        assert ask(large, ROWS) == before
        assert keys_of(large, "votes") == ["battle_id", "import_key", "seq", "vote_id"]
    assert min(seen) >= 12


def index_memory(path: Path, ids: list[list[str]]) -> list[int]:
    """Bytes of indexes in memory, a hundred ballots after each of some checkpoints with thousands between them."""
    found = []
    with VoteStore.open(path) as store:
        for some in ids:
            for part in (some[100:], some[:100]):
                with store._database.write() as cursor:
                    append(cursor, "ballots", [(each, f"{each}.", "voter", NOW, NOW) for each in part])
                with store._database.read() as cursor:
                    cursor.execute("checkpoint" if part[100:] else "select 1").fetchall()
            with store._database.read() as cursor:
                found.append(scalar(cursor, "select memory_usage_bytes from duckdb_memory() where tag = 'ART_INDEX'"))
    return found


def test_old_keys_leave_memory_because_new_ones_are_near_each_other(tmp_path: Path):
    n_rounds, n_ballots = 24, 5_000
    minutes = [NOW + timedelta(minutes=n) for n in range(n_rounds)]
    near = index_memory(tmp_path / "near.duckdb", [[new_key(at) for _ in range(n_ballots)] for at in minutes])
    rng = random.Random(8)
    anywhere = [[f"{rng.getrandbits(96):024x}" for _ in range(n_ballots)] for _ in minutes]
    spread = index_memory(tmp_path / "spread.duckdb", anywhere)
    half = n_rounds // 2
    assert max(spread[half:]) > 3 / 2 * max(spread[:half])
    assert max(near[half:]) < 3 / 2 * max(near[:half])
