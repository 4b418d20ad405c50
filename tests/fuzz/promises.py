"""What every target has: a promise that may be broken, a room for files, and voters whose cookies are known."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from arena.errors import ArenaError
from arena.voter import VoterKey

Target = Callable[[bytes], None]

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = VoterKey(b"a secret of at least sixteen bytes")

# Signed once for this key, so that a run can be repeated.
ISSUED = ("abcdefghijklmnopqrstuv.RZlw2iN_NolDJbQVBTrGqnrMZA9BJ1SstFds-7L3daI",)


class BrokenPromise(AssertionError):
    """A reader did something else than it promises."""


def promise(holds: object, otherwise: str) -> None:
    """Raise BrokenPromise unless it holds."""
    if not holds:
        raise BrokenPromise(otherwise)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Gone when the interpreter ends."""
    return tempfile.TemporaryDirectory(prefix="bakeoff-fuzz-")


def room() -> Path:
    return Path(_folder().name)


def is_well_said(error: ArenaError, *named: str) -> None:
    text = str(error)
    text.encode("utf-8")
    promise(text.strip(), "an error without a text")
    promise(not named or any(name in text for name in named), f"the error names no file: {text}")
