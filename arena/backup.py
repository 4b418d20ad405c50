"""Copies of a whole arena: made from a closed database or from one that is being served, checked, and put back.

A copy is written under another name, opened, walked along its chain, and only then called what was asked for. Nothing
that was there before is ever overwritten.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from arena.control import NobodyServes, ask_for_copy
from arena.errors import BadInput, DatabaseInUse, DatabaseUnavailable, NotWhole
from arena.store import VoteStore, closed, log_of
from arena.table import draft_of
from arena.voter import secret_file_of
from arena.wholeness import Wholeness, examine

_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made: the file, what its log holds, and the copy of the voters' key; None if there is none."""

    file: Path
    log: Wholeness
    key: Path | None


@dataclass(frozen=True, slots=True)
class Restored:
    """A database that was put back: what its log holds, whether a key came with it, and what was kept aside."""

    log: Wholeness
    has_key: bool
    aside: tuple[Path, ...]


def back_up(database: Path, out: Path, *, now: datetime, with_key: bool) -> Backup:
    """Copy the database, also while it is served, and its key to `out`; into a folder, under a name with the time.

    A name without an ending, as `backups`, is a folder; it is made when missing. A log that is not whole is copied as
    it is: the copy says so. Raises BadInput where the target is there already, DatabaseInUse where another process than
    a serving arena holds the database, DatabaseUnavailable where the copy cannot be written.
    """
    is_folder = out.is_dir() or not (out.suffix or out.exists())
    target = out / f"{database.stem}-{now:{_STAMP}}{database.suffix}" if is_folder else out
    key, key_target = secret_file_of(database), secret_file_of(target)
    for each in (target, log_of(target), *([key_target] if with_key else [])):
        if each.exists():
            raise BadInput(
                f"{each} is there already, and no backup overwrites anything. Name another file, or a folder"
            )
    if is_folder:
        _make_folder(out)
    with _draft(target) as draft:
        _copy(database, draft)
        with VoteStore.open(draft) as copy:
            found = examine(copy)
        copied_key = None
        if with_key and key.exists():
            _place_key(key, key_target)
            copied_key = key_target
        _place(draft, target)
    return Backup(target, found, copied_key)


def restore(backup: Path, database: Path, *, now: datetime, replace: bool) -> Restored:
    """Put a backup in the place of the database, and its key, if it has one, in the place of the key.

    The backup stays as it is; a database of an earlier version is brought up to date on the way. Raises NotWhole for a
    backup whose log is not whole, BadInput where the database exists and is not to be replaced, DatabaseInUse where a
    process holds it. What is replaced is kept aside under a name with the time.
    """
    if not backup.is_file():
        raise BadInput(f"there is no backup {backup}")
    if backup.resolve() == database.resolve():
        raise BadInput(f"{backup} is the database itself")
    if not replace and (database.exists() or log_of(database).exists()):
        raise BadInput(f"{database} is there already. With --replace it is kept aside, and the backup takes its place")
    with _draft(database) as draft:
        try:
            shutil.copyfile(backup, draft)
            if log_of(backup).exists():
                shutil.copyfile(log_of(backup), log_of(draft))
        except OSError as error:
            raise DatabaseUnavailable(f"{backup} cannot be copied to {draft}: {error.strerror}") from error
        with VoteStore.open(draft) as copy:
            found = examine(copy)
        if found.broken:
            first = found.broken[0]
            raise NotWhole(
                f"the log in {backup} is not whole (act {first.seq:,}: {first.fault}), so it does not take the place "
                f"of {database}. `bakeoff verify` says more"
            )
        with closed(database):
            aside = _set_aside(database, now, with_key=secret_file_of(backup).exists())
            if secret_file_of(backup).exists():
                _place_key(secret_file_of(backup), secret_file_of(database))
            _place(draft, database, instead_of=log_of(database))
    return Restored(found, secret_file_of(database).exists(), aside)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(f"the folder {folder} cannot be made: {error.strerror}") from error


def _copy(database: Path, draft: Path) -> None:
    try:
        with VoteStore.open(database) as store:
            store.copy_to(draft)
    except DatabaseInUse as in_use:
        try:
            ask_for_copy(database, draft)
        except NobodyServes:
            raise in_use from None
        if not draft.exists():
            raise DatabaseUnavailable(
                f"the arena that serves {database} has written a copy to {draft.absolute()}, and it is not there for "
                "this command: run it where the arena runs, as inside its container"
            ) from in_use


def _set_aside(database: Path, now: datetime, *, with_key: bool) -> tuple[Path, ...]:
    """Give what is there a second name. It keeps its own as well, until something new takes that: where the rest of a
    restore fails, all stands where it stood."""
    kept = database.with_name(f"{database.name}.replaced-{now:{_STAMP}}")
    names = {database: kept, log_of(database): log_of(kept)}
    if with_key:
        names[secret_file_of(database)] = secret_file_of(kept)
    there = {name: second for name, second in names.items() if name.exists()}
    try:
        for name, second in there.items():
            os.link(name, second)
    except OSError as error:
        raise DatabaseUnavailable(f"{database} cannot be kept aside as {kept}: {error.strerror}") from error
    return tuple(there.values())


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Where a copy is written before it is whole; gone at the end."""
    draft = draft_of(target)
    leavings = (draft, log_of(draft))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for each in leavings:  # of a copy that was killed
            each.unlink(missing_ok=True)
        yield draft
    except OSError as error:
        raise DatabaseUnavailable(f"{target} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # as where nothing can be written at all, which has been said
            for each in leavings:
                each.unlink(missing_ok=True)


def _place(draft: Path, target: Path, *, instead_of: Path | None = None) -> None:
    """Give a whole file its name, on disk before this returns.

    `instead_of` is the write-ahead log of what had the name: beside the new file it would be taken for its own.
    """
    _flush(draft)
    if instead_of is not None:
        instead_of.unlink(missing_ok=True)
    draft.replace(target)
    _flush(target.parent)


def _place_key(key: Path, target: Path) -> None:
    draft = draft_of(target)
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.read_bytes())
    _place(draft, target)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
