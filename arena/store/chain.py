"""The chain of the log: every stored vote carries the hash of the one before it and of itself.

Whoever changes, removes or slips in a row breaks the chain at that row.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64


def entry_hash(previous_hash: str, record: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and the record as JSON: sorted keys, no blanks, ASCII, times in UTC.

    The record names its answers by their ids, which are digests of the texts, so texts are covered without being in
    the chain themselves.
    """
    line = json.dumps(record, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(f"{previous_hash}\n{line}".encode("ascii")).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"{value!r} has no place in a vote's record")
