"""`bakeoff review`, `exclude` and `readmit` on the file of a stopped arena."""

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from arena.store import VoteStore
from command import process
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
