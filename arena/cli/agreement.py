"""`bakeoff agreement`: the options, read into which votes, what they are looked at by, and how intervals are drawn."""

# ruff: noqa: PLC0415
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arena import __version__, option
from arena.battle import Source
from arena.cli.console import dumped, existing, say, tell, with_json, with_map, with_sources, with_values
from arena.errors import BadInput
from arena.tally import Selection

if TYPE_CHECKING:
    from arena.vote_table import VoteTable

_BY = ("category", "language", "guideline", "week", "turn", "voter")

# Columns of the field's public files that are voters and prompts under other names.
_ALSO = {"judge": "voter", "question_id": "prompt_id"}


@click.command()
@click.argument(
    "file",
    type=Path,
    required=False,
    metavar="[FILE]",
    help="Votes with model_a, model_b, winner, voter, prompt_id (Parquet, CSV, JSONL).",
)
@click.option("--db", type=Path, metavar="FILE", help="An arena's database instead.")
@click.option(
    "--by",
    "groups",
    type=click.Choice(_BY),
    multiple=True,
    metavar="|".join(_BY),
    help="Also by what votes tell, or each voter against the others. May be repeated.",
)
@click.option(
    "--between",
    nargs=2,
    type=option.Word(Source),
    metavar="SOURCE SOURCE",
    help="Also each voter of the second source against those of the first: human ai_judge.",
)
@with_sources
@click.option("--category", "categories", type=option.words, metavar="NAME,...", help="Of these categories only.")
@click.option("--language", "languages", type=option.words, metavar="NAME,...", help="In these languages only.")
@click.option("--since", type=option.time, metavar="TIME", help="Votes cast then or later only.")
@click.option("--until", type=option.time, metavar="TIME", help="Votes cast before then only.")
@click.option("--up-to", type=click.IntRange(1), metavar="NUMBER", help="With --db: the log after so many entries.")
@with_map("With FILE")
@with_values("With FILE")
@click.option(
    "--confidence", type=option.confidence, default="0.95", show_default=True, metavar="SHARE", help="Of intervals."
)
@click.option(
    "--rounds",
    type=click.IntRange(100, 100_000),
    default=1000,
    show_default=True,
    metavar="NUMBER",
    help="How often pairs of answers are drawn again.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="NUMBER", help="Of all chance.")
@with_json
def agreement(
    *,
    file: Path | None,
    db: Path | None,
    groups: tuple[str, ...],
    between: tuple[Source, Source] | None,
    sources: tuple[Source, ...] | None,
    categories: tuple[str, ...] | None,
    languages: tuple[str, ...] | None,
    since: datetime | None,
    until: datetime | None,
    up_to: int | None,
    mapping: dict[str, str],
    values: dict[str, str],
    confidence: float,
    rounds: int,
    seed: int,
    as_json: bool,
) -> None:
    """How far voters agree, with chance taken out, and whether that is enough to train on."""
    from arena import agreement_printout, judgement_table
    from arena.agreement import Chance
    from arena.agreement_report import Report
    from arena.judges import judges

    if (file is None) == (db is None):
        raise click.UsageError("name either a vote FILE or a database with --db")
    if up_to is not None and db is None:
        raise click.UsageError("--up-to goes with --db, and has no effect otherwise")
    if db is not None and (mapping or values):
        raise click.UsageError("--map and --values go with a vote FILE, and have no effect otherwise")
    if between is not None and (between[0] is between[1] or sources is not None):
        raise click.UsageError("--between names two sources, which are those that count: leave out --source")
    chance = Chance(confidence, rounds, seed)
    selection = Selection(sources or ((between[0],) if between else None), categories, languages, since, until)
    by = tuple(dict.fromkeys(group for group in groups if group != "voter"))
    asked = [judgement_table.Group(group) for group in by]
    with _votes(file, db, selection, up_to=up_to, mapping=mapping, values=values) as votes:
        report = Report.of(judgement_table.read(votes, asked, labels=True), chance, by=by, voters="voter" in groups)
        if between is not None:
            both = votes.counting(replace(votes.selection, sources=between))
            told = [judgement_table.Group.SOURCE, *([judgement_table.Group.BATCH] if db is not None else [])]
            judged = judgement_table.read(both, [*told, *asked])
            report = replace(report, judges=judges(judged, *between, chance, by))
        selected = votes.selection.to_record()
    if as_json:
        tell(dumped({"version": __version__, "selection": selected} | report.to_record()))
    else:
        tell(agreement_printout.to_text(report))
    for reason, n in report.left_out.items():
        say(f"{n:,} left out: {reason}")
    if report.n_repeated:
        say(f"{report.n_repeated:,} votes repeat an earlier one of their voter, and count for consistency alone")
    say(agreement_printout.counted_as(chance))


@contextmanager
def _votes(
    file: Path | None,
    db: Path | None,
    selection: Selection,
    *,
    up_to: int | None,
    mapping: dict[str, str],
    values: dict[str, str],
) -> Iterator["VoteTable"]:
    """The votes of the file or the database, of the sources that count."""
    if db is not None:
        from arena.batch import open_log
        from arena.store import VoteStore

        with VoteStore.open(existing(db)) as store, open_log(store, selection, up_to=up_to) as log:
            yield log.votes
            say(f"{log.n_log:,} acts in the log; counted: {', '.join(log.sources)}")
        return
    from arena.table import columns_of
    from arena.vote_file import open_votes, parse_winner, sources_of

    path = file or Path()
    columns = {mapping.get(column, column) for column in columns_of(path)}
    also = {old: new for old, new in _ALSO.items() if old in columns and new not in columns and old not in mapping}
    for old, new in also.items():
        say(f"the column {old!r} is taken for {new!r}; --map says otherwise")
    words = {text: parse_winner(word) for text, word in values.items()}
    if selection.sources and "source" not in columns:
        raise BadInput(f"{path} has no column 'source': nobody knows whose votes these are")
    with open_votes(path, selection, mapping=mapping | also, words=words) as votes:
        if not selection.sources:
            sources = sources_of(votes)
            if sources is not None:
                say(f"counted: {', '.join(sources)}")
                votes = votes.counting(replace(selection, sources=sources))  # noqa: PLW2901
        yield votes
