"""How often nominal 95 % intervals hold the truth, on simulated votes of which the truth is known.

A case draws many data sets. Of each the share of items whose interval holds the truth is taken; items without interval
do not count. Strengths are compared in the gauge of the covariance, minus the games-weighted mean. Items of one data
set are correlated, so the Monte Carlo error is that of the mean over data sets. The truth of a model that is not quite
the one that votes come from (half-win ties, voters of different taste) is what it says of infinitely many votes: its
fit to the expected counts of every pair.

`python tests/ratings/test_coverage.py` writes the table of all cases.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from ratings import (
    Absent,
    BradleyTerry,
    Comparisons,
    Covariance,
    Davidson,
    Fit,
    GroundedRaoKupper,
    Interval,
    Likelihood,
    Outcome,
    RaoKupper,
    bootstrap_bradley_terry,
    clustered_sandwich,
    coefficient_intervals,
    draws,
    fit,
    fit_bradley_terry,
    percentile_intervals,
    rank_ranges,
    rateable_groups,
    sandwich,
    strength_intervals,
    to_score,
)
from ratings.connectivity import grounded_group

pytestmark = pytest.mark.proof

Floats = NDArray[np.float64]

TWENTY = np.linspace(-1.2, 1.2, 20)
SIX = np.linspace(-1.0, 1.0, 6)
LEVEL = 1.0  # of the grounded model: P(both bad) = 1 / (1 + 2 e) = 0.16 between equals
EXTRAS = {"bradley-terry": [], "davidson": [-0.3], "rao-kupper": [0.4], "grounded-rao-kupper": [-0.5]}
SIDE, STYLE = 0.2, np.array([0.5, -0.3])  # logits for side A, and per unit of two features of the answers


@dataclass(frozen=True)
class Hits:
    """What the data sets of a case gave."""

    shares: Floats
    """Of each data set: the share of strengths whose interval held the truth."""
    others: Floats
    """The same of coefficients and extras; NaN where there are none."""
    half_width: float
    """Mean half width of the strengths' intervals, points."""
    n_absent: float
    """Items without interval or not rateable, a data set."""

    @property
    def mean(self) -> float:
        return float(self.shares.mean())

    @property
    def error(self) -> float:
        """Monte Carlo standard error of the mean."""
        return float(self.shares.std(ddof=1) / np.sqrt(len(self.shares)))

    def __str__(self) -> str:
        others = "" if np.isnan(self.others).all() else f", others {self.others.mean():.3f}"
        return (
            f"{self.mean:.3f} +-{self.error:.3f}, half width {self.half_width:.1f}, absent {self.n_absent:.2f}{others}"
        )


def expected(strengths: Floats, model: Likelihood) -> Comparisons:
    """The probabilities of all outcomes of all pairs, as counts."""
    first, second = np.triu_indices(len(strengths), 1)
    extras = np.repeat(np.array(EXTRAS[model.name])[:, np.newaxis], len(first), axis=1)
    lead = strengths[first] - strengths[second] if model.is_difference else strengths[[first, second]]
    return Comparisons(
        len(strengths), first, second, *np.exp(model.log_probabilities(np.vstack((np.atleast_2d(lead), extras))))
    )


def counted_votes(chances: Comparisons, n_votes: int, rng: np.random.Generator) -> Comparisons:
    """Independent votes between uniform pairs."""
    shares = chances.counts / chances.n_comparisons
    counts = rng.multinomial(n_votes, shares.ravel()).reshape(shares.shape).astype(np.float64)
    seen = counts.sum(axis=0) > 0
    return Comparisons(chances.n_items, chances.first[seen], chances.second[seen], *counts[:, seen])


def pairs(n_items: int, n_votes: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    a = rng.integers(0, n_items, n_votes)
    return a, (a + rng.integers(1, n_items, n_votes)) % n_items


def styled_votes(n_votes: int, rng: np.random.Generator, *, style: Floats) -> Comparisons:
    """Votes that side A and, with `style`, features of the answers sway; the answers of item i have mean i / 20."""
    a, b = pairs(len(TWENTY), n_votes, rng)
    features = rng.normal((a / 20)[:, np.newaxis] - (b / 20)[:, np.newaxis], 1.0, (n_votes, len(style)))
    covariates = np.column_stack((np.ones(n_votes), features))
    logit = TWENTY[a] - TWENTY[b] + covariates @ np.append(SIDE, style)
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(-logit)), Outcome.A, Outcome.B)
    return Comparisons.from_outcomes(len(TWENTY), a, b, outcome, covariates=covariates)


Case = tuple[int, int, str]
"""Votes, voters, and how active these are."""


def activity(kind: str, n_voters: int, rng: np.random.Generator) -> Floats:
    """Shares of the votes: 1 / rank, or log-normal with sd 1.5."""
    votes = 1 / np.arange(1.0, n_voters + 1) if kind == "zipf" else np.exp(rng.normal(0, 1.5, n_voters))
    return votes / votes.sum()


def votes_of_voters(case: Case, sd: float, rng: np.random.Generator, strengths: Floats = TWENTY) -> Comparisons:
    """Each voter adds N(0, sd^2) to each strength. A fifth of the votes are ties, whoever meets."""
    n_votes, n_voters, kind = case
    voter = rng.choice(n_voters, n_votes, p=activity(kind, n_voters, rng))
    a, b = pairs(len(strengths), n_votes, rng)
    taste = rng.normal(0, sd, (n_voters, len(strengths)))
    logit = strengths[a] - strengths[b] + taste[voter, a] - taste[voter, b]
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(-logit)), Outcome.A, Outcome.B)
    outcome[rng.random(n_votes) < 0.2] = Outcome.TIE
    return Comparisons.from_outcomes(len(strengths), a, b, outcome, clusters=voter)


def truth_of_voters(sd: float) -> Floats:
    """The Bradley-Terry fit to E s(d + sqrt(2) sd Z), the mean taken by Gauss-Hermite quadrature."""
    z, weight = np.polynomial.hermite_e.hermegauss(60)
    first, second = np.triu_indices(len(TWENTY), 1)
    logit = (TWENTY[first] - TWENTY[second])[:, np.newaxis] + np.sqrt(2) * sd * z
    wins = (1 / (1 + np.exp(-logit))) @ (weight / weight.sum())
    return fit(
        Comparisons(len(TWENTY), first, second, 0.8 * wins, 0.8 * (1 - wins), np.full(len(first), 0.2))
    ).strengths


def judged(intervals: list[Interval | Absent], truth: Floats) -> list[bool]:
    return [i.low <= t <= i.high for i, t in zip(intervals, truth.tolist(), strict=True) if isinstance(i, Interval)]


def core(comparisons: Comparisons, model: Likelihood) -> tuple[int, ...]:
    return rateable_groups(comparisons)[0] if model.is_difference else grounded_group(comparisons)


def hits(
    draw: Callable[[np.random.Generator], Comparisons],
    truth: Floats,
    *,
    model: Likelihood | None = None,
    others: Floats | None = None,
    covariance: Callable[[Comparisons, Fit], Covariance] = sandwich,
    n_sets: int,
    seed: int,
) -> Hits:
    """Draw, fit and judge `n_sets` data sets; `others` is the truth of coefficients and extras."""
    model = model or BradleyTerry()
    others = np.array(EXTRAS[model.name]) if others is None else others
    shares, of_others, widths, n_absent = [], [], [], 0
    for rng in generators(n_sets, seed):
        comparisons = draw(rng)
        items = list(core(comparisons, model))
        comparisons = comparisons.restricted_to(items)
        found = fit(comparisons, model)
        spread = covariance(comparisons, found)
        here = truth[items] - spread.gauge @ truth[items]
        intervals = strength_intervals(found, spread, confidence=0.95)
        held = judged(intervals, here)
        shares.append(np.mean(held))
        widths += [to_score((i.high - i.low) / 2) - to_score(0.0) for i in intervals if isinstance(i, Interval)]
        n_absent += len(truth) - len(held)
        if len(others):
            of_others.append(np.mean(judged(coefficient_intervals(found, spread, confidence=0.95), others)))
    return Hits(np.array(shares), np.array(of_others or [np.nan]), float(np.mean(widths)), n_absent / n_sets)


def generators(n_sets: int, seed: int) -> Iterator[np.random.Generator]:
    return (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(n_sets))


def by_vote(model: Likelihood, n_votes: int, strengths: Floats = TWENTY, n_sets: int = 500) -> Hits:
    if isinstance(model, BradleyTerry):  # ties from another model than the one fitted
        chances = expected(strengths, Davidson())
        truth = fit(chances).strengths
    else:
        truth = strengths if model.is_difference else strengths + LEVEL
        chances = expected(truth, model)
    return hits(lambda rng: counted_votes(chances, n_votes, rng), truth, model=model, n_sets=n_sets, seed=n_votes)


def with_covariates(style: Floats, n_votes: int) -> Hits:
    return hits(
        lambda rng: styled_votes(n_votes, rng, style=style),
        TWENTY,
        others=np.append(SIDE, style),
        n_sets=300,
        seed=n_votes + len(style),
    )


def by_voter(case: Case, sd: float, covariance: Callable[[Comparisons, Fit], Covariance]) -> Hits:
    return hits(
        lambda rng: votes_of_voters(case, sd, rng),
        truth_of_voters(sd),
        covariance=covariance,
        n_sets=300,
        seed=sum(case[:2]),
    )


def by_bootstrap(n_votes: int) -> Hits:
    chances = expected(TWENTY, Davidson())
    truth, shares, widths = fit(chances).strengths, [], []
    for rng in generators(150, n_votes):
        samples = bootstrap_bradley_terry(counted_votes(chances, n_votes, rng), rounds=1000, rng=rng)
        intervals = percentile_intervals(samples, confidence=0.95)
        shares.append(np.mean(judged(intervals, truth)))
        widths += [to_score((i.high - i.low) / 2) - to_score(0.0) for i in intervals if isinstance(i, Interval)]
    return Hits(np.array(shares), np.array([np.nan]), float(np.mean(widths)), 20 - len(widths) / 150)


def all_ranks_at_once(strengths: Floats, case: Case, sd: float) -> float:
    """The share of data sets in which every item's range holds all places that its true strength admits."""
    best = 1 + (strengths > strengths[:, np.newaxis]).sum(axis=1)
    worst = len(strengths) - (strengths < strengths[:, np.newaxis]).sum(axis=1)
    held = []
    for rng in generators(300, case[0]):
        comparisons = votes_of_voters(case, sd, rng, strengths)
        found = fit_bradley_terry(comparisons)
        samples = draws(found, clustered_sandwich(comparisons, found), n_draws=1000, rng=rng)
        ranges = rank_ranges(found.strengths, samples, confidence=0.95)
        held.append(all(r.best <= b and w <= r.worst for r, b, w in zip(ranges, best, worst, strict=True)))
    return float(np.mean(held))


MODELS = (BradleyTerry(), Davidson(), RaoKupper(), GroundedRaoKupper())
VOTERS = (
    (20_000, 2_000, "zipf"),
    (20_000, 2_000, "ln"),
    (20_000, 300, "zipf"),
    (20_000, 300, "ln"),
    (2_000, 200, "ln"),
)
SDS = (0.0, 0.5, 1.0)
RANKED = (((2_000, 200, "ln"), 0.0), ((20_000, 2_000, "ln"), 0.5))

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def assert_holds(found: Hits, least: float = 0.93, most: float = 0.97) -> None:
    """Within two Monte Carlo errors, each about 0.002 to 0.004; other parameters are few, and known less well."""
    assert found.error < 0.005
    assert least - 2 * found.error < found.mean < most + 2 * found.error, str(found)
    if not np.isnan(found.others).all():
        error = found.others.std(ddof=1) / np.sqrt(len(found.others))
        assert least - 3 * error < found.others.mean() < 0.98 + 3 * error, str(found)


@each_model
@pytest.mark.parametrize("n_votes", [300, 2_000, 20_000])
def test_intervals_by_vote_hold_for_independent_votes(model, n_votes):
    assert_holds(by_vote(model, n_votes))


@pytest.mark.parametrize("n_votes", [300, 2_000, 20_000])
@pytest.mark.parametrize("style", [np.empty(0), STYLE], ids=["side", "side and style"])
def test_intervals_by_vote_hold_with_the_worth_of_a_side_and_with_style(style, n_votes):
    assert_holds(with_covariates(style, n_votes))


@each_model
def test_from_sixty_votes_intervals_are_rather_too_wide_than_too_narrow(model):
    found = by_vote(model, 60, SIX, 1000)
    assert_holds(found, least=0.95, most=0.985)
    assert found.n_absent < 0.1


@pytest.mark.parametrize("sd", SDS)
@pytest.mark.parametrize("case", VOTERS, ids=str)
def test_intervals_by_voter_hold_however_voters_differ(case, sd):
    assert_holds(by_voter(case, sd, clustered_sandwich))


@pytest.mark.parametrize(("sd", "most"), [(0.5, 0.9), (1.0, 0.75)])
@pytest.mark.parametrize("case", [(20_000, 2_000, "zipf"), (20_000, 300, "ln")], ids=str)
def test_intervals_by_vote_fail_when_voters_differ(case, sd, most):
    assert by_voter(case, sd, sandwich).mean < most


def test_percentile_intervals_of_the_bootstrap_hold_for_independent_votes():
    assert_holds(by_bootstrap(2_000))


@pytest.mark.parametrize(("case", "sd"), RANKED, ids=str)
@pytest.mark.parametrize("strengths", [TWENTY, np.zeros(20)], ids=["different", "equal"])
def test_ranges_of_ranks_hold_all_at_once(strengths, case, sd):
    # Equals are the hardest: a single certain pair is one too many. 300 data sets know 0.95 to 0.013.
    assert all_ranks_at_once(strengths, case, sd) > 0.95 - 2 * 0.013


def table() -> Iterator[str]:
    """One line a case."""
    for model in MODELS:
        for n_votes in (300, 2_000, 20_000):
            yield f"by vote | {model.name} | {n_votes} votes, 20 items | {by_vote(model, n_votes)}"
    for style in (np.empty(0), STYLE):
        for n_votes in (300, 2_000, 20_000):
            yield f"by vote | side and {len(style)} features | {n_votes} votes | {with_covariates(style, n_votes)}"
    for model in MODELS:
        yield f"by vote | {model.name} | 60 votes, 6 items | {by_vote(model, 60, SIX, 1000)}"
    for case in VOTERS:
        for sd in SDS:
            yield f"by voter | sd {sd} | {case} | {by_voter(case, sd, clustered_sandwich)}"
    for case in VOTERS:
        for sd in SDS[1:]:
            yield f"by vote, voters differ | sd {sd} | {case} | {by_voter(case, sd, sandwich)}"
    yield f"bootstrap | 2000 votes | {by_bootstrap(2_000)}"
    for strengths in (TWENTY, np.zeros(20)):
        for case, sd in RANKED:
            held = all_ranks_at_once(strengths, case, sd)
            yield f"all ranks at once | {'different' if strengths.any() else 'equal'} | sd {sd} | {case} | {held:.3f}"


if __name__ == "__main__":
    for line in table():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
