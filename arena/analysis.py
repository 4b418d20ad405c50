"""What stands behind a board: two models face to face, what first place hangs on, where one scale does not fit.

All of it is about plain Bradley-Terry strengths, ties as half-wins; other plans are refused. Models are told by their
ids, except in sentences, which call them what the board calls them.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.battle import Model, ModelId
from arena.errors import BadInput, NothingToRate, RatingFailed
from arena.estimate import unit_of
from arena.name import NoName, called
from arena.pieces import Pieces, Read, counting
from arena.plan import Plan
from arena.rating import field_of
from arena.rows import Counted, Rows, VoteRows, joined
from arena.tally import Unit
from ratings import (
    FALSE_SHARE,
    POWER,
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
    worth_in_direct_votes,
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

# Of the names that are nearest to one that nobody has, so many are suggested.
_NEAREST = 5

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
    is_in_order: bool
    """Whether the times of all direct votes say which came before which. Where they do not the order is drawn by
    chance, and the conclusion may hang on that."""
    votes_needed: int | None
    """About how many further votes on just these two, and none on others, would with the chance `power` make the
    difference certain, if it is as large as it seems."""
    votes_needed_reason: str | None
    power: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Swap:
    """The fewest votes without which the lower of two neighbours would stand level."""

    leader: ModelId
    runner_up: ModelId
    n_votes: int | None
    """The number that fits without these votes bear out, if `confirmed`; otherwise the estimate below."""
    share: float | None
    confirmed: bool
    reason: str | None
    n_estimated: int | None = None
    """What a straight line through the present fit says, which is quick and often some votes off."""
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
    """Confirmed by fits without the votes."""
    neighbours: tuple[Swap, ...]
    """Each two neighbours from the top, the first two again among them; all estimated, none confirmed."""
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
    """A voter whose votes go against those of others."""

    voter: str
    n_votes: int
    p_value: float
    q_value: float
    model: ModelId | None
    favours: bool | None


@dataclass(frozen=True, slots=True)
class Suspects:
    """Voters for somebody to look at. Nobody is removed, and no vote left out."""

    false_share: float
    """Of those listed, the share that is expected to be there by chance: who has a q-value up to this is listed."""
    n_voters: int
    n_tested: int
    """Voters with enough votes that can be compared with those of others."""
    voters: tuple[SuspectVoter, ...]
    """The least likely first."""


class _Direct(NamedTuple):
    """The scores of the first of two in their direct votes, who gave them if known, and whether time orders them."""

    scores: Floats
    voters: NDArray[np.int64] | None
    is_in_order: bool


class Analysis:
    """The plain fit of a board's votes, to be asked about.

    `models` gives the names that stand on the board; a model without one is called by its id. Raises BadInput for plans
    that are not plain Bradley-Terry.
    """

    def __init__(
        self, votes: Counted, plan: Plan, rows: VoteRows | None = None, models: Mapping[ModelId, Model] | None = None
    ):
        if plan.beyond_plain:
            raise BadInput(
                f"{_ALL} go with plain bradley-terry, ties as half-wins; not with {', '.join(plan.beyond_plain)}"
            )
        field = field_of(votes, plan)
        if len(field.group) < 2:
            raise NothingToRate("no two models can be compared yet: there is nothing to look behind")
        self._plan = plan
        self._rows = rows
        self._names = field.rated_names
        self._models = models or {}
        self._unrated = frozenset(field.names) - frozenset(self._names)
        self._items = {name: item for item, name in enumerate(self._names)}
        self._core = field.rated
        self._unit = unit_of(plan, rows)
        try:
            self._fit: Fit = fit_bradley_terry(self._core)
        except RatingError as error:
            raise RatingFailed(f"these votes could not be rated: {error}") from error
        self._order = np.argsort(-self._fit.strengths, kind="stable")

    def head_to_head(self, a: str, b: str) -> HeadToHead:
        """Compare two rated models, each given by its id or its name.

        Raises BadInput for a model that is not rated, a name that nobody or more than one has, or twice the same.
        """
        a, b = self._called(a), self._called(b)
        if a == b:
            raise BadInput(f"{self._name(a)!r} cannot be compared with itself; name two models")
        first, second = self._items[a], self._items[b]
        name_a, name_b = self._name(a), self._name(b)
        covariance, confidence = self._covariance(), self._plan.confidence
        gap = float(self._fit.strengths[first] - self._fit.strengths[second])
        found = difference(self._fit, covariance, first, second, confidence=confidence)
        scores, voters, is_in_order = self._direct(first, second)
        decision = decide(scores, confidence=confidence, clusters=voters)
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        n_votes = worth_in_direct_votes(self._core, self._fit, first, second)
        needed = (
            votes_needed(gap, (found.high - found.low) / 2 / z, n_votes, confidence=confidence, power=POWER)
            if isinstance(found, Interval)
            else Absent("there is no interval to reckon from")
        )
        return HeadToHead(
            a=a,
            b=b,
            direct={
                f"{name_a} better": int((scores == 1).sum()),
                f"{name_b} better": int((scores == 0).sum()),
                "neither": int((scores == 0.5).sum()),
            },
            probability=_range(gap, found, to_probability),
            points=_range(gap, found, to_points),
            conclusion=_CONCLUSIONS[decision.conclusion].format(a=name_a, b=name_b),
            decided_at=decision.decided_at,
            n_used=decision.n_used,
            is_in_order=is_in_order,
            votes_needed=None if isinstance(needed, Absent) else needed,
            votes_needed_reason=needed.reason if isinstance(needed, Absent) else None,
            power=POWER,
            confidence=confidence,
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

    def suspects(self) -> Suspects:
        """Voters whose votes go against those of others, beyond what chance does among so many voters.

        Raises BadInput where voters are not known.
        """
        piece = self._votes_by_voter()
        if piece is None:
            raise BadInput("the votes do not tell their voters")
        assert piece.unit is not None  # noqa: S101 - it was asked for
        labels, n_items = self._labels(piece), len(self._names)
        audits = audit_voters(n_items, piece.unit, piece.model_a, piece.model_b, piece.verdict, false_share=FALSE_SHARE)
        found = [
            SuspectVoter(
                voter=labels[audit.voter],
                n_votes=audit.n_votes,
                p_value=audit.p_value,
                q_value=audit.q_value,
                model=None if audit.item is None else self._names[audit.item],
                favours=audit.favours,
            )
            for audit in audits
            if audit.flagged
        ]
        return Suspects(
            false_share=FALSE_SHARE,
            n_voters=len(audits),
            n_tested=sum(audit.item is not None for audit in audits),
            voters=tuple(sorted(found, key=lambda each: (each.p_value, each.voter))),
        )

    def _name(self, model: ModelId) -> str:
        """What the board calls it."""
        known = self._models.get(model)
        return known.name if known is not None else model

    def _called(self, text: str) -> ModelId:
        """The rated model with this id or, if there is none, this name."""
        try:
            return ModelId(called(text, {model: self._name(model) for model in self._names}, what="rated model"))
        except NoName as error:
            if any(text in (model, self._name(model)) for model in self._unrated):
                raise BadInput(f"{text!r} has no rating yet, so that there is nothing to compare") from error
            raise BadInput(str(error)) from error

    def _covariance(self) -> Covariance:
        if self._unit is Unit.NONE or self._rows is None:
            return sandwich(self._core, self._fit)
        pieces = Pieces(Read(self._rows, self._items, self._unit), self._items, self._plan)
        return clustered_sandwich(pieces, self._fit)

    def _votes_by_voter(self) -> Rows | None:
        """All votes that count, with their voters, in the order in which they were cast where that is known."""
        if self._rows is None or Unit.VOTER not in self._rows.units():
            return None
        in_order = self._rows.knows_order()
        found = list(self._rows.rows(self._items, unit=Unit.VOTER, in_order=in_order, is_fixed=True))
        return counting(joined(found), self._plan).shuffled(np.random.default_rng(self._plan.seed))

    def _direct(self, first: int, second: int) -> _Direct:
        """The votes on just these two, in the order of time as far as that is known."""
        piece = self._votes_by_voter()
        if piece is None:
            inside = (self._core.first == min(first, second)) & (self._core.second == max(first, second))
            wins, losses, ties, _ = self._core.counts[:, inside].sum(axis=1)
            if first > second:
                wins, losses = losses, wins
            scores = np.repeat((1.0, 0.0, 0.5), np.array((wins, losses, ties), dtype=np.int64))
            scores = np.random.default_rng(self._plan.seed).permutation(scores)
            return _Direct(scores, None, is_in_order=len(scores) < 2)
        a, b, outcome = piece.model_a, piece.model_b, piece.verdict
        assert piece.unit is not None  # noqa: S101 - it was asked for
        here = ((a == first) & (b == second)) | ((a == second) & (b == first))
        for_a = np.select([outcome == Outcome.A, outcome == Outcome.B], [1.0, 0.0], 0.5)
        scores = np.where(a == first, for_a, 1 - for_a)
        n_times = 1 if piece.moment is None else len(np.unique(piece.moment[here]))
        return _Direct(scores[here], piece.unit[here], is_in_order=n_times >= int(here.sum()))

    def _by_voter(self) -> tuple[Comparisons | None, list[str]]:
        piece = self._votes_by_voter()
        if piece is None:
            return None, []
        assert piece.unit is not None  # noqa: S101 - it was asked for
        voters, cluster = np.unique(piece.unit, return_inverse=True)
        labels = self._labels(piece)
        n_items, a, b = len(self._names), piece.model_a, piece.model_b
        counted = Comparisons.from_outcomes(n_items, a, b, piece.verdict, clusters=cluster)
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
            n_estimated=found.n_linear,
            kinds=tuple(self._told(kind) for kind in found.kinds),
        )

    def _told(self, kind: VotesOfAKind) -> str:
        a, b = self._name(self._names[kind.item_a]), self._name(self._names[kind.item_b])
        told = f"{a} over {b}" if kind.outcome is Outcome.A else f"a tie of {a} and {b}"
        return f"{kind.count:,} x {told}"

    def _voter_swap(self, found: VotersToSwap | Absent, leader: int, runner_up: int, labels: list[str]) -> VoterSwap:
        names = self._names[leader], self._names[runner_up]
        if isinstance(found, Absent):
            return VoterSwap(*names, voters=(), n_votes=None, confirmed=False, reason=found.reason)
        voters = tuple(labels[voter] for voter in found.voters)
        return VoterSwap(*names, voters=voters, n_votes=found.n_votes, confirmed=found.is_confirmed, reason=None)


def to_record(found: Any) -> dict[str, Any]:
    """Plain values of any of these findings, as `--json` prints them."""
    return asdict(found)


def _range(value: float, found: Interval | Absent, scale: Callable[[float], float]) -> Range:
    if isinstance(found, Absent):
        return Range(round(scale(value), _DIGITS), None, None, found.reason)
    value, low, high = (round(scale(each), _DIGITS) for each in (value, found.low, found.high))
    return Range(value, low, high)
