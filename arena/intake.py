"""Tables of elsewhere become models, prompts, answers and votes: columns are mapped by name, rows are parsed aloud.

A row that cannot be understood is a fault with its row and value. Nothing of a table is taken while it has one,
unless the caller asks for the rest.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from arena import json_line, table
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
from arena.pack import AnswerRow, ModelRow, Pack, PromptRow, answer_id, prompt_digest
from arena.rankings import ForeignVote, Rankings, Saved
from arena.record import Strict, sentences
from arena.store import VoteStore
from arena.vote_file import WINNERS, parse_model, parse_winner
from arena.voter import VoterKey


class Kind(StrEnum):
    """What the rows of a table are."""

    MODELS = "models"
    PROMPTS = "prompts"
    ANSWERS = "answers"
    VOTES = "votes"
    RANKINGS = "rankings"


REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    Kind.MODELS: ("id",),
    Kind.PROMPTS: ("id", "text"),
    Kind.ANSWERS: ("prompt_id", "model_id", "text"),
    Kind.VOTES: ("model_a", "model_b", "winner"),
    Kind.RANKINGS: ("answers",),
}

OPTIONAL: Mapping[Kind, tuple[str, ...]] = {
    Kind.MODELS: ("name", "organization", "license", "open_weights", "url"),
    Kind.PROMPTS: ("category", "language", "source", "license"),
    Kind.ANSWERS: ("revision", "params", "tokens", "latency_ms", "finish_reason"),
    Kind.VOTES: ("prompt_id", "prompt_text", "answer_a", "answer_b", "voter", "voted_at", "time_to_vote_ms"),
    Kind.RANKINGS: ("prompt_id", "prompt_text", "messages", "voter", "voted_at", "time_to_vote_ms"),
}

# Fields that name something: a number in the file is as good as its text.
_NAMES = frozenset({"id", "name", "prompt_id", "model_id", "model_a", "model_b"})


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of one table.

    n_rows were understood and n_added of them were new; faults are the rows left out; left_aside are the columns that
    no field asked for; new_models were named by votes only and are known by their ids; known_from are other files
    from which rows that look the same were taken before. Of rankings: n_votes are the pairs that they gave, and n_equal
    pairs of one rank gave none.
    """

    kind: Kind
    n_rows: int
    n_added: int
    faults: tuple[Fault, ...] = ()
    left_aside: tuple[str, ...] = ()
    new_models: tuple[ModelId, ...] = ()
    known_from: tuple[str, ...] = ()
    n_votes: int = 0
    n_equal: int = 0


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
    """Bring a whole pack in, or nothing of it; what is there already stays. Returns how much of each kind was new.

    Raises BadInput where the pack contradicts what votes were cast on: other messages under a prompt's id, another text
    under a guideline's version.
    """
    with store.together():
        added = {
            Kind.MODELS: store.catalogue.add_models(pack.models, now),
            Kind.PROMPTS: store.catalogue.add_prompts(pack.prompts, now),
            Kind.ANSWERS: store.catalogue.add_answers(pack.answers, now),
        }
        store.catalogue.set_rules(pack.rules_text, pack.guideline, now)
        store.named.renew()
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
    with store.together():
        saved = reader.save(items, now)
        if foreign.kind not in (Kind.VOTES, Kind.RANKINGS):
            store.named.renew()
    return Intake(
        kind=foreign.kind,
        n_rows=len(items),
        n_added=saved.n_added,
        faults=tuple(faults),
        left_aside=tuple(column for column in table.columns_of(foreign.path) if column not in columns.values()),
        new_models=saved.new_models,
        known_from=saved.known_from,
        n_votes=saved.n_votes,
        n_equal=saved.n_equal,
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
        case Kind.RANKINGS:
            return Rankings(store, _Votes(store, foreign, source, voter_key))


def _values(foreign: ForeignTable, columns: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's fields: names parsed, what a CSV could only say as text turned into what it says.

    The text of an answer may be empty, anything else that is required may not.
    """
    values = {name: row.get(column) for name, column in columns.items()} | dict(foreign.constants)
    if foreign.path.suffix.lower() == ".csv":
        values |= {name: _from_text(name, value) for name, value in values.items() if isinstance(value, str)}
    if foreign.kind is Kind.ANSWERS and values["text"] is None:
        values["text"] = ""
    for name, value in values.items():
        where = columns.get(name, name)
        if name in _NAMES and (value is not None or name in REQUIRED[foreign.kind]):
            values[name] = parse_model(where, value)
        elif name in REQUIRED[foreign.kind] and (value is None or value == "") and foreign.kind is not Kind.ANSWERS:
            raise BadInput(f"{where} is empty")
    return {name: value for name, value in values.items() if value is not None}


def _from_text(name: str, text: str) -> Any:
    """A CSV's text as JSON would have said it; text that says nothing of the kind stays, and is refused as such."""
    if name in ("open_weights", "tokens", "latency_ms", "time_to_vote_ms", "params", "answers", "messages") or (
        name == "voted_at" and re.fullmatch(r"\d+(\.\d+)?", text)
    ):
        try:
            return json_line.parse(f'{{"value": {text}}}'.encode())["value"]
        except json_line.NoJson:
            return text
    return text


class _Reader(Protocol):
    """One kind of row: parsed one by one, then saved together."""

    def parse(self, values: dict[str, Any], row: Mapping[str, Any], /) -> Any: ...

    def save(self, items: list[Any], now: datetime, /) -> Saved: ...


class _Models:
    """Rows of models. What a row does not say of a model that is known already stays as it is."""

    def __init__(self, store: VoteStore):
        self._store = store
        self._known = store.catalogue.models()
        self._taken: dict[ModelId, Model] = {}

    def parse(self, values: dict[str, Any], _row: Mapping[str, Any]) -> Model:
        known = self._known.get(ModelId(values["id"]))
        facts = {name: getattr(known, name) for name in OPTIONAL[Kind.MODELS]} if known else {"name": values["id"]}
        model = ModelRow.model_validate(facts | values).to_model()
        if known is not None:
            model = replace(model, aliases=known.aliases, retired_at=known.retired_at)
        return _taken_once(self._taken, model)

    def save(self, models: list[Model], now: datetime) -> Saved:
        return Saved(self._store.catalogue.add_models(dict.fromkeys(models), now))


class _Prompts:
    """Rows of prompts: one user message each."""

    def __init__(self, store: VoteStore):
        self._store = store
        self._taken: dict[PromptId, Prompt] = {}

    def parse(self, values: dict[str, Any], _row: Mapping[str, Any]) -> Prompt:
        values["messages"] = [{"role": "user", "content": values.pop("text")}]
        return _taken_once(self._taken, PromptRow.model_validate(values).to_prompt())

    def save(self, prompts: list[Prompt], now: datetime) -> Saved:
        return Saved(self._store.catalogue.add_prompts(dict.fromkeys(prompts), now))


class _Answers:
    """Rows of answers to prompts and by models that are in the database."""

    def __init__(self, store: VoteStore):
        self._store = store
        self._models = store.catalogue.models()
        self._prompts = store.catalogue.prompts()
        self._taken: dict[tuple[PromptId, ModelId], Answer] = {}

    def parse(self, values: dict[str, Any], _row: Mapping[str, Any]) -> Answer:
        answer = AnswerRow.model_validate(values).to_answer()
        if answer.prompt_id not in self._prompts:
            raise BadInput(f"prompt {answer.prompt_id!r} is not in the database; import the prompts first")
        if answer.model_id not in self._models:
            raise BadInput(f"model {answer.model_id!r} is not in the database; import the models first")
        if self._taken.setdefault((answer.prompt_id, answer.model_id), answer) != answer:
            raise BadInput(
                f"model {answer.model_id!r} has answered prompt {answer.prompt_id!r} in an earlier row already"
            )
        return answer

    def save(self, answers: list[Answer], now: datetime) -> Saved:
        return Saved(self._store.catalogue.add_answers(answers, now))


class _Votes:
    """Rows of votes, with their prompt and answers where the table has them."""

    def __init__(self, store: VoteStore, foreign: ForeignTable, source: Source, voter_key: VoterKey):
        self._store = store
        self._source = source
        self._batch = foreign.path.name
        self._constants = dict(foreign.constants)
        self._words = {**WINNERS, **foreign.words}
        self._winner_column = foreign.field_columns().get("winner", "winner")
        self._key = voter_key
        self._known = store.votes.imported_ids() if voter_key.has_earlier else frozenset[str]()
        self._occurrences: Counter[str] = Counter()
        self._stored_prompts = store.catalogue.prompts()
        self._new_prompts: dict[PromptId, Prompt] = {}
        self._answers = store.catalogue.current_answers()

    def parse(self, values: dict[str, Any], row: Mapping[str, Any]) -> ForeignVote:
        key = self._import_key(row)
        models = values["model_a"], values["model_b"]
        if models[0] == models[1]:
            raise BadInput(f"the model {models[0]!r} stands on both sides")
        try:
            verdict = parse_winner(_word(values["winner"]), self._words)
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
        vote = Vote(
            id=VoteId(key),
            battle_id=battle.id,
            verdict=verdict,
            source=self._source,
            voter_id=self._voter_id(values.get("voter")),
            voted_at=_moment(values.get("voted_at")),
            time_to_vote_ms=_milliseconds(values.get("time_to_vote_ms")),
            import_key=key,
        )
        return ForeignVote(battle, vote, prompt, tuple(given.values()))

    def save(self, votes: list[ForeignVote], now: datetime) -> Saved:
        known = self._store.catalogue.models()
        named = {model for vote in votes for model in (vote.battle.model_a, vote.battle.model_b)}
        new_models = tuple(sorted(named - known.keys()))
        self._store.catalogue.add_models([Model(model, name=model) for model in new_models], now)
        self._store.catalogue.add_prompts(self._new_prompts.values(), now)
        answers = [answer for vote in votes for answer in vote.answers]
        if answers:
            # What is served stays: an old log brings the texts it was cast on, and not the answers of today.
            self._store.catalogue.add_answers(answers, now, replace=False)
        batches = self._store.votes.batches_of([vote.battle.id for vote in votes])
        n_added = self._store.votes.add_imported([(vote.battle, vote.vote) for vote in votes], now)
        return Saved(n_added, new_models, tuple(sorted(batches - {self._batch})))

    def _import_key(self, row: Mapping[str, Any]) -> str:
        """The same for the same row of whichever file, and another for its second, third, ... copy inside one file.

        Two people may well have said the same of the same pair, so a copy is a vote of its own; the file read again
        is not. Keyed, since a row may hold who voted.
        """
        told = json.dumps(
            [self._source, {name: _told(value) for name, value in row.items()}, self._constants], sort_keys=True
        )
        self._occurrences[told] += 1
        return self._key.pseudonym("imported row", f"{self._occurrences[told]} {told}", self._known)

    def _voter_id(self, voter: object) -> VoterId | None:
        if voter is None or voter == "":
            return None
        if not isinstance(voter, str | int) or isinstance(voter, bool):
            raise BadInput(f"voter is {voter!r}, neither a text nor a whole number")
        return VoterId(self._key.pseudonym("imported voter", str(voter), self._known))

    def _prompt(self, values: Mapping[str, Any]) -> Prompt | None:
        prompt_id, text = values.get("prompt_id"), values.get("prompt_text")
        if "messages" in values:
            return self._asked(prompt_id, values["messages"])
        if text is None:
            if prompt_id is None:
                return None
            prompt = self._stored_prompts.get(prompt_id) or self._new_prompts.get(prompt_id)
            if prompt is None:
                raise BadInput(
                    f"prompt {prompt_id!r} is not in the database; import the prompts first, map a column of texts "
                    "to prompt_text, or take the column out of the file: votes need no prompt to be rated"
                )
            return prompt
        if not isinstance(text, str) or not text.strip():
            raise BadInput(f"prompt_text is {text!r}, not a text")
        prompt = Prompt(PromptId(prompt_id or hashlib.sha256(text.encode()).hexdigest()[:32]), (Message("user", text),))
        return self._noted(prompt)

    def _asked(self, prompt_id: str | None, messages: object) -> Prompt:
        """A prompt of several messages; without an id, named for what they say."""
        prompt = PromptRow.model_validate({"id": prompt_id or "?", "messages": messages}).to_prompt()
        return self._noted(replace(prompt, id=PromptId(prompt_id or prompt_digest(prompt.messages)[:32])))

    def _noted(self, prompt: Prompt) -> Prompt:
        known = self._stored_prompts.get(prompt.id) or self._new_prompts.setdefault(prompt.id, prompt)
        if known.messages != prompt.messages:
            raise BadInput(f"prompt {prompt.id!r} has other words than were given for it before")
        return known

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


Item = TypeVar("Item", Model, Prompt)


def _taken_once(taken: dict[Any, Item], item: Item) -> Item:
    """Note an item; refuse one whose id stood in an earlier row with other facts."""
    if taken.setdefault(item.id, item) != item:
        raise BadInput(f"{item.id!r} stands already in an earlier row, with other facts")
    return item


def _told(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _word(value: Any) -> Any:
    """A verdict's word; 1 and "1" are the same one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _moment(value: Any) -> datetime | None:
    """A time from an ISO 8601 text with its offset, a moment with a zone, or seconds since 1970."""
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise BadInput(f"voted_at is {value!r}; accepted: 2026-05-01T12:00:00+00:00, or seconds since 1970") from error
    raise BadInput(f"voted_at is {str(value)!r}, without its offset from UTC; write 2026-05-01T12:00:00+00:00")


def _milliseconds(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise BadInput(f"time_to_vote_ms is {value!r}, not a whole number from 0")
    return value
