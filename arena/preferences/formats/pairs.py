"""What the formats of pairs share: one row for each example with a chosen answer, and columns that say where from."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from arena.battle import Answer, Message, Verdict
from arena.preferences.example import Example

MESSAGES = "struct(role varchar, content varchar)[]"

TIE = "tie"
BOTH_BAD = "both bad"
CONFLICT = "conflict: no strict majority"
BELOW_FLOOR = "conflict: agreement below the floor"
DISPUTED = "conflict: more disagreement than is asked for"
OVERRULED = "adjudicated as a tie or both bad"

# Where a row comes from, after the trainer's own columns. None of these names means anything to a trainer.
PROVENANCE: Mapping[str, str] = {
    "pair_id": "varchar",
    "prompt_id": "varchar",
    "chosen_model": "varchar",
    "rejected_model": "varchar",
    "chosen_revision": "varchar",
    "rejected_revision": "varchar",
    "n_votes": "integer",
    "n_ties": "integer",
    "agreement": "double",
    "weight": "double",
    "disagreement": "double",
    "verdict_by": "varchar",
    "adjudicated_at": "varchar",
    "strength": "double",
    "category": "varchar",
    "language": "varchar",
    "created_at": "varchar",
}


def moment(value: datetime | None) -> str | None:
    """A time in ISO 8601 with its offset, the same in Parquet and in JSON."""
    return None if value is None else value.isoformat()


def message(role: str, content: str) -> dict[str, str]:
    """One message, as every format of conversations has it."""
    return {"role": role, "content": content}


def listed(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as every format of conversations has them."""
    return [message(each.role, each.content) for each in messages]


def answered(example: Example, answer: Answer) -> list[dict[str, str]]:
    """The whole conversation with one of its answers."""
    return [*listed(example.messages), message("assistant", answer.text)]


def sides(example: Example) -> tuple[Answer, Answer] | None:
    """The chosen and the rejected answer, where there are such."""
    chosen, rejected = example.chosen, example.rejected
    return None if chosen is None or rejected is None else (chosen, rejected)


def provenance(example: Example, chosen: Answer, rejected: Answer) -> tuple[Any, ...]:
    """The values of PROVENANCE."""
    return (
        example.id,
        example.prompt.id,
        chosen.model_id,
        rejected.model_id,
        chosen.revision,
        rejected.revision,
        example.n_decisive,
        example.n(Verdict.TIE, Verdict.BOTH_BAD),
        example.agreement,
        example.weight,
        example.disagreement,
        "votes" if example.adjudicated is None else "adjudication",
        None if example.adjudicated is None else moment(example.adjudicated.at),
        example.strength,
        example.prompt.category,
        example.prompt.language,
        moment(example.last_voted_at),
    )


def alternates(messages: Sequence[Message]) -> bool:
    """Whether user and assistant take turns, the user first and last, after at most one system message at the start."""
    spoken = messages[1:] if messages and messages[0].role == "system" else messages
    roles = [message.role for message in spoken]
    return len(roles) % 2 == 1 and all(
        role == ("assistant" if number % 2 else "user") for number, role in enumerate(roles)
    )


def transcript(messages: Sequence[Message]) -> str:
    """A conversation as one text that ends where the assistant's answer begins, as hh-rlhf and Nectar write it."""
    names = {"user": "Human", "assistant": "Assistant"}
    told = (f"\n\n{names.get(each.role, each.role.capitalize())}: {each.content}" for each in messages)
    return f"{''.join(told)}\n\nAssistant: "


def left_out(example: Example) -> dict[str, int]:
    """The votes on an example that no format of pairs holds, by the reason."""
    reasons = {TIE: example.n(Verdict.TIE), BOTH_BAD: example.n(Verdict.BOTH_BAD)}
    if example.chosen is None:
        reasons[why_none(example)] = example.n_decisive
    return {reason: n for reason, n in reasons.items() if n}


def why_none(example: Example) -> str:
    """Why the decisive votes on an example without a chosen answer choose none."""
    if example.adjudicated is not None:
        return OVERRULED
    if example.n(Verdict.A) == example.n(Verdict.B):
        return CONFLICT
    return DISPUTED if example.is_disputed else BELOW_FLOOR
