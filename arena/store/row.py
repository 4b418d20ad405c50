"""Values on their way into and out of rows."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from arena.battle import Message


def first(
    cursor: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] | Mapping[str, Any] = ()
) -> tuple[Any, ...] | None:
    """The first row, or None. Reads the result to its end: one half read would keep the cursor busy."""
    rows = cursor.execute(query, dict(values) if isinstance(values, Mapping) else list(values)).fetchall()
    return rows[0] if rows else None


def scalar(cursor: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The one value of a query that always has one row."""
    [[value]] = cursor.execute(query).fetchall()
    return value


def to_json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def to_messages(value: Sequence[Mapping[str, str]]) -> tuple[Message, ...]:
    return tuple(Message(message["role"], message["content"]) for message in value)


def from_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
