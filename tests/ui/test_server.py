"""The port that the arena listens on."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from arena.errors import BadInput
from arena.ui.server import listen


def test_small_answers_are_sent_at_once():
    # Nagle's algorithm would hold them back until the one before is acknowledged, which browsers put off for 40 ms.
    async def option_of_an_accepted_connection() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(accept, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            option = await asyncio.wait_for(found, 10)
            writer.close()
        return option

    # In a thread of its own: the browser's tests may have left a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, option_of_an_accepted_connection()).result(timeout=30) != 0


def test_a_port_in_use_is_said_with_its_number():
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"port {port} on 127.0.0.1 is in use. Name another one"):
            listen("127.0.0.1", port)
