"""Values on their way into and out of rows."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from arena.battle import Confidence, Labels, Message, Scale, Side, Thumb, Verdict

LABEL_COLUMNS = ("scale", "strength", "dimensions", "reasons", "comments", "confidence", "ratings", "acceptable")

# What was said of either answer by itself is one object: ratings by side, and thumbs by side under a key of their own.
_THUMBS = "thumbs"
RATINGS = f"""case when ratings is not null
    then nullif(json_merge_patch(ratings, '{{"{_THUMBS}": null}}')::varchar, '{{}}') end"""
"""The ratings of a vote alone, as SQL."""
THUMBS = f"json_extract(ratings, '$.{_THUMBS}')::varchar"
"""The thumbs of a vote, as SQL."""

_NONE_SAID = Labels()


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


def from_labels(labels: Labels) -> dict[str, Any]:
    """What a voter said beside the verdict, by LABEL_COLUMNS; null for what was not said.

    The keys of objects and the reasons of a side are in a fixed order, so that the same labels are the same bytes.
    """
    reasons = {side.value: sorted(given) for side, given in labels.reasons.items()}
    of_answers: dict[str, Any] = {side.value: rating for side, rating in labels.ratings.items()}
    if labels.thumbs:
        of_answers[_THUMBS] = {side.value: thumb.value for side, thumb in labels.thumbs.items()}
    return {
        "scale": labels.scale,
        "strength": labels.strength,
        "dimensions": to_json(labels.dimensions or None),
        "reasons": to_json(reasons or None),
        "comments": to_json(None if labels.comment is None else {"vote": labels.comment}),
        "confidence": labels.confidence,
        "ratings": to_json(of_answers or None),
        "acceptable": labels.acceptable,
    }


def to_labels(row: Sequence[Any]) -> Labels:
    """The labels that the values of LABEL_COLUMNS hold."""
    if row.count(None) == len(row):
        return _NONE_SAID
    scale, strength, dimensions, reasons, comments, confidence, of_answers, acceptable = row
    ratings = _object(of_answers)
    thumbs = ratings.pop(_THUMBS, {})
    return Labels(
        scale=None if scale is None else Scale(scale),
        strength=strength,
        dimensions={key: Verdict(value) for key, value in _object(dimensions).items()},
        reasons={Side(side): frozenset(given) for side, given in _object(reasons).items()},
        comment=_object(comments).get("vote"),
        confidence=None if confidence is None else Confidence(confidence),
        ratings={Side(side): rating for side, rating in ratings.items()},
        acceptable=acceptable,
        thumbs={Side(side): Thumb(thumb) for side, thumb in thumbs.items()},
    )


def _object(text: str | None) -> dict[str, Any]:
    return {} if text is None else json.loads(text)
