"""What stands behind a board: two models face to face, what first place hangs on, where one scale does not fit."""

import random
from collections.abc import Sequence
from math import log10
from pathlib import Path
from typing import Any

import pytest

from arena.analysis import Analysis, to_record
from arena.battle import ModelId
from arena.errors import BadInput, NothingToRate
from arena.plan import BothBad, Plan, Ties
from arena.vote_file import open_votes
from command import bakeoff, error_of, rated
from simulated import MODELS, Vote, shuffled, votes, without, write


def rows(*counted: tuple[str, str, str, int]) -> list[dict[str, Any]]:
    """(model_a, model_b, winner, n) as single votes without voters."""
    names = ("model_a", "model_b", "winner")
    return [dict(zip(names, words, strict=True)) for *words, n in counted for _ in range(n)]


def analysed(path: Path, given: Sequence[Vote], name: str, *asked: str, plan: Plan | None = None) -> Any:
    with open_votes(write(path, given)) as table:
        analysis = Analysis(table.counted(), plan or Plan(), table)
        return getattr(analysis, name)(*map(ModelId, asked))


def test_three_wins_to_one_are_three_chances_in_four(tmp_path: Path):
    # 30 to 10: odds 3, chance 3/4, 400 log10(3) = 190.8 points.
    given = rows(("a", "b", "model_a", 20), ("b", "a", "model_b", 10), ("a", "b", "model_b", 10))
    found = analysed(tmp_path / "v.parquet", given, "head_to_head", "a", "b")
    assert found.probability.value == pytest.approx(0.75)
    assert found.points.value == pytest.approx(400 * log10(3), abs=1e-3)
    assert found.points.low < 400 * log10(3) < found.points.high
    assert found.direct == {"a better": 30, "b better": 10, "neither": 0}
    turned = analysed(tmp_path / "v.parquet", given, "head_to_head", "b", "a")
    assert turned.probability.value == pytest.approx(0.25)
    assert turned.points.low == pytest.approx(-found.points.high, abs=1e-3)


def test_twelve_straight_wins_name_a_winner_and_one_does_not(tmp_path: Path):
    others = rows(("c", "a", "model_a", 1), ("b", "c", "model_a", 1), ("a", "c", "model_a", 1))
    clear = analysed(tmp_path / "v.csv", rows(("a", "b", "model_a", 12)) + others, "head_to_head", "a", "b")
    assert (clear.conclusion, clear.n_used) == ("a is better", 12)
    assert clear.decided_at is not None
    open_ = analysed(tmp_path / "w.csv", rows(("a", "b", "model_a", 1)) + others, "head_to_head", "a", "b")
    assert open_.decided_at is None


@pytest.mark.parametrize("when", [{}, {"voted_at": "2026-01-01"}], ids=["no time", "one time for all"])
def test_an_even_pair_stays_undecided_whatever_order_the_file_is_in(tmp_path: Path, when: dict[str, str]):
    # 200 to 200: sorted by who won, the first nine alone would name a winner.
    even = [{**row, **when} for row in rows(("a", "b", "model_a", 200), ("a", "b", "model_b", 200))]
    for seed in range(3):
        found = analysed(tmp_path / "v.parquet", even, "head_to_head", "a", "b", plan=Plan(seed=seed))
        assert found.decided_at is None
        assert sum(found.direct.values()) == 400


def test_votes_needed_counts_each_direct_vote_once(tmp_path: Path):
    # 18 to 12: about (1.96 + 0.84)^2 / (1.96 * half width / points)^2 of the 30 votes behind it, less these.
    given = rows(("a", "b", "model_a", 18), ("a", "b", "model_b", 12))
    found = analysed(tmp_path / "v.parquet", given, "head_to_head", "a", "b")
    half = (found.points.high - found.points.low) / 2
    expected = 30 * ((1.96 + 0.8416) * half / 1.96 / found.points.value) ** 2 - 30
    assert found.votes_needed == pytest.approx(expected, abs=1.5)


def test_one_voter_alone_is_told_so_in_words(tmp_path: Path):
    given = [{**row, "voter": "only"} for row in rows(("a", "b", "model_a", 6), ("a", "b", "model_b", 5))]
    said = bakeoff("rate", write(tmp_path / "v.csv", given), "--influence")
    assert said.code == 0, said
    assert "all votes come from one voter, or are on one prompt" in said.out


def test_each_voters_first_vote_on_the_pair_counts_for_the_sequence(tmp_path: Path):
    given = [{**row, "voter": "one"} for row in rows(("a", "b", "model_a", 30), ("a", "b", "model_b", 1))]
    found = analysed(tmp_path / "v.parquet", given, "head_to_head", "a", "b")
    assert (found.n_used, found.decided_at) == (1, None)
    assert sum(found.direct.values()) == 31


def test_a_model_that_is_not_rated_is_refused_with_those_that_are(tmp_path: Path):
    given = rows(("a", "b", "model_a", 2), ("a", "b", "model_b", 1))
    with pytest.raises(BadInput, match="'c' is not rated; rated: a, b"):
        analysed(tmp_path / "v.parquet", given, "head_to_head", "a", "c")
    with pytest.raises(BadInput, match="cannot be compared with itself"):
        analysed(tmp_path / "v.parquet", given, "head_to_head", "a", "a")


def test_the_first_place_of_one_vote_hangs_on_one_vote(tmp_path: Path):
    # 6 to 5: without one of the six they are level.
    found = analysed(tmp_path / "v.parquet", rows(("a", "b", "model_a", 6), ("a", "b", "model_b", 5)), "influence")
    first = found.first_place
    assert (first.leader, first.runner_up, first.n_votes, first.confirmed) == ("a", "b", 1, True)
    assert first.kinds == ("1 x a over b",)
    assert first.share == pytest.approx(1 / 11)
    assert found.first_place_by_voters is None
    assert found.moving_most == ()


def test_the_voter_who_holds_up_first_place_is_named(tmp_path: Path):
    # Without "big" it is 3 to 4; every other voter moves less.
    given = [{**row, "voter": "big"} for row in rows(("a", "b", "model_a", 5))]
    for number, (winner, n) in enumerate([("model_a", 1)] * 3 + [("model_b", 1)] * 4):
        given += [{**row, "voter": f"small-{number}"} for row in rows(("a", "b", winner, n))]
    found = analysed(tmp_path / "v.parquet", given, "influence")
    assert found.first_place_by_voters.voters == ("big",)
    assert (found.first_place_by_voters.n_votes, found.first_place_by_voters.confirmed) == (5, True)
    assert found.moving_most[0].voter == "big"
    assert found.moving_most[0].gap > 0


def test_a_circle_does_not_fit_one_scale(tmp_path: Path):
    # Each beats the next 30 to 5: all three are equal on one scale, and no pair looks like that.
    circle = [("a", "b"), ("b", "c"), ("c", "a")]
    given = rows(*((x, y, w, n) for x, y in circle for w, n in (("model_a", 30), ("model_b", 5))))
    found = analysed(tmp_path / "v.parquet", given, "goodness")
    assert found.scale.p_value < 1e-6
    assert (found.cycles.n_cycles, found.cycles.n_triples) == (1, 1)
    assert found.cycles.sure in ((("a", "b", "c"),), (("b", "c", "a"),), (("c", "a", "b"),))
    assert found.n_contradictions == 3
    assert {(each.observed, each.expected) for each in found.contradictions} <= {(0.8571, 0.5), (0.1429, 0.5)}


def test_votes_from_one_scale_fit_it(tmp_path: Path):
    found = analysed(tmp_path / "v.parquet", votes(2000, n_voters=2000), "goodness")
    assert found.scale.p_value > 0.001
    assert found.n_contradictions == 0


def rigged() -> list[Vote]:
    honest = votes(3000, n_voters=60)
    rng = random.Random(5)
    for number in range(60):
        other = rng.choice(MODELS[:-1])
        sides = ("eve", other) if rng.random() < 0.5 else (other, "eve")
        winner = "model_a" if sides[0] == "eve" else "model_b"
        pair = {"model_a": sides[0], "model_b": sides[1], "winner": winner, "voter": "rigger"}
        honest.append({**honest[number], **pair})
    return list(honest)


def test_who_always_votes_for_the_worst_model_is_listed_and_stays_counted(tmp_path: Path):
    path = write(tmp_path / "v.parquet", rigged())
    with open_votes(path) as table:
        analysis = Analysis(table.counted(), Plan(), table)
        suspects = analysis.suspects()
    assert suspects[0].voter == "rigger"
    assert (suspects[0].model, suspects[0].favours, suspects[0].n_votes) == ("eve", True, 60)
    assert rated(path)["n_votes"] == 3060


def test_without_voters_nobody_is_suspected_and_that_is_said(tmp_path: Path):
    with pytest.raises(BadInput, match="do not tell their voters"):
        analysed(tmp_path / "v.parquet", without(votes(200), "voter"), "suspects")


def test_findings_do_not_depend_on_rows_or_sides(tmp_path: Path):
    given = rigged()
    for name, *asked in (["influence"], ["goodness"], ["head_to_head", "ada", "bob"]):
        found = to_record(analysed(tmp_path / "v.parquet", list(given), name, *asked))
        again = to_record(analysed(tmp_path / "w.parquet", shuffled(given), name, *asked))
        assert _close(found, again), name


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_close(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_close, one, other))
    return one == pytest.approx(other, abs=1e-4) if isinstance(one, float) else one == other


@pytest.mark.parametrize(
    "plan",
    [Plan(ties=Ties.DAVIDSON), Plan(order=True), Plan(style=("bold",)), Plan(prior=1.0), Plan(both_bad=BothBad.OWN)],
)
def test_other_plans_than_the_plain_one_are_refused(tmp_path: Path, plan: Plan):
    with pytest.raises(BadInput, match="head-to-head, influence, goodness and voters go with"):
        analysed(tmp_path / "v.parquet", votes(100), "influence", plan=plan)


def test_where_nobody_is_rated_there_is_nothing_behind(tmp_path: Path):
    with pytest.raises(NothingToRate, match="no two models can be compared yet"):
        analysed(tmp_path / "v.parquet", rows(("a", "b", "model_a", 3)), "influence")


def test_the_command_prints_all_of_it(tmp_path: Path):
    path = write(tmp_path / "v.parquet", rigged())
    said = bakeoff("rate", path, "--influence", "--goodness", "--voters", "--head-to-head", "ada", "eve")
    assert said.code == 0, said
    for sentence in (
        "ada against eve",
        "First place: ada",
        "Votes between neighbours, to first order",
        "Voters that move the board most",
        "One scale for all:",
        "Pairs that contradict the scale:",
        "  rigger: for eve, 60 votes",
    ):
        assert sentence in said.out
    record = rated(path, "--influence", "--goodness", "--voters", "--head-to-head", "ada", "eve")
    assert {"influence", "goodness", "voters", "head_to_head"} <= record.keys()
    assert "'nobody' is not rated" in error_of(bakeoff("rate", path, "--head-to-head", "ada", "nobody"))


# ---- slices ----


def test_each_slice_is_rated_as_if_it_were_alone(tmp_path: Path):
    given = votes(1200)
    path = write(tmp_path / "v.parquet", given)
    slices = rated(path, "--by", "category")["slices"]
    assert list(slices) == ["code", "facts", "writing"]
    for name, board in slices.items():
        alone = rated(path, "--category", name)
        assert board["ratings"] == alone["ratings"]
    assert sum(board["n_votes"] for board in slices.values()) == len(given)


def test_pooled_slices_lie_between_the_slice_and_the_whole_and_know_more(tmp_path: Path):
    path = write(tmp_path / "v.parquet", votes(600))
    record, pooled = rated(path, "--by", "category"), rated(path, "--by", "category", "--pool")["slices"]
    whole = {row["model"]: row["score"] for row in record["ratings"]}
    far = near = 0.0
    for name, board in pooled.items():
        alone = {row["model"]: row for row in record["slices"][name]["ratings"]}
        for row in board["ratings"]:
            far += abs(alone[row["model"]]["score"] - whole[row["model"]])
            near += abs(row["score"] - whole[row["model"]])
            assert row["high"] - row["low"] < alone[row["model"]]["high"] - alone[row["model"]]["low"]
    assert near < far


def test_votes_without_a_category_are_in_no_slice_and_a_missing_column_is_named(tmp_path: Path):
    given = votes(300)
    for row in given[:100]:
        row["category"] = None
    slices = rated(write(tmp_path / "v.csv", given), "--by", "category")["slices"]
    assert sum(board["n_votes"] for board in slices.values()) == 200
    said = bakeoff("rate", write(tmp_path / "w.csv", without(votes(50), "category")), "--by", "category")
    assert "no column 'category'" in error_of(said)
    assert bakeoff("rate", tmp_path / "v.csv", "--pool").code == 2
