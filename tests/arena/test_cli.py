"""The commands as a person meets them: results on stdout, the story on stderr, an error as one line and exit code 1."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from command import ROOT, Said, bakeoff, error_of, process, usage_of


def test_the_version_is_printed():
    assert process("--version") == Said(0, "bakeoff 0.1.0\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("rate",),
        ("rate", "a.csv", "--db", "b.duckdb"),
        ("rate", "a.csv", "--nonsense"),
        ("rate", "a.csv", "--method", "elo", "--rounds", "99"),
        ("rate", "a.csv", "--method", "elo", "--rounds", "100001"),
        ("rate", "a.csv", "--method", "elo", "--rounds", "many"),
        ("rate", "a.csv", "--seed", "-1"),
        ("rate", "a.csv", "--confidence", "95"),
        ("rate", "a.csv", "--confidence", "1"),
        ("rate", "a.csv", "--confidence", "nan"),
        ("rate", "a.csv", "--anchor", "a"),
        ("rate", "a.csv", "--anchor", "=1200"),
        ("rate", "a.csv", "--anchor", "a=nan"),
        ("rate", "a.csv", "--anchor", "a=inf"),
        ("rate", "a.csv", "--anchor", "a=high"),
        ("rate", "a.csv", "--anchor", f"a={'9' * 400}"),
        ("rate", "a.csv", "--out", "ratings.txt"),
        ("rate", "a.csv", "--drop-both-bad"),
        ("rate", "a.csv", "--method", "glicko"),
        ("rate", "a.csv", "--ties", "drop"),
        ("rate", "a.csv", "--both-bad", "loss"),
        ("rate", "a.csv", "--features", "length"),
        ("rate", "a.csv", "--style", "--features", "length,colour"),
        ("rate", "a.csv", "--prior", "-1"),
        ("rate", "a.csv", "--prior", "nan"),
        ("rate", "a.csv", "--prior", "inf"),
        ("rate", "a.csv", "--prior", "1000001"),
        ("rate", "a.csv", "--weights", "heavy"),
        ("rate", "a.csv", "--intervals", "none"),
        ("rate", "a.csv", "--cluster", "country"),
        ("rate", "a.csv", "--method", "elo", "--k", "0"),
        ("rate", "a.csv", "--method", "elo", "--k", "nan"),
        ("rate", "a.csv", "--method", "elo", "--k", "1001"),
        ("rate", "a.csv", "b.csv"),
        ("rate", "a.csv", "--min-votes", "-1"),
        ("rate", "a.csv", "--since", "yesterday"),
        ("rate", "a.csv", "--until", "2026-13-01"),
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
    assert bakeoff("rate", "--db", db).code == 0


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


def test_a_command_takes_the_database_of_the_environment_where_none_is_named(
    db: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    told = bakeoff("verify", "--db", db)
    ratings = bakeoff("rate", "--db", db, "--json")
    assert "--db" in usage_of(bakeoff("verify"))
    assert "name either" in usage_of(bakeoff("rate"))
    monkeypatch.setenv("BAKEOFF_DATABASE", str(db))
    assert bakeoff("verify") == told
    assert bakeoff("rate", "--json") == ratings
    assert "no database" in error_of(bakeoff("verify", "--db", tmp_path / "another.duckdb")), "what is named wins"
    assert "--db" in usage_of(bakeoff("restore", db)), "nothing is replaced by a command that does not name it"
    monkeypatch.setenv("BAKEOFF_DATABASE", "")
    assert "BAKEOFF_DATABASE has an unusable value" in error_of(bakeoff("verify"))


def test_a_vote_file_is_rated_whatever_database_the_environment_names(
    votes: Path, db: Path, monkeypatch: pytest.MonkeyPatch
):
    alone = bakeoff("rate", votes, "--json")
    monkeypatch.setenv("BAKEOFF_DATABASE", str(db))
    assert bakeoff("rate", votes, "--json") == alone
