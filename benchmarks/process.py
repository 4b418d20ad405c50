"""A process from its start to its end: how long, how much memory, and how it ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PER_MB = 1024**2 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, kilobytes on Linux
_SHOWN = 200


@dataclass(frozen=True)
class Process:
    """`seconds` on the wall from start to end, `busy` those of all processors; `peak_mb` the largest resident memory of
    it or one of its children.

    `failure` is None for a process that ended with 0, otherwise what stopped it, in a few words. A process that ran
    out of time has `timed_out`, and its seconds are those it was given.
    """

    seconds: float
    peak_mb: float
    failure: str | None = None
    timed_out: bool = False
    busy: float = 0.0


def run(command: Sequence[str], stdout: Path, *, timeout: float) -> Process:
    """Run a command, its output into a file, and kill it with its children if it takes more than `timeout` seconds.

    Linux counts the memory of the parent's copy before the command replaces it, so the caller should be small: import
    no NumPy where this is called.
    """
    stderr = stdout.with_suffix(".stderr")
    with stdout.open("wb") as out, stderr.open("wb") as err:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        ended: list[tuple[float, int, float, float]] = []

        def wait() -> None:
            _, status, usage = os.wait4(child.pid, 0)
            ended.append((time.perf_counter(), status, usage.ru_maxrss / _PER_MB, usage.ru_utime + usage.ru_stime))

        waiter = threading.Thread(target=wait)
        waiter.start()
        waiter.join(timeout)
        timed_out = waiter.is_alive()
        if timed_out:
            os.killpg(child.pid, signal.SIGKILL)
            waiter.join()
    ended_at, status, peak_mb, busy = ended[0]
    child.returncode = os.waitstatus_to_exitcode(status)
    if timed_out:
        return Process(timeout, peak_mb, f"more than {timeout:g} s", timed_out=True, busy=busy)
    failure = None if child.returncode == 0 else f"ended with {child.returncode}: {_last_line(stderr)}"
    return Process(ended_at - started, peak_mb, failure, busy=busy)


def _last_line(path: Path) -> str:
    lines = [line.strip(" │╭╰─╯") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "no message")[:_SHOWN]
