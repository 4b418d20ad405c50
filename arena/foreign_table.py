"""A table of elsewhere: what its rows are, which column is which field, and what a row says, field by field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from arena import json_line, table
from arena.battle import Verdict
from arena.errors import BadInput
from arena.vote_file import parse_model


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

_OF_A_VOTE = (
    *("category", "language", "voter", "voted_at", "time_to_vote_ms"),
    *("blind", "purpose", "consent_version"),
)

OPTIONAL: Mapping[Kind, tuple[str, ...]] = {
    Kind.MODELS: ("name", "organization", "license", "open_weights", "url"),
    Kind.PROMPTS: ("category", "language", "source", "license"),
    Kind.ANSWERS: ("revision", "params", "tokens", "latency_ms", "finish_reason"),
    Kind.VOTES: (
        *("prompt_id", "prompt_text", "answer_a", "answer_b", "conversation_a", "conversation_b"),
        *_OF_A_VOTE,
    ),
    Kind.RANKINGS: ("prompt_id", "prompt_text", "messages", *_OF_A_VOTE),
}

# Fields that name something: a number in the file is as good as its text.
_NAMES = frozenset({"id", "name", "prompt_id", "model_id", "model_a", "model_b"})


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

    def values(self, columns: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, Any]:
        """The row's fields: names parsed, what a CSV could only say as text turned into what it says.

        The text of an answer may be empty, anything else that is required may not.
        """
        values = {name: row.get(column) for name, column in columns.items()} | dict(self.constants)
        if self.path.suffix.lower() == ".csv":
            values |= {name: _from_text(name, value) for name, value in values.items() if isinstance(value, str)}
        if self.kind is Kind.ANSWERS and values["text"] is None:
            values["text"] = ""
        for name, value in values.items():
            where = columns.get(name, name)
            if name in _NAMES and (value is not None or name in REQUIRED[self.kind]):
                values[name] = parse_model(where, value)
            elif name in REQUIRED[self.kind] and (value is None or value == "") and self.kind is not Kind.ANSWERS:
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
