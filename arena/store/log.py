"""The log: votes and everything that is decided on them later, append-only, numbered without gaps, chained by hashes.

Each act, whatever its kind, has the next number and names the hash of the act before it. A vote's own row never
changes, but for the voter's words when that is withdrawn: the chain covers a digest of them (`arena.store.words`). In
logs from before that it covers the words themselves in the votes up to an act of its own kind, the era: see `_rests`.
What the log up to a number adds up to is the same whenever it is asked, whatever was decided later: `told` is the one
place that says which votes count.
"""

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import duckdb

from arena import __version__
from arena.battle import ItemKind, VoteId
from arena.consent import terms_digest
from arena.errors import DatabaseUnavailable
from arena.pack import answer_id, prompt_digest
from arena.store.chain import GENESIS, entry_hash
from arena.store.database import Database
from arena.store.row import scalar, to_messages
from arena.store.walk import Act, BrokenLink, broken
from arena.store.words import fault_of
from arena.table import append
from arena.tally import EXCLUDED, NOT_BLIND, REPEATED, WITHDRAWN

# The columns of a vote between its number and its hashes, as the table has them.
VOTE_COLUMNS = (
    *("seq", "vote_id", "battle_id", "voted_at", "stored_at", "verdict", "source", "voter_id", "shown_on_left"),
    *("strength", "confidence", "dimensions", "reasons", "comments", "voter_wrote_prompt", "time_to_vote_ms", "blind"),
    *("guideline_version", "prompt_digest", "phase", "purpose", "consent_version", "app_version", "import_key"),
)

# Columns that came later. The chain covers them as well, but for those that are null: so the hashes of a log that is
# older than they are stay what they were.
LATER_COLUMNS = ("scale", "ratings", "acceptable", "comments_digest")

# What the chain covers beside the vote itself: what it was cast on. The prompt is covered by its digest, the answers by
# their ids, which are digests of their texts.
BATTLE_COLUMNS = ("prompt_id", "answer_a", "answer_b", "model_a", "model_b", "draw_probability", "sampling_policy")

# The kind of item came later, and is covered where it is not the only one that there was before.
_KIND, _FIRST_KIND = "item_kind", ItemKind.FRESH

# What of a vote is the voter's own text: covered by its digest, where the vote has one.
_OWN_TEXT, _DIGEST = "comments", "comments_digest"

_VOTES = f"""
    select {", ".join((*VOTE_COLUMNS, *LATER_COLUMNS, *BATTLE_COLUMNS, _KIND))}, comments_salt, previous_hash, hash
    from votes join battles using (battle_id)"""

# Stored texts that are no longer what their digest says. A text that is gone contradicts nothing.
_PROMPTS = "select digest, messages, salt from prompts left join own_prompts using (prompt_id)"
_ANSWERS = """
    select answer_id, coalesce(salt, prompt_id), model_id, text from answers left join own_prompts using (prompt_id)"""
_TERMS = "select digest, version, license, purpose, text, translations from consent_terms"

# What votes were cast on, where the prompt that stands there now is another one, digest and all.
_REPLACED = """
    select distinct prompt_digest from votes join battles using (battle_id) join prompts using (prompt_id)
    where prompt_digest <> digest"""

# On which terms voters said yes or no, where those that stand there now are other ones, digest and all.
_REPLACED_TERMS = """
    select distinct terms_digest from consents join consent_terms using (version) where terms_digest <> digest"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Acts other than votes: the word for them in the chain, their table, and its columns between number and version.

    The word is in no vote's record, so that no kind can pass for another.
    """

    word: str
    table: str
    columns: tuple[str, ...]

    @property
    def chained(self) -> tuple[str, ...]:
        """The columns that the chain covers."""
        return ("seq", *self.columns, "app_version")


WITHDRAWAL = _Kind("withdrawal", "withdrawals", ("vote_id", "voter_id", "withdrawn_at"))
EXCLUSION = _Kind("exclusion", "exclusions", ("voter_id", "is_excluded", "reason", "decided_by", "decided_at"))
REDACTION = _Kind("redaction", "redactions", ("vote_id", "record_hash", "redacted_at"))
ADJUDICATION = _Kind(
    "adjudication",
    "adjudications",
    ("prompt_id", "answer_a", "answer_b", "verdict", "reason", "decided_by", "decided_at"),
)
CONSENT = _Kind("consent", "consents", ("voter_id", "version", "terms_digest", "is_given", "said_at"))
ERA = _Kind("era", "eras", ("what", "votes_digest"))
_KINDS = (WITHDRAWAL, EXCLUSION, REDACTION, ERA, ADJUDICATION, CONSENT)

# What the one era that there is says of the votes after it.
_BY_DIGEST = "comments are covered by digest"

_TABLES = ("votes", *(kind.table for kind in _KINDS))
_ACTS = f"({' union all '.join(f'select seq, hash from {table}' for table in _TABLES)})"
# Of each table its last one, so that DuckDB looks at the end of each alone, and not at a million hashes.
_LAST_ACTS = " union all ".join(
    f"select seq, hash from {each} where seq = (select max(seq) from {each})" for each in _TABLES
)

# A log that goes on from before: it has votes, all of them without a digest, and no era yet.
_IS_OLD = f"""
    select not exists (from eras) and exists (from votes)
        and not exists (from votes where {_DIGEST} is not null)"""


class Log:
    """How far the log goes, and whether it is whole."""

    def __init__(self, database: Database):
        self._database = database

    def position(self) -> tuple[int, str]:
        """How many acts the log holds, and the hash of the last one."""
        with self._database.read() as cursor:
            return head(cursor)

    def hash_at(self, n_log: int) -> str:
        """The hash of an act of the log, by its number. Raises DatabaseUnavailable where the log has no such act."""
        found = self.hashes_at([n_log])
        if not found:
            raise DatabaseUnavailable(f"the log has no act {n_log:,}")
        return found[n_log]

    def hashes_at(self, numbers: Sequence[int]) -> dict[int, str]:
        """The hashes of those of these acts that the log has, by their numbers."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                f"select seq, hash from {_ACTS} where seq in (select unnest(?::bigint[]))", [list(numbers)]
            ).fetchall()
        return dict(rows)

    def broken_links(self) -> list[BrokenLink]:
        """Walk the log: every act that does not fit its number, the act before it, its own hash, or its texts."""
        n_log, _ = self.position()
        changed = self._changed_texts()
        with self._database.read() as cursor:
            # Text goes with a withdrawal alone: of a vote that counts, nothing may be missing.
            redacted = cursor.execute(
                """select vote_id, record_hash from redactions r join withdrawals w using (vote_id)
                where w.seq < r.seq and r.seq <= ?""",
                [n_log],
            ).fetchall()
            eras = _judged(cursor, _acts_of(cursor, ERA, n_log))
            decided = [_acts_of(cursor, kind, n_log) for kind in _KINDS if kind is not ERA]
            votes = votes_of(cursor, n_log, dict(redacted), n_old=eras[0].seq if eras else 0)
            acts = heapq.merge(votes, eras, *decided, key=lambda act: act.seq)
            return list(broken(acts, changed))

    def _changed_texts(self) -> set[str]:
        """The digests of prompts and terms, and the ids of answers, where another text is stored now."""
        changed = set()
        with self._database.read() as cursor:
            cursor.execute(_PROMPTS)
            for digest, messages, salt in cursor.fetchall():
                if prompt_digest(to_messages(messages), salt) != digest:
                    changed.add(digest)
            changed.update(digest for (digest,) in cursor.execute(_REPLACED).fetchall())
            for digest, version, license_, purpose, text, translations in cursor.execute(_TERMS).fetchall():
                if terms_digest(version, license_, purpose, text, json.loads(translations)) != digest:
                    changed.add(digest)
            changed.update(digest for (digest,) in cursor.execute(_REPLACED_TERMS).fetchall())
            cursor.execute(_ANSWERS)
            while rows := cursor.fetchmany(10_000):
                changed.update(each for each, *told in rows if answer_id(*told) != each)
        return changed


def head(cursor: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """The number and the hash of the last act."""
    return max(cursor.execute(_LAST_ACTS).fetchall(), default=(0, GENESIS))


def decide(cursor: duckdb.DuckDBPyConnection, kind: _Kind, *values: Any) -> None:
    """Append an act on votes; `values` in the order of the kind's columns. To be called in a `write`."""
    decide_all(cursor, kind, [values])


def decide_all(cursor: duckdb.DuckDBPyConnection, kind: _Kind, acts: Iterable[tuple[Any, ...]]) -> None:
    """Append acts of one kind, in this order, each as `decide` does."""
    n_log, previous = head(cursor)
    rows = []
    for seq, values in enumerate(acts, n_log + 1):
        row = (seq, *values, __version__)
        record = dict(zip(kind.chained, row, strict=True)) | {"act": kind.word}
        link = entry_hash(previous, record)
        rows.append((*row, previous, link))
        previous = link
    append(cursor, kind.table, rows)


def redact(cursor: duckdb.DuckDBPyConnection, vote_ids: Sequence[VoteId], now: datetime) -> int:
    """Take the voters' own texts out of withdrawn votes, each as an act of its own; returns how many had one.

    To be called in a `write`, after the withdrawals.
    """
    with_text = f"where vote_id in (select unnest(?::varchar[])) and {_OWN_TEXT} is not null"
    acts = [_vote(row) for row in cursor.execute(f"{_VOTES} {with_text} order by seq", [vote_ids]).fetchall()]
    cursor.execute(f"update votes set {_OWN_TEXT} = null, comments_salt = null {with_text}", [vote_ids])
    left = [(act.vote_id, _rest_hash(act), now) for act in acts]
    decide_all(cursor, REDACTION, left)
    return len(acts)


def redact_withdrawn(cursor: duckdb.DuckDBPyConnection, now: datetime) -> int:
    """Redact votes that were withdrawn before the log knew redactions; returns how many had a text. In a `write`."""
    found = "select vote_id from votes join withdrawals using (vote_id) where comments is not null"
    rows = cursor.execute(found).fetchall()
    return redact(cursor, [vote_id for (vote_id,) in rows], now) if rows else 0


_QUOTED_REPEATED = "'" + REPEATED.replace("'", "''") + "'"


def begin_era(database: Database) -> None:
    """Close the part of a log whose votes are from before digests, if there is one that is not closed yet.

    What comes to stand in their redactions later is vouched for by the act that is appended: see `_rests`.
    """
    with database.read() as cursor:
        is_old = scalar(cursor, _IS_OLD)
    if is_old:
        with database.write() as cursor:
            decide(cursor, ERA, _BY_DIGEST, _rests(cursor, head(cursor)[0]))


def told(up_to: int) -> str:
    """SQL of the votes up to an act, each with `left_out`: why it does not count, by the acts until then, or null."""
    return f"""(
        select votes.*, case when w.vote_id is not null then '{WITHDRAWN}' when x.is_excluded then '{EXCLUDED}'
            when r.battle_id is not null then {_QUOTED_REPEATED} when blind = false then '{NOT_BLIND}' end as left_out
        from votes left join withdrawals w on w.vote_id = votes.vote_id and w.seq <= {up_to:d}
        left join (select voter_id, arg_max(is_excluded, seq) as is_excluded from exclusions where seq <= {up_to:d}
            group by voter_id) x on x.voter_id = votes.voter_id
        left join (select battle_id from battles where item_kind = '{ItemKind.REPEAT}') r
            on r.battle_id = votes.battle_id
        where votes.seq <= {up_to:d})"""


def standing(up_to: int) -> str:
    """SQL of the votes that count, by the acts up to one."""
    return f"(from {told(up_to)} where left_out is null)"


def chained(record: dict[str, Any]) -> dict[str, Any]:
    """What the chain covers of a vote and the battle that it was cast on: of its words the digest, if it has one."""
    covered = {
        name: value
        for name, value in record.items()
        if (value is not None or name not in LATER_COLUMNS) and (name, value) != (_KIND, _FIRST_KIND)
    }
    if _DIGEST in covered:
        del covered[_OWN_TEXT]
    return covered


def votes_of(
    cursor: duckdb.DuckDBPyConnection, n_log: int, redacted: Mapping[str, str] = MappingProxyType({}), n_old: int = 0
) -> Iterator[Act]:
    """The votes up to an act; `redacted` has the hashes of what is left of those whose words the log took out.

    Votes before the act `n_old` are of the old kind, whose words are part of their hashes; those after it have digests.
    """
    cursor.execute(f"{_VOTES} where seq <= ? order by seq", [n_log])
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            yield _vote(row, redacted, n_old)


def _vote(row: tuple[Any, ...], redacted: Mapping[str, str] = MappingProxyType({}), n_old: int = 0) -> Act:
    *values, salt, previous_hash, own_hash = row
    told = dict(zip((*VOTE_COLUMNS, *LATER_COLUMNS, *BATTLE_COLUMNS, _KIND), values, strict=True))
    left = redacted.get(told["vote_id"])
    record_hash, fault = own_hash, None
    if told[_DIGEST] is not None:
        fault = fault_of(told[_OWN_TEXT], salt, told[_DIGEST], are_taken_out=left == own_hash)
    elif told["seq"] > n_old:
        fault = "it has no digest of what its voter wrote, as every vote in its place has"
    elif left is not None:
        record_hash = left
    stands_on = {told["prompt_digest"], told["answer_a"], told["answer_b"]}
    return Act(
        told["seq"], told["vote_id"], chained(told), stands_on, previous_hash, own_hash, record_hash, own_fault=fault
    )


def _rest_hash(act: Act) -> str:
    """The hash that a vote has in its place of the chain without its words."""
    if _DIGEST in act.record:
        return act.hash
    return entry_hash(act.previous_hash, act.record | {_OWN_TEXT: None})


def _rests(cursor: duckdb.DuckDBPyConnection, n_log: int) -> str:
    """A digest of all votes up to an act that have or had words, but for these.

    Of a vote without a digest the words are part of its hash. Once they are gone, only a redaction says what else the
    vote was; and who can append one could have it say anything. So the era, which comes before any later redaction,
    says it for all votes before it.
    """
    cursor.execute(
        f"{_VOTES} where seq <= ? and ({_OWN_TEXT} is not null or vote_id in (select vote_id from redactions))"
        " order by seq",
        [n_log],
    )
    digest = hashlib.sha256()
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            digest.update(_rest_hash(_vote(row)).encode("ascii"))
    return digest.hexdigest()


def _judged(cursor: duckdb.DuckDBPyConnection, eras: Sequence[Act]) -> list[Act]:
    """The eras, by their numbers: one at most, after votes without digests alone, which are what they were then."""
    if not eras:
        return []
    first, *others = eras
    is_late = f"select exists (from votes where seq < {first.seq:d} and {_DIGEST} is not null)"
    fault = None
    if scalar(cursor, is_late):
        fault = "it was slipped in: votes before it have digests of what their voters wrote"
    elif first.record["votes_digest"] != _rests(cursor, first.seq):
        fault = "a vote before it was changed, one that has or had words of its voter"
    return [
        first._replace(own_fault=fault),
        *(each._replace(own_fault="it was slipped in: the log has such an act already") for each in others),
    ]


def _acts_of(cursor: duckdb.DuckDBPyConnection, kind: _Kind, n_log: int) -> list[Act]:
    rows = cursor.execute(
        f"select {', '.join(kind.chained)}, previous_hash, hash from {kind.table} where seq <= ? order by seq", [n_log]
    ).fetchall()
    acts = []
    for *values, previous_hash, own_hash in rows:
        record = dict(zip(kind.chained, values, strict=True))
        marked = record | {"act": kind.word}
        stands_on = {record[name] for name in ("terms_digest",) if name in record}
        acts.append(Act(record["seq"], record.get("vote_id"), marked, stands_on, previous_hash, own_hash, own_hash))
    return acts
