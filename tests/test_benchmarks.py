"""The benchmark of the ratings runs and says what it measured; no time is asserted."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ground import ROOT

RATING = ROOT / "benchmarks" / "rating.py"


def rating(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(RATING), *options], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the votes and the figures of one quick run lie."""
    folder = tmp_path_factory.mktemp("benchmark")
    done = rating(
        "--quick", "--sizes", "2kx30", "--jobs", "floor", "--data", str(folder), "--out", f"{folder}/out.json"
    )
    assert done.returncode == 0, done.stderr
    (folder / "out.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_a_quick_run_prints_the_machine_and_a_row_for_the_floor(folder: Path) -> None:
    lines = (folder / "out.txt").read_text(encoding="utf-8").splitlines()
    assert "numpy" in lines[0]
    assert "duckdb" in lines[0]
    assert "2,000 votes, 30 models" in lines
    job, contender, seconds = lines[-1].split()[:3]
    assert (job, contender) == ("floor", "floor")
    assert float(seconds) > 0


def test_a_quick_run_writes_its_figures(folder: Path) -> None:
    record = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    (figure,) = record["figures"]
    assert figure["size"] == "2kx30"
    assert figure["failure"] is None
    assert figure["runs"] == [figure["seconds"]]
    assert figure["peak_mb"] > 0


def test_the_votes_are_ordered_by_time_and_have_every_column_that_is_rated(folder: Path) -> None:
    (votes,) = folder.glob("*.parquet")
    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(votes))
        n, n_models, n_moments = rows.aggregate(
            "count(*), count(distinct model_a), count(distinct voted_at)"
        ).fetchall()[0]
        times = [time for (time,) in rows.project("voted_at").fetchall()]
        winners = {winner for (winner,) in rows.project("winner").distinct().fetchall()}
        columns = rows.columns
    assert (n, n_models, n_moments) == (2000, 30, 2000)
    assert times == sorted(times)
    assert winners == {"model_a", "model_b", "tie", "both_bad"}
    counts = ["length", "headers", "lists", "bold", "code_blocks", "emoji"]
    words = ["model_a", "model_b", "winner", "voter", "voted_at", "prompt_id", "category", "language"]
    assert columns == words + [f"{count}_{side}" for count in counts for side in "ab"]


def test_the_same_size_and_seed_make_the_same_votes(folder: Path, tmp_path: Path) -> None:
    (votes,) = folder.glob("*.parquet")
    again = tmp_path / "again.parquet"
    subprocess.run([sys.executable, str(ROOT / "benchmarks" / "votes.py"), "2000", "30", str(again)], check=True)
    with duckdb.connect() as connection:
        first, second = (connection.read_parquet(str(path)).fetchall() for path in (votes, again))
    assert first == second


def test_an_unknown_job_is_refused_with_those_that_exist() -> None:
    done = rating("--jobs", "glicko")
    assert done.returncode == 2
    assert "'glicko'; accepted: bt-sandwich" in done.stderr


def test_a_process_that_fails_is_told_and_one_out_of_time_is_killed(tmp_path: Path) -> None:
    command = "import sys; sys.path.insert(0, sys.argv[1]); from process import run; from pathlib import Path; "
    command += "print(run([sys.executable, '-c', sys.argv[2]], Path(sys.argv[3]), timeout=float(sys.argv[4])))"
    told = [
        subprocess.run(
            [sys.executable, "-c", command, str(RATING.parent), script, str(tmp_path / "out"), timeout],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for script, timeout in (("raise SystemExit('no votes')", "60"), ("import time; time.sleep(60)", "0.2"))
    ]
    assert "failure='ended with 1: no votes', timed_out=False" in told[0]
    assert "failure='more than 0.2 s', timed_out=True" in told[1]


@pytest.mark.proof
@pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="the voters need a C compiler")
def test_a_short_load_loses_no_vote_and_makes_no_error() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "load.py"), "--quick"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0, twice 0" in done.stdout
    assert "broken links 0" in done.stdout
    assert "lines in the server's log: 0" in done.stdout
