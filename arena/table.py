"""Tables on disk, read and written by DuckDB: Parquet, CSV, and JSON Lines (one object a line), by the file's ending.

The only place beside `store/` that imports duckdb. Nothing here knows what the columns mean.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from arena.errors import BadInput

_READERS = {
    ".parquet": "read_parquet(?)",
    # All as text: an id keeps its leading zeros, and only an empty field is empty.
    ".csv": "read_csv(?, all_varchar = true, header = true)",
    ".jsonl": "read_json(?, format = 'newline_delimited', sample_size = -1)",
    ".ndjson": "read_json(?, format = 'newline_delimited', sample_size = -1)",
}

_WRITERS = {
    ".parquet": "format parquet, compression zstd",
    ".csv": "format csv, header true",
    ".json": "format json, array true",
    ".jsonl": "format json, array false",
}

_BATCH = 10_000


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns of a table file.

    Raises BadInput for a file that is missing, empty, of an unknown kind, or that cannot be read as what it is called.
    """
    return tuple(name for name, _ in _described(path))


def count_by(path: Path, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """How often each combination of values stands in these columns: their texts, then the count, in a fixed order."""
    listed = ", ".join(f"{_quoted(column)}::varchar" for column in columns)
    with _connection(path) as con:
        return con.execute(
            f"select {listed}, count(*) from {_reader(path)} group by all order by all", [str(path)]
        ).fetchall()


def first_row_where(path: Path, values: Mapping[str, str | None]) -> int:
    """The number of the first row that holds these texts in these columns; rows count from 1, without a header."""
    condition = " and ".join(f"{_quoted(column)}::varchar is not distinct from ?" for column in values)
    with _connection(path) as con:
        rows = con.execute(
            f"select min(n) from (select *, row_number() over () as n from {_reader(path)}) where {condition}",
            [str(path), *values.values()],
        ).fetchall()
    return rows[0][0]


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """All rows in the file's order with their numbers, counted from 1 without a header.

    CSV gives texts (an empty field is None), JSON Lines what the line says, Parquet its own types.
    """
    columns = columns_of(path)
    is_json = path.suffix.lower() in (".jsonl", ".ndjson")
    # Read as JSON and not as the type that most rows look like: "007" stays a text, and a date is what was written.
    reader = _reader(path)
    if is_json:
        types = ", ".join(f"{_literal(name)}: 'JSON'" for name in columns)
        reader = f"read_json(?, format = 'newline_delimited', columns = {{{types}}})"
    number = 0
    with _connection(path) as con:
        con.execute(f"select * from {reader}", [str(path)])
        while batch := con.fetchmany(_BATCH):
            for values in batch:
                number += 1
                parsed = [value and json.loads(value) for value in values] if is_json else values
                yield number, dict(zip(columns, parsed, strict=True))


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
        if rows:
            appender = con.appender("result")
            appender.append_rows(rows)
            appender.flush()
        con.execute(f"copy result to {_literal(str(draft))} ({_WRITERS[ending]})")


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears under its name only when it is complete. Raises BadInput where that fails."""
    with _whole(path) as draft:
        draft.write_text(text, encoding="utf-8")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A draft beside the file that takes its place at the end, or is gone."""
    draft = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    except duckdb.Error as error:
        raise BadInput(f"{path} cannot be written: {_first_line(error)}") from error
    finally:
        draft.unlink(missing_ok=True)


def _described(path: Path) -> list[tuple[str, str]]:
    reader = _reader(path)
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty: it holds no row")
    with _connection(path) as con:
        return [row[:2] for row in con.execute(f"describe select * from {reader}", [str(path)]).fetchall()]


@contextmanager
def _connection(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own, in memory, that never asks the network; DuckDB's complaints become ours."""
    config: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    try:
        with duckdb.connect(config=config) as con:
            yield con
    except duckdb.Error as error:
        raise BadInput(f"{path} cannot be read as {path.suffix[1:].upper()}: {_first_line(error)}") from error


def _reader(path: Path) -> str:
    try:
        return _READERS[path.suffix.lower()]
    except KeyError:
        raise BadInput(f"{path} has an ending that is not known; use one of {', '.join(_READERS)}") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
