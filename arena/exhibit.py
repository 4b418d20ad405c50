"""Exhibits: what the analysis pages show of a snapshot, as values. Voters are numbers here, and nobody is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from arena.agreement import Agreement, Band, Part
from arena.analysis import HeadToHead, Influence, Swap
from arena.bars import Bars
from arena.battle import Model, ModelId
from arena.leaderboard import Coefficient, Entry
from arena.meetings import Record, Share
from arena.withdrawals import Withdrawals

# Opinions on a pair: which of the two, by the direct votes alone.
Decision = Literal["a", "b", "no_difference", "undecided"]


@dataclass(frozen=True, slots=True)
class Duel:
    """Two models face to face."""

    found: HeadToHead
    record: Record
    """As seen by the first."""
    decision: Decision
    by_voter: bool
    """Whether voters are known, so that of each only the first vote on the two counts for the decision."""


@dataclass(frozen=True, slots=True)
class Concord:
    """One measure of agreement, from pairs of votes by two voters on the same two answers."""

    value: float | None
    low: float | None
    high: float | None
    n_pairs: int
    n_items: int
    """Pairs of answers that have such votes."""
    reason: str | None
    """Why value or interval are not there."""
    band: Band | None = None
    """What the practice guide calls it; of alpha alone."""

    @classmethod
    def of(cls, part: Part, measure: str) -> Self:
        """One of the figures of a part."""
        told = part.figures[measure]
        return cls(told.value, told.low, told.high, part.n_pairs, part.n_items, told.reason, told.band)


@dataclass(frozen=True, slots=True)
class Agreements:
    """How often two voters said the same, over all four verdicts and over A and B alone; and with chance taken out."""

    all: Concord
    decisive: Concord
    alpha: Concord
    """Krippendorff's nominal alpha, a tie and a both-bad verdict being one label."""
    n_items: int
    """Pairs of answers that anybody judged."""
    n_votes: int
    """Votes on these, one of each voter."""

    @classmethod
    def of(cls, found: Agreement, *, n_items: int, n_votes: int) -> Self:
        """What a page shows of it."""
        return cls(
            all=Concord.of(found.all, "raw_pooled"),
            decisive=Concord.of(found.decisive, "raw_pooled"),
            alpha=Concord.of(found.merged, "krippendorff_nominal"),
            n_items=n_items,
            n_votes=n_votes,
        )


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who met whom, in the order of the board, and how it went."""

    models: tuple[ModelId, ...]
    n_models: int
    """On the board: more than `models` where the matrix is cut."""
    counts_both_bad: bool
    """Whether a both-bad verdict is a tie, or no vote."""
    cells: tuple[tuple[int, ...], ...]
    """Places of two models that met, the first place smaller, and the record of the first."""


@dataclass(frozen=True, slots=True)
class Past:
    """The boards on the way, by the models' ids: score, low and high at each, None where a model had none."""

    boards: tuple[tuple[str, str, int], ...]
    """Snapshot, time (ISO 8601), and entries of the log (votes and withdrawals)."""
    scores: Mapping[ModelId, tuple[tuple[float, float | None, float | None] | None, ...]]


@dataclass(frozen=True, slots=True)
class Collection:
    """How the votes came in: when, and on whom, and which went again."""

    votes: Bars
    n_votes: int
    shown: tuple[tuple[ModelId, int], ...]
    """In how many of the votes each model stood, the most first."""
    expected_share: float
    """Of the votes, for every model with votes, had all stood on all prompts all the time and pairs been drawn evenly:
    2 / models. What each would have had as things were is not known: who stood when, and with which answers, is not
    in the log."""
    policies: tuple[tuple[str | None, int], ...]
    withdrawals: Withdrawals


@dataclass(frozen=True, slots=True)
class Position:
    """Whether it helps to stand on side A."""

    side_a: Share
    order: Coefficient | None
    """The same with the models' strengths taken out; None where that gives no answer."""
    sides_drawn: bool
    """Whether every counted vote tells how its pair was drawn. Otherwise nobody knows who drew the sides, and better
    models may have stood on one of them more often."""


@dataclass(frozen=True, slots=True)
class StyleEffect:
    """What the dress of an answer is worth."""

    longer: Share
    by_length: tuple[tuple[float, float | None, Share], ...]
    """How many times longer (more than, up to), and the share that the longer one won."""
    coefficients: tuple[Coefficient, ...]
    """None where the votes do not tell the features apart; `notes` then say why."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps one of two neighbours above the other: the fewest votes without which they would stand level."""

    leader: ModelId
    runner_up: ModelId
    n_votes: int | None
    share: float | None
    confirmed: bool
    """By a fit without these votes; otherwise the number is an estimate."""
    reason: str | None

    @classmethod
    def of(cls, swap: Swap) -> Self:
        return cls(swap.leader, swap.runner_up, swap.n_votes, swap.share, swap.confirmed, swap.reason)


@dataclass(frozen=True, slots=True)
class Hanging:
    """What the order of the board hangs on. Of voters there are numbers, and nothing that tells who they are."""

    first_place: Hold
    neighbours: tuple[Hold, ...]
    n_voters: int | None
    """The fewest voters without whose votes the second would stand level with the first."""
    n_votes_of_voters: int | None
    voters_reason: str | None
    moving_most: tuple[tuple[float, float, ModelId], ...]
    """Of the voters that move the board most: by how many points first place, the most moved model, and which."""

    @classmethod
    def of(cls, found: Influence) -> Self:
        by = found.first_place_by_voters
        return cls(
            Hold.of(found.first_place),
            tuple(map(Hold.of, found.neighbours)),
            n_voters=None if by is None or by.reason else len(by.voters),
            n_votes_of_voters=None if by is None else by.n_votes,
            voters_reason="the votes do not tell their voters" if by is None else by.reason,
            moving_most=tuple((each.gap, each.largest, each.model) for each in found.moving_most),
        )


@dataclass(frozen=True, slots=True)
class Opponent:
    """One model against another that it met."""

    model: ModelId
    record: Record
    share: Share
    expected: float | None
    """What the scores say, if both have one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A model's votes of one category."""

    name: str | None
    record: Record
    share: Share


@dataclass(frozen=True, slots=True)
class Portrait:
    """All of one model."""

    entry: Entry | None
    """Its line on the board; None if it has no votes there."""
    model: Model
    record: Record
    share: Share
    kinds: tuple[Kind, ...]
    opponents: tuple[Opponent, ...]
    votes: Bars
