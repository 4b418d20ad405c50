"""How many more votes it would take to tell two items apart, and what votes are worth for that."""

import math
from statistics import NormalDist

import numpy as np

from ratings.comparisons import Comparisons
from ratings.errors import InvalidSetting
from ratings.fit import Fit, information
from ratings.interval import Absent, check_confidence
from ratings.likelihood import BradleyTerry
from ratings.logistic import expit

_MOST_VOTES = 10**9
"""More than anybody will collect; a larger number would only pretend to say something."""


POWER = 0.8
"""The chance with which `votes_needed` votes are to show a difference, where nobody chooses another."""


def worth_in_direct_votes(comparisons: Comparisons, fit: Fit, item: int, other: int) -> float:
    """How many votes on just these two items would tell as much of their difference as all votes together do.

    A vote on the two tells p (1 - p), with p the chance that `item` wins; all votes tell 1 / (e' H^-1 e), with H their
    information and e the contrast of the two. It is what `votes_needed` takes as n_votes to answer in direct votes. How
    ties and voters spread the results is in neither: it is taken to be the same for both.

    `fit` is that of these comparisons under Bradley-Terry, in which the two are linked. Raises InvalidSetting for
    unknown items, twice the same, or a fit of another model or with covariates.
    """
    if not isinstance(fit.likelihood, BradleyTerry) or len(fit.coefficients):
        name = fit.likelihood.name + (" with covariates" if len(fit.coefficients) else "")
        raise InvalidSetting("model of the fit", name, f"{BradleyTerry.name} without covariates")
    n_items = len(fit.strengths)
    for name, value in (("item", item), ("other", other)):
        _refuse_unless(0 <= value < n_items, name, value, f"the items 0 to {n_items - 1}")
    _refuse_unless(item != other, "other", other, "another item")
    matrix = information(comparisons, fit)
    if not fit.prior:
        matrix += 1.0  # the common level, which no comparison tells
    contrast = np.zeros(n_items)
    contrast[item], contrast[other] = 1.0, -1.0
    gap = float(fit.strengths[item] - fit.strengths[other])
    told_by_one = float(expit(np.array(gap)) * expit(np.array(-gap)))
    return 1 / (told_by_one * float(contrast @ np.linalg.solve(matrix, contrast)))


def votes_needed(
    difference: float, standard_error: float, n_votes: float, *, confidence: float = 0.95, power: float = POWER
) -> int | Absent:
    """About how many votes, on top of the n_votes behind it now, would make the difference certain; 0 if none.

    `difference` of two strengths and its present `standard_error` are natural log-odds; `n_votes` are those that bear
    on it, and further ones are taken to bear on it alike (for an answer in votes on just the two, see
    `worth_in_direct_votes`): then the standard error shrinks with the square root of their
    number, and with n votes in all an interval of the given confidence leaves out 0 with chance `power` once

        |difference| >= (z_confidence + z_power) * standard_error * sqrt(n_votes / n).

    "About", as the true difference is taken to be the one seen, and a share of error in it counts about double: a
    difference a tenth too large gives about a fifth too few votes. It is for one look at the end; `decision.decide`,
    which may be asked after every vote, needs about twice as many for the same power, though in half of all cases
    hardly more.

    Absent, with the reason, if the difference is 0, or so small that more than a billion votes would be needed. Raises
    InvalidSetting for a confidence or power outside (0, 1), a difference that is not finite, a standard error
    or number of votes that is not finite and above 0.
    """
    check_confidence(confidence)
    _refuse_unless(0 < power < 1, "power", power, "a share between 0 and 1, such as 0.8")
    _refuse_unless(math.isfinite(difference), "difference", difference, "finite log-odds")
    for name, value in (("standard_error", standard_error), ("n_votes", n_votes)):
        _refuse_unless(math.isfinite(value) and value > 0, name, value, "a finite number above 0")
    if difference == 0:
        return Absent("the two are exactly equal so far: no number of votes can be named")
    deviations = NormalDist().inv_cdf((1 + confidence) / 2) + NormalDist().inv_cdf(power)
    # With very little power the deviations asked for fall below 0, and that is reached already.
    shortfall = max(deviations, 0.0) * standard_error / abs(difference)
    if shortfall > math.sqrt(_MOST_VOTES / n_votes):
        return Absent(f"the difference is too small: it would take more than {_MOST_VOTES:,} votes")
    return max(0, math.ceil(n_votes * shortfall**2 - n_votes))


def _refuse_unless(accepted: bool, name: str, value: object, what: str) -> None:
    if not accepted:
        raise InvalidSetting(name, value, what)
