"""Votes as judgements of items: who said what of the same two answers. Columns of numbers, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.battle import Verdict
from arena.matters import Matter

Ints = NDArray[np.int64]

LABELS = tuple(Verdict)
"""What a judgement says: places in this tuple. A is the answer whose text has the smaller digest, on whatever side of
a screen it stood, so that swapped sides are one label."""

UNTOLD = -1


class Repeats(NamedTuple):
    """What voters said of the same two answers the first and the second time, and how many times they said more."""

    first: Ints
    second: Ints
    n_further: int


@dataclass(frozen=True, eq=False, slots=True)
class Judgements:
    """Votes on items, an item being a prompt with two answers: columns of equal length, in the order of the votes.

    `groups` has what else is known of each vote (category, week, ...), a place in `names` of the same key, or UNTOLD;
    `names["voter"]` are the voters. `left_out` counts the votes that are not here, by reason. `said` has what votes say
    beside the verdict, by matter: places in its labels, or UNTOLD, shape (n_votes, n_parts), of two parts that of the
    answer A first.
    """

    item: Ints
    voter: Ints
    label: Ints
    groups: Mapping[str, Ints] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    said: Mapping[Matter, Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.item)

    @property
    def n_items(self) -> int:
        """Pairs of answers that anybody judged."""
        return len(np.unique(self.item))

    @property
    def n_voters(self) -> int:
        """Voters who judged any."""
        return len(np.unique(self.voter))

    def taking(self, rows: NDArray[np.bool_] | Ints) -> "Judgements":
        """Some of the votes, their items numbered anew and without a gap."""
        some = self.where(rows)
        return replace(some, item=np.unique(some.item, return_inverse=True)[1].astype(np.int64))

    def where(self, rows: NDArray[np.bool_] | Ints) -> "Judgements":
        """Some of the votes, under the numbers that their items have here."""
        return replace(
            self,
            item=self.item[rows],
            voter=self.voter[rows],
            label=self.label[rows],
            groups={name: values[rows] for name, values in self.groups.items()},
            said={matter: values[rows] for matter, values in self.said.items()},
        )

    def of(self, group: str, name: str) -> "Judgements":
        """Those of one category, one week, and so on; none where the name is not known."""
        names = self.names.get(group, ())
        return self.taking(self.groups[group] == names.index(name) if name in names else np.zeros(len(self), bool))

    def first(self) -> "Judgements":
        """One vote of each voter on each item, the first: what counts between voters."""
        return self.where(np.sort(np.unique(self._once, return_index=True)[1]))

    def repeats(self) -> Repeats:
        """Of each voter on each item who voted on it more than once: the first and the second vote."""
        order = np.argsort(self._once, kind="stable")
        who = self._once[order]
        starts = np.flatnonzero(np.diff(who, prepend=-1))
        n = np.diff(np.append(starts, len(who)))
        again = starts[n > 1]
        return Repeats(self.label[order[again]], self.label[order[again + 1]], int((n[n > 1] - 2).sum()))

    def counts(self) -> Ints:
        """How often each item was given each label, shape (n_items, n_labels), by its number."""
        n_labels, n_items = len(LABELS), int(self.item.max(initial=-1)) + 1
        flat = np.bincount(self.item * n_labels + self.label, minlength=n_items * n_labels)
        return flat.reshape(n_items, n_labels)

    @property
    def _once(self) -> Ints:
        """A number for each voter on each item."""
        return self.item * (int(self.voter.max(initial=0)) + 1) + self.voter
