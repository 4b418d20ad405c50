"""What a dataset holds, counted while it is written."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from arena.battle import ModelId
from arena.dataset.split import Split
from arena.preferences.example import Example


@dataclass(slots=True)
class Summary:
    """Of the examples that are written, train and test, and gold apart."""

    pairs: Counter[Split] = field(default_factory=Counter)
    """With a chosen answer."""
    prompts: Counter[Split] = field(default_factory=Counter)
    examples_by_model: Counter[ModelId] = field(default_factory=Counter)
    votes_by_source: Counter[str] = field(default_factory=Counter)
    votes_by_guideline: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    adjudicated: Counter[str] = field(default_factory=Counter)
    """Pairs with the verdict of an adjudicator, by what the votes alone say."""
    voters: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def note_prompt(self, split: Split) -> None:
        """Count a prompt of which some example is written."""
        self.prompts[split] += 1

    def note(self, example: Example, split: Split) -> None:
        """Count an example that is written."""
        self.pairs[split] += example.chosen is not None
        self.examples_by_model[example.answer_a.model_id] += 1
        self.examples_by_model[example.answer_b.model_id] += 1
        self.languages[example.prompt.language or "unknown"] += 1
        if example.adjudicated is not None:
            by_votes = example.adjudicated.by_votes
            told = "undecided" if by_votes is None else "same" if by_votes is example.verdict else "other"
            self.adjudicated[told] += 1
            self.adjudicated["chosen"] += example.chosen is not None
        for opinion in example.opinions:
            self.votes_by_source[opinion.source.value] += 1
            self.votes_by_guideline[opinion.guideline_version or "none"] += 1
            if opinion.voter is not None:
                self.voters.add(opinion.voter)
            if opinion.voted_at is not None:
                if self.first is None or opinion.voted_at < self.first:
                    self.first = opinion.voted_at
                if self.last is None or opinion.voted_at > self.last:
                    self.last = opinion.voted_at

    def record(self) -> dict[str, Any]:
        """The same for the manifest."""
        return {
            "pairs": {split.value: self.pairs[split] for split in Split},
            "prompts": {split.value: self.prompts[split] for split in Split},
            "examples_by_model": _sorted(self.examples_by_model),
            "votes_by_source": _sorted(self.votes_by_source),
            "votes_by_guideline": _sorted(self.votes_by_guideline),
            "examples_by_language": _sorted(self.languages),
            "adjudication": {
                "n_pairs": sum(self.adjudicated[told] for told in ("same", "other", "undecided")),
                "n_rows": self.adjudicated["chosen"],
                "votes_say_the_same": self.adjudicated["same"],
                "votes_say_otherwise": self.adjudicated["other"],
                "votes_say_nothing": self.adjudicated["undecided"],
            },
            "n_voters": len(self.voters),
            "first_vote": None if self.first is None else self.first.isoformat(),
            "last_vote": None if self.last is None else self.last.isoformat(),
        }


def _sorted(counts: Counter[Any]) -> dict[str, int]:
    return {key: counts[key] for key in sorted(counts)}
