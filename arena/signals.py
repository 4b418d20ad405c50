"""What users of a product make of one answer: a thumb, an edit, another try. Pure.

Signals are no votes: nobody was shown two answers, and nothing was blind. They are stored apart, rate nobody, and
become training data of their own: rows with one answer and a label, and pairs of an edited text over its original.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, model_validator

from arena.battle import Message, ModelId, Thumb
from arena.errors import BadInput
from arena.pack import MessageRow, PromptRow
from arena.record import Id, Strict, sentences
from arena.thumbs import AS_MANY, together

LONGEST_TEXT = 100_000
"""Of an answer or an edit, and of all messages of a prompt together, in characters."""

MOST_MESSAGES = 200
LONGEST_WORD = 60

MOST_BYTES = 10 * LONGEST_TEXT
"""Of the body that brings a signal: room for three texts of three bytes a character, and for the rest."""


class SignalKind(StrEnum):
    """What a user did: judged an answer, rewrote it, or asked for another one."""

    THUMBS = "thumbs"
    EDIT = "edit"
    REGENERATION = "regeneration"


@dataclass(frozen=True, slots=True)
class Signal:
    """One act of one user on one answer.

    `id` and `user` are as the sender gave them until they are stored, and keyed pseudonyms from then on. is_up is there
    with thumbs alone, edited with an edit alone.
    """

    id: str
    kind: SignalKind
    source: str
    user: str
    given_at: datetime
    model: ModelId
    messages: tuple[Message, ...]
    answer: str
    revision: str | None = None
    category: str | None = None
    language: str | None = None
    is_up: bool | None = None
    edited: str | None = None

    @property
    def digest(self) -> str:
        """Of all that was said: the same id with another digest is another signal."""
        told = [
            *(self.kind, self.source, self.given_at.isoformat(), self.model, self.revision, self.category),
            *(self.language, self.answer, self.is_up, self.edited),
            [[each.role, each.content] for each in self.messages],
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def under(self, id_: str, user: str) -> "Signal":
        """The same act with other names for itself and its user."""
        return replace(self, id=id_, user=user)


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("a text is blank")
    if any(0xD800 <= ord(character) < 0xE000 or character == "\0" for character in value):
        raise ValueError("a text holds half of a surrogate pair, or a character 0")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("given_at is beyond the years that there are") from error


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_text)]
Word = Annotated[str, Field(min_length=1, max_length=LONGEST_WORD)]


class SignalRow(Strict):
    """A signal as a sender writes it."""

    id: Id
    kind: Annotated[SignalKind, Field(strict=False)]
    source: Annotated[Id, Field(max_length=LONGEST_WORD)]
    user: Id
    given_at: Annotated[AwareDatetime, Field(strict=False), AfterValidator(_in_utc)]
    model: Id
    revision: Id | None = None
    messages: list[MessageRow] = Field(min_length=1, max_length=MOST_MESSAGES)
    category: Word | None = None
    language: Word | None = None
    answer: Text
    up: bool | None = None
    edited: Text | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_says(self) -> "SignalRow":
        for key, kind in (("up", SignalKind.THUMBS), ("edited", SignalKind.EDIT)):
            if (getattr(self, key) is not None) != (self.kind is kind):
                raise ValueError(f"the key {key!r} goes with the kind {kind.value!r}, and with no other")
        if self.edited is not None and self.edited.strip() == self.answer.strip():
            raise ValueError("the edited text is the answer itself")
        if sum(len(each.content) for each in self.messages) > LONGEST_TEXT:
            raise ValueError(f"the messages have more than {LONGEST_TEXT:,} characters")
        for each in self.messages:
            _text(each.content)
        PromptRow(id="signal", messages=self.messages)  # ends with the user, and a system message comes first
        return self


def parse_signal(value: object) -> Signal:
    """The signal that a sender means. Raises BadInput, in a sentence, for anything else."""
    if not isinstance(value, dict):
        raise BadInput("a signal is one JSON object")
    try:
        row = SignalRow.model_validate(value)
    except ValidationError as error:
        raise BadInput("; ".join(told for _, told in sentences(error, SignalRow))) from error
    return Signal(
        id=row.id,
        kind=row.kind,
        source=row.source,
        user=row.user,
        given_at=row.given_at,
        model=ModelId(row.model),
        revision=row.revision,
        messages=tuple(Message(each.role, each.content) for each in row.messages),
        category=row.category,
        language=row.language,
        answer=row.answer,
        is_up=row.up,
        edited=row.edited,
    )


@dataclass(frozen=True, slots=True)
class Labelled:
    """One answer as a row of unpaired (KTO) data: whether its users were content with it, and the signals that were
    counted, in the order of their times: the thumbs on it, or where there are none the other tries."""

    signals: tuple[Signal, ...]
    label: bool
    share: Fraction
    """Of the signals that say so."""

    @property
    def signal(self) -> Signal:
        """The last one that says what the label says."""
        return next(each for each in reversed(self.signals) if bool(each.is_up) is self.label)


@dataclass(frozen=True, slots=True)
class Edited:
    """A signal as a preference: the text that a user made of an answer, over that answer."""

    signal: Signal
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class Taught:
    """What some signals are as training data: rows of two kinds, and how many signals are in none, by reason."""

    labelled: tuple[Labelled, ...]
    edited: tuple[Edited, ...]
    left_out: Mapping[str, int]


SUPERSEDED = "a later signal of the same user on the same answer"
THUMB_INSTEAD = "another try on an answer with thumbs"


def taught(signals: Iterable[Signal]) -> Taught:
    """Training rows of signals; every signal is in one row, or left out with a reason.

    The thumbs on an answer label it, by the rule that holds for thumbs in an arena (`arena.thumbs`): one of each user,
    the last; the majority decides, and an answer that is split has no row. Another try only seems to say that an answer
    did not do, and so labels those without a thumb alone. An edit is a preference, the last one of each user. Rows are
    in the order of times, then ids, of the last signal that says what the row says.
    """
    ordered = sorted(signals, key=lambda each: (each.given_at, each.id))
    left_out = Counter[str]()
    last: dict[tuple[Any, ...], Signal] = {}
    for signal in ordered:
        key = (_answer(signal), signal.source, signal.user, signal.kind)
        left_out[SUPERSEDED] += last.pop(key, None) is not None
        last[key] = signal
    edits = [each for each in last.values() if each.kind is SignalKind.EDIT]
    of_answer: dict[tuple[Any, ...], list[Signal]] = {}
    for signal in last.values():
        if signal.kind is not SignalKind.EDIT:
            of_answer.setdefault(_answer(signal), []).append(signal)
    rows = [row for said in of_answer.values() if (row := _labelled(said, left_out)) is not None]
    rows.sort(key=lambda row: (row.signal.given_at, row.signal.id))
    reasons = {reason: left_out[reason] for reason in (SUPERSEDED, THUMB_INSTEAD, AS_MANY) if left_out[reason]}
    return Taught(tuple(rows), tuple(Edited(each, each.edited or "", each.answer) for each in edits), reasons)


def _labelled(said: Sequence[Signal], left_out: Counter[str]) -> Labelled | None:
    """The row of one answer from thumbs and other tries; None, and all are left out, where the thumbs are split."""
    thumbs = tuple(each for each in said if _is_thumb(each))
    if not thumbs:
        return Labelled(tuple(said), False, Fraction(1))
    left_out[THUMB_INSTEAD] += len(said) - len(thumbs)
    found = together([Thumb.UP if each.is_up else Thumb.DOWN for each in thumbs])
    if found is None:
        left_out[AS_MANY] += len(thumbs)
        return None
    return Labelled(thumbs, found.is_good, found.share)


def _answer(signal: Signal) -> tuple[Any, ...]:
    return (signal.model, signal.revision, signal.messages, signal.answer)


def _is_thumb(signal: Signal) -> bool:
    return signal.kind is SignalKind.THUMBS


def signal_record(signal: Signal) -> dict[str, Any]:
    """A stored signal as plain values, by the names that a sender uses."""
    told: dict[str, Any] = {
        "id": signal.id,
        "kind": signal.kind.value,
        "source": signal.source,
        "user": signal.user,
        "given_at": signal.given_at.isoformat(),
        "model": signal.model,
        "revision": signal.revision,
        "messages": messages_record(signal.messages),
        "category": signal.category,
        "language": signal.language,
        "answer": signal.answer,
        "up": signal.is_up,
        "edited": signal.edited,
    }
    return {key: value for key, value in told.items() if value is not None}


def messages_record(messages: Iterable[Message]) -> list[dict[str, str]]:
    """Messages as plain values."""
    return [{"role": each.role, "content": each.content} for each in messages]


def unpaired_records(rows: Iterable[Labelled]) -> Iterator[dict[str, Any]]:
    """Rows as trainers of unpaired preferences take them: `prompt` and `completion` as messages, `label`."""
    for row in rows:
        yield {
            "prompt": messages_record(row.signal.messages),
            "completion": [{"role": "assistant", "content": row.signal.answer}],
            "label": row.label,
            **_made(row.signal),
            "n_users": len(row.signals),
            "agreement": float(row.share),
            "weight": float(2 * row.share - 1),
        }


def preference_records(rows: Iterable[Edited]) -> Iterator[dict[str, Any]]:
    """Rows as trainers of preferences take them: `prompt`, `chosen` and `rejected` as messages."""
    for row in rows:
        yield {
            "prompt": messages_record(row.signal.messages),
            "chosen": [{"role": "assistant", "content": row.chosen}],
            "rejected": [{"role": "assistant", "content": row.rejected}],
            **_made(row.signal),
        }


def _made(signal: Signal) -> dict[str, Any]:
    return {
        "signal_id": signal.id,
        "kind": signal.kind.value,
        "model": signal.model,
        "revision": signal.revision,
        "given_at": signal.given_at.isoformat(),
    }
