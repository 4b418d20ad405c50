"""By how much an answer is better: steps of a voter's scale as one score, and as the margin of a reward model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from arena.battle import Labels, Scale, Side, Verdict
from arena.errors import BadInput
from arena.labels import HIGHEST_RATING, LOWEST_RATING
from arena.preferences.example import Opinion

SCORES: Mapping[Scale, tuple[int, ...]] = MappingProxyType(
    {
        Scale.MUCH_SLIGHTLY: (1, 3),
        Scale.FIVE: (2, 3),
        Scale.EIGHT: (1, 1, 2, 3),
    }
)
"""The steps of each scale, from the weakest, as 1 slightly better, 2 better, 3 much better."""

UNSAID_SCORE = 2
"""What a verdict without a step counts as: better."""

UNSAID, RATINGS = "unsaid", "ratings"


@dataclass(frozen=True, slots=True)
class Margins:
    """What each step of a scale is worth as a margin: what a reward model's loss asks the rewards to differ by.

    By default a step is its share of its scale (of 8 steps: 1/4, 1/2, 3/4, 1), a point between two ratings is 1/4, so
    that the whole scale is 1 again, and a verdict without either is worth 0, which asks for no margin.
    """

    steps: Mapping[tuple[Scale, int], float]
    point: float = 1 / (HIGHEST_RATING - LOWEST_RATING)
    unsaid: float = 0.0

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """The defaults with other values: by "8-steps/3" for a step, "ratings" for a point between two, "unsaid".

        Raises BadInput for another key, or a value that is no number from 0.
        """
        steps = {(scale, step): step / scale.n_steps for scale in SCORES for step in range(1, scale.n_steps + 1)}
        names = {f"{scale}/{step}": (scale, step) for scale, step in steps}
        others = {RATINGS: 1 / (HIGHEST_RATING - LOWEST_RATING), UNSAID: 0.0}
        for name, text in given.items():
            if name not in names and name not in others:
                raise BadInput(f"{name!r} is no step; accepted: {', '.join((*names, *others))}")
            value = _number(name, text)
            if name in names:
                steps[names[name]] = value
            else:
                others[name] = value
        return cls(MappingProxyType(steps), point=others[RATINGS], unsaid=others[UNSAID])

    def to_record(self) -> dict[str, float]:
        """As plain values, by the keys that `of` takes."""
        return {f"{scale}/{step}": value for (scale, step), value in self.steps.items()} | {
            RATINGS: self.point,
            UNSAID: self.unsaid,
        }

    def of_pair(self, opinions: Sequence[Opinion], chosen: Verdict) -> float:
        """The mean of what the decisive opinions are worth, from 0: those for the chosen side add, others take away.

        Opinions that say nothing of how much are passed over, unless none says anything.
        """
        worth = [(1 if each.verdict is chosen else -1, self._of(each)) for each in opinions if each.verdict.is_decisive]
        said = [sign * value for sign, value in worth if value is not None]
        if not said:
            return self.unsaid
        return max(0.0, sum(said) / len(said))

    def _of(self, opinion: Opinion) -> float | None:
        labels = opinion.labels
        if labels.strength is not None and labels.scale is not None:
            return self.steps[labels.scale, labels.strength]
        apart = rated_apart(labels, opinion.verdict)
        return None if apart is None else max(0.0, apart * self.point)


def rated_apart(labels: Labels, verdict: Verdict) -> int | None:
    """By how many points the preferred answer was rated above the other; None where not both were rated."""
    preferred, other = (Side.A, Side.B) if verdict is Verdict.A else (Side.B, Side.A)
    if preferred not in labels.ratings or other not in labels.ratings:
        return None
    return labels.ratings[preferred] - labels.ratings[other]


def step_score(labels: Labels) -> int | None:
    """The step that a voter gave, as SCORES; None where none was given."""
    if labels.strength is None or labels.scale is None:
        return None
    return SCORES[labels.scale][labels.strength - 1]


def score(opinion: Opinion) -> int:
    """An opinion from -3 (A is much better) over 0 (neither) to 3 (B is much better)."""
    if not opinion.verdict.is_decisive:
        return 0
    size = step_score(opinion.labels) or UNSAID_SCORE
    return -size if opinion.verdict is Verdict.A else size


def mean_strength(opinions: Sequence[Opinion], chosen: Verdict) -> float | None:
    """The mean step of the voters who preferred this side, as SCORES; None where none gave one."""
    said = [step for each in opinions if each.verdict is chosen and (step := step_score(each.labels)) is not None]
    return sum(said) / len(said) if said else None


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise BadInput(f"the margin of {name} is {text!r}, which is no number from 0")
    return value
