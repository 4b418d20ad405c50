"""A crowd of voters over real HTTP who remember what they were told, and the processes that they vote at."""

import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

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


def start(command: Sequence[str], *, inside: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """A server as a process; `inside` is what enters the place where it is to run."""
    return subprocess.Popen(
        [*inside, sys.executable, *command],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
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
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < deadline
            try:
                client.get(f"{url}/healthz", timeout=5).raise_for_status()
            except httpx.TransportError:
                time.sleep(0.02)
            else:
                return


def compare(path: Path, told: Sequence[Told], *, is_at_rest: bool) -> int:
    """What clients were told is stored, and nothing else; returns how many votes are stored.

    While requests are under way, one that was not acknowledged may be stored already. At rest none is under way.
    """
    with VoteStore.open(path) as store, store._database.read() as cursor:
        votes = cursor.execute(
            "select ballot_id, verdict, w.vote_id is not null from votes v left join ballots using (battle_id) "
            "left join withdrawals w using (vote_id)"
        ).fetchall()
        assert store.log.broken_links() == []
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
    """A port that a server may have again and again, also while other tests run.

    Not one of those that the system gives to connections that go out: one of them could take it between two starts.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
