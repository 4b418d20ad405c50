"""What one voter's own votes add up to: for that voter alone, and no board. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from arena.battle import ModelId, Scale, Verdict


@dataclass(frozen=True, slots=True)
class OwnVote:
    """A vote as its voter may see it again: the names were shown when it was cast.

    `asked` is the beginning of what was asked last, None where no prompt is stored. Scale and strength say how much
    better, where the voter said so.
    """

    verdict: Verdict
    voted_at: datetime | None
    model_a: ModelId
    model_b: ModelId
    asked: str | None
    is_withdrawn: bool
    scale: Scale | None = None
    strength: int | None = None


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What a voter said of one model: in how many votes it won, tied, lost, and was as bad as the other."""

    model_id: ModelId
    n_won: int
    n_tied: int
    n_lost: int
    n_both_bad: int

    @property
    def n(self) -> int:
        return self.n_won + self.n_tied + self.n_lost + self.n_both_bad

    @property
    def share(self) -> float:
        """The plain win share: wins and half of the ties, of all votes on the model. Both bad is no win for either."""
        return (self.n_won + self.n_tied / 2) / self.n


def records(votes: Iterable[OwnVote]) -> list[OwnRecord]:
    """The record of every model that these votes are about, best share first, then most votes, then by id.

    Withdrawn votes do not count.
    """
    counts: dict[ModelId, list[int]] = {}
    for vote in votes:
        if vote.is_withdrawn:
            continue
        for model_id, seen in ((vote.model_a, vote.verdict), (vote.model_b, vote.verdict.swapped)):
            counts.setdefault(model_id, [0, 0, 0, 0])[_PLACES[seen]] += 1
    found = [OwnRecord(model_id, *each) for model_id, each in counts.items()]
    return sorted(found, key=lambda record: (-record.share, -record.n, record.model_id))


# Of the verdict as seen from the model's own side, in an OwnRecord.
_PLACES = {Verdict.A: 0, Verdict.TIE: 1, Verdict.B: 2, Verdict.BOTH_BAD: 3}
