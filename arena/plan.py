"""How a board is to be computed: every choice, with the one that is made where nobody chooses."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arena.battle import ModelId
from arena.errors import BadInput
from arena.tally import Unit


class Method(StrEnum):
    """What a score is."""

    BRADLEY_TERRY = "bradley-terry"
    ELO = "elo"
    WIN_RATE = "win-rate"


class Ties(StrEnum):
    """What a tie is: half a win for each, or an outcome with a probability of its own."""

    HALF = "half"
    DAVIDSON = "davidson"
    RAO_KUPPER = "rao-kupper"


class BothBad(StrEnum):
    """What a both-bad verdict is: a tie, no vote, or a statement on both models that fixes an absolute level."""

    TIE = "tie"
    DROP = "drop"
    OWN = "own"


class Intervals(StrEnum):
    """Where intervals come from: a formula, votes drawn again, or whole voters drawn again."""

    SANDWICH = "sandwich"
    BOOTSTRAP = "bootstrap"
    CLUSTER = "cluster"


class Weights(StrEnum):
    """What a vote weighs: one, less on pairs that met often, less by voters who vote often, or what it says itself."""

    EQUAL = "equal"
    PAIRS = "pairs"
    VOTERS = "voters"
    COLUMN = "column"


@dataclass(frozen=True, slots=True)
class Plan:
    """Every choice of a rating. Raises BadInput for choices that contradict each other."""

    method: Method = Method.BRADLEY_TERRY
    ties: Ties = Ties.HALF
    both_bad: BothBad = BothBad.TIE
    order: bool = False
    """A term for what side A gains by standing there."""
    style: tuple[str, ...] = ()
    """Features of `arena.style` whose effect is taken out."""
    prior: float = 0.0
    """Precision of a normal prior on each strength, in 1 / logit^2; 0: maximum likelihood."""
    weights: Weights = Weights.EQUAL
    intervals: Intervals = Intervals.SANDWICH
    unit: Unit | None = None
    """What is independent of each other; None: voters where they are known, else ranked lists, else votes."""
    confidence: float = 0.95
    rounds: int = 1000
    seed: int = 0
    k: float = 4.0
    """Of Elo: the most that one vote can move, in points."""
    min_votes: int = 0
    """Models with fewer votes are not rated."""
    provisional_below: int = 30
    anchor: tuple[ModelId, float] | None = None
    """A model, and the score that it is to have; all others move with it."""

    def __post_init__(self) -> None:
        if self.method is not Method.BRADLEY_TERRY:
            has_clusters = self.unit not in (None, Unit.NONE) or self.intervals is Intervals.CLUSTER
            if wrong := [*self.beyond_plain[1:], *(["clusters"] if has_clusters else [])]:
                raise BadInput(f"{', '.join(wrong)}: only bradley-terry knows that, and the method is {self.method}")
        if self.both_bad is BothBad.OWN and self.ties is Ties.DAVIDSON:
            raise BadInput("both-bad as its own outcome goes with ties by rao-kupper, not davidson")
        if self.both_bad is BothBad.OWN and (self.order or self.style):
            raise BadInput("both-bad as its own outcome cannot be combined with style or order")
        if self.method is Method.WIN_RATE and (self.intervals is not Intervals.SANDWICH or self.anchor is not None):
            raise BadInput("a win rate has an interval of its own, and as a percentage no anchor")
        if self.intervals is Intervals.CLUSTER and self.unit is Unit.NONE:
            raise BadInput("intervals by cluster need a cluster: voter, prompt or list")
        if self.intervals is Intervals.BOOTSTRAP and self.unit not in (None, Unit.NONE):
            raise BadInput(
                "the bootstrap draws single votes again; intervals by cluster draw whole voters, prompts or lists"
            )
        if self.weights is Weights.VOTERS and self.unit in (Unit.PROMPT, Unit.LIST):
            raise BadInput("weights by voter go with clusters by voter, or none")

    @property
    def beyond_plain(self) -> tuple[str, ...]:
        """The choices that change the model of the votes, by name: none for plain Bradley-Terry, ties as half-wins.

        Which votes count, how sure the scores are and where their scale begins are no such choices.
        """
        chosen = {
            "method": self.method is not Method.BRADLEY_TERRY,
            "ties": self.ties is not Ties.HALF,
            "both-bad as its own outcome": self.both_bad is BothBad.OWN,
            "order": self.order,
            "style": bool(self.style),
            "prior": self.prior > 0,
            "weights": self.weights is not Weights.EQUAL,
        }
        return tuple(name for name, is_chosen in chosen.items() if is_chosen)

    def to_record(self) -> dict[str, Any]:
        """The choices that are not told by the board's other columns, as plain values."""
        return {
            "ties": str(self.ties),
            "both_bad": str(self.both_bad),
            "order": self.order,
            "style": list(self.style),
            "prior": self.prior,
            "weights": str(self.weights),
            "min_votes": self.min_votes,
            "provisional_below": self.provisional_below,
            "anchor": None if self.anchor is None else {str(self.anchor[0]): self.anchor[1]},
        } | ({"k": self.k} if self.method is Method.ELO else {})
