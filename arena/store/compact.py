"""The file written anew: what was deleted from the tables is gone from the bytes as well.

DuckDB keeps the bytes of rows that were changed or deleted in blocks that it calls free, and no checkpoint or vacuum
clears them. A copy of the tables into a new file, by DuckDB's own `copy from database`, has what the tables hold and
nothing else: keys, checks and views come along.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from arena.errors import DatabaseInUse, DatabaseUnavailable
from arena.store.database import Database, connect, first_line
from arena.store.log import head, redact_withdrawn
from arena.store.row import scalar
from arena.store.torn import log_of

# Acts of the log that took text away after the file was last written anew.
_PENDING = "select count(*) from redactions where seq > (select coalesce(max(n_log), 0) from rewrites)"

# What must be the same in both files, beside the number of rows of each table.
_SHAPE = """
    select 'table' as kind, table_name as name, sql as told from duckdb_tables() where database_name = $of
    union all select 'view', view_name, sql from duckdb_views() where database_name = $of and not internal
    union all select 'index', index_name, sql from duckdb_indexes() where database_name = $of
    order by all"""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """How many withdrawn texts were still in the old file, and how large the two files were, in bytes."""

    n_texts: int
    bytes_before: int
    bytes_after: int


def rewrite(path: Path, now: datetime) -> Rewritten | None:
    """Write a database that nobody has open anew, if a text was withdrawn since that was last done; else None.

    Before, texts that were withdrawn when the log knew no redactions yet are taken out. Killed at any instant, the old
    or the new file is there, whole; what is left of a copy that was broken off is removed first. Takes as much room on
    the disk again as the file. Raises a StoreError as opening does, or DatabaseUnavailable where the copy cannot be
    made or is not the same; the old file stays then.
    """
    draft = path.with_name(f"{path.name}.rewritten")
    try:
        _remove(draft)
        database = Database.open(path)  # reads back what a killed process left in the write-ahead log, and migrates
        try:
            with database.write() as cursor:
                redact_withdrawn(cursor, now)
                n_texts = scalar(cursor, _PENDING)
        finally:
            database.close()
        if not n_texts:
            return None
        before = path.stat().st_size
        _copy(path, draft, now)
        return Rewritten(n_texts, before, path.stat().st_size)
    except OSError as error:
        raise DatabaseUnavailable(f"{path} cannot be written anew: {error.strerror}") from error


def _copy(path: Path, draft: Path, now: datetime) -> None:
    """Copy into the draft, see that it is the same, and put it in the place of the file."""
    try:
        with connect(None) as connection:
            # Nobody else can open the file until its successor has taken its name.
            connection.execute(f"attach {_quoted(path)} as old")
            connection.execute(f"attach {_quoted(draft)} as new")
            draft.chmod(path.stat().st_mode)
            connection.execute("copy from database old to new")
            n_log = _same(connection, path)
            connection.execute("insert into new.rewrites values (?, ?)", [n_log, now])
            connection.execute("checkpoint new")
            connection.execute("detach new")
            _put(draft, path)
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise DatabaseInUse(path, None) from error
        raise DatabaseUnavailable(f"{path} cannot be written anew: {first_line(error)}") from error
    finally:
        _remove(draft)


def _same(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The number of the log's last act. Raises DatabaseUnavailable unless both files hold the same."""
    shapes, counts, heads = [], [], []
    for name in ("old", "new"):
        shapes.append(connection.execute(_SHAPE, {"of": name}).fetchall())
        tables = sorted(table for kind, table, _ in shapes[-1] if kind == "table")
        counts.append([scalar(connection, f'select count(*) from {name}."{table}"') for table in tables])
        connection.execute(f"use {name}")
        heads.append(head(connection))
    connection.execute("use memory")
    if shapes[0] != shapes[1] or counts[0] != counts[1] or heads[0] != heads[1]:
        raise DatabaseUnavailable(f"{path} was not written anew: the copy is not the same. The file stays as it is")
    return heads[0][0]


def _put(draft: Path, path: Path) -> None:
    """Give the draft the file's name, with what is on disk in this order: its bytes, then its name."""
    if log_of(path).exists() or log_of(draft).exists():
        raise DatabaseUnavailable(f"{path} was not written anew: somebody else writes to it. Stop the arena first")
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(draft: Path) -> None:
    for each in (draft, log_of(draft)):
        each.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
