"""answers.jsonl and judgements.jsonl, written line by line while replies come in, and whole after any interruption."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.errors import BadInput

TORN_SUFFIX = ".torn"
"""What is added to the name of a file for the one that keeps the half lines that were found at its end."""


@contextmanager
def held(path: Path, what: str = "makes answers") -> Iterator[None]:
    """Hold this file for as long as the block runs, so that no second process asks for the same. `what` says what the
    other one does.

    Raises BadInput if another process holds it, or if it cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(f"another process {what} for {path.parent}; wait until it has ended") from error
        yield
    finally:
        os.close(handle)


def mend(path: Path) -> Path | None:
    """Put aside a half line at the end of the file, as a machine leaves it that lost its power in the middle.

    A last line that is whole and only lacks its line feed gets one. Returns the file that the half line was added to,
    None if there was none. Raises BadInput where the disk does not let it.
    """
    try:
        lines = path.read_bytes() if path.exists() else b""
        if not lines or lines.endswith(b"\n"):
            return None
        whole, _, last = lines.rpartition(b"\n")
        if _is_json(last):
            _append(path, b"\n")
            return None
        torn = path.with_name(path.name + TORN_SUFFIX)
        _append(torn, last + b"\n")
        os.truncate(path, len(whole) + 1 if whole else 0)
    except OSError as error:
        raise BadInput(f"{path} ends in half a line, which cannot be put aside: {error.strerror}") from error
    return torn


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def append(path: Path, row: dict[str, Any]) -> None:
    """Add a line, and come back when it is on the disk. What has no value is left out.

    Raises BadInput if the disk does not take it; the file is then as it was.
    """
    line = json.dumps({key: value for key, value in row.items() if value is not None}, ensure_ascii=False)
    try:
        _append(path, line.encode() + b"\n")
    except OSError as error:
        raise BadInput(f"an answer could not be written to {path}: {error.strerror}. The others are there") from error


def _append(path: Path, data: bytes) -> None:
    """Append all of it, or nothing."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(handle).st_size
        try:
            rest = data
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
