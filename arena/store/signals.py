"""Signals of a product's users, as they are stored: apart from votes, once each, and withdrawn by their user."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.battle import ModelId
from arena.errors import SignalTaken
from arena.signals import Signal, SignalKind
from arena.store.database import Database
from arena.store.row import first, from_messages, scalar, to_messages

# What is read at a time: texts may be long, and a reader may be slow.
_PAGE = 500

_COLUMNS = (
    *("signal_id", "kind", "source", "user_id", "given_at", "model", "messages", "answer"),
    *("revision", "category", "language", "is_up", "edited"),
)

WITHDRAWN = """update signals set withdrawn_at = ?, digest = null, source = null, user_id = null, given_at = null,
    model = null, revision = null, messages = null, category = null, language = null, answer = null, is_up = null,
    edited = null where user_id = ?"""

# Of withdrawn signals whose bytes may still be in the file, and the note that they are not.
N_UNERASED = "select count(*) from signals where withdrawn_at is not null and not is_erased"
ERASED = "update signals set is_erased = true where withdrawn_at is not null"


@dataclass(frozen=True, slots=True)
class SignalCounts:
    """How many signals there are, withdrawn ones aside: by kind (thumbs by what they say), source, and model."""

    n: int
    n_users: int
    n_withdrawn: int
    by_kind: Mapping[str, int]
    by_source: Mapping[str, int]
    by_model: Mapping[ModelId, int]


class Signals:
    """The table of signals."""

    def __init__(self, database: Database):
        self._database = database

    def add(self, signal: Signal, now: datetime) -> bool:
        """Store a signal under its pseudonyms. False: it is stored already, or was and is withdrawn.

        Raises SignalTaken where another signal has this id, DatabaseUnavailable when it could not be stored.
        """
        with self._database.write() as cursor:
            known = first(cursor, "select digest, user_id, withdrawn_at from signals where signal_id = ?", [signal.id])
            if known is not None:
                if known[2] is None and known[:2] != (signal.digest, signal.user):
                    raise SignalTaken(signal.id)
                return False
            cursor.execute(
                f"insert into signals ({', '.join(_COLUMNS)}, digest, stored_at) values ({', '.join('?' * 15)})",
                [
                    *(signal.id, signal.kind.value, signal.source, signal.user, signal.given_at, signal.model),
                    *(from_messages(signal.messages), signal.answer, signal.revision, signal.category),
                    *(signal.language, signal.is_up, signal.edited, signal.digest, now),
                ],
            )
        return True

    def withdraw(self, user: str, now: datetime) -> int:
        """Take away all that is stored of this user, but that it was there; returns how many signals these were."""
        with self._database.write() as cursor:
            [[n]] = cursor.execute("select count(*) from signals where user_id = ?", [user]).fetchall()
            if n:
                cursor.execute(WITHDRAWN, [now, user])
        return n

    def all(self) -> Iterator[Signal]:
        """Those that stand, by their ids, read piece by piece."""
        after = ""
        while True:
            with self._database.read() as cursor:
                rows = cursor.execute(
                    f"select {', '.join(_COLUMNS)} from signals where withdrawn_at is null and signal_id > ? "
                    f"order by signal_id limit {_PAGE}",
                    [after],
                ).fetchall()
            if not rows:
                return
            yield from map(_signal, rows)
            after = rows[-1][0]

    def counts(self) -> SignalCounts:
        """How many there are of each kind."""
        with self._database.read() as cursor:
            rows = cursor.execute(
                "select kind, is_up, source, model, count(*) from signals where withdrawn_at is null "
                "group by all order by all"
            ).fetchall()
            n_users = scalar(cursor, "select count(distinct user_id) from signals")
            n_withdrawn = scalar(cursor, "select count(*) from signals where withdrawn_at is not null")
        kinds, sources, models = Counter[str](), Counter[str](), Counter[ModelId]()
        for kind, is_up, source, model, n in rows:
            kinds[kind if is_up is None else f"{kind} {'up' if is_up else 'down'}"] += n
            sources[source] += n
            models[model] += n
        return SignalCounts(sum(kinds.values()), n_users, n_withdrawn, dict(kinds), dict(sources), dict(models))


def _signal(row: tuple[Any, ...]) -> Signal:
    id_, kind, source, user, given_at, model, messages, answer, *rest = row
    return Signal(id_, SignalKind(kind), source, user, given_at, model, to_messages(messages), answer, *rest)
