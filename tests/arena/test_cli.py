"""The commands as a person meets them: results on stdout, the story on stderr, an error as one line and exit code 1."""

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import choix
import duckdb
import numpy as np
import pytest

from arena.cli import main

ROOT = Path(__file__).parent.parent.parent
HEADER = "model_a,model_b,winner\n"
# Each beat the other, so both have a finite score.
VOTES = f"{HEADER}a,b,model_a\na,b,model_a\na,b,model_b\nb,a,tie\n"
FEW = ("--rounds", "100")
FIELDS = ["method", "confidence", "rounds", "seed", "n_votes", "n_models", "dropped", "ratings"]
RATING = ["model", "score", "low", "high", "rank", "rank_low", "rank_high", "n_votes", "provisional"]


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """The one JSON object on stdout; NaN and the like are no JSON."""
        return json.loads(self.out, parse_constant=pytest.fail)


def bakeoff(*words: object) -> Said:
    """Run a command in this process, through the same entry as the console's."""
    out, err, before, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["bakeoff", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        sys.argv = before
    return Said(code, out.getvalue(), err.getvalue())


def process(*words: object, **environment: str) -> Said:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "arena", *map(str, words)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def error_of(said: Said) -> str:
    """The one line of an error; nothing is on stdout."""
    assert said.code == 1, said
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("bakeoff: ")
    return line


def usage_of(said: Said) -> str:
    assert said.code == 2, said
    assert said.out == ""
    return said.err


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return path


@pytest.fixture
def db(tmp_path: Path, votes: Path) -> Path:
    """A database with these votes as people's."""
    path = tmp_path / "arena.duckdb"
    assert bakeoff("import", votes, "--db", path, "--source", "human").code == 0
    return path


def rated(path: Path, *options: object) -> dict[str, Any]:
    said = bakeoff("rate", path, *FEW, "--json", *options)
    assert said.code == 0, said
    return said.record


# bakeoff


def test_the_version_is_printed():
    assert process("--version") == Said(0, "bakeoff 0.1.0\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("rate",),
        ("rate", "a.csv", "--db", "b.duckdb"),
        ("rate", "a.csv", "--nonsense"),
        ("rate", "a.csv", "--rounds", "99"),
        ("rate", "a.csv", "--rounds", "many"),
        ("rate", "a.csv", "--seed", "-1"),
        ("rate", "a.csv", "--confidence", "95"),
        ("rate", "a.csv", "--confidence", "1"),
        ("rate", "a.csv", "--confidence", "nan"),
        ("rate", "a.csv", "--anchor", "a"),
        ("rate", "a.csv", "--anchor", "=1200"),
        ("rate", "a.csv", "--anchor", "a=nan"),
        ("rate", "a.csv", "--anchor", "a=inf"),
        ("rate", "a.csv", "--anchor", "a=high"),
        ("rate", "a.csv", "--out", "ratings.txt"),
        ("rate", "a.csv", "--source", "human"),
        ("rate", "--db", "b.duckdb", "--source", "people"),
        ("rate", "--db", "b.duckdb", "--source", ""),
        ("import", "a.csv"),
        ("import", "a.csv", "--db", "b.duckdb", "--as", "opinions"),
        ("import", "a.csv", "--db", "b.duckdb", "--map", "a"),
        ("import", "a.csv", "--db", "b.duckdb", "--map", "a=b=c"),
        ("import", "a.csv", "--db", "b.duckdb", "--map", "a=b,a=c"),
        ("import", "a.csv", "--db", "b.duckdb", "--source", "human,import"),
        ("export", "--db", "b.duckdb"),
        ("export", "--out", "x"),
        ("export", "--db", "b.duckdb", "--out", "x", "--min-agreement", "75%"),
        ("export", "--db", "b.duckdb", "--out", "x", "--min-agreement", "1.1"),
        ("export", "--db", "b.duckdb", "--out", "x", "--min-agreement", "1/0"),
    ],
)
def test_wrong_usage_is_said_on_stderr_with_exit_code_2(words: tuple[str, ...]):
    assert "Usage: " in usage_of(bakeoff(*words))


def test_a_wrong_format_is_wrong_usage(db: Path, tmp_path: Path):
    usage_of(bakeoff("export", "--db", db, "--out", tmp_path / "out", "--format", "dpo"))


def test_importing_the_commands_loads_no_page_and_no_database():
    told = "import sys, arena.cli; print([name for name in ('gradio', 'duckdb', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


# rate


def test_three_wins_to_one_as_a_process(votes: Path):
    # a: 2 wins and a tie, b: 1 win and a tie: odds 2.5 : 1.5, so the gap is 400 * log10(5/3) = 88.7395 points.
    said = process("rate", votes, "--json")
    assert said.code == 0
    assert list(said.record) == FIELDS
    assert {key: said.record[key] for key in FIELDS[:-1]} == {
        "method": "bradley-terry",
        "confidence": 0.95,
        "rounds": 1000,
        "seed": 0,
        "n_votes": 4,
        "n_models": 2,
        "dropped": {},
    }
    best, second = said.record["ratings"]
    assert list(best) == list(second) == RATING
    assert [best["model"], second["model"]] == ["a", "b"]
    assert best["score"] - second["score"] == pytest.approx(88.7395, abs=1e-3)
    assert best["score"] + second["score"] == pytest.approx(2000)
    assert best["low"] < best["score"] < best["high"]
    assert (best["rank"], second["rank"], best["n_votes"], best["provisional"]) == (1, 2, 4, True)


def test_the_same_command_prints_the_same_bytes_whatever_the_threads(votes: Path):
    said = {process("rate", votes, "--json", OMP_NUM_THREADS=n, PYTHONHASHSEED=n) for n in ("1", "4")}
    assert len(said) == 1


def test_the_table_shows_every_model_and_the_settings(votes: Path):
    said = bakeoff("rate", votes, *FEW, "--seed", "7")
    assert said.code == 0
    head, first, second, blank, summary = said.out.splitlines()
    assert head.split() == ["Rank", "Model", "Score", "95", "%", "interval", "Votes"]
    # 1000 + 88.7395 / 2 = 1044.37 and 1000 - 44.37 = 955.63
    assert first.split()[1:3] == ["a", "1,044"]
    assert second.split()[1:3] == ["b", "956"]
    assert blank == ""
    assert "4 votes" in summary
    assert "100 rounds, seed 7" in summary


def test_seed_rounds_and_confidence_are_told_and_only_move_intervals(votes: Path):
    plain, other = rated(votes), rated(votes, "--seed", 5, "--confidence", "0.8")
    assert (other["seed"], other["rounds"], other["confidence"]) == (5, 100, 0.8)
    assert [row["score"] for row in plain["ratings"]] == [row["score"] for row in other["ratings"]]
    assert plain["ratings"][0]["low"] != other["ratings"][0]["low"]


def test_an_anchor_moves_every_number_by_the_same(votes: Path):
    plain, moved = rated(votes)["ratings"], rated(votes, "--anchor", "b=1500")["ratings"]
    assert moved[1]["score"] == 1500
    shift = 1500 - plain[1]["score"]
    for before, after in zip(plain, moved, strict=True):
        for name in ("score", "low", "high"):
            assert after[name] - before[name] == pytest.approx(shift, abs=2e-4)
        assert after["rank_low"] == before["rank_low"]


def test_an_anchors_name_may_hold_an_equals_sign(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}x=1,b,tie\n")
    assert rated(path, "--anchor", "x=1=1200")["ratings"][0]["score"] == 1200


@pytest.mark.parametrize("text", [VOTES, f"{HEADER}a,b,model_a\n"], ids=["rated", "nobody rated"])
def test_an_anchor_without_a_rating_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "votes.csv"
    path.write_text(text)
    assert "'zz'" in error_of(bakeoff("rate", path, *FEW, "--anchor", "zz=1200"))


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_the_ratings_file_holds_what_is_printed(votes: Path, tmp_path: Path, ending: str):
    votes.write_text(f"{VOTES}c,a,model_a\n")
    out = tmp_path / "new" / f"ratings.{ending}"
    said = bakeoff("rate", votes, *FEW, "--json", "--out", out)
    assert said.code == 0
    assert str(out) in said.err
    told = [tuple(row.get(name) for name in [*RATING, "reason"]) for row in said.record["ratings"]]
    # c never lost: a row without numbers and with a reason is there too.
    assert told[-1][0] == "c"
    if ending == "json":
        assert json.loads(out.read_text()) == said.record
    else:
        with duckdb.connect() as con:
            assert con.execute(f"select {', '.join([*RATING, 'reason'])} from '{out}'").fetchall() == told


@pytest.mark.parametrize("place", ["votes.csv/ratings.csv", "votes.csv/ratings.json", "folder.csv"])
def test_ratings_that_cannot_be_written_are_an_error(votes: Path, tmp_path: Path, place: str):
    (tmp_path / "folder.csv").mkdir()
    assert "cannot be written" in error_of(bakeoff("rate", votes, *FEW, "--out", tmp_path / place))


def test_ratings_do_not_overwrite_their_own_votes(votes: Path):
    error_of(bakeoff("rate", votes, *FEW, "--out", votes))
    assert votes.read_text() == VOTES


# Votes that rate little or nothing


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("a,a,tie\nb,b,model_a\n", "the same model on both sides"),
        ("", "no row"),
    ],
)
def test_nothing_to_rate_is_an_error(tmp_path: Path, rows: str, told: str):
    path = tmp_path / "votes.csv"
    path.write_text(HEADER + rows)
    assert told in error_of(bakeoff("rate", path, *FEW))


def absent(record: dict[str, Any]) -> dict[str, str]:
    """The models without a score, each with the reason."""
    return {row["model"]: row["reason"] for row in record["ratings"] if row["score"] is None}


@pytest.mark.parametrize(
    ("rows", "n_votes", "dropped", "without"),
    [
        (["a,b,model_a"], 0, 1, {"a": "has not lost", "b": "has not won"}),
        (["a,b,tie"], 1, 0, {}),
        (["a,b,model_a", "a,b,model_b", "c,a,model_a"], 2, 1, {"c": "has not lost"}),
        (["a,b,model_a", "a,b,model_b", "a,c,model_a"], 2, 1, {"c": "has not won"}),
        (["a,b,tie", "a,b,tie", "c,d,tie"], 2, 1, {"c": "has met none", "d": "has met none"}),
        (["a,b,tie", "a,a,model_a"], 1, 1, {}),
    ],
    ids=["one vote", "one tie", "unbeaten", "without a win", "islands", "self-battle"],
)
def test_what_cannot_be_rated_is_listed_with_its_reason(
    tmp_path: Path, rows: list[str], n_votes: int, dropped: int, without: dict[str, str]
):
    path = tmp_path / "votes.csv"
    path.write_text(HEADER + "\n".join(rows))
    record = rated(path)
    assert (record["n_votes"], sum(record["dropped"].values())) == (n_votes, dropped)
    assert {model: reason[: len(without[model])] for model, reason in absent(record).items()} == without
    for row in record["ratings"]:
        if row["score"] is None:
            assert {row[name] for name in ("low", "high", "rank", "rank_low", "rank_high")} == {None}
            assert row["provisional"] is True


def test_only_ties_make_equals_without_a_false_interval(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}a,b,tie\na,b,tie\na,b,tie\n")
    for row in rated(path)["ratings"]:
        # Every resample is the same three ties: no spread is no certainty, so there is no interval.
        assert (row["score"], row["low"], row["high"], row["rank"]) == (1000, None, None, 1)
        assert row["reason"]


def test_both_bad_counts_as_a_tie_or_is_left_out(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text(f"{VOTES}a,b,both_bad\nb,a,tie (bothbad)\n")
    assert (rated(path)["n_votes"], rated(path)["dropped"]) == (6, {})
    record = rated(path, "--drop-both-bad")
    assert (record["n_votes"], record["dropped"]) == (4, {"both bad": 2})


@pytest.mark.parametrize(
    "name", ["模型", "مودل", "🎉", "e\u0301", "a b", "-rf", "--json", "<b>x</b>", "%s", "{x}", "a\\n"]
)
def test_any_name_is_printed_as_it_is(tmp_path: Path, name: str):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}{name},b,tie\n", encoding="utf-8")
    assert name in {row["model"] for row in rated(path)["ratings"]}
    assert name in bakeoff("rate", path, *FEW).out


def test_a_name_cannot_steer_the_terminal(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}\x1b[2Jgone,b,tie\n")
    assert "\x1b" not in bakeoff("rate", path, *FEW).out


def test_a_terminal_that_knows_no_unicode_still_gets_its_ratings(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}模型,b,model_a\n", encoding="utf-8")
    for words in ((), ("--json",)):
        said = process("rate", path, *FEW, *words, PYTHONIOENCODING="ascii")
        assert said.code == 0, said.err


def test_a_reader_that_leaves_early_is_no_error(votes: Path):
    command = f"{sys.executable} -m arena rate {votes} --json | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"{")
    assert b"Error" not in done.stderr


def test_a_full_disk_behind_stdout_is_one_line(votes: Path):
    command = f"{sys.executable} -m arena rate {votes} --json > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_million_rows_are_rated(tmp_path: Path):
    path = tmp_path / "votes.parquet"
    with duckdb.connect() as con:
        con.execute(
            "copy (select 'model ' || (i % 20) as model_a, 'model ' || ((i // 20) % 19 + i % 20 + 1) % 20 as model_b, "
            "['model_a', 'model_b', 'tie', 'both_bad', 'tie (bothbad)'][(hash(i) % 5 + 1)::int] as winner "
            f"from range(1000000) t(i)) to '{path}' (format parquet)"
        )
    record = rated(path)
    assert record["n_votes"] + sum(record["dropped"].values()) == 1_000_000
    assert record["n_models"] == 20


# Bad files, as processes: one line on stderr, nothing on stdout


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", b"", "empty.csv is empty"),
        ("header.csv", HEADER.encode(), "header.csv holds no row"),
        ("votes.txt", VOTES.encode(), ".parquet, .csv, .jsonl"),
        ("votes.parquet", VOTES.encode(), "cannot be read as Parquet"),
        ("votes.jsonl", VOTES.encode(), "line 1: no valid JSON"),
        ("column.csv", b"model_a,model_b\na,b\n", "no column 'winner' (it has model_a, model_b)"),
        ("winner.csv", f"{HEADER}a,b,tie\na,b,left\n".encode(), "winner.csv, row 2: winner 'left' is no verdict"),
        ("model.csv", f"{HEADER},b,tie\n".encode(), "model.csv, row 1: model_a is empty"),
        ("bytes.csv", HEADER.encode() + b"\xff,b,tie\n", "bytes.csv"),
        ("missing.csv", None, "there is no file"),
    ],
)
def test_a_bad_vote_file_is_one_line(tmp_path: Path, name: str, content: bytes | None, told: str):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert told in error_of(bakeoff("rate", path, "--json"))
    assert told in error_of(bakeoff("rate", path))


def test_an_error_of_a_process_is_one_line_on_stderr_and_exit_code_1(tmp_path: Path):
    assert error_of(process("rate", tmp_path / "votes.csv", "--json")).endswith(
        "there is no file " + str(tmp_path / "votes.csv")
    )


@pytest.mark.parametrize("command", ["rate", "import"])
def test_a_column_of_another_name_points_to_the_mapping(tmp_path: Path, command: str):
    path = tmp_path / "votes.csv"
    path.write_text("left,right,winner\na,b,tie\n")
    words = ("--db", tmp_path / "x.duckdb") if command == "import" else ()
    assert "--map" in error_of(bakeoff(command, path, *words))
    assert not (tmp_path / "x.duckdb").exists()


# Databases


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Another process has the database open."""
    told = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", told, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        yield holder.pid
    finally:
        holder.communicate("", timeout=30)


def test_a_database_that_another_process_holds_is_an_error_that_says_who(db: Path, votes: Path, tmp_path: Path):
    with held(db) as pid:
        for words in (
            ("rate", "--db", db),
            ("export", "--db", db, "--out", tmp_path / "out"),
            ("import", votes, "--db", db),
        ):
            line = error_of(process(*words))
            assert f"process {pid}" in line
            assert str(db) in line
    assert bakeoff("rate", "--db", db, *FEW).code == 0


def test_a_database_of_a_newer_version_is_an_error_and_left_as_it_is(db: Path, votes: Path, tmp_path: Path):
    with duckdb.connect(str(db)) as con:
        con.execute("insert into schema_versions values (99, now())")
    before = db.read_bytes()
    for words in (
        ("rate", "--db", db),
        ("export", "--db", db, "--out", tmp_path / "out"),
        ("import", votes, "--db", db),
    ):
        assert "schema version 99" in error_of(bakeoff(*words))
    assert db.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"hello, I am no database", b"SQLite format 3\x00" + b"\0" * 4096])
def test_a_file_that_is_no_database_is_an_error_and_left_as_it_is(tmp_path: Path, content: bytes):
    path = tmp_path / "x.duckdb"
    path.write_bytes(content)
    assert "is not a Bakeoff database" in error_of(bakeoff("rate", "--db", path))
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_an_error(tmp_path: Path):
    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table recipes (name varchar)")
    assert "recipes" in error_of(bakeoff("rate", "--db", path))


def test_a_damaged_database_is_not_called_busy(db: Path):
    # Behind the first 4,096 bytes stand the two headers that take turns; both lose their checksum here.
    damaged = bytearray(db.read_bytes())
    damaged[4096:12288] = b"\xff" * 8192
    db.write_bytes(bytes(damaged))
    line = error_of(bakeoff("rate", "--db", db))
    assert "in use" not in line


def test_reading_commands_make_no_database(tmp_path: Path):
    for words in (("rate",), ("export", "--out", tmp_path / "out")):
        assert "there is no database" in error_of(bakeoff(*words, "--db", tmp_path / "x.duckdb"))
    assert not list(tmp_path.iterdir())


def test_a_database_in_a_place_that_is_no_folder_is_an_error(votes: Path, tmp_path: Path):
    for path in (votes / "x.duckdb", tmp_path):
        assert error_of(bakeoff("import", votes, "--db", path))


def test_the_database_rates_as_the_file_does(votes: Path, db: Path):
    assert bakeoff("rate", "--db", db, *FEW, "--json").record == rated(votes)


def test_the_log_that_was_rated_is_named_on_stderr(db: Path):
    said = bakeoff("rate", "--db", db, *FEW, "--json")
    assert "4 votes" in said.err
    assert "human" in said.err
    assert list(said.record) == FIELDS


def test_sources_are_not_mixed_unless_asked(db: Path, tmp_path: Path):
    judged = tmp_path / "judged.csv"
    judged.write_text(f"{HEADER}a,c,model_b\nc,a,model_b\n")
    assert bakeoff("import", judged, "--db", db, "--source", "ai_judge").code == 0
    alone = bakeoff("rate", "--db", db, *FEW, "--json").record
    assert (alone["n_votes"], alone["dropped"]) == (4, {"source ai_judge is not asked for": 2})
    both = bakeoff("rate", "--db", db, *FEW, "--json", "--source", "human,ai_judge").record
    assert (both["n_votes"], both["n_models"], both["dropped"]) == (6, 3, {})


def test_several_sources_without_people_must_be_chosen(votes: Path, tmp_path: Path):
    db = tmp_path / "arena.duckdb"
    judged = tmp_path / "judged.csv"
    judged.write_text(f"{HEADER}a,c,model_b\n")
    bakeoff("import", votes, "--db", db)
    bakeoff("import", judged, "--db", db, "--source", "ai_judge")
    assert "--source" in error_of(bakeoff("rate", "--db", db, *FEW))
    assert "--source" in error_of(bakeoff("export", "--db", db, "--out", tmp_path / "out"))


# import


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


# init and check


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


# export


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


# Real data


@pytest.fixture(scope="module")
def crowd(llmfao: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the public crowdsourced comparison, brought in by the documented commands."""
    db = tmp_path_factory.mktemp("llmfao") / "arena.duckdb"
    for name, words in (
        ("models.jsonl", ("--as", "models", "--map", "org=organization")),
        ("prompts.jsonl", ("--as", "prompts", "--map", "type=category")),
        (
            "results.jsonl",
            ("--as", "answers", "--map", "prompt=prompt_id,model=model_id,result=text,duration=latency_ms"),
        ),
        (
            "crowd-comparisons.csv",
            (
                *("--as", "votes", "--map", "prompt=prompt_id,model_x=model_a,model_y=model_b,worker=voter"),
                *("--values", "left=model_a,right=model_b", "--source", "human"),
            ),
        ),
    ):
        said = bakeoff("import", llmfao / name, "--db", db, *words)
        assert said.code == 0, said.err
    return db


def test_the_real_votes_are_all_there(crowd: Path):
    # By hand, with cut and uniq on the file: 3,471 ties, 2,911 left, 2,549 right.
    with duckdb.connect(str(crowd), read_only=True) as con:
        counted = Counter(dict(con.execute("select verdict, count(*) from votes group by all").fetchall()))
    assert counted == {"tie": 3471, "A": 2911, "B": 2549}
    assert counted.total() == 8931


def test_the_real_scores_are_those_of_choix(crowd: Path, llmfao: Path):
    record = bakeoff("rate", "--db", crowd, *FEW, "--json").record
    assert (record["n_votes"], record["n_models"], record["dropped"]) == (8931, 59, {})
    with (llmfao / "crowd-comparisons.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row[side] for row in rows for side in ("model_x", "model_y")})
    wins = np.zeros((len(names), len(names)))
    for row in rows:
        left, right = names.index(row["model_x"]), names.index(row["model_y"])
        share = {"left": 1.0, "right": 0.0, "tie": 0.5}[row["winner"]]
        wins[left, right] += share
        wins[right, left] += 1 - share
    strengths = choix.ilsr_pairwise_dense(wins, alpha=0.0, max_iter=10_000, tol=1e-10)
    scores = 1000 + 400 / np.log(10) * (strengths - strengths.mean())
    ours = {row["model"]: row["score"] for row in record["ratings"]}
    assert max(abs(ours[name] - score) for name, score in zip(names, scores, strict=True)) < 0.01


def test_the_real_votes_again_add_nothing(crowd: Path, llmfao: Path):
    said = bakeoff(
        *("import", llmfao / "crowd-comparisons.csv", "--db", crowd),
        *("--map", "prompt=prompt_id,model_x=model_a,model_y=model_b,worker=voter"),
        *("--values", "left=model_a,right=model_b", "--source", "human"),
    )
    assert said.out == "0 new votes from 8,931 rows (8,931 known already, 0 left out)\n"
