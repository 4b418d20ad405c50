"""One DuckDB file: opened, locked, brought up to date, and its failures named."""

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any, Self, TypeVar

import duckdb

from arena.errors import (
    DatabaseDamaged,
    DatabaseInUse,
    DatabaseTooNew,
    DatabaseUnavailable,
    KeyTaken,
    NotADatabase,
    StoreError,
)
from arena.store.replica import replicated
from arena.store.torn import keep, log_of, torn_log
from arena.store.transaction import Line, Request, Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")

# Nothing of a vote or an answer may make the database fetch code from the network.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

# Where every DuckDB file says what it is: after a checksum of 8 bytes.
_MAGIC = b"DUCK"

# What DuckDB says of a file that is not what it wrote.
_DAMAGE = re.compile("corrupt|could not read enough bytes|failure while replaying wal", re.IGNORECASE)

_VERSIONS = "create table if not exists schema_versions (version integer primary key, applied_at timestamptz not null)"


class Database:
    """An open file that any number of threads may use.

    A shared DuckDB connection refuses a second thread while it is busy, so each use takes a cursor of its own (some
    10 µs). Writes are serialised: each vote names the one before it, and an append never has to be tried again. What
    comes many times a second goes through `gather`, where those that wait share a transaction.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path | None):
        self._connection = connection
        self._writing = threading.RLock()
        self._line = Line()
        self._open = threading.local()  # the transaction of this thread, if it is in one
        self._forgetting: list[Callable[[], object]] = []
        self._copying = threading.Lock()
        self.path = path

    @classmethod
    def open(cls, path: Path | None, *, then: Callable[[Self], object] = lambda _: None) -> Self:
        """Open the file (None: in memory), creating it when missing, and bring its schema up to date.

        `then` is what else has to be done before anybody uses it. Raises DatabaseInUse, NotADatabase, DatabaseTooNew,
        DatabaseDamaged or DatabaseUnavailable; the file is then as it was.
        """
        torn = None
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                _look_at(path)
                torn = torn_log(path)
            connection = connect(path)
        except OSError as error:
            raise DatabaseUnavailable(f"{path} cannot be opened: {error.strerror}") from error
        except duckdb.Error as error:
            raise _why_not_opened(path or Path(":memory:"), str(error)) from error
        database = cls(connection, path)
        try:
            if path is not None and torn is not None:
                _keep_torn(path, torn)
            database._migrate()
            then(database)
        except StoreError:
            # To close it as usual would write into a file that is damaged, or not ours, and remove its last commits.
            with suppress(duckdb.Error):
                connection.execute("pragma disable_checkpoint_on_shutdown")
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
        if self.transaction is not None:
            yield self.transaction.cursor
            return
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            self._recover(error)
            raise _unavailable(self.path, "read", error) from error

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose changes are committed together at the end, or not at all.

        A write inside a write of the same thread joins it: what belongs together is stored together. Raises KeyTaken
        where a unique key or a check refused the change, DatabaseUnavailable for anything else; nothing is stored then.
        """
        if self.transaction is not None:
            yield self.transaction.cursor
            self.transaction.head = None  # something may have been added to the log
            return
        with self._writing:
            try:
                with self._connection.cursor() as cursor:
                    cursor.begin()
                    transaction = self._open.transaction = Transaction(cursor)
                    try:
                        yield cursor
                        transaction.flush()
                        cursor.commit()
                        for do in transaction.then:
                            do()
                    except BaseException as error:
                        # Who was refused before anything was written has changed nothing.
                        if transaction.then or isinstance(error, duckdb.Error):
                            self.forget()
                        # A commit that failed has ended its transaction already.
                        with suppress(duckdb.Error):
                            cursor.rollback()
                        raise
                    finally:
                        self._open.transaction = None
            except duckdb.ConstraintException as error:
                raise KeyTaken(first_line(error)) from error
            except duckdb.Error as error:
                self._recover(error)
                raise _unavailable(self.path, "written", error) from error

    @property
    def transaction(self) -> Transaction | None:
        """The open transaction of this thread."""
        return getattr(self._open, "transaction", None)

    @property
    def writing(self) -> Transaction:
        """The open transaction of this thread, where there must be one."""
        transaction = self.transaction
        assert transaction is not None, "nothing is being written"  # noqa: S101 - a mistake of ours
        return transaction

    def gather(self, job: Callable[[], T]) -> T:
        """Do a job in a write, together with those of other threads that wait; when this returns, all of it is stored.

        The job runs in whichever of these threads writes next, after those that came before it, and finds `transaction`
        there: what it adds to that costs least. It may refuse by raising an error before it adds anything, which is
        raised here and nowhere else. Where the whole cannot be stored because of one of the jobs, each is done again
        alone, so a job must be one that can be done twice. Raises KeyTaken and DatabaseUnavailable as `write` does.
        """
        if self.transaction is not None:
            return job()
        return self._line.join(job, self._store)

    def _store(self, requests: Sequence[Request[Any]]) -> None:
        """Store what these ask for in one write, or say to each why that failed."""
        try:
            with self.write():
                for request in requests:
                    request.run(self.writing)
        except Exception as error:  # noqa: BLE001 - handed to the threads that asked, each of which raises it
            if len(requests) > 1 and not isinstance(error, DatabaseUnavailable):  # it is one of them: which?
                for request in requests:
                    self._store([request])
            else:
                for request in requests:
                    request.end(error)
        else:
            for request in requests:
                request.end()

    def copy_to(self, target: Path) -> None:
        """Write all tables, as they stand at one instant, into a new database file; writing goes on here meanwhile.

        Constraints and views go along. Raises DatabaseUnavailable where that fails; what is there of the target then
        is the caller's to remove.
        """
        with self._copying:
            try:
                with self._connection.cursor() as cursor, replicated(cursor, target):
                    pass
            except duckdb.Error as error:
                self._recover(error)
                raise DatabaseUnavailable(f"{target} cannot be written: {first_line(error)}") from error

    def once_stored(self, do: Callable[[], object]) -> None:
        """Have something done after the commit of this thread's open write, before another one can begin; it must not
        fail. Where the write fails it is not done."""
        self.writing.then.append(do)

    def on_forgetting(self, do: Callable[[], object]) -> None:
        """Have something done whenever what was read before may no longer hold."""
        self._forgetting.append(do)

    def forget(self) -> None:
        """What was read before may no longer hold."""
        for do in self._forgetting:
            do()

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


@contextmanager
def closed(path: Path) -> Iterator[None]:
    """Keep every other process from opening the file, if there is one, by the lock that DuckDB takes on it.

    For files that may be damaged, which DuckDB would not open. Raises DatabaseInUse where another process holds it,
    DatabaseUnavailable where it cannot be opened.
    """
    if not path.exists():
        yield
        return
    import fcntl  # noqa: PLC0415 - not on every system, and needed here only

    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("r+b"))
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DatabaseInUse(path, _holder(path)) from error
        except OSError as error:
            raise DatabaseUnavailable(f"{path} cannot be opened: {error.strerror}") from error
        yield


def _holder(path: Path) -> str | None:
    """The number of the process that holds the file, as DuckDB names it."""
    try:
        duckdb.connect(str(path), read_only=True, config=_CONFIG).close()
    except duckdb.Error as error:
        found = re.search(r"\(PID (\d+)", str(error))
        return found[1] if found else None
    return None


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
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(12)
        if not head:
            raise NotADatabase(path, "it is empty, which none ever is. Delete it to begin anew, or restore a backup")
        if head[8:] != _MAGIC:
            raise NotADatabase(path, "it is not a DuckDB file")
    elif log_of(path).is_file():
        # DuckDB would begin a new database, and remove the votes that are in there.
        raise NotADatabase(path, f"it is gone, and {log_of(path).name} with its last votes is there. Bring it back")


def _keep_torn(path: Path, torn: bytes) -> None:
    try:
        kept = keep(path, torn)
    except OSError as error:
        raise DatabaseUnavailable(
            f"{log_of(path)} cannot be read to its end, and cannot be kept aside either: {error.strerror}. Make room "
            "beside it; nothing was changed"
        ) from error
    log.warning(
        "%s could not be read to its end, as after a power cut while something was being written. All before that is "
        "in %s; the write-ahead log as it was found is kept as %s",
        log_of(path),
        path,
        kept,
    )


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
    if _DAMAGE.search(message):
        return DatabaseDamaged(path, message.strip().splitlines()[0])
    return DatabaseUnavailable(f"{path} cannot be opened: {message.strip().splitlines()[0]}")


def _unavailable(path: Path | None, what: str, error: duckdb.Error) -> DatabaseUnavailable:
    if path is not None and _DAMAGE.search(str(error)):
        return DatabaseDamaged(path, first_line(error))
    return DatabaseUnavailable(f"{path or 'the database in memory'} cannot be {what}: {first_line(error)}")


def _migrations() -> dict[int, str]:
    files = resources.files("arena.store").joinpath("schema").iterdir()
    return {int(file.name[:4]): file.read_text(encoding="utf-8") for file in files if file.name.endswith(".sql")}
