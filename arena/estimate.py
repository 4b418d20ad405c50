"""Scores of models that can be compared, with what is known of their uncertainty: where the arena calls `ratings`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arena.battle import ModelId
from arena.errors import BadInput
from arena.leaderboard import Coefficient
from arena.pieces import Pieces, Read, Style, counting, needed
from arena.plan import BothBad, Intervals, Method, Plan, Ties, Weights
from arena.rows import Rows, VoteRows, joined
from arena.tally import Unit
from ratings import (
    ROUND_PRIOR,
    TOLERANCE,
    Absent,
    Batches,
    BradleyTerry,
    Comparisons,
    Covariance,
    Davidson,
    GroundedRaoKupper,
    Interval,
    Likelihood,
    NotDetermined,
    RaoKupper,
    bootstrap_bradley_terry,
    bootstrap_clusters,
    bootstrap_elo,
    bootstrap_fit,
    bootstrap_one_step,
    clustered_sandwich,
    coefficient_intervals,
    draws,
    fit,
    online_elo,
    percentile_intervals,
    pool_slices,
    sandwich,
    strength_intervals,
    to_points,
    to_score,
    win_rates,
)

Floats = NDArray[np.float64]
Found = Sequence[Interval | Absent]
OnProgress = Callable[[int, int], None]

MEAN_SCORE = 1000.0

# Draws from the estimate's distribution behind rank ranges: their level is then known to half a percent.
_N_DRAWS = 2000

# LMArena's floor: pairs with fewer votes than this weigh no more than those with as many.
_PAIR_FLOOR = 50


_ONE_BY_ONE = "votes drawn again one by one go with equal weights or weights by pair; take --intervals cluster"
_VOTERS_UNHEARD = "votes of one voter may resemble each other, which these intervals take no account of"
_LEFT_ASIDE = {
    Unit.VOTER: f"{_VOTERS_UNHEARD}; --intervals cluster draws whole voters",
    Unit.LIST: "the pairs of a ranked list hang together, which these intervals take no account of; "
    "--intervals cluster draws whole lists",
}
_ONE_UNIT = (
    "all votes are of one {}: how far these may be off cannot be told from them; --cluster none takes every vote on "
    "its own"
)

# Logits. What is left after such a step is about its square, a few millionths of a point, and the ends of intervals are
# right to a two-thousandth of their width; with style each step goes through all votes.
_LAST_STEP_OVER_ALL_VOTES = 1e-4

# Votes. With style the comparisons of so many are made once and stay in memory, some hundred bytes each; those of more
# are made anew, piece by piece, each time that they are gone through.
_MOST_HELD = 2_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Estimate:
    """What a method says of the models, in their order."""

    name: str
    scores: Floats
    intervals: Found
    samples: Floats
    """Scores as they might have come out, (n_samples, n_models), in any gauge: for ranks."""
    assumption: str
    """What the intervals come from, in words."""
    independent: Found | None = None
    design_effects: Floats | None = None
    n_units: Floats | None = None
    coefficients: tuple[Coefficient, ...] = ()
    notes: tuple[str, ...] = ()


def estimate(
    core: Comparisons,
    names: Sequence[ModelId],
    plan: Plan,
    rows: VoteRows | None,
    *,
    sided: Comparisons | None = None,
    on_progress: OnProgress | None = None,
) -> Estimate:
    """Score the models of `core`, whose items are `names`, one cell a pair.

    `sided` are the same votes with a column for who stood on side A, if the plan asks for order. `rows` gives the votes
    one by one; without it votes are taken as independent, and plans that need single votes are refused with BadInput.
    RatingError where the mathematics gives no answer.
    """
    if plan.method is not Method.BRADLEY_TERRY:
        is_elo = plan.method is Method.ELO
        found = _elo(core, names, plan, needed(rows, "online Elo"), on_progress) if is_elo else _win_rate(core, plan)
        known = rows.units() if rows is not None else ()
        return replace(found, notes=(*found.notes, *([_VOTERS_UNHEARD] if Unit.VOTER in known else [])))
    found = _Maximum(core, names, plan, rows=rows, sided=sided, on_progress=on_progress)
    if plan.style and not found.kept_style:
        plain = estimate(core, names, replace(plan, style=()), rows, sided=sided, on_progress=on_progress)
        return replace(plain, notes=(*found.notes_on_style, *plain.notes))
    return found.estimate()


def estimate_pooled(
    core: Comparisons,
    parts: Mapping[str, Comparisons],
    names: Sequence[ModelId],
    plan: Plan,
    *,
    rows: VoteRows | None,
    rows_of: Mapping[str, VoteRows],
) -> dict[str, Estimate]:
    """Scores of the models of `core` in each of its slices `parts`, drawn towards those of the whole.

    `parts` have the items of `core`. With `rows` and `rows_of`, the votes of the whole and of the slices one by one,
    intervals are clustered as for the whole. Raises BadInput for plans that are not plain Bradley-Terry.
    """
    if plan.beyond_plain or plan.intervals is not Intervals.SANDWICH:
        beyond = ", ".join(plan.beyond_plain) or f"intervals by {plan.intervals}"
        raise BadInput(f"pooled slices go with plain bradley-terry and sandwich intervals, not with {beyond}")
    whole = fit(core)
    unit = unit_of(plan, rows)
    items = {name: item for item, name in enumerate(names)}
    covariance = sandwich(core, whole)
    if unit is not Unit.NONE and rows is not None:
        covariance = clustered_sandwich(Pieces(Read(rows, items, unit), items, plan), whole)
        parts = {
            name: _one(part, list(Pieces(Read(rows_of[name], items, unit), items, plan)))
            for name, part in parts.items()
        }
    pooling = pool_slices(whole, covariance, list(parts.values()))
    rng = np.random.default_rng(plan.seed)
    found = {}
    for name, each in zip(parts, pooling.slices, strict=True):
        strengths = each.fit.strengths - each.covariance.gauge @ each.fit.strengths
        intervals = strength_intervals(each.fit, each.covariance, confidence=plan.confidence)
        found[name] = Estimate(
            name=each.fit.likelihood.name,
            scores=to_score(strengths, mean=MEAN_SCORE),
            intervals=_in_points(intervals),
            samples=to_score(draws(each.fit, each.covariance, n_draws=_N_DRAWS, rng=rng), mean=MEAN_SCORE),
            assumption=f"sandwich, pooled: slices differ from the whole by {to_points(pooling.tau):,.0f} points",
        )
    return found


def _one(plain: Comparisons, pieces_: Sequence[Comparisons]) -> Comparisons:
    """The comparisons of several pieces, no cluster of which is in two of them, as one; `plain` if there are none."""
    if not pieces_:
        return plain
    n_before, clusters = 0, []
    for piece in pieces_:
        assert piece.clusters is not None  # noqa: S101 - they were read with them
        clusters.append(piece.clusters + n_before)
        n_before += piece.n_clusters
    columns = (np.concatenate([getattr(piece, name) for piece in pieces_]) for name in ("first", "second"))
    counts = np.concatenate([piece.counts for piece in pieces_], axis=1)
    return Comparisons(plain.n_items, *columns, *counts, clusters=np.concatenate(clusters))


def unit_of(plan: Plan, rows: VoteRows | None) -> Unit:
    """What is taken as independent. Raises BadInput for a unit that was asked for and is not known."""
    known = rows.units() if rows is not None else ()
    if plan.unit is not None and plan.unit not in (*known, Unit.NONE):
        raise BadInput(f"the votes do not tell their {plan.unit.value}: nothing can be clustered by it")
    if plan.unit is not None:
        return plan.unit
    if plan.intervals is Intervals.BOOTSTRAP:
        return Unit.NONE
    if Unit.VOTER in known:
        return Unit.VOTER
    return Unit.LIST if Unit.LIST in known and plan.weights is not Weights.VOTERS else Unit.NONE


def likelihood_of(plan: Plan) -> Likelihood:
    """The model of outcomes that a plan means."""
    if plan.both_bad is BothBad.OWN:
        return GroundedRaoKupper()
    return {Ties.HALF: BradleyTerry, Ties.DAVIDSON: Davidson, Ties.RAO_KUPPER: RaoKupper}[plan.ties]()


class _Maximum:
    """A maximum-likelihood (or MAP) estimate and its intervals."""

    def __init__(
        self,
        core: Comparisons,
        names: Sequence[ModelId],
        plan: Plan,
        *,
        rows: VoteRows | None,
        sided: Comparisons | None,
        on_progress: OnProgress | None,
    ):
        self._core = core
        self._names = names
        self._plan = plan
        self._rows = rows
        self._unit = unit_of(plan, rows)
        self._on_progress = on_progress
        self._style: Style | None = None
        self._pair_weights = _pair_weights(core) if plan.weights is Weights.PAIRS else None
        self._pieces: Iterable[Comparisons] | None = self._one_by_one() if self._needs_rows else None
        votes: Batches = core if sided is None else sided
        if self._pieces is not None and (self._style is not None or self._weighs_one_by_one):
            votes = self._pieces
        elif self._pair_weights is not None:
            votes = replace(votes, weights=self._pair_weights[votes.first, votes.second])
        self._votes = votes
        tolerance = TOLERANCE if self._style is None else _LAST_STEP_OVER_ALL_VOTES
        try:
            self._fit = fit(votes, likelihood_of(plan), prior=plan.prior, tolerance=tolerance, whole=core)
        except NotDetermined as error:
            raise _named(error, names, self.kept_style) from error
        # Each model's share of votes: the level at which a model of which little is known moves nobody.
        self._gauge = core.games / core.games.sum() if self._fit.likelihood.is_difference else np.zeros(core.n_items)

    @property
    def _weighs_one_by_one(self) -> bool:
        return self._plan.weights in (Weights.VOTERS, Weights.COLUMN)

    @property
    def _needs_rows(self) -> bool:
        return self._unit is not Unit.NONE or self._weighs_one_by_one or bool(self._plan.style)

    def estimate(self) -> Estimate:
        """The scores and all that goes with them."""
        by = self._plan.intervals
        found = self._from_formula() if by is Intervals.SANDWICH else self._from_rounds()
        return replace(found, notes=(*self.notes_on_style, *self._notes_on_voters, *found.notes))

    @property
    def notes_on_style(self) -> tuple[str, ...]:
        """What is to be said of its features."""
        return self._style.notes if self._style is not None else ()

    @property
    def _notes_on_voters(self) -> tuple[str, ...]:
        known = self._rows.units() if self._rows is not None else ()
        if self._unit is Unit.NONE and self._plan.unit is None:
            return tuple(note for unit, note in _LEFT_ASIDE.items() if unit in known)[:1]
        return ()

    def _from_formula(self) -> Estimate:
        plan, fitted = self._plan, self._fit
        independent = sandwich(self._votes, fitted)
        covariance = independent
        if self._unit is not Unit.NONE:
            covariance = clustered_sandwich(self._telling(self._pieces or ()), fitted)
        rng = np.random.default_rng(plan.seed)
        clustered = covariance is not independent
        n = self._core.n_items
        return Estimate(
            name=fitted.likelihood.name,
            scores=self._to_scores(fitted.strengths),
            intervals=_in_points(strength_intervals(fitted, covariance, confidence=plan.confidence)),
            samples=to_score(draws(fitted, covariance, n_draws=_N_DRAWS, rng=rng), mean=MEAN_SCORE),
            assumption=self._assumption("sandwich", covariance.n_units),
            independent=(
                _in_points(strength_intervals(fitted, independent, confidence=plan.confidence)) if clustered else None
            ),
            design_effects=_ratio(covariance, independent)[:n] if clustered else None,
            n_units=covariance.n_units_of if clustered else None,
            coefficients=self._coefficients(coefficient_intervals(fitted, covariance, confidence=plan.confidence)),
            notes=(_ONE_UNIT.format(self._unit.value),) if clustered and covariance.n_units < 2 else (),
        )

    def _telling(self, pieces: Iterable[Comparisons]) -> Iterator[Comparisons]:
        """The same, and after each how many votes of all have been gone through."""
        done = 0.0
        for piece in pieces:
            yield piece
            done += piece.n_comparisons
            if self._on_progress is not None:
                self._on_progress(round(done), round(self._core.n_comparisons))

    def _from_rounds(self) -> Estimate:
        plan, fitted = self._plan, self._fit
        rng = np.random.default_rng(plan.seed)
        rounds, report = plan.rounds, self._on_progress
        by_cluster = plan.intervals is Intervals.CLUSTER
        if by_cluster and self._unit is Unit.NONE:
            raise BadInput("intervals by cluster need votes that tell their voter, prompt or list")
        drawn = f"{self._unit.value}s drawn again" if by_cluster else "votes drawn again"
        n = self._core.n_items
        is_plain = isinstance(fitted.likelihood, BradleyTerry) and not plan.order and not plan.prior
        words = f"bootstrap, {drawn}"
        if self._style is not None or (by_cluster and not is_plain):
            if not by_cluster and plan.weights is Weights.VOTERS:
                raise BadInput(_ONE_BY_ONE)
            units = self._pieces if by_cluster else self._votes
            samples = bootstrap_one_step(units or (), fitted, by_cluster=by_cluster, rounds=rounds, rng=rng)
            words += ", one step from the estimate"
        elif by_cluster:
            samples = bootstrap_clusters(self._pieces or (), rounds=rounds, rng=rng, on_progress=report)
        elif is_plain:
            samples = bootstrap_bradley_terry(self._votes_in_one, rounds=rounds, rng=rng, on_progress=report)
        else:
            votes, model, prior = self._votes_in_one, fitted.likelihood, plan.prior or ROUND_PRIOR
            samples = bootstrap_fit(votes, model, rounds=rounds, rng=rng, prior=prior, on_progress=report)
        strengths = samples[:, :n]
        # In each round the level is that of the models' shares of all votes; who is missing stands where they are.
        level = np.where(np.isnan(strengths), fitted.strengths, strengths) @ self._gauge
        scores = to_score(strengths - level[:, np.newaxis], mean=MEAN_SCORE)
        more = percentile_intervals(samples[:, n:], confidence=plan.confidence) if samples.shape[1] > n else ()
        return Estimate(
            name=fitted.likelihood.name,
            scores=self._to_scores(fitted.strengths),
            intervals=percentile_intervals(scores, confidence=plan.confidence),
            samples=scores,
            assumption=words,
            coefficients=self._coefficients(more),
        )

    @property
    def _votes_in_one(self) -> Comparisons:
        if not isinstance(self._votes, Comparisons):
            raise BadInput(_ONE_BY_ONE)
        return self._votes

    def _to_scores(self, strengths: Floats) -> Floats:
        return to_score(strengths - self._gauge @ strengths, mean=MEAN_SCORE)

    def _assumption(self, what: str, n_units: int) -> str:
        if self._unit is Unit.NONE:
            return f"{what}, every vote on its own"
        n_untold = needed(self._rows, "clusters").n_without(self._unit)
        untold = f"; votes without one: {n_untold:,}" if n_untold else ""
        return f"{what}, clustered by {self._unit.value} ({max(n_units - n_untold, 0):,}{untold})"

    def _coefficients(self, found: Found) -> tuple[Coefficient, ...]:
        fitted, plan = self._fit, self._plan
        named = [
            *((name, "logits per standard deviation of its normalised difference") for name in self.kept_style),
            *([("order", "logits that standing on side A is worth")] if plan.order else []),
            *((name, _EXTRA_MEANINGS[name]) for name in fitted.likelihood.extras),
        ]
        values = fitted.parameters[self._core.n_items :]
        absent = Absent("these intervals do not tell")
        rows = []
        for place, (name, meaning) in enumerate(named):
            each = found[place] if place < len(found) else absent
            low, high = (None, None) if isinstance(each, Absent) else (round(each.low, 6), round(each.high, 6))
            reason = each.reason if isinstance(each, Absent) else None
            rows.append(Coefficient(name, round(float(values[place]), 6), low, high, meaning, reason))
        return tuple(rows)

    @property
    def kept_style(self) -> Sequence[str]:
        """The features of style that vary."""
        return self._style.names if self._style is not None else ()

    def _one_by_one(self) -> Iterable[Comparisons]:
        source = needed(self._rows, "clusters, style and weights by voter")
        items = {name: item for item, name in enumerate(self._names)}
        unit = Unit.VOTER if self._plan.weights is Weights.VOTERS else self._unit
        is_fixed = self._plan.intervals is not Intervals.SANDWICH
        is_weighted = self._plan.weights is Weights.COLUMN
        rows: Iterable[Rows] = Read(source, items, unit, self._plan.style, is_weighted, is_fixed)
        if self._plan.style:
            # Gone through more than once, and reading takes longer: held in memory, some eighty bytes a vote.
            rows = [piece.by_unit() for piece in rows]
            self._style = Style.measured(rows, self._plan)
        pieces = Pieces(rows, items, self._plan, self._style, self._pair_weights)
        is_held = self._weighs_one_by_one if self._style is None else self._core.n_comparisons <= _MOST_HELD
        return list(pieces) if is_held else pieces


def _named(error: NotDetermined, names: Sequence[ModelId], features: Sequence[str]) -> NotDetermined:
    """The same with the names of models and features for their numbers."""
    if error.items:
        return NotDetermined(f"the score of {', '.join(names[item] for item in error.items)}", error.why)
    if error.covariate is not None:
        return NotDetermined(f"the effect of {[*features, 'order'][error.covariate]}", error.why)
    return error


def _in_points(found: Found) -> Found:
    return [
        each
        if isinstance(each, Absent)
        else Interval(
            to_score(each.low, mean=MEAN_SCORE), to_score(each.high, mean=MEAN_SCORE), confidence=each.confidence
        )
        for each in found
    ]


def _elo(
    core: Comparisons, names: Sequence[ModelId], plan: Plan, rows: VoteRows, on_progress: OnProgress | None
) -> Estimate:
    items = {name: item for item, name in enumerate(names)}
    rng = np.random.default_rng(plan.seed)
    votes = joined([counting(piece.shuffled(rng), plan) for piece in rows.rows(items, in_order=True)])
    n_alike = votes.n_at_one_time
    # Held by nobody else from here on: of some million votes each column is some dozen megabytes.
    a, b, outcome = votes.model_a, votes.model_b, votes.verdict
    del votes
    scores = online_elo(core.n_items, a, b, outcome, k=plan.k, initial=MEAN_SCORE)
    samples = bootstrap_elo(
        core.n_items, a, b, outcome, rounds=plan.rounds, rng=rng, k=plan.k, initial=MEAN_SCORE, on_progress=on_progress
    )
    by_chance = (
        [f"{n_alike:,} votes have a time that others have too: their order among themselves is drawn by chance"]
        if n_alike
        else []
    )
    return Estimate(
        name="elo",
        scores=scores,
        intervals=percentile_intervals(samples, confidence=plan.confidence),
        samples=samples,
        assumption="bootstrap, votes drawn again and played in their order",
        notes=("online Elo depends on the order of the votes and follows the latest ones most", *by_chance),
    )


def _win_rate(core: Comparisons, plan: Plan) -> Estimate:
    found = win_rates(core, confidence=plan.confidence)
    rates = np.array([np.nan if isinstance(each.rate, Absent) else each.rate for each in found])
    rng = np.random.default_rng(plan.seed)
    # A vote that one of a pair wins the other loses: each pair's chance moves both, against each other.
    games = core.games
    spread = np.sqrt(_variances(core, rates)[core.first] * _variances(core, rates)[core.second])
    chances = rng.standard_normal((_N_DRAWS, core.n_cells)) * np.sqrt(spread * core.cell_counts)
    moved = np.zeros((_N_DRAWS, core.n_items))
    for cell, (first, second) in enumerate(zip(core.first.tolist(), core.second.tolist(), strict=True)):
        moved[:, first] += chances[:, cell] / games[first]
        moved[:, second] -= chances[:, cell] / games[second]
    return Estimate(
        name="win-rate",
        scores=100 * rates,
        intervals=[
            each.interval
            if isinstance(each.interval, Absent)
            else Interval(100 * each.interval.low, 100 * each.interval.high, plan.confidence)
            for each in found
        ],
        samples=100 * (rates + moved),
        assumption="Wilson's score interval, every vote on its own",
        notes=("a win rate depends on whom a model has met",),
    )


def _variances(core: Comparisons, rates: Floats) -> Floats:
    """Of one result of each model, a tie as half a win; shape (n_models,)."""
    wins = np.bincount(core.first, core.wins_first, core.n_items)
    wins = wins + np.bincount(core.second, core.wins_second, core.n_items)
    ties = np.bincount(core.first, core.ties, core.n_items) + np.bincount(core.second, core.ties, core.n_items)
    return np.maximum((wins + ties / 4) / np.maximum(core.games, 1.0) - rates**2, 0.0)


def _pair_weights(core: Comparisons) -> Floats:
    """1 / max(votes of the pair, 50), scaled so that the mean over votes is 1; (n_models, n_models)."""
    counts = np.zeros((core.n_items, core.n_items))
    counts[core.first, core.second] = counts[core.second, core.first] = core.cell_counts
    weights = 1.0 / np.maximum(counts, _PAIR_FLOOR)
    return weights * (counts.sum() / (counts * weights).sum())


def _ratio(covariance: Covariance, other: Covariance) -> Floats:
    ours, theirs = np.diagonal(covariance.matrix), np.diagonal(other.matrix)
    return np.where(theirs > 0, ours / np.where(theirs > 0, theirs, 1.0), np.nan)


_EXTRA_MEANINGS = {
    "log_nu": "how likely ties are: P(tie) = nu / (2 + nu) between equals",
    "eta": "how likely ties are: P(tie) = tanh(eta / 2) between equals",
    "log_theta_1": "how likely ties are: log(theta - 1) of the grounded model",
}
