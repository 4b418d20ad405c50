"""An arena with everything that a dataset has to do with, for the tests of exports as datasets."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from arena import table
from arena.battle import (
    Answer,
    Battle,
    BattleId,
    Labels,
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
from arena.pack import answer_id
from arena.store import VoteStore

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SECRET = b"the secret of an arena of tests."

MODELS = ("ada", "bob", "eve")


@dataclass(frozen=True)
class Said:
    """One vote: the prompt's number, who stood on A and on B, the verdict, and by whom."""

    prompt: int
    a: str = "ada"
    b: str = "bob"
    verdict: Verdict = Verdict.A
    voter: str | None = "voter-1"
    comment: str | None = None
    purpose: str | None = "both"
    consent: str | None = "1"


class World:
    """Prompts that are far from each other, answers of three models to each, and votes that come in."""

    def __init__(self, store: VoteStore, texts: dict[tuple[int, str], str] | None = None):
        self.store = store
        self.n_votes = 0
        self._texts = texts or {}
        store.catalogue.add_models([Model(ModelId(each), each.title(), license="MIT") for each in MODELS], NOW)

    def prompt(self, number: int) -> Prompt:
        """A prompt of the world."""
        text = self._texts.get((number, "prompt"), f"Question {number:x}?")
        return Prompt(PromptId(f"p{number:04d}"), (Message("user", text),), "general", "en", license="CC0-1.0")

    def answer(self, number: int, model: str) -> Answer:
        prompt_id = PromptId(f"p{number:04d}")
        text = self._texts.get((number, model), f"{model} says {number}")
        return Answer(answer_id(prompt_id, model, text), prompt_id, ModelId(model), text)

    def vote(self, *votes: Said) -> None:
        """Add votes to the log, with what they are cast on."""
        numbers = sorted({said.prompt for said in votes})
        self.store.catalogue.add_prompts(map(self.prompt, numbers), NOW)
        self.store.catalogue.add_answers([self.answer(number, each) for number in numbers for each in MODELS], NOW)
        self.store.votes.add_imported([self._cast(said) for said in votes], NOW)

    def _cast(self, said: Said) -> tuple[Battle, Vote]:
        self.n_votes += 1
        key = f"vote-{self.n_votes:06d}"
        a, b = (self.answer(said.prompt, each).id for each in (said.a, said.b))
        battle = Battle(BattleId(key), ModelId(said.a), ModelId(said.b), self.prompt(said.prompt).id, a, b)
        vote = Vote(
            id=VoteId(key),
            battle_id=battle.id,
            verdict=said.verdict,
            source=Source.HUMAN,
            voter_id=None if said.voter is None else VoterId(said.voter),
            voted_at=NOW + timedelta(minutes=self.n_votes),
            import_key=key,
            purpose=said.purpose,
            consent_version=said.consent,
            labels=Labels(comment=said.comment),
        )
        return battle, vote


def rows_in(folder: Path, config: str, split: str = "*") -> list[dict[str, Any]]:
    """The rows of a config, of all files of a split in their order."""
    return [row for file in sorted((folder / config).glob(f"{split}-*.parquet")) for _, row in table.rows_of(file)]


def manifest_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def bytes_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def union(earlier: Sequence[dict[str, Any]], folder: Path, config: str, key: str) -> list[dict[str, Any]]:
    """What docs/exports.md says of increments: the rows that are not replaced, and the new ones."""
    lines = (folder / "replaced.jsonl").read_text(encoding="utf-8").splitlines()
    replaced = {json.loads(line).get(key) for line in lines}
    return [row for row in earlier if row[key] not in replaced] + rows_in(folder, config)


def sorted_rows(rows: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
