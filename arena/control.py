"""A serving arena takes requests of its host through a socket beside its database: `arena.duckdb.sock`.

The process that serves owns the database file, and no other can open it. Whoever may write to the socket, which is the
file's owner, sends one line of JSON and gets one back:

{"copy_to": "/backups/arena.duckdb"}    a copy of the database, written by the serving process   {"copied": true}
anything else                                                                                    {"error": "..."}
"""

import asyncio
import json
import logging
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from arena.errors import DatabaseUnavailable, StoreError
from arena.store import VoteStore

log = logging.getLogger(__name__)

_ONLY_ITS_OWNER = 0o600


class NobodyServes(Exception):
    """No arena listens beside this database."""


def socket_of(database: Path) -> Path:
    """Where the arena that serves this database listens."""
    return database.with_name(database.name + ".sock")


@asynccontextmanager
async def listening(store: VoteStore) -> AsyncIterator[None]:
    """Take requests while the arena serves. Where the socket cannot be made, the arena serves without, and says so."""
    listener = _listener(store.path) if store.path is not None else None
    if listener is None or store.path is None:
        yield
        return
    copying = asyncio.Lock()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            said = await _answer(await reader.readline(), store, copying)
        except ValueError:
            said = {"error": "the line is too long"}
        try:
            writer.write(json.dumps(said).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            log.warning("whoever asked for %s left before the answer", said)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(answer, sock=listener)
    try:
        yield
    finally:
        server.close()
        async with copying:  # a copy that is being made is finished before the database is closed
            socket_of(store.path).unlink(missing_ok=True)


async def _answer(line: bytes, store: VoteStore, copying: asyncio.Lock) -> dict[str, object]:
    try:
        request = json.loads(line)
    except ValueError:
        return {"error": "that is not JSON"}
    match request:
        case {"copy_to": str(target)} if len(request) == 1 and Path(target).is_absolute():
            try:
                async with copying:
                    await asyncio.to_thread(store.copy_to, Path(target))
            except StoreError as error:
                return {"error": str(error)}
            return {"copied": True}
    return {"error": "that is no request; known: copy_to with an absolute path"}


def _listener(database: Path) -> socket.socket | None:
    place = socket_of(database)
    listener = None
    try:
        # This process holds the database, so a socket that is there was left by one that was killed.
        if place.exists() and stat.S_ISSOCK(place.lstat().st_mode):
            place.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(place))
        place.chmod(_ONLY_ITS_OWNER)  # before anybody can connect, which takes `listen`
        listener.listen()
    except OSError as error:
        if listener is not None:
            listener.close()
        log.warning("%s cannot be made (%s): `bakeoff backup` will not reach this arena while it serves", place, error)
        return None
    return listener


def ask_for_copy(database: Path, target: Path) -> None:
    """Have the arena that serves this database write a copy of it.

    Raises NobodyServes where none listens, DatabaseUnavailable where it is somebody else's or the copy failed.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(str(socket_of(database)))
        except PermissionError as error:
            raise DatabaseUnavailable(
                f"{socket_of(database)} is open to its owner only: run this as the user who serves the arena"
            ) from error
        except OSError as error:
            raise NobodyServes from error
        try:
            caller.sendall(json.dumps({"copy_to": str(target.absolute())}).encode() + b"\n")
            with caller.makefile("rb") as answers:
                line = answers.readline()
        except ConnectionError:
            line = b""
    if not line:
        raise DatabaseUnavailable("the arena that serves this database ended before the copy was complete")
    answer = json.loads(line)
    if "error" in answer:
        raise DatabaseUnavailable(f"the arena that serves this database could not copy it: {answer['error']}")
