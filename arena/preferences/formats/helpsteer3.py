"""All votes on a pair with their scores from -3 to 3, as HelpSteer3-Preference has them; below 0 is for response1.

https://huggingface.co/datasets/nvidia/HelpSteer3

The overall score is the rounded mean of the three scores that are closest to each other (of all, where there are up to
three), halves away from 0. Where even these lie further apart than two points, the votes contradict each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from arena.battle import Labels, Side
from arena.preferences.example import Example
from arena.preferences.formats import pairs
from arena.preferences.strength import score

NAME = "helpsteer3"

CONTRADICTION = "conflict: the closest scores lie more than 2 points apart"
MOST_APART = 2
CLOSEST = 3

SCHEMA: Mapping[str, str] = {
    "domain": "varchar",
    "language": "varchar",
    "context": pairs.MESSAGES,
    "response1": "varchar",
    "response2": "varchar",
    "overall_preference": "bigint",
    "individual_preference": "struct(score bigint, reasoning varchar, feedback1 varchar, feedback2 varchar)[]",
    "pair_id": "varchar",
    "prompt_id": "varchar",
    "model1": "varchar",
    "model2": "varchar",
}


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, unless the votes contradict each other."""
    overall = _overall([score(opinion) for opinion in example.opinions])
    if overall is None:
        return
    yield (
        *(example.prompt.category, example.prompt.language, pairs.listed(example.messages)),
        *(example.answer_a.text, example.answer_b.text, overall),
        [
            {
                "score": score(opinion),
                "reasoning": opinion.labels.comment or "",
                "feedback1": _feedback(opinion.labels, Side.A),
                "feedback2": _feedback(opinion.labels, Side.B),
            }
            for opinion in example.opinions
        ],
        *(example.id, example.prompt.id, example.answer_a.model_id, example.answer_b.model_id),
    )


def left_out(example: Example) -> dict[str, int]:
    """All votes on a pair on which they contradict each other, and none elsewhere."""
    if _overall([score(opinion) for opinion in example.opinions]) is not None:
        return {}
    return {CONTRADICTION: len(example.opinions)}


def _overall(scores: Sequence[int]) -> int | None:
    ordered = sorted(scores)
    n = min(CLOSEST, len(ordered))
    # Of equally close ones those nearest to 0, and of these the sum of both: so that exchanged answers mirror it.
    windows = [ordered[start : start + n] for start in range(len(ordered) - n + 1)]
    apart = min(window[-1] - window[0] for window in windows)
    if apart > MOST_APART:
        return None
    means = [Fraction(sum(window), n) for window in windows if window[-1] - window[0] == apart]
    nearest = min(map(abs, means))
    mean = Fraction(sum(found := {each for each in means if abs(each) == nearest}), len(found))
    size = int(abs(mean) + Fraction(1, 2))
    return size if mean > 0 else -size


def _feedback(labels: Labels, side: Side) -> str:
    return "; ".join(sorted(labels.reasons.get(side, ())))
