"""`bakeoff agreement` as a person runs it: on a vote file, on a database, with other columns and other words."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from arena import judgement_table
from arena.agreement import Agreement, Chance
from arena.vote_file import open_votes
from command import bakeoff, error_of, usage_of

HEADER = "model_a,model_b,winner,voter,prompt_id,category\n"
# Two voters on 12 prompts: they agree on 9; on the last 4, of another category, on 1.
ROWS = [(("a", "b") if n % 2 else ("b", "a"), n, "code" if n < 8 else "prose", n < 8 or n == 11) for n in range(12)]
FEW = ("--rounds", "100")


def votes(path: Path, *, header: str = HEADER, words: tuple[str, str] = ("model_a", "model_b")) -> Path:
    lines = [header]
    for (a, b), prompt, category, agree in ROWS:
        lines.append(f"{a},{b},{words[prompt % 3 == 0]},ann,p{prompt},{category}\n")
        # The second voter sees the sides the other way round.
        lines.append(f"{b},{a},{words[(prompt % 3 == 0) != agree]},bob,p{prompt},{category}\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def told(*words: object) -> dict[str, Any]:
    said = bakeoff("agreement", *words, "--json", *FEW)
    assert said.code == 0, said
    return said.record


def test_two_voters_agree_on_what_they_say_of_answers_and_not_of_sides(tmp_path: Path):
    found = told(votes(tmp_path / "votes.csv"))
    part = found["agreement"]["all"]
    assert (part["n_items"], part["n_pairs"], part["n_voters"]) == (12, 12, 2)
    assert part["figures"]["raw"]["value"] == 0.75
    assert part["figures"]["cohen"]["value"] is not None
    assert found["selection"]["sources"] is None
    assert found["gate"]["outcome"] in ("passed", "refused")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_same_votes_in_any_kind_of_file_and_in_any_order_give_the_same_bytes(tmp_path: Path, kind: str):
    csv = votes(tmp_path / "votes.csv")
    other = tmp_path / f"other.{kind}"
    form = {"csv": "csv, header", "jsonl": "json, array false", "parquet": "parquet"}[kind]
    duckdb.sql(f"copy (select * from '{csv}' order by hash(prompt_id, voter)) to '{other}' (format {form})")
    by = ("--by", "category", "--by", "voter")
    assert told(csv, *by) == told(other, *by)


@pytest.mark.parametrize("with_texts", [False, True])
def test_the_side_on_which_an_answer_stood_changes_no_byte(tmp_path: Path, *, with_texts: bool):
    rng = np.random.default_rng(4)
    rows = [
        (*rng.permutation(["a", "b", "c"])[:2], rng.choice(["model_a", "model_b", "tie", "both_bad"]), f"w{w}", f"p{p}")
        for p in range(15)
        for w in range(4)
    ]
    other = {"model_a": "model_b", "model_b": "model_a"}

    def written(name: str, turned: set[int]) -> Path:
        lines = []
        for number, (a, b, winner, voter, prompt) in enumerate(rows):
            sides = (b, a, other.get(winner, winner)) if number in turned else (a, b, winner)
            texts = [f"{side} says {prompt}" if with_texts else "" for side in sides[:2]]
            lines.append(",".join(map(str, [*sides, voter, prompt, *texts])) + "\n")
        head = "model_a,model_b,winner,voter,prompt_id,answer_a,answer_b\n"
        (tmp_path / name).write_text(head + "".join(lines))
        return tmp_path / name

    some = set(rng.choice(60, size=30, replace=False).tolist())
    assert told(written("as_shown.csv", set()), "--by", "voter") == told(written("turned.csv", some), "--by", "voter")


def test_columns_and_words_of_other_names_are_named(tmp_path: Path):
    path = votes(
        tmp_path / "votes.csv", header="left_model,right_model,said,who,item,category\n", words=("left", "right")
    )
    mapping = "left_model=model_a,right_model=model_b,said=winner,who=voter,item=prompt_id"
    found = told(path, "--map", mapping, "--values", "left=model_a,right=model_b")
    assert found["agreement"] == told(votes(tmp_path / "plain.csv"))["agreement"]
    said = bakeoff("agreement", path, "--map", mapping)
    assert "row 1: winner 'right' is no verdict" in error_of(said)
    assert "has no column 'mood'" in error_of(bakeoff("agreement", path, "--map", "mood=voter"))
    twice = error_of(bakeoff("agreement", votes(tmp_path / "plain.csv"), "--map", "category=voter"))
    assert "two columns for 'voter'" in twice


def test_the_judge_and_the_question_of_public_files_are_voter_and_prompt(tmp_path: Path):
    header = HEADER.replace("voter", "judge").replace("prompt_id", "question_id")
    said = bakeoff("agreement", votes(tmp_path / "votes.csv", header=header), *FEW)
    assert said.code == 0
    assert "the column 'judge' is taken for 'voter'" in said.err
    assert "12 of 12 pairs of answers were judged by several voters: 24 votes by 2 voters" in said.out


def test_turns_of_one_question_are_items_of_their_own(tmp_path: Path):
    path = tmp_path / "votes.csv"
    rows = [
        f"a,b,model_{winner},{judge},q,{turn}\n"
        for turn, pair in ((1, "aa"), (2, "ab"))
        for judge, winner in zip("xy", pair, strict=True)
    ]
    path.write_text("model_a,model_b,winner,judge,question_id,turn\n" + "".join(rows))
    found = told(path, "--by", "turn")
    assert found["agreement"]["all"]["n_items"] == 2
    shares = {turn: part["all"]["figures"]["raw_pooled"]["value"] for turn, part in found["by"]["turn"].items()}
    assert shares == {"1": 1.0, "2": 0.0}


def test_by_category_and_by_voter(tmp_path: Path):
    path = votes(tmp_path / "votes.csv")
    said = bakeoff("agreement", path, "--by", "category", "--by", "voter", *FEW)
    assert said.code == 0
    assert "By category" in said.out
    assert "Each voter against the others" in said.out
    found = told(path, "--by", "category", "--by", "voter")
    raw = {name: part["all"]["figures"]["raw"]["value"] for name, part in found["by"]["category"].items()}
    assert raw == {"code": 1.0, "prose": 0.25}
    assert [each["voter"] for each in found["voters"]] == ["ann", "bob"]
    assert {each["all"]["raw"]["value"] for each in found["voters"]} == {0.75}


def test_votes_that_nobody_else_met_say_so_and_pass_no_gate_in_silence(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,voter,prompt_id\na,b,model_a,x,p\na,c,model_b,y,p\n")
    said = bakeoff("agreement", path)
    assert said.code == 0
    assert "no two voters have judged the same two answers" in said.out
    assert "Gate: not measurable" in said.out


def test_votes_that_do_not_tell_voter_or_prompt_are_counted_as_left_out(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,voter,prompt_id\na,b,model_a,x,p\na,b,model_a,,p\na,b,model_b,z,\n")
    found = told(path)
    assert found["left_out"] == {"no voter is known": 1, "no prompt is known": 1}
    assert found["n_votes"] == 1
    path.write_text("model_a,model_b,winner,prompt_id\na,b,model_a,p\n")
    assert "no column 'voter'" in error_of(bakeoff("agreement", path))


def test_answers_are_told_apart_by_their_texts_where_these_are_there(tmp_path: Path):
    path = tmp_path / "votes.csv"
    header = "model_a,model_b,winner,voter,prompt_id,answer_a,answer_b\n"
    rows = [
        "a,b,model_a,x,p,yes,no\n",
        "b,a,model_b,y,p,no,yes\n",
        "c,d,model_a,z,p,yes,no\n",
        "a,b,tie,w,p,yes,never\n",
    ]
    path.write_text(header + "".join(rows) + "a,b,tie,v,p,yes,yes\n")
    found = told(path)
    assert found["agreement"]["all"]["n_pairs"] == 3
    assert found["agreement"]["all"]["figures"]["raw"]["value"] == 1
    assert found["left_out"] == {"both answers have the same text": 1}


def test_judges_are_held_against_people_and_never_mixed_with_them(tmp_path: Path):
    path = tmp_path / "votes.jsonl"
    rows = []
    for n in range(20):
        row = {"model_a": "a", "model_b": "b", "prompt_id": f"p{n}", "category": "code" if n < 12 else "prose"}
        rows += [
            row | {"winner": "model_a" if n % 2 else "model_b", "voter": f"w{w}", "source": "human"} for w in range(3)
        ]
        # The judge says the same but for every fifth.
        says = "tie" if n % 5 == 0 else rows[-1]["winner"]
        rows.append(row | {"winner": says, "voter": "judge-1", "source": "ai_judge"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    plain = told(path)
    assert plain["agreement"]["all"]["n_pairs"] == 60
    assert plain["left_out"] == {"source ai_judge is not asked for": 20}
    found = told(path, "--between", "human", "ai_judge", "--by", "category")
    assert found["agreement"] == plain["agreement"]
    [judge] = found["judges"]
    assert judge["voter"] == "judge-1"
    assert judge["merged"]["single"]["raw"]["value"] == 0.8
    assert judge["merged"]["majority"]["figures"]["raw"]["value"] == 0.8
    assert judge["decisive"]["single"]["raw"]["value"] == 1
    assert set(judge["by"]["category"]) == {"code", "prose"}
    assert judge["by"]["category"]["prose"]["merged"]["single"]["n_items"] == 8
    said = bakeoff("agreement", path, "--between", "human", "ai_judge", "--by", "category", *FEW)
    assert "Judge judge-1" in said.out
    assert "against their majority" in said.out
    wrong = ("--between", "human", "human"), ("--between", "human", "rule", "--source", "human")
    for options in wrong:
        assert "--between names two sources" in usage_of(bakeoff("agreement", path, *options))


def test_judges_without_people_or_people_without_judges_have_nothing_to_compare(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,voter,prompt_id,source\na,b,tie,x,p,ai_judge\na,b,tie,y,p,ai_judge\n")
    found = told(path, "--between", "human", "ai_judge", "--by", "voter")
    assert (found["n_votes"], found["voters"], found["gate"]["outcome"]) == (0, [], "not measurable")
    single = [judge["all"]["single"] for judge in found["judges"]]
    assert [(each["n_items"], each["raw"]["value"]) for each in single] == [(0, None), (0, None)]
    assert {each["raw"]["reason"] for each in single} == {"no two voters have judged the same two answers"}
    assert told(path, "--between", "ai_judge", "human")["judges"] == []
    assert bakeoff("agreement", path, "--between", "human", "ai_judge", "--by", "voter").code == 0


def test_a_database_tells_the_same_as_its_file(tmp_path: Path):
    path, db = votes(tmp_path / "votes.csv"), tmp_path / "arena.duckdb"
    assert bakeoff("import", path, "--db", db, "--source", "human", "--map", "prompt_id=prompt_text").code == 0
    stored, of_file = told("--db", db)["agreement"], told(path)["agreement"]
    assert {name: part["figures"] for name, part in stored.items()} == {
        name: part["figures"] for name, part in of_file.items()
    }
    said = bakeoff("agreement", "--db", db, "--by", "week", "--by", "guideline", *FEW)
    assert said.code == 0
    assert "24 votes tell no week" in said.out
    assert "counted: human" in said.err


def test_options_without_effect_are_wrong_usage(tmp_path: Path):
    path = votes(tmp_path / "votes.csv")
    assert "name either" in usage_of(bakeoff("agreement"))
    assert "name either" in usage_of(bakeoff("agreement", path, "--db", path))
    assert "--up-to goes with --db" in usage_of(bakeoff("agreement", path, "--up-to", 3))
    assert "--map and --values go with" in usage_of(bakeoff("agreement", "--db", path, "--map", "a=b"))
    assert "no column 'source'" in error_of(bakeoff("agreement", path, "--source", "human"))
    assert "no column 'guideline_version'" in error_of(bakeoff("agreement", path, "--by", "guideline"))
    assert "there is no database" in error_of(bakeoff("agreement", "--db", tmp_path / "none.duckdb"))


def test_of_a_voters_votes_in_a_long_file_the_first_row_counts(tmp_path: Path):
    # Rows beyond one row group of Parquet, so that a reader of several threads could lose their order.
    n = 150_000
    path = tmp_path / "votes.parquet"
    duckdb.sql(
        f"""copy (select 'a' as model_a, 'b' as model_b, 'x' as voter, 'p' || (i % {n}) as prompt_id,
        if(i < {n}, 'model_a', 'model_b') as winner from range({2 * n}) t(i)) to '{path}'"""
    )
    with open_votes(path) as opened:
        judgements = judgement_table.read(opened)
    once = judgements.first()
    assert len(once) == n
    first, second, _ = judgements.repeats()
    assert len(np.unique(first)) == len(np.unique(second)) == 1
    assert (first != second).all()
    assert Agreement.of(once, Chance(rounds=2)).all.n_pairs == 0
