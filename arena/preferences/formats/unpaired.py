"""One answer with true or false: TRL's KTO trainer.

https://huggingface.co/docs/trl/dataset_formats#unpaired-preference

A thumb says of an answer itself whether it would do: what most of its thumbs say is its label, whoever preferred what,
and as many up as down give none. A vote that calls both answers bad counts as a thumb down for each of them on which
its voter put none. What a host has adjudicated as both bad stands above the thumbs.

An answer without a thumb has its label from the verdict. That it is better than another one does not tell whether it
would do. A chosen answer is true, and the other one false, where its voters call the chosen one acceptable, or where
the export was told to take it for so; where they call it unacceptable, both are false. Two answers that are both bad
are false. A tie tells nothing of that, and where anybody has called both bad, no answer is true.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from arena.battle import Answer, Side, Thumb, Verdict
from arena.preferences.example import Example
from arena.preferences.formats import pairs
from arena.thumbs import AS_MANY, together

NAME = "unpaired"

UNKNOWN = "not known whether the chosen answer is acceptable"
DISPUTED = "chosen by some, and both bad to others"
BY_THUMBS = "a verdict on two answers that others gave thumbs"

THUMBS, VERDICT = "thumbs", "verdict"

SCHEMA: Mapping[str, str] = {
    "prompt": pairs.MESSAGES,
    "completion": pairs.MESSAGES,
    "label": "boolean",
    "pair_id": "varchar",
    "prompt_id": "varchar",
    "answer_id": "varchar",
    "model": "varchar",
    "revision": "varchar",
    "label_by": "varchar",
    "n_votes": "integer",
    "agreement": "double",
    "weight": "double",
    "disagreement": "double",
    "category": "varchar",
    "language": "varchar",
    "created_at": "varchar",
}


@dataclass(frozen=True, slots=True)
class _Labelled:
    """An answer that is known to be good or bad, and the places of the opinions that were counted for it."""

    answer: Answer
    label: bool
    by: str
    counted: frozenset[int]
    agreement: float | None
    weight: float


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row for each answer whose label is known: two, one or none."""
    for found in _labelled(example):
        answer = found.answer
        yield (
            pairs.listed(example.messages),
            [pairs.message("assistant", answer.text)],
            found.label,
            *(example.id, example.prompt.id, answer.id, answer.model_id, answer.revision),
            *(found.by, len(found.counted), found.agreement, found.weight, example.disagreement),
            *(example.prompt.category, example.prompt.language, pairs.moment(example.last_voted_at)),
        )


def left_out(example: Example) -> dict[str, int]:
    """The votes that are in no row, by the reason."""
    kept = frozenset[int]().union(*(found.counted for found in _labelled(example)))
    split = frozenset[int]().union(*(_said(example, side) for side in Side if _is_split(example, side)))
    reasons = Counter[str]()
    for place, opinion in enumerate(example.opinions):
        if place not in kept:
            reasons[AS_MANY if place in split else _why_not(example, opinion.verdict)] += 1
    return dict(reasons)


def _labelled(example: Example) -> list[_Labelled]:
    """The answers that are known to be good or bad."""
    by_verdict = _by_verdict(example)
    if _is_ruled_bad(example):
        return list(by_verdict.values())
    found = {side: _by_thumbs(example, side) if _has_thumbs(example, side) else by_verdict.get(side) for side in Side}
    # The chosen answer first, as a pair has it.
    order = (Side.B, Side.A) if example.verdict is Verdict.B else (Side.A, Side.B)
    return [each for side in order if (each := found[side]) is not None]


def _is_ruled_bad(example: Example) -> bool:
    return example.adjudicated is not None and example.verdict is Verdict.BOTH_BAD


# ---- by thumbs ----


def _has_thumbs(example: Example, side: Side) -> bool:
    return any(side in opinion.labels.thumbs for opinion in example.opinions)


def _said(example: Example, side: Side) -> dict[int, Thumb]:
    """The thumbs on an answer by the places of their opinions; both bad is a thumb down where its voter put none."""
    said = {place: opinion.labels.thumbs.get(side) for place, opinion in enumerate(example.opinions)}
    for place, opinion in enumerate(example.opinions):
        if said[place] is None and opinion.verdict is Verdict.BOTH_BAD:
            said[place] = Thumb.DOWN
    return {place: thumb for place, thumb in said.items() if thumb is not None}


def _by_thumbs(example: Example, side: Side) -> _Labelled | None:
    said = _said(example, side)
    found = together(said.values())
    if found is None:
        return None
    answer, weight = _answer(example, side), 2 * found.share - 1
    return _Labelled(answer, found.is_good, THUMBS, frozenset(said), float(found.share), float(weight))


def _is_split(example: Example, side: Side) -> bool:
    is_asked = _has_thumbs(example, side) and not _is_ruled_bad(example)
    return is_asked and _by_thumbs(example, side) is None


# ---- by the verdict ----


def _by_verdict(example: Example) -> dict[Side, _Labelled]:
    """What the verdict tells of either answer."""
    if example.verdict is Verdict.BOTH_BAD:
        return {side: _as_judged(example, side, False, Verdict.BOTH_BAD) for side in Side}
    if example.chosen is None or example.is_acceptable is None:
        return {}
    if example.is_acceptable and example.n(Verdict.BOTH_BAD):
        return {}
    chosen, other = (Side.A, Side.B) if example.verdict is Verdict.A else (Side.B, Side.A)
    labels = {chosen: example.is_acceptable, other: False}
    return {side: _as_judged(example, side, label, Verdict.A, Verdict.B) for side, label in labels.items()}


def _as_judged(example: Example, side: Side, label: bool, *counted: Verdict) -> _Labelled:
    votes = frozenset(place for place, opinion in enumerate(example.opinions) if opinion.verdict in counted)
    return _Labelled(_answer(example, side), label, VERDICT, votes, example.agreement, example.weight)


def _why_not(example: Example, verdict: Verdict) -> str:
    """Why a vote with this verdict is in no row, where none of its thumbs is."""
    if not verdict.is_decisive:
        return pairs.TIE if verdict is Verdict.TIE else pairs.BOTH_BAD
    if example.chosen is None:  # both bad above decisive votes is an adjudication
        return pairs.why_none(example)
    if _by_verdict(example):
        return BY_THUMBS
    is_disputed = example.is_acceptable is not False and example.n(Verdict.BOTH_BAD)
    return DISPUTED if is_disputed else UNKNOWN


def _answer(example: Example, side: Side) -> Answer:
    return example.answer_a if side is Side.A else example.answer_b
