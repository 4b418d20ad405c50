"""`bakeoff export`."""

import json
from pathlib import Path

import pytest

from arena.export import Order, biases, export
from arena.store import VoteStore
from command import bakeoff, error_of, usage_of
from dataset_world import bytes_in, rows_in


def test_an_export_says_what_was_kept_and_why_the_rest_was_not(tmp_path: Path):
    path, db = tmp_path / "votes.csv", tmp_path / "arena.duckdb"
    rows = ("a,b,model_a", "a,b,model_a", "a,b,tie", "b,a,both_bad")
    text = "".join(f"{row},Hello?,Text of {row[0]},Text of {row[2]}\n" for row in rows)
    path.write_text(f"model_a,model_b,winner,prompt_text,answer_a,answer_b\n{text}")
    bakeoff("import", path, "--db", db, "--source", "human")
    said = bakeoff("export", "--db", db, "--out", tmp_path / "out")
    assert said.code == 0
    head, *reasons, pairs, gold, agreement = said.out.splitlines()
    assert (pairs, gold) == (
        "1 usable pair: too few pairs to train on; 499 more for the next band",
        "0 gold pairs: 500 fewer than the 500 to be had",
    )
    assert agreement.startswith("agreement between voters is not known: ")
    assert head == "4 votes: 2 kept in 1 row, 2 left out"
    assert [reason.split(maxsplit=1) for reason in reasons] == [["1", "both bad"], ["1", "tie"]]
    manifest = bakeoff("export", "--db", db, "--out", tmp_path / "out", "--json").record
    assert manifest == json.loads((tmp_path / "out" / "manifest.json").read_text())


def arena_of(tmp_path: Path) -> Path:
    """Three votes on one pair of answers: two for a, and a tie."""
    path, db = tmp_path / "votes.csv", tmp_path / "arena.duckdb"
    lines = [
        f"a,b,{winner},Hello?,Text of a,Text of b,v{n}\n" for n, winner in enumerate(["model_a", "model_a", "tie"])
    ]
    path.write_text("model_a,model_b,winner,prompt_text,answer_a,answer_b,voter\n" + "".join(lines))
    assert bakeoff("import", path, "--db", db, "--source", "human").code == 0
    return db


def test_several_formats_come_from_one_reading(tmp_path: Path):
    db, out = arena_of(tmp_path), tmp_path / "out"
    said = bakeoff("export", "--db", db, "--out", out, "--format", "unpaired", "--format", "raw_votes")
    assert said.out.splitlines()[:-3] == [
        "unpaired: 3 votes: 0 kept in 0 rows, 3 left out",
        "       2  not known whether the chosen answer is acceptable",
        "       1  tie",
        "raw_votes: 3 votes: 3 kept in 3 rows, 0 left out",
    ]
    assert "no vote became a row of unpaired" in said.err
    assert "--assume-acceptable" in said.err
    assert sorted(bytes_in(out)) == ["README.md", "manifest.json", "raw_votes/test-00000-of-00001.parquet"]


def test_choices_are_options_and_stand_in_the_manifest(tmp_path: Path):
    db, out = arena_of(tmp_path), tmp_path / "out"
    options = ["--margin", "unsaid=0.5,5-steps/1=2", "--keep-flagged", "control,error", "--since", "2026-01-01"]
    told = bakeoff("export", "--db", db, "--out", out, "--format", "reward", *options, "--json").record
    assert told["choices"]["margins"] | {"unsaid": 0.5, "5-steps/1": 2.0} == told["choices"]["margins"]
    assert told["choices"]["keep_flagged"] == ["control", "error"]
    assert told["formats"]["reward"]["left_out"] == {"no time is known": 3}


def test_voters_may_be_listed_in_a_file(tmp_path: Path):
    db, out, listed = arena_of(tmp_path), tmp_path / "out", tmp_path / "voters.txt"
    listed.write_text("nobody\n\n")
    told = bakeoff("export", "--db", db, "--out", out, "--voters", listed, "--json").record
    assert told["formats"]["preference"]["left_out"] == {"a voter who is not asked for": 3}
    assert "cannot be read" in error_of(bakeoff("export", "--db", db, "--out", out, "--voters", tmp_path / "none"))


@pytest.mark.parametrize(
    "options",
    [
        ("--margin", "6-steps/1=2"),
        ("--margin", "unsaid=much"),
        ("--keep-flagged", "rude"),
        ("--unroll", "first"),
        ("--format", "dpo"),
        ("--since", "yesterday"),
    ],
)
def test_a_choice_that_is_none_is_wrong_usage(tmp_path: Path, options: tuple[str, ...]):
    usage_of(bakeoff("export", "--db", tmp_path / "a.duckdb", "--out", tmp_path / "out", *options))


def test_a_voter_has_one_name_in_an_export_and_it_is_not_the_stored_one(tmp_path: Path):
    db, out = arena_of(tmp_path), tmp_path / "out"
    bakeoff("export", "--db", db, "--out", out, "--format", "raw_votes")
    rows = rows_in(out, "raw_votes")
    with VoteStore.open(db) as store, store._database.read() as cursor:
        stored = {voter for (voter,) in cursor.execute("select voter_id from votes").fetchall()}
    assert len({row["voter"] for row in rows}) == 3
    assert not stored & {row["voter"] for row in rows}


def test_the_folder_is_made_as_its_options_say_and_an_increment_goes_on_from_it(tmp_path: Path):
    db, out, gold, key = arena_of(tmp_path), tmp_path / "out", tmp_path / "gold.txt", tmp_path / "key"
    key.write_text("a key that is kept, of many bytes")
    options = ["--test-share", "1", "--salt", "other", "--dataset-license", "cc0-1.0", "--title", "Ours"]
    report = tmp_path / "audit.json"
    report.write_text('{"alpha": 0.5}')
    options += ["--audit-report", report, "--key-file", key]
    told = bakeoff("export", "--db", db, "--out", out, "--format", "raw_votes", *options, "--json").record
    assert told["formats"]["raw_votes"]["splits"] == {"test": 3}
    assert told["split"] == {"share": "1", "salt": "other"}
    card = (out / "README.md").read_text()
    assert "license: cc0-1.0" in card
    assert "# Ours" in card
    assert "| alpha | 0.5 |" in card
    again = ["--format", "raw_votes", "--since", out, *options]
    more = bakeoff("export", "--db", db, "--out", tmp_path / "more", *again, "--json").record
    assert more["since"] == told["watermark"]
    assert more["formats"]["raw_votes"]["n_rows"] == 0
    [prompt] = {row["prompt_id"] for row in rows_in(out, "raw_votes")}
    gold.write_text(f"{prompt}\n\n")
    options += ["--gold", gold]
    told = bakeoff("export", "--db", db, "--out", out, "--format", "raw_votes", *options, "--json").record
    assert {name: each["n_rows"] for name, each in told["formats"].items()} == {"raw_votes": 0, "gold": 1}
    assert "cannot be read" in error_of(bakeoff("export", "--db", db, "--out", out, "--gold", tmp_path / "none"))
    key.write_text("short")
    assert "16" in error_of(bakeoff("export", "--db", db, "--out", out, "--key-file", key))


def test_the_card_says_what_the_audits_found_and_a_report_names_nobody_in_it(tmp_path: Path):
    db, out, report = arena_of(tmp_path), tmp_path / "out", tmp_path / "audit.json"
    with VoteStore.open(db) as store, store._database.read() as cursor:
        voters = {voter for (voter,) in cursor.execute("select voter_id from votes").fetchall()}
    told = bakeoff("export", "--db", db, "--out", out, "--json").record
    card = (out / "README.md").read_text()
    assert "## Biases of voters" in card
    assert f"| **position**: {told['bias']['position']['sentence']} |" in card
    assert "| decisive votes won by side A | not enough data: " in card
    audit = bakeoff("audit", "--db", db, "--json").record
    # As if these few had been found to lean.
    audit["audits"][1]["figures"][0]["listed"] = [{"voter": voter} for voter in sorted(voters)]
    report.write_text(json.dumps(audit))
    again = bakeoff("export", "--db", db, "--out", out, "--audit-report", report, "--json").record
    assert again["bias"] == told["bias"]
    assert not [voter for voter in voters if voter in (out / "README.md").read_text() + json.dumps(again)]
    report.write_text('{"audits": [{"audit": "position"}]}')
    assert "is not what `bakeoff audit --json` prints" in error_of(
        bakeoff("export", "--db", db, "--out", out, "--audit-report", report)
    )


def test_of_very_many_votes_the_card_says_of_how_many_the_texts_were_read(tmp_path: Path):
    db, out = arena_of(tmp_path), tmp_path / "out"
    with VoteStore.open(db) as store:
        export(store, out, order=Order(bias=biases(store, most_worded=2), is_forced=True))
    card = (out / "README.md").read_text()
    assert (
        "| **length**: Not enough data to say what length does. What goes by texts is of a random sample of 2 votes. |"
        in card
    )
    assert "| **position**: Not enough data to say whether a side is favoured. |" in card


def test_an_empty_test_split_says_so_and_what_to_do(tmp_path: Path):
    db = arena_of(tmp_path)
    said = bakeoff("export", "--db", db, "--out", tmp_path / "out", "--test-share", "1/1000")
    told = (
        "the test split is empty: none of 1 prompt fell into the 1/1000 that is held back. Take a larger --test-share"
    )
    assert told in said.err
    for share in ("0", "1"):  # as it was asked for; all of it is held back
        again = bakeoff("export", "--db", db, "--out", tmp_path / f"out{share}", "--test-share", share)
        assert "the test split is empty" not in again.err
    more = bakeoff(
        "export", "--db", db, "--out", tmp_path / "more", "--test-share", "1/1000", "--since", tmp_path / "out"
    )
    assert more.code == 0
    assert "the test split is empty" not in more.err
