"""The write-ahead log beside a database file, looked at before it is read back: does it end where it should?

DuckDB reads back all whole entries, and forgets the rest without a word: the commit that a kill interrupted, which
nobody was told of, and just as well what stands behind a damaged spot. So the rest is kept aside, and said.
"""

import hashlib
from pathlib import Path

# Each entry stands behind its length and its checksum, of 8 bytes each; the header is one object that ends so.
_END_OF_HEADER = b"\xff\xff"
_FRAME = 16


def log_of(database: Path) -> Path:
    """Where DuckDB keeps what is committed and not yet in the file; there after a sudden stop only."""
    return database.with_name(database.name + ".wal")


def torn_log(database: Path) -> bytes | None:
    """The whole write-ahead log if it does not end with an entry, else None. Raises OSError."""
    try:
        text = log_of(database).read_bytes()
    except FileNotFoundError:
        return None
    header = text.find(_END_OF_HEADER)
    place = header + len(_END_OF_HEADER) if header >= 0 else len(text) + 1
    while place + _FRAME <= len(text):
        place += _FRAME + int.from_bytes(text[place : place + 8], "little")
    return None if place == len(text) or not text else text


def keep(database: Path, torn: bytes) -> Path:
    """Write a torn log beside the database, under a name of its own. Raises OSError."""
    kept = database.with_name(f"{database.name}.torn-{hashlib.sha256(torn).hexdigest()[:8]}")
    kept.write_bytes(torn)
    return kept
