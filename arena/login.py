"""The ways in, as they are set: a password's hash, a provider of OpenID, and who is what."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from arena.password import PasswordHash
from arena.role import Members, Right, Role, rights


@dataclass(frozen=True)
class OpenId:
    """A provider of OpenID, and what it knows this arena by. Hugging Face is one."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    claim: str
    # Where browsers find this arena; the provider sends them back below it. Never taken from a request.
    public_url: str


@dataclass(frozen=True)
class Login:
    """Who may come in, how, and what is open to all. The default: nobody signs in, and everything but the host's is
    open."""

    password: PasswordHash | None = None
    provider: OpenId | None = None
    members: Members = field(default_factory=Members)
    open_to_all: frozenset[Right] = frozenset({Right.VOTE, Right.RESULTS})
    lasts: timedelta = timedelta(hours=8)
    # What the acts of all hosts are signed with; a chosen name, never an account's. None: each act says who decides.
    signed_as: str | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is any way in."""
        return self.password is not None or self.provider is not None

    def rights(self, roles: Iterable[Role]) -> frozenset[Right]:
        """What these roles open here."""
        return rights(roles, open_to_all=self.open_to_all)

    def digest(self) -> str:
        """Of everything that decides who gets in: sessions from before a change of it are worth nothing."""
        provider = self.provider
        parts = [str(self.password), *((provider.issuer, provider.client_id, provider.claim) if provider else ())]
        for accounts in (self.members.hosts, self.members.researchers, self.members.annotators):
            parts += ["", *sorted(accounts)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def notes(self) -> list[str]:
        """What a host should know at the start."""
        found = []
        if self.provider and not self.members:
            found.append(
                "Nobody can sign in by the OpenID provider: name accounts in BAKEOFF_HOSTS, BAKEOFF_RESEARCHERS or "
                "BAKEOFF_ANNOTATORS"
            )
        if self.is_set and Right.VOTE not in self.open_to_all and not self.members.annotators:
            found.append("Only a host can vote: voting is by invitation, and BAKEOFF_ANNOTATORS names nobody")
        return found
