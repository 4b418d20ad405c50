"""Kept: an arena that is killed under load, again and again, has what it told its voters, once."""

import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from arena.intake import import_pack
from arena.pack import read_pack, starter_directory
from arena.store import VoteStore
from ground import ROOT

N_CLIENTS = 4
VERDICTS = ("A", "B", "tie", "both_bad")
PATIENCE_SECONDS = 90


@dataclass
class Told:
    """What one client asked for, and what it was told; written before each request, and after each answer."""

    asked: dict[str, str] = field(default_factory=dict)
    """The verdicts that were sent, by ballot."""
    acknowledged: dict[str, str] = field(default_factory=dict)
    withdrawals_asked: set[str] = field(default_factory=set)
    withdrawals_acknowledged: set[str] = field(default_factory=set)
    n_cut_off: int = 0
    """Requests whose answer never came."""


class Client(threading.Thread):
    """A stream of voters, one after the other; each votes on some ballots, and takes some votes back.

    A request without an answer is sent again, as the page does, until the arena is back.
    """

    def __init__(self, url: str, seed: int):
        super().__init__()
        self.url = url
        self.rng = random.Random(seed)
        self.told = Told()
        self.stopping = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.be_a_voter()
        except Exception as error:
            self.failure = error
            raise

    def be_a_voter(self) -> None:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=20) as browser:
            self.until_answered(browser, "GET", "/")
            for _ in range(8):
                if self.stopping.is_set():
                    return
                answer = self.until_answered(browser, "POST", "/api/ballots")
                ballot = answer["ballot"]["ballot_id"]
                verdict = self.rng.choice(VERDICTS)
                self.told.asked[ballot] = verdict
                self.until_answered(browser, "POST", f"/api/ballots/{ballot}/vote", {"verdict": verdict})
                self.told.acknowledged[ballot] = verdict
                if self.rng.random() < 0.2:
                    self.told.withdrawals_asked.add(ballot)
                    self.until_answered(browser, "POST", f"/api/ballots/{ballot}/withdrawal")
                    self.told.withdrawals_acknowledged.add(ballot)

    def until_answered(self, browser: httpx.Client, method: str, path: str, body: dict[str, str] | None = None) -> dict:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = browser.request(method, path, json=(body or {}) if method == "POST" else None)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise
                if not isinstance(error, httpx.ConnectError):
                    self.told.n_cut_off += 1
                time.sleep(0.02)
                continue
            if answer.status_code == 429:
                time.sleep(float(answer.headers.get("retry-after", 1)))
                continue
            # Nothing but the kill may go wrong: any other refusal ends this client, and the test.
            answer.raise_for_status()
            return answer.json() if method == "POST" else {}


@contextmanager
def clients(url: str, seed: int) -> Iterator[list[Client]]:
    """Clients under way; at the end each finishes what it has begun."""
    threads = [Client(url, seed * 100 + n) for n in range(N_CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.stopping.set()
        for thread in threads:
            thread.join()


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "OPENBLAS_NUM_THREADS": "1"}


def light(path: Path, port: int) -> list[str]:
    """The arena without its pages."""
    return [str(Path(__file__).parent / "voting_process.py"), str(path), str(port)]


def full(path: Path, port: int) -> list[str]:
    """The arena as a host starts it."""
    return ["-m", "arena", "serve", "--db", str(path), "--port", str(port)]


def wait_until_open(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with httpx.Client(trust_env=False) as client:
        while True:
            assert server.poll() is None, server.stderr.read().decode() if server.stderr else ""
            assert time.monotonic() < deadline
            try:
                client.get(f"{url}/healthz", timeout=5).raise_for_status()
            except httpx.TransportError:
                time.sleep(0.02)
            else:
                return


def kill_at(server: subprocess.Popen[bytes], url: str, rng: random.Random, *, starting: bool) -> None:
    """End the process without warning, within a second after it has opened; or while it is starting."""
    with server:
        if not starting:
            wait_until_open(url, server)
        time.sleep(rng.uniform(0, 1.5))
        server.kill()


def compare(path: Path, told: Sequence[Told], *, is_at_rest: bool) -> int:
    """What clients were told is stored, and nothing else; returns how many votes are stored.

    While requests are under way, one that was not acknowledged may be stored already. At rest none is under way.
    """
    with VoteStore.open(path) as store, store._database.read() as cursor:
        votes = cursor.execute(
            "select ballot_id, verdict, w.vote_id is not null from votes v left join ballots using (battle_id) "
            "left join withdrawals w using (vote_id)"
        ).fetchall()
        assert store.votes.broken_links() == []
    ballots = [ballot for ballot, *_ in votes]
    assert len(ballots) == len(set(ballots)), "a ballot was counted twice"
    stored = {ballot: verdict for ballot, verdict, _ in votes}
    withdrawn = {ballot for ballot, _, is_withdrawn in votes if is_withdrawn}
    acknowledged = {ballot: verdict for each in told for ballot, verdict in each.acknowledged.items()}
    asked = {ballot: verdict for each in told for ballot, verdict in each.asked.items()}
    lost = {ballot for ballot, verdict in acknowledged.items() if stored.get(ballot) != verdict}
    assert not lost, f"{len(lost)} acknowledged votes are not stored as they were told"
    assert stored.items() <= asked.items()
    told_withdrawn = {ballot for each in told for ballot in each.withdrawals_acknowledged}
    assert told_withdrawn <= withdrawn <= {ballot for each in told for ballot in each.withdrawals_asked}
    if is_at_rest:
        assert stored == acknowledged
        assert withdrawn == told_withdrawn
    return len(stored)


def compare_copy(path: Path, folder: Path, told: Sequence[Told]) -> None:
    """Compare in a copy: the next server is to find the database as the kill has left it."""
    folder.mkdir()
    seen = [
        Told(dict(t.asked), dict(t.acknowledged), set(t.withdrawals_asked), set(t.withdrawals_acknowledged))
        for t in told
    ]
    for file in path.parent.glob(f"{path.name}*"):
        if not file.is_socket():
            shutil.copy(file, folder / file.name)
    compare(folder / path.name, seen, is_at_rest=False)
    shutil.rmtree(folder)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


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
    print(
        f"{n_light} + {n_full} kills ({n_starting} while starting): {n_votes} votes and {n_withdrawn} withdrawals "
        f"acknowledged, 0 lost, 0 twice; {n_cut_off} requests were cut off and sent again; "
        f"{len(list(tmp_path.glob('*.torn-*')))} torn logs kept"
    )


def test_what_voters_were_told_is_stored_once_after_kills_under_load(tmp_path: Path):
    check_kills(tmp_path, n_light=3, n_full=0, seed=1)


@pytest.mark.proof
def test_what_voters_were_told_is_stored_once_after_a_hundred_kills_under_load(tmp_path: Path):
    check_kills(tmp_path, n_light=90, n_full=12, seed=2)
