"""LMArena's public columns, as in its releases of 33,000 and 100,000 votes; `bakeoff import` reads them back.

https://huggingface.co/datasets/lmarena-ai/arena-human-preference-100k
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import lmarena, pairs

NAME = "lmarena_100k"

SCHEMA: Mapping[str, str] = {
    "question_id": "varchar",
    "model_a": "varchar",
    "model_b": "varchar",
    "winner": "varchar",
    "judge": "varchar",
    "conversation_a": pairs.MESSAGES,
    "conversation_b": pairs.MESSAGES,
    "turn": "bigint",
    "anony": "boolean",
    "language": "varchar",
    "tstamp": "double",
    "is_code": "boolean",
    "category": "varchar",
}

left_out = lmarena.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row a vote. tstamp is in seconds since 1970; judge is the voter's name in this export."""
    is_code = lmarena.is_code(example)
    for vote in lmarena.sided(example):
        opinion = vote.opinion
        yield (
            *(opinion.vote_id, vote.answer_a.model_id, vote.answer_b.model_id, vote.winner("tie (bothbad)")),
            opinion.voter,
            *(pairs.answered(example, answer) for answer in (vote.answer_a, vote.answer_b)),
            *(lmarena.n_turns(example), opinion.blind is not False, example.prompt.language),
            None if opinion.voted_at is None else opinion.voted_at.timestamp(),
            *(is_code, example.prompt.category),
        )
