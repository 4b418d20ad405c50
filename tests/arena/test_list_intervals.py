"""Intervals where votes came as ranked lists: the pairs of a list are no independent votes."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from test_rankings import brought, ranking

from arena.leaderboard import Leaderboard
from arena.plan import Intervals, Weights
from arena.rules import Rules
from arena.store import VoteStore
from arena.tally import Selection, Unit
from command import bakeoff
from simulated import Vote
from simulated_boards import board_of_votes, entries_of, width

STRENGTH = dict(zip("abcdef", np.linspace(1.0, -1.0, 6).tolist(), strict=True))
POINTS = 400 / np.log(10)


def lists(n: int, seed: int, *, n_answers: int = 4, voter: str | None = None) -> list[Vote]:
    """Rankings by Plackett and Luce, each as the pairs that it says, with a coin for the sides."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        names = rng.choice(list(STRENGTH), n_answers, replace=False).tolist()
        # Strength and a Gumbel draw rank as Plackett and Luce say, and so every two as Bradley and Terry do.
        order = sorted(names, key=lambda name: -(STRENGTH[name] + rng.gumbel()))
        for better, worse in combinations(order, 2):
            sides = (better, worse) if rng.random() < 0.5 else (worse, better)
            row = {"model_a": sides[0], "model_b": sides[1], "winner": "model_a" if sides[0] == better else "model_b"}
            rows.append(row | {"ranking": f"list {number}", "voter": voter and f"{voter} {number % 30}"})
    return rows


def held(board: Leaderboard) -> list[bool]:
    """Of each model, whether its interval holds the true score, at the level at which the board puts its models."""
    level = np.average([STRENGTH[e.model.id] for e in board.entries], weights=[e.n_votes for e in board.entries])
    found = []
    for entry in board.entries:
        assert entry.low is not None
        assert entry.high is not None
        found.append(entry.low <= 1000 + POINTS * (STRENGTH[entry.model.id] - level) <= entry.high)
    return found


@pytest.mark.proof
def test_by_list_intervals_hold_the_truth_as_often_as_they_say_and_by_vote_they_do_not(tmp_path: Path):
    path, by_list, by_vote = tmp_path / "votes.parquet", list[bool](), list[bool]()
    for seed in range(300):
        rows = lists(120, seed)
        by_list += held(board_of_votes(path, rows))
        by_vote += held(board_of_votes(path, rows, unit=Unit.NONE))
    print(f"by list {np.mean(by_list):.3f}, by vote {np.mean(by_vote):.3f}")  # noqa: T201
    # Six scores of one board hang together, so three standard errors are of 300 boards and not of 1,800 scores.
    error = (0.05 * 0.95 / 300) ** 0.5
    assert abs(np.mean(by_list) - 0.95) <= 3 * error
    assert np.mean(by_vote) < 0.95 - 3 * error


def test_lists_are_what_is_independent_where_no_voter_is_known(tmp_path: Path):
    path = tmp_path / "votes.parquet"
    board = board_of_votes(path, lists(120, 1))
    assert board.intervals == "sandwich, clustered by list (120)"
    alone = entries_of(board_of_votes(path, lists(120, 1), unit=Unit.NONE))
    assert all(width(entry) > width(alone[name]) for name, entry in entries_of(board).items())
    drawn = board_of_votes(path, lists(120, 1), intervals=Intervals.CLUSTER)
    assert drawn.intervals.startswith("bootstrap, lists drawn again")
    # Who names the voters has them: all lists of one are together.
    named = board_of_votes(path, lists(120, 1, voter="voter"))
    assert named.intervals == "sandwich, clustered by voter (30)"


def test_votes_drawn_again_one_by_one_say_that_they_take_lists_apart(tmp_path: Path):
    board = board_of_votes(tmp_path / "votes.parquet", lists(120, 1), intervals=Intervals.BOOTSTRAP)
    assert any("the pairs of a ranked list hang together" in note for note in board.notes)
    weighed = board_of_votes(tmp_path / "votes.parquet", lists(120, 1), weights=Weights.EQUAL, unit=Unit.NONE)
    assert weighed.intervals == "sandwich, every vote on its own"


def test_imported_lists_without_voters_are_told_apart_in_the_log(tmp_path: Path):
    moments = [{"voted_at": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2, 3)]
    said = brought(tmp_path, *(ranking(1, 2, 3, voter=None, **each) for each in moments), options=("--source", "human"))
    assert said.code == 0, said.err
    with VoteStore.open(tmp_path / "arena.duckdb") as store, store.votes.table(Selection(), up_to=9) as votes:
        items = {model: item for item, model in enumerate(votes.counted().models)}
        assert list(votes.units()) == [Unit.PROMPT, Unit.LIST]
        [rows] = votes.rows(items, unit=Unit.LIST)
    # Three rankings of the same three answers, three pairs each.
    assert rows.unit is not None
    assert sorted(np.bincount(rows.unit).tolist()) == [3, 3, 3]
    told = bakeoff("rate", "--db", tmp_path / "arena.duckdb", "--cluster", "list")
    assert told.code == 0, told.err


def test_an_arena_of_lists_refuses_to_draw_its_votes_one_by_one():
    with pytest.raises(ValueError, match="the pairs of a list hang together"):
        Rules.model_validate({"ballot": {"kind": "ranked"}, "rating": {"intervals": "bootstrap"}})
    assert Rules.model_validate({"ballot": {"kind": "ranked"}, "rating": {"intervals": "cluster"}})
