"""`bakeoff export`."""

# ruff: noqa: PLC0415
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from arena import option
from arena.battle import ModelId, Source, VoterId
from arena.cli.console import counted, dumped, existing, progress, say, tell, with_db, with_sources
from arena.cli.dataset import key_of, order_of, secret_of, tell_readiness, with_dataset_options
from arena.cli.dataset import since as since_
from arena.errors import BadInput


def _format_name(text: str) -> str:
    """The name of a format."""
    from arena.preferences.formats import formats

    return click.Choice(list(formats())).convert(text, None, None)


def _flags(text: str) -> tuple[Any, ...]:
    """Flags of texts, separated by commas."""
    from arena.preferences.flag import Flag

    by_word = {flag.word: flag for flag in Flag}
    return tuple(by_word[click.Choice(list(by_word)).convert(word, None, None)] for word in option.words(text))


def _unroll(text: str) -> Any:
    from arena.preferences.choices import Unroll

    return option.Word(Unroll).convert(text, None, None)


def _margins(context: click.Context, chosen: click.Parameter, texts: Sequence[str]) -> Any:
    from arena.preferences.strength import Margins

    try:
        return Margins.of(option.pairs(context, chosen, texts))
    except BadInput as error:
        raise click.BadParameter(str(error)) from error


def _listed(name: str, what: str, *, metavar: str) -> Callable[[Any], Any]:
    """An option that takes words separated by commas, and by default takes all."""
    return click.option(f"--{name}", type=option.words, metavar=f"{metavar},...", help=what)


@click.command()
@with_db
@click.option(
    "--out", type=Path, required=True, metavar="DIR", help="The folder to write; a new one, or an earlier export."
)
@click.option(
    "--format",
    "names",
    type=_format_name,
    multiple=True,
    default=("preference",),
    show_default=True,
    metavar="FORMAT",
    help="What the rows look like; may be repeated. docs/exports.md lists the formats.",
)
@click.option(
    "--min-agreement",
    type=option.share,
    default="2/3",
    show_default=True,
    metavar="SHARE",
    help="Leave out pairs with less agreement than this (0.75, or 2/3).",
)
@click.option("--keep-conflicts", is_flag=True, help="Keep them, if there is a majority; their weight tells.")
@click.option(
    "--max-disagreement",
    type=option.share,
    metavar="SHARE",
    help="Leave out pairs on which more of the pairs of votes differ than this, ties among them.",
)
@click.option(
    "--no-adjudication", is_flag=True, help="Go by the votes alone, also where the host has adjudicated a pair."
)
@with_sources
@click.option(
    "--since",
    type=since_,
    metavar="TIME|MANIFEST",
    help="Votes cast at this time or later; or only what has changed since the export with this manifest.",
)
@click.option("--until", type=option.time, metavar="TIME", help="Votes cast before this time.")
@_listed("category", "Votes on prompts of these categories.", metavar="NAME")
@_listed("language", "Votes on prompts in these languages.", metavar="NAME")
@_listed("guideline", "Votes under these versions of the guideline.", metavar="VERSION")
@_listed("model", "Votes on two answers by these models.", metavar="ID")
@_listed("revision", "Votes on two answers by these revisions of models.", metavar="NAME")
@_listed("license", "Votes on prompts with these licenses.", metavar="NAME")
@_listed("model-license", "Votes on two models with these licenses.", metavar="NAME")
@_listed("consent", "Votes under these versions of the consent.", metavar="VERSION")
@_listed("purpose", "Votes given for these purposes. Default: all but 'eval'.", metavar="WORD")
@click.option(
    "--voter-agreement",
    type=option.share,
    metavar="SHARE",
    help="Leave out voters who agree with others on the same answers less often than this.",
)
@click.option("--voters", type=Path, metavar="FILE", help="Votes of these voters only, one id a line.")
@click.option(
    "--keep-flagged",
    type=_flags,
    metavar="FLAG,...",
    help="Keep votes on such texts: identity, error, unfinished, control.",
)
@click.option(
    "--margin",
    "margins",
    multiple=True,
    callback=_margins,
    metavar="STEP=NUMBER,...",
    help="What a step is worth: 5-steps/2=1, ratings=0.25, unsaid=0. May be repeated.",
)
@click.option(
    "--assume-acceptable",
    is_flag=True,
    help="In unpaired rows, take a chosen answer for good and the other one for bad where nobody has said.",
)
@click.option(
    "--unroll",
    type=_unroll,
    default="last",
    show_default=True,
    metavar="last|all",
    help="Which turns of a conversation become rows.",
)
@click.option("--comments", is_flag=True, help="Write voters' comments out, in the formats that have a place for them.")
@with_dataset_options
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def export(
    *,
    db: Path,
    out: Path,
    names: tuple[str, ...],
    sources: tuple[Source, ...] | None,
    min_agreement: Fraction,
    keep_conflicts: bool,
    since: datetime | Path | None,
    until: datetime | None,
    model: tuple[str, ...] | None,
    voters: Path | None,
    voter_agreement: Fraction | None,
    assume_acceptable: bool,
    comments: bool,
    as_json: bool,
    **words: Any,
) -> None:
    """Write votes as training data that a trainer takes as it is, with a manifest that accounts for every vote."""
    from arena import export as dataset
    from arena.preferences.choices import Choices
    from arena.store import VoteStore

    choices = Choices(
        since=since if isinstance(since, datetime) else None,
        until=until,
        categories=words["category"],
        languages=words["language"],
        guidelines=words["guideline"],
        models=None if model is None else tuple(map(ModelId, model)),
        revisions=words["revision"],
        licenses=words["license"],
        model_licenses=words["model_license"],
        consents=words["consent"],
        purposes=words["purpose"],
        voters=None if voters is None else _ids_in(voters),
        min_voter_agreement=voter_agreement,
        min_agreement=min_agreement,
        keep_conflicts=keep_conflicts,
        max_disagreement=words["max_disagreement"],
        use_adjudications=not words["no_adjudication"],
        keep_flagged=words["keep_flagged"] or (),
        margins=words["margins"],
        assume_acceptable=assume_acceptable,
        unroll=words["unroll"],
        comments=comments,
    )
    secret = secret_of(existing(db))
    with VoteStore.open(db) as store, progress("Writing") as on_progress:
        earlier = since if isinstance(since, Path) else None
        order = order_of(words, earlier, store.catalogue.rules().title)
        order = order if order.bias is not None else replace(order, bias=dataset.biases(store, sources))
        done = dataset.export(
            store,
            out,
            names=names,
            order=order,
            sources=sources,
            choices=choices,
            secret=secret,
            key=key_of(words),
            on_progress=on_progress,
        )
    for file in done.files:
        say(f"wrote {file}")
    if as_json:
        tell(dumped(done.manifest))
        return
    if n := done.manifest["adjudication"]["n_pairs"]:
        say(f"{counted(n, 'pair')} of answers by the verdict of an adjudicator")
    told = {name: counts for name, counts in done.manifest["formats"].items() if name != "gold" or counts["splits"]}
    for name, counts in told.items():
        _tell_format(name, counts, done.manifest["n_votes"], alone=len(told) == 1)
    tell_readiness(done.manifest)
    _say_empty_test(done.manifest)


def _say_empty_test(manifest: dict[str, Any]) -> None:
    """Why there is nothing to test on, where that was meant to be. An increment goes on from what may have it."""
    n_prompts, pairs, share = manifest["prompts"]["train"], manifest["pairs"], Fraction(manifest["split"]["share"])
    if share and n_prompts and not pairs["test"] and manifest["since"] is None:
        say(
            f"the test split is empty: none of {counted(n_prompts, 'prompt')} fell into the {share} that is held back. "
            "Take a larger --test-share, another --salt, or more prompts"
        )


def _tell_format(name: str, counts: dict[str, Any], n_votes: int, *, alone: bool) -> None:
    from arena.export import NOT_TEST
    from arena.preferences.formats.unpaired import UNKNOWN

    n_rows = sum(counts["splits"].values())
    if not n_rows:
        say(f"no vote became a row of {name}: there is nothing to train on in these files")
        ways = {
            UNKNOWN: "--assume-acceptable takes every chosen answer for good (labels.thumbs and labels.acceptable ask)",
            NOT_TEST: "this format has the test split alone; a larger --test-share puts more prompts there",
        }
        for reason in ways.keys() & counts["left_out"].keys():
            say(f"  {reason}: {ways[reason]}")
    head = "" if alone else f"{name}: "
    n_out = n_votes - counts["kept"]
    tell(f"{head}{counted(n_votes, 'vote')}: {counts['kept']:,} kept in {counted(n_rows, 'row')}, {n_out:,} left out")
    for reason, n in counts["left_out"].items():
        tell(f"{n:>8,}  {reason}")


def _ids_in(path: Path) -> frozenset[VoterId]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    return frozenset(VoterId(line.strip()) for line in lines if line.strip())
