"""`bakeoff audit`, as a person runs it."""

from pathlib import Path

import pytest

import simulated
from arena import table
from arena.quality.audits import AUDITS
from command import bakeoff, error_of, usage_of


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Votes of whom whoever writes more wins a little more often."""
    return simulated.write(tmp_path_factory.mktemp("audit") / "votes.parquet", simulated.votes(1500))


def test_a_file_is_audited_with_a_sentence_for_every_question(file: Path):
    said = bakeoff("audit", file)
    assert said.code == 0, said.err
    heads = [line.split(" ")[0] for line in said.out.splitlines() if line and not line.startswith(" ")]
    assert heads == list(AUDITS)
    assert "columns left aside" not in said.err
    assert "1,500 votes: " in said.err


def test_the_same_votes_in_a_database_give_the_same_figures(file: Path, tmp_path: Path):
    db = tmp_path / "arena.duckdb"
    said = bakeoff("import", file, "--db", db, "--source", "human", "--map", "prompt_id=prompt_text")
    assert said.code == 0, said.err
    one, other = (bakeoff("audit", *words, "--json").record for words in ((file,), ("--db", db)))
    assert one["n_votes"] == other["n_votes"] == 1500
    for before, after in zip(one["audits"], other["audits"], strict=True):
        for left, right in zip(before["figures"], after["figures"], strict=True):
            if left["name"] in ("drawn_here", "models_off", "voters_leaning", "openers", "openers_adjusted"):
                continue  # these list or name what the file calls otherwise
            assert left["value"] == right["value"] or left["value"] == pytest.approx(right["value"], abs=1e-6)
            assert left["p_value"] == right["p_value"] or left["p_value"] == pytest.approx(right["p_value"], rel=1e-4)


def test_only_the_votes_that_were_asked_for_are_audited(file: Path):
    record = bakeoff("audit", file, "--since", "2026-01-05", "--json").record
    assert record["selection"]["since"] == "2026-01-05T00:00:00+00:00"
    # One vote every ten minutes, in pairs: 576 in the first four days.
    assert record["n_votes"] == 1500 - 576
    assert record["left_out"] == {"cast before 2026-01-05T00:00:00+00:00": 576}


def test_prompts_are_compared_with_the_texts_of_a_file(tmp_path: Path):
    rows = [row | {"prompt_text": f"What is {row['prompt_id']}?"} for row in simulated.votes(60)]
    votes = simulated.write(tmp_path / "votes.csv", rows)
    known = tmp_path / "benchmark.txt"
    known.write_text(f"{rows[0]['prompt_text'].upper()}\nAnother one\n", encoding="utf-8")
    record = bakeoff("audit", votes, "--against", known, "--json").record
    [found] = [each for each in record["audits"] if each["audit"] == "contamination"]
    assert found["speaks"] is True
    [exact] = [each for each in found["figures"] if each["name"] == "known_exactly"]
    assert [each["prompt"] for each in exact["listed"]] == [rows[0]["prompt_id"]]
    table.write(tmp_path / "benchmark.jsonl", {"question": "varchar"}, [["Something else"]])
    said = bakeoff("audit", votes, "--against", tmp_path / "benchmark.jsonl")
    assert "contamination (silent)" in said.out


def test_an_export_whose_gold_is_in_train_is_found(file: Path, tmp_path: Path):
    turns = "struct(role varchar, content varchar)[]"
    for split, texts in (("train", ["One?", "Two?"]), ("gold", ["Two?", "Three?"])):
        rows = [[[{"role": "user", "content": text}, {"role": "assistant", "content": "Yes."}]] for text in texts]
        table.write(tmp_path / "preference" / f"{split}-00000-of-00001.parquet", {"chosen": turns}, rows)
    said = bakeoff("audit", file, "--dataset", tmp_path)
    assert "gold prompts that are in train, or nearly" in said.out
    assert "contamination (speaks)" in said.out


def test_what_cannot_be_compared_is_said_in_one_line(file: Path, tmp_path: Path):
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n")
    assert "no column of texts" in error_of(bakeoff("audit", file, "--against", tmp_path / "numbers.csv"))
    assert "cannot be read" in error_of(bakeoff("audit", file, "--against", tmp_path / "none.txt"))
    assert "holds no file of a split" in error_of(bakeoff("audit", file, "--dataset", tmp_path))
    assert "there is no folder" in error_of(bakeoff("audit", file, "--dataset", tmp_path / "none"))


def test_a_file_or_a_database_is_named_and_not_both(file: Path, tmp_path: Path):
    assert "name either" in usage_of(bakeoff("audit"))
    assert "name either" in usage_of(bakeoff("audit", file, "--db", tmp_path / "arena.duckdb"))
    assert "there is no database" in error_of(bakeoff("audit", "--db", tmp_path / "arena.duckdb"))


def test_no_vote_left_is_said_in_one_line(file: Path):
    assert "no vote is left to audit" in error_of(bakeoff("audit", file, "--since", "2030-01-01"))
