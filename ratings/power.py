"""How many more votes it would take to tell two items apart."""

import math
from statistics import NormalDist

from ratings.errors import InvalidSetting
from ratings.interval import Absent, check_confidence

_MOST_VOTES = 10**9
"""More than anybody will collect; a larger number would only pretend to say something."""


def votes_needed(
    difference: float, standard_error: float, n_votes: float, *, confidence: float = 0.95, power: float = 0.8
) -> int | Absent:
    """About how many votes, on top of the n_votes behind it now, would make the difference certain; 0 if none.

    `difference` of two strengths and its present `standard_error` are natural log-odds; `n_votes` are those that bear
    on it, and further ones are taken to bear on it alike: then the standard error shrinks with the square root of their
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
