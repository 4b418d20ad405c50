"""The commands. Results go to stdout, the story to stderr; an error is one line and exit code 1, wrong usage 2.

Gradio is loaded by `serve` alone, and each command imports what it needs when it runs: `bakeoff rate` starts in a
fraction of a second.
"""

# ruff: noqa: PLC0415
import io
import os
import sys
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena import __version__, option
from arena.battle import Source
from arena.cli import rating
from arena.cli.console import Db, Json, Sources, counted, dumped, existing, say, tell
from arena.errors import ArenaError, BadPack

if TYPE_CHECKING:
    from arena.intake import Intake
    from arena.settings import Settings

cli = typer.Typer(
    name="bakeoff",
    help="A blind arena for language models: two anonymous answers, one verdict, honest ratings, preference data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run a command; the entry of `bakeoff` and `python -m arena`."""
    # Read by numpy's linear algebra when it is loaded, which is later: our matrices are small, and on a busy machine
    # its threads wait for each other a hundred times longer than they compute.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter still gets the rest
    try:
        cli()
    except ArenaError as error:
        say(f"bakeoff: {error}")
        sys.exit(1)


@cli.callback(invoke_without_command=True)
def _start(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        tell(f"bakeoff {__version__}")
        raise typer.Exit


@cli.command()
def serve(
    *,
    pack: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Bring this pack in and serve it. Default: what the database holds."),
    ] = None,
    db: Annotated[Path | None, typer.Option("--db", metavar="FILE", help="The database; made when missing.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port to listen on; 0: a free one.")] = None,
    source: Sources = None,
) -> None:
    """Open the arena in a browser page. Options win over the BAKEOFF_ settings of the environment."""
    from arena.ui import server

    given = {"pack": pack, "database": db, "host": host, "port": port, "sources": source}
    server.serve(_settings(**{name: value for name, value in given.items() if value is not None}))


@cli.command()
def init(directory: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Write a small commented pack to start from."""
    from arena.pack import write_example_pack

    for file in write_example_pack(directory):
        tell(file)
    say(f"A pack that works. Try it: bakeoff serve --pack {directory}")


@cli.command()
def check(directory: Annotated[Path, typer.Argument(metavar="DIR")], *, as_json: Json = False) -> None:
    """Read a pack as the arena would, and list every fault with file and line."""
    from arena.pack import read_pack

    try:
        pack = read_pack(directory)
    except BadPack as error:
        faults = [{"file": fault.file, "line": fault.place, "message": fault.message} for fault in error.faults]
        tell(dumped({"faults": faults}) if as_json else "\n".join(map(str, error.faults)))
        say(f"{directory} has {counted(len(faults), 'fault')}")
        raise typer.Exit(1) from error
    counts = {
        "models": len(pack.models),
        "prompts": len(pack.prompts),
        "answers": len(pack.answers),
        "blank_answers": sum(not answer.text.strip() for answer in pack.answers),
        "guideline": pack.guideline.version if pack.guideline else None,
        "checks": [
            {"prompt": prompt_id, "meaning": meaning, "met": met, "answers": n}
            for prompt_id, meaning, met, n in pack.constraints_met()
        ],
    }
    if as_json:
        tell(dumped({"faults": []} | counts))
        return
    tell(", ".join(counted(counts[noun], noun[:-1]) for noun in ("models", "prompts", "answers")))
    tell(f"guideline {counts['guideline']}" if pack.guideline else "no guideline (guidelines.md)")
    if not pack.has_a_pair:
        tell("no prompt has two answers with different texts: there is nothing to judge yet")
    if counts["blank_answers"]:
        tell(f"{counted(counts['blank_answers'], 'answer')} without text, never served")
    for each in counts["checks"]:
        tell(f"{each['prompt']}: {each['met']} of {counted(each['answers'], 'answer')} keep to: {each['meaning']}")
    say(f"{directory} has no fault")


@cli.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A table (Parquet, CSV, JSONL) or a pack folder.")],
    *,
    db: Db,
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
        Any,
        typer.Option(
            "--source",
            parser=option.source,
            metavar="SOURCE",
            help=f"Who gave these verdicts: {', '.join(Source)}.",
        ),
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
        tell(", ".join(f"{n:,} new {each}" for each, n in added.items()))
        return
    foreign = ForeignTable(
        path=path,
        kind=option.choice(kind, Kind),
        mapping=option.pairs("--map", mapping),
        constants=option.pairs("--set", constants),
        words={text: parse_winner(word) for text, word in option.pairs("--values", values).items()},
    )
    foreign.field_columns()  # what is wrong with the command is said before a database is made
    with VoteStore.open(db) as store:
        key = VoterKey(_settings(database=db).open_secret())
        taken = import_table(store, foreign, source=source, voter_key=key, skip_bad=skip_bad, now=now)
    _tell_intake(taken, source)


rate = cli.command()(rating.rate)


@cli.command()
def export(
    *,
    db: Db,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write; a new one, or an earlier export.")],
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="preference.")] = "preference",
    min_agreement: Annotated[
        Any,
        typer.Option(
            parser=option.share, metavar="SHARE", help="Leave out pairs with less agreement than this (0.75, or 2/3)."
        ),
    ] = "0",
    source: Sources = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Write preference data that a trainer takes as it is, with a manifest that accounts for every vote."""
    from arena import export as dataset
    from arena.store import VoteStore

    with VoteStore.open(existing(db)) as store:
        done = dataset.export(
            store,
            out,
            format_=option.choice(format_, dataset.Format),
            sources=source,
            min_agreement=Fraction(min_agreement),
        )
    for file in done.files:
        say(f"wrote {file}")
    manifest = done.manifest
    if not manifest["n_rows"]:
        say("no vote became a preference: there is nothing to train on in these files")
    if as_json:
        tell(dumped(manifest))
        return
    n_out = manifest["n_votes"] - manifest["kept"]
    tell(
        f"{counted(manifest['n_votes'], 'vote')}: {manifest['kept']:,} kept in {counted(manifest['n_rows'], 'row')}, "
        f"{n_out:,} left out"
    )
    for reason, n in manifest["left_out"].items():
        tell(f"{n:>8,}  {reason}")


def _tell_intake(taken: "Intake", source: Source) -> None:
    for fault in taken.faults:
        say(f"left out: {fault}")
    if taken.left_aside:
        say(f"columns left aside: {', '.join(taken.left_aside)}")
    if taken.known_from:
        say(
            f"some rows are the same as rows of {', '.join(taken.known_from)} and count as known already; if somebody "
            "else cast them, say who (--set voter=NAME)"
        )
    if taken.new_models:
        say(f"{counted(len(taken.new_models), 'model')} known by id only; their facts come with --as models")
    if taken.kind == "votes" and taken.n_added and source is Source.IMPORT:
        say("their source is 'import': beside people's votes they count only where asked for (--source human,import)")
    n_known = taken.n_rows - taken.n_added
    tell(
        f"{taken.n_added:,} new {taken.kind} from {counted(taken.n_rows + len(taken.faults), 'row')} "
        f"({n_known:,} known already, {len(taken.faults):,} left out)"
    )


def _settings(**options: Any) -> "Settings":
    """The settings of the environment, with what the command line says instead."""
    from arena.settings import Settings

    return Settings.from_env(os.environ, **options)
