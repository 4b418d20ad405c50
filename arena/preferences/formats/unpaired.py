"""One answer with true or false: TRL's KTO trainer.

https://huggingface.co/docs/trl/dataset_formats#unpaired-preference

That an answer is better than another one does not tell whether it would do. A chosen answer is true, and the other
one false, where its voters call the chosen one acceptable, or where the export was told to take it for so; where they
call it unacceptable, both are false. Two answers that are both bad are false. A tie tells nothing of that, and where
anybody has called both bad, no answer is true.
"""

from collections.abc import Iterator, Mapping

from arena.battle import Answer, Verdict
from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "unpaired"

UNKNOWN = "not known whether the chosen answer is acceptable"
DISPUTED = "chosen by some, and both bad to others"

SCHEMA: Mapping[str, str] = {
    "prompt": pairs.MESSAGES,
    "completion": pairs.MESSAGES,
    "label": "boolean",
    "pair_id": "varchar",
    "prompt_id": "varchar",
    "answer_id": "varchar",
    "model": "varchar",
    "revision": "varchar",
    "n_votes": "integer",
    "agreement": "double",
    "weight": "double",
    "disagreement": "double",
    "category": "varchar",
    "language": "varchar",
    "created_at": "varchar",
}


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """Two rows, or none."""
    for answer, label in _labelled(example):
        yield (
            pairs.listed(example.messages),
            [pairs.message("assistant", answer.text)],
            label,
            *(example.id, example.prompt.id, answer.id, answer.model_id, answer.revision),
            *(_n_kept(example), example.agreement, example.weight, example.disagreement),
            *(example.prompt.category, example.prompt.language, pairs.moment(example.last_voted_at)),
        )


def left_out(example: Example) -> dict[str, int]:
    """The votes that are in no row, by the reason."""
    if example.verdict is Verdict.BOTH_BAD:
        # Where there are decisive votes, an adjudication stands above them.
        reasons = {pairs.TIE: example.n(Verdict.TIE), pairs.OVERRULED: example.n_decisive}
    elif example.chosen is None:
        return pairs.left_out(example)
    elif not _labelled(example):
        reasons = {
            pairs.TIE: example.n(Verdict.TIE),
            pairs.BOTH_BAD: example.n(Verdict.BOTH_BAD),
            DISPUTED if example.is_acceptable is not False and example.n(Verdict.BOTH_BAD) else UNKNOWN: (
                example.n_decisive
            ),
        }
    else:
        reasons = {pairs.TIE: example.n(Verdict.TIE), pairs.BOTH_BAD: example.n(Verdict.BOTH_BAD)}
    return {reason: n for reason, n in reasons.items() if n}


def _labelled(example: Example) -> list[tuple[Answer, bool]]:
    """The answers that are known to be good or bad."""
    if example.verdict is Verdict.BOTH_BAD:
        return [(example.answer_a, False), (example.answer_b, False)]
    found = pairs.sides(example)
    if found is None or example.is_acceptable is None:
        return []
    if example.is_acceptable and example.n(Verdict.BOTH_BAD):
        return []
    return [(found[0], example.is_acceptable), (found[1], False)]


def _n_kept(example: Example) -> int:
    return example.n(Verdict.BOTH_BAD) if example.verdict is Verdict.BOTH_BAD else example.n_decisive
