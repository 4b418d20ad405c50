"""Pure: where voters who judged the same two answers disagree, and what these pairs have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple, Self

from arena.battle import AnswerId, BattleId, ModelId, Pair, PromptId, Verdict, pair_of
from ratings import Absent
from ratings.shares import wilson

AGREED_FROM = (2, 3)
"""Votes agree where one verdict has this share of them, which is a strict majority too."""

CONFIDENCE = 0.95
"""Of the interval of a share of conflicts."""


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
    by_dimension: Mapping[str, Spread] = field(default_factory=dict)
    """What voters said of each dimension, where they said anything; of these nobody calls both answers bad."""

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
    DIMENSION = "dimension"
    LENGTH_GAP = "length_gap"
    GUIDELINE = "guideline_version"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The pairs with one trait in common, and how many of them are under conflict. The value is None where it is not
    known; of length gaps it is the third: `1` for the smallest. Of a dimension, the pairs are those on which several
    voters said something of it, and under conflict are those on which this differs."""

    trait: Trait
    value: str | None
    n_pairs: int
    n_conflicts: int
    low: float | None = None
    high: float | None = None
    """Of length gaps: from this gap to that."""

    def to_record(self) -> dict[str, Any]:
        """Plain values, with the share of conflicts."""
        return asdict(self) | {"trait": self.trait.value, "share": self.share.to_record()}

    @property
    def share(self) -> "Share":
        """The share of the pairs that is under conflict."""
        return Share.of(self.n_conflicts, self.n_pairs)


@dataclass(frozen=True, slots=True)
class Overview:
    """How many pairs several voters have judged, how many of them are under conflict, and where these cluster."""

    n_pairs: int
    n_conflicts: int
    clusters: tuple[Cluster, ...]

    @classmethod
    def of(cls, pairs: Sequence[SharedPair]) -> Self:
        """Of pairs that anybody has judged."""
        shared = [each for each in pairs if each.spread.is_shared]
        return cls(len(shared), len(conflicts(shared)), tuple(clusters(shared)))

    @property
    def share(self) -> "Share":
        """The share of all pairs that is under conflict: what that of each cluster stands beside."""
        return Share.of(self.n_conflicts, self.n_pairs)

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n_pairs": self.n_pairs,
            "n_conflicts": self.n_conflicts,
            "share": self.share.to_record(),
            "clusters": [each.to_record() for each in self.clusters],
        }


@dataclass(frozen=True, slots=True)
class Share:
    """A share of conflicts with Wilson's interval, pairs of answers taken as independent; None without a pair."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, k: int, n: int) -> Self:
        """k of n."""
        found = wilson(k, n, confidence=CONFIDENCE)
        return cls(None, None, None) if isinstance(found, Absent) else cls(k / n, found.low, found.high)

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def conflicts(pairs: Iterable[SharedPair]) -> list[SharedPair]:
    """The pairs under conflict: those with most votes first, of equals those that agree least."""
    found = [each for each in pairs if each.spread.is_conflict]
    return sorted(found, key=lambda each: (-each.spread.n, max(each.spread), each.first_battle))


def clusters(pairs: Sequence[SharedPair]) -> list[Cluster]:
    """Where disagreement clusters: by category, by language, by dimension, by thirds of the length gap, by version of
    the guideline.

    Only pairs that several voters judged; of a version, those that several judged under it, and of a dimension, those
    of which several said something of it. Of categories, languages and dimensions those with most conflicts come first,
    by the lower end of the interval; what is not known comes last.
    """
    shared = [each for each in pairs if each.spread.is_shared]
    found = _by(Trait.CATEGORY, [(each.category, each.spread) for each in shared])
    found += _by(Trait.LANGUAGE, [(each.language, each.spread) for each in shared])
    found += _by(Trait.DIMENSION, [told for each in shared for told in each.by_dimension.items()])
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
    found = [Cluster(trait, value, n, n_conflicts) for value, (n, n_conflicts) in counts.items()]
    if trait is Trait.GUIDELINE:  # versions have an order of their own
        return sorted(found, key=lambda each: (each.value is None, each.value or ""))
    return sorted(found, key=lambda each: (each.value is None, -(each.share.low or 0), each.value or ""))
