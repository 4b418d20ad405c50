"""The commands. Results go to stdout, the story to stderr; an error is one line and exit code 1, wrong usage 2.

Gradio is loaded by `serve` alone, and each command imports what it needs when it runs: `bakeoff rate` starts in a
fraction of a second.
"""

# ruff: noqa: PLC0415, T201
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena import __version__
from arena.battle import ModelId, Source
from arena.errors import ArenaError, BadInput, BadPack

if TYPE_CHECKING:
    from arena.leaderboard import Leaderboard
    from arena.settings import Settings

cli = typer.Typer(
    name="bakeoff",
    help="A blind arena for language models: two anonymous answers, one verdict, honest ratings, preference data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Database = Annotated[Path, typer.Option("--db", metavar="FILE", help="The arena's database file.")]
Sources = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="SOURCE,...",
        help=f"Whose votes count: {', '.join(Source)}. Never mixed unless named together. "
        "By default people's votes, or those of the only source there is.",
    ),
]


def main() -> None:
    """Run a command; the entry of `bakeoff` and `python -m arena`."""
    try:
        cli()
    except ArenaError as error:
        _say(str(error))
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output (`| head`) has left: nothing more to say, and nothing went wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@cli.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(f"bakeoff {__version__}")
        raise typer.Exit


@cli.command()
def serve(
    pack: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Bring this pack in and serve it. Default: what the database holds."),
    ] = None,
    db: Annotated[Path | None, typer.Option("--db", metavar="FILE", help="The database; created if missing.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port to listen on; 0: a free one.")] = None,
    source: Sources = None,
) -> None:
    """Open the arena in a browser page. Options win over the BAKEOFF_ settings of the environment."""
    from arena.ui.server import serve as serve_pages

    given = {"pack": pack, "database": db, "host": host, "port": port, "sources": source}
    settings = _settings().model_copy()
    changed = {name: value for name, value in given.items() if value is not None}
    serve_pages(_with(settings, changed))


@cli.command()
def init(directory: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Write a small commented pack to start from."""
    from arena.pack import write_example_pack

    files = write_example_pack(directory)
    for file in files:
        print(file)
    _story(f"A working pack of {len(files)} files. Try it: bakeoff serve --pack {directory} --db {directory}.duckdb")


@cli.command()
def check(
    directory: Annotated[Path, typer.Argument(metavar="DIR")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read a pack as the arena would, and list every fault with file and line."""
    from arena.pack import read_pack

    try:
        pack = read_pack(directory)
    except BadPack as error:
        if as_json:
            print(json.dumps({"faults": [_plain(fault) for fault in error.faults]}, ensure_ascii=False, indent=2))
        else:
            for fault in error.faults:
                print(fault)
        _say(f"{directory} has {_n(len(error.faults), 'fault')}")
        raise typer.Exit(1) from error
    n_blank = sum(not answer.text.strip() for answer in pack.answers)
    counts = {
        "models": len(pack.models),
        "prompts": len(pack.prompts),
        "answers": len(pack.answers),
        "blank_answers": n_blank,
        "guideline": pack.guideline.version if pack.guideline else None,
    }
    if as_json:
        print(json.dumps({"faults": []} | counts, indent=2))
        return
    print(f"{_n(len(pack.models), 'model')}, {_n(len(pack.prompts), 'prompt')}, {_n(len(pack.answers), 'answer')}")
    print(f"guideline {pack.guideline.version}" if pack.guideline else "no guideline (guidelines.md)")
    if n_blank:
        print(f"{_n(n_blank, 'answer')} without text, never served")
    texts = {prompt.id: [a.text for a in pack.answers if a.prompt_id == prompt.id] for prompt in pack.prompts}
    for prompt_id, checks in pack.checks.items():
        for each in checks:
            met = sum(each.is_met_by(text) for text in texts[prompt_id])
            print(f"{prompt_id}: {met} of {len(texts[prompt_id])} answers keep to: {each.meaning}")
    _story(f"{directory} has no fault")


@cli.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A table (Parquet, CSV, JSONL) or a pack folder.")],
    db: Database,
    kind: Annotated[
        str, typer.Option("--as", metavar="KIND", help="What the rows are: models, prompts, answers or votes.")
    ] = "votes",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD,...", help="Which column is which field. May be repeated."),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE,...", help="A field with one value for all rows (voter=judge-1)."),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--values",
            metavar="TEXT=VERDICT,...",
            help="What the file's words mean: model_a, model_b, tie or both_bad. May be repeated.",
        ),
    ] = None,
    source: Annotated[
        str, typer.Option("--source", help=f"Who gave these verdicts: {', '.join(Source)}.")
    ] = Source.IMPORT.value,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows that cannot be understood, and report each.")
    ] = False,
) -> None:
    """Bring in a pack, or a table of models, prompts, answers or votes. The same rows again add nothing."""
    from arena.intake import ForeignTable, Kind, import_pack, import_table
    from arena.pack import read_pack
    from arena.store import VoteStore
    from arena.vote_file import parse_winner
    from arena.voter import VoterKey

    now = datetime.now(UTC)
    if path.is_dir():
        pack = read_pack(path)
        with VoteStore.open(db) as store:
            added = import_pack(store, pack, now)
        print(", ".join(f"{n:,} new {each}" for each, n in added.items()))
        return
    foreign = ForeignTable(
        path=path,
        kind=_choice("--as", kind, Kind),
        mapping=_pairs("--map", mapping),
        constants=_pairs("--set", constants),
        words={text: parse_winner(word) for text, word in _pairs("--values", values).items()},
    )
    foreign.field_columns()
    with VoteStore.open(db) as store:
        key = VoterKey(_with(_settings(), {"database": db}).open_secret())
        taken = import_table(
            store,
            foreign,
            source=_choice("--source", source, Source),
            voter_key=key,
            skip_bad=skip_bad,
            now=now,
        )
    for fault in taken.faults:
        _story(f"left out: {fault}")
    if taken.left_aside:
        _story(f"columns left aside: {', '.join(taken.left_aside)}")
    if taken.new_models:
        _story(f"{_n(len(taken.new_models), 'model')} known by id only; import their facts with --as models")
    chosen = _choice("--source", source, Source)
    if taken.kind is Kind.VOTES and taken.n_added and chosen is Source.IMPORT:
        _story("source: import. Where people voted too, these count only if asked for (--source human,import)")
    n_known = taken.n_rows - taken.n_added
    print(
        f"{taken.n_added:,} new {taken.kind} from {_n(taken.n_rows + len(taken.faults), 'row')}"
        f" ({n_known:,} known already, {len(taken.faults):,} left out)"
    )


@cli.command()
def rate(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Votes with model_a, model_b, winner (Parquet, CSV, JSONL)."),
    ] = None,
    db: Annotated[Path | None, typer.Option("--db", metavar="FILE", help="Rate an arena's database instead.")] = None,
    rounds: Annotated[int | None, typer.Option(min=100, help="Bootstrap rounds. [default: 1000]")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the bootstrap. [default: 0]")] = None,
    confidence: Annotated[float | None, typer.Option(help="Of intervals and rank ranges. [default: 0.95]")] = None,
    anchor: Annotated[
        str | None, typer.Option(metavar="MODEL=SCORE", help="Move all scores so that this model has this score.")
    ] = None,
    both_bad: Annotated[
        str, typer.Option("--both-bad", metavar="tie|drop", help="Count a both-bad verdict as a tie, or leave it out.")
    ] = "tie",
    source: Sources = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the ratings (.csv, .json or .parquet).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Bradley-Terry ratings with bootstrap intervals, from a vote file or an arena's database."""
    from arena.batch import Overrides, rate_log
    from arena.leaderboard import rate as rate_tallies
    from arena.store import VoteStore
    from arena.vote_file import read_tallies

    if (file is None) == (db is None):
        raise typer.BadParameter("name either a vote FILE or a database with --db")
    if confidence is not None and not 0.5 < confidence < 1:
        raise typer.BadParameter(
            f"{confidence} is no confidence; choose one between 0.5 and 1", param_hint="--confidence"
        )
    if both_bad not in ("tie", "drop"):
        raise typer.BadParameter(f"{both_bad!r} is neither 'tie' nor 'drop'", param_hint="--both-bad")
    if out is not None:
        _check_ending(out)
    given: Overrides = {}
    if rounds is not None:
        given["rounds"] = rounds
    if seed is not None:
        given["seed"] = seed
    if confidence is not None:
        given["confidence"] = confidence
    fixed = _anchor(anchor)
    with _progress("resampling votes") as on_progress:
        if file is not None:
            if source is not None:
                raise typer.BadParameter("a vote file does not tell its votes' sources", param_hint="--source")
            tallies = read_tallies(file)
            board = rate_tallies(
                tallies,
                {},
                anchor=fixed,
                both_bad=both_bad,
                on_progress=on_progress,
                **given,  # type: ignore[arg-type]
            )
        else:
            assert db is not None  # noqa: S101 - one of the two is given
            with VoteStore.open(_existing(db)) as store:
                rated = rate_log(
                    store,
                    sources=_sources(source),
                    anchor=fixed,
                    both_bad=both_bad,  # type: ignore[arg-type]
                    on_progress=on_progress,
                    **given,
                )
            board = rated.board
            _story(f"the log's {rated.n_log:,} votes, hash {rated.log_hash[:16]}; counted: {', '.join(rated.sources)}")
    if out is not None:
        _write_ratings(out, board)
    if as_json:
        print(json.dumps(board.to_record(), ensure_ascii=False, indent=2))
    else:
        print(_ratings_table(board))
    for reason, n in board.dropped.items():
        _story(f"{n:,} left out: {reason}")


@cli.command()
def export(
    db: Database,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write; a new one, or an earlier export.")],
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="preference.")] = "preference",
    min_agreement: Annotated[
        str,
        typer.Option(
            "--min-agreement", metavar="SHARE", help="Leave out pairs with less agreement than this (0.75, or 2/3)."
        ),
    ] = "0",
    source: Sources = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Write preference data that a trainer takes as it is, with a manifest that accounts for every vote."""
    from arena.export import Format
    from arena.export import export as export_votes
    from arena.store import VoteStore

    floor = _share(min_agreement)
    chosen = _choice("--format", format_, Format)
    with VoteStore.open(_existing(db)) as store:
        done = export_votes(store, out, format_=chosen, sources=_sources(source), min_agreement=floor)
    manifest = done.manifest
    if as_json:
        print(json.dumps(manifest, ensure_ascii=False, indent=2))
        return
    n_left = manifest["n_votes"] - manifest["kept"]
    print(f"{manifest['n_votes']:,} votes: {manifest['n_rows']:,} rows of {manifest['kept']:,}, {n_left:,} left out")
    for reason, n in manifest["left_out"].items():
        print(f"  {n:>8,}  {reason}")
    for file in done.files:
        _story(f"wrote {file}")


def _settings() -> "Settings":
    from arena.settings import Settings

    return Settings.from_env(os.environ)


def _with(settings: "Settings", changes: Mapping[str, Any]) -> "Settings":
    return type(settings).model_validate(settings.model_dump() | dict(changes))


def _existing(db: Path) -> Path:
    """A command that only reads must not create a database by a misspelt name."""
    if not db.exists():
        raise BadInput(f"there is no database {db}")
    return db


def _choice(option: str, text: str, choices: type) -> Any:
    try:
        return choices(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(choices)}", param_hint=option) from None


def _sources(text: str | None) -> tuple[Source, ...] | None:
    return None if text is None else tuple(_choice("--source", part.strip(), Source) for part in text.split(","))


def _pairs(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    """`a=b,c=d` as a dict; a comma or an equals sign of its own is written with a backslash before it."""
    pairs: dict[str, str] = {}
    for text in texts or ():
        for part in re.split(r"(?<!\\),", text):
            sides = [re.sub(r"\\([,=])", r"\1", side) for side in re.split(r"(?<!\\)=", part)]
            if len(sides) != 2 or not all(sides):
                raise typer.BadParameter(f"{part!r} is no pair; write name=name", param_hint=option)
            if sides[0] in pairs:
                raise typer.BadParameter(f"{sides[0]!r} stands twice", param_hint=option)
            pairs[sides[0]] = sides[1]
    return pairs


def _anchor(text: str | None) -> tuple[ModelId, float] | None:
    if text is None:
        return None
    model, _, score = text.rpartition("=")
    try:
        return ModelId(model), float(score)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no anchor; write MODEL=SCORE", param_hint="--anchor") from None


def _share(text: str) -> Any:
    from fractions import Fraction

    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise typer.BadParameter(f"{text!r} is no share between 0 and 1", param_hint="--min-agreement")
    return share


_RATING_COLUMNS = {
    "model": "varchar",
    "score": "double",
    "low": "double",
    "high": "double",
    "rank": "integer",
    "rank_low": "integer",
    "rank_high": "integer",
    "n_votes": "bigint",
    "provisional": "boolean",
    "reason": "varchar",
}


def _check_ending(out: Path) -> None:
    if out.suffix.lower() not in (".csv", ".json", ".parquet"):
        raise typer.BadParameter(f"{out} ends in none of .csv, .json, .parquet", param_hint="--out")


def _write_ratings(out: Path, board: "Leaderboard") -> None:
    from arena import table

    record = board.to_record()
    if out.suffix.lower() == ".json":
        table.write_text(out, json.dumps(record, ensure_ascii=False, indent=2) + "\n")
    else:
        table.write(out, _RATING_COLUMNS, [[row.get(name) for name in _RATING_COLUMNS] for row in record["ratings"]])
    _story(f"wrote {out}")


def _ratings_table(board: "Leaderboard") -> str:
    """The board as columns of text; what cannot be said is a dash."""
    interval = f"{board.confidence * 100:g} % interval"
    rows = [("Rank", "Model", "Score", interval, "Votes", "")]
    for entry in board.entries:
        if entry.score is None:
            rows.append(("–", entry.model.name, "–", "–", f"{entry.n_votes:,}", entry.reason or ""))
            continue
        span = "–" if entry.low is None else f"{entry.low:,.0f} to {entry.high:,.0f}"
        ranks = f"{entry.rank_low}–{entry.rank_high}" if entry.rank_low != entry.rank_high else f"{entry.rank}"
        note = "; ".join(filter(None, ["provisional" if entry.provisional else "", entry.reason]))
        rows.append((ranks, entry.model.name, f"{entry.score:,.0f}", span, f"{entry.n_votes:,}", note))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        f"{ranks:<{widths[0]}}  {name:<{widths[1]}}  {score:>{widths[2]}}  {span:>{widths[3]}}  {votes:>{widths[4]}}  {note}"
        for ranks, name, score, span, votes, note in rows
    ]
    n_out = sum(board.dropped.values())
    summary = f"{board.n_votes:,} votes counted, {n_out:,} left out; {board.rounds:,} rounds, seed {board.seed}"
    return "\n".join(line.rstrip() for line in [*lines, "", summary])


@contextmanager
def _progress(what: str) -> Iterator[Any]:
    """A bar on stderr, for a person at a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain(fault: Any) -> dict[str, Any]:
    return {"file": fault.file, "line": fault.place, "message": fault.message}


def _n(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _story(text: str) -> None:
    print(text, file=sys.stderr)


def _say(text: str) -> None:
    print(f"bakeoff: {text}", file=sys.stderr)
