"""A leaderboard on paper: columns of text for a terminal, or a file."""

import json
from pathlib import Path

from arena import table
from arena.leaderboard import Entry, Leaderboard

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
}


def to_text(board: Leaderboard) -> str:
    """The board as aligned columns, a model a line; what cannot be said is a dash, with its reason behind it."""
    head = ("Rank", "Model", "Score", f"{board.confidence * 100:g} % interval", "Votes", "")
    rows = [head, *map(_cells, board.entries)]
    rank, model, score, interval, votes = (max(len(row[column]) for row in rows) for column in range(5))
    lines = [
        f"{row[0]:<{rank}}  {row[1]:<{model}}  {row[2]:>{score}}  {row[3]:>{interval}}  {row[4]:>{votes}}  {row[5]}"
        for row in rows
    ]
    n_out = sum(board.dropped.values())
    counted = f"{board.n_votes:,} votes counted, {n_out:,} left out; {board.rounds:,} rounds, seed {board.seed}"
    return "\n".join(line.rstrip() for line in [*lines, "", counted])


def write(path: Path, board: Leaderboard) -> None:
    """Write the ratings as the file's ending says: .json as `--json` prints them, .csv and .parquet a model a row."""
    if path.suffix.lower() == ".json":
        table.write_text(path, json.dumps(board.to_record(), ensure_ascii=False, indent=2) + "\n")
    else:
        rows = board.to_record()["ratings"]
        table.write(path, _COLUMNS, [[({"name": row["model"]} | row).get(name) for name in _COLUMNS] for row in rows])


def _cells(entry: Entry) -> tuple[str, str, str, str, str, str]:
    name, votes = entry.model.name, f"{entry.n_votes:,}"
    if entry.score is None:
        return "–", name, "–", "–", votes, entry.reason or ""
    ranks = f"{entry.rank}" if entry.rank_low == entry.rank_high else f"{entry.rank_low}–{entry.rank_high}"
    interval = "–" if entry.low is None else f"{entry.low:,.0f} to {entry.high:,.0f}"
    note = "; ".join(filter(None, ("provisional" if entry.provisional else "", entry.reason)))
    return ranks, name, f"{entry.score:,.0f}", interval, votes, note
