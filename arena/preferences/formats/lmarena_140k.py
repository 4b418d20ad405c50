"""LMArena's public columns, as in its release of 140,000 votes; `bakeoff import` reads them back.

https://huggingface.co/datasets/lmarena-ai/arena-human-preference-140k
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from arena.battle import Answer
from arena.preferences.example import Example
from arena.preferences.formats import lmarena, pairs

NAME = "lmarena_140k"

_PARTS = 'struct("type" varchar, "text" varchar, image varchar, "mimeType" varchar)[]'
_TOLD = f"struct(role varchar, content {_PARTS})"
_HEADERS = ", ".join(f"h{level} bigint" for level in range(1, 7))

# Counts of style are named and nested as there. Tokens are known only where whoever made an answer has told them.
_METADATA: Mapping[str, str] = {
    **{f"sum_assistant_{side}_tokens": "bigint" for side in "ab"},
    "turns": "bigint",
    **{f"header_count_{side}": f"struct({_HEADERS})" for side in "ab"},
    **{f"list_count_{side}": "struct(ordered bigint, unordered bigint)" for side in "ab"},
    **{f"bold_count_{side}": 'struct("**" bigint, "__" bigint)' for side in "ab"},
}

SCHEMA: Mapping[str, str] = {
    "id": "varchar",
    "model_a": "varchar",
    "model_b": "varchar",
    "winner": "varchar",
    "evaluation_session_id": "varchar",
    "evaluation_order": "integer",
    "conversation_a": f"{_TOLD}[]",
    "conversation_b": f"{_TOLD}[]",
    "full_conversation": f'struct("user" {_TOLD}, model_side_a {_TOLD}, model_side_b {_TOLD})[]',
    "conv_metadata": f"struct({', '.join(f'{name} {type_}' for name, type_ in _METADATA.items())})",
    "category": "varchar",
    "language": "varchar",
    "is_code": "boolean",
    "timestamp": "timestamp with time zone",
    "judge": "varchar",
}

left_out = lmarena.left_out

_FENCED = re.compile(r"^ {0,3}```.*?(?:^ {0,3}```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_ORDERED = re.compile(r"^[ \t]*\d+\.[ \t]+\S", re.MULTILINE)
_UNORDERED = re.compile(r"^[ \t]*[-*+][ \t]+\S", re.MULTILINE)
_STARS = re.compile(r"\*\*[^*\n]+\*\*")
_UNDERSCORES = re.compile(r"__[^_\n]+__")


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row a vote. full_conversation has a turn of the user with both sides' answers; earlier turns are shared."""
    is_code = lmarena.is_code(example)
    for vote in lmarena.sided(example):
        opinion, answers = vote.opinion, (vote.answer_a, vote.answer_b)
        yield (
            *(opinion.vote_id, vote.answer_a.model_id, vote.answer_b.model_id, vote.winner("both_bad")),
            *(example.conversation_id or opinion.vote_id, example.turn),
            *([_told(each["role"], each["content"]) for each in pairs.answered(example, answer)] for answer in answers),
            _full(example, answers),
            _metadata(example, answers),
            *(example.prompt.category, example.prompt.language, is_code, opinion.voted_at, opinion.voter),
        )


def _told(role: str, text: str) -> dict[str, object]:
    return {"role": role, "content": [{"type": "text", "text": text, "image": None, "mimeType": None}]}


def _full(example: Example, answers: Sequence[Answer]) -> list[dict[str, object]]:
    """The turns of the user, each with what came back; the last one with the two answers that were judged."""
    turns: list[dict[str, object]] = []
    for message in example.messages:
        if message.role == "user":
            turns.append({"user": _told("user", message.content), "model_side_a": None, "model_side_b": None})
        elif message.role == "assistant" and turns:
            told = _told("assistant", message.content)
            turns[-1] |= {"model_side_a": told, "model_side_b": told}
    if turns:
        a, b = (_told("assistant", answer.text) for answer in answers)
        turns[-1] |= {"model_side_a": a, "model_side_b": b}
    return turns


def _metadata(example: Example, answers: Sequence[Answer]) -> dict[str, object]:
    told: dict[str, object] = {"turns": lmarena.n_turns(example)}
    for side, answer in zip("ab", answers, strict=True):
        prose = _FENCED.sub("\n", answer.text)
        told[f"sum_assistant_{side}_tokens"] = answer.tokens
        told[f"header_count_{side}"] = {
            f"h{level}": len(re.findall(rf"^#{{{level}}}[ \t]+\S", prose, re.MULTILINE)) for level in range(1, 7)
        }
        told[f"list_count_{side}"] = {
            "ordered": len(_ORDERED.findall(prose)),
            "unordered": len(_UNORDERED.findall(prose)),
        }
        told[f"bold_count_{side}"] = {"**": len(_STARS.findall(prose)), "__": len(_UNDERSCORES.findall(prose))}
    return told
