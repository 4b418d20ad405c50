"""Which two answers meet, on which side, and with what probability. Pure: the randomness is passed in."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from random import Random

from arena.battle import AnswerId, ModelId, PromptId

UNIFORM = "uniform-over-unseen-pairs"

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
class Pairing:
    """A prompt and two different models, whichever side they stand on."""

    prompt_id: PromptId
    models: frozenset[ModelId]

    @classmethod
    def of(cls, prompt_id: PromptId, model_a: ModelId, model_b: ModelId) -> "Pairing":
        return cls(prompt_id, frozenset((model_a, model_b)))


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

    def draw(self, seen: Collection[Pairing], rng: Random) -> Draw | None:
        """Draw uniformly among all pairs of different texts that are not in `seen`, then the sides by a fair coin.

        Returns None when nothing is left. Every free pair has probability 1 / n_free, each order of it half of that.
        """
        taken = {pairing for pairing in seen if self._holds(pairing)}
        n_free = self.n_pairs - len(taken)
        if n_free == 0:
            return None
        if n_free > _DRAWING_PAYS * self._bounds[-1]:
            while True:
                first, second = self._any_pair(rng)
                if _differ(first, second) and _pairing(first, second) not in taken:
                    break
        else:
            free = [
                (first, second)
                for answers in self._answers
                for first, second in combinations(answers, 2)
                if _differ(first, second) and _pairing(first, second) not in taken
            ]
            first, second = rng.choice(free)
        if rng.random() < 0.5:
            first, second = second, first
        return Draw(a=first, b=second, probability=0.5 / n_free)

    def _holds(self, pairing: Pairing) -> bool:
        answers = self._by_prompt.get(pairing.prompt_id, {})
        first, second = (answers.get(model) for model in pairing.models)
        return first is not None and second is not None and _differ(first, second)

    def _any_pair(self, rng: Random) -> tuple[Candidate, Candidate]:
        [answers] = rng.choices(self._answers, cum_weights=self._bounds)
        first, second = rng.sample(answers, 2)
        return first, second


def _differ(first: Candidate, second: Candidate) -> bool:
    return first.text_key != second.text_key


def _pairing(first: Candidate, second: Candidate) -> Pairing:
    return Pairing.of(first.prompt_id, first.model_id, second.model_id)


def _n_pairs(answers: Collection[Candidate]) -> int:
    """Pairs with different texts: all pairs without those inside a group of equal texts."""
    groups = Counter(answer.text_key for answer in answers)
    return (len(answers) ** 2 - sum(size**2 for size in groups.values())) // 2
