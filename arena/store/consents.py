"""What voters say of publishing their votes, as acts of the log; and the terms on which they were asked."""

import json
from dataclasses import dataclass
from datetime import datetime

import duckdb

from arena.battle import Consent, VoterId
from arena.consent import ConsentRules
from arena.errors import BadInput, DatabaseUnavailable
from arena.store.database import Database
from arena.store.log import CONSENT, decide
from arena.store.row import first
from arena.store.voters import Voters

TAKEN_BACK = "consent taken back"
REFUSED = "consent refused"


@dataclass(frozen=True, slots=True)
class ConsentCount:
    """How many voters agree to the terms of a version, and how many do not; who they are it does not tell."""

    version: str
    license: str
    n_yes: int
    n_no: int


class Consents:
    """Consents only ever come in; of a voter the last one holds."""

    def __init__(self, database: Database, voters: Voters):
        self._database = database
        self._voters = voters

    def add(self, consent: Consent) -> None:
        """Append what a voter says to terms that are stored. Raises DatabaseUnavailable where it cannot be stored."""
        with self._database.write() as cursor:
            row = first(cursor, "select digest from consent_terms where version = ?", [consent.version])
            if row is None:
                raise DatabaseUnavailable(f"there are no terms of the version {consent.version!r} in the database")
            decide(cursor, CONSENT, consent.voter_id, consent.version, row[0], consent.is_given, consent.said_at)
            self._voters.forget(consent.voter_id)

    def last_of(self, voter_id: VoterId) -> Consent | None:
        """What this voter said last, or None."""
        with self._database.read() as cursor:
            row = first(
                cursor,
                "select version, is_given, said_at from consents where voter_id = ? order by seq desc limit 1",
                [voter_id],
            )
        return None if row is None else Consent(voter_id, *row)

    def n_votes(self, voter_id: VoterId) -> int:
        """How many votes of this voter are under a consent that holds; withdrawn votes are not."""
        with self._database.read() as cursor:
            [[n]] = cursor.execute(
                """select count(*) from votes where voter_id = $me and consent_version is not null
                and vote_id not in (select vote_id from withdrawals)
                and seq > (select coalesce(max(seq), 0) from consents where voter_id = $me and not is_given)""",
                {"me": voter_id},
            ).fetchall()
        return n

    def counts(self, up_to: int) -> tuple[ConsentCount, ...]:
        """By version of the terms how many voters say yes and no, by what each said last up to an act of the log."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                """select version, license, count(*) filter (is_given), count(*) filter (not is_given)
                from (select voter_id, max_by(version, seq) as version, max_by(is_given, seq) as is_given
                    from consents where seq <= ? group by voter_id) join consent_terms using (version)
                group by version, license, since order by since, version""",
                [up_to],
            ).fetchall()
        return tuple(ConsentCount(*row) for row in rows)

    def licenses(self) -> dict[str, str]:
        """The licence that each version of the terms names."""
        with self._database.read() as cursor:
            return dict(cursor.execute("select version, license from consent_terms order by version").fetchall())


def keep_terms(cursor: duckdb.DuckDBPyConnection, terms: ConsentRules, now: datetime) -> None:
    """Store the terms of a version. Raises BadInput where other ones are stored under it. To be called in a `write`."""
    row = first(cursor, "select digest from consent_terms where version = ?", [terms.version])
    if row is None:
        cursor.execute(
            "insert into consent_terms values (?, ?, ?, ?, ?, ?, ?)",
            [
                *(terms.version, terms.digest, terms.license, terms.purpose.value, terms.text),
                *(json.dumps(dict(terms.translations), ensure_ascii=False, sort_keys=True), now),
            ],
        )
    elif row != (terms.digest,):
        raise BadInput(
            f"version {terms.version!r} of the consent is in the database with other terms, and voters were asked on "
            "those. Give the changed consent a new version"
        )


def kept_back(up_to: int) -> str:
    """SQL of votes that their voters want in no export, by the acts up to one: `vote_id`, and why (`kept_back`).

    A no holds for all votes before it, and for those after it that were cast without a consent.
    """
    return f"""(
        select vote_id, if(consent_version is null, '{REFUSED}', '{TAKEN_BACK}') as kept_back
        from votes join (select voter_id, max(seq) as said from consents where not is_given and seq <= {up_to:d}
            group by voter_id) using (voter_id)
        where votes.seq <= {up_to:d} and (consent_version is null or said > votes.seq))"""
