"""Votes of invented people whose biases are known, as sheets: the auditor is audited with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from arena.battle import ModelId
from arena.quality.sheet import TIE, A, B, Sheet
from arena.quality.wording import TRAITS, Wording
from arena.style import FEATURES

N_MODELS, N_PROMPTS, N_VOTERS = 8, 60, 40
OPENERS = ("sure , here", "i am sorry", "the answer is", "to begin with", "it depends on", "let us see")
_MINUTE = 60 * 10**6
_BEGIN = 1_767_225_600 * 10**6


@dataclass(frozen=True)
class Planted:
    """What moves verdicts beside the models' strengths, in logits; nothing by itself."""

    side: float = 0.0
    """For the answer on side A."""
    late_side: float = 0.0
    """The same, in the second half of a voter's votes alone."""
    length: float = 0.0
    """A root mean square of (a - b) / (a + b) in tokens."""
    traits: Mapping[str, float] = field(default_factory=dict)
    opener: float = 0.0
    """For answers that begin with the second of OPENERS."""
    own_prompt: float = 0.0
    """For side A, where the voter wrote the prompt."""
    lean: float = 0.0
    """Standard deviation of what each voter has for side A: a lean of some, and none of all."""
    answers: float = 0.0
    """Standard deviation of how good a single answer is beside its model: no bias, and shared by all votes on it."""
    strong_on_a: float = 0.5
    """The chance with which the stronger model is put on side A."""


NOTHING = Planted()


def sheet(planted: Planted = NOTHING, *, n: int = 1500, seed: int = 0) -> Sheet:
    """n votes, a fifth of them ties, on answers whose length, dress and openings differ from model to model."""
    rng = np.random.default_rng(seed)
    strength = np.sort(rng.normal(0, 0.7, N_MODELS))[::-1]
    wording = _wording(rng)
    first = rng.integers(0, N_MODELS, n)
    other = (first + rng.integers(1, N_MODELS, n)) % N_MODELS
    stronger, weaker = np.minimum(first, other), np.maximum(first, other)
    is_strong_on_a = rng.random(n) < planted.strong_on_a
    a, b = np.where(is_strong_on_a, stronger, weaker), np.where(is_strong_on_a, weaker, stronger)
    prompt, voter = rng.integers(0, N_PROMPTS, n), rng.integers(0, N_VOTERS, n)
    answer_a, answer_b = prompt * N_MODELS + a, prompt * N_MODELS + b
    wrote = rng.integers(0, 2, n)
    place = np.zeros(n, dtype=np.int64)
    for each in range(N_VOTERS):
        place[voter == each] = np.arange((voter == each).sum())
    is_late = place >= np.bincount(voter, minlength=N_VOTERS)[voter] / 2
    tokens = wording.counts[:, FEATURES.index("length")].astype(np.float64)
    longer = (tokens[answer_a] - tokens[answer_b]) / (tokens[answer_a] + tokens[answer_b])
    edge = strength[a] - strength[b] + planted.side + planted.late_side * is_late + planted.own_prompt * wrote
    edge += planted.length * longer / np.sqrt((longer**2).mean())
    for trait, worth in planted.traits.items():
        has = wording.traits[:, TRAITS.index(trait)].astype(np.float64)
        edge += worth * (has[answer_a] - has[answer_b])
    begins = (wording.opener == 1).astype(np.float64)
    edge += planted.opener * (begins[answer_a] - begins[answer_b])
    edge += rng.normal(0, planted.lean, N_VOTERS)[voter] if planted.lean else 0.0
    quality = (
        rng.normal(0, planted.answers, N_PROMPTS * N_MODELS) if planted.answers else np.zeros(N_PROMPTS * N_MODELS)
    )
    edge += quality[answer_a] - quality[answer_b]
    verdict = np.where(rng.random(n) < 1 / (1 + np.exp(-edge)), A, B)
    verdict[rng.random(n) < 0.2] = TIE
    return Sheet(
        models=tuple(ModelId(f"model-{number}") for number in range(N_MODELS)),
        model_a=a,
        model_b=b,
        verdict=verdict,
        voter=voter,
        prompt=prompt,
        answer_a=answer_a,
        answer_b=answer_b,
        # Six weeks, whatever n is.
        moment=_BEGIN + np.arange(n) * (6 * 7 * 24 * 60 // n) * _MINUTE,
        milliseconds=np.exp(rng.normal(9.5, 0.6, n)),
        wrote_prompt=wrote,
        guideline=(np.arange(n) >= n // 2).astype(np.int64),
        gold=np.full(n, -1),
        voters=[f"voter-{number}" for number in range(N_VOTERS)],
        prompts=[f"prompt-{number}" for number in range(N_PROMPTS)],
        guidelines=["1.0", "1.1"],
        wording=wording,
    )


def _wording(rng: np.random.Generator) -> Wording:
    """Of the answer of each model to each prompt; what a model likes it does more often."""
    n = N_PROMPTS * N_MODELS
    model = np.tile(np.arange(N_MODELS), N_PROMPTS)
    tokens = np.exp(rng.normal(4.5, 0.5, n) + rng.normal(0, 0.3, N_MODELS)[model]).astype(np.int64) + 2
    traits = rng.random((n, len(TRAITS))) < rng.uniform(0.2, 0.8, (N_MODELS, len(TRAITS)))[model]
    liked = rng.dirichlet(np.full(len(OPENERS), 2.0), N_MODELS)
    opener = (rng.random(n)[:, np.newaxis] > np.cumsum(liked, axis=1)[model]).sum(axis=1)
    traits[:, TRAITS.index("affirmative")] = opener == 0
    counts = np.zeros((n, len(FEATURES)), dtype=np.int64)
    counts[:, FEATURES.index("length")] = tokens
    for feature, trait in (("headers", "headers"), ("lists", "list"), ("bold", "bold"), ("emoji", "emoji")):
        counts[:, FEATURES.index(feature)] = traits[:, TRAITS.index(trait)] * rng.integers(1, 5, n)
    counts[:, FEATURES.index("code_blocks")] = traits[:, TRAITS.index("code")]
    return Wording(5 * tokens, counts, traits, np.minimum(opener, len(OPENERS) - 1), OPENERS)
