"""The strengths, coefficients and extras under which the comparisons were most likely."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons
from ratings.connectivity import grounded_group, rateable_groups, ties_run_away
from ratings.design import Design
from ratings.errors import DidNotConverge, InvalidComparisons, InvalidSetting, NotConnected, NotDetermined
from ratings.likelihood import BradleyTerry, Likelihood
from ratings.linear import is_positive_definite, solve_positive_definite
from ratings.threads import mapped

Floats = NDArray[np.float64]

Batches = Comparisons | Iterable[Comparisons]
"""Comparisons between the same items in one piece, or in pieces that can be gone through again and again."""

_ITEMS_SHOWN = 10

Result = TypeVar("Result")

MAX_STEPS = 200
"""Ordinary data take 5 to 10 steps, a chain of 100 items with strengths 680 logits apart takes 160."""

TOLERANCE = 1e-8
"""Logits. The first step that is no longer is the last."""

_NOTHING_OF_ITS_OWN = 1e-10
"""A covariate with a smaller share of its information to itself cannot be told from the other parameters."""

_FURTHEST_EXTRA = 30.0
"""Beyond, ties are certain or impossible up to 1e-13: there is no top, the slope has only sunk into rounding."""


@dataclass(frozen=True, eq=False)
class Penalty:
    """What pulls parameters towards known values: -1/2 * sum of precision * (parameter - centre)^2, in nats.

    The scale is that of the summed log-likelihood: a precision of 1 weighs as much as a normal prior of standard
    deviation 1, however many comparisons there are.
    """

    precision: Floats
    """>= 0, one a parameter; 0 pulls nowhere."""
    centre: Floats


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates, and how they came about."""

    strengths: Floats = field(repr=False)
    """Natural log-odds, shape (n_items,). With mean 0, unless the model fixes an absolute level."""
    games: Floats = field(repr=False)
    """Comparisons in which each item took part, shape (n_items,)."""
    prior: float
    """Precision of the prior on each strength; 0 for maximum likelihood."""
    n_steps: int
    """Newton steps taken."""
    information: Floats = field(repr=False)
    """Minus the second derivatives of the penalised log-likelihood, (n_parameters, n_parameters), before the last step,
    which was no longer than the tolerance."""
    likelihood: Likelihood = field(default_factory=BradleyTerry)
    coefficients: Floats = field(default_factory=lambda: np.empty(0))
    """Logits per unit of each covariate, shape (n_covariates,)."""
    extras: Floats = field(default_factory=lambda: np.empty(0))
    """The model's own parameters, named by `likelihood.extras`."""
    penalty: Penalty | None = field(default=None, repr=False)

    @property
    def n_comparisons(self) -> float:
        """Comparisons that were used."""
        return float(self.games.sum()) / 2

    @property
    def parameters(self) -> Floats:
        """Strengths, coefficients and extras in one array."""
        return np.concatenate((self.strengths, self.coefficients, self.extras))

    def design(self, comparisons: Comparisons) -> Design:
        """How these parameters enter comparisons between the same items."""
        return Design(comparisons, self.likelihood.is_difference, len(self.likelihood.extras))


def fit(
    batches: Batches,
    likelihood: Likelihood | None = None,
    *,
    prior: float = 0.0,
    towards: Floats | None = None,
    ridge: float = 0.0,
    start: Floats | None = None,
    max_steps: int = MAX_STEPS,
    tolerance: float = TOLERANCE,
    whole: Comparisons | None = None,
) -> Fit:
    """Estimate all parameters of a model (Bradley-Terry if none is given) by maximum likelihood.

    With `prior` > 0 strengths have independent N(centre, 1 / prior) priors, centred on 0 or on `towards`, shape
    (n_items,). With `ridge` > 0 coefficients have N(0, 1 / ridge) priors. `start` holds parameters to start from,
    ordered as in `Fit.parameters`; from the estimate of nearly the same comparisons it takes two or three steps.

    `whole` may give the same comparisons as `summed` would, where these are at hand, which spares going through all.

    `tolerance` is in logits: the first Newton step that moves no parameter further than this is taken and is the last,
    which leaves an error of about its square.

    Raises NotConnected if without prior the comparisons leave the strengths undetermined, NotDetermined if they leave
    an extra or (without ridge) a coefficient undetermined, DidNotConverge if the steps run out (as when a covariate
    separates wins from losses), InvalidComparisons for covariates in a model without differences, InvalidSetting for a
    prior or ridge that is negative or not finite, and for `towards` or `start` of another shape or not finite.
    """
    model = likelihood or BradleyTerry()
    for name, value in (("prior", prior), ("ridge", ridge)):
        if not (np.isfinite(value) and value >= 0):
            raise InvalidSetting(name, value, "a precision of 0 or more, finite")
    _refuse_iterator(batches)
    whole = summed(batches) if whole is None else whole
    if prior == 0 and model.is_difference and len(groups := rateable_groups(whole)) > 1:
        raise NotConnected(groups)
    if prior == 0 and not model.is_difference:
        _refuse_ungrounded(whole)
    n_items, n_covariates = whole.n_items, _n_covariates(batches)
    if n_covariates and not model.is_difference:
        raise InvalidComparisons("number of covariates", n_covariates, f"none with the model {model.name}")
    level, extras = model.start(whole.counts.sum(axis=1))
    if prior == 0 and model.is_difference and len(model.extras) and ties_run_away(whole):
        raise NotDetermined(
            "how likely a tie is", "strengths that lie ever further apart, with ever likelier ties, fit ever better"
        )
    if start is None and n_covariates:
        # Without covariates there are but a few cells, and most of the way is covered in no time.
        start = fit(whole, model, prior=prior, towards=towards, max_steps=max_steps).parameters
        start = np.concatenate((start[:n_items], np.zeros(n_covariates), start[n_items:]))
    elif start is None:
        start = np.concatenate((np.full(n_items, level), extras))
    _refuse_unless_numbers("start", start, n_items + n_covariates + len(extras))
    if towards is not None:
        _refuse_unless_numbers("towards", towards, n_items)
    precision, centre = np.zeros(len(start)), np.zeros(len(start))
    precision[:n_items], precision[n_items : n_items + n_covariates] = prior, ridge
    centre[:n_items] = (0.0 if model.is_difference else level) if towards is None else towards
    penalty = Penalty(precision, centre)
    parameters, information, n_steps = _climb(batches, model, start, penalty, max_steps=max_steps, tolerance=tolerance)
    for name, extra in zip(model.extras, parameters[n_items + n_covariates :].tolist(), strict=True):
        if abs(extra) > _FURTHEST_EXTRA:
            raise NotDetermined(name, "the comparisons are the more likely the further it goes")
    if model.is_difference and prior == 0:
        parameters[:n_items] -= parameters[:n_items].sum() / max(n_items, 1)
    return Fit(
        strengths=parameters[:n_items],
        games=whole.games,
        prior=prior,
        n_steps=n_steps,
        information=information,
        likelihood=model,
        coefficients=parameters[n_items : n_items + n_covariates],
        extras=parameters[n_items + n_covariates :],
        penalty=penalty,
    )


def fit_bradley_terry(
    comparisons: Comparisons, *, prior: float = 0.0, max_steps: int = MAX_STEPS, tolerance: float = TOLERANCE
) -> Fit:
    """Maximum-likelihood strengths of the Bradley-Terry model.

    Strengths are natural log-odds, centred on 0, one per item, shape (n_items,). A tie counts as two half-wins.
    With prior > 0 this is the MAP estimate under independent N(0, 1 / prior) strengths, which exists for any data; but
    where comparisons do not link two groups of items, the distance between these comes from the prior alone.

    Raises as `fit`. Likelihood and the conditions for its maximum: Hunter (2004), doi:10.1214/aos/1079120141.
    """
    return fit(comparisons, BradleyTerry(), prior=prior, max_steps=max_steps, tolerance=tolerance)


def pieces(batches: Batches) -> Iterable[Comparisons]:
    """The batches, also if there is but one."""
    return (batches,) if isinstance(batches, Comparisons) else batches


def summed(batches: Batches) -> Comparisons:
    """All comparisons with one cell a pair, without weights, covariates and clusters.

    Raises InvalidComparisons if there is no batch or if they are not between the same items, InvalidSetting if they can
    be gone through once only.
    """
    _refuse_iterator(batches)
    if isinstance(batches, Comparisons) and batches.covariates is batches.clusters is batches.weights is None:
        return batches
    total, n_items = None, 0
    for batch in pieces(batches):
        if total is None:
            n_items = batch.n_items
            total = np.zeros((4, n_items * n_items))
        if batch.n_items != n_items:
            raise InvalidComparisons("n_items of a batch", batch.n_items, f"{n_items}, as in the first one")
        pair = batch.first * n_items + batch.second
        total += [np.bincount(pair, weights=counts, minlength=n_items**2) for counts in batch.counts]
    if total is None:
        raise InvalidComparisons("number of batches", 0, "1 or more")
    met = np.flatnonzero(total.sum(axis=0))
    return Comparisons(n_items, met // max(n_items, 1), met % max(n_items, 1), *total[:, met])


def _refuse_iterator(batches: Batches) -> None:
    if not isinstance(batches, Comparisons) and iter(batches) is batches:
        raise InvalidSetting("batches", type(batches).__name__, "a collection that can be gone through again and again")


def information(batches: Batches, fit: Fit) -> Floats:
    """Minus the second derivatives of the penalised log-likelihood of any comparisons between the same items, at the
    estimate, (n_parameters, n_parameters)."""
    _, matrix = _derivatives(batches, fit.likelihood, fit.parameters)
    return matrix if fit.penalty is None else matrix + np.diag(fit.penalty.precision)


def log_likelihood(batches: Batches, fit: Fit) -> float:
    """Of comparisons at the estimate, in nats, each times its weight, without prior and penalty."""
    return _log_likelihood(batches, fit.likelihood, fit.parameters)


def _refuse_unless_numbers(name: str, values: Floats, n: int) -> None:
    if np.shape(values) != (n,):
        raise InvalidSetting(f"shape of {name}", np.shape(values), f"({n},)")
    if not np.isfinite(values).all():
        raise InvalidSetting(name, values[~np.isfinite(values)][0].item(), "finite numbers")


def _refuse_ungrounded(whole: Comparisons) -> None:
    outside = sorted(set(np.flatnonzero(whole.games).tolist()) - set(grounded_group(whole)))
    if outside and whole.both_bad is not None and whole.both_bad.any():
        named = ", ".join(map(str, outside[:_ITEMS_SHOWN])) + (", ..." if len(outside) > _ITEMS_SHOWN else "")
        why = "no chain of wins, ties and both-bad verdicts leads both to and from the level of use; leave them out, or"
        raise NotDetermined(f"the strength of the items {named}", f"{why} use a prior", items=outside)


def _n_covariates(batches: Batches) -> int:
    for batch in pieces(batches):
        return 0 if batch.covariates is None else batch.covariates.shape[1]
    return 0


def _derivatives(batches: Batches, model: Likelihood, parameters: Floats) -> tuple[Floats, Floats]:
    """The gradient of the log-likelihood, and minus its second derivatives."""
    gradient, matrix = np.zeros(len(parameters)), np.zeros((len(parameters), len(parameters)))
    for slope, information in of_each(lambda batch: _derivatives_of(batch, model, parameters), batches):
        gradient += slope
        matrix += information
    return gradient, matrix


def _derivatives_of(batch: Comparisons, model: Likelihood, parameters: Floats) -> tuple[Floats, Floats]:
    design = Design(batch, model.is_difference, len(model.extras))
    predictors, counts = design.predictors(parameters), weighted_counts(batch)
    slopes, curvature = model.derivatives(predictors, counts)
    return design.pull(slopes), design.information(curvature)


def _log_likelihood(batches: Batches, model: Likelihood, parameters: Floats) -> float:
    def of(batch: Comparisons) -> float:
        predictors = Design(batch, model.is_difference, len(model.extras)).predictors(parameters)
        counts = weighted_counts(batch)
        # Outcomes that a model does not know have no count and log probability -inf: they add nothing.
        return float((counts * np.where(counts > 0, model.log_probabilities(predictors), 0.0)).sum())

    return sum(of_each(of, batches))


def weighted_counts(batch: Comparisons) -> Floats:
    """The four counts times the weights, shape (4, n_cells)."""
    return batch.counts if batch.weights is None else batch.counts * batch.weights


def of_each(of: Callable[[Comparisons], Result], batches: Batches) -> Iterator[Result]:
    """A function of each batch, in their order."""
    return map(of, pieces(batches)) if isinstance(batches, Comparisons) else mapped(of, batches)


def _climb(
    batches: Batches, model: Likelihood, start: Floats, penalty: Penalty, *, max_steps: int, tolerance: float
) -> tuple[Floats, Floats, int]:
    """Parameters at the top, the information at most a tolerance away from it, and the steps taken.

    A Newton step may change log-odds by more than the quadratic picture holds; a fraction log(1 + reach) / reach of it,
    with reach the largest change for anybody who met, climbs in logistic models (Bach 2010, doi:10.1214/09-EJS521). In
    models with parameters of their own, a step after which the value has fallen is halved until it has not.
    """

    def height(parameters: Floats) -> float:
        pulled = float((penalty.precision * (parameters - penalty.centre) ** 2).sum()) / 2
        return _log_likelihood(batches, model, parameters) - pulled

    n_items = len(start) - len(model.extras) - _n_covariates(batches)
    n_free = n_items if model.is_difference and not penalty.precision[:n_items].any() else 0
    parameters, slope = start.copy(), start
    for n_step in range(1, max_steps + 1):
        gradient, matrix = _derivatives(batches, model, parameters)
        slope = gradient - penalty.precision * (parameters - penalty.centre)
        if not model.is_difference and not is_positive_definite(matrix + np.diag(penalty.precision)):
            matrix = _expected_information(batches, model, parameters)
        if n_step == 1:
            _refuse_undetermined(matrix + np.diag(penalty.precision), n_items, n_free=n_free, extras=model.extras)
        step = _newton_step(matrix, slope, penalty, n_free=n_free)
        size = float(np.abs(step).max(initial=0.0))
        reach = _reach(batches, model, step) if size > 0.25 else 1.0
        step *= np.log1p(reach) / reach if reach > 1.0 else 1.0
        if model.extras and size > tolerance:
            before = height(parameters)
            while height(parameters + step) < before - 1e-10 * (1 + abs(before)) and np.abs(step).max() > tolerance:
                step /= 2
        parameters += step
        if size <= tolerance:
            return parameters, matrix + np.diag(penalty.precision), n_step
    raise DidNotConverge(max_steps, float(np.abs(slope).max(initial=0.0)))


def _refuse_undetermined(matrix: Floats, n_items: int, *, n_free: int, extras: tuple[str, ...]) -> None:
    """Raise NotDetermined for the first parameter about which the comparisons say nothing of its own."""
    diagonal = np.diagonal(matrix)
    n_covariates = len(diagonal) - n_items - len(extras)
    names = [f"the strength of item {item}" for item in range(n_items)]
    names += [f"the coefficient of covariate {k}" for k in range(n_covariates)] + list(extras)
    for place, (name, own) in enumerate(zip(names, diagonal, strict=True)):
        if own <= 0 and n_items - n_free + n_covariates:
            covariate = place - n_items if 0 <= place - n_items < n_covariates else None
            items = (place,) if place < n_items else ()
            raise NotDetermined(name, "no comparison depends on it", items=items, covariate=covariate)
    if not n_covariates:
        return
    strengths, rest = slice(0, n_items), slice(n_items, n_items + n_covariates)
    level = matrix[strengths, strengths] + (1.0 if n_free else 0.0)
    across = matrix[strengths, rest]
    known = solve_positive_definite(np.broadcast_to(level, (n_covariates, *level.shape)), across.T).T
    # What is left of each covariate's information when strengths, and the covariates before it, are as they like.
    left = matrix[rest, rest] - across.T @ known
    for k in range(n_covariates):
        if left[k, k] <= _NOTHING_OF_ITS_OWN * diagonal[n_items + k]:
            why = "it is a sum of differences between items and of other covariates"
            raise NotDetermined(names[n_items + k], why, covariate=k)
        left[k + 1 :, k + 1 :] -= np.outer(left[k + 1 :, k], left[k, k + 1 :]) / left[k, k]


def _newton_step(matrix: Floats, slope: Floats, penalty: Penalty, *, n_free: int) -> Floats:
    """The step; of the first `n_free` parameters only differences are determined, and their sum stays."""
    matrix = matrix + np.diag(penalty.precision)
    matrix[:n_free, :n_free] += 1.0
    return solve_positive_definite(matrix[np.newaxis], slope[np.newaxis])[0]


def _expected_information(batches: Batches, model: Likelihood, parameters: Floats) -> Floats:
    """The information before the outcomes are known, which is never negative (Fisher's scoring)."""

    def of(batch: Comparisons) -> Floats:
        design = Design(batch, model.is_difference, len(model.extras))
        predictors = design.predictors(parameters)
        slopes, weights = model.slopes(predictors), np.exp(model.log_probabilities(predictors)) * batch.cell_counts
        weights = weights if batch.weights is None else weights * batch.weights
        return design.information(np.einsum("oin,ojn,on->ijn", slopes, slopes, weights))

    return sum(of_each(of, batches), np.zeros((len(parameters), len(parameters))))


def _reach(batches: Batches, model: Likelihood, step: Floats) -> float:
    """The largest change of the predictors of any row."""

    def of(batch: Comparisons) -> float:
        changes = Design(batch, model.is_difference, len(model.extras)).predictors(step)
        return float(np.abs(changes).sum(axis=0).max(initial=0.0))

    return max(of_each(of, batches), default=0.0)
