"""Votes as the audits look at them: columns of equal length, one entry a vote, whatever they came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.battle import ModelId, Verdict
from arena.quality.wording import Wording
from ratings import Absent, Effects, effects_beside_strength

Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]

UNKNOWN = -1
"""Stands for what a vote does not tell, in every column of places."""

_MOST = 2**62
"""Numbers stay below this."""

FEW_PAIRS = 10
"""Of so many pairs that were judged more than once, some would stand the other way round had each draw been new."""

FEW_GROUPS = 6
"""Of fewer voters (one judge, say) or prompts nothing can be said but about these themselves."""

A, B, TIE, BOTH_BAD = range(len(Verdict))


@dataclass(frozen=True, eq=False)
class Sheet:
    """Votes between two different models, in the order in which they were stored. Places are numbers from 0."""

    models: tuple[ModelId, ...]
    model_a: Whole
    model_b: Whole
    verdict: Whole
    """The place in `Verdict`."""
    voter: Whole
    prompt: Whole
    """Prompts of the same messages are one."""
    answer_a: Whole
    answer_b: Whole
    """Answers of the same text are one."""
    moment: Whole
    """Microseconds; UNKNOWN where a vote tells no time."""
    milliseconds: NDArray[np.float64]
    """From the ballot to the vote; NaN where that is not known."""
    wrote_prompt: Whole
    """1 where the voter wrote the prompt, 0 where not."""
    guideline: Whole
    gold: Whole
    """The verdict that is known to be right, a place in `Verdict`."""
    voters: Sequence[str] = ()
    prompts: Sequence[str] = ()
    """What the prompts are called."""
    guidelines: Sequence[str] = ()
    wording: Wording | None = None
    """Of the answers that come first, where any texts are known."""
    sampled: Mask | None = None
    """A random sample of the votes, if the texts of these alone were read; None where all were."""
    prompt_texts: Mapping[int, str] = field(default_factory=dict)
    """By place, those that are known."""
    source: Whole | None = None
    """The place in `Source`, UNKNOWN for none of these; None where no vote tells it."""
    n_drawn: int | None = None
    """On pairs that this arena drew; None for a file, which does not tell."""

    def __len__(self) -> int:
        return len(self.verdict)

    @cached_property
    def is_decisive(self) -> Mask:
        """Where one answer is preferred."""
        return self.verdict <= B

    @cached_property
    def is_for_a(self) -> Mask:
        """Where that is the one on side A."""
        return self.verdict == A

    @cached_property
    def has_texts(self) -> Mask:
        """Where both answers' texts are known."""
        return (self.answer_a != UNKNOWN) & (self.answer_b != UNKNOWN)

    @cached_property
    def is_worded(self) -> Mask:
        """Where both texts are known, and were looked at: of all votes, or of a sample of them."""
        return self.has_texts if self.sampled is None else self.has_texts & self.sampled

    @property
    def n_sampled(self) -> int | None:
        """How many votes there are in the sample whose texts were read; None where all were."""
        return None if self.sampled is None else int(self.sampled.sum())

    def worded(self, column: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """What a column of `wording` says of each vote's answers on side A and B; 0 where `is_worded` is not."""
        known = np.append(column, np.zeros(1, dtype=column.dtype))
        a, b = (known[np.where(self.is_worded, side, len(column))] for side in (self.answer_a, self.answer_b))
        return a, b

    @cached_property
    def longer(self) -> Whole:
        """By how many characters the answer on side A is longer; 0 where that is not known."""
        if self.wording is None:
            return np.zeros(len(self), dtype=np.int64)
        a, b = self.worded(self.wording.characters)
        return a - b

    @cached_property
    def pair(self) -> Whole:
        """The same number for votes on the same two answers to the same prompt, whatever their sides.

        Where texts are not known, on the same two models. UNKNOWN where the prompt is not known.
        """
        is_known = self.prompt != UNKNOWN
        n_answers = 1 + int(max(self.answer_a.max(initial=0), self.answer_b.max(initial=0)))
        one = np.where(self.has_texts, self.answer_a, n_answers + self.model_a)
        other = np.where(self.has_texts, self.answer_b, n_answers + self.model_b)
        return _numbered(is_known, self.prompt, np.minimum(one, other), np.maximum(one, other))

    @cached_property
    def has_frozen_sides(self) -> bool:
        """Whether votes on one pair never differ in sides, so that these were drawn once a pair, not once a vote."""
        rows = np.flatnonzero(self.pair != UNKNOWN)
        _, pair, n = np.unique(self.pair[rows], return_inverse=True, return_counts=True)
        n_turned = np.bincount(pair, weights=self.is_turned[rows], minlength=len(n))
        is_again = n > 1
        return bool(is_again.sum() >= FEW_PAIRS and not ((n_turned > 0) & (n_turned < n))[is_again].any())

    @cached_property
    def is_turned(self) -> Mask:
        """Where the two of a pair stand the other way round than in the order that `pair` takes them."""
        by_model = self.model_a > self.model_b
        return np.where(self.has_texts & (self.answer_a != self.answer_b), self.answer_a > self.answer_b, by_model)

    @cached_property
    def turned_verdict(self) -> Whole:
        """The verdict as seen from the first of the pair, whatever side it stood on."""
        return self.verdict ^ (self.is_turned & self.is_decisive)

    @cached_property
    def in_time(self) -> Whole:
        """The rows that tell their voter and their time, by voter and then by time."""
        rows = np.flatnonzero((self.voter != UNKNOWN) & (self.moment != UNKNOWN))
        return rows[np.lexsort((self.moment[rows], self.voter[rows]))]

    @cached_property
    def clusters(self) -> Whole | None:
        """The voter of each vote; who is not known stands alone. None where no voter is known."""
        if not (self.voter != UNKNOWN).any():
            return None
        is_unknown = self.voter == UNKNOWN
        alone = int(self.voter.max()) + np.cumsum(is_unknown)
        return np.where(is_unknown, alone, self.voter)

    @cached_property
    def same_texts(self) -> tuple[str, Whole]:
        """By what votes hang together that are on the same texts: an answer says the same in all votes on it.

        By prompt, or with few prompts by pair of answers.
        """
        n_prompts = len(np.unique(self.prompt[self.prompt != UNKNOWN]))
        return ("prompt", self.prompt) if n_prompts >= FEW_GROUPS else ("pair", self.pair)

    def beside_strength(
        self, rows: Whole, columns: NDArray[np.float64], *, also: tuple[str, Whole] | None = None, confidence: float
    ) -> tuple[Effects | Absent, str]:
        """What columns are worth to side A in these decisive votes, and how that is tested, in words.

        Votes are grouped by voter, where voters are known and not so few that it is these it is about; with `also`, a
        word and a grouping, by that as well, and the wider interval counts.
        """
        is_by_voter = self.clusters is not None and len(self.voters) >= FEW_GROUPS
        groupings = [self.clusters[rows] if self.clusters is not None and is_by_voter else None]
        by = "voter" if is_by_voter else "vote"
        if also is not None and (also[1][rows] != UNKNOWN).any():
            word, group = also
            is_unknown = group == UNKNOWN
            groupings.append(np.where(is_unknown, int(group.max()) + np.cumsum(is_unknown), group)[rows])
            by += f" and by {word}, the wider interval"
        found = effects_beside_strength(
            len(self.models),
            self.model_a[rows],
            self.model_b[rows],
            self.verdict[rows],
            columns,
            clusters=groupings,
            confidence=confidence,
        )
        return found, f"Wald test by {by}"


def _numbered(is_known: Mask, *columns: Whole) -> Whole:
    """The same number for rows that are alike in all columns, which hold places; UNKNOWN where they are not known."""
    key = np.zeros(len(is_known), dtype=np.int64)
    size = 1
    for column in columns:
        step = int(column.max(initial=0)) + 1
        if size * step >= _MOST:
            kinds, key = np.unique(key, return_inverse=True)
            size = len(kinds)
        key = key * step + np.maximum(column, 0)
        size *= step
    return np.where(is_known, key, UNKNOWN)
