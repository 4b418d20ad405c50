"""`bakeoff export`."""

import json
from pathlib import Path

from command import bakeoff


def test_an_export_says_what_was_kept_and_why_the_rest_was_not(tmp_path: Path):
    path, db = tmp_path / "votes.csv", tmp_path / "arena.duckdb"
    rows = ("a,b,model_a", "a,b,model_a", "a,b,tie", "b,a,both_bad")
    text = "".join(f"{row},Hello?,Text of {row[0]},Text of {row[2]}\n" for row in rows)
    path.write_text(f"model_a,model_b,winner,prompt_text,answer_a,answer_b\n{text}")
    bakeoff("import", path, "--db", db, "--source", "human")
    said = bakeoff("export", "--db", db, "--out", tmp_path / "out")
    assert said.code == 0
    head, *reasons = said.out.splitlines()
    assert head == "4 votes: 2 kept in 1 row, 2 left out"
    assert [reason.split(maxsplit=1) for reason in reasons] == [["1", "both bad"], ["1", "tie"]]
    manifest = bakeoff("export", "--db", db, "--out", tmp_path / "out", "--json").record
    assert manifest == json.loads((tmp_path / "out" / "manifest.json").read_text())
