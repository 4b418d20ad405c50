"""The commands of a host who keeps the data of voters: the file written anew, the key rotated."""

# ruff: noqa: PLC0415
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from arena.cli.console import counted, existing, say, tell, with_db
from arena.errors import BadInput


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


@click.command("rotate-key")
@with_db
@click.option("--drop-old", is_flag=True, help="Drop all keys but the newest, instead of adding one.")
def rotate_key(*, db: Path, drop_old: bool) -> None:
    """Put a new key before those in the key file; the arena signs with it from its next start."""
    from arena.settings import Settings
    from arena.voter import add_secret, drop_earlier_secrets

    settings = Settings.from_env(os.environ, database=existing(db))
    if settings.secret is not None:
        raise BadInput(
            "the secret is set by BAKEOFF_SECRET, not by a key file. Set a new one there, and put the old one into "
            "BAKEOFF_OLD_SECRETS, or leave it out to drop it"
        )
    path = settings.secret_file
    if not drop_old:
        n_keys = add_secret(path)
        tell(f"{path} has a new key, and knows {counted(n_keys - 1, 'earlier one')}")
        say("Voters stay who they are. It holds from the next start of the arena.")
        return
    n_dropped = drop_earlier_secrets(path)
    if not n_dropped:
        tell(f"{path} holds one key; there is no earlier one to drop")
        return
    tell(f"{path} has lost {counted(n_dropped, 'earlier key')}, and keeps the newest")
    say(
        "From the next start of the arena, voters who came under an earlier key are new voters, and can no longer "
        "reach the votes they cast; rows imported under it are not recognised, and would be added again."
    )
