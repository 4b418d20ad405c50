"""How likely an outcome is, given the strengths: Bradley-Terry, and three models in which ties are outcomes.

Every model speaks of one row of comparisons through its *predictors*: d, the difference in strength of first and second
(with covariates added), or both strengths a and b; then its own parameters, named by `extras`. It gives log
probabilities, their slopes and their curvature over the predictors, and knows nothing of items.

    model               P(first wins)               P(tie)                                P(both bad)
    BradleyTerry        s(d)                        half a win for each                   -
    Davidson            e^(d/2) / Z                 nu / Z, Z = e^(d/2) + nu + e^(-d/2)   -
    RaoKupper           s(d - eta)                  (e^(2 eta) - 1) s(d - eta) s(-d-eta)  -
    GroundedRaoKupper   A / (A + theta B + 1)       the rest                              1 / (1 + A + B)

with s the logistic function, A = e^a, B = e^b, nu > 0, eta > 0, theta > 1.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Outcome
from ratings.errors import NotDetermined
from ratings.logistic import expit, log_expit

Floats = NDArray[np.float64]

_A, _B, _TIE, _BOTH_BAD = Outcome
_N_OUTCOMES = len(Outcome)


class Likelihood(Protocol):
    """A model of outcomes. Arrays over outcomes are in the order of `Outcome`; n is the number of rows."""

    name: ClassVar[str]
    extras: ClassVar[tuple[str, ...]]
    """Its own parameters, the last predictors."""
    is_difference: ClassVar[bool]
    """Whether only differences of strengths matter; then there is one predictor for them, otherwise two."""

    def start(self, counts: Floats) -> tuple[float, Floats]:
        """Where to begin: the level of the strengths, and the extras. `counts` adds up all outcomes, shape (4,).

        Raises NotDetermined where these outcomes leave an extra or the level without a finite value, and where the
        model has no place for one of them.
        """
        ...

    def log_probabilities(self, predictors: Floats) -> Floats:
        """Of each outcome, shape (4, n); -inf for those that the model does not know."""
        ...

    def slopes(self, predictors: Floats) -> Floats:
        """Derivatives of the log probabilities over the predictors, shape (4, n_predictors, n)."""
        ...

    def derivatives(self, predictors: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """Added up over `counts` (4, n): the slopes, shape (n_predictors, n), and the curvature, which is minus the
        second derivatives, shape (n_predictors, n_predictors, n)."""
        ...


@dataclass(frozen=True)
class BradleyTerry:
    """Two outcomes; a tie is half a win for each, which makes its log probability the mean of the two.

    With ties this is a quasi-likelihood: right in the mean, not in the variance, so intervals need the sandwich.
    Source: Bradley and Terry (1952), doi:10.1093/biomet/39.3-4.324.
    """

    name: ClassVar[str] = "bradley-terry"
    extras: ClassVar[tuple[str, ...]] = ()
    is_difference: ClassVar[bool] = True

    def start(self, counts: Floats) -> tuple[float, Floats]:
        """Equal strengths."""
        _refuse_both_bad(self.name, counts)
        return 0.0, np.empty(0)

    def log_probabilities(self, predictors: Floats) -> Floats:
        """The one of a tie is (log P(win) + log P(loss)) / 2: a convention, not a probability."""
        win, loss = log_expit(predictors[0]), log_expit(-predictors[0])
        return np.stack((win, loss, (win + loss) / 2, np.full_like(win, -np.inf)))

    def slopes(self, predictors: Floats) -> Floats:
        """Of a win 1 - p, of a loss -p, of a tie 1/2 - p."""
        p, q = expit(predictors[0]), expit(-predictors[0])
        return np.stack((q, -p, (q - p) / 2, np.zeros_like(p)))[:, np.newaxis]

    def derivatives(self, predictors: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """p (1 - p) a comparison is the curvature. The slope is a sum of counts times chances, not "wins minus expected
        wins": at a million wins to one that difference would lose the digits which count."""
        half = counts[_TIE] / 2
        won, lost = counts[_A] + half, counts[_B] + half
        p, q = expit(predictors[0]), expit(-predictors[0])
        return (won * q - lost * p)[np.newaxis], ((won + lost) * p * q)[np.newaxis, np.newaxis]


@dataclass(frozen=True)
class Davidson:
    """Ties are most likely between equals, and `log_nu` says how likely: P(tie) = nu / (2 + nu) there.

    Source: Davidson (1970), doi:10.1080/01621459.1970.10481082.
    """

    name: ClassVar[str] = "davidson"
    extras: ClassVar[tuple[str, ...]] = ("log_nu",)
    is_difference: ClassVar[bool] = True

    def start(self, counts: Floats) -> tuple[float, Floats]:
        """nu from the share of ties, as if all were equals."""
        share = _tie_share(self.name, counts)
        return 0.0, np.array([np.log(2 * share / (1 - share))])

    def log_probabilities(self, predictors: Floats) -> Floats:
        """A softmax of d/2, -d/2 and log nu."""
        d, log_nu = predictors
        logits = np.stack((d / 2, -d / 2, log_nu))
        # Each relative to itself: near 0 that keeps the digits which a common denominator would lose.
        known = [-np.logaddexp.reduce(logits - own) for own in logits]
        return np.stack((*known, np.full(len(d), -np.inf)))

    def slopes(self, predictors: Floats) -> Floats:
        """Features minus their mean."""
        win, loss, tie, _ = np.exp(self.log_probabilities(predictors))
        slopes = np.zeros((_N_OUTCOMES, 2, len(win)))
        # Sums of what did not happen, where 1/2 - mean would lose the digits that count.
        slopes[_A, 0], slopes[_B, 0], slopes[_TIE, 0] = loss + tie / 2, -win - tie / 2, (loss - win) / 2
        slopes[_A, 1] = slopes[_B, 1] = -tie
        slopes[_TIE, 1] = win + loss
        return slopes

    def derivatives(self, predictors: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """The curvature is the covariance of the features."""
        win, loss, tie, _ = np.exp(self.log_probabilities(predictors))
        across = (loss - win) / 2 * tie
        each = np.array([[win * loss + tie * (win + loss) / 4, across], [across, tie * (win + loss)]])
        return _summed(self.slopes(predictors), counts), each * counts.sum(axis=0)


@dataclass(frozen=True)
class RaoKupper:
    """Differences below a threshold `eta` (in logits, after noise) are ties: P(tie) = tanh(eta / 2) between equals.

    Source: Rao and Kupper (1967), doi:10.1080/01621459.1967.10482901.
    """

    name: ClassVar[str] = "rao-kupper"
    extras: ClassVar[tuple[str, ...]] = ("eta",)
    is_difference: ClassVar[bool] = True

    def start(self, counts: Floats) -> tuple[float, Floats]:
        """eta from the share of ties, as if all were equals."""
        return 0.0, np.array([2 * np.arctanh(_tie_share(self.name, counts))])

    def log_probabilities(self, predictors: Floats) -> Floats:
        """-inf everywhere if eta is not above 0."""
        d, eta = predictors
        win, loss = log_expit(d - eta), log_expit(-d - eta)
        with np.errstate(divide="ignore", invalid="ignore"):
            others = (2 * np.exp(-2 * eta) + np.exp(d - eta) + np.exp(-d - eta)) / -np.expm1(-2 * eta)
            tie = np.where(eta > 0, -np.log1p(others), -np.inf)
        return np.stack((win, loss, tie, np.full_like(win, -np.inf)))

    def slopes(self, predictors: Floats) -> Floats:
        """A tie's slopes are those of a win and a loss together, and what the threshold adds."""
        d, eta = predictors
        win, loss, not_win, not_loss = expit(d - eta), expit(-d - eta), expit(eta - d), expit(eta + d)
        slopes = np.zeros((_N_OUTCOMES, 2, len(d)))
        slopes[_A] = not_win, -not_win
        slopes[_B] = -not_loss, -not_loss
        slopes[_TIE] = loss - win, -2 * np.exp(-2 * eta) / np.expm1(-2 * eta) + win + loss
        return slopes

    def derivatives(self, predictors: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """The curvature is that of two logistic functions, and 1 / sinh(eta)^2 a tie."""
        d, eta = predictors
        of_win = expit(d - eta) * expit(eta - d) * (counts[_A] + counts[_TIE])
        of_loss = expit(d + eta) * expit(-d - eta) * (counts[_B] + counts[_TIE])
        across, total = of_loss - of_win, of_win + of_loss
        of_threshold = 4 * np.exp(-2 * eta) / np.expm1(-2 * eta) ** 2  # 1 / sinh(eta)^2
        curvature = np.array([[total, across], [across, total + counts[_TIE] * of_threshold]])
        return _summed(self.slopes(predictors), counts), curvature


@dataclass(frozen=True)
class GroundedRaoKupper:
    """Rao and Kupper's model with a third, silent contender of strength 0 that both must beat to be of use.

    Both-bad verdicts thereby fix the strengths absolutely: 0 is as good as unusable, P(both bad) = 1/3 between two of
    strength 0. `log_theta_1` is log(theta - 1), theta as in the table above. Source: the "bag" model of Frick et al.
    (2025), "Prompt-to-Leaderboard", arXiv:2502.14855.
    """

    name: ClassVar[str] = "grounded-rao-kupper"
    extras: ClassVar[tuple[str, ...]] = ("log_theta_1",)
    is_difference: ClassVar[bool] = False

    # Each log probability is made of logs of sums of exponentials of linear parts. Rows are those parts, (coefficient
    # of a, of b, of log_theta_1, constant), relative to the outcome itself: near certainty that keeps the digits.
    _FIRST: ClassVar[Floats] = np.array([[0.0, 0, 0, 0], [-1, 1, 0, 0], [-1, 1, 1, 0], [-1, 0, 0, 0]])
    _SECOND: ClassVar[Floats] = np.array([[0.0, 0, 0, 0], [1, -1, 0, 0], [1, -1, 1, 0], [0, -1, 0, 0]])
    _EITHER: ClassVar[Floats] = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    _TIES: ClassVar[Floats] = np.array(
        [[1, 0, 0, np.log(2)], [0, 1, 0, np.log(2)], [1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, np.log(2)]]
    )

    def start(self, counts: Floats) -> tuple[float, Floats]:
        """The level from the share of both-bad verdicts, as if all were equals; theta = 2."""
        both_bad, total = float(counts[_BOTH_BAD]), float(counts.sum())
        if not 0 < both_bad < total:
            seen = "no verdict" if both_bad == 0 else "every verdict"
            raise NotDetermined("the level at which an item is of use", f"{seen} is 'both bad'")
        _tie_share(self.name, np.append(counts[:3], 0.0))
        return float(np.log((total / both_bad - 1) / 2)), np.zeros(1)

    def log_probabilities(self, predictors: Floats) -> Floats:
        """All four."""
        first, second, either, ties = (_log_sum_exp(parts, predictors)[0] for parts in self._sums())
        return np.stack((-first, -second, predictors[2] + ties - first - second - either, -either))

    def slopes(self, predictors: Floats) -> Floats:
        """Each sum's slope is the mean of its parts."""
        first, second, either, ties = (_log_sum_exp(parts, predictors)[1] for parts in self._sums())
        slopes = np.stack((-first, -second, ties - first - second - either, -either))
        slopes[_TIE, 2] += 1
        return slopes

    def derivatives(self, predictors: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """The curvature of each sum is the covariance of its parts."""
        first, second, either, ties = (_log_sum_exp(parts, predictors)[2] for parts in self._sums())
        curvature = (
            first * (counts[_A] + counts[_TIE])
            + second * (counts[_B] + counts[_TIE])
            + either * (counts[_BOTH_BAD] + counts[_TIE])
            - ties * counts[_TIE]
        )
        return _summed(self.slopes(predictors), counts), curvature

    def _sums(self) -> tuple[Floats, Floats, Floats, Floats]:
        return self._FIRST, self._SECOND, self._EITHER, self._TIES


def _summed(slopes: Floats, counts: Floats) -> Floats:
    return (counts[:, np.newaxis] * slopes).sum(axis=0)


def _log_sum_exp(parts: Floats, predictors: Floats) -> tuple[Floats, Floats, Floats]:
    """log(sum of exp(part)), the mean of the parts' coefficients under that softmax, and their covariance."""
    coefficients = parts[:, :-1]
    logits = coefficients @ predictors + parts[:, -1:]
    value = np.logaddexp.reduce(logits)
    shares = np.exp(logits - value)
    mean = coefficients.T @ shares
    square = np.einsum("ki,kj,kn->ijn", coefficients, coefficients, shares)
    return value, mean, square - mean[:, np.newaxis] * mean[np.newaxis]


def _tie_share(name: str, counts: Floats) -> float:
    """The share of ties, strictly between 0 and 1."""
    _refuse_both_bad(name, counts)
    ties, total = float(counts[_TIE]), float(counts.sum())
    if not 0 < ties < total:
        raise NotDetermined("how likely a tie is", f"{'no comparison' if ties == 0 else 'every comparison'} is a tie")
    return ties / total


def _refuse_both_bad(name: str, counts: Floats) -> None:
    if counts[_BOTH_BAD]:
        raise NotDetermined(
            "what 'both bad' says of strengths",
            f"the model {name} has no place for these {counts[_BOTH_BAD]:g} verdicts; count them as ties, leave them "
            "out, or take the grounded model",
        )
