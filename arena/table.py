"""Tables on disk: Parquet, CSV, and JSON Lines (one object a line), by the file's ending. Nothing here knows what the
columns mean.

Texts stay what they are: an id keeps its leading zeros, a date the way it was written. CSV and JSON Lines are read by
Python's own readers, which guess nothing; Parquet, which has types of its own, by DuckDB. This is the only place beside
`store/` that imports it.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from arena import json_line
from arena.errors import BadInput

ENDINGS = (".parquet", ".csv", ".jsonl", ".ndjson")

_WRITERS = {
    ".parquet": "format parquet, compression zstd",
    ".csv": "format csv, header true",
    ".json": "format json, array true",
    ".jsonl": "format json, array false",
}

_BATCH = 10_000
_SEPARATORS = (",", ";", "\t", "|")
_LONGEST_FIELD = 2**31 - 1

# DuckDB reads these as patterns over names; in brackets they stand for themselves.
_AS_IT_STANDS = str.maketrans({character: f"[{character}]" for character in "*?["})


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns of a table file; for JSON Lines every key of any line, in the order in which they appear.

    Raises BadInput for a file that is missing, empty, of an unknown kind, or that cannot be read as what it is called.
    """
    match _ending(path):
        case ".parquet":
            with _parquet(path) as cursor:
                cursor.execute("describe select * from read_parquet(?)", [str(path).translate(_AS_IT_STANDS)])
                return tuple(name for name, *_ in cursor.fetchall())
        case ".csv":
            with _csv(path) as (header, _):
                return header
        case _:
            return tuple(dict.fromkeys(key for _, row in _json_rows(path) for key in row))


@contextmanager
def opened(path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, str, tuple[str, ...]]]:
    """The table as something that DuckDB can be asked about: a cursor, what to put after `from`, and the columns.

    In CSV and JSON Lines a whole number counts as its text, and every value is a text. Of columns whose names differ in
    capitals only, and to DuckDB are the same, the one in small letters is there; one without a name is not. Raises
    BadInput as `rows_of`.
    """
    if _ending(path) == ".parquet":
        with _parquet(path) as cursor:
            relation = f"read_parquet({_literal(str(path).translate(_AS_IT_STANDS))})"
            described = cursor.execute(f"describe select * from {relation}").fetchall()
            yield cursor, relation, tuple(name for name, *_ in described)
        return
    columns = _told_apart(columns_of(path))
    if not columns:
        raise BadInput(f"{path} is empty: it holds no row")
    with duckdb.connect() as cursor:
        cursor.execute("set TimeZone = 'UTC'")
        cursor.execute(f"create table rows_of_file ({', '.join(f'{_quoted(name)} varchar' for name in columns)})")
        rows = rows_of(path)
        while batch := [[_as_text(row.get(name)) for name in columns] for _, row in islice(rows, _BATCH)]:
            append(cursor, "rows_of_file", batch)
        yield cursor, "rows_of_file", columns


def first_row_where(path: Path, values: Mapping[str, Any]) -> int:
    """The number of the first row that holds these values in these columns."""
    return next(
        number
        for number, row in rows_of(path)
        if all(_as_text(row.get(column)) == _as_text(value) for column, value in values.items())
    )


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """All rows in the file's order with their numbers, counted from 1 without a header.

    CSV gives texts (an empty field is None), JSON Lines what the line says, Parquet its own types. Raises BadInput,
    with the row, for one that cannot be read.
    """
    match _ending(path):
        case ".parquet":
            with _parquet(path) as cursor:
                cursor.execute("select * from read_parquet(?)", [str(path).translate(_AS_IT_STANDS)])
                columns = [name for name, *_ in cursor.description or ()]
                number = 0
                while batch := cursor.fetchmany(_BATCH):
                    for values in batch:
                        number += 1
                        yield number, dict(zip(columns, values, strict=True))
        case ".csv":
            with _csv(path) as (header, records):
                for number, fields in enumerate(records, 1):
                    if len(fields) != len(header):
                        raise BadInput(
                            f"{path}, row {number:,}: {len(fields)} fields, and the header has {len(header)}"
                        )
                    yield number, {name: text or None for name, text in zip(header, fields, strict=True)}
        case _:
            yield from _json_rows(path)


def write(path: Path, schema: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows as the file's ending says; `schema` maps each column to its DuckDB type.

    The file appears under its name only when it is complete. Raises BadInput for an ending that is not known or a
    place that cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise BadInput(f"{path} has an ending that is not known; use one of {', '.join(_WRITERS)}")
    declared = ", ".join(f"{_quoted(name)} {type_}" for name, type_ in schema.items())
    with _whole(path) as draft, duckdb.connect() as con:
        con.execute(f"create table result ({declared})")
        append(con, "result", rows)
        con.execute(f"copy result to {_literal(str(draft))} ({_WRITERS[ending]})")


def append(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Sequence[Any]]) -> None:
    """Append rows to a table of DuckDB by its appender, some hundred times as fast as inserts.

    They belong to the open transaction, if there is one; of rows that cannot be appended none is kept.
    """
    if rows:
        appender = connection.appender(name)
        try:
            appender.append_rows(rows)
            appender.flush()
        except duckdb.Error:
            appender.clear()
            raise


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears under its name only when it is complete. Raises BadInput where that fails."""
    with _whole(path) as draft:
        draft.write_text(text, encoding="utf-8")


def draft_of(path: Path) -> Path:
    """Where a file is written before it is complete."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A draft beside the file that takes its place at the end, or is gone."""
    draft = draft_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    except duckdb.Error as error:
        raise BadInput(f"{path} cannot be written: {_first_line(error)}") from error
    finally:
        with suppress(OSError):  # as when its folder is no folder: what went wrong has been said
            draft.unlink(missing_ok=True)


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadInput(f"{path} has an ending that is not known; use one of {', '.join(ENDINGS)}")
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty: it holds no row")
    return ending


@contextmanager
def _parquet(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, in memory, that never asks the network; DuckDB's complaints become ours."""
    config: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    try:
        with duckdb.connect(config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise BadInput(f"{path} cannot be read as Parquet: {_first_line(error)}") from error


@contextmanager
def _csv(path: Path) -> Iterator[tuple[tuple[str, ...], Iterator[list[str]]]]:
    """The header and the records after it. The separator is the one that the header has most of, a comma by default."""
    csv.field_size_limit(_LONGEST_FIELD)  # answers are longer than the reader's own limit
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(_SEPARATORS, key=first.count)
            records = csv.reader(file, delimiter=separator, strict=True)
            header = tuple(next(records, ()))  # a file of nothing but a byte order mark has none
            repeated = [name for name, n in Counter(header).items() if n > 1]
            if repeated:
                raise BadInput(f"{path} has more than one column {repeated[0]!r}")

            def counted() -> Iterator[list[str]]:
                nonlocal number
                for record in records:
                    if record:  # an empty line is none
                        number += 1
                        yield record

            yield header, counted()
    except csv.Error as error:
        raise BadInput(f"{path} cannot be read as CSV after row {number:,}: {error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8: {error.reason} at byte {error.start:,} after row {number:,}") from error


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, (line, text) in enumerate(json_line.lines_of(path), 1):
        try:
            yield number, json_line.parse(text)
        except json_line.NoJson as error:
            raise BadInput(f"{path}, line {line:,}: {error}") from error


def _told_apart(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that DuckDB can tell from each other by their names, in their order."""
    chosen: dict[str, str] = {}
    for name in sorted(columns, key=str.islower, reverse=True):
        chosen.setdefault(name.lower(), name)
    return tuple(name for name in columns if name and "\0" not in name and chosen[name.lower()] == name)


def _as_text(value: Any) -> str | None:
    """A value as one text: a whole number as its digits, so that 7 and "7" are one name; others so that none is one."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return f"\0{value!r}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
