"""How commands speak: results on stdout, the story on stderr; and the options that several of them share."""

# ruff: noqa: PLC0415, T201
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arena import option
from arena.battle import Source
from arena.errors import BadInput

if TYPE_CHECKING:
    from arena.settings import Settings


def with_path(name: str, metavar: str, told: str) -> Callable[..., Any]:
    """An option that names a place on the disk, and has to be given."""
    return click.option(name, type=Path, required=True, metavar=metavar, help=told)


def _named(ctx: click.Context, param: click.Parameter, db: Path | None) -> Path:
    db = db or settings_with().database
    if db is None:
        raise click.MissingParameter(ctx=ctx, param=param)
    return db


with_db = click.option(
    "--db",
    type=Path,
    callback=_named,
    metavar="FILE",
    help="The arena's database file. Needed, unless BAKEOFF_DATABASE names it.",
)
with_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
with_sources = click.option(
    "--source",
    "sources",
    type=option.sources,
    metavar="SOURCE,...",
    help=f"Whose votes count: {', '.join(Source)}. Never mixed unless named together. By default as the arena's "
    "rules say, else people's votes, or those of the only source there is.",
)


def with_map(only: str = "") -> Callable[..., Any]:
    """Which columns of a table are which fields; `only` says for which of the command's tables."""
    told = "which column is which field. May be repeated."
    return click.option(
        *("--map", "mapping"),
        multiple=True,
        callback=option.pairs,
        metavar="COLUMN=FIELD,...",
        help=f"{only}: {told}" if only else told[0].upper() + told[1:],
    )


def with_values(only: str = "") -> Callable[..., Any]:
    """What a table's words mean as verdicts; `only` as for `with_map`."""
    words = "mean: model_a, model_b, tie or both_bad. May be repeated."
    return click.option(
        "--values",
        multiple=True,
        callback=option.pairs,
        metavar="TEXT=VERDICT,...",
        help=f"{only}: what its words {words}" if only else f"What the file's words {words}",
    )


_PATIENCE_SECONDS = 1.0


def settings_with(**options: Any) -> "Settings":
    """The settings of the environment, with what the command line says instead."""
    from arena.settings import Settings

    return Settings.from_env(os.environ, **options)


def secrets_of(names: Iterable[str]) -> dict[str, str]:
    """The secrets that a pack names by environment variable, as far as they are set."""
    from arena.settings import named_secrets

    return named_secrets(os.environ, names)


def existing(db: Path) -> Path:
    """A command that reads must not make a database of a misspelt name."""
    if not db.exists():
        raise BadInput(f"there is no database {db}")
    return db


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr, for a person at a terminal, of what takes longer than a second."""
    if not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as open_bars:
        started = time.monotonic()
        show: Callable[[int, int], None] | None = None

        def on_progress(done: int, total: int) -> None:
            nonlocal show
            if show is None and time.monotonic() - started > _PATIENCE_SECONDS:
                show = _bar(what, open_bars)
            if show is not None:
                show(done, total)

        yield on_progress


def _bar(what: str, open_bars: ExitStack) -> Callable[[int, int], None]:
    from rich.console import Console
    from rich.progress import Progress

    bar = open_bars.enter_context(Progress(console=Console(stderr=True), transient=True))
    task = bar.add_task(what, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)


def dumped(value: Any) -> str:
    """As JSON, with letters as they are where the terminal has them."""
    is_unicode = (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
    return json.dumps(value, ensure_ascii=not is_unicode, indent=2)


def counted(number: int, noun: str) -> str:
    """The number with its noun: 1 vote, 2 votes."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def tell(result: object) -> None:
    """Print a result, all of it. Raises BadInput where stdout cannot take it; a reader that has left is content."""
    try:
        print(result, flush=True)
    except OSError as error:
        # What is still buffered must not complain once more at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise BadInput(f"the result could not be written: {error.strerror}") from error


def say(text: str) -> None:
    """Part of the story, on stderr."""
    print(text, file=sys.stderr)
