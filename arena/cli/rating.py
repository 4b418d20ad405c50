"""`bakeoff rate`: the options, read into a `Plan` and a `Selection`."""

# ruff: noqa: PLC0415
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from arena import option
from arena.battle import ModelId
from arena.cli.console import Json, Sources, dumped, existing, progress, say, tell
from arena.errors import BadInput, NothingToRate, RatingFailed
from arena.plan import BothBad, Intervals, Method, Ties, Weights
from arena.style import FEATURES
from arena.tally import Selection, Slice, Unit

if TYPE_CHECKING:
    from arena.battle import Model
    from arena.leaderboard import Leaderboard
    from arena.plan import Plan
    from arena.rows import Counted
    from arena.vote_table import VoteTable


def _choice(help_: str, kind: Any, name: str) -> Any:
    return typer.Option(
        name,
        parser=lambda text: option.choice(text, kind),
        metavar="|".join(kind),
        help=help_,
    )


def rate(  # noqa: PLR0912 - one branch an option
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Votes with model_a, model_b, winner (Parquet, CSV, JSONL)."),
    ] = None,
    *,
    db: Annotated[Path | None, typer.Option("--db", metavar="FILE", help="Rate an arena's database instead.")] = None,
    method: Annotated[Any, _choice("What a score is. [default: bradley-terry]", Method, "--method")] = None,
    ties: Annotated[Any, _choice("What a tie is. [default: half a win for each]", Ties, "--ties")] = None,
    both_bad: Annotated[
        Any,
        _choice(
            "What a both-bad verdict is; as its own outcome it fixes the score at which a model is of use. "
            "[default: tie]",
            BothBad,
            "--both-bad",
        ),
    ] = None,
    style: Annotated[
        bool, typer.Option("--style", help="Take out the effect of style, from the answers' texts or counted columns.")
    ] = False,
    features: Annotated[
        Any,
        typer.Option(
            parser=option.features, metavar="NAME,...", help=f"Which of {', '.join(FEATURES)}. [default: all]"
        ),
    ] = None,
    order: Annotated[bool, typer.Option("--order", help="Estimate, and take out, what side A is worth.")] = False,
    prior: Annotated[
        float | None,
        typer.Option(min=0, help="Precision of a normal prior on strengths, per squared logit. [default: 0, none]"),
    ] = None,
    weights: Annotated[
        Any, _choice("What a vote weighs: less on pairs that met often, or by busy voters.", Weights, "--weights")
    ] = None,
    intervals: Annotated[
        Any,
        _choice("A formula, votes drawn again, or voters drawn again. [default: sandwich]", Intervals, "--intervals"),
    ] = None,
    cluster: Annotated[
        Any, _choice("Votes that may resemble each other. [default: those of a voter, where known]", Unit, "--cluster")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=100, help="Bootstrap rounds. [default: 1000]")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all chance. [default: 0]")] = None,
    confidence: Annotated[
        Any,
        typer.Option(parser=option.confidence, metavar="SHARE", help="Of intervals and rank ranges. [default: 0.95]"),
    ] = None,
    k: Annotated[float | None, typer.Option("--k", min=0.01, help="Of Elo, in points. [default: 4]")] = None,
    anchor: Annotated[
        Any,
        typer.Option(
            parser=option.anchor, metavar="MODEL=SCORE", help="Move all scores so that this model has this score."
        ),
    ] = None,
    min_votes: Annotated[int | None, typer.Option(min=0, help="Leave out models with fewer votes.")] = None,
    source: Sources = None,
    category: Annotated[
        Any, typer.Option(parser=option.words, metavar="NAME,...", help="Votes on prompts of these categories only.")
    ] = None,
    language: Annotated[
        Any, typer.Option(parser=option.words, metavar="NAME,...", help="Votes on prompts in these languages only.")
    ] = None,
    since: Annotated[
        Any, typer.Option(parser=option.time, metavar="TIME", help="Votes cast then or later only.")
    ] = None,
    until: Annotated[Any, typer.Option(parser=option.time, metavar="TIME", help="Votes cast before then only.")] = None,
    by: Annotated[
        Any,
        _choice("Rate each category or each language by itself.", Slice, "--by"),
    ] = None,
    pool: Annotated[
        bool, typer.Option("--pool", help="With --by: draw each slice towards the whole, as far as slices are alike.")
    ] = False,
    head_to_head: Annotated[
        tuple[str, str] | None,
        typer.Option("--head-to-head", metavar="A B", help="Also compare these two: chance, points, votes needed."),
    ] = None,
    influence: Annotated[
        bool, typer.Option("--influence", help="Also show how few votes, and which voters, the order hangs on.")
    ] = False,
    goodness: Annotated[
        bool,
        typer.Option("--goodness", help="Also show which pairs contradict one scale, and what goes in circles."),
    ] = False,
    voters: Annotated[
        bool, typer.Option("--voters", help="Also list voters whose votes go against those of others, for review.")
    ] = False,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also draw the intervals, who met whom, and who beat whom, as SVG and PNG."),
    ] = None,
    out: Annotated[
        Any,
        typer.Option(
            parser=option.ratings_file, metavar="FILE", help="Also write the ratings (.csv, .json or .parquet)."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ratings with honest intervals, from a vote file or an arena's database."""
    from arena import printout
    from arena.rating import rate as rate_votes

    if (file is None) == (db is None):
        raise typer.BadParameter("name either a vote FILE or a database with --db")
    if file is not None and out is not None and out.resolve() == file.resolve():
        raise BadInput(f"--out {out} is the vote file itself, and would be overwritten. Name another file")
    if features is not None and not style:
        raise typer.BadParameter("goes with --style", param_hint="--features")
    given = {
        "method": method,
        "ties": ties,
        "both_bad": both_bad,
        "style": (features or FEATURES) if style else None,
        "order": order or None,
        "prior": prior,
        "weights": weights,
        "intervals": intervals,
        "unit": cluster,
        "rounds": rounds,
        "seed": seed,
        "confidence": confidence,
        "k": k,
        "anchor": anchor,
        "min_votes": min_votes,
    }
    choices = {name: value for name, value in given.items() if value is not None}
    selection = Selection(sources=source, categories=category, languages=language, since=since, until=until)
    if pool and by is None:
        raise typer.BadParameter("goes with --by", param_hint="--pool")
    wanted = {
        "head_to_head": head_to_head,
        "influence": influence,
        "goodness": goodness,
        "voters": voters,
    }
    behind: dict[str, _Finding] = {}
    boards: dict[str, Leaderboard] = {}
    with progress("resampling votes") as on_progress, _votes(file, db, selection, choices) as (votes, plan, models):
        counted = votes.counted()
        board = rate_votes(counted, models, plan, rows=votes, on_progress=on_progress)
        if by is not None:
            boards = _boards_by(by, votes, counted, models, plan, pool=pool)
        if any(wanted.values()):
            behind = _findings(wanted, counted, plan, votes)
    slices = {} if by is None else {"slices": {name: part.to_record() for name, part in boards.items()}}
    record = board.to_record() | slices | {name: found.record for name, found in behind.items()}
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
    by: Slice, votes: "VoteTable", counted: "Counted", models: "Mapping[ModelId, Model]", plan: "Plan", *, pool: bool
) -> "dict[str, Leaderboard]":
    from arena.rating import rate as rate_votes
    from arena.rating import rate_pooled

    parts = votes.slices(by)
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
def _votes(
    file: Path | None, db: Path | None, selection: Selection, choices: dict[str, Any]
) -> Iterator[tuple["VoteTable", "Plan", "Mapping[ModelId, Model]"]]:
    """The votes of the file or the database, with what the rules and the options choose."""
    if db is None:
        from arena.plan import Plan
        from arena.vote_file import mixed_sources, open_votes

        with open_votes(file or Path(), selection) as votes:
            sources = None if selection.sources else mixed_sources(votes)
            if sources is not None:
                say(f"several sources; counted: {', '.join(sources)}")
                votes = votes.counting(replace(selection, sources=sources))  # noqa: PLW2901
            yield votes, Plan(**choices), {}
        return
    from arena.batch import open_log
    from arena.store import VoteStore

    with VoteStore.open(existing(db)) as store, open_log(store, selection, **choices) as log:
        yield log.votes, log.plan, store.catalogue.models()
        say(f"{log.n_log:,} votes in the log; counted: {', '.join(log.sources)}")


class _Finding(NamedTuple):
    """What stands behind a board, for machines and for people."""

    record: Any
    text: str


def _findings(wanted: "Mapping[str, Any]", counted: "Counted", plan: "Plan", votes: "VoteTable") -> dict[str, _Finding]:
    from arena.analysis import Analysis, to_record
    from arena.finding import to_text

    analysis = Analysis(counted, plan, votes)
    ask: dict[str, Callable[[Any], Any]] = {
        "head_to_head": lambda models: analysis.head_to_head(*map(ModelId, models)),
        "influence": lambda _: analysis.influence(),
        "goodness": lambda _: analysis.goodness(),
        "voters": lambda _: analysis.suspects(),
    }
    found = {name: ask[name](asked) for name, asked in wanted.items() if asked}
    return {name: _Finding(to_record(each), to_text(each)) for name, each in found.items()}
