"""A few votes counted by hand, and the board that they give."""

from typing import Any

from arena.battle import ModelId, Verdict
from arena.leaderboard import Leaderboard
from arena.plan import Plan
from arena.rating import rate
from arena.tally import Tally


def tally(a: str, b: str, verdict: Verdict, n: int = 1) -> Tally:
    return Tally(ModelId(a), ModelId(b), verdict, n)


def board_of(*tallies: Tally, **options: Any) -> Leaderboard:
    return rate(tallies, {}, Plan(**options))


def score(board: Leaderboard, model: str) -> float:
    entry = board.entry(ModelId(model))
    assert entry is not None
    assert entry.score is not None
    return entry.score
