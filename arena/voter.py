"""A voter: a signed cookie in the browser, a keyed hash at rest, and nothing of the person in either."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Container, Mapping
from functools import lru_cache
from pathlib import Path

from itsdangerous import BadSignature, Signer

from arena.battle import VoterId
from arena.errors import DatabaseUnavailable

_SECRET_BYTES = 32
_MOST_COOKIES = 4096


class VoterKey:
    """Issues and reads voter cookies, and turns them into the pseudonyms that are stored.

    One secret serves both, through keys derived for each use: the cookie is a random token with its signature
    (itsdangerous, HMAC-SHA256), the voter id is an HMAC-SHA256 of the token. Without the secret nobody can forge a
    cookie, nor find out which stored voter a cookie belongs to.

    Of several secrets the first signs, and all are known: whoever came under an earlier one stays the same voter.
    """

    def __init__(self, secret: bytes, *earlier: bytes):
        self._newest, *_ = self._keys = tuple(_Key(each) for each in (secret, *earlier))

    @property
    def cookie_name(self) -> str:
        """What this arena's cookie is called. Browsers keep one jar for all ports of a host, so each secret has a name
        of its own: two arenas on one machine leave each other's voters alone."""
        return self._newest.cookie_name

    @property
    def has_earlier(self) -> bool:
        """Whether anything may be known by an earlier secret."""
        return len(self._keys) > 1

    def issue(self) -> str:
        """A cookie for a new voter: 128 random bits and their signature."""
        return self._newest.signer.sign(secrets.token_urlsafe(16)).decode("ascii")

    def voter_id(self, cookie: str | None) -> VoterId | None:
        """The voter that this cookie was issued to, or None if it is missing or its signature is wrong."""
        return next((voter for key in self._keys if (voter := key.voter_id(cookie))), None)

    def voter_among(self, cookies: Mapping[str, str]) -> VoterId | None:
        """The voter of a browser's cookies, by the newest secret that knows one of them, or None."""
        return next((voter for key in self._keys if (voter := key.voter_id(cookies.get(key.cookie_name)))), None)

    def pseudonym(self, kind: str, text: str, known: Container[str] = ()) -> str:
        """A keyed hash of `text` (32 hexadecimal digits); the same text of another kind gives another hash.

        Where the hash by some secret is `known`, that one, else the one by the newest.
        """
        told = [key.pseudonym(kind, text) for key in self._keys]
        return next((each for each in told if each in known), told[0])

    def lasting_pseudonym(self, kind: str, text: str) -> str:
        """As `pseudonym`, by the oldest secret that is known: the same until that one is dropped, whatever is added."""
        return self._keys[-1].pseudonym(kind, text)

    def derived(self, use: str) -> bytes:
        """A key for another use of the newest secret (32 bytes), from which neither that nor other keys follow."""
        return self._newest.derived(use)


class _Key:
    """What is derived from one secret."""

    def __init__(self, secret: bytes):
        if len(secret) < 16:
            raise ValueError(
                f"the secret has {len(secret)} bytes; at least 16 are needed to keep voters apart and safe"
            )
        self.signer = Signer(secret, salt="bakeoff.voter-cookie", key_derivation="hmac", digest_method=hashlib.sha256)
        self._pseudonym_key = hmac.digest(secret, b"bakeoff.voter-id", "sha256")
        self.cookie_name = f"bakeoff_{self.pseudonym('cookie name', '')[:8]}"
        self._other_uses_key = hmac.digest(secret, b"bakeoff.other-uses", "sha256")
        # Asked several times a request; those who are here now are known by heart.
        self.voter_id = lru_cache(maxsize=_MOST_COOKIES)(self._voter_id)

    def _voter_id(self, cookie: str | None) -> VoterId | None:
        if not cookie:
            return None
        try:
            token = self.signer.unsign(cookie)
        except (BadSignature, UnicodeEncodeError):
            return None
        return VoterId(self.pseudonym("cookie", token.decode("utf-8")))

    def pseudonym(self, kind: str, text: str) -> str:
        return hmac.digest(self._pseudonym_key, f"{kind}\0{text}".encode(), "sha256").hex()[:32]

    def derived(self, use: str) -> bytes:
        return hmac.digest(self._other_uses_key, use.encode(), "sha256")


def secret_file_of(database: Path) -> Path:
    """Where the secret of an arena is kept when no setting gives it."""
    return database.with_name(database.name + ".key")


def open_secrets(path: Path) -> tuple[bytes, ...]:
    """Read the key file, one secret a line and the newest first; or create it with a new secret.

    Only its owner may read it. Losing the file makes every voter a new one and imported rows unrecognisable; it opens
    no vote to anybody. Raises DatabaseUnavailable where it can be neither read nor written, or a line holds no secret.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written whole under another name first, then linked: of two processes that start at once, one wins and both
        # read the same complete secret.
        if not path.exists():
            draft = _draft(path, [secrets.token_hex(_SECRET_BYTES)])
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
    except OSError as error:
        raise _unusable(path, error) from error
    return tuple(map(bytes.fromhex, _lines(path)))


def add_secret(path: Path) -> int:
    """Put a new secret before those of an existing key file; returns how many it holds now.

    The file is replaced as a whole. Raises as `open_secrets` does, and makes no file where there is none.
    """
    lines = _lines(path)
    _replace(path, [secrets.token_hex(_SECRET_BYTES), *lines])
    return len(lines) + 1


def drop_earlier_secrets(path: Path) -> int:
    """Leave nothing but the newest secret in an existing key file; returns how many were dropped. Raises as above."""
    newest, *earlier = _lines(path)
    if earlier:
        _replace(path, [newest])
    return len(earlier)


def _lines(path: Path) -> list[str]:
    """The secrets of a key file as they stand there, each of them checked."""
    try:
        lines = path.read_bytes().decode("ascii", "replace").rstrip().split("\n")
    except OSError as error:
        raise _unusable(path, error) from error
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}," if len(lines) > 1 else str(path)
        try:
            n_bytes = len(bytes.fromhex(line))
        except ValueError as error:
            raise DatabaseUnavailable(
                f"{where} does not hold a key (64 hexadecimal digits). Restore it from a backup, or delete it to start "
                "with new voters"
            ) from error
        if n_bytes < _SECRET_BYTES:
            raise DatabaseUnavailable(f"{where} holds a key of {n_bytes} bytes, {_SECRET_BYTES} are needed")
    return lines


def _replace(path: Path, lines: list[str]) -> None:
    """Write a key file anew; killed at any instant, the old or the new one is there, whole."""
    try:
        draft = _draft(path, lines)
        try:
            draft.replace(path)
        except OSError:
            draft.unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _unusable(path, error) from error


def _draft(path: Path, lines: list[str]) -> Path:
    """A complete key file beside the one of this name, that only its owner may read, and that is on disk."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _unusable(path: Path, error: OSError) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"the voters' key {path} cannot be used: {error.strerror}")
