"""A board on paper: what was chosen stands below it, and numbers come with their meaning."""

from math import exp, log, tanh
from pathlib import Path
from typing import Any

import pytest

from arena.battle import Model, ModelId, Verdict
from arena.leaderboard import Coefficient, Leaderboard
from arena.plan import BothBad, Method, Plan, Ties, Weights
from arena.printout import chosen, to_text
from arena.rating import rate
from arena.tally import Tally
from arena.vote_file import open_votes
from simulated import votes, write
from tallies import tally

A, B, TIE, BOTH_BAD = Verdict


# 40 votes on two equals, a quarter of them ties.
EQUALS = (tally("x", "y", A, 15), tally("x", "y", B, 15), tally("x", "y", TIE, 10))


def board_of(*tallies: Tally, **options: Any) -> Leaderboard:
    models = {ModelId("x"): Model(ModelId("x"), "Model X")}
    return rate(tallies, models, Plan(**options))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("votes") / "votes.parquet", votes(400))


def board_of_file(file: Path, **options: Any) -> Leaderboard:
    with open_votes(file) as opened:
        return rate(opened.counted(), {}, Plan(**options), rows=opened)


def last_line(board: Leaderboard) -> str:
    return to_text(board).splitlines()[-1]


def test_of_a_board_as_it_comes_nothing_is_said_to_be_chosen():
    assert chosen(board_of(*EQUALS)) == ""
    assert (
        last_line(board_of(*EQUALS)) == "40 votes counted, 0 left out; bradley-terry, sandwich, every vote on its own"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"min_votes": 20}, "min-votes 20"),
        ({"prior": 0.5}, "prior 0.5"),
        ({"weights": Weights.PAIRS}, "weights by pair"),
        ({"both_bad": BothBad.DROP}, "both-bad verdicts dropped"),
        ({"confidence": 0.9}, "confidence 90 %"),
        ({"confidence": 0.999}, "confidence 99.9 %"),
        ({"anchor": (ModelId("x"), 1200.0)}, "anchor Model X = 1200"),
        ({"min_votes": 20, "prior": 0.5}, "prior 0.5, min-votes 20"),
    ],
)
def test_what_was_chosen_stands_at_the_end(options: dict[str, Any], told: str):
    board = board_of(*EQUALS, **options)
    assert chosen(board) == told
    assert last_line(board).endswith(f"; {told}")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"style": ("length", "bold")}, "style taken out (length, bold)"),
        ({"order": True}, "order taken out"),
        ({"weights": Weights.VOTERS}, "weights by voter"),
        ({"method": Method.ELO, "k": 8.0, "rounds": 100}, "k 8"),
        ({"method": Method.ELO, "rounds": 100}, ""),
    ],
)
def test_what_was_chosen_of_single_votes_stands_there_too(file: Path, options: dict[str, Any], told: str):
    assert chosen(board_of_file(file, **options)) == told


def test_every_choice_of_a_plan_is_told_or_stands_elsewhere_on_the_board():
    # Whoever adds a choice says here where the reader of a printed board learns of it.
    elsewhere = {"ties", "provisional_below"}  # in the name of the method; in the mark behind each model
    assert set(Plan(method=Method.ELO).to_record()) - elsewhere == {
        *("weights", "prior", "order", "style", "both_bad", "k", "min_votes", "anchor"),
    }


def test_a_board_from_before_there_were_choices_has_none():
    old = Leaderboard("bradley-terry", 0.95, 1000, 0, 0, 0, {}, ())
    assert chosen(old) == ""


def test_one_vote_is_a_vote():
    assert last_line(board_of(tally("x", "y", TIE))).startswith("1 vote counted, 0 left out")
    assert last_line(board_of(*[tally("x", "y", TIE)] * 2)).startswith("2 votes counted")


@pytest.mark.parametrize(("ties", "meaning"), [(Ties.DAVIDSON, "nu / (2 + nu)"), (Ties.RAO_KUPPER, "tanh(eta / 2)")])
def test_how_likely_ties_are_is_said_as_a_share(ties: Ties, meaning: str):
    # Two equals with a quarter of ties: whatever the model, that is the estimate.
    text = to_text(board_of(*EQUALS, ties=ties))
    assert f"P(tie) = {meaning} between equals; here 25.0 % (" in text


def line_of(name: str, value: float, low: float | None, high: float | None) -> str:
    coefficient = Coefficient(name, value, low, high, "how likely ties are", None if low else "no spread")
    board = Leaderboard("", 0.95, 1000, 0, 0, 0, {}, (), coefficients=(coefficient,))
    return next(line for line in to_text(board).splitlines() if line.startswith(name))


def test_the_interval_of_a_share_is_that_of_its_logit():
    # nu / (2 + nu): 1/3, 1/2, 3/5 for nu = 1, 2, 3. tanh(eta / 2) = 0.2, 0.5 for eta = log(1.2 / 0.8), log 3.
    davidson = line_of("log_nu", log(2), 1e-12, log(3))
    assert davidson.endswith("how likely ties are; here 50.0 % (33.3 % to 60.0 %)")
    assert "(+0.000 to +1.099)" in davidson
    rao_kupper = line_of("eta", log(3), log(1.5), log(3))
    assert rao_kupper.endswith("here 50.0 % (20.0 % to 50.0 %)")
    assert tanh(log(3) / 2) == pytest.approx(0.5)


def test_a_share_without_an_interval_is_said_with_the_reason():
    assert "(no spread)  how likely ties are; here 33.3 %" in line_of("log_nu", 0.0, None, None)


def test_the_share_of_the_grounded_model_is_where_both_bad_is_out_of_the_question():
    # P(A) = p / (p + theta p + 1) goes to 1 / (1 + theta) for each side: (theta - 1) / (theta + 1) is left.
    theta, p = 1 + exp(-0.5), 1e9
    share = 1 - 2 * p / (p + theta * p + 1) - 1 / (1 + 2 * p)
    line = line_of("log_theta_1", -0.5, -0.6, -0.4)
    assert f"here {100 * share:.1f} % (" in line
    assert line.endswith("between equals that are good beyond doubt")


def test_names_longer_than_any_model_keep_the_columns(file: Path):
    text = to_text(board_of_file(file, style=("bold", "code_blocks")))
    bold, code_blocks = (line for line in text.splitlines() if line.startswith(("bold", "code_blocks")))
    assert bold.index("logits") == code_blocks.index("logits")
