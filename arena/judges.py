"""How far each voter of one source, as an AI judge, agrees with the voters of another, as people. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from arena.agreement import Against, Chance, Figure, Labelling, Part
from arena.judgements import UNTOLD, Ints, Judgements
from ratings.two_raters import CohenKappa, SameShare, Weights, of_two

_FEWEST_FOR_A_MAJORITY = 2


@dataclass(frozen=True, slots=True)
class AgainstMajority:
    """A judge against what more than half of the people said, where two or more of them judged."""

    n_items: int
    n_without: int
    """Items that the judge judged and two or more people, and no label has more than half of these."""
    figures: Mapping[str, Figure]
    """`raw`, `cohen`, and with an order of labels `cohen_linear` and `cohen_quadratic`."""


@dataclass(frozen=True, slots=True)
class JudgePart:
    """A judge and the people on the same items, under one labelling."""

    single: Against
    """Against each vote of the people."""
    majority: AgainstMajority
    people: Part
    """The people among themselves, on the items that the judge judged."""
    labels: Mapping[str, int]
    """How many of the judge's votes on these items gave each label."""

    @classmethod
    def of(cls, own: Judgements, people: Judgements, labelling: Labelling, chance: Chance, *name: str) -> Self:
        """From first votes of one judge and of people, whose items are numbered alike."""
        number = labelling.numbers(own.label)
        item, number = own.item[number >= 0], number[number >= 0]
        n_items = 1 + max(int(own.item.max(initial=-1)), int(people.item.max(initial=-1)))
        counts = labelling.counts(_counts(people, n_items))[item]
        is_judged = np.zeros(n_items, dtype=bool)
        is_judged[own.item] = True
        shared = number[counts.sum(axis=1) > 0]
        told = np.bincount(shared, minlength=len(labelling.labels)).tolist()
        return cls(
            single=Against.of(number, counts, chance, *name, labelling, "single"),
            majority=_against_majority(number, counts, labelling, chance, *name, labelling, "majority"),
            people=Part.of(people.taking(is_judged[people.item]), labelling, chance, *name, "people"),
            labels=dict(zip(labelling.labels, told, strict=True)),
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """One judge against the people, under each labelling."""

    voter: str
    file: str | None
    """The file that all its votes came from, where they did."""
    all: JudgePart
    merged: JudgePart
    decisive: JudgePart
    by: Mapping[str, Mapping[str, "Judge"]]
    """The same within each category, and so on, as asked for."""


def judges(votes: Judgements, people: str, judge: str, chance: Chance, by: tuple[str, ...] = ()) -> list[Judge]:
    """Every voter of the source `judge` against those of the source `people`; both are names of the group "source".

    In the order of their files' names, then of their own.
    """
    of_people, of_judges = _of_source(votes, people).first(), _of_source(votes, judge).first()
    found = []
    for number in np.unique(of_judges.voter).tolist():
        own = of_judges.where(of_judges.voter == number)
        who = votes.names["voter"][number]
        # Streams of chance are not named for the judge, whose id in a database hangs on its key.
        parts = _parts(own, of_people, chance)
        slices: dict[str, dict[str, Judge]] = {}
        for group in by:
            slices[group] = {}
            for place, name in enumerate(votes.names[group]):
                mine = own.where(own.groups[group] == place)
                if len(mine):
                    theirs = of_people.where(of_people.groups[group] == place)
                    slices[group][name] = Judge(who, None, *_parts(mine, theirs, chance, group, name), by={})
        found.append(Judge(who, _file(own), *parts, by=slices))
    return sorted(found, key=lambda each: (each.file or "", each.voter))


def _parts(own: Judgements, people: Judgements, chance: Chance, *name: str) -> list[JudgePart]:
    return [JudgePart.of(own, people, labelling, chance, "judge", *name) for labelling in Labelling]


def _of_source(votes: Judgements, source: str) -> Judgements:
    names = votes.names["source"]
    return votes.where(votes.groups["source"] == (names.index(source) if source in names else UNTOLD - 1))


def _file(own: Judgements) -> str | None:
    files = np.unique(own.groups["batch"]).tolist() if "batch" in own.groups else [UNTOLD]
    return own.names["batch"][files[0]] if len(files) == 1 and files[0] != UNTOLD else None


def _counts(votes: Judgements, n_items: int) -> Ints:
    counts = votes.counts()
    return np.vstack([counts, np.zeros((n_items - len(counts), counts.shape[1]), dtype=np.int64)])


def _against_majority(number: Ints, counts: Ints, labelling: Labelling, chance: Chance, *name: str) -> AgainstMajority:
    n = counts.sum(axis=1)
    is_judged = n >= _FEWEST_FOR_A_MAJORITY
    has_one = is_judged & (2 * counts.max(axis=1, initial=0) > n)
    pairs = of_two(number[has_one], counts[has_one].argmax(axis=1), n_categories=len(labelling.labels))
    n_items = int(np.count_nonzero(has_one))
    weights = tuple(Weights) if labelling is Labelling.MERGED else (Weights.NONE,)
    measures = {"cohen" if each is Weights.NONE else f"cohen_{each}": CohenKappa(each) for each in weights}
    figures = chance.figures({"raw": SameShare(), **measures}, pairs, n_items, *name)
    return AgainstMajority(n_items, int(np.count_nonzero(is_judged)) - n_items, figures)
