"""Loads a served arena over HTTP, as many voters with browsers would, and says what it bore.

    python benchmarks/load.py            all phases, some six minutes
    python benchmarks/load.py --quick    the same, short, in under a minute
    python benchmarks/load.py --out load.json   every figure as JSON as well

The server is `app.py` as a host starts it, on a fresh database of 20 models and 500 prompts, in a process of its own.
All voters are of one machine, so the limits per address and per voter are set beyond what they can reach, and stay
switched on: they cost what they cost. The voters are a small program in C (voters.c, compiled at the start), so that
the machine is left to the server; each does what the page does, with its cookie. Somebody new comes after 50 votes.

1. *thinking*    200 voters with 5 s of thought; the time from a verdict to its acknowledgement
2. *saturation*  voters that do not think
3. *stalled*     the first phase again, shorter, with 50 clients that stall in the middle of a request or an answer
4. *crowd*       more voters at once than the server queues: who is not served is told when to come back
5. *memory*      resident memory while the log grows

At the end the acknowledged votes are compared with the stored ones, one by one, and the chain of the log is walked.
"""

import argparse
import json
import os
import platform
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arena.limits import Act, Whose
from arena.store import VoteStore
from arena.ui.connection import MOST_CONNECTIONS
from pack import stock

ROOT = Path(__file__).parents[1]
N_MODELS, N_PROMPTS = 20, 500
VOTES_EACH = 50
N_THINKING, THINK_MS = 200, 5000
N_SATURATING, N_STALLED, N_CROWD = 32, 50, 600
BEYOND = "1000000/second"
STARTING_SECONDS = 120
# How lines begin that a server says when all is well; the first only where it takes a while.
USUAL = ("Looking for answers", "The arena is open", "The arena is closed")


class Server:
    """A served arena, seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]", port: int):
        self.process = process
        self.port = port

    @property
    def memory_mb(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def processor_seconds(self) -> float:
        """Time on processors so far, of all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(database: Path, log: Path) -> Iterator[Server]:
    """`app.py` on a free port of this machine; its story goes to `log`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith("BAKEOFF_")}
    own |= {"BAKEOFF_DATABASE": str(database), "BAKEOFF_PORT": str(port), "PYTHONPATH": str(ROOT)}
    own |= {f"BAKEOFF_{act}_{whose}".upper(): BEYOND for act in Act for whose in Whose}
    own["BAKEOFF_CONNECTIONS_PER_ADDRESS"] = str(MOST_CONNECTIONS)
    with log.open("w") as story:
        process = subprocess.Popen([sys.executable, str(ROOT / "app.py")], env=own, stderr=story, text=True)
    try:
        until = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the server did not start: {log.read_text()}") from None
                time.sleep(0.2)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def stalled_clients(port: int, n: int) -> Iterator[None]:
    """Clients that send half of a head, half of a body, or ask for pages and read nothing."""
    head = b"POST /api/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    with ExitStack() as stack:
        for number in range(n):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", port))
            connection.sendall((head, head + b"\r\n{", b"GET /leaderboard HTTP/1.1\r\nHost: x\r\n\r\n" * 3)[number % 3])
        yield


class Load:
    """One run: phases on one server, and everything that was acknowledged in them."""

    def __init__(self, server: Server, folder: Path):
        self._server = server
        self._folder = folder
        self.phases: list[dict[str, Any]] = []
        self._program = folder / "voters"
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise SystemExit("a C compiler is needed for the voters (cc or gcc)")
        subprocess.run([compiler, "-O2", "-o", self._program, ROOT / "benchmarks" / "voters.c"], check=True)

    def phase(self, name: str, n_voters: int, *, think_ms: int, seconds: int, patience_ms: int = 60_000) -> None:
        acknowledged = self._folder / f"{len(self.phases)}.acknowledged"
        given = [self._server.port, n_voters, think_ms, seconds, VOTES_EACH, acknowledged, patience_ms]
        before = self._server.processor_seconds
        done = subprocess.run([self._program, *map(str, given)], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        found |= {"phase": name, "voters": n_voters, "rss_mb": self._server.memory_mb, "load": os.getloadavg()[0]}
        found["processor_ms_per_vote"] = (self._server.processor_seconds - before) * 1000 / max(found["votes"], 1)
        self.phases.append(found)
        print(_told(found), flush=True)

    @property
    def n_votes(self) -> int:
        return sum(phase["votes"] for phase in self.phases)

    def acknowledged(self) -> list[str]:
        return [line for file in self._folder.glob("*.acknowledged") for line in file.read_text().split()]


def _told(found: dict[str, Any]) -> str:
    def of(times: dict[str, int]) -> str:
        return " ".join(f"{share} {times[share] / 1000:.0f}" for share in ("p50", "p95", "p99") if share in times)

    told = (
        f"{found['phase']:<12} {found['voters']:>4} voters {found['seconds']:>6.1f} s  {found['votes']:>6} votes "
        f"{found['votes'] / found['seconds']:>6.1f}/s  vote ms {of(found['vote_us'])}  "
        f"ballot ms {of(found['ballot_us'])}  errors {found['errors']} calm {found['calm']} again {found['again']} "
        f"unanswered {found['unanswered']}  processor {found['processor_ms_per_vote']:.1f} ms a vote  "
        f"{found['rss_mb']:.0f} MB  load {found['load']:.1f}"
    )
    return told + (f"\n  first error: {found['first_error']}" if found["errors"] else "")


def compared(database: Path, acknowledged: list[str]) -> dict[str, int]:
    """The acknowledged votes against the stored ones, and faults of the chain."""
    with VoteStore.open(database) as store:
        with store._database.read() as cursor:
            stored = cursor.execute("select ballot_id from votes join ballots using (battle_id)").fetchall()
        n_broken = len(store.log.broken_links())
    ids = [ballot for (ballot,) in stored]
    return {
        "acknowledged": len(acknowledged),
        "stored": len(ids),
        "lost": len(set(acknowledged) - set(ids)),
        "twice": len(ids) - len(set(ids)) + len(acknowledged) - len(set(acknowledged)),
        "stored_unacknowledged": len(set(ids) - set(acknowledged)),
        "broken_links": n_broken,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Loads a served arena over HTTP.")
    parser.add_argument("--quick", action="store_true", help="short phases and few voters: to see that it works")
    parser.add_argument("--votes", type=int, help="votes after which memory is measured no more (50,000; quick: 300)")
    parser.add_argument("--out", type=Path, help="write every figure as JSON")
    given = parser.parse_args()
    quick = given.quick
    most_votes = given.votes or (300 if quick else 50_000)
    with tempfile.TemporaryDirectory(prefix="bakeoff-load-") as name:
        folder = Path(name)
        database, log = folder / "arena.duckdb", folder / "server.log"
        with VoteStore.open(database) as store:
            rng = random.Random(0)  # noqa: S311 - the same in every run
            stock(store, N_MODELS, N_PROMPTS, rng=rng, now=datetime(2026, 1, 1, tzinfo=UTC))
        print(
            f"{platform.machine()}, {os.cpu_count()} processors for server and voters, "
            f"Python {platform.python_version()}"
        )
        memory: list[tuple[int, float]] = []
        with served(database, log) as server:
            load = Load(server, folder)
            thinking = {"n_voters": 20 if quick else N_THINKING, "think_ms": 500 if quick else THINK_MS}
            load.phase("thinking", **thinking, seconds=4 if quick else 120)
            load.phase("saturation", N_SATURATING, think_ms=0, seconds=4 if quick else 60)
            with stalled_clients(server.port, N_STALLED):
                load.phase("stalled", **thinking, seconds=4 if quick else 30)
            load.phase("crowd", N_CROWD, think_ms=0, seconds=4 if quick else 20, patience_ms=2000)
            memory.append((load.n_votes, server.memory_mb))
            while load.n_votes < most_votes:
                load.phase("memory", N_SATURATING, think_ms=0, seconds=3 if quick else 60)
                memory.append((load.n_votes, server.memory_mb))
        print("memory: " + ", ".join(f"{n:,} votes {mb:.0f} MB" for n, mb in memory))
        found = compared(database, load.acknowledged())
        print(", ".join(f"{key.replace('_', ' ')} {n:,}" for key, n in found.items()))
        lines = log.read_text(encoding="utf-8").splitlines()
        story = [line for line in lines if not line.startswith(USUAL)]
        print(f"other lines in the server's log: {len(story)}" + "".join(f"\n  {line}" for line in story[:5]))
        if given.out:
            given.out.write_text(json.dumps({"phases": load.phases, "memory": memory, **found}, indent=1) + "\n")
        n_errors = sum(phase["errors"] + phase["unanswered"] for phase in load.phases)
        return 1 if n_errors or found["lost"] or found["twice"] or found["broken_links"] or story else 0


if __name__ == "__main__":
    sys.exit(main())
