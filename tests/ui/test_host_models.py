"""How the models that answer live do, on the host's page: for the host alone."""

from collections.abc import Iterator

import httpx
import pytest
from model_server import ModelServer, Reply
from model_server import serving as serving_models
from playwright.sync_api import BrowserContext, expect

from arena.errors import Failure
from arena.login import Login
from arena.ui.texts import LANGUAGES, texts
from openid import HASH, PASSWORD
from served import MODELS, Arena, Serve

LIVE = "[live]\nown_prompts = true\n"


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with serving_models() as server:
        for number, model in enumerate(MODELS):
            server.says(model.id, Reply(pieces=("The sky ", f"number {number} ", "is blue.")))
        server.says(MODELS[0].id, Reply(status=401, error={"message": "the key of Vexaria Labs is wrong"}))
        yield server


@pytest.fixture
def arena(serve: Serve, models: ModelServer) -> Arena:
    return serve(rules=LIVE, models=models, login=Login(password=HASH))


def signed_in(arena: Arena) -> httpx.Client:
    host = arena.visitor()
    host.post("/api/login", json={"password": PASSWORD}).raise_for_status()
    return host


def test_nobody_but_the_host_is_told(arena: Arena):
    for client in (arena.visitor(), arena.stranger()):
        assert client.get("/api/host/models").status_code in (401, 403)


def test_the_host_is_told_of_each_model(arena: Arena):
    visitor = arena.visitor()
    for number in range(12):
        visitor.post("/api/live", json={"text": f"Why, {number}?"}).raise_for_status()

    told = signed_in(arena).get("/api/host/models").json()

    of = {each["id"]: each for each in told["models"]}
    assert set(of) == {model.id for model in MODELS}
    assert told["running"] == 0
    ill = of[MODELS[0].id]
    assert ill["failures"] == {"no_key": 1}  # and then it rested
    assert ill["rests_for"] > 0
    assert ill["last_failure"] == {"failure": "no_key", "detail": "HTTP 401: the key of Vexaria Labs is wrong"}
    assert sum(each["answers"] for each in told["models"]) == 24 + 5 * len(MODELS)  # the first of each made the tempo


@pytest.mark.journey
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_hosts_page_has_them_as_a_table(size: str, arena: Arena, request: pytest.FixtureRequest):
    context: BrowserContext = request.getfixturevalue(size)
    arena.visitor().post("/api/live", json={"text": "Why?"}).raise_for_status()
    page = context.new_page()
    page.goto(f"{arena.url}/login")
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/host")

    expect(page.locator("#host-models tbody tr")).to_have_count(len(MODELS))


def test_an_arena_without_live_models_has_no_such_section(serve: Serve):
    host = signed_in(serve(login=Login(password=HASH)))
    assert host.get("/api/host/models").status_code == 404
    assert "host-models" not in host.get("/host").text


def test_every_failure_has_a_name_in_every_language():
    for language in LANGUAGES:
        told = texts(language)
        for failure in Failure:
            assert told[f"models.failed.{failure.name.lower()}"]
