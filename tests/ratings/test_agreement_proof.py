"""Slow evidence on agreement: what other libraries say of the same data, and how often intervals hold the truth.

The oracles (evalica, statsmodels) run in a Python of their own, which BAKEOFF_PEERS names.
"""

import json
import os
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from ground import skip_or_fail
from ratings import Absent, Interval
from ratings.agreement import (
    FleissKappa,
    GwetAC1,
    Kinds,
    KrippendorffAlpha,
    Level,
    Measure,
    PooledAgreement,
    RawAgreement,
    estimates,
    measured,
)
from ratings.two_raters import CohenKappa, Weights, of_two

pytestmark = pytest.mark.proof

ORACLES = """
import json, sys, warnings
import evalica, numpy as np, pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
warnings.simplefilter("ignore")
said = []
for case in json.load(sys.stdin):
    table = pd.DataFrame(case["ratings"], dtype="float64")
    found = {level: float(evalica.alpha(table, distance=level).alpha) for level in ("nominal", "ordinal", "interval")}
    if case["counts"]:
        found["fleiss"] = float(fleiss_kappa(np.array(case["counts"])))
        found["randolph"] = float(fleiss_kappa(np.array(case["counts"]), method="randolph"))
    if case["cross"]:
        for weights in ("none", "linear", "quadratic"):
            kind = None if weights == "none" else weights
            found["cohen_" + weights] = float(cohens_kappa(np.array(case["cross"]), wt=kind).kappa)
    said.append(found)
json.dump(said, sys.stdout)
"""


def cases(rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Raters by items, NaN where somebody did not judge; the first half without gaps."""
    for number in range(60):
        n_raters, n_items, n_categories = rng.integers(2, 6), rng.integers(5, 60), rng.integers(2, 6)
        shares = rng.dirichlet(np.full(n_categories, 0.6), size=n_items)
        table = np.array([rng.choice(n_categories, size=n_raters, p=row) for row in shares], dtype=float).T
        if number >= 30:
            table[rng.random(table.shape) < 0.3] = np.nan
        yield table


def counts_of(table: NDArray[np.float64], n_categories: int) -> NDArray[np.int64]:
    return np.stack([(table == category).sum(axis=0) for category in range(n_categories)], axis=1)


def test_other_libraries_say_the_same_of_random_data():
    python = os.environ.get("BAKEOFF_PEERS")
    if not python:
        skip_or_fail("PEERS", "BAKEOFF_PEERS names no Python that has evalica and statsmodels")
    tables = list(cases(np.random.default_rng(11)))
    asked, ours = [], []
    for table in tables:
        words = np.unique(table[np.isfinite(table)])
        table = np.where(np.isnan(table), np.nan, np.searchsorted(words, table))  # noqa: PLW2901 - 0, 1, 2, ...
        counts = counts_of(table, len(words))
        kinds = Kinds.of(counts)
        measures: dict[str, Measure] = {level: KrippendorffAlpha(level) for level in list(Level)[:3]}
        found = {name: measured(measure, kinds) for name, measure in measures.items()}
        cross = None
        is_full = bool(np.isfinite(table).all())
        if is_full:
            found |= {"fleiss": measured(FleissKappa(), kinds), "randolph": measured(FleissKappa(is_free=True), kinds)}
        if is_full and len(table) == 2:
            pairs = of_two(*table.astype(np.int64), n_categories=len(words))
            cross = np.tensordot(pairs.times, pairs.table, 1).tolist()
            found |= {f"cohen_{weights}": measured(CohenKappa(weights), pairs) for weights in Weights}
        ratings = [[None if np.isnan(each) else each for each in row] for row in table.tolist()]
        asked.append({"ratings": ratings, "counts": counts.tolist() if is_full else None, "cross": cross})
        ours.append(found)
    done = subprocess.run([python, "-c", ORACLES], input=json.dumps(asked), capture_output=True, text=True, check=True)
    n_compared = 0
    for found, theirs in zip(ours, json.loads(done.stdout), strict=True):
        for name, value in theirs.items():
            if not isinstance(found[name], Absent):
                assert found[name] == pytest.approx(value, abs=1e-9), name
                n_compared += 1
    assert n_compared > 200


# ---- how often an interval holds the truth ----

MEASURES: dict[str, Measure] = {
    "raw": RawAgreement(),
    "raw_pooled": PooledAgreement(),
    "krippendorff_nominal": KrippendorffAlpha(),
    "krippendorff_ordinal": KrippendorffAlpha(Level.ORDINAL),
    "gwet_ac1": GwetAC1(),
}


def judged(n_items: int, concentration: float, rng: np.random.Generator) -> Kinds:
    """Items with shares of their own over three labels, each judged by one to five voters."""
    shares = rng.dirichlet(concentration * np.array([0.4, 0.25, 0.35]), size=n_items)
    return Kinds.of(rng.multinomial(rng.integers(1, 6, size=n_items), shares))


def coverage(n_items: int, concentration: float, n_sets: int = 500) -> dict[str, float]:
    rng = np.random.default_rng([n_items, round(10 * concentration)])
    population = judged(1_000_000, concentration, rng)
    truth = {name: measured(measure, population) for name, measure in MEASURES.items()}
    held: dict[str, list[bool]] = {name: [] for name in MEASURES}
    for _ in range(n_sets):
        kinds = judged(n_items, concentration, rng)
        for name, found in estimates(MEASURES, kinds, n_items=kinds.n_items, rounds=500, rng=rng).items():
            if isinstance(found.interval, Interval):
                held[name].append(found.interval.low <= truth[name] <= found.interval.high)  # type: ignore[operator]
    return {name: float(np.mean(each)) for name, each in held.items()}


# 500 data sets know 0.95 to 0.01. Percentiles of few items are too narrow, as docs/methods.md says.
@pytest.mark.parametrize(("n_items", "least"), [(30, 0.89), (100, 0.89), (1000, 0.925)])
@pytest.mark.parametrize("concentration", [0.5, 3.0], ids=["agree", "differ"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(n_items: int, least: float, concentration: float):
    for name, share in coverage(n_items, concentration).items():
        assert least <= share <= 0.98, (name, share)


if __name__ == "__main__":
    for size in (30, 100, 1000):
        for spread in (0.5, 3.0):
            print(size, spread, coverage(size, spread), flush=True)  # noqa: T201
