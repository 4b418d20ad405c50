"""A fit dressed with model facts: what a page shows and a snapshot stores. Pure; nothing is computed here.

`arena.rating` computes boards from votes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from arena.battle import Model, ModelId, Source


@dataclass(frozen=True, slots=True)
class Entry:
    """One model's line on the board. score, low and high are in the board's unit; rank_low is its best possible rank.

    score, rank and the ranges are None for a model that cannot be rated; low and high are also None where no honest
    interval can be given. reason then says why.
    """

    model: Model
    score: float | None
    low: float | None
    high: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    n_votes: int
    provisional: bool
    reason: str | None = None
    tier: int | None = None
    """Models of one tier cannot be told apart from its first; 1 is the best."""
    n_voters: int | None = None
    """How many voters (or prompts) its votes come from, where intervals are clustered by these."""
    design_effect: float | None = None
    """How many times larger the score's variance is than it would be if every vote stood alone."""
    low_independent: float | None = None
    """The interval if every vote stood alone: too narrow where one voter's votes resemble each other."""
    high_independent: float | None = None


@dataclass(frozen=True, slots=True)
class Coefficient:
    """What beside the models' strengths the votes depend on: in logits, with its interval or why there is none."""

    name: str
    value: float
    low: float | None
    high: float | None
    meaning: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A fit dressed with model facts: rated models best first, then those without a rating by name.

    n_votes counted in the fit; dropped holds the others by reason, and the two add up to all votes. `intervals` says in
    words what they assume, `settings` holds all else that was chosen.
    """

    method: str
    confidence: float
    rounds: int
    seed: int
    n_votes: int
    n_models: int
    dropped: Mapping[str, int]
    entries: tuple[Entry, ...]
    intervals: str = "bootstrap, votes resampled"
    settings: Mapping[str, Any] = field(default_factory=dict)
    coefficients: tuple[Coefficient, ...] = ()
    notes: tuple[str, ...] = ()

    def entry(self, model_id: ModelId) -> Entry | None:
        """The line of one model, or None if it is not on the board."""
        return next((entry for entry in self.entries if entry.model.id == model_id), None)

    @property
    def counted_as(self) -> str:
        """What ties and both-bad verdicts counted as, in a sentence."""
        ties = {"half": "half a win for each side"}.get(self.settings.get("ties", "half"), "an outcome of their own")
        match self.settings.get("both_bad", "tie"):
            case "tie":
                return f"Ties, and both-bad verdicts as well, count as {ties}."
            case "drop":
                return f"Ties count as {ties}, both-bad verdicts do not count."
            case _:
                return "Ties and both-bad verdicts are outcomes of their own; 1000 is the score of barely any use."

    def to_record(self) -> dict[str, Any]:
        """Plain values, as `bakeoff rate --json` prints them.

        `name` is there only where it is not the id, `reason` only where something is absent, and a column that holds
        nothing for any model, as n_voters where voters are not known, not at all.
        """
        record = {key: value for key, value in asdict(self).items() if key != "entries"}
        silent = [name for name in _OPTIONAL if all(getattr(entry, name) is None for entry in self.entries)]
        rows = [_entry_record(entry, silent) for entry in self.entries]
        plain = {"dropped": dict(self.dropped), "settings": dict(self.settings)}
        listed = {"coefficients": [asdict(each) for each in self.coefficients], "notes": list(self.notes)}
        return record | plain | listed | {"ratings": rows}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored leaderboard, with what is needed to compute it again: the log up to n_log, sources, settings, code."""

    id: str
    computed_at: datetime
    leaderboard: Leaderboard
    n_log: int
    log_hash: str
    sources: tuple[Source, ...]
    app_version: str


_OPTIONAL = ("tier", "n_voters", "design_effect", "low_independent", "high_independent")


def from_record(record: Mapping[str, Any], models: Mapping[ModelId, Model]) -> Leaderboard:
    """The leaderboard that `to_record` described, dressed with the models' facts as they are now."""
    entries = []
    for row in record["ratings"]:
        facts: dict[str, Any] = {key: value for key, value in row.items() if key not in ("model", "name")}
        model_id = ModelId(row["model"])
        entries.append(Entry(model=models.get(model_id) or Model(model_id, name=model_id), **facts))
    values = {key: value for key, value in record.items() if key != "ratings"}
    values["coefficients"] = tuple(Coefficient(**each) for each in record.get("coefficients", ()))
    values["notes"] = tuple(record.get("notes", ()))
    return Leaderboard(entries=tuple(entries), **values)


def _entry_record(entry: Entry, silent: list[str]) -> dict[str, Any]:
    record = {"model": entry.model.id} | {key: value for key, value in asdict(entry).items() if key != "model"}
    if entry.model.name != entry.model.id:
        record["name"] = entry.model.name
    for name in [*silent, *([] if entry.reason else ["reason"])]:
        del record[name]
    return record
