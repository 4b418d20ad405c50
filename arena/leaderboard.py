"""Votes and models become a leaderboard. Pure; the only door to `ratings`.

The board's rules, in the order in which they apply:

1. Votes of other sources than those asked for are left out, and counted by reason.
2. A tie is half a win for each side. A both-bad verdict, which also prefers neither, counts as a tie, or is left out.
3. Models are rated where their votes determine it: the largest group in which everyone has beaten, or tied with,
   everyone else through some chain of votes (Ford 1957). Others are listed without a score, with the reason; their
   votes wait, counted as left out, and move nobody.
4. Strengths by maximum likelihood, intervals and rank ranges by refitting resampled votes (see `ratings`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from arena.battle import Model, ModelId, Source, Verdict
from arena.errors import BadInput, NothingToRate, RatingFailed
from ratings import (
    Absent,
    Comparisons,
    Interval,
    RatingError,
    bootstrap_bradley_terry,
    components,
    fit_bradley_terry,
    percentile_intervals,
    rank_ranges,
    ranks,
    rateable_groups,
    to_score,
)

# What a both-bad verdict counts as.
BothBad = Literal["tie", "drop"]

METHOD = "bradley-terry"
MEAN_SCORE = 1000.0

# Scores are rounded to a ten-thousandth of a point: far below any meaning, and above the last digits in which two
# machines' linear algebra may differ, so that the same votes print the same bytes.
_DIGITS = 4

LEFT_OUT_SELF = "the same model on both sides"
LEFT_OUT_BOTH_BAD = "both bad"
LEFT_OUT_UNRATED = "a model that cannot be rated yet"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one verdict was given on two models by one source."""

    model_a: ModelId
    model_b: ModelId
    verdict: Verdict
    n: int
    source: Source = Source.HUMAN


@dataclass(frozen=True, slots=True)
class Entry:
    """One model's line on the board. score, low and high are Elo points; rank_low is the best rank it may have.

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


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A fit dressed with model facts: rated models best first, then those without a rating by name.

    n_votes counted in the fit; dropped holds the others by reason, and the two add up to all votes.
    """

    method: str
    confidence: float
    rounds: int
    seed: int
    n_votes: int
    n_models: int
    dropped: Mapping[str, int]
    entries: tuple[Entry, ...]

    def entry(self, model_id: ModelId) -> Entry | None:
        """The line of one model, or None if it is not on the board."""
        return next((entry for entry in self.entries if entry.model.id == model_id), None)

    def to_record(self) -> dict[str, Any]:
        """Plain values, as `bakeoff rate --json` prints them.

        `name` is there only where it is not the id, `reason` only where something is absent.
        """
        record = {key: value for key, value in asdict(self).items() if key != "entries"}
        return record | {"dropped": dict(self.dropped), "ratings": [_entry_record(entry) for entry in self.entries]}


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


def default_sources(counts: Mapping[Source, int]) -> tuple[Source, ...]:
    """The sources that a board counts when nobody said which: people's votes, or the only source there is.

    Raises BadInput where several sources but no people voted, since mixing them must be asked for.
    """
    present = tuple(source for source in Source if counts.get(source))
    if Source.HUMAN in present or not present:
        return (Source.HUMAN,)
    if len(present) == 1:
        return present
    listed = ", ".join(f"{source.value} ({counts[source]:,})" for source in present)
    raise BadInput(f"the votes come from several sources, none of them people: {listed}. Say which to count: --source")


def rate(
    tallies: Iterable[Tally],
    models: Mapping[ModelId, Model],
    *,
    sources: Collection[Source] | None = None,
    both_bad: BothBad = "tie",
    rounds: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    provisional_below: int = 30,
    anchor: tuple[ModelId, float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Leaderboard:
    """Compute the board. The same tallies in any order, on any side, give the same numbers for the same seed.

    models gives the facts; a model that only the tallies name is shown under its id. anchor moves all scores by a
    constant so that this model stands at that score; the mean over the rated models is 1000 otherwise.

    Where no two models can be compared yet, all are listed without a rating. Raises NothingToRate if no vote is left,
    BadInput if the anchor has no rating, RatingFailed if the fit finds no answer.
    """
    dropped: Counter[str] = Counter()
    kept = _kept(tallies, sources, both_bad, dropped)
    names = sorted({model for tally in kept for model in (tally.model_a, tally.model_b)})
    if not names:
        raise NothingToRate(_nothing(dropped))
    comparisons = _comparisons(kept, names)
    groups = rateable_groups(comparisons)
    rated = np.sort(np.asarray(groups[0]))
    waiting = _unrated(comparisons, rated, names)
    if len(rated) < 2:
        _shift(anchor, [], np.empty(0))
        return _board(
            [_unrated_entry(models, name, n, reason) for name, n, reason in waiting],
            dropped + Counter({LEFT_OUT_UNRATED: int(comparisons.n_comparisons)}),
            n_votes=0,
            settings=(confidence, rounds, seed),
        )
    core = comparisons.restricted_to(rated)
    n_waiting = round(comparisons.n_comparisons - core.n_comparisons)
    if n_waiting:
        dropped[LEFT_OUT_UNRATED] += n_waiting
    try:
        fit = fit_bradley_terry(core)
        samples = bootstrap_bradley_terry(core, rounds=rounds, rng=np.random.default_rng(seed), on_progress=on_progress)
    except RatingError as error:
        raise RatingFailed(f"these votes could not be rated: {error}") from error
    rated_names = [names[item] for item in rated]
    scores = to_score(fit.strengths, mean=MEAN_SCORE)
    shift = _shift(anchor, rated_names, scores)
    entries = []
    rows = zip(
        rated_names,
        scores + shift,
        percentile_intervals(to_score(samples, mean=MEAN_SCORE) + shift, confidence=confidence),
        ranks(fit.strengths),
        rank_ranges(fit.strengths, samples, confidence=confidence),
        core.games,
        strict=True,
    )
    for name, score, found, rank, range_, games in rows:
        n_votes = round(float(games))
        interval, reason = _honest(found, float(score))
        entries.append(
            Entry(
                model=models.get(name) or Model(name, name=name),
                score=round(float(score), _DIGITS),
                low=round(interval.low, _DIGITS) if interval else None,
                high=round(interval.high, _DIGITS) if interval else None,
                rank=int(rank),
                rank_low=int(range_.best),
                rank_high=int(range_.worst),
                n_votes=n_votes,
                provisional=n_votes < provisional_below,
                reason=reason,
            )
        )
    entries.sort(key=lambda entry: (-(entry.score or 0.0), entry.model.id))
    entries += [_unrated_entry(models, name, n, reason) for name, n, reason in waiting]
    return _board(entries, dropped, n_votes=round(core.n_comparisons), settings=(confidence, rounds, seed))


def from_record(record: Mapping[str, Any], models: Mapping[ModelId, Model]) -> Leaderboard:
    """The leaderboard that `to_record` described, dressed with the models' facts as they are now."""
    entries = []
    for row in record["ratings"]:
        facts: dict[str, Any] = {key: value for key, value in row.items() if key not in ("model", "name")}
        model_id = ModelId(row["model"])
        entries.append(Entry(model=models.get(model_id) or Model(model_id, name=model_id), **facts))
    values = {key: value for key, value in record.items() if key != "ratings"}
    return Leaderboard(entries=tuple(entries), **values)


def _kept(
    tallies: Iterable[Tally], sources: Collection[Source] | None, both_bad: str, dropped: Counter[str]
) -> list[Tally]:
    kept = []
    for tally in tallies:
        if sources is not None and tally.source not in sources:
            dropped[f"source {tally.source.value} is not asked for"] += tally.n
        elif tally.model_a == tally.model_b:
            dropped[LEFT_OUT_SELF] += tally.n
        elif tally.verdict is Verdict.BOTH_BAD and both_bad == "drop":
            dropped[LEFT_OUT_BOTH_BAD] += tally.n
        else:
            kept.append(tally)
    return kept


def _nothing(dropped: Mapping[str, int]) -> str:
    if not dropped:
        return "there is no vote to rate"
    return "no vote is left to rate: " + ", ".join(f"{n:,} left out ({reason})" for reason, n in dropped.items())


def _comparisons(kept: Sequence[Tally], names: Sequence[ModelId]) -> Comparisons:
    """Counts a pair, the smaller name first, so that neither the rows' order nor the sides can matter."""
    item = {name: index for index, name in enumerate(names)}
    cells: dict[tuple[int, int], list[int]] = {}
    for tally in kept:
        first, second, verdict = item[tally.model_a], item[tally.model_b], tally.verdict
        if first > second:
            first, second, verdict = second, first, verdict.swapped
        column = {Verdict.A: 0, Verdict.B: 1}.get(verdict, 2)
        cells.setdefault((first, second), [0, 0, 0])[column] += tally.n
    pairs = sorted(cells)
    counts = np.array([cells[pair] for pair in pairs], dtype=np.float64)
    index = np.array(pairs, dtype=np.intp)
    return Comparisons(
        n_items=len(names),
        first=index[:, 0],
        second=index[:, 1],
        wins_first=counts[:, 0],
        wins_second=counts[:, 1],
        ties=counts[:, 2],
    )


def _unrated(comparisons: Comparisons, rated: np.ndarray, names: Sequence[ModelId]) -> list[tuple[ModelId, int, str]]:
    """The models outside the rated group, each with its votes and why it has no score."""
    inside = set(rated.tolist()) if len(rated) > 1 else set()
    neighbours = next(
        (set(map(int, group)) for group in components(comparisons) if inside & set(map(int, group))), set()
    )
    half_wins = comparisons.wins_matrix()
    result = []
    for item, name in enumerate(names):
        if item in inside:
            continue
        if inside and item not in neighbours:
            reason = "has met none of the rated models, directly or through others"
        elif not half_wins[:, item].any():
            reason = "has not lost a vote yet, so no finite score fits"
        elif not half_wins[item].any():
            reason = "has not won a vote yet, so no finite score fits"
        else:
            reason = "no chain of wins leads both to and from the rated models yet"
        result.append((name, round(float(comparisons.games[item])), reason))
    return result


def _honest(found: Interval | Absent, score: float) -> tuple[Interval | None, str | None]:
    """The interval, or why there is none; one that leaves out its own score is none."""
    if isinstance(found, Absent):
        return None, found.reason
    if not found.low <= score <= found.high:
        return None, "no interval: the resamples lie to one side of the score"
    return found, None


def _unrated_entry(models: Mapping[ModelId, Model], name: ModelId, n_votes: int, reason: str) -> Entry:
    model = models.get(name) or Model(name, name=name)
    return Entry(model, None, None, None, None, None, None, n_votes, provisional=True, reason=reason)


def _shift(anchor: tuple[ModelId, float] | None, names: Sequence[ModelId], scores: np.ndarray) -> float:
    if anchor is None:
        return 0.0
    name, score = anchor
    if name not in names:
        raise BadInput(f"the anchor {name!r} has no rating; rated: {', '.join(names) or 'nobody yet'}")
    return score - float(scores[names.index(name)])


def _board(
    entries: Sequence[Entry], dropped: Mapping[str, int], *, n_votes: int, settings: tuple[float, int, int]
) -> Leaderboard:
    confidence, rounds, seed = settings
    return Leaderboard(
        method=METHOD,
        confidence=confidence,
        rounds=rounds,
        seed=seed,
        n_votes=n_votes,
        n_models=len(entries),
        dropped=dict(sorted(dropped.items())),
        entries=tuple(entries),
    )


def _entry_record(entry: Entry) -> dict[str, Any]:
    record = {"model": entry.model.id} | {key: value for key, value in asdict(entry).items() if key != "model"}
    if entry.model.name != entry.model.id:
        record["name"] = entry.model.name
    if entry.reason is None:
        del record["reason"]
    return record
