"""What became of each vote: kept in a format, or left out for a named reason. Both add up to all votes, always."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.preferences.example import Example
from arena.preferences.formats import Format


@dataclass(slots=True)
class Account:
    """Filled while an export is made: each vote is either left out of every format, or taken with its example."""

    n_votes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Of every format, by reason."""
    kept_by: Counter[str] = field(default_factory=Counter)
    """By format."""
    left_out_by: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter[str]))
    """Of one format alone: by format, then by reason."""
    pairs_left_out: Counter[str] = field(default_factory=Counter)
    """Pairs of answers that no format gets, by the reason why the last of their votes is left out. A vote without a
    prompt or answers is one by itself."""
    pairs_left_out_by: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter[str]))
    """Pairs of which one format alone has no kept vote, and no adjudicated choice either: by format, then by the reason
    of most of their votes."""

    def leave_out(self, reason: str, n: int = 1) -> None:
        """Count votes that no format gets."""
        if n:
            self.n_votes += n
            self.left_out[reason] += n

    def leave_out_pair(self, reason: str, n: int = 0) -> None:
        """Count a pair that no format gets, and its votes that are not counted yet."""
        self.leave_out(reason, n)
        self.pairs_left_out[reason] += 1

    def leave_out_example(self, reason: str, example: Example) -> None:
        """Count the votes of an example that no format gets. Instead of `take`, not beside it."""
        self.leave_out_pair(reason, len(example.opinions))

    def take(self, example: Example, formats: Mapping[str, Format]) -> None:
        """Count the votes of an example that is written, by what each format makes of it."""
        self.n_votes += len(example.opinions)
        for name, format_ in formats.items():
            out = format_.left_out(example)
            if out:
                self.left_out_by[name].update(out)
            n_kept = len(example.opinions) - sum(out.values())
            self.kept_by[name] += n_kept
            is_ruled = example.adjudicated is not None and example.chosen is not None
            if not n_kept and not is_ruled:
                self.pairs_left_out_by[name][max(out, key=out.__getitem__)] += 1

    def pass_over(self, name: str, reason: str, n: int) -> None:
        """Count votes that one format does not get, of those that `take` has counted for others."""
        self.left_out_by[name][reason] += n

    def of(self, name: str) -> dict[str, Any]:
        """What became of all votes in one format: kept, and left_out by reason, in alphabetical order."""
        reasons = self.left_out + self.left_out_by[name]
        return {"kept": self.kept_by[name], "left_out": {each: reasons[each] for each in sorted(reasons)}}
