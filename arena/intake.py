"""Tables of elsewhere become models, prompts, answers and votes: columns are mapped by name, rows are parsed aloud.

A row that cannot be understood is a fault with its row and value. Nothing of a table is taken while it has one,
unless the caller asks for the rest.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from arena import table
from arena.battle import (
    Answer,
    AnswerId,
    Battle,
    BattleId,
    Message,
    Model,
    ModelId,
    Prompt,
    PromptId,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
)
from arena.errors import BadInput, BadRows, Fault, UnknownVerdict
from arena.pack import AnswerRow, ModelRow, Pack, PromptRow, Strict, answer_id, sentences
from arena.store import VoteStore
from arena.vote_file import WINNERS, parse_winner
from arena.voter import VoterKey


class Kind(StrEnum):
    """What the rows of a table are."""

    MODELS = "models"
    PROMPTS = "prompts"
    ANSWERS = "answers"
    VOTES = "votes"


REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    Kind.MODELS: ("id",),
    Kind.PROMPTS: ("id", "text"),
    Kind.ANSWERS: ("prompt_id", "model_id", "text"),
    Kind.VOTES: ("model_a", "model_b", "winner"),
}

OPTIONAL: Mapping[Kind, tuple[str, ...]] = {
    Kind.MODELS: ("name", "organization", "license", "open_weights", "url"),
    Kind.PROMPTS: ("category", "language", "source", "license"),
    Kind.ANSWERS: ("revision", "params", "tokens", "latency_ms", "finish_reason"),
    Kind.VOTES: ("prompt_id", "prompt_text", "answer_a", "answer_b", "voter", "voted_at", "time_to_vote_ms"),
}

# Fields that name something: a number in the file is as good as its text.
_NAMES = frozenset({"id", "name", "prompt_id", "model_id", "model_a", "model_b", "voter"})


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of one table.

    n_rows were understood and n_added of them were new; faults are the rows left out; left_aside are the columns that
    no field asked for; new_models were named by votes only and are known by their ids.
    """

    kind: Kind
    n_rows: int
    n_added: int
    faults: tuple[Fault, ...] = ()
    left_aside: tuple[str, ...] = ()
    new_models: tuple[ModelId, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """A table file and how to read it.

    mapping gives columns their fields; a column that bears a field's name needs no mapping. constants gives fields
    one value for all rows. words gives the file's words their verdicts, beside the public ones.
    """

    path: Path
    kind: Kind
    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Verdict] = field(default_factory=dict)

    def field_columns(self) -> dict[str, str]:
        """The column of each field that the table has.

        Raises BadInput for a mapping to an unknown field, from a column that is not there, twice to one field, or
        without a required one.
        """
        fields = (*REQUIRED[self.kind], *OPTIONAL[self.kind])
        columns = table.columns_of(self.path)
        for column, name in self.mapping.items():
            if column not in columns:
                raise BadInput(f"--map names the column {column!r}; {self.path} has {', '.join(columns)}")
            if name not in fields:
                raise BadInput(
                    f"--map gives {column!r} to {name!r}, which is no field of {self.kind}: {', '.join(fields)}"
                )
        found = {column: column for column in columns if column in fields and column not in self.mapping}
        found = {name: column for column, name in found.items() if name not in self.mapping.values()}
        for column, name in self.mapping.items():
            if name in found:
                raise BadInput(f"--map gives both {found[name]!r} and {column!r} to {name!r}")
            found[name] = column
        for name in self.constants:
            if name not in fields:
                raise BadInput(f"--set names {name!r}, which is no field of {self.kind}: {', '.join(fields)}")
            if found.pop(name, name) != name:
                raise BadInput(f"both --map and --set give a value to {name!r}")
        missing = [name for name in REQUIRED[self.kind] if name not in found and name not in self.constants]
        if missing:
            raise BadInput(
                f"{self.path} has no column for {' and '.join(missing)} (it has {', '.join(columns)}). Name it: "
                f"--map column={missing[0]}"
            )
        return found


def import_pack(store: VoteStore, pack: Pack, now: datetime) -> dict[Kind, int]:
    """Bring a whole pack in; what is there already stays. Returns how much of each kind was new."""
    added = {
        Kind.MODELS: store.catalogue.add_models(pack.models, now),
        Kind.PROMPTS: store.catalogue.add_prompts(pack.prompts, now),
        Kind.ANSWERS: store.catalogue.add_answers(pack.answers, now),
    }
    store.catalogue.set_rules(pack.rules_text, now)
    if pack.guideline is not None:
        store.catalogue.set_guideline(pack.guideline, now)
    return added


def import_table(
    store: VoteStore,
    foreign: ForeignTable,
    *,
    source: Source,
    voter_key: VoterKey,
    skip_bad: bool,
    now: datetime,
) -> Intake:
    """Bring the rows of a table in. The same rows again add nothing.

    Raises BadInput for a table that cannot be read as this kind, BadRows for rows that cannot be understood (nothing
    is taken then) unless skip_bad.
    """
    columns = foreign.field_columns()
    reader = _reader(store, foreign, source, voter_key)
    file = str(foreign.path)
    faults: list[Fault] = []
    items: list[Any] = []
    for number, row in table.rows_of(foreign.path):
        try:
            items.append(reader.parse(_values(foreign, columns, row), row))
        except ValidationError as error:
            faults.append(Fault(file, number, "; ".join(text for _, text in sentences(error, Strict)), unit="row"))
        except BadInput as error:
            faults.append(Fault(file, number, str(error), unit="row"))
    if not items and not faults:
        raise BadInput(f"{file} holds no row")
    if faults and not skip_bad:
        others = f" {len(faults) - 1:,} more rows are refused too." if len(faults) > 1 else ""
        raise BadRows(faults[:1], advice=f"Nothing was taken.{others} Correct them, or take the rest with --skip-bad")
    n_added, new_models = reader.save(items, now)
    return Intake(
        kind=foreign.kind,
        n_rows=len(items),
        n_added=n_added,
        faults=tuple(faults),
        left_aside=tuple(column for column in table.columns_of(foreign.path) if column not in columns.values()),
        new_models=new_models,
    )


def _reader(store: VoteStore, foreign: ForeignTable, source: Source, voter_key: VoterKey) -> "_Reader":
    match foreign.kind:
        case Kind.MODELS:
            return _Models(store)
        case Kind.PROMPTS:
            return _Prompts(store)
        case Kind.ANSWERS:
            return _Answers(store)
        case Kind.VOTES:
            return _Votes(store, foreign, source, voter_key)


def _values(foreign: ForeignTable, columns: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's fields. A name may be a number in the file; a text may be empty, anything else required may not."""
    values = {name: row[column] for name, column in columns.items() if row[column] is not None}
    values |= foreign.constants
    for name in REQUIRED[foreign.kind]:
        if name == "text":
            values.setdefault(name, "")
        elif name not in values or values[name] == "":
            raise BadInput(f"{columns[name]} is empty")
    return {name: str(value) if name in _NAMES else value for name, value in values.items()}


class _Reader(Protocol):
    """One kind of row: parsed one by one, then saved together."""

    def parse(self, values: dict[str, Any], row: Mapping[str, Any], /) -> Any: ...

    def save(self, items: list[Any], now: datetime, /) -> tuple[int, tuple[ModelId, ...]]: ...


class _Models:
    """Rows of models."""

    def __init__(self, store: VoteStore):
        self._store = store

    def parse(self, values: dict[str, Any], _row: Mapping[str, Any]) -> Model:
        return ModelRow.model_validate({"name": values["id"]} | values).to_model()

    def save(self, models: list[Model], now: datetime) -> tuple[int, tuple[ModelId, ...]]:
        return self._store.catalogue.add_models(_last_of_each(models), now), ()


class _Prompts:
    """Rows of prompts: one user message each."""

    def __init__(self, store: VoteStore):
        self._store = store

    def parse(self, values: dict[str, Any], _row: Mapping[str, Any]) -> Prompt:
        values["messages"] = [{"role": "user", "content": values.pop("text")}]
        return PromptRow.model_validate(values).to_prompt()

    def save(self, prompts: list[Prompt], now: datetime) -> tuple[int, tuple[ModelId, ...]]:
        return self._store.catalogue.add_prompts(_last_of_each(prompts), now), ()


class _Answers:
    """Rows of answers to prompts and by models that are in the database."""

    def __init__(self, store: VoteStore):
        self._store = store
        self._models = store.catalogue.models()
        self._prompts = store.catalogue.prompts()

    def parse(self, values: dict[str, Any], _row: Mapping[str, Any]) -> Answer:
        answer = AnswerRow.model_validate(values).to_answer()
        if answer.prompt_id not in self._prompts:
            raise BadInput(f"prompt {answer.prompt_id!r} is not in the database; import the prompts first")
        if answer.model_id not in self._models:
            raise BadInput(f"model {answer.model_id!r} is not in the database; import the models first")
        return answer

    def save(self, answers: list[Answer], now: datetime) -> tuple[int, tuple[ModelId, ...]]:
        return self._store.catalogue.add_answers(answers, now), ()


@dataclass(frozen=True, slots=True)
class _ForeignVote:
    battle: Battle
    vote: Vote
    prompt: Prompt | None
    answers: tuple[Answer, ...]


class _Votes:
    """Rows of votes, with their prompt and answers where the table has them."""

    def __init__(self, store: VoteStore, foreign: ForeignTable, source: Source, voter_key: VoterKey):
        self._store = store
        self._source = source
        self._batch = foreign.path.name
        self._constants = dict(foreign.constants)
        self._words = {**WINNERS, **foreign.words}
        self._winner_column = foreign.field_columns()["winner"]
        self._key = voter_key
        self._occurrences: Counter[str] = Counter()
        self._prompts = store.catalogue.prompts()
        self._answers = store.catalogue.current_answers()

    def parse(self, values: dict[str, Any], row: Mapping[str, Any]) -> _ForeignVote:
        key = self._import_key(row)
        models = ModelId(values["model_a"]), ModelId(values["model_b"])
        if models[0] == models[1]:
            raise BadInput(f"the model {models[0]!r} stands on both sides")
        try:
            verdict = parse_winner(values["winner"], self._words)
        except UnknownVerdict as error:
            raise BadInput(f"{self._winner_column} {error}; other words need --values") from error
        prompt = self._prompt(values)
        given = self._given_answers(prompt, models, (values.get("answer_a"), values.get("answer_b")))
        battle = Battle(
            BattleId(key),
            *models,
            prompt_id=prompt.id if prompt else None,
            answer_a=self._answer_of(prompt, models[0], given),
            answer_b=self._answer_of(prompt, models[1], given),
            batch=self._batch,
        )
        voter = values.get("voter")
        vote = Vote(
            id=VoteId(key),
            battle_id=battle.id,
            verdict=verdict,
            source=self._source,
            voter_id=None if voter is None else VoterId(self._key.pseudonym("imported voter", voter)),
            voted_at=_moment(values.get("voted_at")),
            time_to_vote_ms=_milliseconds(values.get("time_to_vote_ms")),
            import_key=key,
        )
        return _ForeignVote(battle, vote, prompt, tuple(given.values()))

    def save(self, votes: list[_ForeignVote], now: datetime) -> tuple[int, tuple[ModelId, ...]]:
        known = self._store.catalogue.models()
        named = {model for vote in votes for model in (vote.battle.model_a, vote.battle.model_b)}
        new_models = tuple(sorted(named - known.keys()))
        self._store.catalogue.add_models([Model(model, name=model) for model in new_models], now)
        prompts = {vote.prompt.id: vote.prompt for vote in votes if vote.prompt is not None}
        self._store.catalogue.add_prompts([p for p in prompts.values() if p.id not in self._prompts], now)
        answers = [answer for vote in votes for answer in vote.answers]
        if answers:
            self._store.catalogue.add_answers(answers, now)
        return self._store.votes.add_imported([(vote.battle, vote.vote) for vote in votes], now), new_models

    def _import_key(self, row: Mapping[str, Any]) -> str:
        """The same for the same row of whichever file, and another for its second, third, ... copy inside one file.

        Two people may well have said the same of the same pair, so a copy is a vote of its own; the file read again
        is not. Keyed, since a row may hold who voted.
        """
        told = json.dumps([{name: _text(value) for name, value in row.items()}, self._constants], sort_keys=True)
        self._occurrences[told] += 1
        return self._key.pseudonym("imported row", f"{self._occurrences[told]} {told}")

    def _prompt(self, values: Mapping[str, Any]) -> Prompt | None:
        prompt_id, text = values.get("prompt_id"), values.get("prompt_text")
        if prompt_id is None and text is None:
            return None
        if text is None:
            prompt = self._prompts.get(PromptId(str(prompt_id)))
            if prompt is None:
                raise BadInput(
                    f"prompt {prompt_id!r} is not in the database; import the prompts first, or map a column of texts "
                    "to prompt_text"
                )
            return prompt
        if not isinstance(text, str) or not text:
            raise BadInput(f"prompt_text is {text!r}, not a text")
        return Prompt(PromptId(prompt_id or hashlib.sha256(text.encode()).hexdigest()[:32]), (Message("user", text),))

    def _given_answers(
        self, prompt: Prompt | None, models: tuple[ModelId, ModelId], texts: tuple[Any, Any]
    ) -> dict[ModelId, Answer]:
        given = {model: text for model, text in zip(models, texts, strict=True) if text is not None}
        for text in given.values():
            if not isinstance(text, str):
                raise BadInput(f"an answer is {str(text)[:60]!r}, not a text")
        if given and prompt is None:
            raise BadInput("the row has answers but no prompt; map its prompt_id or prompt_text")
        return {
            model: Answer(answer_id(prompt.id, model, text), prompt.id, model, text)
            for model, text in given.items()
            if prompt is not None
        }

    def _answer_of(self, prompt: Prompt | None, model: ModelId, given: Mapping[ModelId, Answer]) -> AnswerId | None:
        if model in given:
            return given[model].id
        return self._answers.get((prompt.id, model)) if prompt is not None else None


T = TypeVar("T", Model, Prompt)


def _last_of_each(items: list[T]) -> list[T]:
    return list({item.id: item for item in items}.values())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _moment(value: Any) -> datetime | None:
    """A time from an ISO 8601 text with its offset, a moment with a zone, or seconds since 1970."""
    if value is None:
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError) as error:
        raise BadInput(f"voted_at is {value!r}; accepted: 2026-05-01T12:00:00+00:00, or seconds since 1970") from error
    if moment.tzinfo is None:
        raise BadInput(f"voted_at is {str(value)!r}, without its offset from UTC; write 2026-05-01T12:00:00+00:00")
    return moment.astimezone(UTC)


def _milliseconds(value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"time_to_vote_ms is {value!r}, not a whole number") from error
    if number < 0:
        raise BadInput(f"time_to_vote_ms is {number}; a time is not negative")
    return number
