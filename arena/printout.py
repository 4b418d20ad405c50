"""A leaderboard on paper: columns of text for a terminal, or a file."""

import json
from collections.abc import Callable, Mapping
from math import exp, tanh
from pathlib import Path
from statistics import median
from typing import Any

from arena import table
from arena.battle import ModelId
from arena.leaderboard import Coefficient, Entry, Leaderboard
from arena.plan import Plan

COLUMNS = {
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
    votes_counted = f"{board.n_votes:,} vote{'' if board.n_votes == 1 else 's'} counted, {n_out:,} left out"
    counted = "; ".join([votes_counted, f"{board.method}, {how_certain(board)}", *filter(None, [chosen(board)])])
    effect = max([model, *(len(each.name) for each in board.coefficients)])
    effects = [f"{name:<{effect}}  {value}" for name, value in map(_effect, board.coefficients)]
    return "\n".join(line.rstrip() for line in [*lines, "", *effects, *([""] if effects else []), counted])


def how_certain(board: Leaderboard) -> str:
    """Where the intervals come from, in words."""
    if "bootstrap" in board.intervals:
        return f"{board.intervals} ({board.rounds:,} rounds, seed {board.seed})"
    effects = [entry.design_effect for entry in board.entries if entry.design_effect is not None]
    # Above 1 votes of one voter resemble each other: that many times the variance of independent votes.
    return f"{board.intervals}" + (f", design effect {median(effects):.2f}" if effects else "")


def chosen(board: Leaderboard) -> str:
    """What was chosen other than it would have been by itself, in the words of the options; often nothing.

    Method, ties and intervals are told with every board, and are not repeated.
    """
    usual = Plan()
    settings = {**usual.to_record(), "k": usual.k, **board.settings}
    anchor = settings["anchor"] or {}
    told = {
        f"weights by {str(settings['weights']).removesuffix('s')}": settings["weights"] != usual.weights,
        f"prior {settings['prior']:g}": settings["prior"] != usual.prior,
        "order taken out": settings["order"],
        f"style taken out ({', '.join(settings['style'])})": settings["style"],
        "both-bad verdicts dropped": settings["both_bad"] == "drop",
        f"k {settings['k']:g}": settings["k"] != usual.k,
        f"min-votes {settings['min_votes']:,}": settings["min_votes"] != usual.min_votes,
        f"confidence {board.confidence * 100:g} %": board.confidence != usual.confidence,
        **{f"anchor {_called(board, ModelId(model))} = {score:g}": True for model, score in anchor.items()},
    }
    return ", ".join(words for words, is_told in told.items() if is_told)


def _called(board: Leaderboard, model: ModelId) -> str:
    entry = board.entry(model)
    return model if entry is None else entry.model.name


def write(path: Path, board: Leaderboard, record: Mapping[str, Any] | None = None) -> None:
    """Write the ratings as the file's ending says: .csv and .parquet a model a row, .json the record, by default the
    board's own."""
    if path.suffix.lower() == ".json":
        table.write_text(path, json.dumps(record or board.to_record(), ensure_ascii=False, indent=2) + "\n")
    else:
        rows = board.to_record()["ratings"]
        table.write(path, COLUMNS, [[({"name": row["model"]} | row).get(name) for name in COLUMNS] for row in rows])


def _effect(coefficient: Coefficient) -> tuple[str, str]:
    low, high = coefficient.low, coefficient.high
    interval = f"({low:+.3f} to {high:+.3f})" if low is not None and high is not None else f"({coefficient.reason})"
    told = f"{coefficient.value:+.3f} {interval}  {coefficient.meaning}"
    if coefficient.name not in _TIES:
        return coefficient.name, told
    share, of = _TIES[coefficient.name]
    shares = f" ({_per_cent(share(low))} to {_per_cent(share(high))})" if low is not None and high is not None else ""
    return coefficient.name, f"{told}; here {_per_cent(share(coefficient.value))}{shares}{of}"


def _of_davidson(log_nu: float) -> float:
    return 1 / (1 + 2 * exp(-log_nu))


_TIES: Mapping[str, tuple[Callable[[float], float], str]] = {
    "log_nu": (_of_davidson, ""),
    "eta": (lambda eta: tanh(eta / 2), ""),
    "log_theta_1": (_of_davidson, " between equals that are good beyond doubt"),
}
"""The share of ties in the votes on two equals, from what each model of ties estimates. The grounded one leaves its own
share to both-bad verdicts; as strengths grow this goes to 0, and ties to (theta - 1) / (theta + 1)."""


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _cells(entry: Entry, form: str) -> tuple[str, str, str, str, str, str]:
    name, votes = entry.model.name, f"{entry.n_votes:,}"
    if entry.score is None:
        return "–", name, "–", "–", votes, entry.reason or ""
    ranks = f"{entry.rank}" if entry.rank_low == entry.rank_high else f"{entry.rank_low}–{entry.rank_high}"
    interval = "–" if entry.low is None else f"{entry.low:{form}} to {entry.high:{form}}"
    note = "; ".join(filter(None, ("provisional" if entry.provisional else "", entry.reason)))
    return ranks, name, f"{entry.score:{form}}", interval, votes, note
