"""The file written anew: what was deleted from the tables is gone from the bytes as well.

DuckDB keeps the bytes of rows that were changed or deleted in blocks that it calls free, and no checkpoint or vacuum
clears them. A copy of the tables in a new file has what the tables hold and nothing else.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from arena.errors import DatabaseInUse, DatabaseUnavailable
from arena.store.database import Database, connect, first_line
from arena.store.log import begin_era, head, redact_withdrawn
from arena.store.own_prompts import ERASED as PROMPTS_ERASED
from arena.store.own_prompts import N_UNERASED as N_PROMPTS_UNERASED
from arena.store.replica import quoted, replicated
from arena.store.row import scalar
from arena.store.signals import ERASED as SIGNALS_ERASED
from arena.store.signals import N_UNERASED as N_SIGNALS_UNERASED
from arena.store.torn import log_of

# Acts of the log that took text away after the file was last written anew.
_PENDING = "select count(*) from redactions where seq > (select coalesce(max(n_log), 0) from rewrites)"


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
        # Reads back what a killed process left in the write-ahead log, and brings the file up to date.
        database = Database.open(path, then=begin_era)
        try:
            with database.write() as cursor:
                redact_withdrawn(cursor, now)
                n_texts = sum(scalar(cursor, each) for each in (_PENDING, N_SIGNALS_UNERASED, N_PROMPTS_UNERASED))
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
        # Nobody else can open the file until its successor has taken its name.
        with connect(path) as connection:
            with replicated(connection, draft, mode=path.stat().st_mode) as there:
                last = head(connection)
                here = scalar(connection, "select current_database()")
                connection.execute(f"use {there}")
                is_same = head(connection) == last
                connection.execute("insert into rewrites values (?, ?)", [last[0], now])
                connection.execute(SIGNALS_ERASED)
                connection.execute(PROMPTS_ERASED)
                connection.execute(f"use {quoted(here)}")
            if not is_same:
                raise DatabaseUnavailable(
                    f"{path} was not written anew: the copy is not the same. The file stays as it is"
                )
            _put(draft, path)
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise DatabaseInUse(path, None) from error
        raise DatabaseUnavailable(f"{path} cannot be written anew: {first_line(error)}") from error
    finally:
        _remove(draft)


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
