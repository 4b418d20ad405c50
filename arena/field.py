"""What a field of a row from elsewhere says: a time, a duration, a truth, a conversation. Read aloud: a value that says
nothing of the kind is refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from arena.battle import Message, Purpose
from arena.errors import BadInput

_ROLES = ("system", "user", "assistant")
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked, and the two answers."""

    messages: tuple[Message, ...]
    answer_a: str
    answer_b: str


def moment(value: Any) -> datetime | None:
    """A time from an ISO 8601 text with its offset, a moment with a zone, or seconds since 1970."""
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        told = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if told.tzinfo is not None:
            return told.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise BadInput(f"voted_at is {value!r}; accepted: 2026-05-01T12:00:00+00:00, or seconds since 1970") from error
    raise BadInput(f"voted_at is {str(value)!r}, without its offset from UTC; write 2026-05-01T12:00:00+00:00")


def milliseconds(value: Any) -> int | None:
    """A duration as a whole number."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise BadInput(f"time_to_vote_ms is {value!r}, not a whole number from 0")
    return value


def word(name: str, value: Any) -> str | None:
    """A text; an empty one says nothing."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadInput(f"{name} is {value!r}, not a text")
    return value


def purpose(value: Any) -> str | None:
    """What a vote may be used for, as its voter agreed."""
    told = word("purpose", value)
    if told is not None and told not in tuple(Purpose):
        raise BadInput(f"purpose is {told!r}; accepted: {', '.join(Purpose)}")
    return told


def truth(name: str, value: Any) -> bool | None:
    """True or false, in JSON, Parquet, or as a CSV's text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    raise BadInput(f"{name} is {value!r}, neither true nor false")


def exchange(conversation_a: Any, conversation_b: Any) -> Exchange | None:
    """Two conversations, as LMArena publishes them, that differ in their last message alone: the answers.

    A content is a text, or a list of parts that are texts. Raises BadInput for pictures, for conversations that differ
    before their end, since such answers were given to two prompts, and for whatever is no conversation.
    """
    if conversation_a is None and conversation_b is None:
        return None
    sides = _messages("conversation_a", conversation_a), _messages("conversation_b", conversation_b)
    (*before, answer_a), (*before_b, answer_b) = sides
    if before != before_b:
        raise BadInput("conversation_a and conversation_b differ before their last answers: these answer two prompts")
    if answer_a.role != "assistant" or answer_b.role != "assistant":
        raise BadInput("conversation_a or conversation_b does not end with an answer of the assistant")
    if not before or before[-1].role != "user":
        raise BadInput("conversation_a has no message of the user before the answer")
    return Exchange(tuple(before), answer_a.content, answer_b.content)


def _messages(name: str, value: Any) -> list[Message]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise BadInput(f"{name} is {value[:60]!r}, neither a list of messages nor one in JSON") from error
    if not isinstance(value, list) or not value:
        raise BadInput(f"{name} is {str(value)[:60]!r}, not a list of messages")
    return [_message(name, each) for each in value]


def _message(name: str, value: Any) -> Message:
    if not isinstance(value, Mapping) or value.get("role") not in _ROLES:
        raise BadInput(f"{name} holds {str(value)[:60]!r}, which is no message of {', '.join(_ROLES)}")
    content = value.get("content")
    if isinstance(content, list):
        content = "".join(_part(name, each) for each in content)
    if not isinstance(content, str):
        raise BadInput(f"{name} holds a message with the content {str(content)[:60]!r}, not a text")
    return Message(value["role"], content)


def _part(name: str, value: Any) -> str:
    if not isinstance(value, Mapping) or value.get("type") != "text" or not isinstance(value.get("text"), str):
        kind = value.get("type") if isinstance(value, Mapping) else None
        raise BadInput(f"{name} holds a part of the kind {kind!r}; accepted: text")
    return value["text"]
