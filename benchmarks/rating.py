"""Times whole rating jobs, ours and those of other programs: from a Parquet file of votes to ratings with intervals.

    python benchmarks/rating.py --peers .venv-peers/bin/python
    python benchmarks/rating.py --sizes growth --jobs bt-sandwich

Every job is a process of its own, from its start to its end. The contenders take turns (A B C A B C), so that a busy
minute of the machine meets all of them, and the median counts. The floor is a process that only reads the columns.
Votes are synthetic and made once. Tables go to stdout, the story to stderr. docs/performance.md explains the figures.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

# The standard library alone, here and in what is imported: see process.run.
from figure import FLOOR, OURS, TARGET_SIZE, Figure, Size, notes, rows, rows_by_size, to_text
from job import JOBS, VOTES, Job, Peer
from process import Process, run

HERE = Path(__file__).parent
SEED = 0
PEERS = ("arena-rank", "evalica", "choix", "jax", "pandas")

SIZES = {
    "main": (TARGET_SIZE,),
    "quick": (Size(100_000, 30),),
    "grid": tuple(Size(n, m) for n in (10_000, 100_000, 1_000_000, 5_000_000) for m in (30, 130, 250)),
    "growth": tuple(Size(n * 1000, 130) for n in (10, 100, 1000, 5000, 10_000, 20_000, 50_000)),
}


@dataclass(frozen=True)
class Contender:
    """One or, for a job that is scaled, two command lines that differ in their rounds."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    rounds: tuple[int, ...] = ()
    wanted_rounds: int = 0
    target: float | None = None

    @property
    def is_scaled(self) -> bool:
        return len(self.commands) > 1


def contenders(job: Job, votes: Path, size: Size, peers_python: str | None) -> Iterator[Contender]:
    """The floor, ours, and the peers if there is a Python that has them."""
    floor = (sys.executable, str(HERE / "floor.py"), str(votes), "--columns", ",".join(job.columns))
    yield Contender(FLOOR, (floor,))
    if job.name == FLOOR:
        return
    ours = (sys.executable, "-m", "arena", "rate", str(votes), *job.options, "--json")
    yield Contender(OURS, (ours,), target=job.floors)
    for peer in job.peers if peers_python else ():
        yield _of_peer(peer, votes, size, peers_python or "")


def _of_peer(peer: Peer, votes: Path, size: Size, python: str) -> Contender:
    script = str(HERE / "peers" / peer.script)
    rounds = peer.measured_rounds(size.n_votes)
    return Contender(
        peer.name,
        tuple((python, script, str(votes), "--rounds", str(n)) for n in rounds),
        rounds=rounds,
        wanted_rounds=peer.rounds,
        target=peer.faster,
    )


def measure(
    job: Job, size: Size, competing: Sequence[Contender], folder: Path, *, repeat: int, timeout: float
) -> list[Figure]:
    """Let the contenders take turns `repeat` times; one that fails or runs out of time is not asked again."""
    turns: dict[str, list[list[Process]]] = {contender.name: [] for contender in competing}
    for turn in range(repeat):
        for number, contender in enumerate(competing):
            if any(process.failure for processes in turns[contender.name] for process in processes):
                continue
            processes = [run(command, folder / f"{number}.json", timeout=timeout) for command in contender.commands]
            turns[contender.name].append(processes)
            told = " and ".join(process.failure or f"{process.seconds:.2f} s" for process in processes)
            _say(f"{size} {job.name} {contender.name}, turn {turn + 1} of {repeat}: {told}")
    figures = [_figure(job, size, contender, turns[contender.name]) for contender in competing]
    boards = [_board(folder / f"{number}.json") for number in range(len(competing))]
    return _compared(figures, boards)


def _figure(job: Job, size: Size, contender: Contender, turns: list[list[Process]]) -> Figure:
    last = [process for processes in turns for process in processes if process.failure]
    figure = Figure(
        size,
        job.name,
        contender.name,
        seconds=None,
        peak_mb=max(process.peak_mb for processes in turns for process in processes),
        scaled_from=contender.rounds if contender.is_scaled else (),
        target=contender.target,
    )
    if last and last[0].timed_out:
        return replace(figure, seconds=last[0].seconds, timed_out=True, failure=last[0].failure)
    if last:
        return replace(figure, peak_mb=None, failure=last[0].failure)
    runs = tuple(_whole(contender, [process.seconds for process in processes]) for processes in turns)
    if any(whole <= processes[-1].seconds for whole, processes in zip(runs, turns, strict=True) if contender.is_scaled):
        return replace(figure, failure=f"{contender.rounds} rounds took equally long, which cannot be scaled")
    return replace(figure, seconds=statistics.median(runs), runs=runs)


def _whole(contender: Contender, seconds: list[float]) -> float:
    """The time of all rounds: measured, or on the line through two smaller numbers of rounds."""
    if not contender.is_scaled:
        return seconds[0]
    (few, more), (for_few, for_more) = contender.rounds, seconds
    return for_more + (for_more - for_few) / (more - few) * (contender.wanted_rounds - more)


def _board(path: Path) -> dict[str, dict[str, Any]] | None:
    """The ratings that a contender printed, by model; None if it printed none."""
    try:
        ratings = json.loads(path.read_text(encoding="utf-8"))["ratings"]
    except (ValueError, OSError, TypeError, KeyError):
        return None
    return {rating["model"]: rating for rating in ratings if rating.get("score") is not None}


def _compared(figures: list[Figure], boards: list[dict[str, dict[str, Any]] | None]) -> list[Figure]:
    """The figures with their distance from ours, or from the first that has scores."""
    done = [board if figure.seconds is not None else None for figure, board in zip(figures, boards, strict=True)]
    reference = next((board for board in done if board), None)
    return [
        figure if reference is None or not board or board is reference else _against(figure, board, reference)
        for figure, board in zip(figures, done, strict=True)
    ]


def _against(figure: Figure, board: dict[str, dict[str, Any]], reference: dict[str, dict[str, Any]]) -> Figure:
    both = sorted(board.keys() & reference.keys())
    differences = [board[model]["score"] - reference[model]["score"] for model in both]
    centre = statistics.fmean(differences)
    widths = [
        _width(board[model]) / _width(reference[model])
        for model in both
        if board[model].get("low") is not None and reference[model].get("low") is not None
    ]
    return replace(
        figure,
        points_off=max(abs(difference - centre) for difference in differences),
        width=statistics.median(widths) if widths and not figure.scaled_from else None,
    )


def _width(rating: dict[str, Any]) -> float:
    return rating["high"] - rating["low"]


def votes_of(size: Size, folder: Path) -> Path:
    """The file of this size, made if it is not there yet; by a process of its own, to keep this one small."""
    path = folder / f"votes-{size}-seed{SEED}.parquet"
    if not path.exists():
        _say(f"making {size.n_votes:,} votes between {size.n_models} models")
        made = [str(size.n_votes), str(size.n_models), str(path), "--seed", str(SEED)]
        subprocess.run([sys.executable, str(HERE / "votes.py"), *made], check=True)
    return path


def machine() -> dict[str, str]:
    """What the figures depend on, without a name or a path."""
    facts = {"cpu": _cpu(), "cores": str(os.cpu_count()), "system": platform.system()}
    facts |= {"python": platform.python_version()}
    return facts | {name: metadata.version(name) for name in ("numpy", "scipy", "duckdb")}


def _cpu() -> str:
    try:
        model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        model = None
    return model[1] if model else platform.processor() or platform.machine()


def peers_versions(python: str) -> dict[str, str]:
    """The versions of the peers. Ends the program if they are not there."""
    ask = "import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in " + repr(PEERS) + "}))"
    told = subprocess.run([python, "-c", ask], check=False, capture_output=True, text=True)
    if told.returncode != 0:
        raise SystemExit(f"--peers {python} lacks a peer: {told.stderr.strip().splitlines()[-1]}")
    return json.loads(told.stdout)


def main() -> None:
    """Measure and print."""
    given = _parse()
    sizes, repeat = given.sizes, given.repeat
    facts = machine() | (peers_versions(given.peers) if given.peers else {})
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            votes = votes_of(size, given.data)
            for job in given.jobs:
                competing = list(contenders(job, votes, size, given.peers))
                run(competing[0].commands[0], Path(folder) / "warm.json", timeout=given.timeout)
                figures += measure(job, size, competing, Path(folder), repeat=repeat, timeout=given.timeout)
    if given.out is not None:
        record = {"machine": facts, "repeat": repeat, "figures": [_record(figure) for figure in figures]}
        given.out.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _tell(figures, facts, repeat=repeat, markdown=given.markdown)


def _record(figure: Figure) -> dict[str, Any]:
    return asdict(figure) | {"size": str(figure.size)}


def _tell(figures: Sequence[Figure], facts: dict[str, str], *, repeat: int, markdown: bool) -> None:
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"Whole processes; median of {repeat}.")
    sizes = list(dict.fromkeys(figure.size for figure in figures))
    for size in sizes:
        title = f"{size.n_votes:,} votes, {size.n_models} models"
        table = rows([figure for figure in figures if figure.size == size])
        print(f"\n{'### ' if markdown else ''}{title}\n\n{to_text(table, markdown=markdown)}")
    if len(sizes) > 1:
        print(f"\n{'### ' if markdown else ''}Seconds by size\n\n{to_text(rows_by_size(figures), markdown=markdown)}")
    for note in notes(figures):
        print(f"\n{note}" if markdown else note)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "bakeoff-votes", help="folder for the files of votes"
    )
    add("--peers", metavar="PYTHON", help="a Python that has the peers; without one only we and the floor are timed")
    add("--sizes", type=_sizes, help=f"such as 1Mx130,10kx30, or one of {', '.join(SIZES)} [default: main]")
    add("--jobs", type=_jobs, default=JOBS, help=f"{', '.join(job.name for job in JOBS)}, or floor [default: all]")
    add("--repeat", type=int, help="turns of each contender [default: 3]")
    add("--timeout", type=float, default=600, help="seconds for one process [default: 600]")
    add("--quick", action="store_true", help="a smaller file and one turn, to see that everything works")
    add("--out", type=Path, help="also write all figures, as JSON")
    add("--markdown", action="store_true", help="print tables in Markdown")
    given = parser.parse_args()
    given.sizes = given.sizes or SIZES["quick" if given.quick else "main"]
    given.repeat = given.repeat or (1 if given.quick else 3)
    return given


def _sizes(text: str) -> tuple[Size, ...]:
    if text in SIZES:
        return SIZES[text]
    found = [re.fullmatch(r"(\d+)([kM]?)x(\d+)", word) for word in text.split(",")]
    if None in found:
        raise argparse.ArgumentTypeError(f"{text!r}; accepted: such as 1Mx130,10kx30, or {', '.join(SIZES)}")
    unit = {"": 1, "k": 1000, "M": 1_000_000}
    return tuple(Size(int(match[1]) * unit[match[2]], int(match[3])) for match in found if match)


def _jobs(text: str) -> tuple[Job, ...]:
    known = {job.name: job for job in (*JOBS, Job(FLOOR, VOTES))}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r}; accepted: {', '.join(known)}")
    return tuple(known[name] for name in text.split(","))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
