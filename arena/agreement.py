"""How far voters agree where several judged the same two answers: pure, from judgements to figures with intervals.

Between voters the first vote of each on an item counts; what somebody said again is looked at by itself
(`Consistency`). There are three labellings: all four verdicts; tie and both-bad as one, which lies between A and B;
and A and B alone. Intervals draw items again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.random import Generator

from arena.judgements import LABELS, Ints, Judgements
from ratings import Absent
from ratings.agreement import (
    FEWEST_ITEMS,
    NO_OVERLAP,
    ONE_CATEGORY,
    Estimate,
    FleissKappa,
    GwetAC1,
    Kinds,
    KrippendorffAlpha,
    Level,
    Measure,
    PooledAgreement,
    RawAgreement,
    estimates,
)
from ratings.shares import wilson
from ratings.two_raters import CohenKappa, SameShare, Weights, crossed, of_two

ROUNDS = 1000
DIGITS = 4

_MOST_VOTERS = 1000


class Labelling(StrEnum):
    """Which verdicts are told apart."""

    ALL = "all"
    """A, B, tie, both bad: four names."""
    MERGED = "merged"
    """A, neither, B: a tie and a both-bad verdict are one, in the middle."""
    DECISIVE = "decisive"
    """A, B: other votes are left out."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in their order where they have one."""
        return {
            Labelling.ALL: tuple(label.value for label in LABELS),
            Labelling.MERGED: ("A", "neither", "B"),
            Labelling.DECISIVE: ("A", "B"),
        }[self]

    def counts(self, counts: Ints) -> Ints:
        """Counts by verdict, in the last axis, as counts by label."""
        a, b, tie, both_bad = np.moveaxis(counts, -1, 0)
        columns = {
            Labelling.ALL: (a, b, tie, both_bad),
            Labelling.MERGED: (a, tie + both_bad, b),
            Labelling.DECISIVE: (a, b),
        }
        return np.stack(columns[self], axis=-1)

    def numbers(self, verdict: Ints) -> Ints:
        """Verdicts as places in `labels`; -1 for those that are left out."""
        place = {Labelling.ALL: (0, 1, 2, 3), Labelling.MERGED: (0, 2, 1, 1), Labelling.DECISIVE: (0, 1, -1, -1)}
        return np.array(place[self], dtype=np.int64)[verdict]


class Band(StrEnum):
    """What the practice guide says of a measure with chance taken out."""

    STRONG = "strong"
    MODERATE = "moderate"
    FAIR = "fair"
    POOR = "poor"

    @property
    def least(self) -> float | None:
        """From which value on a measure is called so (strong: above which); None for the lowest."""
        return {Band.STRONG: 0.75, Band.MODERATE: 0.60, Band.FAIR: 0.40}.get(self)

    @classmethod
    def of(cls, value: float) -> "Band":
        """Above 0.75 strong, from 0.60 moderate, from 0.40 fair, below that poor."""
        for band in (cls.STRONG, cls.MODERATE, cls.FAIR):
            assert band.least is not None  # noqa: S101 - only the lowest has none
            if value > band.least or (value == band.least and band is not cls.STRONG):
                return band
        return cls.POOR


class Reliability(StrEnum):
    """What Krippendorff asks of alpha before conclusions are drawn from data."""

    RELIABLE = "reliable"
    TENTATIVE = "tentative"
    NOT_RELIABLE = "not reliable"

    @classmethod
    def of(cls, value: float) -> Self:
        """From 0.800 reliable, from 0.667 for tentative conclusions, below that for none."""
        return cls("reliable" if value >= 0.800 else "tentative" if value >= 0.667 else "not reliable")


CALLED: Mapping[str, str] = {
    "raw": "raw, mean over pairs of answers",
    "raw_pooled": "raw, over pairs of votes",
    "cohen": "Cohen's kappa",
    "cohen_linear": "Cohen's kappa, linear weights",
    "cohen_quadratic": "Cohen's kappa, quadratic weights",
    "fleiss": "Fleiss' kappa",
    "krippendorff_nominal": "Krippendorff's alpha, nominal",
    "krippendorff_ordinal": "Krippendorff's alpha, ordinal",
    "krippendorff_interval": "Krippendorff's alpha, interval",
    "gwet_ac1": "Gwet's AC1",
}
"""What a reader calls each measure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure, its interval, and why either is not there; how it is called by the bands, if these are about it."""

    value: float | None
    low: float | None
    high: float | None
    reason: str | None = None
    band: Band | None = None
    reliability: Reliability | None = None
    """Of Krippendorff's alpha alone."""

    @classmethod
    def of(cls, found: Estimate, *, name: str = "") -> Self:
        """Rounded; bands go by what is shown."""
        if isinstance(found.value, Absent):
            return cls(None, None, None, _in_words(found.value.reason))
        value = round(found.value, DIGITS) + 0.0  # there is a negative zero
        is_alpha = name.startswith("krippendorff")
        band = Band.of(value) if is_alpha or name.startswith(("cohen", "fleiss", "gwet")) else None
        reliability = Reliability.of(value) if is_alpha else None
        if isinstance(found.interval, Absent):
            return cls(value, None, None, _in_words(found.interval.reason), band, reliability)
        low, high = round(found.interval.low, DIGITS), round(found.interval.high, DIGITS)
        if low == high:
            return cls(value, None, None, "nearly every resample gives the same value", band, reliability)
        return cls(value, low, high, None, band, reliability)


@dataclass(frozen=True, slots=True)
class Chance:
    """How intervals are drawn: the share that they hold, how many resamples, and the seed of all of them."""

    confidence: float = 0.95
    rounds: int = ROUNDS
    seed: int = 0

    def rng(self, *name: str) -> Generator:
        """A stream that belongs to a name, so that no interval depends on what else is asked."""
        return np.random.default_rng([self.seed, *"\0".join(name).encode()])

    def figures(self, measures: Mapping[str, Measure], kinds: Kinds, n_items: int, *name: str) -> dict[str, Figure]:
        """Each measure with its interval."""
        found = estimates(
            measures, kinds, n_items=n_items, confidence=self.confidence, rounds=self.rounds, rng=self.rng(*name)
        )
        return {each: Figure.of(estimate, name=each) for each, estimate in found.items()}


@dataclass(frozen=True, slots=True)
class SameNumber:
    """Fleiss' kappa of those items alone that have the commonest number of votes."""

    votes_per_item: int
    n_items: int
    fleiss: Figure


@dataclass(frozen=True, slots=True)
class Part:
    """How far voters agree under one labelling."""

    n_items: int
    """Items with votes of two voters or more."""
    n_votes: int
    """Votes on these, one of each voter."""
    n_voters: int
    """Voters who cast them."""
    n_pairs: int
    """Pairs of votes on one item, by two voters."""
    labels: Mapping[str, int]
    """How many of these votes gave each label: what a kappa must be read beside."""
    figures: Mapping[str, Figure]
    same_number: SameNumber | None = None
    """Where items differ in their number of votes, so that Fleiss' kappa of all is not defined."""

    @classmethod
    def of(cls, votes: Judgements, labelling: Labelling, chance: Chance, *name: str) -> Self:
        """From the first votes of each voter."""
        label = labelling.numbers(votes.label)
        votes = votes.taking(label >= 0)
        kinds = Kinds.of(labelling.counts(votes.counts()))
        shared = votes.taking((votes.counts().sum(axis=1) > 1)[votes.item])
        measures: dict[str, Measure] = {"raw": RawAgreement(), "raw_pooled": PooledAgreement(), "fleiss": FleissKappa()}
        measures |= {"krippendorff_nominal": KrippendorffAlpha()}
        if labelling is Labelling.MERGED:
            for level in (Level.ORDINAL, Level.INTERVAL):
                measures[f"krippendorff_{level}"] = KrippendorffAlpha(level, codes=(-1.0, 0.0, 1.0))
        measures["gwet_ac1"] = GwetAC1()
        figures = chance.figures(measures, kinds, kinds.n_items, *name, labelling)
        return cls(
            n_items=kinds.n_items,
            n_votes=len(shared),
            n_voters=shared.n_voters,
            n_pairs=kinds.n_pairs,
            labels=dict(zip(labelling.labels, kinds.judgements.tolist(), strict=True)),
            figures=figures | _cohen(shared, labelling, chance, *name),
            same_number=_same_number(kinds, chance, *name, labelling),
        )


def _cohen(shared: Judgements, labelling: Labelling, chance: Chance, *name: str) -> dict[str, Figure]:
    """Of two voters: plain, and weighted where the labels have an order."""
    weights = tuple(Weights) if labelling is Labelling.MERGED else (Weights.NONE,)
    measures = {"cohen" if each is Weights.NONE else f"cohen_{each}": CohenKappa(each) for each in weights}
    voters, who = np.unique(shared.voter, return_inverse=True)
    if len(voters) != 2:
        reason = (
            f"it is a measure of two voters, and {len(voters):,} judged the same answers" if len(voters) else _NOBODY
        )
        return {each: Figure(None, None, None, reason) for each in measures}
    order = np.argsort(shared.item * 2 + who)
    first, second = labelling.numbers(shared.label[order]).reshape(-1, 2).T
    pairs = of_two(first, second, n_categories=len(labelling.labels))
    return chance.figures(measures, pairs, len(first), *name, labelling, "cohen")


def _same_number(kinds: Kinds, chance: Chance, *name: str) -> SameNumber | None:
    n = kinds.per_item
    numbers = np.bincount(n[n > 1], weights=kinds.times[n > 1]).astype(np.int64)
    if np.count_nonzero(numbers) < 2:
        return None
    commonest = int(numbers.argmax())
    some = Kinds(kinds.table[n == commonest], kinds.times[n == commonest])
    found = chance.figures({"fleiss": FleissKappa()}, some, some.n_items, *name, "same number")
    return SameNumber(commonest, some.n_items, found["fleiss"])


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far voters agree, under each labelling."""

    all: Part
    merged: Part
    decisive: Part

    @classmethod
    def of(cls, votes: Judgements, chance: Chance, *name: str) -> Self:
        """From the first votes of each voter. `name` says of what, and with the seed decides what intervals draw."""
        return cls(*(Part.of(votes, labelling, chance, *name) for labelling in Labelling))


@dataclass(frozen=True, slots=True)
class Consistency:
    """What voters say when they judge the same two answers again: the first vote against the second."""

    n: int
    """Voters and items with two votes; the share is of them."""
    n_further: int
    """Third votes and later ones, which are not looked at."""
    raw: Figure
    """With Wilson's interval."""
    kappa: Figure

    @classmethod
    def of(cls, votes: Judgements, chance: Chance) -> Self:
        """From all votes."""
        first, second, n_further = votes.repeats()
        n = len(first)
        if not n:
            absent = Figure(None, None, None, "nobody judged the same two answers twice")
            return cls(0, 0, absent, absent)
        same = int(np.count_nonzero(first == second))
        pairs = of_two(first, second, n_categories=len(LABELS))
        kappa = chance.figures({"cohen": CohenKappa()}, pairs, n, "repeats")["cohen"]
        raw = Figure.of(Estimate(same / n, wilson(same, n, confidence=chance.confidence)))
        return cls(n, n_further, raw, kappa)


@dataclass(frozen=True, slots=True)
class Against:
    """What one side says against what the other does: every pair of votes on the same item counts once."""

    n_items: int
    n_pairs: int
    raw: Figure
    kappa: Figure

    @classmethod
    def of(cls, own: Ints, others: Ints, chance: Chance, *name: str, drawn: bool = True) -> Self:
        """From the label of the one (a number), and the counts of the others by label, an item a row.

        Not `drawn`: without intervals, as where the rows are of several voters on the same items.
        """
        told = others.sum(axis=1) > 0
        rows = Kinds.of(np.column_stack((own, others))[told])
        kinds = Kinds(crossed(rows.table[:, 0], rows.table[:, 1:]), rows.times)
        n_items, n_pairs = int(rows.times.sum()), int((kinds.per_item * kinds.times).sum())
        found = chance.figures({"raw": SameShare(), "cohen": CohenKappa()}, kinds, n_items if drawn else 0, *name)
        if not drawn:
            why = "votes of several voters on the same answers do not stand alone"
            found = {
                each: replace(fig, reason=why if fig.value is not None else fig.reason) for each, fig in found.items()
            }
        return cls(n_items, n_pairs, found["raw"], found["cohen"])


@dataclass(frozen=True, slots=True)
class VoterFigures:
    """One voter against everybody else, or all those together who have too few votes to stand alone."""

    voter: str | None
    """None: the small ones, pooled."""
    n_voters: int
    all: Against
    decisive: Against


def by_voter(votes: Judgements, chance: Chance) -> list[VoterFigures]:
    """Each voter with FEWEST_ITEMS items that others judged too, those with most of them first; then the rest as one.

    From the first votes of each voter. At most 1,000 stand alone.
    """
    counts = votes.counts()
    votes = votes.taking(shared := (counts.sum(axis=1) > 1)[votes.item])
    if not shared.any():
        return []
    counts = votes.counts()
    n = np.bincount(votes.voter)
    busy = [each for each in np.argsort(-n, kind="stable").tolist() if n[each] >= FEWEST_ITEMS][:_MOST_VOTERS]
    order = np.argsort(votes.voter, kind="stable")
    starts = np.concatenate(([0], np.cumsum(n)))

    def figures(rows: Ints, who: str | None, n_voters: int) -> VoterFigures:
        own = votes.label[rows]
        others = counts[votes.item[rows]]
        others[np.arange(len(rows)), own] -= 1
        found = []
        for labelling in (Labelling.ALL, Labelling.DECISIVE):
            number = labelling.numbers(own)
            is_in, drawn = number >= 0, who is not None
            counted = labelling.counts(others[is_in])
            found.append(Against.of(number[is_in], counted, chance, "voter", labelling, drawn=drawn))
        return VoterFigures(who, n_voters, *found)

    names = votes.names["voter"]
    found = [figures(order[starts[each] : starts[each + 1]], names[each], 1) for each in busy]
    is_small = ~np.isin(votes.voter, busy)
    if is_small.any():
        found.append(figures(np.flatnonzero(is_small), None, len(np.unique(votes.voter[is_small]))))
    return found


_NOBODY = "no two voters have judged the same two answers"
_WORDS = {NO_OVERLAP: _NOBODY, ONE_CATEGORY: "all votes say the same, so that nobody could have disagreed"}


def _in_words(reason: str) -> str:
    """A reason of `ratings`, which knows of items and judgements, in the words of an arena."""
    known = _WORDS.get(reason)
    if known is not None:
        return known
    for theirs, ours in (("items judged", "pairs of answers judged"), ("items have", "pairs of answers have")):
        reason = reason.replace(theirs, ours)
    return reason.replace("judgements", "votes").replace("comparisons", "votes")
