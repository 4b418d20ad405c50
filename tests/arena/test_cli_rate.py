"""`bakeoff rate`: the options, the table and the JSON, and every way in which a vote file can be wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from arena import __version__
from command import FEW, HEADER, ROOT, VOTES, bakeoff, error_of, process, rated

FIELDS = [
    *("version", "selection"),
    *("method", "confidence", "rounds", "seed", "n_votes", "n_models", "dropped"),
    *("intervals", "settings", "coefficients", "notes", "ratings"),
]
RATING = ["model", "score", "low", "high", "rank", "rank_low", "rank_high", "n_votes", "provisional", "tier"]


def test_three_wins_to_one_as_a_process(votes: Path):
    # a: 2 wins and a tie, b: 1 win and a tie: odds 2.5 : 1.5, so the gap is 400 * log10(5/3) = 88.7395 points.
    said = process("rate", votes, "--json")
    assert said.code == 0
    assert list(said.record) == FIELDS
    assert {key: said.record[key] for key in FIELDS[:-1]} == {
        "version": __version__,
        "selection": dict.fromkeys(("sources", "categories", "languages", "since", "until")),
        "method": "bradley-terry",
        "confidence": 0.95,
        "rounds": 1000,
        "seed": 0,
        "n_votes": 4,
        "n_models": 2,
        "dropped": {},
        "intervals": "sandwich, every vote on its own",
        "settings": {
            "ties": "half",
            "both_bad": "tie",
            "order": False,
            "style": [],
            "prior": 0.0,
            "weights": "equal",
            "min_votes": 0,
            "provisional_below": 30,
            "anchor": None,
        },
        "coefficients": [],
        "notes": [],
    }
    best, second = said.record["ratings"]
    assert list(best) == list(second) == RATING
    assert [best["model"], second["model"]] == ["a", "b"]
    assert best["score"] - second["score"] == pytest.approx(88.7395, abs=1e-3)
    assert best["score"] + second["score"] == pytest.approx(2000)
    assert best["low"] < best["score"] < best["high"]
    assert (best["rank"], second["rank"], best["n_votes"], best["provisional"]) == (1, 2, 4, True)


def test_the_object_says_which_votes_were_asked_for(tmp_path: Path):
    file = tmp_path / "votes.csv"
    rows = ["human,poem,2026-03-01T12:00:00Z", "human,poem,2026-03-02T12:00:00Z", "rule,maths,"]
    file.write_text(
        "\n".join(["model_a,model_b,winner,source,category,voted_at", *(f"m,n,tie,{row}" for row in rows)]),
        encoding="utf-8",
    )
    record = rated(file, "--source", "human", "--category", "poem", "--until", "2026-03-09")
    assert record["selection"] == {
        "sources": ["human"],
        "categories": ["poem"],
        "languages": None,
        "since": None,
        "until": "2026-03-09T00:00:00+00:00",
    }
    assert record["n_votes"] == 2


def test_the_same_command_prints_the_same_bytes_whatever_the_threads(votes: Path):
    said = {process("rate", votes, "--json", OMP_NUM_THREADS=n, PYTHONHASHSEED=n) for n in ("1", "4")}
    assert len(said) == 1


def test_the_table_shows_every_model_and_the_settings(votes: Path):
    said = bakeoff("rate", votes, *FEW, "--seed", "7", "--intervals", "bootstrap")
    assert said.code == 0
    head, first, second, blank, summary = said.out.splitlines()
    assert head.split() == ["Rank", "Model", "Score", "95", "%", "interval", "Votes"]
    # 1000 + 88.7395 / 2 = 1044.37 and 1000 - 44.37 = 955.63
    assert first.split()[1:3] == ["a", "1,044"]
    assert second.split()[1:3] == ["b", "956"]
    assert blank == ""
    assert "4 votes" in summary
    assert "100 rounds, seed 7" in summary


def test_intervals_by_a_formula_tell_no_rounds(votes: Path):
    summary = bakeoff("rate", votes).out.splitlines()[-1]
    assert summary == "4 votes counted, 0 left out; bradley-terry, sandwich, every vote on its own"


def test_seed_rounds_and_confidence_are_told_and_only_move_intervals(votes: Path):
    drawn = ("--intervals", "bootstrap")
    plain, other = rated(votes, *drawn), rated(votes, *drawn, "--seed", 5, "--confidence", "0.8")
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
    assert "'zz'" in error_of(bakeoff("rate", path, "--anchor", "zz=1200"))


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_the_ratings_file_holds_what_is_printed(votes: Path, tmp_path: Path, ending: str):
    votes.write_text(f"{VOTES}c,a,model_a\n")
    out = tmp_path / "new" / f"ratings.{ending}"
    said = bakeoff("rate", votes, "--json", "--out", out)
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
    assert "cannot be written" in error_of(bakeoff("rate", votes, "--out", tmp_path / place))


@pytest.mark.parametrize("place", ["votes.csv", "votes.csv/plots"])
def test_a_place_for_plots_that_cannot_be_written_is_refused_before_anything_is_rated(
    votes: Path, tmp_path: Path, place: str
):
    # Of these votes no row could be rated; that the place is wrong is said first, and it is the only thing said.
    votes.write_text(f"{HEADER}a,a,tie\n")
    assert "cannot be written" in error_of(bakeoff("rate", votes, "--plots", tmp_path / place))
    assert "cannot be written" in error_of(bakeoff("rate", votes, "--out", tmp_path / place / "ratings.csv"))
    assert votes.read_text() == f"{HEADER}a,a,tie\n"


def test_the_check_of_a_place_leaves_nothing_behind(votes: Path, tmp_path: Path):
    votes.write_text(f"{HEADER}a,a,tie\n")
    assert "same model" in error_of(bakeoff("rate", votes, "--plots", tmp_path / "new" / "plots"))
    assert list((tmp_path / "new" / "plots").iterdir()) == []


def test_ratings_do_not_overwrite_their_own_votes(votes: Path):
    error_of(bakeoff("rate", votes, "--out", votes))
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
    assert told in error_of(bakeoff("rate", path))


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
    record = rated(path, "--both-bad", "drop")
    assert (record["n_votes"], record["dropped"]) == (4, {"both bad": 2})
    assert record["settings"]["both_bad"] == "drop"


@pytest.mark.parametrize(
    "name", ["模型", "مودل", "🎉", "e\u0301", "a b", "-rf", "--json", "<b>x</b>", "%s", "{x}", "a\\n"]
)
def test_any_name_is_printed_as_it_is(tmp_path: Path, name: str):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}{name},b,tie\n", encoding="utf-8")
    assert name in {row["model"] for row in rated(path)["ratings"]}
    assert name in bakeoff("rate", path).out


def test_a_name_cannot_steer_the_terminal(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}\x1b[2Jgone,b,tie\n")
    assert "\x1b" not in bakeoff("rate", path).out


def test_a_terminal_that_knows_no_unicode_still_gets_its_ratings(tmp_path: Path):
    path = tmp_path / "votes.csv"
    path.write_text(f"{HEADER}模型,b,model_a\n", encoding="utf-8")
    for words in ((), ("--json",)):
        said = process("rate", path, *words, PYTHONIOENCODING="ascii")
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


def test_the_database_rates_as_the_file_does(votes: Path, db: Path):
    stored = bakeoff("rate", "--db", db, "--json").record
    assert stored["selection"]["sources"] == ["human"]  # the file has no such column
    assert stored | {"selection": None} == rated(votes) | {"selection": None}


def test_the_log_that_was_rated_is_named_on_stderr(db: Path):
    said = bakeoff("rate", "--db", db, "--json")
    assert "4 votes" in said.err
    assert "human" in said.err
    assert list(said.record) == FIELDS


def test_sources_are_not_mixed_unless_asked(db: Path, tmp_path: Path):
    judged = tmp_path / "judged.csv"
    judged.write_text(f"{HEADER}a,c,model_b\nc,a,model_b\n")
    assert bakeoff("import", judged, "--db", db, "--source", "ai_judge").code == 0
    alone = bakeoff("rate", "--db", db, "--json").record
    assert (alone["n_votes"], alone["dropped"]) == (4, {"source ai_judge is not asked for": 2})
    both = bakeoff("rate", "--db", db, "--json", "--source", "human,ai_judge").record
    assert (both["n_votes"], both["n_models"], both["dropped"]) == (6, 3, {})


def test_several_sources_without_people_must_be_chosen(votes: Path, tmp_path: Path):
    db = tmp_path / "arena.duckdb"
    judged = tmp_path / "judged.csv"
    judged.write_text(f"{HEADER}a,c,model_b\n")
    bakeoff("import", votes, "--db", db)
    bakeoff("import", judged, "--db", db, "--source", "ai_judge")
    assert "--source" in error_of(bakeoff("rate", "--db", db))
    assert "--source" in error_of(bakeoff("export", "--db", db, "--out", tmp_path / "out"))


def test_a_file_whose_votes_have_several_sources_counts_peoples_and_says_so(tmp_path: Path):
    rows = "a,b,model_a,human\na,b,model_b,human\na,b,model_a,ai_judge\n"
    path = tmp_path / "votes.csv"
    path.write_text(f"model_a,model_b,winner,source\n{rows}", encoding="utf-8")
    said = bakeoff("rate", path, "--json")
    assert (said.record["n_votes"], said.record["dropped"]) == (2, {"source ai_judge is not asked for": 1})
    assert "several sources; counted: human" in said.err
    assert bakeoff("rate", path, "--json", "--source", "human,ai_judge").record["n_votes"] == 3
    # Nothing but other words than sources: the column is about something else.
    for word in ("ai_judge", "human"):
        rows = rows.replace(word, "reddit")
    path.write_text(f"model_a,model_b,winner,source\n{rows}", encoding="utf-8")
    assert bakeoff("rate", path, "--json").record["n_votes"] == 3
