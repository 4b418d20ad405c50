"""Exports of many votes: how long and how much memory, beside what DuckDB alone needs to copy the same rows to Parquet.

    python benchmarks/export.py                    100,000 votes with answers of 2 kB
    python benchmarks/export.py --votes 1000000
    python benchmarks/export.py --phases           what takes how long, beside the whole

Each vote is on two answers of its own, as where models answer for each ballot, so a vote is a row of some 4 kB; a
prompt has ten votes, and no two prompts and no two answers are the same. One text in twenty holds an address of e-mail,
and one in ten a number of seven digits. Copy and export take turns on one machine, so that the ratio holds where others
work on it too; the copy reads the exported rows and writes them with the same compression and groups of rows. The
export is the whole command, the start of Python and the splits among it, but for the audits that go onto its card: it
is given a report. `--formats unpaired` measures another format beside the copy of its rows. Four times the copy is the
aim, and less than 1 GB of memory. Where others work on the machine, processor time (of all cores) says more than time
on the wall.

Phases are measured in one more process, which does a part of an export, then that part and the next one, and so on;
what a phase takes is the difference. The parts follow one upon the other there, and in an export they overlap.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

import export_phases
from arena.store import VoteStore
from process import Process, run

N_MODELS = 20
VOTES_PER_PROMPT = N_MODELS // 2

AIM_RATIO, AIM_MB = 4.0, 1_000

_WORDS = "list_transform(range({n}), lambda x: words[1 + (hash({of}, x) % 4000)::int])"

_FILL = f"""
set memory_limit = '1GB';
create temp table vocabulary as
    select list(translate(substr(sha256(i::varchar), 1, 2 + (hash(i) % 9)::int), '0123456789abcdef', 'etaoinshrdlucmfp')
        order by i) as words from range(4000) t(i);
insert into models select 'm' || i, 'Model ' || i, null, null, null, null, [], now(), null from range({N_MODELS}) t(i);
insert into prompts
    select printf('p%07d', i), sha256(i::varchar), [{{'role': 'user', 'content':
        array_to_string({_WORDS.format(n=30, of="i")}, ' ') || '?'}}],
        'general', 'en', 'own', 'CC0-1.0', now()
    from range($prompts) t(i), vocabulary;
insert into answers
    select printf('a%07d-%02d', i, j), printf('p%07d', i), 'm' || j,
        array_to_string({_WORDS.format(n=300, of="i * 100 + j")}, ' ')
            || if(hash(i, j) % 20 = 0, ' write to someone' || i || '@example.org', '')
            || if(hash(j, i) % 10 = 0, ' some ' || (1000000 + i), ''),
        null, null, 500, 1000, 'stop', now(), null
    from range($prompts) t(i), range({N_MODELS}) s(j), vocabulary;
create temp table pairs as
    select row_number() over (order by hash(i, k)) as seq, i, 2 * k as a, 2 * k + 1 as b
    from range($prompts) t(i), range({VOTES_PER_PROMPT}) s(k) order by seq limit $votes;
insert into battles
    select 'b' || seq, 'b' || seq, 1, printf('p%07d', i), printf('a%07d-%02d', i, a), printf('a%07d-%02d', i, b),
        'm' || a, 'm' || b, 'fresh', null, 1.0, 'uniform', now() from pairs;
insert into votes (seq, vote_id, battle_id, voted_at, stored_at, verdict, source, voter_id, phase, app_version,
        previous_hash, hash)
    select seq, 'v' || seq, 'b' || seq, now(), now(), if(hash(seq) % 2 = 0, 'A', 'B'), 'human',
        'voter' || (hash(seq) % 10000), 'production', '0', sha256((seq - 1)::varchar), sha256(seq::varchar)
    from pairs order by seq;
"""

_COPY = """
import duckdb, sys
with duckdb.connect(config={"memory_limit": "1GB"}) as con:
    con.execute(f"copy (from read_parquet('{sys.argv[1]}/*.parquet')) to '{sys.argv[2]}' "
        "(format parquet, compression zstd, row_group_size 4096)")
"""


def fill(path: Path, n_votes: int) -> None:
    """Make a database with so many votes."""
    VoteStore.open(path).close()
    n_prompts = -(-n_votes // VOTES_PER_PROMPT)
    with duckdb.connect(str(path)) as connection:
        for statement in _FILL.split(";\n")[:-1]:
            values = {name: n for name, n in (("prompts", n_prompts), ("votes", n_votes)) if f"${name}" in statement}
            connection.execute(statement, values)


def counted(path: Path) -> tuple[int, int, float]:
    """How many distinct texts the prompts and the answers have, and how many letters an answer has in the mean."""
    with duckdb.connect(str(path), read_only=True) as connection:
        [[n_prompts]] = connection.execute("select count(distinct sha256(messages[1].content)) from prompts").fetchall()
        query = "select count(distinct sha256(text)), avg(length(text)) from answers"
        [[n_answers, n_letters]] = connection.execute(query).fetchall()
    return n_prompts, n_answers, n_letters


def main() -> None:
    """Fill, export and copy in turns, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", default="preference", help="several with commas; the first is copied")
    parser.add_argument("--phases", action="store_true", help="measure each phase by itself as well")
    parser.add_argument(
        "--dir", type=Path, help="where the files go for as long as this runs; some 6 GB a million votes"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as folder:
        place = Path(folder)
        fill(place / "arena.duckdb", given.votes)
        names = [word for name in given.formats.split(",") for word in ("--format", name)]
        report = place / "audit.json"
        report.write_text('{"not_measured": "this is a benchmark"}', encoding="utf-8")
        export = [sys.executable, "-m", "arena", "export", "--db", str(place / "arena.duckdb"), *names]
        export += ["--audit-report", str(report), "--out", str(place / "out")]
        rows = place / "out" / names[1]
        exports, copies = list[Process](), list[Process]()
        for _ in range(given.rounds):
            exports.append(_run(export, place))
            copies.append(_run([sys.executable, "-c", _COPY, str(rows), str(place / "copy.parquet")], place))
        n_bytes = sum(file.stat().st_size for file in (place / "out").rglob("*.parquet"))
        n_prompts, n_answers, n_letters = counted(place / "arena.duckdb")
        phases = _phases(place) if given.phases else ()
    ratio = statistics.median(one.seconds / other.seconds for one, other in zip(exports, copies, strict=True))
    peak = max(each.peak_mb for each in exports)
    print(f"{given.votes:,} votes; {n_prompts:,} distinct prompts and {n_answers:,} distinct answers")
    print(f"of {n_letters:,.0f} letters; {n_bytes / 1e6:,.0f} MB of Parquet, {given.rounds} rounds")
    for name, found in (("export", exports), ("copy", copies)):
        took = statistics.median(each.seconds for each in found)
        busy = statistics.median(each.busy for each in found)
        most = max(each.peak_mb for each in found)
        print(
            f"{name:6}  {took:8.1f} s  {given.votes / took:10,.0f} rows/s  {busy:6.1f} s of processor  {most:6.0f} MB"
        )
    for name, took in phases:
        print(f"  {took:8.1f} s of processor  {given.votes / max(took, 1e-9):10,.0f} rows/s  {name}")
    print(f"ratio   {ratio:8.1f}    at most {AIM_RATIO:g}: {'reached' if ratio <= AIM_RATIO else 'not reached'}")
    print(f"memory  {peak:8.0f} MB at most {AIM_MB:,}: {'reached' if peak <= AIM_MB else 'not reached'}")


def _phases(place: Path) -> list[tuple[str, float]]:
    """What each phase takes, in seconds of processor time; in a process of its own, so that this one stays small."""
    done = subprocess.run(
        [sys.executable, export_phases.__file__, str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return [(name, float(seconds)) for seconds, name in (line.split(" ", 1) for line in done.stdout.splitlines())]


def _run(command: list[str], place: Path) -> Process:
    done = run(command, place / "said", timeout=3_600)
    if done.failure is not None:
        sys.exit(f"{' '.join(command[:4])}: {done.failure}")
    return done


if __name__ == "__main__":
    main()
