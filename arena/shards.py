"""Tables that grow row by row and end as Parquet files of a bounded size, in the layout of the Hub.

Rows are collected by DuckDB in memory, and beyond that in a folder beside the files that they go into, so that memory
bounds neither their number nor the length of their texts. Two threads work while rows are made, each on one thing at a
time: one appends rows, the other one writes the file of a table that is full.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from arena.errors import BadInput
from arena.table import append

MOST_BYTES = 100_000_000
"""Of a file. Counted before compression, so that it holds whatever the texts are. So many are in memory while a file
fills, and as many while the one before it is written: with more of them rows would wait on disk, at twice the cost."""

_MEMORY = "250MB"
_ROWS_AT_ONCE = 500
_ROW_GROUP = 4096  # rows that are in memory at a time, once a thread; 16 MB where a row has 4 kB


@dataclass(frozen=True, slots=True)
class Shard:
    """A written file with its rows."""

    path: Path
    n_rows: int


class _Lane:
    """A thread that does one thing after the other; who brings the next one waits until it can be begun."""

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self._cursor = connection.cursor()  # a connection of its own to the same tables
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[object] | None = None

    def do(self, job: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
        """Have it done once the one before it is; raises what that one has raised."""
        self.finish()
        self._last = self._thread.submit(job, self._cursor)

    def finish(self) -> None:
        """Wait for the last one; raises what it has raised."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def close(self) -> None:
        """Give up what has not begun, and end the thread."""
        self._thread.shutdown(cancel_futures=True)
        self._cursor.close()


@dataclass(frozen=True, slots=True)
class _Lanes:
    """The two threads."""

    append: _Lane
    copy: _Lane


class Sheet:
    """One table: rows come in, in the order in which they will stand; files come out."""

    def __init__(self, lanes: _Lanes, stem: Path, schema: Mapping[str, str], most_bytes: int):
        self._lanes = lanes
        self._stem = stem
        self._most_bytes = most_bytes
        self._columns = ", ".join(f"{_quoted(name)} {type_}" for name, type_ in schema.items())
        self._waiting: list[Sequence[Any]] = []
        self._n_bytes = self._n_rows = 0
        self._drafts: list[Shard] = []

    def add(self, row: Sequence[Any]) -> None:
        """Take one row."""
        size = len(pickle.dumps(row))  # about what it takes before compression, and counted fast
        if self._n_bytes + size > self._most_bytes and self._n_bytes:
            self._close_shard()
        self._waiting.append(row)
        self._n_bytes += size
        self._n_rows += 1
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self._flush()

    def finish(self) -> list[Shard]:
        """Write what is left, and give the files their names, which tell how many there are. No row, no file."""
        if self._n_rows:
            self._close_shard()
        self._lanes.copy.finish()
        shards = []
        for number, draft in enumerate(self._drafts):
            name = f"{self._stem.name}-{number:05d}-of-{len(self._drafts):05d}.parquet"
            shards.append(Shard(draft.path.rename(self._stem.with_name(name)), draft.n_rows))
        return shards

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, []
        table, is_first = self._table, self._n_rows == len(rows)

        def job(cursor: duckdb.DuckDBPyConnection) -> None:
            if is_first:
                cursor.execute(f"create table {_quoted(table)} ({self._columns})")
            append(cursor, table, rows)

        self._lanes.append.do(job)

    @property
    def _table(self) -> str:
        """Of the shard that is being filled; the one before it may still be on its way into its file."""
        return f"{self._stem.parent.name}/{self._stem.name}/{len(self._drafts)}"

    def _close_shard(self) -> None:
        self._flush()
        self._lanes.append.finish()
        draft = self._stem.with_name(f".{self._stem.name}-{len(self._drafts):05d}.parquet")
        draft.parent.mkdir(parents=True, exist_ok=True)
        place = str(draft).replace("'", "''")
        table = _quoted(self._table)

        def job(cursor: duckdb.DuckDBPyConnection) -> None:
            cursor.execute(f"copy {table} to '{place}' (format parquet, compression zstd, row_group_size {_ROW_GROUP})")
            cursor.execute(f"drop table {table}")

        self._lanes.copy.do(job)
        self._drafts.append(Shard(draft, self._n_rows))
        self._n_bytes = self._n_rows = 0


class Sheets:
    """The tables of one folder, each `<config>/<split>-00000-of-0000N.parquet`."""

    def __init__(self, folder: Path, lanes: _Lanes, most_bytes: int):
        self._folder = folder
        self._lanes = lanes
        self._most_bytes = most_bytes
        self._sheets: dict[tuple[str, str], Sheet] = {}

    def sheet(self, config: str, split: str, schema: Mapping[str, str]) -> Sheet:
        """The table of a config and split; `schema` maps each of its columns to a DuckDB type."""
        key = config, split
        if key not in self._sheets:
            self._sheets[key] = Sheet(self._lanes, self._folder / config / split, schema, self._most_bytes)
        return self._sheets[key]

    def finish(self) -> dict[tuple[str, str], list[Shard]]:
        """Write all that have rows; config and split, in alphabetical order, with their files."""
        written = {key: sheet.finish() for key, sheet in sorted(self._sheets.items())}
        return {key: shards for key, shards in written.items() if shards}


@contextmanager
def sheets(folder: Path, *, most_bytes: int = MOST_BYTES) -> Iterator[Sheets]:
    """Tables that are written below a folder. Raises BadInput where that fails, as on a full disk."""
    try:
        with TemporaryDirectory(prefix=".spill-", dir=folder) as spill:
            config: dict[str, Any] = {
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": _MEMORY,
                "temp_directory": spill,
                "threads": "1",  # several would hold 122,880 rows in memory each, to keep them in order
            }
            with duckdb.connect(config=config) as connection, ExitStack() as stack:
                connection.execute("set global TimeZone = 'UTC'")
                lanes = _Lanes(_Lane(connection), _Lane(connection))
                stack.callback(lanes.append.close)
                stack.callback(lanes.copy.close)
                yield Sheets(folder, lanes, most_bytes)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}") from error
    except duckdb.Error as error:
        first_line = str(error).strip().split("\n", 1)[0]
        raise BadInput(f"{folder} cannot be written: {first_line}") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
