"""What the votes of some voters do to a board: two boards, with and without them, side by side. Pure."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Self

from arena.battle import ModelId, VoterId
from arena.leaderboard import Entry, Leaderboard

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Move:
    """One model on the board as it is, and as it would be; None where it is not rated there."""

    model: ModelId
    score: float | None
    score_without: float | None
    rank: int | None
    rank_without: int | None
    rank_range: tuple[int, int] | None
    rank_range_without: tuple[int, int] | None

    @property
    def points(self) -> float | None:
        """What the votes add to the score; negative where they take from it."""
        if self.score is None or self.score_without is None:
            return None
        return round(self.score - self.score_without, _DIGITS)


@dataclass(frozen=True, slots=True)
class Effect:
    """What changes if the votes of these voters are left out."""

    voters: tuple[VoterId, ...]
    n_votes: int
    """Of theirs, on the board."""
    moves: tuple[Move, ...]
    """All models of either board of which anything differs, the most moved first."""
    first: ModelId | None
    first_without: ModelId | None
    intervals: str
    """What the rank ranges assume."""
    reason: str | None = None
    """Why there would be no board, or is none."""

    @classmethod
    def between(cls, voters: Collection[VoterId], n_votes: int, board: Leaderboard, without: Leaderboard) -> Self:
        """The board as it is and as it would be, both computed in the same way."""
        models = sorted({entry.model.id for each in (board, without) for entry in each.entries})
        moves = [_move(model, board.entry(model), without.entry(model)) for model in models]
        changed = [move for move in moves if _is_change(move)]
        return cls(
            voters=tuple(voters),
            n_votes=n_votes,
            moves=tuple(sorted(changed, key=lambda move: (-_size(move), move.model))),
            first=_first(board),
            first_without=_first(without),
            intervals=without.intervals,
        )

    @classmethod
    def unknown(cls, voters: Collection[VoterId], n_votes: int, reason: str) -> Self:
        """No board is left without them, or there is none with them."""
        return cls(tuple(voters), n_votes, (), None, None, "none", reason)

    @property
    def changes_first(self) -> bool:
        """Whether another model would be first."""
        return self.reason is None and self.first != self.first_without

    @property
    def largest(self) -> float:
        """The most points that any rated model moves by."""
        return max((abs(move.points) for move in self.moves if move.points is not None), default=0.0)

    @property
    def n_ranges(self) -> int:
        """Models whose range of possible ranks would be another one."""
        return sum(move.rank_range != move.rank_range_without for move in self.moves)

    def to_record(self) -> dict[str, Any]:
        """Plain values, with what follows from them."""
        moves = [asdict(move) | {"points": move.points} for move in self.moves]
        told = {"changes_first": self.changes_first, "largest": self.largest, "n_ranges": self.n_ranges}
        return asdict(self) | {"voters": list(self.voters), "moves": moves} | told


def _move(model: ModelId, entry: Entry | None, without: Entry | None) -> Move:
    def of(each: Entry | None) -> tuple[float | None, int | None, tuple[int, int] | None]:
        if each is None or each.rank_low is None or each.rank_high is None:
            return (None, None, None)
        return each.score, each.rank, (each.rank_low, each.rank_high)

    columns = zip(of(entry), of(without), strict=True)
    return Move(model, *(value for pair in columns for value in pair))  # type: ignore[arg-type]


def _is_change(move: Move) -> bool:
    before, after = (move.score, move.rank, move.rank_range), (move.score_without, move.rank_without)
    return before != (*after, move.rank_range_without)


def _size(move: Move) -> float:
    """Models that come or go before those that move."""
    return float("inf") if move.points is None else abs(move.points)


def _first(board: Leaderboard) -> ModelId | None:
    return next((entry.model.id for entry in board.entries if entry.rank == 1), None)
