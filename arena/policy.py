"""On-policy data: whether the answers of a pair were made by the models that are to be trained on it. Pure.

A pair teaches a model most where the model itself made both answers: then what is learnt is a difference between things
that it does. How many pairs are so, by model and revision, belongs on the card of a dataset.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from arena import name
from arena.battle import ModelId
from arena.errors import BadInput


@dataclass(frozen=True, slots=True)
class Made:
    """Who made an answer: a model, and its revision where that is known."""

    model: ModelId
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "model" or "model@revision", of which the last @ counts. Raises BadInput."""
        model, at, revision = text.rpartition("@")
        try:
            return cls(ModelId(name.parse(model if at else text)), name.parse(revision) if at else None)
        except name.NoName as error:
            raise BadInput(f"{text!r} names no model: a part of it {error}. Write model or model@revision") from error


@dataclass(frozen=True, slots=True)
class OnPolicy:
    """Of how many pairs both answers, one, or neither were made by the policy."""

    n_both: int
    n_one: int
    n_neither: int

    @property
    def n(self) -> int:
        """All pairs."""
        return self.n_both + self.n_one + self.n_neither

    def to_record(self) -> dict[str, int]:
        """Plain values, as a card has them."""
        return {"both": self.n_both, "one": self.n_one, "neither": self.n_neither}


def is_by(made: Made, policy: Collection[Made]) -> bool:
    """Whether an answer is the policy's. A member without a revision stands for every revision of its model; an answer
    whose revision nobody noted is of no certain one."""
    return made in policy or Made(made.model) in policy


def on_policy(pairs: Iterable[tuple[Made, Made, int]], policy: Collection[Made]) -> OnPolicy:
    """Count pairs, each given with how many there are of it, by how many of their answers are the policy's."""
    counts = [0, 0, 0]
    for one, other, n in pairs:
        counts[is_by(one, policy) + is_by(other, policy)] += n
    return OnPolicy(n_both=counts[2], n_one=counts[1], n_neither=counts[0])
