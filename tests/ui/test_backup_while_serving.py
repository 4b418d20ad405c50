"""A backup while people vote: a copy of one instant, and nobody waits for it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.control import socket_of
from arena.intake import import_pack
from arena.pack import read_pack, starter_directory
from arena.store import VoteStore
from crowd import Told, clients, compare, free_port, full, light, start, wait_until_open
from ground import NOW, ROOT


def bakeoff(*words: object) -> str:
    """The command's result, from a process of its own: this one may open what the arena holds only if it is another."""
    done = subprocess.run(
        [sys.executable, "-m", "arena", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [light, pytest.param(full, marks=pytest.mark.proof)])
def test_a_backup_under_load_holds_what_voters_were_told_until_then(
    command: Callable[[Path, int], list[str]], tmp_path: Path
):
    path, port = tmp_path / "arena.duckdb", free_port()
    with VoteStore.open(path) as store:
        import_pack(store, read_pack(starter_directory()), NOW)
    url = f"http://127.0.0.1:{port}"
    n_copied = []
    with start(command(path, port)) as server:
        wait_until_open(url, server)
        with clients(url, seed=3) as voting:
            told = [client.told for client in voting]
            for n in range(2):
                n_before = len(voting[0].told.acknowledged)
                while len(voting[0].told.acknowledged) < n_before + 2:
                    assert server.poll() is None
                before = [Told({}, dict(t.acknowledged), set(), set(t.withdrawals_acknowledged)) for t in told]
                copy = tmp_path / f"copy{n}.duckdb"
                out = bakeoff("backup", "--db", path, "--out", copy)
                assert "the log is whole" in out
                seen = [
                    Told(dict(t.asked), b.acknowledged, set(t.withdrawals_asked), b.withdrawals_acknowledged)
                    for t, b in zip(told, before, strict=True)
                ]
                n_copied.append(compare(copy, seen, is_at_rest=False))
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    assert 0 < n_copied[0] < n_copied[1]
    assert not socket_of(path).exists()
    assert compare(path, told, is_at_rest=True) >= n_copied[1]
