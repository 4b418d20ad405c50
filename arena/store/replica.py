"""All that a database holds in a second file, as it stood at one instant: by DuckDB's own `copy from database`."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from arena.store.row import scalar

# What must be the same in both, beside the number of rows of each table.
_SHAPE = """
    select 'table' as kind, table_name as name, sql as told from duckdb_tables() where database_name = $of
    union all select 'view', view_name, sql from duckdb_views() where database_name = $of and not internal
    union all select 'index', index_name, sql from duckdb_indexes() where database_name = $of
    order by all"""


@contextmanager
def replicated(cursor: duckdb.DuckDBPyConnection, target: Path, *, mode: int | None = None) -> Iterator[str]:
    """Write the cursor's database into a new file: tables with their keys and checks, views and indexes.

    Inside, the file is whole and attached, under the name that is given, quoted, so that more can be asked of it or
    added; at the end it is let go, with no write-ahead log beside it. Others go on writing to the database meanwhile.
    With a `mode` the file has it before anything is in it. Raises duckdb.Error where the file cannot be written, or is
    not the same; what is there of it then is the caller's to remove.
    """
    here = scalar(cursor, "select current_database()")
    there = f"copy of {here}"
    place = str(target).replace("'", "''")
    cursor.execute(f"attach '{place}' as {quoted(there)}")
    try:
        if mode is not None:
            target.chmod(mode)
        cursor.execute("begin transaction")
        cursor.execute(f"copy from database {quoted(here)} to {quoted(there)}")
        _compare(cursor, here, there)
        cursor.execute("commit")
        yield quoted(there)
        cursor.execute(f"checkpoint {quoted(there)}")
    finally:
        with suppress(duckdb.Error):
            cursor.execute("rollback")
        with suppress(duckdb.Error):
            cursor.execute(f"detach {quoted(there)}")


def _compare(cursor: duckdb.DuckDBPyConnection, here: str, there: str) -> None:
    shape, shape_there = (cursor.execute(_SHAPE, {"of": each}).fetchall() for each in (here, there))
    if shape != shape_there:
        raise duckdb.DataError("the copy is not the same: tables, views or indexes differ")
    for kind, name, _ in shape:
        if kind == "table":
            n, n_there = (
                scalar(cursor, f"select count(*) from {quoted(each)}.{quoted(name)}") for each in (here, there)
            )
            if n != n_there:
                raise duckdb.DataError(f"the copy is not the same: {n} rows of {name} became {n_there}")


def quoted(name: str) -> str:
    """The name of a table or a database, as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
