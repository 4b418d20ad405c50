"""A leaderboard on paper: columns of text for a terminal, or a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from arena import table
from arena.leaderboard import Coefficient, Entry, Leaderboard

_COLUMNS = {
    "model": "varchar",
    "name": "varchar",
    "score": "double",
    "low": "double",
    "high": "double",
    "rank": "integer",
    "rank_low": "integer",
    "rank_high": "integer",
    "n_votes": "bigint",
    "provisional": "boolean",
    "reason": "varchar",
    "tier": "integer",
    "n_voters": "bigint",
    "design_effect": "double",
    "low_independent": "double",
    "high_independent": "double",
}


def to_text(board: Leaderboard) -> str:
    """The board as aligned columns, a model a line; what cannot be said is a dash, with its reason behind it."""
    head = ("Rank", "Model", "Score", f"{board.confidence * 100:g} % interval", "Votes", "")
    form = ",.1f" if board.method == "win-rate" else ",.0f"
    rows = [head, *(_cells(entry, form) for entry in board.entries)]
    rank, model, score, interval, votes = (max(len(row[column]) for row in rows) for column in range(5))
    lines = [
        f"{row[0]:<{rank}}  {row[1]:<{model}}  {row[2]:>{score}}  {row[3]:>{interval}}  {row[4]:>{votes}}  {row[5]}"
        for row in rows
    ]
    n_out = sum(board.dropped.values())
    counted = f"{board.n_votes:,} votes counted, {n_out:,} left out; {board.method}, {how_certain(board)}"
    effects = [f"{name:<{model}}  {value}" for name, value in map(_effect, board.coefficients)]
    return "\n".join(line.rstrip() for line in [*lines, "", *effects, *([""] if effects else []), counted])


def how_certain(board: Leaderboard) -> str:
    """Where the intervals come from, in words."""
    if "bootstrap" in board.intervals:
        return f"{board.intervals} ({board.rounds:,} rounds, seed {board.seed})"
    effects = [entry.design_effect for entry in board.entries if entry.design_effect is not None]
    # Above 1 votes of one voter resemble each other: that many times the variance of independent votes.
    return f"{board.intervals}" + (f", design effect {median(effects):.2f}" if effects else "")


def write(path: Path, board: Leaderboard, record: Mapping[str, Any] | None = None) -> None:
    """Write the ratings as the file's ending says: .csv and .parquet a model a row, .json the record, by default the
    board's own."""
    if path.suffix.lower() == ".json":
        table.write_text(path, json.dumps(record or board.to_record(), ensure_ascii=False, indent=2) + "\n")
    else:
        rows = board.to_record()["ratings"]
        table.write(path, _COLUMNS, [[({"name": row["model"]} | row).get(name) for name in _COLUMNS] for row in rows])


def _effect(coefficient: Coefficient) -> tuple[str, str]:
    low, high = coefficient.low, coefficient.high
    interval = f"({low:+.3f} to {high:+.3f})" if low is not None and high is not None else f"({coefficient.reason})"
    return coefficient.name, f"{coefficient.value:+.3f} {interval}  {coefficient.meaning}"


def _cells(entry: Entry, form: str) -> tuple[str, str, str, str, str, str]:
    name, votes = entry.model.name, f"{entry.n_votes:,}"
    if entry.score is None:
        return "–", name, "–", "–", votes, entry.reason or ""
    ranks = f"{entry.rank}" if entry.rank_low == entry.rank_high else f"{entry.rank_low}–{entry.rank_high}"
    interval = "–" if entry.low is None else f"{entry.low:{form}} to {entry.high:{form}}"
    note = "; ".join(filter(None, ("provisional" if entry.provisional else "", entry.reason)))
    return ranks, name, f"{entry.score:{form}}", interval, votes, note
