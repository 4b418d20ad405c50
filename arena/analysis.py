"""What stands behind a board: two models face to face, what first place hangs on, where one scale does not fit.

All of it is about plain Bradley-Terry strengths, ties as half-wins; other plans are refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.battle import ModelId
from arena.errors import BadInput, NothingToRate, RatingFailed
from arena.estimate import unit_of
from arena.pieces import Pieces, Read, outcomes_of
from arena.plan import BothBad, Method, Plan, Ties, Weights
from arena.rating import field_of
from arena.rows import Counted, Rows, VoteRows, joined
from arena.tally import Unit
from ratings import (
    Absent,
    Comparisons,
    Conclusion,
    Covariance,
    Fit,
    Interval,
    Outcome,
    RatingError,
    ScaleFit,
    VotersToSwap,
    VotesOfAKind,
    VotesToSwap,
    audit_voters,
    cluster_moves,
    clustered_sandwich,
    cyclicity,
    decide,
    difference,
    fewest_voters_to_swap,
    fewest_votes_to_swap,
    fit_bradley_terry,
    fit_by_pair,
    fit_of_scale,
    sandwich,
    swap_line,
    to_points,
    to_probability,
    voters_moving,
    votes_needed,
)

Floats = NDArray[np.float64]

_CONCLUSIONS = {
    Conclusion.A_BETTER: "{a} is better",
    Conclusion.B_BETTER: "{b} is better",
    Conclusion.NO_DIFFERENCE: "no difference worth having",
    Conclusion.UNDECIDED: "undecided",
}

# Of the voters that move the board most, and of the pairs that contradict it, so many are listed.
_SHOWN = 10

_DIGITS = 4

_ALL = "head-to-head, influence, goodness and voters"


@dataclass(frozen=True, slots=True)
class Range:
    """A number with its interval, or why there is none."""

    value: float
    low: float | None
    high: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class HeadToHead:
    """Two models face to face. Sides: `a` is the model that was named first."""

    a: ModelId
    b: ModelId
    direct: Mapping[str, int]
    """Votes on exactly these two: a better, b better, neither."""
    probability: Range
    """That a is preferred to b, a tie as half, from all votes of the board."""
    points: Range
    """By how many points a stands above b."""
    conclusion: str
    """What the direct votes alone allow, looked at after every one of them."""
    decided_at: int | None
    n_used: int
    votes_needed: int | None
    """About how many further votes on either of the two, against anybody, would make the difference certain."""
    votes_needed_reason: str | None


@dataclass(frozen=True, slots=True)
class Swap:
    """The fewest votes without which the lower of two neighbours would stand level."""

    leader: ModelId
    runner_up: ModelId
    n_votes: int | None
    share: float | None
    confirmed: bool
    reason: str | None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VoterSwap:
    """The fewest voters without whose votes the runner-up would stand level."""

    leader: ModelId
    runner_up: ModelId
    voters: tuple[str, ...]
    n_votes: int | None
    confirmed: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class MovingVoter:
    """A voter, and how far the votes of this one move the board, in points."""

    voter: str
    gap: float
    """Of the first place over the second."""
    largest: float
    model: ModelId
    """The one that is moved most."""


@dataclass(frozen=True, slots=True)
class Influence:
    """What the order of the board hangs on."""

    first_place: Swap
    neighbours: tuple[Swap, ...]
    """Each two neighbours from the top; by the linear picture, not confirmed."""
    first_place_by_voters: VoterSwap | None
    moving_most: tuple[MovingVoter, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A pair whose votes the scores do not explain."""

    model: ModelId
    other: ModelId
    n_votes: int
    observed: float
    """Share won by `model`, a tie as half."""
    expected: float
    q_value: float


@dataclass(frozen=True, slots=True)
class Cycles:
    """How much of the votes goes in circles."""

    share: float
    """Of the differences between pairs, what no scores can explain; what chance adds is taken off."""
    n_cycles: int
    n_triples: int
    sure: tuple[tuple[ModelId, ModelId, ModelId], ...]
    """Circles of which every lead is certain: the first beats the second, that the third, that the first."""


@dataclass(frozen=True, slots=True)
class Goodness:
    """Whether one scale fits the votes."""

    scale: ScaleFit | Absent
    cycles: Cycles | Absent
    n_contradictions: int
    contradictions: tuple[Contradiction, ...]
    """The clearest of them."""


@dataclass(frozen=True, slots=True)
class SuspectVoter:
    """A voter whose votes go against those of others, for somebody to look at. Nothing is removed."""

    voter: str
    n_votes: int
    p_value: float
    q_value: float
    model: ModelId | None
    favours: bool | None


class Analysis:
    """The plain fit of a board's votes, to be asked about. Raises BadInput for plans that are not plain."""

    def __init__(self, votes: Counted, plan: Plan, rows: VoteRows | None = None):
        if plan.method is not Method.BRADLEY_TERRY or plan.ties is not Ties.HALF or plan.style or plan.order:
            raise BadInput(
                "head-to-head, influence, goodness and voters go with plain bradley-terry, ties as half-wins"
            )
        if plan.weights is not Weights.EQUAL or plan.both_bad is BothBad.OWN or plan.prior:
            raise BadInput(f"{_ALL} go with equal weights and without a prior")
        field = field_of(votes, plan)
        if len(field.group) < 2:
            raise NothingToRate("no two models can be compared yet: there is nothing to look behind")
        self._plan = plan
        self._rows = rows
        self._names = field.rated_names
        self._items = {name: item for item, name in enumerate(self._names)}
        self._core = field.rated
        self._unit = unit_of(plan, rows)
        try:
            self._fit: Fit = fit_bradley_terry(self._core)
        except RatingError as error:
            raise RatingFailed(f"these votes could not be rated: {error}") from error
        self._order = np.argsort(-self._fit.strengths, kind="stable")

    def head_to_head(self, a: ModelId, b: ModelId) -> HeadToHead:
        """Compare two rated models. Raises BadInput for one that is not rated, or twice the same."""
        unknown = [name for name in (a, b) if name not in self._items]
        if unknown or a == b:
            what = f"{unknown[0]!r} is not rated" if unknown else "a model cannot be compared with itself"
            raise BadInput(f"{what}; rated: {', '.join(self._names)}")
        first, second = self._items[a], self._items[b]
        covariance, confidence = self._covariance(), self._plan.confidence
        gap = float(self._fit.strengths[first] - self._fit.strengths[second])
        found = difference(self._fit, covariance, first, second, confidence=confidence)
        scores, voters = self._direct(first, second)
        decision = decide(scores, confidence=confidence, clusters=voters)
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        # Votes on either of the two bear on their distance, whomever they are against.
        n_votes = float(self._core.games[[first, second]].sum()) - len(scores)
        needed = (
            votes_needed(gap, (found.high - found.low) / 2 / z, n_votes, confidence=confidence)
            if isinstance(found, Interval)
            else Absent("there is no interval to reckon from")
        )
        return HeadToHead(
            a=a,
            b=b,
            direct={
                f"{a} better": int((scores == 1).sum()),
                f"{b} better": int((scores == 0).sum()),
                "neither": int((scores == 0.5).sum()),
            },
            probability=_range(gap, found, to_probability),
            points=_range(gap, found, to_points),
            conclusion=_CONCLUSIONS[decision.conclusion].format(a=a, b=b),
            decided_at=decision.decided_at,
            n_used=decision.n_used,
            votes_needed=None if isinstance(needed, Absent) else needed,
            votes_needed_reason=needed.reason if isinstance(needed, Absent) else None,
        )

    def influence(self) -> Influence:
        """The fewest votes, and voters, that hold up the order; and who moves the board most."""
        leader, runner_up = (int(item) for item in self._order[:2])
        first = fewest_votes_to_swap(self._core, self._fit, leader, runner_up)
        neighbours = swap_line(self._core, self._fit)
        pairs = zip(self._order[:-1].tolist(), self._order[1:].tolist(), strict=True)
        clustered, labels = self._by_voter()
        by_voters, moving = None, ()
        if clustered is not None:
            moves = cluster_moves(clustered, self._fit)
            found = fewest_voters_to_swap(clustered, self._fit, leader, runner_up, moves=moves)
            by_voters = self._voter_swap(found, leader, runner_up, labels)
            moved = voters_moving(self._fit, moves)
            most = np.argsort(-moved.largest, kind="stable")[:_SHOWN]
            moving = tuple(
                MovingVoter(
                    voter=labels[voter],
                    gap=round(float(to_points(moved.gap[voter])), _DIGITS),
                    largest=round(float(to_points(moved.largest[voter])), _DIGITS),
                    model=self._names[moved.largest_item[voter]],
                )
                for voter in most.tolist()
            )
        return Influence(
            first_place=self._swap(first, leader, runner_up),
            neighbours=tuple(self._swap(each, *pair) for each, pair in zip(neighbours, pairs, strict=True)),
            first_place_by_voters=by_voters,
            moving_most=moving,
        )

    def goodness(self) -> Goodness:
        """Which pairs contradict a single scale, and how intransitive the votes are."""
        pairs = fit_by_pair(self._core, self._fit)
        found = pairs.contradictions()
        cycles = cyclicity(self._core, self._fit, confidence=self._plan.confidence)
        if not isinstance(cycles, Absent):
            sure = tuple((self._names[i], self._names[j], self._names[k]) for i, j, k in cycles.sure_cycles)
            cycles = Cycles(round(cycles.share, _DIGITS), cycles.n_cycles, cycles.n_triples, sure)
        return Goodness(
            scale=fit_of_scale(self._core, self._fit),
            cycles=cycles,
            n_contradictions=len(found),
            contradictions=tuple(
                Contradiction(
                    model=self._names[pairs.first[pair]],
                    other=self._names[pairs.second[pair]],
                    n_votes=round(float(pairs.n_votes[pair])),
                    observed=round(float(pairs.observed[pair] / pairs.n_votes[pair]), _DIGITS),
                    expected=round(float(pairs.expected[pair] / pairs.n_votes[pair]), _DIGITS),
                    q_value=float(pairs.q_value[pair]),
                )
                for pair in found[:_SHOWN].tolist()
            ),
        )

    def suspects(self) -> tuple[SuspectVoter, ...]:
        """Voters whose votes go against those of others, the least likely first; for review, nothing is removed.

        Raises BadInput where voters are not known.
        """
        piece = self._votes_by_voter()
        if piece is None:
            raise BadInput("the votes do not tell their voters")
        kept, outcome = outcomes_of(piece, self._plan)
        assert piece.unit is not None  # noqa: S101 - it was asked for
        labels = self._labels(piece)
        audits = audit_voters(
            len(self._names),
            piece.unit[kept],
            piece.model_a[kept],
            piece.model_b[kept],
            outcome,
            rng=np.random.default_rng(self._plan.seed),
            confidence=self._plan.confidence,
        )
        return tuple(
            SuspectVoter(
                voter=labels[audit.voter],
                n_votes=audit.n_votes,
                p_value=float(audit.p_value),
                q_value=float(audit.q_value),
                model=None if audit.item is None else self._names[audit.item],
                favours=audit.favours,
            )
            for audit in sorted(audits, key=lambda each: (each.p_value, each.voter))
            if audit.flagged
        )

    def _covariance(self) -> Covariance:
        if self._unit is Unit.NONE or self._rows is None:
            return sandwich(self._core, self._fit)
        pieces = Pieces(Read(self._rows, self._items, self._unit), self._items, self._plan)
        return clustered_sandwich(pieces, self._fit, whole=self._core)

    def _votes_by_voter(self) -> Rows | None:
        """All votes of the rated models with their voters, in the order in which they were cast where that is known."""
        if self._rows is None or Unit.VOTER not in self._rows.units():
            return None
        in_order = self._rows.knows_order()
        found = list(self._rows.rows(self._items, unit=Unit.VOTER, in_order=in_order, is_fixed=True))
        return joined(found).shuffled(np.random.default_rng(self._plan.seed))

    def _direct(self, first: int, second: int) -> tuple[Floats, NDArray[np.int64] | None]:
        """The scores of `first` in the votes on just these two, and who gave them, in the order of time if known."""
        piece = self._votes_by_voter()
        if piece is None:
            inside = (self._core.first == min(first, second)) & (self._core.second == max(first, second))
            wins, losses, ties, _ = self._core.counts[:, inside].sum(axis=1)
            if first > second:
                wins, losses = losses, wins
            scores = np.repeat((1.0, 0.0, 0.5), np.array((wins, losses, ties), dtype=np.int64))
            return np.random.default_rng(self._plan.seed).permutation(scores), None
        kept, outcome = outcomes_of(piece, self._plan)
        a, b, unit = piece.model_a[kept], piece.model_b[kept], piece.unit
        assert unit is not None  # noqa: S101 - it was asked for
        here = ((a == first) & (b == second)) | ((a == second) & (b == first))
        for_a = np.select([outcome == Outcome.A, outcome == Outcome.B], [1.0, 0.0], 0.5)
        scores = np.where(a == first, for_a, 1 - for_a)
        return scores[here], unit[kept][here]

    def _by_voter(self) -> tuple[Comparisons | None, list[str]]:
        piece = self._votes_by_voter()
        if piece is None:
            return None, []
        kept, outcome = outcomes_of(piece, self._plan)
        assert piece.unit is not None  # noqa: S101 - it was asked for
        voters, cluster = np.unique(piece.unit[kept], return_inverse=True)
        a, b = piece.model_a[kept], piece.model_b[kept]
        labels = self._labels(piece)
        counted = Comparisons.from_outcomes(len(self._names), a, b, outcome, clusters=cluster)
        return counted, [labels[voter] for voter in voters.tolist()]

    def _labels(self, piece: Rows) -> list[str]:
        """What each voter of a piece is called; those not known by number."""
        assert self._rows is not None  # noqa: S101 - the piece came from there
        assert piece.unit is not None  # noqa: S101 - it was asked for
        assert piece.unit_keys is not None  # noqa: S101 - the same
        names = self._rows.labels(Unit.VOTER)
        known = [names[key] for key in piece.unit_keys.tolist()]
        n_units = int(piece.unit.max(initial=-1)) + 1
        return known + [f"unknown voter {number:,}" for number in range(1, n_units - len(known) + 1)]

    def _swap(self, found: VotesToSwap | Absent, leader: int, runner_up: int) -> Swap:
        names = self._names[leader], self._names[runner_up]
        if isinstance(found, Absent):
            return Swap(*names, n_votes=None, share=None, confirmed=False, reason=found.reason)
        return Swap(
            *names,
            n_votes=found.n_votes,
            share=found.share,
            confirmed=found.is_confirmed,
            reason=None,
            kinds=tuple(self._told(kind) for kind in found.kinds),
        )

    def _told(self, kind: VotesOfAKind) -> str:
        a, b = self._names[kind.item_a], self._names[kind.item_b]
        how = "a tie of" if kind.outcome is not Outcome.A else ""
        return f"{kind.count:,} x {how} {a} and {b}".replace("  ", " ") if how else f"{kind.count:,} x {a} over {b}"

    def _voter_swap(self, found: VotersToSwap | Absent, leader: int, runner_up: int, labels: list[str]) -> VoterSwap:
        names = self._names[leader], self._names[runner_up]
        if isinstance(found, Absent):
            return VoterSwap(*names, voters=(), n_votes=None, confirmed=False, reason=found.reason)
        voters = tuple(labels[voter] for voter in found.voters)
        return VoterSwap(*names, voters=voters, n_votes=found.n_votes, confirmed=found.is_confirmed, reason=None)


def to_record(found: Any) -> Any:
    """Plain values of any of these findings, as `--json` prints them."""
    return [asdict(each) for each in found] if isinstance(found, tuple) else asdict(found)


def _range(value: float, found: Interval | Absent, scale: Callable[[float], float]) -> Range:
    if isinstance(found, Absent):
        return Range(round(scale(value), _DIGITS), None, None, found.reason)
    value, low, high = (round(scale(each), _DIGITS) for each in (value, found.low, found.high))
    return Range(value, low, high)
