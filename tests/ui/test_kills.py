"""Kept: an arena that is killed under load, again and again, has what it told its voters, once."""

import random
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arena.intake import import_pack
from arena.pack import read_pack, starter_directory
from arena.store import VoteStore
from crowd import clients, compare, compare_copy, free_port, full, light, start, wait_until_open


def kill_at(server: subprocess.Popen[bytes], url: str, rng: random.Random, *, starting: bool) -> None:
    """End the process without warning, within a second after it has opened; or while it is starting."""
    with server:
        if not starting:
            wait_until_open(url, server)
        time.sleep(rng.uniform(0, 1.5))
        server.kill()


def check_kills(tmp_path: Path, *, n_light: int, n_full: int, seed: int) -> None:
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        import_pack(store, read_pack(starter_directory()), datetime.now(UTC))
    rng = random.Random(seed)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    commands = [light] * n_light + [full] * n_full
    n_starting = 0
    with clients(url, seed) as voting:
        told = [client.told for client in voting]
        for n, command in enumerate(commands, 1):
            starting = rng.random() < 0.1
            n_starting += starting
            kill_at(start(command(path, port)), url, rng, starting=starting)
            if n % 10 == 0 or n == len(commands):
                # The server is dead and the next one is not started: nothing is under way but retries.
                compare_copy(path, tmp_path / "copy", told)
            assert [client.failure for client in voting if client.failure] == []
        with start(light(path, port)) as last:
            wait_until_open(url, last)
            for client in voting:
                client.stopping.set()
            for client in voting:
                client.join()
            last.terminate()
    assert [client.failure for client in voting if client.failure] == []
    n_votes = compare(path, told, is_at_rest=True)
    n_withdrawn = sum(len(each.withdrawals_acknowledged) for each in told)
    n_cut_off = sum(each.n_cut_off for each in told)
    print(  # noqa: T201 - the figures of the proof
        f"{n_light} + {n_full} kills ({n_starting} while starting): {n_votes} votes and {n_withdrawn} withdrawals "
        f"acknowledged, 0 lost, 0 twice; {n_cut_off} requests were cut off and sent again; "
        f"{len(list(tmp_path.glob('*.torn-*')))} torn logs kept"
    )


def test_what_voters_were_told_is_stored_once_after_a_kill_under_load(tmp_path: Path):
    check_kills(tmp_path, n_light=1, n_full=0, seed=1)


@pytest.mark.proof
def test_what_voters_were_told_is_stored_once_after_a_hundred_kills_under_load(tmp_path: Path):
    check_kills(tmp_path, n_light=90, n_full=12, seed=2)
