"""`bakeoff review`, `exclude` and `readmit` on the file of a stopped arena."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from arena.battle import BattleId, Verdict, VoteId
from arena.store import VoteStore
from command import bakeoff, process
from tests.arena import crowds

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "arena.duckdb"
    rng = Random(1)
    with VoteStore.open(path) as store:
        crowds.stock(store, NOON)
        votes = crowds.crowd(20, 30, rng, NOON) + crowds.votes_of("bot", 60, crowds.side_a, rng, NOON, ms=100)
        crowds.plant(store, votes, NOON)
    return path


def test_flagged_left_out_and_taken_in_again(file: Path):
    said = process("review", "--db", file)
    assert said.code == 0
    assert said.out.startswith("bot\n  60 of 60 votes came in less than 3 seconds, and faster than anybody reads (q = ")
    assert "without these 60 votes: " in said.out
    assert "660 votes on the board; 0 do not tell their voter" in said.err
    record = json.loads(process("review", "--db", file, "--json").out)
    assert [each["voter"] for each in record["suspects"]] == ["bot"]

    options = ("--db", file, "--reason", "a bot", "--by", "Ada")
    assert process("exclude", "bot", *options).out == "bot is left out\n"
    assert process("exclude", "bot", *options).out == "bot is left out already: nothing was stored\n"
    said = process("review", "--db", file)
    assert said.out.startswith("no voter is flagged\nleft out: bot, 60 votes: a bot (Ada, ")
    assert "60 left out: excluded by the host" in process("rate", "--db", file).err
    assert process("readmit", "bot", *options).out == "bot is not left out\n"
    assert json.loads(process("review", "--db", file, "--json").out)["together"] == record["together"]


def test_what_is_not_to_be_had_is_one_line(file: Path, tmp_path: Path):
    said = process("exclude", "bott", "--db", file, "--reason", "a bot", "--by", "Ada")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "bakeoff: no vote in this arena is by voter 'bott'; `bakeoff review` lists voters as they are called\n"
    )
    assert process("exclude", "bot", "--db", file, "--reason", " ", "--by", "Ada").code == 1
    assert process("exclude", "bot", "--db", file, "--by", "Ada").code == 2
    assert process("review", "--db", tmp_path / "none.duckdb").code == 1


def test_real_votes_have_the_two_voters_that_the_docs_tell_of(llmfao: Path, tmp_path: Path):
    db = tmp_path / "llmfao.duckdb"
    columns = "prompt=prompt_id,model_x=model_a,model_y=model_b,worker=voter"
    for options in (
        ("models.jsonl", "--as", "models", "--map", "org=organization"),
        ("prompts.jsonl", "--as", "prompts", "--map", "type=category"),
        ("crowd-comparisons.csv", "--source", "human", "--map", columns, "--values", "left=model_a,right=model_b"),
    ):
        assert process("import", llmfao / options[0], "--db", db, *options[1:]).code == 0
    record = json.loads(process("review", "--db", db, "--json").out)
    facts = [flag["facts"] for each in record["suspects"] for flag in each["flags"]]
    assert [(each["k"], each["n"], round(each["due"], 1)) for each in facts] == [(106.5, 110, 44.5), (43.0, 45, 16.4)]
    assert record["checks"]["against_others"]["n_judged"] == 82


def test_where_votes_disagree_stands_below_the_flags(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        crowds.stock(store, NOON)
        # Two voters on each of ten prompts, always the models 0 and 1: on every fifth they differ.
        votes = []
        for number in range(10):
            for who in range(2):
                [(battle, vote)] = crowds.votes_of(f"w{who}", 1, crowds.side_a, Random(number), NOON, prompts=[number])
                verdict = Verdict.B if who and number % 5 == 0 else Verdict.A
                battle = replace(battle, id=BattleId(f"{number}-{who}"))
                votes.append(
                    (battle, replace(vote, id=VoteId(f"{number}-{who}"), battle_id=battle.id, verdict=verdict))
                )
        crowds.plant(store, votes, NOON)
    said = bakeoff("review", "--db", path)
    lines = said.out.splitlines()
    at = lines.index("Votes disagree on 2 of 10 pairs that several voters judged")
    # Wilson's interval of 2 of 10 is 0.057 to 0.510, so 2 of 25 places are left of it and 12 right.
    assert lines[at + 1].split("  ")[-1] == ".----o-------............"
    assert "all of them" in lines[at + 1]
    assert "2 of 10  20%  6% to 51%" in lines[at + 1]
    assert {line.split()[0] for line in lines[at + 2 :]} == {"category", "language", "length", "guideline"}
    record = bakeoff("review", "--db", path, "--json").record["disagreement"]
    assert (record["n_pairs"], record["n_conflicts"]) == (10, 2)
    assert record["share"]["value"] == 0.2
    assert record["clusters"][0]["share"] == pytest.approx({"value": 0.2, "low": 0.0567, "high": 0.5098}, abs=1e-4)


def test_an_arena_in_which_nothing_is_shared_says_so(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        crowds.stock(store, NOON)
        crowds.plant(store, crowds.votes_of("w", 5, crowds.side_a, Random(1), NOON), NOON)
    said = bakeoff("review", "--db", path)
    assert "Votes disagree" not in said.out
    assert "no two voters have judged the same two answers" in said.err
    assert bakeoff("review", "--db", path, "--json").record["disagreement"]["share"]["value"] is None
