"""Tables of elsewhere become models, prompts, answers and votes: columns are mapped by name, rows are parsed aloud.

A row that cannot be understood is a fault with its row and value. Nothing of a table is taken while it has one,
unless the caller asks for the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from arena import table
from arena.battle import Answer, Model, ModelId, Prompt, PromptId, Source
from arena.errors import BadInput, BadRows, Fault
from arena.foreign_table import OPTIONAL, ForeignTable, Kind
from arena.foreign_votes import ForeignVotes, Saved
from arena.pack import AnswerRow, ModelRow, Pack, PromptRow
from arena.rankings import Rankings
from arena.record import Strict, sentences
from arena.store import VoteStore
from arena.voter import VoterKey


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
        store.gold.add(pack.gold, now)
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
            items.append(reader.parse(foreign.values(columns, row), row))
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
            return ForeignVotes(store, foreign, source, voter_key)
        case Kind.RANKINGS:
            return Rankings(store, ForeignVotes(store, foreign, source, voter_key))


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


Item = TypeVar("Item", Model, Prompt)


def _taken_once(taken: dict[Any, Item], item: Item) -> Item:
    """Note an item; refuse one whose id stood in an earlier row with other facts."""
    if taken.setdefault(item.id, item) != item:
        raise BadInput(f"{item.id!r} stands already in an earlier row, with other facts")
    return item
