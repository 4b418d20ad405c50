"""A host's password as it is kept in the settings: a salted scrypt hash, and never the password."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from arena.errors import BadInput

LEAST_CHARACTERS = 12
SALT_BYTES = 16

# 32 MB and a fraction of a second: one of the choices of OWASP's Password Storage Cheat Sheet.
_N, _R, _P = 2**15, 8, 3
_HASH_BYTES = 32
# What a hash from elsewhere may ask for, so that a slip in a setting does not stop the machine.
_MOST_BYTES = 256 * 2**20
_MOST_P = 16


@dataclass(frozen=True, repr=False)
class PasswordHash:
    """`scrypt:n:r:p:salt:hash`, the last two in base64 for addresses. Colons, since shells and Compose read dollars."""

    n: int
    r: int
    p: int
    salt: bytes
    hash: bytes

    @classmethod
    def of(cls, password: str, *, salt: bytes) -> "PasswordHash":
        """Hash a new password; `salt` is SALT_BYTES of chance. Raises BadInput for one that could be guessed."""
        if len(password) < LEAST_CHARACTERS:
            raise BadInput(
                f"this password has {len(password)} characters; at least {LEAST_CHARACTERS} are needed: a few words do"
            )
        return cls(_N, _R, _P, salt, _scrypt(password, salt, (_N, _R, _P), _HASH_BYTES))

    @classmethod
    def parse(cls, text: str) -> "PasswordHash":
        """Read the line that `bakeoff password` prints. Raises BadInput, which never repeats the line."""
        unusable = BadInput("it is no line of `bakeoff password` (scrypt:n:r:p:salt:hash)")
        parts = text.strip().split(":")
        if len(parts) != 6 or parts[0] != "scrypt" or not all(part.isascii() and part.isdigit() for part in parts[1:4]):
            raise unusable
        n, r, p = map(int, parts[1:4])
        try:
            salt, digest = map(_from_base64, parts[4:])
        except (binascii.Error, ValueError) as error:
            raise unusable from error
        is_power = n >= 2**14 and n & (n - 1) == 0
        if not is_power or not 1 <= p <= _MOST_P or r < 1 or 128 * n * r > _MOST_BYTES:
            raise BadInput("its scrypt parameters are weaker than n=16384, or ask for more than 256 MB")
        if len(salt) < SALT_BYTES or len(digest) < _HASH_BYTES:
            raise unusable
        return cls(n, r, p, salt, digest)

    def matches(self, password: str) -> bool:
        """Whether this is the password; takes as long for a wrong one."""
        found = _scrypt(password, self.salt, (self.n, self.r, self.p), len(self.hash))
        return hmac.compare_digest(found, self.hash)

    def __str__(self) -> str:
        return ":".join(["scrypt", str(self.n), str(self.r), str(self.p), _to_base64(self.salt), _to_base64(self.hash)])

    def __repr__(self) -> str:
        return "PasswordHash(...)"


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
    n, r, p = cost
    # `surrogatepass`: what a client sends may be no text, and is then simply wrong.
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=n, r=r, p=p, maxmem=_MOST_BYTES + 2**22, dklen=length)


def _to_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
