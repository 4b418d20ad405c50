"""A public comparison of 59 models by 8,931 votes of the crowd, through the documented commands."""

import csv
from collections import Counter
from itertools import combinations
from pathlib import Path

import choix
import duckdb
import numpy as np
import pytest

from command import bakeoff


@pytest.fixture(scope="module")
def crowd(llmfao: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the public crowdsourced comparison, brought in by the documented commands."""
    db = tmp_path_factory.mktemp("llmfao") / "arena.duckdb"
    for name, words in (
        ("models.jsonl", ("--as", "models", "--map", "org=organization")),
        ("prompts.jsonl", ("--as", "prompts", "--map", "type=category")),
        (
            "results.jsonl",
            ("--as", "answers", "--map", "prompt=prompt_id,model=model_id,result=text,duration=latency_ms"),
        ),
        (
            "crowd-comparisons.csv",
            (
                *("--as", "votes", "--map", "prompt=prompt_id,model_x=model_a,model_y=model_b,worker=voter"),
                *("--values", "left=model_a,right=model_b", "--source", "human"),
            ),
        ),
    ):
        said = bakeoff("import", llmfao / name, "--db", db, *words)
        assert said.code == 0, said.err
    return db


def test_people_agree_as_often_as_counting_every_two_of_them_by_hand_gives(llmfao: Path):
    file = llmfao / "crowd-comparisons.csv"
    told: dict[str, list[str]] = {}
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            told.setdefault(row["id"], []).append(row["winner"])
    mapping = "prompt=prompt_id,model_x=model_a,model_y=model_b,worker=voter"
    said = bakeoff("agreement", file, "--map", mapping, "--values", "left=model_a,right=model_b", "--json")
    found = said.record["agreement"]
    for part, words in ((found["all"], {"left", "right", "tie"}), (found["decisive"], {"left", "right"})):
        pairs = [
            first == second
            for votes in told.values()
            for first, second in combinations([word for word in votes if word in words], 2)
        ]
        assert part["n_pairs"] == len(pairs)
        assert part["figures"]["raw_pooled"]["value"] == round(sum(pairs) / len(pairs), 4)


def test_the_real_votes_are_all_there(crowd: Path):
    # By hand, with cut and uniq on the file: 3,471 ties, 2,911 left, 2,549 right.
    with duckdb.connect(str(crowd), read_only=True) as con:
        counted = Counter(dict(con.execute("select verdict, count(*) from votes group by all").fetchall()))
    assert counted == {"tie": 3471, "A": 2911, "B": 2549}
    assert counted.total() == 8931


def test_the_real_scores_are_those_of_choix(crowd: Path, llmfao: Path):
    record = bakeoff("rate", "--db", crowd, "--json").record
    assert (record["n_votes"], record["n_models"], record["dropped"]) == (8931, 59, {})
    with (llmfao / "crowd-comparisons.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("model_x", "model_y")})
    wins = np.zeros((len(names), len(names)))
    for row in rows:
        left, right = names.index(row["model_x"]), names.index(row["model_y"])
        share = {"left": 1.0, "right": 0.0, "tie": 0.5}[row["winner"]]
        wins[left, right] += share
        wins[right, left] += 1 - share
    strengths = choix.ilsr_pairwise_dense(wins, alpha=0.0, max_iter=10_000, tol=1e-10)
    # Every vote is one half-win or more for both of its models; the mean over votes is 1000.
    n_votes = (wins + wins.T).sum(axis=1)
    scores = 1000 + 400 / np.log(10) * (strengths - np.average(strengths, weights=n_votes))
    ours = {row["model"]: row["score"] for row in record["ratings"]}
    assert max(abs(ours[name] - score) for name, score in zip(names, scores, strict=True)) < 0.01


def test_the_real_votes_again_add_nothing(crowd: Path, llmfao: Path):
    said = bakeoff(
        *("import", llmfao / "crowd-comparisons.csv", "--db", crowd),
        *("--map", "prompt=prompt_id,model_x=model_a,model_y=model_b,worker=voter"),
        *("--values", "left=model_a,right=model_b", "--source", "human"),
    )
    assert said.out == "0 new votes from 8,931 rows (8,931 known already, 0 left out)\n"
