"""`bakeoff rate`: the options, read into a `Plan` and a `Selection`."""

# ruff: noqa: PLC0415
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from arena import __version__, option
from arena.battle import ModelId, Source
from arena.cli.console import dumped, existing, progress, say, settings_with, tell, with_json, with_sources
from arena.errors import BadInput, NothingToRate, RatingFailed
from arena.features import FEATURES
from arena.option import Number, Word
from arena.plan import BothBad, Intervals, Method, Plan, Ties, Weights
from arena.tally import Selection, Slice, Unit

if TYPE_CHECKING:
    from arena.battle import Model
    from arena.leaderboard import Leaderboard
    from arena.rows import Counted
    from arena.vote_table import VoteTable


@click.command()
@click.argument(
    "file",
    type=Path,
    required=False,
    metavar="[FILE]",
    help="Votes with model_a, model_b, winner (Parquet, CSV, JSONL).",
)
@click.option(
    "--db",
    type=Path,
    metavar="FILE",
    help="Rate an arena's database instead: without a FILE the one of BAKEOFF_DATABASE, if set.",
)
@click.option("--method", type=Word(Method), help="What a score is. [default: bradley-terry]")
@click.option("--ties", type=Word(Ties), help="What a tie is. [default: half a win for each]")
@click.option(
    "--both-bad",
    type=Word(BothBad),
    help="What a both-bad verdict is; as its own outcome it fixes the score at which a model is of use. [default: tie]",
)
@click.option("--style", is_flag=True, help="Take out the effect of style, from the answers' texts or counted columns.")
@click.option(
    "--features", type=option.features, metavar="NAME,...", help=f"Which of {', '.join(FEATURES)}. [default: all]"
)
@click.option("--order", is_flag=True, default=None, help="Estimate, and take out, what side A is worth.")
@click.option(
    "--prior",
    type=Number(0, 1_000_000),
    metavar="NUMBER",
    help="Precision of a normal prior on strengths, per squared logit. [default: 0, none]",
)
@click.option(
    "--weights",
    type=Word(Weights),
    help="What a vote weighs: less on pairs that met often, less by busy voters, or what its column 'weight' says.",
)
@click.option(
    "--intervals",
    type=Word(Intervals),
    help="A formula, votes drawn again, or voters drawn again. [default: sandwich]",
)
@click.option(
    "--cluster",
    "unit",
    type=Word(Unit),
    help="Votes that may resemble each other. [default: those of a voter, where known, else those of a ranked list]",
)
@click.option("--rounds", type=click.IntRange(100, 100_000), metavar="NUMBER", help="Bootstrap rounds. [default: 1000]")
@click.option("--seed", type=click.IntRange(0), metavar="NUMBER", help="Seed of all chance. [default: 0]")
@click.option(
    "--confidence", type=option.confidence, metavar="SHARE", help="Of intervals and rank ranges. [default: 0.95]"
)
@click.option("--k", type=Number(0.01, 1000), metavar="NUMBER", help="Of Elo, in points. [default: 4]")
@click.option(
    "--anchor", type=option.anchor, metavar="MODEL=SCORE", help="Move all scores so that this model has this score."
)
@click.option("--min-votes", type=click.IntRange(0), metavar="NUMBER", help="Leave out models with fewer votes.")
@with_sources
@click.option(
    "--category",
    "categories",
    type=option.words,
    metavar="NAME,...",
    help="Votes on prompts of these categories only.",
)
@click.option(
    "--language",
    "languages",
    type=option.words,
    metavar="NAME,...",
    help="Votes on prompts in these languages only.",
)
@click.option("--since", type=option.time, metavar="TIME", help="Votes cast then or later only.")
@click.option("--until", type=option.time, metavar="TIME", help="Votes cast before then only.")
@click.option(
    "--up-to",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="With --db: the log as it stood after so many entries, as a leaderboard names them.",
)
@click.option("--by", type=Word(Slice), help="Rate each category or each language by itself.")
@click.option("--pool", is_flag=True, help="With --by: draw each slice towards the whole, as far as slices are alike.")
@click.option("--head-to-head", nargs=2, metavar="A B", help="Also compare these two: chance, points, votes needed.")
@click.option("--influence", is_flag=True, help="Also show how few votes, and which voters, the order hangs on.")
@click.option("--goodness", is_flag=True, help="Also show which pairs contradict one scale, and what goes in circles.")
@click.option("--voters", is_flag=True, help="Also list voters whose votes go against those of others, for review.")
@click.option(
    "--plots",
    type=Path,
    metavar="DIR",
    help="Also draw the intervals, who met whom, and who beat whom, as SVG and PNG.",
)
@click.option(
    "--out", type=option.ratings_file, metavar="FILE", help="Also write the ratings (.csv, .json or .parquet)."
)
@with_json
def rate(  # noqa: PLR0912 - one branch an option
    *,
    file: Path | None,
    db: Path | None,
    style: bool,
    features: tuple[str, ...] | None,
    sources: tuple[Source, ...] | None,
    categories: tuple[str, ...] | None,
    languages: tuple[str, ...] | None,
    since: datetime | None,
    until: datetime | None,
    up_to: int | None,
    by: Slice | None,
    pool: bool,
    head_to_head: tuple[str, str] | None,
    influence: bool,
    goodness: bool,
    voters: bool,
    plots: Path | None,
    out: Path | None,
    as_json: bool,
    **plan_options: Any,
) -> None:
    """Ratings with honest intervals, from a vote file or an arena's database."""
    from arena import printout
    from arena.rating import rate as rate_votes

    if file is None and db is None:
        db = settings_with().database
    if (file is None) == (db is None):
        raise click.UsageError("name either a vote FILE or a database with --db")
    if file is not None and out is not None and out.resolve() == file.resolve():
        raise BadInput(f"--out {out} is the vote file itself, and would be overwritten. Name another file")
    if up_to is not None and db is None:
        raise _goes_with("--up-to", "--db")
    if features is not None and not style:
        raise _goes_with("--features", "--style")
    if pool and by is None:
        raise _goes_with("--pool", "--by")
    # The other options are named for fields of Plan; what is not given is left to the arena's rules, or to Plan.
    choices = {name: value for name, value in plan_options.items() if value is not None}
    if style:
        choices["style"] = features or FEATURES
    selection = Selection(sources, categories, languages, since, until)
    wanted = {
        "head_to_head": head_to_head,
        "influence": influence,
        "goodness": goodness,
        "voters": voters,
    }
    behind: dict[str, _Finding] = {}
    boards: dict[str, Leaderboard] = {}
    with (
        progress("rating votes") as on_progress,
        votes_from(file, db, selection, up_to, choices) as (votes, plan, models),
    ):
        for folder in (plots, out.parent if out else None):
            if folder is not None:
                _make(folder)  # a place that cannot be written must not cost the board
        counted, selected = votes.counted(), votes.selection.to_record()
        board = rate_votes(counted, models, plan, rows=votes, on_progress=on_progress)
        if by is not None:
            boards = _boards_by(by, votes, counted, models, plan, pool=pool)
        if any(wanted.values()):
            behind = _findings(wanted, counted, plan, votes, models)
    slices = {} if by is None else {"slices": {name: part.to_record() for name, part in boards.items()}}
    told = {"version": __version__, "selection": selected}
    record = told | board.to_record() | slices | {name: found.record for name, found in behind.items()}
    if out is not None:
        printout.write(out, board, record)
        say(f"wrote {out}")
    if plots is not None:
        from arena.plots import write_plots

        for path in write_plots(plots, board, counted):
            say(f"wrote {path}")
    if as_json:
        tell(dumped(record))
    else:
        sections = [f"{by} {name}\n{printout.to_text(part)}" for name, part in boards.items()]
        tell("\n\n".join([printout.to_text(board), *sections, *(found.text for found in behind.values())]))
    for reason, n in board.dropped.items():
        say(f"{n:,} left out: {reason}")
    for line in (board.counted_as, *board.notes):
        say(line)


def _boards_by(
    by: Slice, votes: "VoteTable", counted: "Counted", models: "Mapping[ModelId, Model]", plan: Plan, *, pool: bool
) -> "dict[str, Leaderboard]":
    from arena.rating import rate as rate_votes
    from arena.rating import rate_pooled

    parts = votes.slices(by)
    if n := votes.n_blank(by):
        say(f"{n:,} votes tell no {by}, and are in no slice")
    counts = {name: part.counted() for name, part in parts.items()}
    if pool:
        return rate_pooled(counted, counts, models, plan, rows=votes, rows_of=parts)
    boards = {}
    for name, part in parts.items():
        try:
            boards[name] = rate_votes(counts[name], models, plan, rows=part)
        except (NothingToRate, RatingFailed, BadInput) as error:
            say(f"{by} {name} has no board: {error}")  # one slice is no reason to keep the others back
    return boards


@contextmanager
def votes_from(
    file: Path | None,
    db: Path | None,
    selection: Selection,
    up_to: int | None,
    choices: dict[str, Any],
    *,
    also: Collection[str] = (),
) -> Iterator[tuple["VoteTable", Plan, "Mapping[ModelId, Model]"]]:
    """The votes of the file or the database, with what the rules and the options choose.

    Columns of a file that nothing reads are named on stderr; `also` are those that this command reads beside a rating.
    """
    if db is None:
        from arena.vote_file import open_votes, sources_of

        plan = Plan(**choices)
        _refuse_without_effect(choices, plan)
        with open_votes(file or Path(), selection) as votes:
            sources = None if selection.sources else sources_of(votes)
            if sources is not None:
                several = "several sources; " if len(votes.sources()) > 1 else ""
                if several or sources != (Source.HUMAN,) or votes.n_blank("source"):
                    say(f"{several}counted: {', '.join(sources)}")
                votes = votes.counting(replace(selection, sources=sources))  # noqa: PLW2901
            elif not selection.sources and votes.sources():
                say("the column source holds other words than sources, and is left aside")
            if left_aside := [column for column in votes.left_aside if column not in also]:
                say(f"columns left aside: {', '.join(left_aside)}")
            yield votes, plan, {}
        return
    from arena.batch import open_log
    from arena.store import VoteStore

    with VoteStore.open(existing(db)) as store, open_log(store, selection, up_to=up_to, **choices) as log:
        _refuse_without_effect(choices, log.plan)
        yield log.votes, log.plan, store.catalogue.models()
        say(f"{log.n_log:,} votes in the log; counted: {', '.join(log.sources)}")


def _refuse_without_effect(choices: Mapping[str, Any], plan: Plan) -> None:
    """Wrong usage is a choice that this plan, of which the arena's rules may have chosen other parts, does not read."""
    is_elo = plan.method is Method.ELO
    if "k" in choices and not is_elo:
        raise _goes_with("--k", "--method elo")
    if "rounds" in choices and not is_elo and plan.intervals is Intervals.SANDWICH:
        raise _goes_with("--rounds", "--intervals bootstrap, --intervals cluster or --method elo")


def _goes_with(name: str, others: str) -> click.UsageError:
    return click.UsageError(f"{name} goes with {others}, and has no effect otherwise")


def _make(directory: Path) -> None:
    """Make a folder, unless it is there. Raises BadInput if files cannot be made in it."""
    from tempfile import TemporaryFile

    try:
        directory.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=directory).close()
    except OSError as error:
        raise BadInput(f"{directory} cannot be written into: {error.strerror}") from error


class _Finding(NamedTuple):
    """What stands behind a board, for machines and for people."""

    record: Any
    text: str


def _findings(
    wanted: "Mapping[str, Any]",
    counted: "Counted",
    plan: Plan,
    votes: "VoteTable",
    models: "Mapping[ModelId, Model]",
) -> dict[str, _Finding]:
    from arena.analysis import Analysis, to_record
    from arena.finding import to_text

    analysis = Analysis(counted, plan, votes, models)
    ask: dict[str, Callable[[Any], Any]] = {
        "head_to_head": lambda pair: analysis.head_to_head(*pair),
        "influence": lambda _: analysis.influence(),
        "goodness": lambda _: analysis.goodness(),
        "voters": lambda _: analysis.suspects(),
    }
    found = {name: ask[name](asked) for name, asked in wanted.items() if asked}
    return {name: _Finding(to_record(each), to_text(each, models)) for name, each in found.items()}
