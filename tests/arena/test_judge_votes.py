"""What judges have ruled, and what constraints say, as votes of their own sources, in a real database."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from judges import PLAIN, Written, quality, write_judges, write_pack
from model_server import ModelServer, Reply

from arena.contenders.judgement import read_replies, rulings
from arena.store import VoteStore
from arena.table import rows_of
from command import ROOT, bakeoff, error_of, usage_of


def votes(db: Path) -> list[dict[str, Any]]:
    with VoteStore.open(db) as store, store._database.read() as cursor:
        rows = cursor.execute("select * from vote_log order by seq")
        names = [each[0] for each in rows.description]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def test_rulings_are_votes_of_their_own_source_each_once(tmp_path: Path, judges: ModelServer):
    pack, db = write_pack(tmp_path / "pack", judges, PLAIN, {}), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)

    said = bakeoff("judge", pack, "--db", db)
    again = bakeoff("judge", pack, "--db", db)
    imported = bakeoff("import", pack, "--db", db)

    assert "3 new votes of the source ai_judge (0 known already, 0 pairs without a verdict)" in said.out
    assert "0 new votes of the source ai_judge (3 known already" in again.out
    assert "0 new votes of the source ai_judge" in imported.err
    stored = votes(db)
    assert {row["source"] for row in stored} == {"ai_judge"}
    assert all(row["blind"] for row in stored)
    assert {row["batch"] for row in stored} == {"honest@1"}
    won = {row["prompt_id"]: {"A": row["model_a"], "B": row["model_b"]}.get(row["verdict"], "tie") for row in stored}
    assert won == {"p0": "m0", "p1": "m1", "p2": "tie"}
    assert len({row["voter_id"] for row in stored}) == 1
    assert bakeoff("verify", "--db", db).code == 0


def test_another_version_is_another_voter(tmp_path: Path, judges: ModelServer):
    pack, db = write_pack(tmp_path / "pack", judges, PLAIN[:1], {}), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)
    bakeoff("judge", pack, "--db", db)
    write_judges(pack, judges, {"version": "2"})

    bakeoff("judge", pack, "--db", db)

    assert len({row["voter_id"] for row in votes(db)}) == 2


def test_a_pair_without_a_verdict_is_no_vote(tmp_path: Path, judges: ModelServer):
    judges.says("babbler", Reply(pieces=("Hm.",)))
    pack, db = write_pack(tmp_path / "pack", judges, PLAIN, {"id": "babbler"}), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)

    said = bakeoff("judge", pack, "--db", db)

    assert "0 new votes of the source ai_judge (0 known already, 3 pairs without a verdict)" in said.out


def test_answers_that_the_database_does_not_hold_are_told(tmp_path: Path, judges: ModelServer):
    pack, db = write_pack(tmp_path / "pack", judges, PLAIN, {}), tmp_path / "arena.duckdb"
    other = write_pack(tmp_path / "other", judges, [[Written(8), Written(9)]], {})
    bakeoff("import", other, "--db", db)

    said = bakeoff("judge", pack, "--db", db)

    assert "3 rulings are on answers that the database does not hold: import the pack first" in said.err


def test_only_pairs_that_people_have_voted_on(tmp_path: Path, judges: ModelServer):
    pack, db = write_pack(tmp_path / "pack", judges, PLAIN, {}), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)
    (tmp_path / "people.csv").write_text("model_a,model_b,winner,prompt_id,voter\nm0,m1,model_a,p1,ann\n")
    bakeoff("import", tmp_path / "people.csv", "--db", db, "--source", "human")

    bakeoff("judge", pack, "--db", db, "--voted")

    [ruling] = rulings(read_replies(pack))
    assert (ruling.prompt_id, ruling.chosen) == ("p1", "pairs with votes of people")


def test_a_database_that_is_in_use_is_told_before_anything_is_paid_for(tmp_path: Path, judges: ModelServer):
    pack, db = write_pack(tmp_path / "pack", judges, PLAIN, {}), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)
    hold = (
        "import sys; from pathlib import Path; from arena.store import VoteStore\n"
        "with VoteStore.open(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(db)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        said = bakeoff("judge", pack, "--db", db)
        holder.stdin.close()

    assert "is in use by" in error_of(said)
    assert judges.requests == []


def with_samples(pack: Path, *qualities: int) -> Path:
    """Further answers of model 0 to prompt 0, the first of which is of quality 2."""
    rows = [
        {"sample": number, "prompt_id": "p0", "model_id": "m0", "text": f"Again, of quality {quality}."}
        for number, quality in enumerate(qualities, 2)
    ]
    (pack / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return pack


def test_samples_of_one_model_are_judged_against_each_other(tmp_path: Path, judges: ModelServer):
    pack, db = with_samples(write_pack(tmp_path / "pack", judges, PLAIN, {}), 1, 3), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)

    said = bakeoff("judge", pack, "--samples", "--db", db)
    again = bakeoff("import", pack, "--db", db)

    assert "3 pairs of answers (all pairs of one model's samples)" in said.err
    assert "3 new votes of the source ai_judge" in said.out
    assert "0 new votes of the source ai_judge" in again.err
    stored = votes(db)
    assert {(row["model_a"], row["model_b"]) for row in stored} == {("m0", "m0")}
    best = [row[f"answer_{row['verdict'].lower()}"] for row in stored]
    assert sorted(map(quality, best)) == [2, 3, 3]
    assert bakeoff("verify", "--db", db).code == 0


def test_a_revision_is_judged_with_its_lineage(tmp_path: Path, judges: ModelServer):
    pack, db = with_samples(write_pack(tmp_path / "pack", judges, PLAIN, {}), 3), tmp_path / "arena.duckdb"
    row = json.loads((pack / "samples.jsonl").read_text()) | {"params": {"revises": 1, "critique": "too short"}}
    (pack / "samples.jsonl").write_text(json.dumps(row) + "\n")
    bakeoff("import", pack, "--db", db)

    bakeoff("judge", pack, "--samples", "--db", db)

    [vote] = votes(db)
    assert json.loads(vote[f"params_{vote['verdict'].lower()}"]) == {"revises": 1, "critique": "too short"}


def test_a_sample_is_never_served_and_counts_on_no_board(tmp_path: Path, judges: ModelServer):
    pack, db = with_samples(write_pack(tmp_path / "pack", judges, PLAIN, {}), 1, 3), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)
    with VoteStore.open(db) as store:
        served = store.catalogue.current_answers()
    bakeoff("judge", pack, "--samples", "--db", db)

    rated = bakeoff("rate", "--db", db, "--source", "ai_judge", "--json")

    with VoteStore.open(db) as store:
        assert store.catalogue.current_answers() == served
    assert "no vote is left" in error_of(rated)


def test_samples_become_preference_pairs_of_one_model(tmp_path: Path, judges: ModelServer):
    pack, db = with_samples(write_pack(tmp_path / "pack", judges, PLAIN, {}), 1, 3), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)
    bakeoff("judge", pack, "--samples", "--db", db)

    said = bakeoff(
        *("export", "--db", db, "--format", "preference", "--source", "ai_judge", "--out", tmp_path / "out", "--force")
    )

    assert said.code == 0, said.err
    rows = [
        row
        for file in (tmp_path / "out").rglob("*.parquet")
        for _, row in rows_of(file)
        if "chosen" in row and "rejected" in row
    ]
    told = {(quality(row["chosen"][-1]["content"]), quality(row["rejected"][-1]["content"])) for row in rows}
    assert told == {(2, 1), (3, 1), (3, 2)}


def with_checks(pack: Path) -> Path:
    """Prompt 0 asks for a number above 1 and for a full stop; prompt 1 for nothing that an answer has."""
    rows = [json.loads(line) for line in (pack / "prompts.jsonl").read_text().splitlines()]
    rows[0]["checks"] = [
        {"pattern": "quality [2-9]", "meaning": "a number above 1"},
        {"pattern": r"\.$", "meaning": "a full stop"},
    ]
    rows[1]["checks"] = [{"pattern": "haiku", "meaning": "a haiku"}]
    (pack / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return pack


def test_constraints_are_votes_of_the_source_rule_where_one_answer_keeps_to_more(tmp_path: Path):
    pack, db = with_checks(write_pack(tmp_path / "pack", None, PLAIN)), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)

    said = bakeoff("judge", pack, "--checks", "--db", db)
    again = bakeoff("judge", pack, "--checks", "--db", db)

    assert said.out == "1 new votes of the source rule (0 known already)\n"
    assert again.out == "0 new votes of the source rule (1 known already)\n"
    [vote] = votes(db)
    assert (vote["source"], vote["prompt_id"]) == ("rule", "p0")
    assert {"A": vote["model_a"], "B": vote["model_b"]}[vote["verdict"]] == "m0"
    assert vote["batch"].startswith("checks@")
    assert bakeoff("verify", "--db", db).code == 0


def test_other_constraints_are_another_voter(tmp_path: Path):
    pack, db = with_checks(write_pack(tmp_path / "pack", None, PLAIN)), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)
    bakeoff("judge", pack, "--checks", "--db", db)
    text = (pack / "prompts.jsonl").read_text().replace("[2-9]", "[2-8]")
    (pack / "prompts.jsonl").write_text(text)

    bakeoff("judge", pack, "--checks", "--db", db)

    assert len({row["voter_id"] for row in votes(db)}) == len(votes(db)) == 2


def test_checks_without_any_and_without_a_database_are_told(tmp_path: Path):
    pack, db = write_pack(tmp_path / "pack", None, PLAIN), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)

    assert "has checks" in error_of(bakeoff("judge", pack, "--checks", "--db", db))
    assert "--checks goes with --db" in usage_of(bakeoff("judge", pack, "--checks"))
    assert "--checks goes with --db" in usage_of(bakeoff("judge", pack, "--checks", "--db", db, "--model", "m0"))
