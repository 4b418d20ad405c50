"""How the server holds its connections: as many as it can serve, and none that only waits.

Reading a request and sending an answer never holds a thread: bodies are read, and answers written, by the event loop.
What a client that stalls, or takes an answer by drops, does hold is a connection and its buffers; after a while it is
hung up on. One address holds a part of all connections at most.
"""

from collections.abc import Sequence
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from arena.address import Network, client_of, is_trusted
from arena.ui.middleware import crowded

# Below the 1024 open files that many systems allow a process, with room for the database and the files of pages.
MOST_CONNECTIONS = 800
# So many more, of all and of one address, are told that everything is taken; beyond them nobody is answered. They hold
# open files too.
MOST_TURNED_AWAY = 64

# As long as a browser's connection may wait for its next request. Longer would save a voter the 0.1 ms of a new one on
# the same network, and cost one of the places above.
_KEEP_ALIVE_SECONDS = 10
# The kernel's queue of connections that are not accepted yet.
_BACKLOG = 2048
# A request's head; cookies of other things on this host are in it as well.
_MOST_HEAD_BYTES = 32 * 1024
# For a request of a few hundred bytes to arrive, and for any part of an answer to be taken.
STALLED_SECONDS = 15.0
# To be taken of an answer in that time, where there is more of it: some 1 kB a second, a slow telephone's pace.
LEAST_TAKEN_BYTES = 16 * 1024

_TICKS_PER_LOOK = 10  # a tick of the server is 0.1 s


def server_config(
    app: ASGIApp, *, most_per_address: int, trusted_proxies: Sequence[Network] = (), **options: Any
) -> uvicorn.Config:
    """How an arena is served.

    `most_per_address` connections are served of one address, and any number of a trusted proxy, who brings those of
    many. `options` are what a test needs to differ in.
    """
    given: dict[str, Any] = {
        "http": Connection,
        "ws": "none",
        # Left to itself uvicorn believes X-Forwarded-For of everything on this machine; arena/address.py reads it.
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,  # it would keep addresses
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "backlog": _BACKLOG,
        "h11_max_incomplete_event_size": _MOST_HEAD_BYTES,
        # Not uvicorn's limit_concurrency: it answers in its own words, and writes a line for each.
    }
    return _Config(app, most_per_address, trusted_proxies, **(given | options))


class _Config(uvicorn.Config):
    """uvicorn's, with what its connections need to know of us."""

    def __init__(self, app: ASGIApp, most_per_address: int, trusted_proxies: Sequence[Network], **options: Any):
        super().__init__(app, **options)
        self.most_per_address = most_per_address
        self.trusted_proxies = trusted_proxies


class _Counted:
    """A transport that knows how much was written into it."""

    def __init__(self, transport: Any):
        self._transport = transport
        self.n_written = 0

    def write(self, data: bytes) -> None:
        self.n_written += len(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(H11Protocol):
    """A connection beyond those that the server can hold, or that one address may, is answered too, by a word to come
    back."""

    # Whose it is; None for a trusted proxy's, and for one without an address.
    address: str | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast("Any", _Counted(transport)))
        config = cast("_Config", self.config)
        peer = self.client[0] if self.client else None
        self.address = None if is_trusted(peer, config.trusted_proxies) else client_of(peer, (), ())
        n_too_many = len(self.connections) - MOST_CONNECTIONS
        if self.address is not None:
            # Counted anew each time, some 30 us: a number that is kept could be wrong for ever.
            n_own = sum(isinstance(each, Connection) and each.address == self.address for each in self.connections)
            n_too_many = max(n_too_many, n_own - config.most_per_address)
        if n_too_many > MOST_TURNED_AWAY:
            self.transport.abort()
        elif n_too_many > 0:
            self.app = _full_house

    @property
    def awaited(self) -> tuple[object, ...] | None:
        """What the server waits for from this client, as something that changes when it comes; None for nothing."""
        unsent = self.transport.get_write_buffer_size()
        if unsent:
            n_taken = cast("Any", self.transport).n_written - unsent
            return ("to take", n_taken // LEAST_TAKEN_BYTES)
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if self.conn.their_state is h11.SEND_BODY or (
            self.conn.their_state is h11.IDLE and not is_answering and self.timeout_keep_alive_task is None
        ):
            return ("to ask", id(self.cycle))
        return None


class PatientServer(uvicorn.Server):
    """A server that hangs up on who has kept it waiting for too long."""

    def __init__(self, config: uvicorn.Config, *, stalled_seconds: float = STALLED_SECONDS):
        super().__init__(config)
        self._most_looks = max(1, round(stalled_seconds * 10 / _TICKS_PER_LOOK))
        self._waiting: dict[Any, tuple[tuple[object, ...], int]] = {}

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_PER_LOOK == 0:
            self._look()
        return await super().on_tick(counter)

    def _look(self) -> None:
        waiting: dict[Any, tuple[tuple[object, ...], int]] = {}
        for connection in list(self.server_state.connections):
            awaited = connection.awaited if isinstance(connection, Connection) else None
            if awaited is None:
                continue
            before, n_looks = self._waiting.get(connection, (awaited, 0))
            n_looks = n_looks + 1 if before == awaited else 1
            if n_looks > self._most_looks:
                connection.transport.abort()
            else:
                waiting[connection] = (awaited, n_looks)
        self._waiting = waiting


async def _full_house(scope: Scope, receive: Receive, send: Send) -> None:
    response = crowded()
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
