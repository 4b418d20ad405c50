"""The commands of a host who keeps the data of voters: the file written anew."""

# ruff: noqa: PLC0415
from datetime import UTC, datetime
from pathlib import Path

import click

from arena.cli.console import counted, existing, tell, with_db


@click.command()
@with_db
def compact(*, db: Path) -> None:
    """Write the database anew, so that no byte of what was withdrawn is left. The arena must not be running."""
    from arena.store import rewrite

    done = rewrite(existing(db), datetime.now(UTC))
    if done is None:
        tell(f"{db} holds nothing of a withdrawn comment; it stays as it is")
        return
    tell(f"{db} is written anew: {done.bytes_before:,} bytes before, {done.bytes_after:,} now")
    tell(f"nothing is left in it of {counted(done.n_texts, 'withdrawn comment')}")
