"""What is stored together: a transaction as the thread that stores it sees it, and the requests that share one.

A row takes DuckDB some two milliseconds to store, and a hundred rows not much longer. So what many threads have to
store at the same moment goes into one transaction: each hands in what it has to do, and whoever comes to write next
does all that waits (group commit: DeWitt and others, Implementation techniques for main memory database systems, 1984).
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import duckdb

from arena.battle import VoterId
from arena.table import append

T = TypeVar("T")


class Transaction:
    """An open transaction. Rows are kept back until somebody reads or it ends, and go into their tables together.

    What its writers tell each other of things that are still to be stored ends with it: `head`, the number and the hash
    of the last act of the log, or None where it has to be looked up; `states`, what changes of voters.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection):
        self._cursor = cursor
        self._rows: dict[str, list[Sequence[Any]]] = {}
        self.head: tuple[int, str] | None = None
        self.states: dict[VoterId, Any] = {}
        self.then: list[Callable[[], object]] = []
        self.n_rows = 0

    @property
    def cursor(self) -> duckdb.DuckDBPyConnection:
        """The cursor, which sees every row that was added."""
        self.flush()
        return self._cursor

    def append(self, table: str, row: Sequence[Any]) -> None:
        """Add a row to a table, in the order of its columns. What refuses it may be heard of at the end only."""
        self._rows.setdefault(table, []).append(row)
        self.n_rows += 1

    def flush(self) -> None:
        rows, self._rows = self._rows, {}
        for table, added in rows.items():
            append(self._cursor, table, added)


class Request(Generic[T]):
    """What one thread wants to have stored, and what came of it."""

    def __init__(self, job: Callable[[], T]):
        self._job = job
        self._answer: T
        self._error: Exception | None = None
        self._is_called = threading.Event()
        self.is_done = False

    def run(self, transaction: Transaction) -> None:
        """Do the job in a transaction. What it raises is its own affair, unless it had added rows by then."""
        n_rows = transaction.n_rows
        self._error = None
        try:
            self._answer = self._job()
        except Exception as error:  # told to the thread that asked, and to no other
            if transaction.n_rows != n_rows:
                raise
            self._error = error

    def end(self, error: Exception | None = None) -> None:
        """The transaction is over, or has failed for this reason."""
        self._error = error or self._error
        self.is_done = True
        self.call()

    def call(self) -> None:
        """Let its thread go on: what it waits for is done, or it is this thread's turn."""
        self._is_called.set()

    def wait(self) -> None:
        self._is_called.wait()

    def answer(self) -> T:
        """What the job has returned; raises what it has raised, or why it could not be stored."""
        if self._error is not None:
            raise self._error
        return self._answer


class Line:
    """Where threads wait to have something stored. The one whose turn it is does it for all who are there by then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Request[Any]] = []
        self._is_somebodys_turn = False

    def join(self, job: Callable[[], T], store: Callable[[Sequence[Request[Any]]], None]) -> T:
        """Have a job done by `store`, which ends every request that it is given; returns what the job returns."""
        request = Request(job)
        with self._lock:
            self._waiting.append(request)
            must_wait, self._is_somebodys_turn = self._is_somebodys_turn, True
        if must_wait:
            request.wait()
        if not request.is_done:
            try:
                with self._lock:
                    requests, self._waiting = self._waiting, []
                store(requests)
            finally:
                with self._lock:
                    self._is_somebodys_turn = bool(self._waiting)
                    if self._waiting:
                        self._waiting[0].call()
        return request.answer()
