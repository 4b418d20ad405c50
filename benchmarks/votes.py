"""Makes a file of synthetic votes, the same for the same size and seed.

    python benchmarks/votes.py 1000000 130 votes.parquet

Scores come from a normal distribution, verdicts from the model of Davidson (1970), so that ties and both-bad verdicts
are frequent between equals. What an arena has besides is here too, because it costs time: models that are shown more
often than others, voters with tastes of their own of whom a few vote very often, prompts that come back, and answers
whose style moves the verdict. The rows are made and written a chunk at a time; memory does not grow with the file.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

CHUNK = 1_000_000
"""Rows made at a time. A part of the data's definition: another chunk makes other votes."""

STYLES = ("length", "headers", "lists", "bold", "code_blocks", "emoji")
_STYLE_WEIGHTS = (0.5, 0.1, 0.15, 0.1, 0.05, 0.05)  # logits for a difference (a - b)/(a + b) of 1
_PER_ANSWER = (400.0, 1.5, 4.0, 3.0, 0.4, 0.6)  # the mean of each count

_CATEGORIES = ("general", "coding", "math", "writing", "translation", "roleplay", "reasoning", "other")
_LANGUAGES = (
    "English",
    "Chinese",
    "Russian",
    "German",
    "Spanish",
    "Portuguese",
    "Japanese",
    "French",
    "Korean",
    "Hindi",
)
_WINNERS = ("model_a", "model_b", "tie", "both_bad")

_STARTED_AT = 1_704_067_200_000_000  # 2024-01-01, microseconds
_YEAR = 365 * 86_400_000_000

_STRENGTH_SD = 0.8  # logits; 139 points
_TASTE_SD = 0.5  # logits
_TIE = 0.9  # Davidson's nu: 31 % ties between equals
_BOTH_BAD = 0.4  # of the ties


@dataclass(frozen=True)
class Field:
    """The models: everything that stays the same from vote to vote; shapes (n_models,), styles (6, n_models)."""

    names: list[str]
    strengths: NDArray[np.float64]
    tastes: NDArray[np.float64]
    shares: NDArray[np.float64]
    styles: NDArray[np.float64]


def draw_field(n_models: int, rng: np.random.Generator) -> Field:
    """Models with strengths, a trait that some voters like, their share of the battles and their style."""
    weight = np.exp(rng.normal(0, 0.5, n_models))
    per_answer = np.array(_PER_ANSWER)[:, None]
    return Field(
        names=[f"lab-{number % 17}/model-{number:03d}" for number in range(n_models)],
        strengths=rng.normal(0, _STRENGTH_SD, n_models),
        tastes=rng.normal(0, 1, n_models),
        shares=weight / weight.sum(),
        styles=per_answer * np.exp(rng.normal(0, 0.5, (len(STYLES), n_models))),
    )


def draw_votes(
    field: Field, voter_tastes: NDArray[np.float64], rng: np.random.Generator, *, first: int, n_rows: int, n_votes: int
) -> dict[str, NDArray[Any]]:
    """Rows `first` to `first + n_rows` of a file of n_votes, as columns of codes and counts."""
    n_models = len(field.names)
    a = rng.choice(n_models, n_rows, p=field.shares)
    b = rng.choice(n_models, n_rows, p=field.shares)
    again = a == b
    b[again] = (a[again] + rng.integers(1, n_models, again.sum())) % n_models

    # The share of the busiest voter among V is V^(-1/3): 2 % of a million votes.
    voter = (len(voter_tastes) * rng.random(n_rows) ** 3).astype(np.int64)
    counts_a, counts_b = (_draw_styles(field.styles[:, side], rng) for side in (a, b))
    total = counts_a + counts_b
    style = (counts_a - counts_b) / np.where(total == 0, 1, total)
    logit = (
        field.strengths[a]
        - field.strengths[b]
        + voter_tastes[voter] * (field.tastes[a] - field.tastes[b])
        + np.array(_STYLE_WEIGHTS) @ style
    )
    win_a, win_b = np.exp(logit / 2), np.exp(-logit / 2)
    place = rng.random(n_rows) * (win_a + win_b + _TIE)
    winner = np.where(place < win_a, 0, np.where(place < win_a + win_b, 1, 2))
    winner[(winner == 2) & (rng.random(n_rows) < _BOTH_BAD)] = 3

    step = _YEAR / n_votes
    columns: dict[str, NDArray[Any]] = {
        "model_a": a,
        "model_b": b,
        "winner": winner,
        "voter": voter,
        "voted_at": _STARTED_AT + ((first + np.arange(n_rows) + rng.random(n_rows)) * step).astype(np.int64),
        "prompt_id": (max(n_votes // 2, 1) * rng.random(n_rows) ** 2).astype(np.int64),
        "category": (len(_CATEGORIES) * rng.random(n_rows) ** 2).astype(np.int64),
        "language": (len(_LANGUAGES) * rng.random(n_rows) ** 3).astype(np.int64),
    }
    for number, name in enumerate(STYLES):
        columns[f"{name}_a"] = counts_a[number].astype(np.int32)
        columns[f"{name}_b"] = counts_b[number].astype(np.int32)
    return columns


def write_votes(path: Path, n_votes: int, n_models: int, *, seed: int = 0) -> None:
    """Write a Parquet file of n_votes between n_models, ordered by time. The file appears when it is complete."""
    sources = np.random.SeedSequence(seed).spawn(2 + -(-n_votes // CHUNK))
    field = draw_field(n_models, np.random.default_rng(sources[0]))
    voter_tastes = np.random.default_rng(sources[1]).normal(0, _TASTE_SD, max(n_votes // 5, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, duckdb.connect() as connection:
        for number, source in enumerate(sources[2:]):
            first = number * CHUNK
            n_rows = min(CHUNK, n_votes - first)
            rng = np.random.default_rng(source)
            votes = draw_votes(field, voter_tastes, rng, first=first, n_rows=n_rows, n_votes=n_votes)
            connection.register("votes", votes)
            part = f"{folder}/{number:05d}.parquet"
            connection.execute(f"copy ({_in_words(field.names)}) to '{part}' (format parquet)")
            connection.unregister("votes")
        whole = f"{folder}/whole.parquet"
        connection.execute(f"copy (from read_parquet('{folder}/0*.parquet')) to '{whole}' (format parquet)")
        Path(whole).replace(path)


def _draw_styles(means: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Counts of shape (6, n_rows): a long answer has more of everything."""
    n_rows = means.shape[1]
    size = np.exp(rng.normal(0, 0.6, n_rows))
    counts = rng.poisson(means * size).astype(np.float64)
    counts[0] += 1  # no answer is empty
    return counts


def _in_words(names: list[str]) -> str:
    """The query that puts words in the place of codes."""
    return f"""
        select
            {_word("model_a", names)},
            {_word("model_b", names)},
            {_word("winner", _WINNERS)},
            printf('voter-%08x', voter) as voter,
            make_timestamp(voted_at) as voted_at,
            printf('prompt-%08x', prompt_id) as prompt_id,
            {_word("category", _CATEGORIES)},
            {_word("language", _LANGUAGES)},
            {", ".join(f"{name}_a, {name}_b" for name in STYLES)}
        from votes
    """


def _word(column: str, words: list[str] | tuple[str, ...]) -> str:
    quoted = ", ".join(f"'{word}'" for word in words)
    return f"([{quoted}])[{column} + 1] as {column}"


def main() -> None:
    """Write one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("n_votes", type=int)
    parser.add_argument("n_models", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    write_votes(given.path, given.n_votes, given.n_models, seed=given.seed)


if __name__ == "__main__":
    main()
