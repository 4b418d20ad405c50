"""`bakeoff init` and `bakeoff check`."""

from pathlib import Path

from command import bakeoff, error_of


def test_a_new_pack_has_no_fault(tmp_path: Path):
    said = bakeoff("init", tmp_path / "pack")
    assert said.code == 0
    assert {Path(line).name for line in said.out.splitlines()} == {path.name for path in (tmp_path / "pack").iterdir()}
    checked = bakeoff("check", tmp_path / "pack")
    assert checked.code == 0
    assert checked.out.startswith("2 models, 2 prompts, 4 answers\n")


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
