"""`bakeoff verify`, `backup`, `restore`, `compact`: whether the log is whole, copies of it, the file written anew."""

# ruff: noqa: PLC0415
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arena.cli.console import counted, dumped, existing, say, tell, with_db, with_json, with_path

if TYPE_CHECKING:
    from arena.wholeness import Position, Wholeness

_POSITION = re.compile(r"([1-9][0-9]*):([0-9a-f]{64})")


class _Noted(click.ParamType):
    """Where the log stood once: the number of an act and its hash."""

    name = "position"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Position":
        from arena.wholeness import Position

        told = _POSITION.fullmatch(str(value).strip())
        if told is None:
            self.fail(
                f"{value!r} is no position; it is the number of an act and its hash, as verify tells it", param, ctx
            )
        return Position(int(told[1]), told[2], "--expect")


@click.command()
@with_db
@click.option(
    "--expect",
    type=_Noted(),
    multiple=True,
    metavar="N:HASH",
    help="Also check that act N has this hash, as an earlier verify or backup told it. May be repeated.",
)
@with_json
def verify(*, db: Path, expect: "tuple[Position, ...]", as_json: bool) -> None:
    """Check that no vote in the log was changed, removed or slipped in; exit code 1 if one was."""
    from arena.store import VoteStore
    from arena.wholeness import examine

    with VoteStore.open(existing(db)) as store:
        found = examine(store, expect)
    if as_json:
        tell(dumped(_record(found)))
    else:
        tell(_text(found))
    sys.exit(1 if found.broken else 0)


@click.command()
@with_db
@with_path("--out", "FILE|DIR", "A new file, as copy.duckdb; or a folder, where the copy is named for the time.")
@click.option("--without-key", is_flag=True, help="Do not copy the voters' key.")
def backup(*, db: Path, out: Path, without_key: bool) -> None:
    """Copy the database and the voters' key, also while the arena serves, and check the copy."""
    from arena.backup import back_up
    from arena.voter import secret_file_of

    made = back_up(existing(db), out, now=datetime.now(UTC), with_key=not without_key)
    tell(f"{made.file}: {_text(made.log)}")
    if made.key is not None:
        say(f"The voters' key is in {made.key}. Keep it as safe as the votes.")
    elif not without_key:
        say(f"There is no key beside the database ({secret_file_of(db).name}). Keep BAKEOFF_SECRET, if it is set.")
    if made.log.broken:
        say(f"bakeoff: the log in {db} is not whole, and the copy is as it is. `bakeoff verify` says more")
        sys.exit(1)


@click.command()
@click.argument("source", type=Path, metavar="BACKUP", help="A copy that `bakeoff backup` made.")
@with_path("--db", "FILE", "The database to bring back.")
@click.option("--replace", is_flag=True, help="Keep a database that is there aside, and take its place.")
def restore(*, source: Path, db: Path, replace: bool) -> None:
    """Put a backup in the place of the database, after checking it."""
    from arena import backup

    done = backup.restore(source, db, now=datetime.now(UTC), replace=replace)
    for file in done.aside:
        say(f"kept aside: {file}")
    if not done.has_key:
        say("No key came with it: unless BAKEOFF_SECRET is set as before, returning voters will be new voters.")
    tell(f"{db}: {_text(done.log)}")


@click.command()
@with_db
def compact(*, db: Path) -> None:
    """Write the database anew, so that no byte of what was withdrawn is left. The arena must not be running."""
    from arena.store import rewrite

    done = rewrite(existing(db), datetime.now(UTC))
    if done is None:
        tell(f"{db} holds nothing of a withdrawn text; it stays as it is")
        return
    tell(f"{db} is written anew: {done.bytes_before:,} bytes before, {done.bytes_after:,} now")
    tell(f"nothing is left in it of {counted(done.n_texts, 'withdrawn text')}")


def _text(found: "Wholeness") -> str:
    if not found.broken:
        if not found.n_log:
            return "the log is whole, and holds no act yet"
        return f"{counted(found.n_log, 'act')}, the log is whole\n{found.n_log}:{found.log_hash}"
    first, *others = found.broken
    vote = "" if first.vote_id is None else f" (vote {first.vote_id})"
    more = (
        f", and {counted(len(others), 'more act')} {'is' if len(others) == 1 else 'are'} not as stored"
        if others
        else ""
    )
    return f"{counted(found.n_log, 'act')}, the log is not whole\nact {first.seq:,}{vote}: {first.fault}{more}"


def _record(found: "Wholeness") -> dict[str, Any]:
    return {
        "acts": found.n_log,
        "hash": found.log_hash,
        "whole": not found.broken,
        "broken": [{"act": link.seq, "vote_id": link.vote_id, "fault": link.fault} for link in found.broken],
    }
