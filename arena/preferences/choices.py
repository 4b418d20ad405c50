"""Which votes an export takes, and what it makes of them: every choice in one value."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from arena.battle import ModelId, Source, VoterId
from arena.preferences.flag import Flag
from arena.preferences.strength import Margins

TWO_THIRDS = Fraction(2, 3)


class Unroll(StrEnum):
    """What becomes of a conversation in which several turns were voted on."""

    LAST = "last"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Choices:
    """None stands for all; a vote that does not tell what is asked for is left out."""

    sources: Collection[Source] = (Source.HUMAN,)
    since: datetime | None = None
    until: datetime | None = None
    categories: Collection[str] | None = None
    languages: Collection[str] | None = None
    guidelines: Collection[str] | None = None
    """Versions of the guideline."""
    models: Collection[ModelId] | None = None
    """Both answers are by these."""
    revisions: Collection[str] | None = None
    """Both answers are by these revisions of their models."""
    licenses: Collection[str] | None = None
    """Of the prompt."""
    model_licenses: Collection[str] | None = None
    """Of both models."""
    consents: Collection[str] | None = None
    """Versions of the consent."""
    needs_consent: bool = False
    """Leave out votes that do not tell any, as an arena does that asks for it."""
    purposes: Collection[str] | None = None
    """None: all but votes that are for evaluation alone."""
    voters: Collection[VoterId] | None = None
    min_voter_agreement: Fraction | None = None
    """Leave out voters who agree with others less often than this, where that can be told."""

    min_agreement: Fraction = TWO_THIRDS
    """Of the decisive votes on a pair. A strict majority is needed in any case."""
    keep_conflicts: bool = False
    """Keep pairs below that floor; their weight tells."""
    max_disagreement: Fraction | None = None
    """Of the pairs of votes on a pair of answers, ties among them; on a pair with a single vote there is none."""
    use_adjudications: bool = True
    """Whether an adjudicated verdict stands above the votes."""
    keep_flagged: Collection[Flag] = ()
    assume_acceptable: bool = False
    """For unpaired rows: take the chosen answer for acceptable, and the other one not, where no voter has said."""
    keep_gold: bool = False
    """Keep votes on items with a known verdict, as an export that sets them apart does."""
    comments: bool = False
    """Whether voters' comments go along."""
    margins: Margins = field(default_factory=lambda: Margins.of({}))
    unroll: Unroll = Unroll.LAST

    def to_record(self) -> dict[str, Any]:
        """As plain values, for a manifest. Voters are counted, not named."""

        def listed(values: Collection[str] | None) -> list[str] | None:
            return None if values is None else sorted(map(str, values))

        return {
            "sources": listed(self.sources),
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            **{
                name: listed(getattr(self, name))
                for name in (
                    *("categories", "languages", "guidelines", "models", "revisions", "licenses", "model_licenses"),
                    *("consents", "purposes"),
                )
            },
            # Only where it is asked for, so that exports from before it was known can be gone on from.
            **({"needs_consent": True} if self.needs_consent else {}),
            "n_voters": None if self.voters is None else len(self.voters),
            "min_voter_agreement": None if self.min_voter_agreement is None else float(self.min_voter_agreement),
            "min_agreement": float(self.min_agreement),
            "keep_conflicts": self.keep_conflicts,
            "max_disagreement": None if self.max_disagreement is None else float(self.max_disagreement),
            "use_adjudications": self.use_adjudications,
            "keep_flagged": sorted(flag.word for flag in self.keep_flagged),
            "assume_acceptable": self.assume_acceptable,
            "keep_gold": self.keep_gold,
            "comments": self.comments,
            "margins": self.margins.to_record(),
            "unroll": self.unroll.value,
        }
