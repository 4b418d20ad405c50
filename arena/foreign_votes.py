"""Votes of elsewhere on their way in, with their prompt and answers where the table has them."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena import field as fields
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
    Vote,
    VoteId,
    VoterId,
)
from arena.errors import BadInput, UnknownVerdict
from arena.foreign_table import ForeignTable
from arena.pack import PromptRow, answer_id, prompt_digest
from arena.store import VoteStore
from arena.vote_file import WINNERS, parse_winner
from arena.voter import VoterKey


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving the rows of a table has done; n_votes and n_equal as `Intake` has them."""

    n_added: int
    new_models: tuple[ModelId, ...] = ()
    known_from: tuple[str, ...] = ()
    n_votes: int = 0
    n_equal: int = 0


@dataclass(frozen=True, slots=True)
class ForeignVote:
    """A vote of a table, with what it was cast on where the table has that."""

    battle: Battle
    vote: Vote
    prompt: Prompt | None
    answers: tuple[Answer, ...]


class ForeignVotes:
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
        told = fields.exchange(values.get("conversation_a"), values.get("conversation_b"))
        if told is not None:
            values |= {"answer_a": told.answer_a, "answer_b": told.answer_b}
        prompt = self._prompt(values, told.messages if told else self._messages(values.get("messages")))
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
            voted_at=fields.moment(values.get("voted_at")),
            time_to_vote_ms=fields.milliseconds(values.get("time_to_vote_ms")),
            blind=fields.truth("blind", values.get("blind")),
            purpose=fields.purpose(values.get("purpose")),
            consent_version=fields.word("consent_version", values.get("consent_version")),
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

    def _prompt(self, values: Mapping[str, Any], messages: tuple[Message, ...] | None) -> Prompt | None:
        prompt_id, text = values.get("prompt_id"), values.get("prompt_text")
        if text is None and messages is not None and len(messages) == 1:
            text = messages[0].content
        if text is None and messages is None:
            if prompt_id is None:
                return None
            prompt = self._stored_prompts.get(prompt_id) or self._new_prompts.get(prompt_id)
            if prompt is None:
                raise BadInput(
                    f"prompt {prompt_id!r} is not in the database; import the prompts first, map a column of texts "
                    "to prompt_text, or take the column out of the file: votes need no prompt to be rated"
                )
            return prompt
        if messages is None or text is not None:
            if not isinstance(text, str) or not text.strip():
                raise BadInput(f"prompt_text is {text!r}, not a text")
            messages, digest = (Message("user", text),), hashlib.sha256(text.encode()).hexdigest()
        else:
            digest = prompt_digest(messages)
        prompt = Prompt(
            PromptId(prompt_id or digest[:32]),
            messages,
            *(fields.word(each, values.get(each)) for each in ("category", "language")),
        )
        known = self._stored_prompts.get(prompt.id) or self._new_prompts.setdefault(prompt.id, prompt)
        if known.messages != prompt.messages:
            raise BadInput(f"prompt {prompt.id!r} has other words than were given for it before")
        return known

    def _messages(self, given: object) -> tuple[Message, ...] | None:
        return None if given is None else PromptRow.model_validate({"id": "?", "messages": given}).to_prompt().messages

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


def _told(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _word(value: Any) -> Any:
    """A verdict's word; 1 and "1" are the same one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
