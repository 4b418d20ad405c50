"""The Plackett-Luce model of ranked lists: each place goes to one of the items left, by their shares of exp(strength).

P(i is next among the items left) = exp(strength i) / sum of exp(strength j) over the items left. A list of two is one
Bradley-Terry comparison without a tie. Sources: Luce (1959), Individual Choice Behavior; Plackett (1975),
doi:10.2307/2346567.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ratings.comparisons import Comparisons, Outcome
from ratings.connectivity import rateable_groups
from ratings.errors import DidNotConverge, InvalidComparisons, InvalidSetting, NotConnected
from ratings.linear import solve_positive_definite

Floats = NDArray[np.float64]
Ranking = tuple[int, ...]

MAX_STEPS = 200
"""As for Bradley-Terry: from a good start it takes two or three, from a poor one on ordinary data 5 to 10."""

_ENTRIES_AT_ONCE = 2**18


@dataclass(frozen=True, eq=False)
class RankingFit:
    """Strengths estimated from ranked lists, and how sure they are."""

    strengths: Floats = field(repr=False)
    """Natural log-odds with mean 0, shape (n_items,)."""
    n_rankings: int
    prior: float
    """Precision of the prior on each strength; 0 for maximum likelihood."""
    n_steps: int
    """Newton steps taken from the start that choix gave."""
    log_likelihood: float
    """Of the rankings at these strengths, in nats, <= 0, without the prior."""
    information: Floats = field(repr=False)
    """The observed information, minus the Hessian of the log-likelihood without the prior; shape (n_items, n_items),
    rows adding up to 0. Its inverse, on strengths with mean 0, would be the covariance if the model were true."""
    covariance: Floats = field(repr=False)
    """Of the strengths with mean 0, whether or not the model is quite true: the sandwich H^-1 G H^-1 with H the
    information (plus the prior) and G the sum over rankings of score times score'. Rankings are independent of each
    other in it, the places of one ranking need not be. Shape (n_items, n_items). Source: White (1982),
    doi:10.2307/1912526."""
    n_rankings_of: NDArray[np.int64] = field(repr=False)
    """In how many rankings each item stands, shape (n_items,)."""

    @property
    def standard_errors(self) -> Floats:
        """Square roots of the diagonal of `covariance`, in logits; infinite for an item in fewer than 2 rankings."""
        errors = np.sqrt(np.maximum(np.diagonal(self.covariance), 0.0))
        return np.where(self.n_rankings_of < 2, np.inf, errors)


def fit_plackett_luce(
    n_items: int,
    rankings: Sequence[Sequence[int]],
    *,
    prior: float = 0.0,
    max_steps: int = MAX_STEPS,
    tolerance: float = 1e-8,
) -> RankingFit:
    """Maximum-likelihood strengths of the Plackett-Luce model, from lists of items with the best one first.

    A list may leave items out, of which it then says nothing; it holds at least two, each once. With prior > 0 this is
    the MAP estimate under independent N(0, 1 / prior) strengths, which exists for any lists. The result does not depend
    on the order of the lists, to the last bit.

    choix gives the start, by iterated Luce spectral ranking; Newton's method takes it to the maximum. `tolerance` is in
    logits: the first step that moves no strength further than this is taken and is the last, which leaves an error of
    about its square.

    Raises InvalidComparisons, with the list as `row`, for an unknown item, an item that a list repeats, and a list
    shorter than two; NotConnected if prior is 0 and "stands above" does not lead from every item to every other, as
    then no finite maximum exists (Hunter 2004, doi:10.1214/aos/1079120141); InvalidSetting for a prior that is negative
    or not finite; DidNotConverge if the steps run out. Start: Maystre and Grossglauser (2015),
    Fast and Accurate Inference of Plackett-Luce Models, NIPS 28.
    """
    if not (np.isfinite(prior) and prior >= 0):
        raise InvalidSetting("prior", prior, "a precision of 0 or more, finite")
    counted = _counted(n_items, rankings)
    if prior == 0 and len(groups := rateable_groups(_implied(n_items, counted))) > 1:
        raise NotConnected(groups)
    tables = _tables(counted)
    strengths, n_steps = _climb(
        tables, _start(n_items, counted, prior), prior, max_steps=max_steps, tolerance=tolerance
    )
    at_top = _derivatives(tables, strengths)
    bread = np.linalg.inv(_curvature(at_top, prior))
    n_rankings_of = np.zeros(n_items, dtype=np.int64)
    for items, counts in tables:
        np.add.at(n_rankings_of, items, counts[:, np.newaxis].astype(np.int64))
    return RankingFit(
        strengths=strengths,
        n_rankings=len(rankings),
        prior=prior,
        n_steps=n_steps,
        log_likelihood=at_top.value,
        information=at_top.information,
        covariance=bread @ at_top.score_products @ bread,
        n_rankings_of=n_rankings_of,
    )


class _Derivatives(NamedTuple):
    """Of the log-likelihood, over the strengths."""

    value: float
    gradient: Floats
    information: Floats
    """Minus the Hessian."""
    score_products: Floats
    """The sum over rankings of score times score', where a score is the gradient of one ranking."""


class _Table(NamedTuple):
    """Different rankings of one length, and how often each was given."""

    items: NDArray[np.int64]
    """Shape (n_rankings, length), best first."""
    counts: Floats


def _counted(n_items: int, rankings: Sequence[Sequence[int]]) -> list[tuple[Ranking, int]]:
    """The rankings, checked, each once with its count, sorted by length and items: a form without an order of rows."""
    if n_items < 0:
        raise InvalidComparisons("n_items", n_items, "0 or more")
    times: Counter[Ranking] = Counter()
    for row, ranking in enumerate(rankings):
        for item in ranking:
            if not isinstance(item, Integral) or isinstance(item, bool) or not 0 <= item < n_items:
                raise InvalidComparisons("item of the ranking", item, f"the items 0 to {n_items - 1}", row=row)
        items = tuple(int(item) for item in ranking)
        if len(items) < 2:
            raise InvalidComparisons("ranking", list(items), "two items or more, best first", row=row)
        if len(set(items)) < len(items):
            raise InvalidComparisons("ranking", list(items), "each item once", row=row)
        times[items] += 1
    return sorted(times.items(), key=lambda entry: (len(entry[0]), entry[0]))


def _implied(n_items: int, counted: list[tuple[Ranking, int]]) -> Comparisons:
    """Every pair of a ranking as a win of the upper item."""
    pairs = [
        (winner, loser, n)
        for ranking, n in counted
        for place, winner in enumerate(ranking)
        for loser in ranking[place + 1 :]
    ]
    winners, losers, n = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    return Comparisons.from_outcomes(n_items, winners, losers, np.full(len(pairs), Outcome.A), counts=n)


def _tables(counted: list[tuple[Ranking, int]]) -> list[_Table]:
    """Rankings of one length together, in tables whose derivatives fit into a processor's cache."""
    tables: list[_Table] = []
    lengths = np.array([len(ranking) for ranking, _ in counted])
    for length in np.unique(lengths).tolist():
        alike = [entry for entry in counted if len(entry[0]) == length]
        size = max(1, _ENTRIES_AT_ONCE // length**2)
        for start in range(0, len(alike), size):
            items, counts = zip(*alike[start : start + size], strict=True)
            tables.append(_Table(np.array(items, dtype=np.int64), np.array(counts, dtype=np.float64)))
    return tables


def _start(n_items: int, counted: list[tuple[Ranking, int]], prior: float) -> Floats:
    """Strengths near the maximum, by choix; zeros where its steps or its numbers run out, as Newton's do not."""
    from choix import ilsr_rankings  # noqa: PLC0415 - needed for ranked lists alone

    data = [ranking for ranking, n in counted for _ in range(n)]
    if not data:
        return np.zeros(n_items)
    try:
        with np.errstate(all="ignore"):
            found = ilsr_rankings(n_items, data, alpha=prior, tol=0.1)  # near is enough, and each of its steps is slow
    except (RuntimeError, ValueError):
        return np.zeros(n_items)
    return found - found.mean() if np.isfinite(found).all() else np.zeros(n_items)


def _climb(
    tables: list[_Table], start: Floats, prior: float, *, max_steps: int, tolerance: float
) -> tuple[Floats, int]:
    """The strengths at the maximum, with mean 0, and the Newton steps that it took.

    Let `reach` be the largest change of a difference inside a list. The third derivative along the step is at most
    `reach` times the second, hence a full step climbs if reach <= 1, and a fraction log(1 + reach) / reach climbs
    always. Source of the bound: Bach (2010), doi:10.1214/09-EJS521.
    """
    strengths, gradient = start, np.zeros_like(start)
    for n_step in range(1, max_steps + 1):
        here = _derivatives(tables, strengths)
        gradient = here.gradient - prior * strengths
        step = solve_positive_definite(_curvature(here, prior)[np.newaxis], gradient[np.newaxis])[0]
        reach = max((float(np.ptp(step[items], axis=1).max()) for items, _ in tables), default=0.0)
        if reach > 1:
            step = step * (np.log1p(reach) / reach)
        strengths = strengths + step
        if np.abs(step).max(initial=0.0) <= tolerance:
            return strengths - strengths.sum() / max(len(strengths), 1), n_step
    raise DidNotConverge(max_steps, float(np.abs(gradient).max(initial=0.0)))


def _curvature(here: _Derivatives, prior: float) -> Floats:
    """Minus the Hessian of what is climbed. Without a prior only differences are determined: adding 1 everywhere keeps
    their sum, and the matrix definite."""
    return here.information + (prior * np.eye(len(here.gradient)) if prior > 0 else 1.0)


def _derivatives(tables: list[_Table], strengths: Floats) -> _Derivatives:
    """At these strengths. Differences of shares are sums of shares throughout, so that no digits cancel."""
    n_items = len(strengths)
    value, gradient = 0.0, np.zeros(n_items)
    together, products = np.zeros(n_items**2), np.zeros(n_items**2)
    for items, counts in tables:
        logits = strengths[items]
        left = np.logaddexp.accumulate(logits[:, ::-1], axis=1)[:, ::-1]  # log of the sum over this place and below
        value += float(counts @ (logits - left)[:, :-1].sum(axis=1))
        # [ranking, place, j]: the chance that the item at place j is taken, when this place is to be filled
        chance = np.triu(np.exp(np.minimum(logits[:, np.newaxis, :] - left[:, :-1, np.newaxis], 0.0)))
        others = np.triu(chance, 1)
        scores = -others.sum(axis=1)
        scores[:, :-1] += others.sum(axis=2)
        gradient += np.bincount(items.ravel(), (counts[:, np.newaxis] * scores).ravel(), n_items)
        pairs = (items[:, :, np.newaxis] * n_items + items[:, np.newaxis, :]).ravel()
        both = np.einsum("r,rpi,rpj->rij", counts, chance, chance)
        together += np.bincount(pairs, both.ravel(), n_items**2)
        products += np.bincount(pairs, np.einsum("r,ri,rj->rij", counts, scores, scores).ravel(), n_items**2)
    information = -together.reshape(n_items, n_items)
    np.fill_diagonal(information, 0.0)
    np.fill_diagonal(information, -information.sum(axis=1))
    return _Derivatives(value, gradient, information, products.reshape(n_items, n_items))
