"""`bakeoff import`: what was taken, what was not, and what never gets into the database."""

from pathlib import Path

import pytest

from command import HEADER, bakeoff, error_of, process


def test_an_import_says_how_many_rows_were_new(votes: Path, tmp_path: Path):
    words = ("import", votes, "--db", tmp_path / "arena.duckdb")
    assert bakeoff(*words).out == "4 new votes from 4 rows (0 known already, 0 left out)\n"
    again = bakeoff(*words)
    assert (again.code, again.out) == (0, "0 new votes from 4 rows (4 known already, 0 left out)\n")


def test_a_bad_row_is_refused_and_skip_bad_reports_it(tmp_path: Path):
    path, db = tmp_path / "votes.csv", tmp_path / "arena.duckdb"
    path.write_text(f"{HEADER}a,b,tie\na,b,left\na,a,tie\n")
    line = error_of(bakeoff("import", path, "--db", db))
    assert f"{path}, row 2: winner 'left' is no verdict; accepted: model_a" in line
    assert "--skip-bad" in line
    said = bakeoff("import", path, "--db", db, "--skip-bad")
    assert said.out.endswith("from 3 rows (0 known already, 2 left out)\n")
    assert [f"row {n}: " in said.err for n in (1, 2, 3)] == [False, True, True]


def test_commas_and_equals_signs_in_columns_and_words_are_escaped(tmp_path: Path):
    path, db = tmp_path / "votes.csv", tmp_path / "arena.duckdb"
    path.write_text('"model, left",right=model,verdict\na,b,"left, surely"\na,b,x=y\na,b,back\\slash\n')
    said = bakeoff(
        *("import", path, "--db", db),
        *("--map", r"model\, left=model_a,right\=model=model_b", "--map", "verdict=winner"),
        *("--values", r"left\, surely=model_a,x\=y=model_b", "--values", r"back\slash=tie"),
    )
    assert (said.code, said.out) == (0, "3 new votes from 3 rows (0 known already, 0 left out)\n")


@pytest.mark.parametrize("word", ["A", "left", "TIE"])
def test_a_word_can_only_mean_a_verdict(votes: Path, tmp_path: Path, word: str):
    said = bakeoff("import", votes, "--db", tmp_path / "x.duckdb", "--values", f"left={word}")
    assert said.code in (1, 2)
    assert f"'{word}' is no verdict" in said.err
    assert not (tmp_path / "x.duckdb").exists()


def test_a_constant_gives_a_field_to_all_rows(tmp_path: Path):
    path, db = tmp_path / "votes.csv", tmp_path / "arena.duckdb"
    path.write_text("model_a,model_b\na,b\n")
    said = bakeoff("import", path, "--db", db, "--set", "winner=tie,voter=judge-1")
    assert (said.code, said.out[:5]) == (0, "1 new"), said.err


def test_rows_that_are_known_from_another_file_are_pointed_out(llmfao: Path, tmp_path: Path):
    # Two AI judges, the same 2,139 pairs, no column that says who judged: where both say the same, the second file's
    # rows look like the first one's. Half of a judge must not vanish without a word of advice.
    for judge in ("gpt4", "gpt3"):
        said = bakeoff(
            *("import", llmfao / f"{judge}-crowd-comparisons.csv", "--db", tmp_path / "arena.duckdb"),
            *("--map", "model_x=model_a,model_y=model_b", "--values", "left=model_a,right=model_b"),
        )
        assert said.code == 0
    assert "--set" in said.err


def test_no_raw_voter_is_in_any_byte_of_the_database_or_an_export(tmp_path: Path):
    voters = ["alice@example.org", "192.0.2.17", "hf_user_Zaphod"]
    path, db = tmp_path / "votes.csv", tmp_path / "arena.duckdb"
    head = "model_a,model_b,winner,voter,prompt_text,answer_a,answer_b\n"
    path.write_text(head + "".join(f"a,b,model_a,{voter},Hello?,One.,Two.\n" for voter in voters))
    assert bakeoff("import", path, "--db", db, "--source", "human").code == 0
    assert bakeoff("export", "--db", db, "--out", tmp_path / "out").code == 0
    path.unlink()
    written = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert len(written) >= 5  # the database, its key, two datasets and the manifest
    for each in written:
        content = each.read_bytes()
        assert not [voter for voter in voters if voter.encode() in content], each


def test_a_pack_is_imported_once(tmp_path: Path):
    db = tmp_path / "arena.duckdb"
    assert bakeoff("init", tmp_path / "pack").code == 0
    assert bakeoff("import", tmp_path / "pack", "--db", db).out == "2 new models, 2 new prompts, 4 new answers\n"
    assert bakeoff("import", tmp_path / "pack", "--db", db).out == "0 new models, 0 new prompts, 0 new answers\n"


def test_a_folder_that_is_no_pack_is_an_error(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    assert "bakeoff check" in error_of(bakeoff("import", tmp_path / "folder", "--db", tmp_path / "x.duckdb"))
    assert not (tmp_path / "x.duckdb").exists()


def test_a_misspelt_variable_of_the_environment_is_an_error(votes: Path, tmp_path: Path):
    line = error_of(process("import", votes, "--db", tmp_path / "x.duckdb", BAKEOFF_SECERT="s" * 40))
    assert "BAKEOFF_SECERT" in line
