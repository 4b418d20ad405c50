"""Votes of invented people on models of known strength, and the files that they may come in."""

import csv
import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path
from typing import Any

import duckdb

from arena import table

Vote = Mapping[str, Any]

# Best first, each 0.6 logits (104 points) above the next.
MODELS = ("ada", "bob", "cleo", "dan", "eve")
GAP = 0.6
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SWAPPED = {"model_a": "model_b", "model_b": "model_a"}


def votes(n: int = 1500, *, seed: int = 0, n_voters: int = 50) -> list[dict[str, Any]]:
    """One vote every ten minutes, in pairs at the same time; a quarter are ties, some of which both bad.

    Every voter has a taste of their own, so that the votes of one resemble each other. Whoever writes more than the
    other wins a little more often.
    """
    rng = random.Random(seed)
    tastes = [[rng.gauss(0, 0.8) for _ in MODELS] for _ in range(n_voters)]
    rows = []
    for number in range(n):
        first, second = rng.sample(range(len(MODELS)), 2)
        voter = rng.randrange(n_voters)
        prompt = rng.randrange(40)
        texts = [_answer(MODELS[model], rng) for model in (first, second)]
        edge = GAP * (second - first) + tastes[voter][first] - tastes[voter][second]
        edge += 0.5 * (len(texts[0]) - len(texts[1])) / (len(texts[0]) + len(texts[1]))
        if rng.random() < 0.25:
            winner = "tie" if rng.random() < 0.7 else "both_bad"
        else:
            winner = "model_a" if rng.random() < 1 / (1 + exp(-edge)) else "model_b"
        rows.append(
            {
                "model_a": MODELS[first],
                "model_b": MODELS[second],
                "winner": winner,
                "voter": f"voter-{voter}",
                "prompt_id": f"prompt-{prompt}",
                "voted_at": (BEGIN + timedelta(minutes=20 * (number // 2))).isoformat(),
                "category": ("code", "writing", "facts")[prompt % 3],
                "language": ("en", "de")[prompt % 2],
                "source": "human",
                "answer_a": texts[0],
                "answer_b": texts[1],
            }
        )
    return rows


def _answer(model: str, rng: random.Random) -> str:
    parts = [f"{model} says:"]
    parts += ["# Answer"] * rng.randrange(2)
    parts += [f"- point {n}" for n in range(rng.randrange(4))]
    parts += ["**bold**"] * rng.randrange(3)
    parts += ["```\ncode\n```"] * rng.randrange(2)
    parts += ["👍"] * rng.randrange(2)
    parts += ["word " * rng.randint(5, 60)]
    return "\n".join(parts)


def swapped(vote: Vote) -> dict[str, Any]:
    """The same vote with its sides exchanged."""
    return {
        **vote,
        **{f"{name[:-1]}b": value for name, value in vote.items() if name.endswith("_a")},
        **{f"{name[:-1]}a": value for name, value in vote.items() if name.endswith("_b")},
        "winner": SWAPPED.get(vote["winner"], vote["winner"]),
    }


def shuffled(rows: Sequence[Vote], *, swap: bool = True, seed: int = 1) -> list[dict[str, Any]]:
    """The same votes in another order, half of them, if asked, with their sides exchanged."""
    rng = random.Random(seed)
    mixed = [swapped(row) if swap and rng.random() < 0.5 else dict(row) for row in rows]
    rng.shuffle(mixed)
    return mixed


def without(rows: Sequence[Vote], *columns: str) -> list[dict[str, Any]]:
    """The votes as if nobody had written these columns down."""
    return [{name: value for name, value in row.items() if name not in columns} for row in rows]


def write(path: Path, rows: Sequence[Vote]) -> Path:
    """The votes as a file of the kind that its ending names."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    match path.suffix:
        case ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([columns, *([row.get(name) for name in columns] for row in rows)])
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        case _:
            table.write(path, dict.fromkeys(columns, "varchar"), [[row.get(name) for name in columns] for row in rows])
    return path


def write_typed(path: Path, rows: Sequence[Vote], **types: str) -> Path:
    """The votes as Parquet, some columns of a type of their own."""
    plain = write(path.with_suffix(".plain.parquet"), rows)
    listed = ", ".join(f"{name}::{kind} as {name}" for name, kind in types.items())
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"copy (select * replace ({listed}) from '{plain}') to '{path}' (format parquet)")
    return path
