"""Clients that stall: they hold nobody up, are hung up on after a while, and a full house answers calmly."""

import json
import socket
import threading
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from served import Arena, Serve, ballot_of, vote_on

HALVES = {
    "nothing": b"",
    "half a head": b"POST /api/ballots HTTP/1.1\r\nHost: x\r\nContent-Le",
    "half a body": b"POST /api/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 9\r\n\r\n{",
}


def dial(arena: Arena) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(arena.url).port or 0), timeout=20)


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
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", urlsplit(arena.url).port))
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
