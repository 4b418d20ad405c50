"""Boards of the votes of invented people."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.leaderboard import Entry, Leaderboard
from arena.plan import Plan
from arena.rating import rate
from arena.tally import Selection
from arena.vote_file import open_votes
from simulated import Vote, write


def board_of_votes(path: Path, rows: Sequence[Vote], selection: Selection | None = None, **choices: Any) -> Leaderboard:
    plan = Plan(**dict[str, Any](rounds=100) | choices)
    with open_votes(write(path, rows), selection) as opened:
        return rate(opened.counted(), {}, plan, rows=opened)


def as_bytes(board: Leaderboard) -> bytes:
    return json.dumps(board.to_record()).encode()


def entries_of(board: Leaderboard) -> dict[str, Entry]:
    return {entry.model.id: entry for entry in board.entries}


def width(entry: Entry) -> float:
    assert entry.low is not None
    assert entry.high is not None
    return entry.high - entry.low
