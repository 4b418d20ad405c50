"""Every vote by itself with everything that was said, the sides as they stood: for analyses, not for trainers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "raw_votes"

_SIDED = {"answer": "varchar", "answer_id": "varchar", "model": "varchar", "revision": "varchar"}
SCHEMA: Mapping[str, str] = {
    "vote_id": "varchar",
    "voted_at": "varchar",
    "verdict": "varchar",
    "source": "varchar",
    "voter": "varchar",
    "pair_id": "varchar",
    "prompt_id": "varchar",
    "prompt": pairs.MESSAGES,
    **{f"{name}_{side}": type_ for name, type_ in _SIDED.items() for side in "ab"},
    "scale": "varchar",
    "strength": "integer",
    "dimensions": "varchar",
    "reasons": "varchar",
    "comment": "varchar",
    "confidence": "varchar",
    "ratings": "varchar",
    "acceptable": "boolean",
    "thumbs": "varchar",
    "shown_on_left": "varchar",
    "time_to_vote_ms": "bigint",
    "blind": "boolean",
    "guideline_version": "varchar",
    "consent_version": "varchar",
    "purpose": "varchar",
    "batch": "varchar",
    "category": "varchar",
    "language": "varchar",
    "pair_verdict": "varchar",
    "pair_agreement": "double",
}


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row a vote. dimensions, reasons, ratings and thumbs are JSON objects; pair_verdict is what its votes say."""
    for told in example.opinions:
        a, b = example.answer_a, example.answer_b
        opinion, together = told, example.verdict
        if told.is_turned:
            opinion, (a, b) = told.turned, (b, a)
            together = None if together is None else together.swapped
        labels = opinion.labels
        reasons = {side: sorted(given) for side, given in labels.reasons.items()}
        yield (
            *(
                opinion.vote_id,
                pairs.moment(opinion.voted_at),
                opinion.verdict.value,
                opinion.source.value,
                opinion.voter,
            ),
            *(example.id, example.prompt.id, pairs.listed(example.messages)),
            *(a.text, b.text, a.id, b.id, a.model_id, b.model_id, a.revision, b.revision),
            *(_word(labels.scale), labels.strength, _json(labels.dimensions), _json(reasons), labels.comment),
            *(_word(labels.confidence), _json(labels.ratings), labels.acceptable, _json(labels.thumbs)),
            *(_word(opinion.shown_on_left), opinion.time_to_vote_ms, opinion.blind, opinion.guideline_version),
            *(opinion.consent_version, opinion.purpose, opinion.batch),
            *(example.prompt.category, example.prompt.language, _word(together), example.agreement),
        )


def left_out(_example: Example) -> dict[str, int]:
    """No vote."""
    return {}


def _word(value: object) -> str | None:
    return None if value is None else str(value)


def _json(value: Mapping[Any, Any]) -> str | None:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else None
