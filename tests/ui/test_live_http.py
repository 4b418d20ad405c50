"""Live battles over real HTTP: what a client gets before the vote, and what it can do with it."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest
from model_server import ModelServer, Reply
from model_server import serving as serving_models

from served import MODELS, Arena, Serve, ballot_of, everything, named_in, vote_on

LIVE = "[live]\nown_prompts = true\n"
QUESTION = {"text": "Why is the sky blue?"}


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with serving_models() as server:
        for number, model in enumerate(MODELS):
            words = f"It scatters. This is answer number {number} of several. ".split(" ")
            server.says(model.id, Reply(pieces=tuple(f"{word} " for word in words), calls_itself=f"{model.id}@main"))
        yield server


@pytest.fixture
def arena(serve: Serve, models: ModelServer) -> Arena:
    return serve(rules=LIVE, models=models)


def put(client: httpx.Client, text: str = QUESTION["text"]) -> list[dict[str, Any]]:
    """All lines of a live battle."""
    response = client.post("/api/live", json={"text": text}).raise_for_status()
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_prompt_becomes_a_ballot_and_a_vote_reveals_who_answered(arena: Arena):
    client = arena.visitor()

    *shown, last = put(client)

    assert {tuple(line) for line in shown} == {("a", "b")}
    assert set(last) == {"ballot", "votes", "last"}
    assert last["ballot"]["messages"][0]["html"].strip() == "<p>Why is the sky blue?</p>"
    revealed = vote_on(client, last["ballot"]["ballot_id"]).raise_for_status().json()
    assert {revealed["a"]["name"], revealed["b"]["name"]} <= {model.name for model in MODELS}
    assert arena.n_votes == 1


def test_no_byte_before_the_vote_tells_who_answers(arena: Arena, models: ModelServer):
    for number in range(6):
        client = arena.visitor()
        page = client.get("/")
        opened = client.post("/api/live/open", json={})
        response = client.post("/api/live", json=QUESTION)
        for each in (opened, response):
            assert named_in(everything(each)) == []
            assert "chatcmpl" not in each.text
            for word in ("tokens", "latency", "finish", "usage", "stop", "revision"):
                assert word not in each.text
        assert "quillon-9b" not in page.text
        assert number >= 0
    assert len(models.requests) == 12


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=500, error={"message": "quillon-9b of Vexaria Labs is out of memory"}),
        Reply(fails_after=6, how="error", error={"message": "brindle-xl has failed"}, between=0.1),
        Reply(fails_after=6, how="cut", between=0.1),
    ],
)
def test_an_upstream_message_never_reaches_the_page(serve: Serve, models: ModelServer, fault: Reply):
    for model in MODELS:
        models.says(model.id, replace(fault, pieces=fault.pieces * 10))
    arena = serve(rules=LIVE, models=models)

    response = arena.visitor().post("/api/live", json=QUESTION)

    lines = [json.loads(line) for line in response.text.splitlines()]
    assert lines[-1] == {"closed": True}
    assert named_in(everything(response)) == []
    assert "memory" not in response.text


def test_lines_come_at_an_even_pace_whoever_answers(arena: Arena):
    client = arena.visitor()

    times = list[float]()
    with client.stream("POST", "/api/live", json=QUESTION) as response:
        for _ in response.iter_lines():
            times.append(time.monotonic())

    gaps = [later - earlier for earlier, later in pairwise(times[:-1])]
    assert len(gaps) > 2
    assert sum(gaps) / len(gaps) == pytest.approx(0.2, rel=0.5)


def test_who_hangs_up_ends_the_requests(serve: Serve, models: ModelServer):
    for model in MODELS:
        models.says(model.id, Reply(pieces=("word ",) * 2000, between=0.05))
    arena = serve(rules=LIVE, models=models)

    with arena.visitor().stream("POST", "/api/live", json=QUESTION) as response:
        lines = response.iter_lines()
        while not json.loads(next(lines))["a"]:
            pass
        assert models.n_open == 2

    deadline = time.monotonic() + 10
    while models.n_open and time.monotonic() < deadline:
        time.sleep(0.02)
    assert models.n_open == 0
    assert arena.visitor().get("/healthz").status_code == 200


def test_a_reload_shows_the_same_ballot_and_a_stranger_gets_nothing_of_it(arena: Arena):
    client = arena.visitor()
    ballot = put(client)[-1]["ballot"]

    assert client.post("/api/live/open", json={}).json()["ballot"] == ballot
    other = arena.visitor().post("/api/live/open", json={}).json()
    assert (other["ballot"], other["has_bank"]) == (None, True)
    assert vote_on(arena.visitor(), ballot["ballot_id"]).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"text": ""}, 422, "prompt_empty"),
        ({"text": "x" * 4001}, 422, "prompt_too_long"),
        ({"text": "a\u0007b"}, 422, "prompt_control"),
        ({"text": "Who are you?"}, 422, "prompt_identity"),
        ({"text": 7}, 422, "bad_request"),
        ({}, 422, "bad_request"),
        ({"text": "Why?", "model_a": "brindle-xl"}, 422, "bad_request"),
        ({"text": "x" * 60_000}, 413, "too_large"),
    ],
)
def test_what_cannot_be_put_is_refused_calmly(
    arena: Arena, models: ModelServer, body: dict[str, Any], status: int, error: str
):
    response = arena.visitor().post("/api/live", json=body)

    assert (response.status_code, response.json()["error"]) == (status, error)
    assert models.requests == []


def test_without_a_cookie_nothing_is_asked(arena: Arena, models: ModelServer):
    assert arena.stranger().post("/api/live", json=QUESTION).status_code == 403
    assert models.requests == []


def test_an_arena_without_own_prompts_has_no_such_address(serve: Serve):
    arena = serve()

    assert arena.visitor().post("/api/live", json=QUESTION).status_code == 404


def test_votes_go_on_while_battles_are_under_way(serve: Serve, models: ModelServer):
    for model in MODELS:
        models.says(model.id, Reply(pieces=(f"word of {model.id[:1]} ",) * 60, between=0.03))
    arena = serve(rules=LIVE, models=models)
    voter = arena.visitor()

    with arena.visitor().stream("POST", "/api/live", json=QUESTION) as response:
        lines = response.iter_lines()
        next(lines)
        for _ in range(3):
            vote_on(voter, ballot_of(voter)["ballot_id"]).raise_for_status()
        assert arena.n_votes == 3
        *_, last = lines
    assert "ballot" in json.loads(last)
