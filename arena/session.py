"""Who is signed in: a signed cookie with roles and a pseudonym, and no name in it."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from arena.role import Role


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in. `account` is a keyed hash, by which the same account is known again."""

    id: str
    roles: frozenset[Role]
    account: str
    ends_at: datetime


class Seal:
    """Signs small values that a browser keeps for us until a given time. They can be read there, and not changed."""

    def __init__(self, key: bytes, use: str):
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._serializer = URLSafeSerializer(key, salt=f"bakeoff.{use}", signer_kwargs=options)

    def close(self, value: Mapping[str, Any], *, until: datetime) -> str:
        """The value with its end and a signature, as text for a cookie."""
        return str(self._serializer.dumps({**value, "until": int(until.timestamp())}))

    def open(self, text: str | None, now: datetime) -> dict[str, Any] | None:
        """The value, or None if it is missing, was not signed by this key for this use, or has come to its end."""
        if not text:
            return None
        try:
            value = self._serializer.loads(text)
        except (BadData, UnicodeEncodeError):
            return None
        return value if now.timestamp() < value["until"] else None


class Sessions:
    """Begins, reads and ends sessions.

    `key` is derived from the arena's secret; `digest` stands for the settings of the login. A change of either ends all
    sessions. One that was ended here stays ended until its time is over or the arena starts again.
    """

    def __init__(self, key: bytes, *, digest: str, lasts: timedelta):
        self.lasts = lasts
        self._seal = Seal(key, f"session.{digest}")
        self._ended: dict[str, datetime] = {}
        self._lock = Lock()

    def begin(self, roles: Iterable[Role], account: str, now: datetime) -> str:
        """The cookie of a new session."""
        value = {"id": secrets.token_urlsafe(16), "roles": sorted(roles), "account": account}
        return self._seal.close(value, until=now + self.lasts)

    def read(self, cookie: str | None, now: datetime) -> Session | None:
        """The session of this cookie; None if there is none, or none any more."""
        value = self._seal.open(cookie, now)
        if value is None or value["id"] in self._ended:
            return None
        ends_at = datetime.fromtimestamp(value["until"], UTC)
        return Session(value["id"], frozenset(map(Role, value["roles"])), value["account"], ends_at)

    def end(self, session: Session, now: datetime) -> None:
        """Make this session's cookie worth nothing, wherever there is a copy of it."""
        with self._lock:
            for each in [id_ for id_, ends_at in self._ended.items() if ends_at <= now]:
                del self._ended[each]
            self._ended[session.id] = session.ends_at
