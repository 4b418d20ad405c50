"""Datasets as a whole: the options of `export` that make one, and `push`, which puts it on the Hub."""

# ruff: noqa: PLC0415
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import click

from arena import json_line, option
from arena.battle import PromptId
from arena.cli.console import counted, say, settings_with, tell
from arena.errors import BadInput

if TYPE_CHECKING:
    from arena.export import Order


def since(text: str) -> datetime | Path:
    """A time, or the manifest of an earlier export, by which is there."""
    return Path(text) if Path(text).exists() else option.time(text)


def with_dataset_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a dataset as a whole, beside those that choose votes."""
    for each in reversed(
        (
            click.option(
                "--test-share",
                type=option.share,
                default="1/20",
                show_default=True,
                metavar="SHARE",
                help="Of the prompts, that are kept for tests.",
            ),
            click.option(
                "--salt", default="bakeoff", show_default=True, metavar="TEXT", help="Another one draws other tests."
            ),
            click.option(
                "--gold", type=Path, metavar="FILE", help="Ids of prompts, one a line, that are never trained on."
            ),
            click.option("--dataset-license", metavar="NAME", help="Of the dataset, as the Hub writes it (cc-by-4.0)."),
            click.option("--title", metavar="TEXT", help="Of the card. Default: the arena's title."),
            click.option(
                "--key-file", type=Path, metavar="FILE", help="Name voters by this key, the same in every export."
            ),
            click.option(
                "--presidio", metavar="LANGUAGE", help="Look for personal data by Presidio too, in this language."
            ),
            click.option(
                "--force",
                "is_forced",
                is_flag=True,
                help="Write also what voters agree on too little to train on it; the card says so.",
            ),
            click.option(
                "--audit-report",
                type=Path,
                metavar="FILE",
                help="For the card, what `bakeoff audit --json` prints, or other JSON. Default: an audit of the votes.",
            ),
        )
    ):
        command = each(command)
    return command


def order_of(words: Mapping[str, Any], since: Path | None, title: str) -> "Order":
    """What `with_dataset_options` asked for, taken from the words of the command."""
    from arena.dataset.folder import read_manifest
    from arena.dataset.recogniser import open_presidio
    from arena.dataset.split import SplitRule
    from arena.export import Order

    language = words["presidio"]
    return Order(
        split=SplitRule(words["test_share"], words["salt"]),
        gold=_gold(words["gold"]),
        licence=words["dataset_license"],
        title=words["title"] or title,
        recogniser=None if language is None else open_presidio(language),
        recogniser_name=None if language is None else f"presidio ({language})",
        since=None if since is None else read_manifest(since),
        is_forced=words["is_forced"],
        bias=_report(words["audit_report"]),
    )


def key_of(words: Mapping[str, Any]) -> bytes | None:
    """The key that voters are named by, where one is given."""
    from arena.dataset.pseudonym import read_key

    return None if words["key_file"] is None else read_key(words["key_file"])


def tell_readiness(manifest: Mapping[str, Any]) -> None:
    """How far the dataset is from being of use."""
    from arena.dataset.readiness import told_of

    for line in told_of(manifest):
        tell(line)


def secret_of(db: Path) -> bytes:
    """What the names of voters follow from: the arena's secret, or chance where there is none."""
    settings = settings_with(database=db)
    if settings.secret is None and not settings.secret_file.exists():
        say(f"{settings.secret_file} is not there: voters get names by chance, other ones each time")
        return token_bytes(32)
    return settings.open_secrets()[0]


def _gold(path: Path | None) -> frozenset[PromptId]:
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the gold set {path} cannot be read: {error}") from error
    return frozenset(PromptId(line.strip()) for line in lines if line.strip())


def _report(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        found = json_line.parse(path.read_bytes())
    except (OSError, json_line.NoJson) as error:
        raise BadInput(f"the report {path} cannot be read: {error}") from error
    if not found:
        raise BadInput(f"the report {path} is no JSON object with something in it")
    if not isinstance(audits := found.get("audits"), list):
        return found
    from arena.quality.report import summarised

    try:
        return summarised(audits)  # and not whom it names
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"the report {path} is not what `bakeoff audit --json` prints: {error!r}") from error


@click.command()
@click.argument("folder", type=Path, metavar="DIR", help="What `export` has written.")
@click.option("--repo", required=True, metavar="ORG/NAME", help="The dataset on the Hub; made when missing.")
@click.option("--public", "is_public", is_flag=True, help="For everybody; refused where rights are not known.")
@click.option("--send", is_flag=True, help="Do it. Without this, only what would be sent is listed.")
def push(folder: Path, *, repo: str, is_public: bool, send: bool) -> None:
    """Put an export on the Hugging Face Hub, in one commit; private unless told otherwise. Lists first, sends later."""
    from arena.hub import Push

    settings = settings_with()
    pushed = Push.of(folder, repo, is_public=is_public)
    for name, size in pushed.files.items():
        tell(f"{size:>14,}  {name}")
    what = f"{counted(len(pushed.files), 'file')}, {sum(pushed.files.values()):,} bytes"
    whose = "public" if is_public else "private"
    if not send:
        tell(f"{what} would go to the {whose} dataset {repo} at {settings.hub_endpoint}")
        say("Nothing was sent. With --send it is.")
        return
    if settings.hub_token is None:
        raise BadInput("no token of the Hub is set: put one that may write into BAKEOFF_HUB_TOKEN, or HF_TOKEN")
    url = pushed.send(endpoint=settings.hub_endpoint, token=settings.hub_token.get_secret_value())
    tell(f"{what} went to the {whose} dataset {repo}")
    tell(url)
