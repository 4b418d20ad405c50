"""All that a host asks about agreement at once: over all, by what votes tell, by voter, of judges, and the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from arena.agreement import Agreement, Chance, Consistency, VoterFigures, by_voter
from arena.gate import Gate, gate
from arena.judgements import UNTOLD, Judgements
from arena.judges import Judge
from arena.label_agreement import LabelAgreement, by_matter


@dataclass(frozen=True, slots=True)
class Report:
    """What votes say of agreement; every part from the same votes and the same seed."""

    n_votes: int
    """Votes that were looked at."""
    n_items: int
    """Pairs of answers that they are on."""
    n_voters: int
    n_repeated: int
    """Votes of somebody who had judged the same two answers before: these count for self-consistency alone."""
    left_out: Mapping[str, int]
    chance: Chance
    agreement: Agreement
    consistency: Consistency
    gate: Gate
    labels: Sequence[LabelAgreement] = ()
    """Of what votes say beside the verdict, where they were read with it."""
    by: Mapping[str, Mapping[str, Agreement]] = field(default_factory=dict)
    untold: Mapping[str, int] = field(default_factory=dict)
    """Votes that tell no category, and so on, and are in no part of that kind."""
    voters: Sequence[VoterFigures] | None = None
    judges: Sequence[Judge] | None = None

    @classmethod
    def of(
        cls, votes: Judgements, chance: Chance, *, by: Sequence[str] = (), voters: bool = False, force: bool = False
    ) -> Self:
        """From all votes of the sources that count; `force` is the gate's."""
        once = votes.first()
        found = Agreement.of(once, chance)
        parts = {
            group: {
                name: Agreement.of(once.taking(once.groups[group] == place), chance, group, name)
                for place, name in enumerate(votes.names[group])
                if (once.groups[group] == place).any()
            }
            for group in by
        }
        return cls(
            n_votes=len(votes),
            n_items=votes.n_items,
            n_voters=votes.n_voters,
            n_repeated=len(votes) - len(once),
            left_out=votes.left_out,
            chance=chance,
            agreement=found,
            consistency=Consistency.of(votes, chance),
            gate=gate(found, force=force),
            labels=by_matter(once, chance),
            by=parts,
            untold={group: int((votes.groups[group] == UNTOLD).sum()) for group in by},
            voters=by_voter(once, chance) if voters else None,
        )

    def to_record(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)

    def to_card(self) -> dict[str, Any]:
        """What a dataset card says of it: the labelling that the gate looks at, with raw agreement and the gate."""
        part = self.agreement.merged
        return {
            "n_votes": self.n_votes,
            "n_voters": self.n_voters,
            "n_items": self.n_items,
            "n_items_judged_by_several": part.n_items,
            "n_pairs_of_votes": part.n_pairs,
            "labels": dict(part.labels),
            "figures": {name: asdict(figure) for name, figure in part.figures.items()},
            "without_ties": {
                name: asdict(self.agreement.decisive.figures[name]) for name in ("raw_pooled", "krippendorff_nominal")
            },
            "consistency": asdict(self.consistency),
            "gate": self.gate.to_record(),
        }
