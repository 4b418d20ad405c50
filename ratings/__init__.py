"""Statistics of paired comparisons: strengths, their uncertainty, and ranks.

Arrays go in, arrays and small frozen records come out; nothing here reads, writes or prints, nothing but `LiveRatings`
keeps state, and chance comes in as a generator. *Items* are the integers 0 .. n_items - 1, what they stand for is the
caller's affair. A `strength` is a natural log-odds, a `score` is Elo points.

    comparisons = Comparisons.from_outcomes(3, item_a, item_b, outcome, clusters=voter)
    found = fit(comparisons)
    covariance = clustered_sandwich(comparisons, found)
    intervals = strength_intervals(found, covariance, confidence=0.95)
    samples = draws(found, covariance, n_draws=2000, rng=np.random.default_rng(seed))
    places = rank_ranges(found.strengths, samples, confidence=0.95)

How far raters agree who put items into categories stands by itself, in `ratings.agreement` and `ratings.two_raters`.
"""

from ratings.anomaly import VoterAudit, audit_voters
from ratings.bootstrap import ROUND_PRIOR, bootstrap_bradley_terry, bootstrap_clusters, bootstrap_fit
from ratings.bound import unbeaten_bound
from ratings.comparisons import Comparisons, Outcome
from ratings.connectivity import components, grounded_group, rateable_groups
from ratings.decision import Conclusion, ConfidenceSequence, Decision, confidence_sequence, decide
from ratings.discovery import FALSE_SHARE, false_discovery_rates
from ratings.drift import Drift, Shift, binned, drift, jensen_shannon, stability_index
from ratings.effects import Effect, Effects, effects_beside_strength
from ratings.elo import bootstrap_elo, online_elo
from ratings.errors import (
    DidNotConverge,
    InvalidComparisons,
    InvalidInterval,
    InvalidSetting,
    NotConnected,
    NotDetermined,
    RatingError,
)
from ratings.fit import TOLERANCE, Batches, Fit, Penalty, fit, fit_bradley_terry, information, log_likelihood, pieces
from ratings.goodness import Cyclicity, PairFit, ScaleFit, cyclicity, fit_by_pair, fit_of_scale
from ratings.influence import (
    VoterMoves,
    VotersToSwap,
    VotesOfAKind,
    VotesToSwap,
    fewest_voters_to_swap,
    fewest_votes_to_swap,
    swap_line,
    voters_moving,
)
from ratings.interval import Absent, Interval, percentile_intervals
from ratings.likelihood import BradleyTerry, Davidson, GroundedRaoKupper, Likelihood, RaoKupper
from ratings.live import LiveBoard, LiveRatings
from ratings.one_step import bootstrap_one_step
from ratings.plackett_luce import RankingFit, fit_plackett_luce
from ratings.pooling import PooledSlice, Pooling, estimate_tau, pool_slices
from ratings.power import POWER, votes_needed, worth_in_direct_votes
from ratings.rank import RankRange, rank_ranges, ranks, surely_above
from ratings.sandwich import (
    Covariance,
    cluster_moves,
    clustered_sandwich,
    coefficient_intervals,
    difference,
    draws,
    sandwich,
    strength_intervals,
)
from ratings.scale import to_points, to_probability, to_score, to_strength
from ratings.sequence import Sequences, chance_of_drift, chance_of_runs, sequences
from ratings.shares import (
    ChiSquare,
    chi_square,
    cohens_kappa,
    difference_of_shares,
    even_chance,
    gini,
    simes,
    wilson,
)
from ratings.streak import chance_of_a_run, chance_of_as_many
from ratings.tiers import tiers
from ratings.win_rate import WinRate, win_rates

__all__ = [
    "FALSE_SHARE",
    "POWER",
    "ROUND_PRIOR",
    "TOLERANCE",
    "Absent",
    "Batches",
    "BradleyTerry",
    "ChiSquare",
    "Comparisons",
    "Conclusion",
    "ConfidenceSequence",
    "Covariance",
    "Cyclicity",
    "Davidson",
    "Decision",
    "DidNotConverge",
    "Drift",
    "Effect",
    "Effects",
    "Fit",
    "GroundedRaoKupper",
    "Interval",
    "InvalidComparisons",
    "InvalidInterval",
    "InvalidSetting",
    "Likelihood",
    "LiveBoard",
    "LiveRatings",
    "NotConnected",
    "NotDetermined",
    "Outcome",
    "PairFit",
    "Penalty",
    "PooledSlice",
    "Pooling",
    "RankRange",
    "RankingFit",
    "RaoKupper",
    "RatingError",
    "ScaleFit",
    "Sequences",
    "Shift",
    "VoterAudit",
    "VoterMoves",
    "VotersToSwap",
    "VotesOfAKind",
    "VotesToSwap",
    "WinRate",
    "audit_voters",
    "binned",
    "bootstrap_bradley_terry",
    "bootstrap_clusters",
    "bootstrap_elo",
    "bootstrap_fit",
    "bootstrap_one_step",
    "chance_of_a_run",
    "chance_of_as_many",
    "chance_of_drift",
    "chance_of_runs",
    "chi_square",
    "cluster_moves",
    "clustered_sandwich",
    "coefficient_intervals",
    "cohens_kappa",
    "components",
    "confidence_sequence",
    "cyclicity",
    "decide",
    "difference",
    "difference_of_shares",
    "draws",
    "drift",
    "effects_beside_strength",
    "estimate_tau",
    "even_chance",
    "false_discovery_rates",
    "fewest_voters_to_swap",
    "fewest_votes_to_swap",
    "fit",
    "fit_bradley_terry",
    "fit_by_pair",
    "fit_of_scale",
    "fit_plackett_luce",
    "gini",
    "grounded_group",
    "information",
    "jensen_shannon",
    "log_likelihood",
    "online_elo",
    "percentile_intervals",
    "pieces",
    "pool_slices",
    "rank_ranges",
    "ranks",
    "rateable_groups",
    "sandwich",
    "sequences",
    "simes",
    "stability_index",
    "strength_intervals",
    "surely_above",
    "swap_line",
    "tiers",
    "to_points",
    "to_probability",
    "to_score",
    "to_strength",
    "unbeaten_bound",
    "voters_moving",
    "votes_needed",
    "wilson",
    "win_rates",
    "worth_in_direct_votes",
]
