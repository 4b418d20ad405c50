"""What stands behind a board: two models face to face, what first place hangs on, where one scale does not fit."""

import random
import re
from collections.abc import Mapping, Sequence
from math import log10, sqrt
from pathlib import Path
from typing import Any

import pytest

from arena.analysis import Analysis, to_record
from arena.battle import Model, ModelId
from arena.errors import BadInput, NothingToRate
from arena.finding import to_text
from arena.plan import BothBad, Method, Plan, Ties, Weights
from arena.vote_file import open_votes
from command import bakeoff, error_of, rated
from simulated import MODELS, Vote, shuffled, swapped, votes, without, write


def rows(*counted: tuple[str, str, str, int]) -> list[dict[str, Any]]:
    """(model_a, model_b, winner, n) as single votes without voters."""
    names = ("model_a", "model_b", "winner")
    return [dict(zip(names, words, strict=True)) for *words, n in counted for _ in range(n)]


def analysed(
    path: Path,
    given: Sequence[Vote],
    name: str,
    *asked: str,
    plan: Plan | None = None,
    models: Mapping[ModelId, Model] | None = None,
) -> Any:
    with open_votes(write(path, given)) as table:
        analysis = Analysis(table.counted(), plan or Plan(), table, models)
        return getattr(analysis, name)(*asked)


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
        assert not found.is_in_order
        assert sum(found.direct.values()) == 400


def test_votes_of_different_times_are_looked_at_in_their_order(tmp_path: Path):
    # Twelve wins come first, twelve losses last: whatever the seed, they name a winner before the first loss.
    given = [
        {**row, "voter": f"voter-{n}", "voted_at": f"2026-01-{n + 1:02}"}
        for n, row in enumerate(rows(("a", "b", "model_a", 12), ("a", "b", "model_b", 12)))
    ]
    for seed in range(3):
        found = analysed(tmp_path / "v.parquet", given[::-1], "head_to_head", "a", "b", plan=Plan(seed=seed))
        assert found.is_in_order
        assert found.decided_at is not None
        assert found.decided_at <= 12


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


def test_votes_on_others_count_for_what_they_tell_of_the_pair(tmp_path: Path):
    # The two met only a third: 40 votes with p = 0.6 tell 9.6 of one distance, 40 with 0.5 tell 10 of the other, in a
    # row 1 / (1/9.6 + 1/10) = 4.898. A direct vote, with p = 0.6, tells 0.24: they are worth 20.41 direct ones.
    given = rows(
        *(("a", "c", "model_a", 24), ("a", "c", "model_b", 16)),
        *(("b", "c", "model_a", 20), ("b", "c", "model_b", 20)),
    )
    found = analysed(tmp_path / "v.parquet", given, "head_to_head", "a", "b")
    half = (found.points.high - found.points.low) / 2
    expected = 20.41 * (((1.96 + 0.8416) * half / 1.96 / found.points.value) ** 2 - 1)
    assert found.votes_needed == pytest.approx(expected, abs=1.5)
    assert (found.power, found.confidence) == (0.8, 0.95)


def named(**names: str) -> dict[ModelId, Model]:
    return {ModelId(key): Model(ModelId(key), name) for key, name in names.items()}


def test_a_model_is_found_by_its_id_or_its_name(tmp_path: Path):
    given = rows(("1", "2", "model_a", 3), ("1", "2", "model_b", 1), ("3", "2", "tie", 2))
    models = named(**{"1": "GPT 4", "2": "Claude v1", "3": "2"})
    by_name = analysed(tmp_path / "v.csv", given, "head_to_head", "GPT 4", "Claude v1", models=models)
    assert (by_name.a, by_name.b) == ("1", "2")
    # An id comes before another model's name.
    assert analysed(tmp_path / "v.csv", given, "head_to_head", "1", "2", models=models) == by_name


def test_findings_call_models_what_the_board_calls_them(tmp_path: Path):
    given = [{**row, "voter": "one"} for row in rows(("1", "2", "model_a", 6), ("1", "2", "model_b", 4))]
    given += [{**row, "voter": "two"} for row in rows(("2", "3", "model_a", 5), ("3", "2", "model_a", 5))]
    models = named(**{"1": "GPT 4", "2": "Claude v1", "3": "Jurassic"})
    for question in (["head_to_head", "1", "2"], ["influence"], ["goodness"], ["suspects"]):
        found = analysed(tmp_path / "v.csv", given, *question, models=models)
        text = to_text(found, models)
        assert not re.search(r"\b[123] (against|over|better|and|then|by)\b", text), text
        if question[0] in ("head_to_head", "influence"):
            assert "GPT 4" in text
            assert "Claude v1" in text


def test_a_model_that_is_not_rated_is_refused_with_the_names_that_are_near(tmp_path: Path):
    given = rows(("gpt-4", "b", "model_a", 2), ("gpt-4", "b", "model_b", 1), ("new", "b", "model_a", 1))
    with pytest.raises(BadInput, match=r"^no rated model is called 'GPT4'; did you mean 'gpt-4'\?$"):
        analysed(tmp_path / "v.parquet", given, "head_to_head", "b", "GPT4")
    with pytest.raises(BadInput, match=r"^no rated model is called 'zzz'; there are 'b', 'gpt-4'$"):
        analysed(tmp_path / "v.parquet", given, "head_to_head", "b", "zzz")
    with pytest.raises(BadInput, match="'new' has no rating yet"):
        analysed(tmp_path / "v.parquet", given, "head_to_head", "b", "new")
    with pytest.raises(BadInput, match="'b' cannot be compared with itself"):
        analysed(tmp_path / "v.parquet", given, "head_to_head", "b", "b")


def test_no_more_than_five_names_are_suggested_however_many_are_near(tmp_path: Path):
    given = rows(*((f"model-{n}", "b", winner, 1) for n in range(20) for winner in ("model_a", "model_b")))
    with pytest.raises(BadInput) as caught:
        analysed(tmp_path / "v.parquet", given, "head_to_head", "b", "model-x")
    assert str(caught.value).count("'model-") == 1 + 5
    twins = named(**{"model-1": "twin", "model-2": "twin"})
    with pytest.raises(BadInput, match="2 rated models are called 'twin'; name one by its id: 'model-1', 'model-2'"):
        analysed(tmp_path / "v.parquet", given, "head_to_head", "b", "twin", models=twins)


def test_the_first_place_of_one_vote_hangs_on_one_vote(tmp_path: Path):
    # 6 to 5: without one of the six they are level.
    found = analysed(tmp_path / "v.parquet", rows(("a", "b", "model_a", 6), ("a", "b", "model_b", 5)), "influence")
    first = found.first_place
    assert (first.leader, first.runner_up, first.n_votes, first.confirmed) == ("a", "b", 1, True)
    assert not any(each.confirmed for each in found.neighbours)
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
    first = suspects.voters[0]
    assert (first.voter, first.model, first.favours, first.n_votes) == ("rigger", "eve", True, 60)
    assert (suspects.n_voters, suspects.n_tested, suspects.false_share) == (61, 61, 0.05)
    assert all(each.q_value <= 0.05 for each in suspects.voters)
    assert rated(path)["n_votes"] == 3060


def test_without_voters_nobody_is_suspected_and_that_is_said(tmp_path: Path):
    with pytest.raises(BadInput, match="do not tell their voters"):
        analysed(tmp_path / "v.parquet", without(votes(200), "voter"), "suspects")


def test_voters_who_only_seem_odd_among_so_many_are_not_listed(tmp_path: Path):
    # 200 voters of one taste: some have p < 0.05 by chance, none of which is left over after the correction.
    given = [{**row, "voter": f"voter-{n % 200}"} for n, row in enumerate(votes(4000, n_voters=4000))]
    suspects = analysed(tmp_path / "v.parquet", given, "suspects")
    assert suspects.n_tested == 200
    assert suspects.voters == ()


@pytest.mark.parametrize("question", [["influence"], ["goodness"], ["suspects"], ["head_to_head", "ada", "bob"]])
def test_findings_do_not_depend_on_rows_or_sides_to_the_last_digit(tmp_path: Path, question: list[str]):
    # Votes are put in an order of their own before anything is added up, so there is nothing to allow for.
    given = rigged()
    for seed, again in enumerate((list(map(swapped, given)), shuffled(given), shuffled(given, seed=2))):
        found = to_record(analysed(tmp_path / "v.parquet", given, *question))
        assert found == to_record(analysed(tmp_path / f"{seed}.parquet", again, *question))


def test_suspects_do_not_depend_on_the_seed(tmp_path: Path):
    one, other = (analysed(tmp_path / "v.parquet", rigged(), "suspects", plan=Plan(seed=seed)) for seed in (0, 1))
    assert one == other


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        (Plan(method=Method.ELO), "method"),
        (Plan(ties=Ties.DAVIDSON), "ties"),
        (Plan(order=True), "order"),
        (Plan(style=("bold",)), "style"),
        (Plan(prior=1.0), "prior"),
        (Plan(weights=Weights.PAIRS), "weights"),
        (Plan(both_bad=BothBad.OWN), "both-bad as its own outcome"),
    ],
)
def test_other_plans_than_the_plain_one_are_refused_by_what_makes_them_so(tmp_path: Path, plan: Plan, name: str):
    with pytest.raises(BadInput, match=f"goodness and voters go with plain bradley-terry, .* not with {name}$"):
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
        "quick estimates that no fit has confirmed",
        "Voters that move the board most",
        "One scale for all:",
        "Pairs that contradict the scale:",
        "Voters whose votes go against those of others: ",
        "nobody is removed",
        "Listed if q, the false-discovery rate, is 0.05 or less",
        "  rigger: for eve, 60 votes",
    ):
        assert sentence in said.out
    record = rated(path, "--influence", "--goodness", "--voters", "--head-to-head", "ada", "eve")
    assert {"influence", "goodness", "voters", "head_to_head"} <= record.keys()
    assert "no rated model is called 'nobody'" in error_of(bakeoff("rate", path, "--head-to-head", "ada", "nobody"))


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


def test_pooled_slices_know_no_more_because_every_voter_votes_five_times(tmp_path: Path):
    # Each of 1,200 voters repeats one vote five times: by voter there are 1,200 of them and not 6,000, so that the part
    # of each variance that comes from the votes is five times larger, and what comes from the prior is the same.
    repeated = [{**row, "voter": f"v{n}"} for n, row in enumerate(votes(1200)) for _ in range(5)]
    path = write(tmp_path / "v.parquet", repeated)
    by_voter, by_vote = (
        rated(path, "--by", "category", "--pool", *how)["slices"] for how in ((), ("--cluster", "none"))
    )
    for name, board in by_voter.items():
        narrow = {row["model"]: row["high"] - row["low"] for row in by_vote[name]["ratings"]}
        for row in board["ratings"]:
            assert 1.2 < (row["high"] - row["low"]) / narrow[row["model"]] < sqrt(5) * 1.1


def test_votes_without_a_category_are_in_no_slice_and_a_missing_column_is_named(tmp_path: Path):
    given = votes(300)
    for row in given[:100]:
        row["category"] = None
    slices = rated(write(tmp_path / "v.csv", given), "--by", "category")["slices"]
    assert sum(board["n_votes"] for board in slices.values()) == 200
    said = bakeoff("rate", write(tmp_path / "w.csv", without(votes(50), "category")), "--by", "category")
    assert "no column 'category'" in error_of(said)
    assert bakeoff("rate", tmp_path / "v.csv", "--pool").code == 2
