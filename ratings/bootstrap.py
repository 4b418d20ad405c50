"""How much the estimates would vary if the comparisons, or those who made them, were drawn again.

Three bootstraps by one plan: draw with replacement, refit, repeat. `bootstrap_bradley_terry` draws comparisons,
`bootstrap_clusters` whole clusters (voters, say), both for Bradley-Terry strengths; `bootstrap_fit` draws comparisons
and refits any model, and takes its time. Rounds come in blocks whose size follows from the comparisons, each with a
stream of random numbers of its own: which thread works on a block leaves no trace.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ratings.bradley_terry import Refit
from ratings.comparisons import Comparisons, Outcome
from ratings.errors import DidNotConverge, InvalidComparisons, InvalidSetting, NotConnected, NotDetermined
from ratings.fit import Batches, fit, pieces
from ratings.likelihood import BradleyTerry, Likelihood
from ratings.multinomial import Multinomial

Floats = NDArray[np.float64]

ROUND_PRIOR = 0.01
"""Precision of the prior on each strength in a round: N(0, 1 / 0.01), a standard deviation of 10 logits."""

N_THREADS = 2
"""Enough for a small machine; more change nothing but the time."""

_LEAST_IN_A_BLOCK = 4
_MOST_IN_A_BLOCK = 250
_ENTRIES_IN_A_BLOCK = 2**21
"""So many rounds a block that there are about as many numbers to draw; but within the two limits above."""
_FITS_IN_A_BLOCK = 10
"""Rounds a block where each is fitted by itself."""


def bootstrap_bradley_terry(
    comparisons: Comparisons,
    *,
    rounds: int,
    rng: np.random.Generator,
    prior: float = ROUND_PRIOR,
    n_threads: int = N_THREADS,
    on_progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Bradley-Terry strengths refitted to resampled comparisons, shape (rounds, n_items), natural log-odds.

    A round draws as many comparisons as there are, with replacement, and fits them. Resampling treats comparisons as
    independent: several of them by one voter make the truth vary more than the rounds do (see `bootstrap_clusters`;
    clusters are ignored here). Weights stay with the comparisons that are drawn.

    An unbeaten item in the resample would have an infinite maximum-likelihood strength, so rounds are fitted with a
    weak prior, independent N(0, 1 / prior) strengths: by default a standard deviation of 10 logits (1737 points), which
    bounds such a round, and moves an item with 50 comparisons against equals by less than a thousandth of its strength.
    Strengths are exact to about 1e-9 logits.

    An item that is absent from a resample is NaN in that round. The items present are shifted so that their mean is
    the mean of the same items in the point estimate (fitted with the same prior); with all present that is 0. Without
    comparisons everything is NaN.

    The result depends on the comparisons, `rounds`, `prior` and the state of `rng` alone: `n_threads` sets speed, never
    a bit of it. More rounds begin with the same rounds. `on_progress` is called in the caller's thread with (rounds
    done, rounds) after each block of them.

    Raises InvalidSetting if `rounds` or `n_threads` is below 1 or `prior` not above 0, InvalidComparisons if a count is
    not whole, if there are covariates (`bootstrap_fit` takes them) or comparisons in which both were bad (count them as
    ties or leave them out). Source: Efron (1979), doi:10.1214/aos/1176344552.
    """
    _check_settings(rounds, prior, n_threads)
    _refuse_what_bradley_terry_cannot_use(comparisons)
    cells = _without_clusters(comparisons)
    drawing = Multinomial(cells.counts)
    outcome, cell = np.divmod(drawing.categories, max(cells.n_cells, 1))
    weights = np.ones(len(cell)) if cells.weights is None else cells.weights[cell]
    margins = np.array([1.0, -1.0, 0.0])[outcome]
    shares = _Shares(_pairs(cells)[cell], np.arange(len(cell)), weights, weights * margins)
    return _refitted(
        cells.n_items,
        drawing,
        _tabled(shares, len(cell)),
        rounds=rounds,
        rng=rng,
        prior=prior,
        n_threads=n_threads,
        on_progress=on_progress,
    )


def bootstrap_clusters(
    batches: Batches,
    *,
    rounds: int,
    rng: np.random.Generator,
    prior: float = ROUND_PRIOR,
    n_threads: int = N_THREADS,
    on_progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Bradley-Terry strengths refitted to resampled clusters of comparisons, shape (rounds, n_items).

    A round draws as many clusters (voters, say) as have comparisons, with replacement, each with all its comparisons,
    and fits these. Only clusters need be independent of each other, not the comparisons in one; but there should be
    some dozens of them, none with a large share of all comparisons. A cluster may appear in several batches. Counts
    need not be whole here. Everything else is as in `bootstrap_bradley_terry`, the gauge and missing items included.

    Raises as `bootstrap_bradley_terry`, and InvalidComparisons if comparisons are without clusters. Source: Davison and
    Hinkley (1997), Bootstrap Methods and their Application, section 3.8.
    """
    _check_settings(rounds, prior, n_threads)
    n_items, tables = None, []
    for batch in pieces(batches):
        _refuse_what_bradley_terry_cannot_use(batch)
        if batch.clusters is None:
            raise InvalidComparisons("clusters", None, "the number of the cluster of each comparison")
        n_items = batch.n_items if n_items is None else n_items
        if batch.n_items != n_items:
            raise InvalidComparisons("n_items of a batch", batch.n_items, f"{n_items}, as in the first one")
        weights = 1.0 if batch.weights is None else batch.weights
        games, margins = batch.cell_counts * weights, (batch.wins_first - batch.wins_second) * weights
        # Half as wide as the batch has them: all batches are held at once here.
        tables.append(_Shares(_narrow(_pairs(batch)), _narrow(batch.clusters), games, margins))
    if n_items is None:
        raise InvalidComparisons("number of batches", 0, "1 or more")
    columns = list(zip(*tables, strict=True))
    tables.clear()
    shares = _Shares(*(np.concatenate(columns.pop(0)) for _ in _Shares._fields))  # one column at a time is there twice
    numbers, clusters = _numbered(shares.thing)
    table = _tabled(shares._replace(thing=clusters), len(numbers))
    del shares, clusters  # as large as the table, and not needed beside it
    drawing = Multinomial(np.ones(len(numbers)))
    return _refitted(
        n_items, drawing, table, rounds=rounds, rng=rng, prior=prior, n_threads=n_threads, on_progress=on_progress
    )


def bootstrap_fit(
    comparisons: Comparisons,
    likelihood: Likelihood | None = None,
    *,
    rounds: int,
    rng: np.random.Generator,
    prior: float = ROUND_PRIOR,
    ridge: float = 0.0,
    n_threads: int = N_THREADS,
    on_progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """All parameters of any model refitted to resampled comparisons, shape (rounds, n_parameters).

    Columns are as in `Fit.parameters`: strengths, coefficients of covariates, extras of the model (Bradley-Terry if
    none is given). Rounds are drawn as in `bootstrap_bradley_terry`, but fitted one by one by `fit`, with `prior` and
    `ridge`, from the estimate of all comparisons. That takes milliseconds a round where cells are few, and minutes in
    all where covariates differ from comparison to comparison: leave these to `clustered_sandwich`.

    An item that is absent from a resample is NaN in that round. A round that `fit` refuses, or in which it finds no
    end, is NaN in all columns: no tie was drawn for a model of ties, say, or a covariate separates wins from losses.
    `percentile_intervals` counts both as missing. If only differences of strengths matter, strengths are shifted as in
    `bootstrap_bradley_terry`; otherwise they have their absolute level.

    Raises as `bootstrap_bradley_terry`, except that covariates and comparisons in which both were bad are fine where
    `fit` takes them; InvalidComparisons if there are none at all; and as `fit` if all together cannot be fitted.
    """
    _check_settings(rounds, prior, n_threads)
    cells = _without_clusters(comparisons)
    drawing = Multinomial(cells.counts)
    model = likelihood or BradleyTerry()
    if not cells.n_cells:
        raise InvalidComparisons("n_comparisons", 0, "1 or more, as there is nothing to fit")
    whole = fit(cells, model, prior=prior, ridge=ridge)

    def refit(rng: np.random.Generator, n_rounds: int) -> Floats:
        counts = np.zeros((_FITS_IN_A_BLOCK, 4 * cells.n_cells))
        counts[:, drawing.categories] = drawing.draw(_FITS_IN_A_BLOCK, rng).T
        samples = np.full((n_rounds, len(whole.parameters)), np.nan)
        for sample, table in zip(samples, counts[:n_rounds].reshape(n_rounds, 4, -1), strict=True):
            drawn = _redrawn(cells, table)
            try:
                found = fit(drawn, model, prior=prior, ridge=ridge, start=whole.parameters)
            except (NotConnected, NotDetermined, DidNotConverge):
                continue
            sample[:] = found.parameters
            present = drawn.games > 0
            strengths = sample[: cells.n_items]
            strengths[~present] = np.nan
            if model.is_difference:
                strengths += (whole.strengths - strengths)[present].mean()
        return samples

    return _in_blocks(
        refit, rounds=rounds, at_once=_FITS_IN_A_BLOCK, rng=rng, n_threads=n_threads, on_progress=on_progress
    )


class _Shares(NamedTuple):
    """What each thing that is drawn adds to which pair, each time that it is drawn; columns of shape (n_shares,)."""

    pair: NDArray[np.integer]
    thing: NDArray[np.integer]
    games: Floats
    margin: Floats
    """Games that `first` won, less those that `second` did."""


class _Table(NamedTuple):
    """What a drawn thing adds to which pair, as sparse matrices: shape (n_pairs, n_things)."""

    pairs: NDArray[np.int64]
    games: Any
    margins: Any


def _tabled(shares: _Shares, n_things: int) -> _Table:
    from scipy.sparse import csr_array  # noqa: PLC0415 - slow to load

    pairs, row = _numbered(shares.pair)
    shape = (len(pairs), n_things)
    games = csr_array((shares.games, (row, shares.thing)), shape=shape)
    margins = csr_array((shares.margin, (row, shares.thing)), shape=shape)
    margins.eliminate_zeros()
    return _Table(pairs, games, margins)


def _refitted(
    n_items: int,
    drawing: Multinomial,
    table: _Table,
    *,
    rounds: int,
    rng: np.random.Generator,
    prior: float,
    n_threads: int,
    on_progress: Callable[[int, int], None] | None,
) -> Floats:
    """Bradley-Terry strengths of all rounds, shape (rounds, n_items)."""
    if not len(table.pairs):
        if on_progress is not None:
            on_progress(rounds, rounds)
        return np.full((rounds, n_items), np.nan)
    first, second = np.divmod(table.pairs, n_items)

    # The original is the resample in which each thing is drawn as often as it is there. Ties are half-wins.
    games, margins = table.games @ drawing.counts, table.margins @ drawing.counts
    wins = Comparisons(n_items, first, second, (games + margins) / 2, (games - margins) / 2, np.zeros(len(first)))
    point = fit(wins, BradleyTerry(), prior=prior).strengths
    at_once = min(max(_ENTRIES_IN_A_BLOCK // max(table.games.shape), _LEAST_IN_A_BLOCK), _MOST_IN_A_BLOCK)
    engine = Refit(first, second, games, point=point, prior=prior, at_once=at_once)

    def refit(rng: np.random.Generator, n_rounds: int) -> Floats:
        drawn = drawing.draw(at_once, rng).astype(np.float64)
        return engine.strengths(table.games @ drawn, table.margins @ drawn)[:n_rounds]

    return _in_blocks(refit, rounds=rounds, at_once=at_once, rng=rng, n_threads=n_threads, on_progress=on_progress)


def _in_blocks(
    refit: Callable[[np.random.Generator, int], Floats],
    *,
    rounds: int,
    at_once: int,
    rng: np.random.Generator,
    n_threads: int,
    on_progress: Callable[[int, int], None] | None,
) -> Floats:
    """All rounds in order. A block is drawn whole even if a part is wanted, so that more rounds begin with the same."""
    starts = range(0, rounds, at_once)
    seeds = np.random.SeedSequence(rng.integers(2**63, size=4).tolist()).spawn(len(starts))
    pool = ThreadPoolExecutor(n_threads)
    try:
        blocks = [
            pool.submit(refit, np.random.default_rng(seed), min(at_once, rounds - start))
            for start, seed in zip(starts, seeds, strict=True)
        ]
        for start, block in zip(starts, blocks, strict=True):
            done = start + len(block.result())
            if on_progress is not None:
                on_progress(done, rounds)
        return np.concatenate([block.result() for block in blocks])
    finally:
        pool.shutdown(cancel_futures=True)


def _check_settings(rounds: int, prior: float, n_threads: int) -> None:
    for name, value in (("rounds", rounds), ("n_threads", n_threads)):
        if value < 1:
            raise InvalidSetting(name, value, "1 or more")
    if not (np.isfinite(prior) and prior > 0):
        raise InvalidSetting("prior", prior, "a precision above 0, finite")


def _refuse_what_bradley_terry_cannot_use(comparisons: Comparisons) -> None:
    if comparisons.covariates is not None:
        raise InvalidComparisons(
            "covariates", comparisons.covariates.shape, "none here; bootstrap_fit and clustered_sandwich take them"
        )
    n_both_bad = comparisons.counts[Outcome.BOTH_BAD].sum()
    if n_both_bad:
        raise InvalidComparisons(
            "number of both_bad", n_both_bad.item(), "0; count them as ties, leave them out, or use GroundedRaoKupper"
        )


def _without_clusters(comparisons: Comparisons) -> Comparisons:
    """The same comparisons; cells that differ by cluster alone are one, except that those with covariates all stay."""
    if comparisons.clusters is None:
        return comparisons
    return Comparisons._counted(
        comparisons.n_items,
        comparisons.first,
        comparisons.second,
        comparisons.counts,
        weights=comparisons.weights,
        covariates=comparisons.covariates,
    )


def _pairs(comparisons: Comparisons) -> NDArray[np.int64]:
    """A number for the pair of each cell."""
    return comparisons.first * comparisons.n_items + comparisons.second


def _narrow(numbers: NDArray[np.int64]) -> NDArray[np.integer]:
    """The same numbers, from 0, in 32 bits if they fit."""
    return numbers.astype(np.int32) if numbers.max(initial=0) < 2**31 else numbers


def _numbered(values: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The distinct values, ascending, and the place of each value among them; values are small numbers from 0."""
    is_there = np.zeros(int(values.max(initial=-1)) + 1, dtype=bool)
    is_there[values] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there, dtype=np.int32) - np.int32(1))[values]


def _redrawn(cells: Comparisons, counts: Floats) -> Comparisons:
    """The cells with other counts, shape (4, n_cells), those without any left out."""
    kept = counts.sum(axis=0) > 0
    weights, covariates = (None if column is None else column[kept] for column in (cells.weights, cells.covariates))
    first, second = cells.first[kept], cells.second[kept]
    return Comparisons(cells.n_items, first, second, *counts[:, kept], weights=weights, covariates=covariates)
