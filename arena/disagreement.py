"""Pure: where voters who judged the same two answers disagree, and what these pairs have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

from arena.battle import AnswerId, BattleId, ModelId, Pair, PromptId, Verdict, pair_of

AGREED_FROM = (2, 3)
"""Votes agree where one verdict has this share of them, which is a strict majority too."""


class Spread(NamedTuple):
    """How often each verdict was given on a pair, by different voters."""

    a: int = 0
    b: int = 0
    tie: int = 0
    both_bad: int = 0

    @property
    def n(self) -> int:
        return sum(self)

    @property
    def is_shared(self) -> bool:
        """Whether there is anything to agree on."""
        return self.n > 1

    @property
    def is_conflict(self) -> bool:
        """Whether several voters judged it, and no verdict has two thirds of their votes."""
        share, of = AGREED_FROM
        return self.is_shared and max(self) * of < self.n * share

    def plus(self, verdict: Verdict, n: int) -> "Spread":
        """With so many more of one verdict."""
        place = tuple(Verdict).index(verdict)
        return Spread(*(count + (n if number == place else 0) for number, count in enumerate(self)))


@dataclass(frozen=True, slots=True)
class SharedPair:
    """Two answers to one prompt that several voters have judged, in the sides of the first battle that was drawn of
    them; `first_battle` names the pair to whoever must not learn more. Lengths are in characters."""

    first_battle: BattleId
    prompt_id: PromptId
    answer_a: AnswerId
    answer_b: AnswerId
    model_a: ModelId
    model_b: ModelId
    category: str | None
    language: str | None
    length_a: int
    length_b: int
    by_version: Mapping[str | None, Spread]
    """The votes by the version of the guideline under which they were cast."""

    @property
    def pair(self) -> Pair:
        return pair_of(self.answer_a, self.answer_b)

    @property
    def spread(self) -> Spread:
        """All votes."""
        return Spread(*(sum(counts) for counts in zip(*self.by_version.values(), strict=True)))

    @property
    def length_gap(self) -> float:
        """How much longer one answer is, of 1: 0 for the same length, 1 beside an empty one."""
        return abs(self.length_a - self.length_b) / max(self.length_a + self.length_b, 1)


class Trait(StrEnum):
    """By what pairs are put together."""

    CATEGORY = "category"
    LANGUAGE = "language"
    LENGTH_GAP = "length_gap"
    GUIDELINE = "guideline_version"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The pairs with one trait in common, and how many of them are under conflict. The value is None where it is not
    known; of length gaps it is the third: `1` for the smallest."""

    trait: Trait
    value: str | None
    n_pairs: int
    n_conflicts: int
    low: float | None = None
    high: float | None = None
    """Of length gaps: from this gap to that."""

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"trait": self.trait.value}


def conflicts(pairs: Iterable[SharedPair]) -> list[SharedPair]:
    """The pairs under conflict: those with most votes first, of equals those that agree least."""
    found = [each for each in pairs if each.spread.is_conflict]
    return sorted(found, key=lambda each: (-each.spread.n, max(each.spread), each.first_battle))


def clusters(pairs: Sequence[SharedPair]) -> list[Cluster]:
    """Where disagreement clusters: by category, by language, by thirds of the length gap, by version of the guideline.

    Only pairs that several voters judged; of a version, those that several judged under it.
    """
    shared = [each for each in pairs if each.spread.is_shared]
    found = _by(Trait.CATEGORY, [(each.category, each.spread) for each in shared])
    found += _by(Trait.LANGUAGE, [(each.language, each.spread) for each in shared])
    by_gap = sorted(shared, key=lambda each: (each.length_gap, each.first_battle))
    bounds = [len(by_gap) * third // 3 for third in range(4)]
    for third, (start, end) in enumerate(pairwise(bounds), 1):
        held = by_gap[start:end]
        if held:
            n_conflicts = sum(each.spread.is_conflict for each in held)
            low, high = held[0].length_gap, held[-1].length_gap
            found.append(Cluster(Trait.LENGTH_GAP, str(third), len(held), n_conflicts, low, high))
    versions = [(version, spread) for each in shared for version, spread in each.by_version.items()]
    return found + _by(Trait.GUIDELINE, versions)


def _by(trait: Trait, spreads: Iterable[tuple[str | None, Spread]]) -> list[Cluster]:
    counts: dict[str | None, tuple[int, int]] = {}
    for value, spread in spreads:
        if spread.is_shared:
            n, n_conflicts = counts.get(value, (0, 0))
            counts[value] = n + 1, n_conflicts + spread.is_conflict
    ordered = sorted(counts.items(), key=lambda item: (item[0] is None, item[0] or ""))
    return [Cluster(trait, value, n, n_conflicts) for value, (n, n_conflicts) in ordered]
