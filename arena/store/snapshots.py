"""Leaderboards as they were computed, each with the votes and settings it came from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from arena import __version__
from arena.battle import Model, ModelId, Source
from arena.leaderboard import Leaderboard, Snapshot, from_record
from arena.store.database import Database
from arena.store.row import first, to_json


class Snapshots:
    """A snapshot's id is a digest of its votes, settings, numbers and code: the same board has the same id."""

    def __init__(self, database: Database):
        self._database = database

    def add(
        self,
        board: Leaderboard,
        *,
        n_log: int,
        log_hash: str,
        sources: Sequence[Source],
        now: datetime,
    ) -> Snapshot:
        """Store a leaderboard that was computed from the first n_log votes, the last of which has log_hash."""
        record = board.to_record()
        settings = {"sources": [source.value for source in sources]}
        told = json.dumps([log_hash, n_log, settings, record, __version__], sort_keys=True)
        snapshot_id = hashlib.sha256(told.encode()).hexdigest()[:16]
        with self._database.write() as cursor:
            cursor.execute(
                "insert into snapshots values (?, ?, ?, ?, ?, ?, ?) "
                "on conflict (snapshot_id) do update set computed_at = excluded.computed_at",
                [snapshot_id, now, n_log, log_hash, to_json(settings), to_json(record), __version__],
            )
        return Snapshot(snapshot_id, now, board, n_log, log_hash, tuple(sources), __version__)

    def latest(self, models: Mapping[ModelId, Model]) -> Snapshot | None:
        """The newest leaderboard with the models' facts as given, or None."""
        with self._database.read() as cursor:
            row = first(
                cursor,
                "select snapshot_id, computed_at, n_log, log_hash, settings, leaderboard, app_version from snapshots "
                "order by n_log desc, computed_at desc limit 1",
            )
        if row is None or row[6] != __version__:
            # A board is derived: one that another version stored is computed again and not guessed at.
            return None
        snapshot_id, computed_at, n_log, log_hash, settings, record, app_version = row
        return Snapshot(
            id=snapshot_id,
            computed_at=computed_at,
            leaderboard=from_record(json.loads(record), models),
            n_log=n_log,
            log_hash=log_hash,
            sources=tuple(Source(source) for source in json.loads(settings)["sources"]),
            app_version=app_version,
        )

    def positions(self) -> list[tuple[int, str, datetime]]:
        """The position of the log that each snapshot names: how many acts, the hash of the last, and when; in order."""
        with self._database.read() as cursor:
            return cursor.execute(
                "select n_log, log_hash, min(computed_at) from snapshots where n_log > 0 group by all order by all"
            ).fetchall()
