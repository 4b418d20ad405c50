"""Statistics of paired comparisons: strengths, their uncertainty, and ranks.

Arrays go in, arrays and small frozen records come out; nothing here reads, writes, prints or keeps state, and chance
comes in as a generator. *Items* are the integers 0 .. n_items - 1, what they stand for is the caller's affair. A
`strength` is a natural log-odds with mean 0, a `score` is Elo points.

    comparisons = Comparisons.from_outcomes(3, item_a, item_b, outcome)
    fit = fit_bradley_terry(comparisons)
    samples = bootstrap_bradley_terry(comparisons, rounds=1000, rng=np.random.default_rng(seed))
    intervals = percentile_intervals(to_score(samples), confidence=0.95)
    places = rank_ranges(fit.strengths, samples, confidence=0.95)
"""

from ratings.bootstrap import ROUND_PRIOR, bootstrap_bradley_terry
from ratings.bradley_terry import Fit, fit_bradley_terry
from ratings.comparisons import Comparisons, Outcome
from ratings.connectivity import components, rateable_groups
from ratings.errors import (
    DidNotConverge,
    InvalidComparisons,
    InvalidInterval,
    InvalidSetting,
    NotConnected,
    RatingError,
)
from ratings.interval import Absent, Interval, percentile_intervals
from ratings.rank import RankRange, rank_ranges, ranks
from ratings.scale import to_score, to_strength

__all__ = [
    "ROUND_PRIOR",
    "Absent",
    "Comparisons",
    "DidNotConverge",
    "Fit",
    "Interval",
    "InvalidComparisons",
    "InvalidInterval",
    "InvalidSetting",
    "NotConnected",
    "Outcome",
    "RankRange",
    "RatingError",
    "bootstrap_bradley_terry",
    "components",
    "fit_bradley_terry",
    "percentile_intervals",
    "rank_ranges",
    "ranks",
    "rateable_groups",
    "to_score",
    "to_strength",
]
