"""The log: votes and everything that is decided on them later, append-only, numbered without gaps, chained by hashes.

Each act, whatever its kind, has the next number and names the hash of the act before it. A vote's own row never
changes, but for the voter's text when that is withdrawn (see `Redaction` below). What the log up to a number adds up to
is the same whenever it is asked, whatever was decided later: `told` is the one place that says which votes count.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import duckdb

from arena import __version__
from arena.battle import ItemKind, VoteId
from arena.errors import DatabaseUnavailable
from arena.pack import answer_id, prompt_digest
from arena.store.chain import GENESIS, entry_hash
from arena.store.database import Database
from arena.store.row import first, to_messages
from arena.store.walk import Act, BrokenLink, broken
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
LATER_COLUMNS = ("scale", "ratings", "acceptable")

# What the chain covers beside the vote itself: what it was cast on. The prompt is covered by its digest, the answers by
# their ids, which are digests of their texts.
BATTLE_COLUMNS = ("prompt_id", "answer_a", "answer_b", "model_a", "model_b", "draw_probability", "sampling_policy")

# The kind of item came later, and is covered where it is not the only one that there was before.
_KIND, _FIRST_KIND = "item_kind", ItemKind.FRESH

# What of a vote is the voter's own text.
_OWN_TEXT = "comments"

_VOTES = f"""
    select {", ".join((*VOTE_COLUMNS, *LATER_COLUMNS, *BATTLE_COLUMNS, _KIND))}, previous_hash, hash
    from votes join battles using (battle_id)"""

# Stored texts that are no longer what their digest says. A text that is gone contradicts nothing.
_PROMPTS = "select prompt_id, digest, messages from prompts"
_ANSWERS = "select answer_id, prompt_id, model_id, text from answers"

# What votes were cast on, where the prompt that stands there now is another one, digest and all.
_REPLACED = """
    select distinct prompt_digest from votes join battles using (battle_id) join prompts using (prompt_id)
    where prompt_digest <> digest"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Acts other than votes: the word for them in the chain, their table, and its columns between number and version.

    The word is in no vote's record, so that no kind can pass for another. The first column says whom or what it is on.
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
_KINDS = (WITHDRAWAL, EXCLUSION, REDACTION, ADJUDICATION)


_TABLES = ("votes", *(kind.table for kind in _KINDS))
_ACTS = f"({' union all '.join(f'select seq, hash from {table}' for table in _TABLES)})"
# Of each table its last one, so that DuckDB looks at the end of each alone, and not at a million hashes.
_LAST_ACTS = f"({' union all '.join(f'(select seq, hash from {each} order by seq desc limit 1)' for each in _TABLES)})"


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
            decided = [_acts_of(cursor, kind, n_log) for kind in _KINDS]
            # Text goes with a withdrawal alone: of a vote that counts, nothing may be missing.
            redacted = cursor.execute(
                """select vote_id, record_hash from redactions r join withdrawals w using (vote_id)
                where w.seq < r.seq and r.seq <= ?""",
                [n_log],
            ).fetchall()
            acts = heapq.merge(votes_of(cursor, n_log, dict(redacted)), *decided, key=lambda act: act.seq)
            return list(broken(acts, changed))

    def _changed_texts(self) -> set[str]:
        """The digests of prompts and the ids of answers where another text is stored now."""
        changed = set()
        with self._database.read() as cursor:
            cursor.execute(_PROMPTS)
            for _, digest, messages in cursor.fetchall():
                if prompt_digest(to_messages(messages)) != digest:
                    changed.add(digest)
            changed.update(digest for (digest,) in cursor.execute(_REPLACED).fetchall())
            cursor.execute(_ANSWERS)
            while rows := cursor.fetchmany(10_000):
                changed.update(each for each, *told in rows if answer_id(*told) != each)
        return changed


def head(cursor: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """The number and the hash of the last act."""
    return first(cursor, f"select seq, hash from {_LAST_ACTS} order by seq desc limit 1") or (0, GENESIS)


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
    cursor.execute(f"update votes set {_OWN_TEXT} = null {with_text}", [vote_ids])
    left = [(act.vote_id, entry_hash(act.previous_hash, act.record | {_OWN_TEXT: None}), now) for act in acts]
    decide_all(cursor, REDACTION, left)
    return len(acts)


def redact_withdrawn(cursor: duckdb.DuckDBPyConnection, now: datetime) -> int:
    """Redact votes that were withdrawn before the log knew redactions; returns how many had a text. In a `write`."""
    found = "select vote_id from votes join withdrawals using (vote_id) where comments is not null"
    rows = cursor.execute(found).fetchall()
    return redact(cursor, [vote_id for (vote_id,) in rows], now) if rows else 0


_QUOTED_REPEATED = "'" + REPEATED.replace("'", "''") + "'"


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
    """What the chain covers of a vote and the battle that it was cast on."""
    return {
        name: value
        for name, value in record.items()
        if (value is not None or name not in LATER_COLUMNS) and (name, value) != (_KIND, _FIRST_KIND)
    }


def votes_of(
    cursor: duckdb.DuckDBPyConnection, n_log: int, redacted: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Act]:
    """The votes up to an act; `redacted` has the hashes of what is left of those that have lost their text."""
    cursor.execute(f"{_VOTES} where seq <= ? order by seq", [n_log])
    while rows := cursor.fetchmany(10_000):
        for act in map(_vote, rows):
            left = redacted.get(act.vote_id or "")
            yield act if left is None else act._replace(record_hash=left)


def _vote(row: tuple[Any, ...]) -> Act:
    *values, previous_hash, own_hash = row
    record = chained(dict(zip((*VOTE_COLUMNS, *LATER_COLUMNS, *BATTLE_COLUMNS, _KIND), values, strict=True)))
    stands_on = {record["prompt_digest"], record["answer_a"], record["answer_b"]}
    return Act(record["seq"], record["vote_id"], record, stands_on, previous_hash, own_hash, own_hash)


def _acts_of(cursor: duckdb.DuckDBPyConnection, kind: _Kind, n_log: int) -> list[Act]:
    rows = cursor.execute(
        f"select {', '.join(kind.chained)}, previous_hash, hash from {kind.table} where seq <= ? order by seq", [n_log]
    ).fetchall()
    acts = []
    for *values, previous_hash, own_hash in rows:
        record = dict(zip(kind.chained, values, strict=True))
        marked = record | {"act": kind.word}
        acts.append(Act(record["seq"], record.get("vote_id"), marked, set(), previous_hash, own_hash, own_hash))
    return acts
