"""Answers to one prompt, ranked by one voter: a list as the pairs that it says. Pure.

A list of K answers says K (K - 1) / 2 pairs, less those of one rank, which say nothing. The pairs of a list are no
independent votes: they share the id of the list and weigh 1 / (number of pairs) each, so that a list weighs one vote.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from pydantic import Field, ValidationError

from arena.errors import BadInput
from arena.record import Id, Strict, sentences

MOST_ANSWERS = 10


class RankedRow(Strict):
    """An answer of a list as a file has it: rank 1 is the best, and equal answers share a rank."""

    model: Id
    rank: float = Field(ge=1, allow_inf_nan=False)
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Preferred:
    """Two answers of a list, of which the first is ranked better; `a_is_better` says on which side it goes."""

    better: RankedRow
    worse: RankedRow
    a_is_better: bool


def parse_answers(value: object) -> tuple[RankedRow, ...]:
    """The answers of a ranked list. Raises BadInput for fewer than 2 or more than 10, for a model that stands twice,
    and where all have one rank, so that nothing is said."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise BadInput('answers is no list; accepted: [{"model": ..., "rank": 1}, ...], with "text" where there is one')
    if not 2 <= len(value) <= MOST_ANSWERS:
        raise BadInput(f"a ranked list has 2 to {MOST_ANSWERS} answers, and this one {len(value)}")
    try:
        rows = tuple(RankedRow.model_validate(_plain(each)) for each in value)
    except ValidationError as error:
        raise BadInput(f"answers: {'; '.join(told for _, told in sentences(error, RankedRow))}") from error
    models = [row.model for row in rows]
    twice = next((model for model in models if models.count(model) > 1), None)
    if twice is not None:
        raise BadInput(f"the model {twice!r} stands twice in one list")
    if len({row.rank for row in rows}) == 1:
        raise BadInput(f"all answers have rank {rows[0].rank:g}: this list prefers none of them")
    return rows


def list_id(prompt_id: str, names: Iterable[str]) -> str:
    """The name of a list of answers to a prompt, whatever their order: a digest of the prompt's id and of theirs."""
    return hashlib.sha256("\0".join((prompt_id, *sorted(names))).encode()).hexdigest()[:32]


def pairs_of(rows: Sequence[RankedRow]) -> list[Preferred]:
    """The pairs of a list that prefer one answer.

    Files put the best first; if it always stood on side A, that would look as if voters liked the side. So a coin draws
    the sides, and the same one for the same texts: the last bit of a digest of the two.
    """
    pairs = []
    for one, other in combinations(rows, 2):
        if one.rank != other.rank:
            first, second = sorted((one, other), key=lambda row: row.model)
            told = "\0".join((first.model, first.text or "", second.model, second.text or ""))
            is_first_a = hashlib.sha256(told.encode()).digest()[-1] % 2 == 0
            better, worse = sorted((one, other), key=lambda row: row.rank)
            pairs.append(Preferred(better, worse, a_is_better=(better is first) == is_first_a))
    return pairs


def _plain(value: Any) -> Any:
    """An answer as a table gives it: a whole number is a rank as well, and what is null was not said."""
    if not isinstance(value, Mapping):
        return value
    told = {key: each for key, each in value.items() if each is not None}
    rank = told.get("rank")
    return {**told, "rank": float(rank)} if isinstance(rank, int) and not isinstance(rank, bool) else told
