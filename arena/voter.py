"""A voter: a signed cookie in the browser, a keyed hash at rest, and nothing of the person in either."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from itsdangerous import BadSignature, Signer

from arena.battle import VoterId
from arena.errors import DatabaseUnavailable

_SECRET_BYTES = 32


class VoterKey:
    """Issues and reads voter cookies, and turns them into the pseudonyms that are stored.

    One secret serves both, through keys derived for each use: the cookie is a random token with its signature
    (itsdangerous, HMAC-SHA256), the voter id is an HMAC-SHA256 of the token. Without the secret nobody can forge a
    cookie, nor find out which stored voter a cookie belongs to.
    """

    def __init__(self, secret: bytes):
        if len(secret) < 16:
            raise ValueError(
                f"the secret has {len(secret)} bytes; at least 16 are needed to keep voters apart and safe"
            )
        self._signer = Signer(secret, salt="bakeoff.voter-cookie", key_derivation="hmac", digest_method=hashlib.sha256)
        self._pseudonym_key = hmac.digest(secret, b"bakeoff.voter-id", "sha256")
        self._other_uses_key = hmac.digest(secret, b"bakeoff.other-uses", "sha256")

    @property
    def cookie_name(self) -> str:
        """What this arena's cookie is called. Browsers keep one jar for all ports of a host, so each secret has a name
        of its own: two arenas on one machine leave each other's voters alone."""
        return f"bakeoff_{self.pseudonym('cookie name', '')[:8]}"

    def issue(self) -> str:
        """A cookie for a new voter: 128 random bits and their signature."""
        return self._signer.sign(secrets.token_urlsafe(16)).decode("ascii")

    def voter_id(self, cookie: str | None) -> VoterId | None:
        """The voter that this cookie was issued to, or None if it is missing or its signature is wrong."""
        if not cookie:
            return None
        try:
            token = self._signer.unsign(cookie)
        except (BadSignature, UnicodeEncodeError):
            return None
        return VoterId(self.pseudonym("cookie", token.decode("utf-8")))

    def pseudonym(self, kind: str, text: str) -> str:
        """A keyed hash of `text` (32 hexadecimal digits); the same text of another kind gives another hash."""
        return hmac.digest(self._pseudonym_key, f"{kind}\0{text}".encode(), "sha256").hex()[:32]

    def derived(self, use: str) -> bytes:
        """A key for another use of the same secret (32 bytes), from which neither the secret nor other keys follow."""
        return hmac.digest(self._other_uses_key, use.encode(), "sha256")


def secret_file_of(database: Path) -> Path:
    """Where the secret of an arena is kept when no setting gives it."""
    return database.with_name(database.name + ".key")


def open_secret(path: Path) -> bytes:
    """Read the secret file, or create it with a new secret that only its owner may read.

    Losing the file makes every voter a new one and imported rows unrecognisable; it opens no vote to anybody.
    Raises DatabaseUnavailable where it can be neither read nor written, or holds no secret.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written whole under another name first, then linked: of two processes that start at once, one wins and both
        # read the same complete secret.
        if not path.exists():
            draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(_SECRET_BYTES) + "\n")
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
    except OSError as error:
        raise DatabaseUnavailable(f"the voters' key {path} cannot be used: {error.strerror}") from error
    except ValueError as error:
        raise DatabaseUnavailable(
            f"{path} does not hold a key (64 hexadecimal digits). Restore it from a backup, or delete it to start "
            "with new voters"
        ) from error
    if len(secret) < _SECRET_BYTES:
        raise DatabaseUnavailable(f"{path} holds a key of {len(secret)} bytes, {_SECRET_BYTES} are needed")
    return secret
