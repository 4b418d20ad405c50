"""One DuckDB file: opened, locked, brought up to date, and its failures named."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Self

import duckdb

from arena.errors import DatabaseInUse, DatabaseTooNew, DatabaseUnavailable, KeyTaken, NotADatabase, StoreError

# Nothing of a vote or an answer may make the database fetch code from the network.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

# Where every DuckDB file says what it is: after a checksum of 8 bytes.
_MAGIC = b"DUCK"

_VERSIONS = "create table if not exists schema_versions (version integer primary key, applied_at timestamptz not null)"


class Database:
    """An open file that any number of threads may use.

    A shared DuckDB connection refuses a second thread while it is busy, so each use takes a cursor of its own (some
    10 µs). Writes are serialised: each vote names the one before it, and an append never has to be tried again.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path | None):
        self._connection = connection
        self._writing = threading.RLock()
        self._open = threading.local()  # the cursor of this thread's transaction, if it is in one
        self.path = path

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """Open the file (None: in memory), creating it when missing, and bring its schema up to date.

        Raises DatabaseInUse, NotADatabase, DatabaseTooNew or DatabaseUnavailable.
        """
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                _look_at(path)
            connection = connect(path)
        except OSError as error:
            raise DatabaseUnavailable(f"{path} cannot be opened: {error.strerror}") from error
        except duckdb.Error as error:
            raise _why_not_opened(path or Path(":memory:"), str(error)) from error
        database = cls(connection, path)
        try:
            database._migrate()
        except StoreError:
            database.close()
            raise
        return database

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor to ask with; inside a `write` of the same thread, the one that sees its changes.

        Raises DatabaseUnavailable for whatever the database cannot do.
        """
        joined = getattr(self._open, "cursor", None)
        if joined is not None:
            yield joined
            return
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            self._recover(error)
            raise DatabaseUnavailable(f"{self._name} cannot be read: {first_line(error)}") from error

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose changes are committed together at the end, or not at all.

        A write inside a write of the same thread joins it: what belongs together is stored together. Raises KeyTaken
        where a unique key or a check refused the change, DatabaseUnavailable for anything else; nothing is stored then.
        """
        joined = getattr(self._open, "cursor", None)
        if joined is not None:
            yield joined
            return
        with self._writing:
            try:
                with self._connection.cursor() as cursor:
                    self._open.cursor = cursor
                    cursor.begin()
                    try:
                        yield cursor
                        cursor.commit()
                    except BaseException:
                        # A commit that failed has ended its transaction already.
                        with suppress(duckdb.Error):
                            cursor.rollback()
                        raise
                    finally:
                        self._open.cursor = None
            except duckdb.ConstraintException as error:
                raise KeyTaken(first_line(error)) from error
            except duckdb.Error as error:
                self._recover(error)
                raise DatabaseUnavailable(f"{self._name} cannot be written: {first_line(error)}") from error

    def _recover(self, error: duckdb.Error) -> None:
        """Open the file anew after an error that has made DuckDB give up on it, as a full disk at a checkpoint does.

        What was committed is in the file and its write-ahead log, and is read back. Until the disk has room again this
        fails as well; then the next use tries once more.
        """
        if not isinstance(error, duckdb.FatalException | duckdb.ConnectionException) or self.path is None:
            return
        with self._writing:
            with suppress(duckdb.Error):
                self._connection.close()
            with suppress(duckdb.Error):
                self._connection = connect(self.path)

    @property
    def _name(self) -> str:
        return str(self.path or "the database in memory")

    def _migrate(self) -> None:
        """Apply the schema steps that are missing, each in one transaction together with the record of it."""
        path = self.path or Path(":memory:")
        with self.read() as cursor:
            tables = {name for (name,) in cursor.execute("select table_name from duckdb_tables()").fetchall()}
            if tables and "schema_versions" not in tables:
                raise NotADatabase(path, f"it holds other tables ({', '.join(sorted(tables)[:3])})")
            applied = cursor.execute("select version from schema_versions").fetchall() if tables else []
        done = {version for (version,) in applied}
        steps = _migrations()
        if done and max(done) > max(steps):
            raise DatabaseTooNew(path, max(done), max(steps))
        for version in sorted(steps.keys() - done):
            with self.write() as cursor:
                cursor.execute(_VERSIONS)
                cursor.execute(steps[version])
                cursor.execute("insert into schema_versions values (?, now())", [version])


def connect(path: Path | None) -> duckdb.DuckDBPyConnection:
    """A connection to a file, or to one in memory (None), as this project wants it."""
    connection = duckdb.connect(":memory:" if path is None else str(path), config=_CONFIG)
    # Times come back in UTC on any machine.
    connection.execute("set global TimeZone = 'UTC'")
    return connection


def _look_at(path: Path) -> None:
    """Refuse what is no DuckDB file before DuckDB tries to be helpful with it, as by fetching an extension.

    Only before the file is opened: to close a second handle on it would drop the lock that keeps other processes out.
    """
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            head = file.read(12)
        if head[8:] != _MAGIC:
            raise NotADatabase(path, "it is not a DuckDB file")


def first_line(error: Exception) -> str:
    """DuckDB's messages go on for lines; the first one says what happened."""
    return str(error).strip().split("\n", 1)[0]


def _why_not_opened(path: Path, message: str) -> StoreError:
    if "Could not set lock" in message:
        holder = re.search(r"\(PID (\d+)", message)
        return DatabaseInUse(path, holder[1] if holder else None)
    if "not a valid DuckDB database" in message:
        return NotADatabase(path, "DuckDB does not recognise the file")
    if "version number" in message:
        return NotADatabase(path, "it was written by another version of DuckDB than this one can read")
    return DatabaseUnavailable(f"{path} cannot be opened: {message.strip().splitlines()[0]}")


def _migrations() -> dict[int, str]:
    files = resources.files("arena.store").joinpath("schema").iterdir()
    return {int(file.name[:4]): file.read_text(encoding="utf-8") for file in files if file.name.endswith(".sql")}
