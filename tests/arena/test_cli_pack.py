"""`bakeoff init` and `bakeoff check`."""

import json
from pathlib import Path

from command import bakeoff, error_of


def test_a_new_pack_has_no_fault(tmp_path: Path):
    said = bakeoff("init", tmp_path / "pack")
    assert said.code == 0
    assert {Path(line).name for line in said.out.splitlines()} == {path.name for path in (tmp_path / "pack").iterdir()}
    checked = bakeoff("check", tmp_path / "pack")
    assert checked.code == 0
    assert checked.out.startswith("2 models, 2 prompts, 4 answers\n")


def test_check_says_what_is_gold_what_is_asked_and_which_pairs_nobody_can_tell_apart(tmp_path: Path):
    pack = tmp_path / "pack"
    bakeoff("init", pack)
    with (pack / "models.jsonl").open("a") as models, (pack / "answers.jsonl").open("a") as answers:
        for model, text in (("m3", "So."), ("m4", " So.\n"), ("m5", "So."), ("m6", ""), ("m7", " ")):
            models.write(json.dumps({"id": model, "name": model.upper()}) + "\n")
            answers.write(json.dumps({"prompt_id": "hill-road-average", "model_id": model, "text": text}) + "\n")
    known = {"prompt_id": "hill-road-average", "model_a": "terse-2", "model_b": "m3", "verdict": "A", "reason": "True."}
    (pack / "gold.jsonl").write_text(json.dumps(known) + "\n")
    with (pack / "arena.toml").open("a") as rules:
        rules.write('[consent]\nversion = "1"\nlicense = "cc0-1.0"\npurpose = "eval"\ntext = "May we?"\n')
    said = bakeoff("check", pack).out
    assert "3 pairs of answers with the same text, never served\n" in said  # three of one text are three pairs
    assert "1 pair of answers with a known verdict (gold.jsonl)\n" in said
    assert "voters are asked for their consent, version 1: cc0-1.0, eval\n" in said


def test_a_pack_is_never_written_over_anything(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "file", tmp_path / "file" / "pack"):
        error_of(bakeoff("init", place))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_check_lists_every_fault_with_file_and_line(tmp_path: Path):
    bakeoff("init", tmp_path / "pack")
    (tmp_path / "pack" / "arena.toml").write_text("colour = 1\nshape = 2\n")
    with (tmp_path / "pack" / "models.jsonl").open("a") as file:
        file.write('{"id": "m9", "name": "Nine", "elo": 1000}\n')
    said = bakeoff("check", tmp_path / "pack")
    assert said.code == 1
    assert [line.split(":")[0] for line in said.out.splitlines()] == [
        "arena.toml, line 1",
        "arena.toml, line 2",
        "models.jsonl, line 3",
    ]
    assert said.err.endswith("has 3 faults\n")
    told = bakeoff("check", tmp_path / "pack", "--json")
    assert told.code == 1
    assert [(each["file"], each["line"]) for each in told.record["faults"]] == [
        ("arena.toml", 1),
        ("arena.toml", 2),
        ("models.jsonl", 3),
    ]


def test_check_prints_one_json_object(tmp_path: Path):
    bakeoff("init", tmp_path / "pack")
    record = bakeoff("check", tmp_path / "pack", "--json").record
    assert record["faults"] == []
    assert (record["models"], record["prompts"], record["answers"]) == (2, 2, 4)
