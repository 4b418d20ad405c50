"""Voters under names of one export alone."""

import hashlib
import hmac
from pathlib import Path

from arena.battle import VoterId
from arena.errors import BadInput

_LEAST_BYTES = 16


class Pseudonyms:
    """Names voters anew by a key: the same voter has the same name under it, and no name tells the id behind it."""

    def __init__(self, key: bytes):
        self._key = hmac.digest(key, b"bakeoff.export-voter", "sha256")
        self._known: dict[VoterId, str] = {}

    def of(self, voter_id: VoterId) -> str:
        """The voter's name in this export, 16 hexadecimal digits."""
        if voter_id not in self._known:
            self._known[voter_id] = hmac.digest(self._key, voter_id.encode(), "sha256").hex()[:16]
        return self._known[voter_id]


def export_key(secret: bytes, what: str) -> bytes:
    """The key of one export: another one for each log and each choice of options (`what`), the same for the same.

    So an export that is repeated gives the same bytes, and two exports call one voter by two names. Who lacks the
    arena's secret can make none of these keys.
    """
    return hmac.digest(secret, b"bakeoff.export\0" + hashlib.sha256(what.encode()).digest(), "sha256")


def read_key(path: Path) -> bytes:
    """A key that is kept in a file, for exports whose voters are meant to be the same. Raises BadInput."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise BadInput(f"the key file {path} cannot be read: {error.strerror}") from error
    if len(key) < _LEAST_BYTES:
        raise BadInput(f"the key file {path} holds {len(key)} bytes; at least {_LEAST_BYTES} are needed")
    return key
