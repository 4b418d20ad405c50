"""Who somebody is here, and what that opens. Four roles, each a set of rights and no ladder."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to this arena. A voter is anybody; the others sign in."""

    VOTER = "voter"
    ANNOTATOR = "annotator"
    RESEARCHER = "researcher"
    HOST = "host"


class Right(StrEnum):
    """What a page or a route asks of whoever opens it."""

    EVERYBODY = "everybody"
    VOTE = "vote"
    RESULTS = "results"
    HOST = "host"
    # Stated so that a test can tell what was shut from what was forgotten.
    NOBODY = "nobody"


_OPENS: Mapping[Role, frozenset[Right]] = {
    Role.VOTER: frozenset({Right.EVERYBODY}),
    Role.ANNOTATOR: frozenset({Right.EVERYBODY, Right.VOTE}),
    Role.RESEARCHER: frozenset({Right.EVERYBODY, Right.RESULTS}),
    Role.HOST: frozenset({Right.EVERYBODY, Right.VOTE, Right.RESULTS, Right.HOST}),
}


def rights(roles: Iterable[Role], *, open_to_all: Collection[Right]) -> frozenset[Right]:
    """Everything that these roles open together, with what this arena leaves open to all."""
    return frozenset(open_to_all).union(*(_OPENS[role] for role in (Role.VOTER, *roles)))


@dataclass(frozen=True)
class Members:
    """The accounts that are named in the settings, by role; compared letter by letter with what a provider says."""

    hosts: frozenset[str] = frozenset()
    researchers: frozenset[str] = frozenset()
    annotators: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.hosts or self.researchers or self.annotators)

    def roles_of(self, account: str) -> frozenset[Role]:
        """The roles of an account; none for one that is not named."""
        named = {Role.HOST: self.hosts, Role.RESEARCHER: self.researchers, Role.ANNOTATOR: self.annotators}
        return frozenset(role for role, accounts in named.items() if account in accounts)
