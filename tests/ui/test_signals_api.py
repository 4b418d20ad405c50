"""Signals of a product over HTTP: with the token alone, once each, never votes, and gone when their user says so."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from arena.settings import Settings
from arena.signals import LONGEST_TEXT
from arena.store import VoteStore, rewrite
from arena.ui.server import open_site
from arena.ui.signals_api import Intake
from arena.voter import VoterKey
from served import NOON, Arena, ballot_of, serving, vote_on

TOKEN = "a-token-of-the-tests-and-of-nobody-else"
KEY = VoterKey(b"a secret of at least sixteen bytes")
SIGNAL: dict[str, Any] = {
    "id": "event-1",
    "kind": "thumbs",
    "source": "helpdesk",
    "user": "ada@example.org",
    "given_at": "2026-05-01T12:00:00+02:00",
    "model": "larkspur",
    "revision": "r7",
    "messages": [{"role": "user", "content": "How do I reset it?"}],
    "answer": "Hold the button for five seconds.",
    "up": True,
}
EDIT = SIGNAL | {"id": "event-2", "kind": "edit", "edited": "Hold the button for ten seconds."}
del EDIT["up"]


def taking(store: VoteStore | None = None) -> Iterator[Arena]:
    with serving() as start:
        store = store or VoteStore.open(None)
        yield start(store=store, signals=Intake(store, KEY, lambda: NOON, SecretStr(TOKEN)))


@pytest.fixture(scope="module")
def open_arena() -> Iterator[Arena]:
    yield from taking()


@pytest.fixture
def arena(open_arena: Arena) -> Arena:
    """One that takes signals, and has none."""
    with open_arena.store._database.write() as cursor:
        cursor.execute("delete from signals")
    return open_arena


def post(arena: Arena, body: Any, path: str = "/api/signals", token: str | None = TOKEN) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with httpx.Client(base_url=arena.url, trust_env=False) as product:  # a server: it has no cookie
        return product.post(path, headers={"Content-Type": "application/json"} | headers, content=content)


def test_a_signal_is_stored_once_under_names_that_are_keyed(arena: Arena):
    assert post(arena, SIGNAL).json() == {"is_new": True}
    assert post(arena, SIGNAL).json() == {"is_new": False}
    # The same moment said in another zone is the same signal.
    assert post(arena, SIGNAL | {"given_at": "2026-05-01T10:00:00Z"}).json() == {"is_new": False}
    [stored] = arena.store.signals.all()
    assert (stored.model, stored.revision, stored.answer, stored.is_up) == ("larkspur", "r7", SIGNAL["answer"], True)
    assert "ada" not in stored.user
    assert "event" not in stored.id
    assert len(stored.user) == len(stored.id) == 32


def test_another_content_under_a_known_id_is_refused_and_an_id_is_its_source_s_own(arena: Arena):
    post(arena, SIGNAL)
    for change in ({"up": False}, {"user": "bob"}, {"answer": "Something else."}):
        assert post(arena, SIGNAL | change).status_code == 409
    assert post(arena, SIGNAL | {"source": "shop"}).json() == {"is_new": True}
    assert arena.store.signals.counts().n == 2


@pytest.mark.parametrize("token", [None, "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), TOKEN.swapcase(), f"{TOKEN}\xe9"])
def test_without_the_token_nothing_is_taken_or_withdrawn(arena: Arena, token: str | None):
    post(arena, SIGNAL)
    withdrawal = {"source": "helpdesk", "user": "ada@example.org"}
    headers = {} if token is None else {b"Authorization": f"Bearer {token}".encode("latin-1")}
    for path, body in (("/api/signals", EDIT), ("/api/signals/withdrawal", withdrawal)):
        answer = httpx.post(arena.url + path, json=body, headers=headers, trust_env=False)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]) == (401, "bad_token")
    assert arena.store.signals.counts().n == 1


def test_the_token_of_the_settings_opens_the_way_in(tmp_path: Path):
    with VoteStore.open(None) as store:
        for token in (None, SecretStr(TOKEN)):
            settings = Settings(database=tmp_path / "arena.duckdb", signal_token=token)
            site = open_site(store, settings, clock=lambda: NOON, rng=Random(0))
            assert (site.signals is None) == (token is None)
            site.boards.close()
            site.review.close()
        assert site.signals is not None
        assert site.signals.knows(Headers({"Authorization": f"Bearer {TOKEN}"}))
        assert not site.signals.knows(Headers({"Authorization": f"Basic {TOKEN}"}))
        assert TOKEN not in repr(site.signals)


def test_an_arena_without_a_token_has_no_such_address():
    with serving() as start:
        answer = post(start(), SIGNAL)
        assert (answer.status_code, answer.json()["error"]) == (404, "no_such_address")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "applause"}, "kind"),
        ({"up": None}, "the key 'up' goes with the kind 'thumbs'"),
        ({"edited": "x"}, "the key 'edited' goes with the kind 'edit'"),
        ({"kind": "regeneration"}, "the key 'up'"),
        ({"up": 1}, "up"),
        ({"given_at": "yesterday"}, "given_at"),
        ({"given_at": "2026-05-01T12:00:00"}, "given_at"),
        ({"given_at": "0001-01-01T00:00:00+14:00"}, "beyond the years"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "ends with the user"),
        ({"answer": " \n"}, "blank"),
        ({"answer": "x" * (LONGEST_TEXT + 1)}, "answer"),
        ({"answer": "nul \0"}, "character 0"),
        ({"user": ""}, "empty"),
        ({"model": 7.5}, "model"),
        ({"ip": "192.0.2.1"}, "unknown key 'ip'"),
    ],
)
def test_what_is_no_signal_is_refused_in_a_sentence_and_nothing_is_stored(
    arena: Arena, change: dict[str, Any], word: str
):
    answer = post(arena, SIGNAL | change)
    assert (answer.status_code, answer.json()["error"]) == (422, "not_a_signal")
    assert word in answer.json()["why"]
    assert arena.store.signals.counts().n == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"id": "a", "id": "b"}', b'{"up": NaN}', b'{"id": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(arena: Arena, body: bytes):
    assert post(arena, body).status_code == 422


def test_a_long_body_is_taken_with_the_token_alone(arena: Arena):
    long = SIGNAL | {"answer": "x" * LONGEST_TEXT}
    assert post(arena, long, token="wrong").status_code == 413
    assert post(arena, long).json() == {"is_new": True}
    assert post(arena, long, path="/api/signals/withdrawal").status_code == 413


def test_signals_are_no_votes(arena: Arena):
    visitor = arena.visitor()
    vote_on(visitor, ballot_of(visitor)["ballot_id"])
    arena.compute_board()

    def told() -> tuple[Any, ...]:
        me = visitor.get("/api/me").json()
        return arena.store.log.position(), me, visitor.get("/api/leaderboard?up_to=1").json()["leaderboard"]

    before = told()
    assert before[0][0] == 1
    for kind in (SIGNAL, EDIT):
        post(arena, kind)
    arena.compute_board()
    assert told() == before


def test_a_user_s_signals_are_withdrawn_and_do_not_come_back(arena: Arena):
    post(arena, SIGNAL)
    post(arena, EDIT)
    post(arena, SIGNAL | {"id": "event-3", "user": "bob"})
    whose = {"source": "helpdesk", "user": "ada@example.org"}
    assert post(arena, whose, "/api/signals/withdrawal").json() == {"n_withdrawn": 2}
    assert post(arena, whose, "/api/signals/withdrawal").json() == {"n_withdrawn": 0}
    assert post(arena, SIGNAL).json() == {"is_new": False}
    counts = arena.store.signals.counts()
    assert (counts.n, counts.n_withdrawn, counts.n_users) == (1, 2, 1)
    for wrong in ({}, {"user": "bob"}, whose | {"all": True}, whose | {"user": 1.5}):
        assert post(arena, wrong, "/api/signals/withdrawal").status_code == 422


def test_withdrawn_signals_leave_the_bytes_of_the_file_when_it_is_written_anew(tmp_path: Path):
    path = tmp_path / "arena.duckdb"
    for arena in taking(VoteStore.open(path)):
        post(arena, SIGNAL)
        post(arena, EDIT | {"user": "bob"})
        post(arena, {"source": "helpdesk", "user": "ada@example.org"}, "/api/signals/withdrawal")
        post(arena, {"source": "helpdesk", "user": "bob"}, "/api/signals/withdrawal")
    assert b"five seconds" in path.read_bytes()
    done = rewrite(path, NOON + timedelta(hours=1))
    assert done is not None
    assert done.n_texts == 2
    for mark in (b"five seconds", b"ten seconds", b"reset it", TOKEN.encode(), b"ada@example"):
        assert mark not in path.read_bytes()
    assert rewrite(path, NOON + timedelta(hours=2)) is None
