"""Kept: what was acknowledged is on disk, whatever happens to the disk or to the process."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from arena.store import VoteStore
from ground import NOW, ROOT

TESTS = ROOT / "tests"

PREPARED = f"""
import json, resource, signal, sys
sys.path[:0] = [{str(ROOT)!r}, {str(TESTS)!r}, {str(TESTS / "arena")!r}]
from pathlib import Path
from arenas import KEY, booth, fill
from ground import NOW
from arena.battle import Verdict
from arena.errors import VoteNotSaved, DatabaseUnavailable
from arena.store import VoteStore
store = VoteStore.open(Path(sys.argv[1]))
"""


def program(body: str) -> str:
    return PREPARED + textwrap.dedent(body)


def test_a_vote_on_a_full_disk_is_not_called_saved_and_can_be_sent_again(tmp_path: Path):
    body = """
        fill(store, NOW, n_prompts=30, n_models=6)
        here, me = booth(store, NOW), KEY.voter_id(KEY.issue())
        for _ in range(20):
            here.cast(here.open(me, NOW).id, Verdict.A, me, NOW)
        ballot = here.open(me, NOW)
        # From here on no file may grow: what a full disk does, with the same error path through DuckDB.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        largest = max(path.stat().st_size for path in Path(sys.argv[1]).parent.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 64, resource.RLIM_INFINITY))
        told = []
        for _ in range(3):
            try:
                here.cast(ballot.id, Verdict.A, me, NOW)
            except VoteNotSaved as error:
                told.append(str(error))
        read_while_full = store.log.position()[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        here.cast(ballot.id, Verdict.A, me, NOW)  # the same ballot, as the page's "Try again" sends it
        here.cast(here.open(me, NOW).id, Verdict.B, me, NOW)
        print(json.dumps({"told": told, "read_while_full": read_while_full}))
        store.close()
    """
    path = tmp_path / "arena.duckdb"
    done = subprocess.run(
        [sys.executable, "-c", program(body), str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen["told"]) == 3
    assert all("was not saved" in told and "can be sent again" in told for told in seen["told"])
    assert seen["read_while_full"] == 20
    with VoteStore.open(path) as store:
        # 20 before, the refused one when there was room again, and one more.
        assert store.log.position()[0] == 22
        assert store.log.broken_links() == []


def test_a_ranked_list_on_a_full_disk_is_not_called_saved_and_can_be_sent_again(tmp_path: Path):
    body = """
        from random import Random
        from arena.list_voting import ListBooth
        fill(store, NOW, n_prompts=30, n_models=6)
        store.catalogue.set_rules('[ballot]\\nkind = "ranked"', None, NOW)
        here, me = ListBooth(store, booth(store, NOW), rng=Random(0), now=NOW), KEY.voter_id(KEY.issue())
        for _ in range(5):
            here.rank(here.open(me, NOW).id, [1, 2, 3, 4], me, NOW)
        ballot = here.open(me, NOW)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        largest = max(path.stat().st_size for path in Path(sys.argv[1]).parent.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 64, resource.RLIM_INFINITY))
        told = []
        try:
            here.rank(ballot.id, [1, 2, 3, 4], me, NOW)
        except VoteNotSaved as error:
            told.append(str(error))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        here.rank(ballot.id, [1, 2, 3, 4], me, NOW)
        print(json.dumps({"told": told, "n_log": store.log.position()[0], "whole": not store.log.broken_links()}))
        store.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", program(body), str(tmp_path / "arena.duckdb")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["told"]) == 1
    assert found["told"][0].endswith("It can be sent again")
    assert (found["n_log"], found["whole"]) == (36, True)


VOTING = """
    here = booth(store, NOW)
    while True:
        me = KEY.voter_id(KEY.issue())
        for _ in range(15):
            ballot = here.open(me, NOW)
            here.cast(ballot.id, Verdict.A, me, NOW)
            print(ballot.id, flush=True)
"""


def kill_while_voting(path: Path, after: int) -> list[str]:
    """Start a process that votes, end it by SIGKILL after so many votes, and return the ballots it called saved."""
    acknowledged: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", program(VOTING), str(path)], stdout=subprocess.PIPE, text=True
    ) as voting:
        assert voting.stdout is not None
        for line in voting.stdout:
            acknowledged.append(line.strip())
            if len(acknowledged) == after:
                voting.kill()
        # What it printed between our decision and its end was acknowledged as well; a torn last line was not.
    return [ballot for ballot in acknowledged if len(ballot) == len(acknowledged[0])]


def check_kills(path: Path, n_kills: int) -> None:
    from arenas import fill  # noqa: PLC0415 - beside this file

    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=4, n_models=4)
    acknowledged: set[str] = set()
    for kill in range(n_kills):
        acknowledged.update(kill_while_voting(path, after=1 + 7 * kill % 23))
        with VoteStore.open(path) as store:
            opened = [store.ballots.find(ballot) for ballot in acknowledged]
            assert all(ballot is not None and ballot.verdict is not None for ballot in opened)
            n_log = store.log.position()[0]
            # Each kill may catch one vote between its commit and its acknowledgement: stored, and not yet told.
            assert len(acknowledged) <= n_log <= len(acknowledged) + kill + 1
            assert store.log.broken_links() == []


def test_no_acknowledged_vote_is_lost_by_a_kill(tmp_path: Path):
    check_kills(tmp_path / "arena.duckdb", n_kills=4)


@pytest.mark.proof
def test_no_acknowledged_vote_is_lost_by_a_hundred_kills(tmp_path: Path):
    check_kills(tmp_path / "arena.duckdb", n_kills=100)
