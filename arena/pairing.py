"""Which two answers meet, on which side, and with what probability. No files, no clock: the randomness is passed in.

A pair of models is drawn first, then one of the prompts on which the voter can still judge the two blind, then the
sides. With `share` = 1 for the uniform mode and the share of uniform draws for the others, the probability of a prompt
with this model as A and that one as B is

    1/2 * (share / n_free + (1 - share) * weight of the pair / weights of all free pairs / free prompts of the pair)

where n_free counts the prompts and pairs that this voter can still judge. It is stored with the battle, and it is
never 0 for anything that could have been drawn: the inverse weights the votes as if all draws had been uniform.

The weight of a pair depends on the votes that it has, a tie and a both-bad verdict being votes like others:

    least-voted   1 / (n + 1)
    uncertainty   sqrt(variance / n) - sqrt(variance / (n + 1)): by how much one more vote narrows the interval of the
                  pair's mean outcome (1, 0, or 1/2), counted with one win for each added to the votes. Without a vote
                  that is sqrt(1/8) - sqrt(1/12) = 0.065, with 100 of them half won it is 0.00024.
    close         4 p (1 - p), where p is the share of points that one of the two got, a tie being half a point for
                  each, counted with one win for each added: 1 for an even pair, however many votes it has, and the
                  less the surer the outcome. So hard cases come more often for as long as the arena is open.

Source of the latter: Chiang et al. (2024), arXiv 2403.04132, equation 9.
"""

import hashlib
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.battle import AnswerId, ItemKind, ModelId, Pair, PromptId, Verdict

Mode = Literal["uniform", "least-voted", "uncertainty", "close"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNIFORM = "uniform-over-blind-pairs"

# The number of a text in `Pool` that is not there.
_NONE = -1


@dataclass(frozen=True, slots=True)
class Policy:
    """How pairs are drawn: the mode, and the share of draws, above 0, that are uniform even so."""

    mode: Mode = "uniform"
    uniform_share: float = 0.1

    @property
    def share(self) -> float:
        """The share of draws that are uniform: all of them in the uniform mode."""
        return 1.0 if self.mode == "uniform" else self.uniform_share

    @property
    def name(self) -> str:
        """What is stored with a battle: the mode with its settings."""
        return UNIFORM if self.mode == "uniform" else f"{self.mode}(uniform_share={self.uniform_share})"


UNIFORMLY = Policy()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that may be served; text_key is equal for equal texts."""

    prompt_id: PromptId
    model_id: ModelId
    answer_id: AnswerId
    text_key: str


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn. probability is that of this prompt with this model as A and that one as B (and of this kind of
    item, where `arena.items` has drawn that)."""

    a: Candidate
    b: Candidate
    probability: float
    policy: str = UNIFORM
    kind: ItemKind = ItemKind.FRESH


def text_key(text: str) -> str:
    """Equal for texts that a reader cannot tell apart: what differs in blanks alone. Empty for a text of blanks."""
    words = text.split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else ""


class PairVotes:
    """The votes of each pair of models so far. Any number of threads may use it."""

    def __init__(self, models: Sequence[ModelId]):
        self._place = {model: number for number, model in enumerate(models)}
        # [i, j]: decisive votes for i against j; ties, both-bad included, stand at [i, j] and [j, i].
        self._wins, self._ties = np.zeros((2, len(models), len(models)))
        self._lock = threading.Lock()

    def add(self, model_a: ModelId, model_b: ModelId, verdict: Verdict, n: int = 1) -> None:
        """Count a verdict on two models. Models that are not among those of this record are passed over."""
        a, b = self._place.get(model_a), self._place.get(model_b)
        if a is None or b is None or a == b:
            return
        with self._lock:
            if verdict is Verdict.A:
                self._wins[a, b] += n
            elif verdict is Verdict.B:
                self._wins[b, a] += n
            else:
                self._ties[a, b] += n
                self._ties[b, a] += n

    def weights(self, mode: Mode) -> Floats:
        """The weight of each pair at this moment, as the module tells it; symmetric, shape (n_models, n_models).

        All are finite and above 0; those of a model with itself mean nothing.
        """
        with self._lock:
            wins, ties = self._wins.copy(), self._ties.copy()
        if mode == "uniform":
            return np.ones_like(wins)
        if mode == "least-voted":
            return 1 / (wins + wins.T + ties + 1)
        wins += 1
        losses = wins.T
        n = wins + losses + ties
        if mode == "close":
            points = (wins + ties / 2) / n
            return 4 * points * (1 - points)
        # n^2 times the variance of an outcome that is 1, 0 or 1/2; never 0, since both have won.
        spread = wins * losses + (wins + losses) * ties / 4
        # sqrt(1/n) - sqrt(1/(n + 1)), without the difference of two numbers that are almost the same.
        narrowing = 1 / (np.sqrt(n * (n + 1)) * (np.sqrt(n) + np.sqrt(n + 1)))
        return np.sqrt(spread) / n * narrowing


class Pool:
    """All answers that may be served, by prompt: one a model, and only prompts with two different texts.

    `models` are those that have such an answer, in order; `n_pairs` counts the prompts and pairs of different texts.
    Any number of threads may draw and count.
    """

    def __init__(self, candidates: Iterable[Candidate], policy: Policy = UNIFORMLY):
        by_prompt: dict[PromptId, dict[ModelId, Candidate]] = {}
        for candidate in candidates:
            answers = by_prompt.setdefault(candidate.prompt_id, {})
            if candidate.model_id in answers:
                raise ValueError(f"two answers by {candidate.model_id!r} to {candidate.prompt_id!r}; serve one of them")
            answers[candidate.model_id] = candidate
        self._answers = {
            prompt: answers
            for prompt, answers in sorted(by_prompt.items())
            if len({answer.text_key for answer in answers.values()}) > 1
        }
        self.models = tuple(sorted({model for answers in self._answers.values() for model in answers}))
        self._prompts = tuple(self._answers)
        self._place_of_model = {model: number for number, model in enumerate(self.models)}
        self._place_of_prompt = {prompt: number for number, prompt in enumerate(self._prompts)}
        self._place_of_answer = {
            answer.answer_id: (self._place_of_model[model], self._place_of_prompt[prompt])
            for prompt, answers in self._answers.items()
            for model, answer in answers.items()
        }
        self._candidates = {
            answer.answer_id: answer for answers in self._answers.values() for answer in answers.values()
        }
        # [model, prompt]: equal numbers in a column are equal texts.
        self._texts = np.full((len(self.models), len(self._prompts)), _NONE, dtype=np.int32)
        for column, answers in enumerate(self._answers.values()):
            numbers: dict[str, int] = {}
            for model, answer in answers.items():
                number = numbers.setdefault(answer.text_key, len(numbers))
                self._texts[self._place_of_model[model], column] = number
        self._n_prompts = self._count_prompts()
        self._policy = policy
        self._votes = PairVotes(self.models)
        self.n_pairs = int(self._n_prompts.sum())

    def count(self, model_a: ModelId, model_b: ModelId, verdict: Verdict, n: int = 1) -> None:
        """Let the next draws know of a verdict, given n times. The uniform mode does not need to know."""
        self._votes.add(model_a, model_b, verdict, n)

    def forget_votes(self) -> None:
        """Let the next draws know of no verdict, until they are counted again."""
        self._votes = PairVotes(self.models)

    def draw(
        self,
        revealed: Mapping[PromptId, Collection[ModelId]],
        rng: Random,
        *,
        skipped: Collection[frozenset[AnswerId]] = (),
    ) -> Draw | None:
        """Draw among all pairs of different texts that a voter can still judge blind, then toss for sides.

        `revealed` are the models whose names this voter has seen behind their answers to a prompt; such an answer is
        not blind any more, whomever it meets. `skipped` are pairs of answers that this voter did not want to judge.
        Returns None when nothing is left. The probability is the one that the module tells, given these revealed
        models, skipped pairs, and the votes that were counted before.
        """
        seen = self._seen(revealed)
        passed_over = self._passed_over(skipped, *seen)
        free = self._free(*seen)
        if passed_over:
            free = free.copy()
            for first, second, _ in passed_over:
                free[first, second] -= 1
        pairs = np.flatnonzero(free)
        if not pairs.size:
            return None
        n_prompts = free.ravel()[pairs]
        n_free = int(n_prompts.sum())
        share, favour = self._policy.share, np.zeros(len(pairs))
        if share < 1:
            weights = self._votes.weights(self._policy.mode).ravel()[pairs]
            favour = (1 - share) * weights / weights.sum()
        bounds = np.cumsum(share * n_prompts / n_free + favour)
        # The last bound is a sum of roundings and not quite 1; whatever lies beyond the others is the last pair's.
        drawn = np.searchsorted(bounds[:-1], rng.random() * bounds[-1], side="right")
        first, second = divmod(int(pairs[drawn]), len(self.models))
        prompts = self._free_prompts(first, second, *seen)
        out = [prompt for *models, prompt in passed_over if models == [first, second]]
        prompts = prompts[~np.isin(prompts, out)]
        prompt = self._prompts[prompts[rng.randrange(len(prompts))]]
        a, b = self.models[first], self.models[second]
        if rng.random() < 0.5:
            a, b = b, a
        chance = share / n_free + favour[drawn] / n_prompts[drawn]
        answers = self._answers[prompt]
        return Draw(a=answers[a], b=answers[b], probability=0.5 * float(chance), policy=self._policy.name)

    def has(self, pair: Pair) -> bool:
        """Whether these are two answers of this pool to one prompt, with different texts."""
        places = [self._place_of_answer[answer] for answer in pair if answer in self._place_of_answer]
        if len(places) < 2 or places[0][1] != places[1][1]:
            return False
        a, b = self.answers_of(pair)
        return a.text_key != b.text_key

    def answers_of(self, pair: Pair) -> tuple[Candidate, Candidate]:
        """The two answers of a pair that this pool has."""
        one, other = (self._candidates[answer] for answer in pair)
        return one, other

    def is_blind(
        self,
        pair: Pair,
        revealed: Mapping[PromptId, Collection[ModelId]],
        skipped: Collection[frozenset[AnswerId]] = (),
    ) -> bool:
        """Whether `draw` could give this pair, which the pool has, to a voter who has seen and skipped these."""
        a, b = self.answers_of(pair)
        seen = revealed.get(a.prompt_id)
        if seen:
            answers = self._answers[a.prompt_id]
            texts = {answers[model].text_key for model in seen if model in answers}
            if a.text_key in texts or b.text_key in texts:
                return False
        return not skipped or frozenset(pair) not in skipped

    def _seen(self, revealed: Mapping[PromptId, Collection[ModelId]]) -> tuple[Ints, Ints]:
        """The answers of this pool that are not blind any more: their models and their prompts, by number, sorted.

        A text that was seen with one name is not blind under another either.
        """
        places = sorted(
            (self._place_of_model[model], self._place_of_prompt[prompt])
            for prompt, models in revealed.items()
            if prompt in self._answers
            for model in set(models)
            if model in self._answers[prompt]
        )
        models, prompts = np.array(places, dtype=np.int64).reshape(-1, 2).T
        alike, which = np.nonzero(self._texts[:, prompts] == self._texts[models, prompts])
        return np.divmod(np.unique(alike * len(self._prompts) + prompts[which]), max(len(self._prompts), 1))

    def _passed_over(
        self, skipped: Collection[frozenset[AnswerId]], seen_models: Ints, seen_prompts: Ints
    ) -> list[tuple[int, int, int]]:
        """The skipped pairs that this voter could still judge: the two models, in order, and the prompt, by number."""
        seen = set(zip(seen_models.tolist(), seen_prompts.tolist(), strict=True))
        found = []
        for pair in skipped:
            places = [self._place_of_answer[answer] for answer in pair if answer in self._place_of_answer]
            if len(places) == 2 and seen.isdisjoint(places):
                (first, prompt), (second, _) = sorted(places)
                found.append((first, second, prompt))
        return found

    def _free(self, models: Ints, prompts: Ints) -> Ints:
        """On how many prompts a voter who has seen these answers can still judge two models; [i, j] with i < j."""
        if not models.size:
            return self._n_prompts
        numbers = np.arange(len(self.models))
        texts = self._texts[:, prompts]
        # [model, seen answer]: whether the two make a pair that is lost.
        lost = (texts != _NONE) & (texts != self._texts[models, prompts])
        # A pair of two seen answers is lost once: to the one whose model comes first.
        is_seen = np.zeros(self._texts.shape, dtype=bool)
        is_seen[models, prompts] = True
        lost &= ~is_seen[:, prompts] | (numbers[:, np.newaxis] > models)
        n_lost = np.zeros_like(self._n_prompts)
        seen_models, starts = np.unique(models, return_index=True)
        n_lost[:, seen_models] = np.add.reduceat(lost, starts, axis=1, dtype=np.int64)
        return self._n_prompts - np.triu(n_lost + n_lost.T)

    def _free_prompts(self, first: int, second: int, models: Ints, prompts: Ints) -> Ints:
        """The prompts, by number and in order, on which these two can still be judged."""
        a, b = self._texts[first], self._texts[second]
        is_free = (a != _NONE) & (b != _NONE) & (a != b)
        is_free[prompts[(models == first) | (models == second)]] = False
        return np.flatnonzero(is_free)

    def _count_prompts(self) -> Ints:
        """On how many prompts two models have different texts; shape (n_models, n_models), 0 unless i < j."""
        n_prompts = np.zeros((len(self.models),) * 2, dtype=np.int64)
        for texts in self._texts.T:
            there = texts != _NONE
            n_prompts += (texts != texts[:, np.newaxis]) & there & there[:, np.newaxis]
        return np.triu(n_prompts, 1)
