"""judgements.jsonl: every reply of an AI judge, paid once, with how it came about; and what the replies add up to.

A judge is asked about two answers in both orders. Where both times the same answer is better, that is its ruling; where
the verdict changes with the order, the ruling is a tie, and counted as a flip. A reply that ends with no verdict is
asked for once more; if that ends with none either, there is no ruling. Pure, but for the reading.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from arena import json_line
from arena.battle import AnswerId, ModelId, PromptId, Side, Verdict
from arena.contenders.judge import of_dimension
from arena.errors import BadPack, Fault
from arena.record import Id, Strict, sentences

JUDGEMENTS_FILE = "judgements.jsonl"

MOST_ATTEMPTS = 2
"""So often one question is asked where the reply ends with no verdict."""


class ReplyRow(Strict):
    """One line of judgements.jsonl: one reply, on two answers in the order in which they were shown."""

    judge: Id
    version: Id
    digest: Id
    """Of all that the judge was asked by."""
    prompt_id: Id
    model_a: Id
    model_b: Id
    answer_a: Id
    answer_b: Id
    attempt: int = Field(ge=1, le=MOST_ATTEMPTS)
    code: str | None = None
    """That of the marks around the texts, which the verdict repeats."""
    chosen: Id
    """How this pair came to be judged."""
    masked: bool = False
    """Whether names stood masked in an answer."""
    verdict: Literal["A", "B", "tie", "both_bad"] | None = None
    """Of the answers as shown; without one, the reply ended with none."""
    scores: dict[Literal["A", "B"], dict[str, int]] | None = None
    reason: str | None = None
    reply: str
    """The whole of it, as it came."""
    model: Id
    """What the endpoint was asked for."""
    revision: str | None = None
    """What it calls itself, where that is something else."""
    params: dict[str, Any] | None = None
    guideline_version: str | None = None
    tokens: int | None = Field(default=None, ge=0)
    latency_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    finish_reason: str | None = None
    replied_at: Annotated[AwareDatetime, Field(strict=False)]

    @property
    def label(self) -> str:
        """The judge in its version."""
        return f"{self.judge}@{self.version}"

    @property
    def question(self) -> "Key":
        """What was asked, in this order."""
        return self.label, PromptId(self.prompt_id), AnswerId(self.answer_a), AnswerId(self.answer_b)


Key = tuple[str, PromptId, AnswerId, AnswerId]
"""A judge in its version, a prompt, and two answers in an order."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a judge says of two answers, after both orders. Which of the two is A, a digest of them decides.

    verdict is None where one order got no verdict. `seen` are the two verdicts by place, that with A in the first place
    first; Side A in them is the first place.
    """

    judge: str
    version: str
    digest: str
    prompt_id: PromptId
    model_a: ModelId
    model_b: ModelId
    answer_a: AnswerId
    answer_b: AnswerId
    verdict: Verdict | None
    seen: tuple[Verdict, Verdict] | None
    dimensions: Mapping[str, Verdict]
    chosen: str
    is_masked: bool
    guideline_version: str | None
    replied_at: datetime

    @property
    def label(self) -> str:
        """The judge in its version."""
        return f"{self.judge}@{self.version}"

    @property
    def is_flip(self) -> bool:
        """Whether the two orders say different things, so that the verdict is a tie by rule."""
        return self.seen is not None and self.seen[0] is not self.seen[1].swapped


def read_replies(directory: Path) -> tuple[ReplyRow, ...]:
    """All replies of a pack's judges, in the order in which they came; none where there is no file yet.

    Raises BadPack for lines that are none.
    """
    faults: list[Fault] = []
    rows: list[ReplyRow] = []
    path = directory / JUDGEMENTS_FILE
    if not path.exists():
        return ()
    try:
        for number, line in json_line.lines_of(path):
            try:
                rows.append(ReplyRow.model_validate(json_line.parse(line)))
            except json_line.NoJson as error:
                faults.append(Fault(path.name, number, str(error)))
            except ValidationError as error:
                faults.extend(Fault(path.name, number, text) for _, text in sentences(error, ReplyRow))
    except OSError as error:
        faults.append(Fault(path.name, None, f"the file cannot be read: {error.strerror}"))
    if faults:
        raise BadPack(directory, faults)
    return tuple(rows)


def settled(replies: Iterable[ReplyRow]) -> dict[Key, ReplyRow | None]:
    """Of every question that is not to be asked again the reply that counts: the first with a verdict, or None."""
    found: dict[Key, ReplyRow | None] = {}
    n_without: dict[Key, int] = {}
    for reply in replies:
        key = reply.question
        if reply.verdict is not None:
            if found.get(key) is None:
                found[key] = reply
        else:
            n_without[key] = n_without.get(key, 0) + 1
            if n_without[key] >= MOST_ATTEMPTS:
                found.setdefault(key, None)
    return found


def rulings(replies: Iterable[ReplyRow]) -> list[Ruling]:
    """What the replies add up to, pairs in the order in which they were first asked about.

    Pairs of which an order is still to be asked are not among them.
    """
    replies = list(replies)
    counted = settled(replies)
    found: dict[tuple[str, PromptId, frozenset[AnswerId]], Ruling] = {}
    for reply in replies:
        label, prompt, one, other = reply.question
        pair = (label, prompt, frozenset((one, other)))
        orders = (label, prompt, one, other), (label, prompt, other, one)
        if pair not in found and all(order in counted for order in orders):
            found[pair] = _ruling(reply, *(counted[order] for order in orders))
    return list(found.values())


def _ruling(any_of: ReplyRow, forth: ReplyRow | None, back: ReplyRow | None) -> Ruling:
    """`any_of` shows the two in the order of `forth`."""
    is_turned = is_other_a(any_of.prompt_id, any_of.answer_a, any_of.answer_b)
    if is_turned:
        forth, back = back, forth
    a, b = Side.A.value.lower(), Side.B.value.lower()
    a, b = (b, a) if is_turned else (a, b)
    verdict = seen = None
    dimensions: dict[str, Verdict] = {}
    if forth is not None and back is not None:
        seen = Verdict(forth.verdict), Verdict(back.verdict)
        verdict = _both(*seen)
        if forth.scores is not None and back.scores is not None:
            sides = [{Side(side): told for side, told in row.scores.items()} for row in (forth, back) if row.scores]
            dimensions = {each: _both(*(of_dimension(told, each) for told in sides)) for each in forth.scores["A"]}
    last = max((row for row in (forth, back, any_of) if row is not None), key=lambda row: row.replied_at)
    return Ruling(
        judge=any_of.judge,
        version=any_of.version,
        digest=any_of.digest,
        prompt_id=PromptId(any_of.prompt_id),
        model_a=ModelId(getattr(any_of, f"model_{a}")),
        model_b=ModelId(getattr(any_of, f"model_{b}")),
        answer_a=AnswerId(getattr(any_of, f"answer_{a}")),
        answer_b=AnswerId(getattr(any_of, f"answer_{b}")),
        verdict=verdict,
        seen=seen,
        dimensions=dimensions,
        chosen=any_of.chosen,
        is_masked=any_of.masked,
        guideline_version=any_of.guideline_version,
        replied_at=last.replied_at,
    )


def _both(first: Verdict, second: Verdict) -> Verdict:
    """What two orders say together; the second is seen with the sides exchanged."""
    return first if first is second.swapped else Verdict.TIE


def is_other_a(prompt_id: str, one: str, other: str) -> bool:
    """Whether the other of two answers is A in the vote on them.

    The same one is, whichever is named first; in half of all pairs either way.
    """
    low, high = sorted((one, other))
    low_is_a = hashlib.sha256(f"{prompt_id}\0{low}\0{high}".encode()).digest()[0] % 2 == 0
    return low_is_a is not (one == low)
