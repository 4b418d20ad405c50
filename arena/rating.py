"""Votes and models become a leaderboard. Pure; with `arena.estimate` the only door to `ratings`.

The board's rules, in the order in which they apply:

1. Votes that were not asked for (by source, category, language, time) are left out, and counted by reason.
2. A tie is half a win for each side, unless a model of ties is asked for. A both-bad verdict, which also prefers
   neither, counts as a tie, or is left out, or is an outcome of its own.
3. Models are rated where their votes determine it: the largest group in which everyone has beaten, or tied with,
   everyone else through some chain of votes (Ford 1957). Others are listed without a score, with the reason; their
   votes wait, counted as left out, and move nobody.
4. Scores, intervals and rank ranges by the method that the plan names.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from arena.battle import Model, ModelId
from arena.errors import BadInput, NothingToRate, RatingFailed
from arena.estimate import MEAN_SCORE, Estimate, estimate, estimate_pooled, likelihood_of
from arena.leaderboard import Entry, Leaderboard
from arena.name import NoName, called
from arena.plan import BothBad, Method, Plan
from arena.rows import Counted, VoteRows
from arena.tally import Tally
from ratings import (
    Absent,
    Comparisons,
    Interval,
    Outcome,
    RatingError,
    components,
    grounded_group,
    ranks,
    rateable_groups,
    surely_above,
    tiers,
    to_score,
    to_strength,
    unbeaten_bound,
)

# Scores are rounded to a ten-thousandth of a point: far below any meaning, and above the last digits in which two
# machines' linear algebra may differ, so that the same votes print the same bytes.
_DIGITS = 4

LEFT_OUT_SELF = "the same model on both sides"
LEFT_OUT_BOTH_BAD = "both bad"
LEFT_OUT_UNRATED = "a model that cannot be rated yet"


@dataclass(frozen=True, eq=False, slots=True)
class Field:
    """The models that have votes, and the group of them that can be rated against each other."""

    names: list[ModelId]
    comparisons: Comparisons
    """Between `names`, one cell a pair."""
    group: list[int]
    """Items of the rated group, ascending."""

    @classmethod
    def of(cls, kept: Counted, plan: Plan) -> Self:
        """The field of these votes, none of which is left out."""
        # Models whose votes are all left out are nowhere on the board.
        seen = np.flatnonzero(kept.games())
        comparisons = _comparisons(kept, plan, is_sided=False).restricted_to(seen)
        return cls([kept.models[item] for item in seen], comparisons, _rateable(comparisons, plan))

    @property
    def rated_names(self) -> list[ModelId]:
        """The models of the rated group, in the order of `rated`'s items."""
        return [self.names[item] for item in self.group]

    @property
    def rated(self) -> Comparisons:
        """The comparisons inside the rated group."""
        return self.comparisons.restricted_to(self.group)


def field_of(votes: Counted, plan: Plan) -> Field:
    """The field of all votes that the plan counts."""
    return Field.of(_kept(votes, plan, Counter()), plan)


def rate(
    votes: Counted | Iterable[Tally],
    models: Mapping[ModelId, Model],
    plan: Plan | None = None,
    *,
    rows: VoteRows | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Leaderboard:
    """Compute the board. The same votes in any order, on any side, give the same numbers for the same plan.

    `models` gives the facts; a model that only the tallies name is shown under its id. `rows` gives the same votes one
    by one, for what cannot be told from counts: clusters, style, order in time.

    Where no two models can be compared yet, all are listed without a rating. Raises NothingToRate if no vote is left,
    BadInput if the anchor has no rating or the votes lack what the plan needs, RatingFailed if there is no answer.
    """
    plan = plan or Plan()
    counted = votes if isinstance(votes, Counted) else Counted.of(votes)
    dropped = Counter(counted.left_out)
    kept = _kept(counted, plan, dropped)
    if not kept.n.size:
        raise NothingToRate(_nothing(dropped))
    field = Field.of(kept, plan)
    names, comparisons, group = field.names, field.comparisons, field.group
    if len(group) < 2:
        waiting = _Waiting(comparisons, names, [], np.empty(0), plan)
        _shift(plan.anchor, [], np.empty(0), models)
        entries = [waiting.entry(item, models) for item in range(len(names))]
        dropped[LEFT_OUT_UNRATED] += round(comparisons.n_comparisons)
        name = likelihood_of(plan).name if plan.method is Method.BRADLEY_TERRY else str(plan.method)
        return _board(entries, dropped, plan, name=name, n_votes=0)
    core, rated_names = field.rated, field.rated_names
    if n_waiting := round(comparisons.n_comparisons - core.n_comparisons):
        dropped[LEFT_OUT_UNRATED] += n_waiting
    sided = None
    if plan.order:
        sided = _comparisons(kept, plan, is_sided=True).restricted_to(kept.models.index(name) for name in rated_names)
    try:
        found = estimate(core, rated_names, plan, rows, sided=sided, on_progress=on_progress)
        entries = _rated(found, core, rated_names, models, plan)
    except RatingError as error:
        raise RatingFailed(f"these votes could not be rated: {error}") from error
    shift = _shift(plan.anchor, rated_names, found.scores, models)
    waiting = _Waiting(comparisons, names, group, found.scores + shift, plan)
    entries += [waiting.entry(item, models) for item in range(len(names)) if item not in set(group)]
    return _board(entries, dropped, plan, name=found.name, n_votes=round(core.n_comparisons), found=found)


def rate_pooled(
    whole: Counted,
    slices: Mapping[str, Counted],
    models: Mapping[ModelId, Model],
    plan: Plan,
    *,
    rows: VoteRows | None = None,
    rows_of: Mapping[str, VoteRows] | None = None,
) -> dict[str, Leaderboard]:
    """A board for each slice of the votes, its scores drawn towards those of the whole as far as slices are alike.

    `rows` and `rows_of` give the votes of the whole, and of each slice, one by one. Models that are not rated in the
    whole are not listed. A model without votes in a slice has the whole's score and an interval that tells so.

    Raises as `rate`; the plan must be plain Bradley-Terry.
    """
    field = field_of(whole, plan)
    names = field.rated_names
    if len(names) < 2:
        raise NothingToRate("no two models can be compared yet: there is nothing to draw slices towards")
    place = {name: item for item, name in enumerate(names)}
    parts: dict[str, Comparisons] = {}
    dropped: dict[str, Counter[str]] = {}
    for name, counted in slices.items():
        dropped[name] = Counter(counted.left_out)
        # Models with few votes are left out of the whole, and so of every slice; a slice may be small.
        kept = _kept(counted, replace(plan, min_votes=0), dropped[name])
        items = np.array([place.get(model, -1) for model in kept.models], dtype=np.int64)
        inside = (items[kept.model_a] >= 0) & (items[kept.model_b] >= 0) if kept.n.size else np.zeros(0, dtype=bool)
        if n_waiting := int(kept.n[~inside].sum()):
            dropped[name][LEFT_OUT_UNRATED] += n_waiting
        kept = kept.taking(inside)
        parts[name] = Comparisons.from_outcomes(
            len(names), items[kept.model_a], items[kept.model_b], _outcomes(kept, plan), counts=kept.n
        )
    try:
        found = estimate_pooled(field.rated, parts, names, plan, rows=rows, rows_of=rows_of or {})
        boards = {}
        for name, each in found.items():
            entries = _rated(each, parts[name], names, models, plan)
            n_votes = round(parts[name].n_comparisons)
            boards[name] = _board(entries, dropped[name], plan, name=each.name, n_votes=n_votes, found=each)
    except RatingError as error:
        raise RatingFailed(f"these slices could not be rated: {error}") from error
    return boards


def _rated(
    found: Estimate, core: Comparisons, names: Sequence[ModelId], models: Mapping[ModelId, Model], plan: Plan
) -> list[Entry]:
    """The lines of the models that have a score, best first."""
    order = ranks(found.scores)
    above = surely_above(found.scores, found.samples, confidence=plan.confidence)
    groups = tiers(found.scores, above)
    shift = _shift(plan.anchor, names, found.scores, models)
    entries = [
        _entry(
            models.get(name) or Model(name, name=name),
            found,
            item,
            place=_Place(int(order[item]), 1 + int(above[:, item].sum()), len(names) - int(above[item].sum())),
            tier=int(groups[item]),
            n_votes=round(float(core.games[item])),
            shift=shift,
            plan=plan,
        )
        for item, name in enumerate(names)
    ]
    return sorted(entries, key=lambda entry: (-(entry.score or 0.0), entry.model.id))


def _kept(counted: Counted, plan: Plan, dropped: Counter[str]) -> Counted:
    bad = np.full(len(counted.n), False)
    if plan.both_bad is BothBad.DROP:
        bad = counted.verdict == Outcome.BOTH_BAD  # verdicts and outcomes have the same numbers
    own = counted.model_a == counted.model_b
    for reason, out in ((LEFT_OUT_SELF, own), (LEFT_OUT_BOTH_BAD, bad & ~own)):
        if out.any():
            dropped[reason] += int(counted.n[out].sum())
    kept = counted.taking(~own & ~bad)
    while True:  # who is left out takes votes from those who stay
        games = kept.games()
        few = (games > 0) & (games < plan.min_votes)
        out = few[kept.model_a] | few[kept.model_b]
        if not out.any():
            return kept
        dropped[f"a model with fewer than {plan.min_votes:,} votes"] += int(kept.n[out].sum())
        kept = kept.taking(~out)


def _nothing(dropped: Mapping[str, int]) -> str:
    if not dropped:
        return "there is no vote to rate"
    return "no vote is left to rate: " + ", ".join(f"{n:,} left out ({reason})" for reason, n in dropped.items())


def _comparisons(kept: Counted, plan: Plan, *, is_sided: bool) -> Comparisons:
    """The votes as numbers, one cell a pair; or, sided, with a column that says who stood on side A."""
    outcome = _outcomes(kept, plan)
    if is_sided:  # these are not added up, so their order is made not to matter
        order = np.lexsort((kept.verdict, kept.model_b, kept.model_a))
        kept, outcome = kept.taking(order), outcome[order]
    return Comparisons.from_outcomes(
        len(kept.models),
        kept.model_a,
        kept.model_b,
        outcome,
        counts=kept.n,
        covariates=np.ones((len(kept.n), 1)) if is_sided else None,
    )


def _outcomes(kept: Counted, plan: Plan) -> np.ndarray:
    if plan.both_bad is BothBad.TIE:
        return np.where(kept.verdict == Outcome.BOTH_BAD, Outcome.TIE, kept.verdict)
    return kept.verdict


def _rateable(comparisons: Comparisons, plan: Plan) -> list[int]:
    """The models that can be rated against each other."""
    if plan.both_bad is BothBad.OWN and not plan.prior:
        return list(grounded_group(comparisons))
    linked = plan.prior > 0 or plan.method is not Method.BRADLEY_TERRY
    groups = components(comparisons) if linked else rateable_groups(comparisons)
    return sorted(map(int, groups[0]))


class _Waiting:
    """The models outside the rated group, and why each of them has no score."""

    def __init__(
        self, comparisons: Comparisons, names: Sequence[ModelId], group: Sequence[int], scores: np.ndarray, plan: Plan
    ):
        self._names = names
        self._group = list(group)
        self._scores = scores
        self._plan = plan
        self._games = comparisons.games
        n_bad, n_all = float(comparisons.counts[Outcome.BOTH_BAD].sum()), comparisons.n_comparisons
        self._has_level = 0 < n_bad < n_all
        self._half_wins = comparisons.wins_matrix()
        inside = set(group)
        islands = (set(map(int, island)) for island in components(comparisons))
        self._neighbours = next((island for island in islands if inside & island), set())

    def entry(self, item: int, models: Mapping[ModelId, Model]) -> Entry:
        """The line of a model without a score."""
        name = self._names[item]
        return Entry(
            models.get(name) or Model(name, name=name),
            *(None,) * 6,
            n_votes=round(float(self._games[item])),
            provisional=True,
            reason=self._reason(item),
        )

    def _reason(self, item: int) -> str:
        if self._plan.both_bad is BothBad.OWN and not self._has_level:
            return "no verdict is both-bad, or every one is: nothing fixes the score of barely any use"
        if self._group and item not in self._neighbours:
            return "has met none of the rated models, directly or through others"
        if not self._half_wins[:, item].any():
            return "has not lost a vote yet, so no finite score fits" + self._bound(item, 1)
        if not self._half_wins[item].any():
            return "has not won a vote yet, so no finite score fits" + self._bound(item, -1)
        return "no chain of wins leads both to and from the rated models yet"

    def _bound(self, item: int, sign: int) -> str:
        """The score that the model is surely above, or below, by its votes on rated models; nothing without any."""
        if not self._group or self._plan.method is not Method.BRADLEY_TERRY:
            return ""
        against = self._half_wins[item] if sign > 0 else self._half_wins[:, item]
        strengths = to_strength(self._scores, mean=MEAN_SCORE)
        bound = unbeaten_bound(against[self._group], sign * strengths, confidence=self._plan.confidence)
        if bound is None:
            return ""
        word = "above" if sign > 0 else "below"
        return f"; {word} {to_score(sign * bound, mean=MEAN_SCORE):,.0f} with {self._plan.confidence:.0%} confidence"


class _Place(NamedTuple):
    """A rank, and the best and the worst that it may be."""

    rank: int
    best: int
    worst: int


def _entry(
    model: Model, found: Estimate, item: int, *, place: "_Place", tier: int, n_votes: int, shift: float, plan: Plan
) -> Entry:
    score = float(found.scores[item])
    interval, reason = _honest(found.intervals[item], score)
    alone = None if found.independent is None else _honest(found.independent[item], score)[0]
    effect = None if found.design_effects is None else float(found.design_effects[item])
    return Entry(
        model=model,
        score=_rounded(score, shift),
        low=_rounded(interval.low, shift) if interval else None,
        high=_rounded(interval.high, shift) if interval else None,
        rank=place.rank,
        rank_low=place.best,
        rank_high=place.worst,
        n_votes=n_votes,
        provisional=n_votes < plan.provisional_below,
        reason=reason,
        tier=tier,
        n_voters=None if found.n_units is None else round(float(found.n_units[item])),
        design_effect=None if effect is None or interval is None or np.isnan(effect) else round(effect, _DIGITS),
        low_independent=_rounded(alone.low, shift) if alone else None,
        high_independent=_rounded(alone.high, shift) if alone else None,
    )


def _rounded(value: float, shift: float) -> float:
    # + 0.0: a negative zero would print as one.
    return round(float(value) + shift, _DIGITS) + 0.0


def _honest(found: Interval | Absent, score: float) -> tuple[Interval | None, str | None]:
    """The interval, or why there is none; one that leaves out its own score is none."""
    if isinstance(found, Absent):
        return None, found.reason
    if not found.low <= score <= found.high:
        return None, "no interval: the resamples lie to one side of the score"
    return found, None


def _shift(
    anchor: tuple[ModelId, float] | None,
    names: Sequence[ModelId],
    scores: np.ndarray,
    models: Mapping[ModelId, Model],
) -> float:
    if anchor is None:
        return 0.0
    text, score = anchor
    try:
        model = called(
            text, {each: models[each].name if each in models else each for each in names}, what="rated model"
        )
    except NoName as error:
        raise BadInput(f"the anchor has no rating: {error}") from error
    return score - float(scores[list(names).index(ModelId(model))])


def _board(
    entries: Sequence[Entry],
    dropped: Mapping[str, int],
    plan: Plan,
    *,
    name: str,
    n_votes: int,
    found: Estimate | None = None,
) -> Leaderboard:
    return Leaderboard(
        method=name,
        confidence=plan.confidence,
        rounds=plan.rounds,
        seed=plan.seed,
        n_votes=n_votes,
        n_models=len(entries),
        dropped=dict(sorted(dropped.items())),
        entries=tuple(entries),
        intervals=found.assumption if found else "none",
        settings=plan.to_record(),
        coefficients=found.coefficients if found else (),
        notes=found.notes if found else (),
    )
