"""Every choice of a rating, on votes of invented people whose true order is known."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from arena.battle import ModelId, Source, Verdict
from arena.errors import BadInput
from arena.leaderboard import from_record
from arena.plan import BothBad, Intervals, Method, Ties, Weights
from arena.style import FEATURES
from arena.tally import Selection, Unit
from command import rated
from simulated import GAP, MODELS, Vote, shuffled, votes, without, write, write_typed
from simulated_boards import as_bytes, board_of_votes, entries_of, width
from tallies import board_of, score, tally

A, B, TIE, BOTH_BAD = Verdict


CHOICES: dict[str, dict[str, Any]] = {
    "the default": {},
    "elo": {"method": Method.ELO},
    "win rate": {"method": Method.WIN_RATE},
    "davidson": {"ties": Ties.DAVIDSON},
    "rao-kupper": {"ties": Ties.RAO_KUPPER},
    "both bad dropped": {"both_bad": BothBad.DROP},
    "both bad as its own": {"both_bad": BothBad.OWN},
    "order": {"order": True},
    "style": {"style": FEATURES},
    "style of votes on their own": {"style": FEATURES, "unit": Unit.NONE, "intervals": Intervals.BOOTSTRAP},
    "style and order": {"style": ("length", "bold"), "order": True},
    "style and ties": {"style": ("length",), "ties": Ties.DAVIDSON},
    "a prior": {"prior": 0.5},
    "weights by pair": {"weights": Weights.PAIRS},
    "weights by voter": {"weights": Weights.VOTERS},
    "every vote on its own": {"unit": Unit.NONE},
    "prompts": {"unit": Unit.PROMPT},
    "bootstrap": {"intervals": Intervals.BOOTSTRAP},
    "bootstrap of ties": {"intervals": Intervals.BOOTSTRAP, "ties": Ties.RAO_KUPPER},
    "bootstrap of order": {"intervals": Intervals.BOOTSTRAP, "order": True},
    "bootstrap of style": {"intervals": Intervals.BOOTSTRAP, "style": ("length",)},
    "bootstrap of weights": {"intervals": Intervals.BOOTSTRAP, "weights": Weights.PAIRS},
    "voters drawn again": {"intervals": Intervals.CLUSTER},
    "prompts drawn again": {"intervals": Intervals.CLUSTER, "unit": Unit.PROMPT},
    "voters with ties": {"intervals": Intervals.CLUSTER, "ties": Ties.DAVIDSON},
    "voters with style": {"intervals": Intervals.CLUSTER, "style": ("length",)},
    "voters with weights": {"intervals": Intervals.CLUSTER, "weights": Weights.VOTERS},
    "another confidence": {"confidence": 0.8},
    "an anchor": {"anchor": (ModelId("eve"), 800.0)},
    "few votes": {"min_votes": 20, "provisional_below": 1000},
}

every_choice = pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES.keys())


@pytest.fixture(scope="module")
def people() -> Sequence[Vote]:
    return votes()


@every_choice
def test_every_choice_finds_the_known_order_and_accounts_for_every_vote(
    tmp_path: Path, people: Sequence[Vote], choices: dict[str, Any]
):
    board = board_of_votes(tmp_path / "votes.parquet", people, **choices)
    assert [entry.model.id for entry in board.entries] == list(MODELS)
    assert board.n_votes + sum(board.dropped.values()) == len(people)
    assert [entry.rank for entry in board.entries] == [1, 2, 3, 4, 5]
    assert from_record(json.loads(as_bytes(board)), {}) == board
    for entry in board.entries:
        assert entry.score is not None
        assert entry.low is not None
        assert entry.high is not None
        assert entry.low < entry.score < entry.high
        assert entry.rank is not None
        assert entry.rank_low is not None
        assert entry.rank_high is not None
        assert entry.rank_low <= entry.rank <= entry.rank_high
        assert entry.tier is not None
    for each in board.coefficients:
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.value < each.high


def test_draws_of_voters_some_of_whom_are_unknown_do_not_hang_on_the_order_of_rows(
    tmp_path: Path, people: Sequence[Vote]
):
    rows = [row if n % 3 else {**row, "voter": None} for n, row in enumerate(people[:600])]
    boards = {
        as_bytes(board_of_votes(tmp_path / "votes.csv", these, intervals=Intervals.CLUSTER))
        for these in (rows, shuffled(rows), shuffled(rows, seed=2))
    }
    assert len(boards) == 1


@every_choice
def test_neither_the_order_of_rows_nor_their_sides_nor_the_format_change_a_byte(
    tmp_path: Path, people: Sequence[Vote], choices: dict[str, Any]
):
    # Who stands where is what `order` is about; there only the rows' order may change.
    mixed = shuffled(people[:600], swap=not choices.get("order"))
    boards = {
        as_bytes(board_of_votes(tmp_path / name, rows, **choices))
        for name, rows in (("one.parquet", people[:600]), ("two.csv", mixed), ("three.jsonl", mixed[::-1]))
    }
    assert len(boards) == 1


def test_the_default_scores_are_near_the_true_ones(tmp_path: Path, people: Sequence[Vote]):
    board = board_of_votes(tmp_path / "votes.parquet", [row for row in people if "model" in row["winner"]])
    # Tastes with a spread of 0.8 * sqrt(2) = 1.13 logits between two models flatten the gaps of the mean voter by about
    # 1 / sqrt(1 + 1.13^2 * 0.346) = 0.83 (a normal spread behind a logistic curve).
    gap = 400 / math.log(10) * GAP * 0.83
    for better, worse in zip(board.entries, board.entries[1:], strict=False):
        assert better.score is not None
        assert worse.score is not None
        # Each gap is known to about 35 points: 600 decisive votes on two models, a design effect of 1 to 2.
        assert better.score - worse.score == pytest.approx(gap, abs=70)


# A newcomer


@every_choice
def test_a_newcomer_with_few_votes_neither_moves_nor_widens_the_others(
    tmp_path: Path, people: Sequence[Vote], choices: dict[str, Any]
):
    rows = [{**people[n], "model_a": "new", "winner": ("model_a", "model_b")[n % 2]} for n in range(4)]
    assert {row["model_b"] for row in rows} <= set(MODELS)
    choices = {**choices, "rounds": 1000, "min_votes": 0}
    before = entries_of(board_of_votes(tmp_path / "votes.parquet", people, **choices))
    after = entries_of(board_of_votes(tmp_path / "votes.parquet", [*people, *rows], **choices))
    assert set(after) == {*before, "new"}
    # Pairs with fewer than 50 votes weigh as much as those with 50, where that was asked: these four votes as dozens.
    is_heavy = choices.get("weights") is Weights.PAIRS
    is_drawn = (
        choices.get("intervals", Intervals.SANDWICH) is not Intervals.SANDWICH or choices.get("method") is Method.ELO
    )
    for name, entry in before.items():
        assert entry.score is not None
        assert after[name].score == pytest.approx(entry.score, abs=(0.15 if is_heavy else 0.05) * width(entry))
        # Drawn again, 2.5 % quantiles of 1,000 rounds are themselves known to some 6 % of the width.
        assert width(after[name]) == pytest.approx(width(entry), rel=0.15 if is_drawn else 0.05 if is_heavy else 0.02)


# What single votes are needed for


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"method": Method.ELO}, "online Elo"),
        ({"style": ("length",)}, "style"),
        ({"weights": Weights.VOTERS}, "weights by voter"),
        ({"intervals": Intervals.CLUSTER}, "voter, prompt or list"),
        ({"unit": Unit.VOTER}, "the votes do not tell their voter"),
    ],
)
def test_counts_alone_do_not_give_what_needs_single_votes(choices: dict[str, Any], what: str):
    with pytest.raises(BadInput, match=what):
        board_of(tally("x", "y", A, 3), tally("x", "y", B, 2), **choices)


@pytest.mark.parametrize(
    "asked",
    [
        {"sources": (Source.HUMAN,)},
        {"categories": ("code", "facts")},
        {"languages": ("de",)},
    ],
)
@pytest.mark.parametrize("name", ["the default", "elo", "style", "voters drawn again", "order"])
def test_a_board_of_some_votes_is_the_board_of_a_file_with_these_alone(
    tmp_path: Path, people: Sequence[Vote], asked: dict[str, Any], name: str
):
    chosen = Selection(**asked)
    mixed = [{**row, "source": "rule"} if n % 3 == 0 else row for n, row in enumerate(people)]
    kept = [
        row
        for row in mixed
        if (not chosen.sources or row["source"] in chosen.sources)
        and (not chosen.categories or row["category"] in chosen.categories)
        and (not chosen.languages or row["language"] in chosen.languages)
    ]
    some = board_of_votes(tmp_path / "all.parquet", mixed, chosen, **CHOICES[name])
    alone = board_of_votes(tmp_path / "some.parquet", kept, **CHOICES[name])
    assert sum(some.dropped.values()) == len(mixed) - len(kept) > 0
    assert some.entries == alone.entries


def test_style_takes_out_what_length_alone_has_won(tmp_path: Path):
    # ada and bob are equals, ada writes twice as much, and the longer answer wins three times of four, whoever wrote it
    # (bob is the longer one in one vote of five).
    rows = []
    for n in range(2000):
        is_ada_longer = n % 5 > 0
        does_longer_win = n % 4 > 0
        rows.append(
            {
                "model_a": "ada",
                "model_b": "bob",
                "winner": "model_a" if is_ada_longer == does_longer_win else "model_b",
                "length_a": 200 if is_ada_longer else 100,
                "length_b": 100 if is_ada_longer else 200,
            }
        )
    plain = board_of_votes(tmp_path / "votes.csv", rows)
    styled = board_of_votes(tmp_path / "votes.csv", rows, style=("length",))
    # ada wins 0.8 * 0.75 + 0.2 * 0.25 = 0.65 of them: 400 log10(0.65 / 0.35) = 107.5 points.
    assert score(plain, "ada") - score(plain, "bob") == pytest.approx(107.54, abs=0.1)
    assert score(styled, "ada") - score(styled, "bob") == pytest.approx(0, abs=0.1)
    # The difference is (200 - 100) / 300 either way: 1 of its root mean squares, worth ln 3 logits.
    [length] = styled.coefficients
    assert length.value == pytest.approx(math.log(3), abs=1e-3)


def test_order_finds_what_side_a_is_worth(tmp_path: Path):
    # Equals who win 60 of 100 when they stand on side A: order is worth ln(60 / 40) = 0.405 logits.
    rows = [
        {"model_a": a, "model_b": b, "winner": winner}
        for a, b in (("x", "y"), ("y", "x"))
        for winner in ["model_a"] * 60 + ["model_b"] * 40
    ]
    board = board_of_votes(tmp_path / "votes.csv", rows, order=True)
    [order] = board.coefficients
    assert (order.name, order.value) == ("order", pytest.approx(math.log(1.5), abs=1e-4))
    assert [entry.score for entry in board.entries] == pytest.approx([1000, 1000], abs=1e-3)


def test_elo_of_an_even_pair_at_one_time_is_even(tmp_path: Path):
    # All dated the same day: played wins first, the two would end 300 points apart.
    rows = [
        {"model_a": "x", "model_b": "y", "winner": w, "voted_at": "2026-01-01"} for w in ("model_a", "model_b") * 200
    ]
    record = rated(write(tmp_path / "v.parquet", rows), "--method", "elo")
    assert [abs(row["score"] - 1000) < 40 for row in record["ratings"]] == [True, True]
    assert rated(write(tmp_path / "w.parquet", shuffled(rows)), "--method", "elo") == record


def test_models_that_are_numbers_in_one_column_and_texts_in_the_other_are_counted_once(tmp_path: Path):
    rows = [{"model_a": "1", "model_b": "2", "winner": w} for w in ("model_a", "model_b") * 3]
    path = write_typed(tmp_path / "v.parquet", rows, model_b="bigint")
    assert rated(path)["n_votes"] == 6


def test_style_that_never_differs_is_no_style(tmp_path: Path):
    rows = [{**row, "length_a": 5, "length_b": 5} for row in without(votes(200), "answer_a", "answer_b")]
    path = write(tmp_path / "v.csv", rows)
    for how in ((), ("--intervals", "bootstrap")):
        styled = rated(path, "--style", "--features", "length", *how)
        assert styled["ratings"] == rated(path, *how)["ratings"]
        assert styled["notes"][0] == "length never differs between two answers, and is left out"
        assert len(styled["notes"]) == len(set(styled["notes"]))
