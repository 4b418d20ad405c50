"""Does a single scale fit? Pairs that contradict it, the fit as a whole, and how much of the evidence goes in circles.

Everything here asks about plain Bradley-Terry strengths: with p the expected score of `first` of a pair (a win 1, a tie
1/2), n its votes and s its observed score, the residual is s - n p.

*Variance.* A score with ties varies less than n p (1 - p): by a quarter of the chance of a tie for each vote. Where
ties are the likelier the closer the two are, P(tie) = 4 (1 - phi) p (1 - p), as nearly in Rao and Kupper's model, that
makes phi * n p (1 - p) for all pairs, with one *dispersion* phi that follows from the number of ties: 1 without any.
That the strengths were fitted to the same votes takes a share h of the variance of each residual, its leverage.

*Votes that are not independent*, several by one voter or on one prompt, make residuals larger than this variance, and
so every p-value here too small; with such votes a small p-value may mean that voters differ, not that the scale fails.

Weights act through the fit alone: residuals are of votes as counted.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons
from ratings.discovery import FALSE_SHARE, false_discovery_rates
from ratings.errors import InvalidSetting
from ratings.fit import Fit, information, summed
from ratings.interval import Absent, check_confidence
from ratings.likelihood import BradleyTerry
from ratings.logistic import expit

Floats = NDArray[np.float64]

ENOUGH = 5.0
"""Score that a pair must be expected to give to each side to be counted in the overall test (Cochran's rule)."""

_ROUNDING = 1e-9

_FITTED_EXACTLY = 1e-6
"""A pair that keeps no more than this share of its variance is met by the strengths whatever its votes."""


@dataclass(frozen=True, eq=False)
class PairFit:
    """How each pair that met compares with the strengths; all arrays have shape (n_pairs,), sorted by pair."""

    first: NDArray[np.int64] = field(repr=False)
    second: NDArray[np.int64] = field(repr=False)
    n_votes: Floats = field(repr=False)
    observed: Floats = field(repr=False)
    """Wins of `first` plus half of the ties."""
    expected: Floats = field(repr=False)
    """n p."""
    residual: Floats = field(repr=False)
    """(observed - expected) over its standard deviation: about N(0, 1) for pairs with many votes. NaN for a pair that
    the strengths meet whatever its votes, as where it alone links two parts of the board."""
    p_value: Floats = field(repr=False)
    """Chance of a score at least as far from the expected one, two-sided; 1 where residual is NaN."""
    q_value: Floats = field(repr=False)
    """Of `false_discovery_rates`: among all pairs with q_value <= 0.05 about one in twenty is there by chance."""
    dispersion: float

    def contradictions(self, false_share: float = FALSE_SHARE) -> NDArray[np.int64]:
        """Numbers of the pairs that contradict the scale, the least p-value first; `false_share` of them by chance."""
        found = np.flatnonzero(self.q_value <= false_share)
        return found[np.argsort(self.p_value[found], kind="stable")]


@dataclass(frozen=True)
class ScaleFit:
    """The fit of the strengths against one chance of its own for every pair."""

    statistic: float
    """Pearson's, the sum of (s - n p)^2 / (phi n p (1 - p)) over pairs counted: about `degrees` if the scale fits."""
    degrees: float
    """Pairs that met minus (items - 1); where pairs with few votes are left out, what the others contribute to that."""
    p_value: float
    """Chi-square's chance of a larger statistic."""
    dispersion: float
    n_pairs: int
    """Pairs counted."""
    n_left_out: int
    """Pairs with too few votes to be counted."""


@dataclass(frozen=True)
class Cyclicity:
    """How much of what the votes say about pairs cannot come from any strengths, as it goes in circles."""

    share: float
    """Share of the differences between pairs, 0 to 1, that no strengths explain; what chance adds is taken off."""
    observed_share: float
    """The same with what chance adds, always above 0."""
    chance_share: float
    """What `observed_share` is expected to be if the strengths explain everything."""
    n_triples: int
    """Triples of items of which all three pairs met and none is a draw."""
    n_cycles: int
    """Triples in which i leads j, j leads k and k leads i."""
    sure_cycles: tuple[tuple[int, int, int], ...]
    """Those (i, j, k), i the smallest, in which all three leads are certain: with the stated confidence all at once."""
    confidence: float


def fit_by_pair(comparisons: Comparisons, fit: Fit) -> PairFit:
    """Observed and expected score of each pair, and which of them contradict the strengths (`contradictions`).

    `fit` is that of these comparisons under Bradley-Terry. p-values are those of a binomial distribution stretched to
    the variance of the residual (n becomes n / (phi (1 - h)), the residual likewise), twice the smaller
    tail: unlike the normal distribution it holds with a few votes too, where it errs to the safe side.

    Raises InvalidSetting for a fit of another model or with covariates.
    """
    pairs = _Pairs.of(comparisons, fit)
    free = (pairs.free > _FITTED_EXACTLY) & (pairs.dispersion > 0)
    stretch = np.where(free, 1 / np.where(free, pairs.dispersion * pairs.free, 1.0), 0.0)
    beyond, n = pairs.score - pairs.n * pairs.p, pairs.n * stretch
    score = np.clip(n * pairs.p + beyond * stretch, 0.0, n)
    tail = np.minimum(_tail(score, n, pairs.p), _tail(n - score, n, pairs.q))
    p_value = np.where(free, np.minimum(1.0, 2 * tail), 1.0)
    return PairFit(
        first=pairs.comparisons.first,
        second=pairs.comparisons.second,
        n_votes=pairs.n,
        observed=pairs.score,
        expected=pairs.n * pairs.p,
        residual=np.where(free, beyond * np.sqrt(stretch / pairs.variance), np.nan),
        p_value=p_value,
        q_value=false_discovery_rates(p_value),
        dispersion=pairs.dispersion,
    )


def fit_of_scale(comparisons: Comparisons, fit: Fit) -> ScaleFit | Absent:
    """Pearson's test of the strengths against a chance of its own for every pair.

    Pairs of which less than `ENOUGH` votes are expected on a side are left out, as chi-square does not hold for them;
    the others are expected to add up to the sum of 1 - h. Absent, with the reason, if that is less than 1. For
    independent votes; see above for others.

    Raises InvalidSetting for a fit of another model or with covariates.
    """
    pairs = _Pairs.of(comparisons, fit)
    counted = pairs.n * np.minimum(pairs.p, pairs.q) >= ENOUGH * (1 - _ROUNDING)
    if pairs.free.sum() < 0.5:
        return Absent("there are no more pairs than the strengths need: they meet every pair, whatever the votes")
    degrees = float(pairs.free[counted].sum())
    if degrees < 1 - _ROUNDING:
        return Absent(
            f"too few votes a pair: {ENOUGH:g} are expected for each side in {int(counted.sum()):,} of "
            f"{len(counted):,} pairs"
        )
    if not pairs.dispersion:
        return Absent("no spread to measure: every vote is a tie")
    gap = (pairs.score - pairs.n * pairs.p)[counted]
    statistic = float((gap**2 / pairs.variance[counted]).sum()) / pairs.dispersion
    from scipy.special import gammaincc  # noqa: PLC0415 - slow to load

    return ScaleFit(
        statistic=statistic,
        degrees=degrees,
        p_value=float(gammaincc(degrees / 2, statistic / 2)),
        dispersion=pairs.dispersion,
        n_pairs=int(counted.sum()),
        n_left_out=int((~counted).sum()),
    )


def cyclicity(comparisons: Comparisons, fit: Fit, *, confidence: float = 0.95) -> Cyclicity | Absent:
    """How much of the evidence goes in circles, as a share and as cycles of three.

    The log-odds of each pair, weighted by their information n p (1 - p), split into what strengths explain and an
    orthogonal rest, which is cyclic: the decomposition of Hodge. The log-odds are those that the last step of the fit
    works with, d + (s - n p) / (n p (1 - p)), which exist for pairs without a win and need no smoothing; the rest then
    adds up to Pearson's statistic, phi * (pairs - (items - 1)) by chance alone, and the explained part gets phi *
    (items - 1) from chance. Both are taken off before `share` is computed, which is 0 where less than that is found.
    Where `chance_share` is large, as with few votes a pair, what is left after that is uncertain.

    A lead in a pair is more wins than losses. Leads that are sure at once are those that Holm's correction of the sign
    test keeps over all pairs, ties left out; a cycle of sure leads is no accident of the counts.

    Absent, with the reason, if no pair differs from a draw by more than chance. Raises InvalidSetting for a fit of
    another model or with covariates, or a confidence outside (0, 1). Source: Jiang, Lim, Yao and Ye (2011),
    doi:10.1007/s10107-010-0419-x; Holm (1979), Scandinavian Journal of Statistics 6.
    """
    check_confidence(confidence)
    pairs = _Pairs.of(comparisons, fit)
    cyclic = float(((pairs.score - pairs.n * pairs.p) ** 2 / pairs.variance).sum())
    explained = float((pairs.variance * pairs.difference**2).sum())
    by_chance = pairs.dispersion * float(pairs.free.sum())
    cyclic_signal = max(cyclic - by_chance, 0.0)
    signal = cyclic_signal + max(explained - pairs.dispersion * float((1 - pairs.free).sum()), 0.0)
    if signal <= 0:
        return Absent("no differences to explain: no more than chance makes between equals")
    won, lost = pairs.comparisons.wins_first, pairs.comparisons.wins_second
    p_values = np.minimum(1.0, 2 * _tail(np.maximum(won, lost), won + lost, np.full(len(won), 0.5)))
    n_items, ahead = comparisons.n_items, np.where(won > lost, 1, np.where(won < lost, -1, 0))
    first, second = pairs.comparisons.first, pairs.comparisons.second
    leads, sure = np.zeros((n_items, n_items)), np.zeros((n_items, n_items))
    for matrix, counted in ((leads, ahead != 0), (sure, (ahead != 0) & _kept_by_holm(p_values, 1 - confidence))):
        up, down = counted & (ahead > 0), counted & (ahead < 0)
        matrix[first[up], second[up]] = matrix[second[down], first[down]] = 1.0
    met = leads + leads.T
    return Cyclicity(
        share=cyclic_signal / signal,
        observed_share=cyclic / (cyclic + explained),
        chance_share=min(by_chance / (cyclic + explained), 1.0),
        n_triples=round(float(((met @ met) * met).sum()) / 6),
        n_cycles=round(float(((leads @ leads) * leads.T).sum()) / 3),
        sure_cycles=tuple(_cycles(sure)),
        confidence=confidence,
    )


class _Pairs(NamedTuple):
    """What is known of each pair, arrays of shape (n_pairs,)."""

    comparisons: Comparisons
    n: Floats
    score: Floats
    p: Floats
    q: Floats
    difference: Floats
    variance: Floats
    """n p (1 - p): without the dispersion."""
    free: Floats
    """1 - h: the share of its variance that the fit leaves to a residual."""
    dispersion: float
    """0 where every vote is a tie, or there are none."""

    @classmethod
    def of(cls, comparisons: Comparisons, fit: Fit) -> "_Pairs":
        if not isinstance(fit.likelihood, BradleyTerry) or len(fit.coefficients):
            name = fit.likelihood.name + (" with covariates" if len(fit.coefficients) else "")
            raise InvalidSetting("model of the fit", name, f"{BradleyTerry.name} without covariates")
        pairs = summed(comparisons)
        n, score = pairs.cell_counts, pairs.wins_first + pairs.ties / 2
        difference = fit.strengths[pairs.first] - fit.strengths[pairs.second]
        p, q = expit(difference), expit(-difference)
        variance = n * p * q
        matrix = information(pairs, fit)
        if not fit.prior:
            matrix += 1.0  # the common level, which no comparison tells
        spread = fit.design(pairs).spread(np.linalg.inv(matrix).astype(np.float64))[0, 0]
        free = np.clip(1 - variance * spread, 0.0, 1.0)
        total, ties = float(variance.sum()), float(pairs.ties.sum())
        dispersion = max(1 - ties / 4 / total, 0.0) if total > 0 else 0.0
        if dispersion < _ROUNDING:
            dispersion = 0.0
        return cls(pairs, n, score, p, q, difference, variance, free, dispersion)


def _tail(score: Floats, n: Floats, p: Floats) -> Floats:
    """P(at least `score` of n with chance p each), for numbers that need not be whole."""
    from scipy.special import betainc  # noqa: PLC0415 - slow to load

    return np.where(score > 0, betainc(np.maximum(score, 1e-300), np.maximum(n - score, 0.0) + 1, p), 1.0)


def _kept_by_holm(p_values: Floats, level: float) -> NDArray[np.bool_]:
    """Which hypotheses Holm's step-down procedure rejects."""
    n, order = len(p_values), np.argsort(p_values, kind="stable")
    kept = np.zeros(n, dtype=bool)
    kept[order] = np.logical_and.accumulate(p_values[order] * np.arange(n, 0, -1) <= level)
    return kept


def _cycles(leads: Floats) -> list[tuple[int, int, int]]:
    """Every i -> j -> k -> i, with i the smallest, in ascending order."""
    found = []
    for i in range(len(leads)):
        after, before = np.flatnonzero(leads[i]), np.flatnonzero(leads[:, i])
        after, before = after[after > i], before[before > i]
        for j, k in np.argwhere(leads[np.ix_(after, before)]).tolist():
            found.append((i, int(after[j]), int(before[k])))
    return found
