"""Clients that stall: they hold nobody up, are hung up on after a while, and a full house answers calmly."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_network
from urllib.parse import urlsplit

import pytest

from arena.ui.connection import MOST_TURNED_AWAY
from arena.ui.server import listen
from served import Arena, Serve, ballot_of, vote_on

HALVES = {
    "nothing": b"",
    "half a head": b"POST /api/ballots HTTP/1.1\r\nHost: x\r\nContent-Le",
    "half a body": b"POST /api/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 9\r\n\r\n{",
}


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def dial(arena: Arena, address: str = "127.0.0.1") -> socket.socket:
    """A connection, from an address of this machine."""
    port = urlsplit(arena.url).port or 0
    return socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(address, 0))


def dial_narrow(arena: Arena) -> socket.socket:
    """A connection that takes in 4 kB and no more before they are read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", urlsplit(arena.url).port))
    return connection


def answer(connection: socket.socket, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """A whole answer over a bare connection."""
    connection.sendall(request)
    with connection.makefile("rb") as lines:
        status = int(lines.readline().split()[1])
        headers = {}
        while line := lines.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        return status, headers, lines.read(int(headers["content-length"]))


def is_hung_up(connection: socket.socket) -> bool:
    """Whether nothing comes any more, after what was under way. A connection that is only silent times out."""
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.proof
@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
def test_who_sends_half_a_request_is_hung_up_on_and_others_vote_meanwhile(serve: Serve, sent: bytes):
    arena = serve(stalled_seconds=2)
    with ExitStack() as stack:
        # More than the threads that work, and more than the requests that may wait.
        stalled = [stack.enter_context(dial(arena)) for _ in range(280)]
        for connection in stalled:
            connection.sendall(sent)
        visitor = arena.visitor()
        for _ in range(5):
            assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200
        for connection in stalled:
            assert connection.recv(1) == b""


@pytest.mark.proof
def test_who_reads_nothing_is_hung_up_on_and_others_vote_meanwhile(serve: Serve):
    arena = serve(stalled_seconds=2)
    with ExitStack() as stack:
        stalled = []
        for _ in range(10):
            connection = stack.enter_context(dial_narrow(arena))
            connection.sendall(b"GET /leaderboard HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
            stalled.append(connection)
        visitor = arena.visitor()
        for _ in range(5):
            assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200
        time.sleep(6)
        for connection in stalled:
            connection.settimeout(10)
            assert is_hung_up(connection)


@pytest.mark.proof
def test_a_browser_that_rests_between_two_votes_is_not_hung_up_on(serve: Serve):
    arena = serve(stalled_seconds=1)
    visitor = arena.visitor()
    with dial(arena) as connection:
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        assert answer(connection, request)[0] == 200
        time.sleep(4)
        assert answer(connection, request)[0] == 200
    assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200


def test_a_full_queue_answers_calmly_and_loses_nothing(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("arena.ui.app.MOST_AT_ONCE", 4)
    arena = serve()
    visitors = [arena.visitor() for _ in range(12)]
    ballots = [ballot_of(visitor)["ballot_id"] for visitor in visitors]
    slow = threading.Event()
    real = arena.booth.cast

    def waiting(*args, **named):
        slow.wait(20)
        return real(*args, **named)

    monkeypatch.setattr(arena.booth, "cast", waiting)
    found: dict[int, list] = {}

    def vote(number: int) -> None:
        found.setdefault(number, []).append(vote_on(visitors[number], ballots[number]))

    threads = [threading.Thread(target=vote, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    while len(found) < 8:  # those beyond the queue have their answer at once
        time.sleep(0.01)
    slow.set()
    for thread in threads:
        thread.join()
    refused = [number for number, [response] in found.items() if response.status_code == 503]
    assert len(refused) == 8
    for number in refused:
        [response] = found[number]
        assert response.json()["error"] == "crowded"
        assert response.json()["seconds"] == int(response.headers["retry-after"]) > 0
    assert arena.n_votes == 4
    for number in refused:
        vote(number)
    assert arena.n_votes == 12
    assert arena.store.log.broken_links() == []


def test_connections_beyond_what_the_server_can_hold_are_answered_too(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("arena.ui.connection.MOST_CONNECTIONS", 20)
    arena = serve()
    with ExitStack() as stack:
        held = [stack.enter_context(dial(arena)) for _ in range(20)]
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for connection in held:
            assert answer(connection, request)[0] == 200
        status, headers, body = answer(stack.enter_context(dial(arena)), request)
        assert status == 503
        assert headers["connection"] == "close"
        assert int(headers["retry-after"]) == json.loads(body)["seconds"]
        assert answer(held[0], request)[0] == 200


def test_one_address_takes_a_part_of_the_places_and_others_go_on_as_before(serve: Serve):
    arena = serve(most_per_address=5)
    with ExitStack() as stack:
        held = [stack.enter_context(dial(arena, "127.0.0.2")) for _ in range(5)]
        assert [answer(connection, HEALTH)[0] for connection in held] == [200] * 5
        status, headers, body = answer(stack.enter_context(dial(arena, "127.0.0.2")), HEALTH)
        assert (status, headers["connection"]) == (503, "close")
        assert int(headers["retry-after"]) == json.loads(body)["seconds"]
        assert json.loads(body)["error"] == "crowded"
        assert answer(stack.enter_context(dial(arena, "127.0.0.3")), HEALTH)[0] == 200
        assert [answer(connection, HEALTH)[0] for connection in held] == [200] * 5
        held.pop().close()
        while answer(stack.enter_context(dial(arena, "127.0.0.2")), HEALTH)[0] == 503:  # until the server has seen it
            time.sleep(0.01)


def test_connections_far_beyond_what_one_address_may_hold_are_not_answered_at_all(serve: Serve):
    arena = serve(most_per_address=2)
    with ExitStack() as stack:
        held = [stack.enter_context(dial(arena, "127.0.0.2")) for _ in range(2 + MOST_TURNED_AWAY)]
        assert answer(held[1], HEALTH)[0] == 200  # all of them have come
        assert is_hung_up(stack.enter_context(dial(arena, "127.0.0.2")))
        assert answer(held[2], HEALTH)[0] == 503
        visitor = arena.visitor()
        assert vote_on(visitor, ballot_of(visitor)["ballot_id"]).status_code == 200


def test_connections_far_beyond_what_the_server_can_hold_are_not_answered_at_all(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("arena.ui.connection.MOST_CONNECTIONS", 20)
    arena = serve()
    with ExitStack() as stack:
        held = [stack.enter_context(dial(arena, f"127.0.0.{2 + n}")) for n in range(20 + MOST_TURNED_AWAY)]
        assert answer(held[0], HEALTH)[0] == 200
        assert is_hung_up(stack.enter_context(dial(arena, "127.0.0.200")))
        assert answer(held[20], HEALTH)[0] == 503


@pytest.mark.parametrize(("trusted", "status"), [("127.0.0.2/32", 200), ("127.0.0.3/32", 503)])
def test_a_trusted_proxy_brings_as_many_as_come(serve: Serve, trusted: str, status: int):
    arena = serve(most_per_address=2, trusted_proxies=(ip_network(trusted),))
    with ExitStack() as stack:
        held = [stack.enter_context(dial(arena, "127.0.0.2")) for _ in range(10)]
        assert [answer(connection, HEALTH)[0] for connection in held] == [200] * 2 + [status] * 8


@pytest.mark.proof
def test_who_takes_an_answer_by_drops_is_hung_up_on_and_who_is_slow_is_not(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    """Of endless answers, with 16 kB in 4 seconds asked for, one reader takes 2 kB a second, the other 20 kB."""
    monkeypatch.setattr("served.listen", listen_with_little_room)
    arena = serve(stalled_seconds=4)
    with asking_on(arena) as dripping, asking_on(arena) as slow:
        ends = time.monotonic() + 40
        n_dripped = 0
        while dropped := taken(dripping, 400):
            n_dripped += len(dropped)
            assert taken(slow, 4000)
            assert time.monotonic() < ends, "who takes an answer by drops is still served"
            time.sleep(0.2)
        assert n_dripped > 2000, "it did take some all the time, and was not hung up on for taking nothing"
        for _ in range(30):
            assert taken(slow, 4000)
            time.sleep(0.2)


def listen_with_little_room(host: str, port: int) -> socket.socket:
    """A listener whose connections leave what is not taken to the server, not to the kernel's buffers."""
    listener = listen(host, port)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return listener


@contextmanager
def asking_on(arena: Arena) -> Iterator[socket.socket]:
    """A connection that asks for a file of the pages on and on."""

    def ask() -> None:
        with suppress(OSError):  # who is hung up on has asked enough
            while True:
                connection.sendall(b"GET /ui/style.css HTTP/1.1\r\nHost: x\r\n\r\n")

    with dial_narrow(arena) as connection:
        connection.settimeout(20)
        thread = threading.Thread(target=ask)
        thread.start()
        yield connection
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)  # closed alone, it would stay open for the thread
        thread.join()


def taken(connection: socket.socket, n_bytes: int) -> bytes:
    """So many bytes, or what there is before the end; nothing of a connection that is broken off."""
    try:
        return connection.recv(n_bytes)
    except ConnectionError:
        return b""
