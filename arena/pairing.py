"""Which two answers meet, on which side, and with what probability. Pure: the randomness is passed in."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from random import Random

from arena.battle import AnswerId, ModelId, PromptId

UNIFORM = "uniform-over-blind-pairs"

# Below this share of free pairs, listing them is quicker than drawing until a free one comes up.
_DRAWING_PAYS = 0.1


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that may be served; text_key is equal for equal texts."""

    prompt_id: PromptId
    model_id: ModelId
    answer_id: AnswerId
    text_key: str


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn. probability is that of this prompt with this model as A and that one as B."""

    a: Candidate
    b: Candidate
    probability: float
    policy: str = UNIFORM


def text_key(text: str) -> str:
    """Equal for texts that a reader cannot tell apart: what differs in blanks alone. Empty for a text of blanks."""
    words = text.split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else ""


class Pool:
    """All answers that may be served, by prompt: one a model, and only prompts with two different texts."""

    def __init__(self, candidates: Iterable[Candidate]):
        by_prompt: dict[PromptId, dict[ModelId, Candidate]] = {}
        for candidate in candidates:
            answers = by_prompt.setdefault(candidate.prompt_id, {})
            if candidate.model_id in answers:
                raise ValueError(f"two answers by {candidate.model_id!r} to {candidate.prompt_id!r}; serve one of them")
            answers[candidate.model_id] = candidate
        self._by_prompt = {
            prompt: answers for prompt, answers in sorted(by_prompt.items()) if _n_pairs(answers.values())
        }
        self._prompts: Sequence[PromptId] = list(self._by_prompt)
        self._answers = [[answers[model] for model in sorted(answers)] for answers in self._by_prompt.values()]
        self._bounds = list(accumulate(len(each) * (len(each) - 1) // 2 for each in self._answers))
        self.n_pairs = sum(_n_pairs(answers) for answers in self._answers)

    def draw(self, revealed: Mapping[PromptId, Collection[ModelId]], rng: Random) -> Draw | None:
        """Draw uniformly among all pairs of different texts that a voter can still judge blind, then toss for sides.

        `revealed` are the models whose names this voter has seen behind their answers to a prompt; such an answer is
        not blind any more, whomever it meets. Returns None when nothing is left. Every free pair has probability
        1 / n_free, each order of it half of that.
        """
        touched = {prompt: set(models) for prompt, models in revealed.items() if prompt in self._by_prompt}
        n_free = self.n_pairs + sum(
            _n_pairs(self._blind(prompt, models)) - _n_pairs(self._by_prompt[prompt].values())
            for prompt, models in touched.items()
        )
        if n_free == 0:
            return None
        if n_free > _DRAWING_PAYS * self._bounds[-1]:
            while True:
                first, second = self._any_pair(rng)
                known = touched.get(first.prompt_id, ())
                if _differ(first, second) and first.model_id not in known and second.model_id not in known:
                    break
        else:
            first, second = rng.choice(
                [
                    pair
                    for prompt in self._by_prompt
                    for pair in combinations(self._blind(prompt, touched.get(prompt, ())), 2)
                    if _differ(*pair)
                ]
            )
        if rng.random() < 0.5:
            first, second = second, first
        return Draw(a=first, b=second, probability=0.5 / n_free)

    def _blind(self, prompt: PromptId, revealed: Collection[ModelId]) -> list[Candidate]:
        answers = self._by_prompt[prompt]
        return [answers[model] for model in sorted(answers) if model not in revealed]

    def _any_pair(self, rng: Random) -> tuple[Candidate, Candidate]:
        [answers] = rng.choices(self._answers, cum_weights=self._bounds)
        first, second = rng.sample(answers, 2)
        return first, second


def _differ(first: Candidate, second: Candidate) -> bool:
    return first.text_key != second.text_key


def _n_pairs(answers: Collection[Candidate]) -> int:
    """Pairs with different texts: all pairs without those inside a group of equal texts."""
    groups = Counter(answer.text_key for answer in answers)
    return (len(answers) ** 2 - sum(size**2 for size in groups.values())) // 2
