"""`bakeoff audit`: what moves verdicts beside the answers, and how sure that is."""

# ruff: noqa: PLC0415
from datetime import datetime
from pathlib import Path

import click

from arena import __version__, option
from arena.battle import Source
from arena.cli.console import dumped, progress, say, tell, with_json, with_sources
from arena.cli.rating import votes_from
from arena.errors import NothingToRate
from arena.tally import Selection


@click.command()
@click.argument(
    "file",
    type=Path,
    required=False,
    metavar="[FILE]",
    help="Votes with model_a, model_b, winner (Parquet, CSV, JSONL).",
)
@click.option("--db", type=Path, metavar="FILE", help="Audit an arena's database instead.")
@with_sources
@click.option("--since", type=option.time, metavar="TIME", help="Votes cast then or later only.")
@click.option("--until", type=option.time, metavar="TIME", help="Votes cast before then only.")
@click.option(
    "--confidence", type=option.confidence, default="0.95", metavar="SHARE", help="Of intervals.  [default: 0.95]"
)
@click.option(
    "--against",
    type=Path,
    metavar="FILE",
    help="Texts that prompts should not be among, as of a benchmark (a table, or .txt with one a line).",
)
@click.option(
    "--dataset",
    type=Path,
    metavar="DIR",
    help="An exported dataset: whether prompts that it holds back are in its training split.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read the answers of N votes, drawn at random, and not of all.",
)
@with_json
def audit(
    *,
    file: Path | None,
    db: Path | None,
    sources: tuple[Source, ...] | None,
    since: datetime | None,
    until: datetime | None,
    confidence: float,
    against: Path | None,
    dataset: Path | None,
    sample: int | None,
    as_json: bool,
) -> None:
    """Biases of the votes: side, length, dress, openings, drift; and whether sides were drawn fairly to begin with."""
    if (file is None) == (db is None):
        raise click.UsageError("name either a vote FILE or a database with --db")
    from arena.quality.audits import audit_votes
    from arena.quality.contamination import KnownTexts
    from arena.quality.report import to_text
    from arena.reference import read_splits, read_texts
    from arena.vote_sheet import FURTHER, read_sheet

    splits = None if dataset is None else read_splits(dataset)
    known = None if against is None else KnownTexts.of(read_texts(against))
    selection = Selection(sources, since=since, until=until)
    with votes_from(file, db, selection, None, {}, also=FURTHER) as (votes, _, _models):
        selected = votes.selection.to_record()
        sheet = read_sheet(votes, with_prompt_texts=known is not None, most_worded=sample)
        left_out = votes.counted().left_out
    if not len(sheet):
        raise NothingToRate("no vote is left to audit")
    with progress("auditing votes") as on_progress:
        audits = audit_votes(sheet, confidence=confidence, against=known, splits=splits, on_progress=on_progress)
    if as_json:
        told = {"version": __version__, "selection": selected, "confidence": confidence, "n_votes": len(sheet)}
        tell(dumped(told | {"left_out": dict(left_out), "audits": [each.to_record() for each in audits]}))
    else:
        tell(to_text(audits, confidence=confidence))
    for reason, n in left_out.items():
        say(f"{n:,} left out: {reason}")
    n_speaking = sum(each.speaks is True for each in audits)
    n_open = sum(each.speaks is None for each in audits)
    say(f"{len(sheet):,} votes: {n_speaking} of {len(audits)} audits speak, {n_open} cannot tell")
    if sheet.n_sampled is not None:
        say(f"texts were read of {sheet.n_sampled:,} votes drawn at random; what goes by them is of these")
    say("p-values are corrected inside families, in each audit and over all audits (Benjamini-Hochberg).")
