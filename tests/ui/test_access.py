"""Who may open what: every role before every page and route, and no page or route that the table does not name."""

import http.client
import re
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import Mount, Route

from arena.login import Login
from arena.role import Right, Role
from arena.session import Session
from arena.ui.access import NEXT, RIGHTS, right_of
from arena.ui.app import build_app
from arena.ui.host_api import NotTheHost, host_of
from arena.ui.page import PAGES
from openid import HASH, PASSWORD, signed_in
from served import NOON, Arena, Serve, ballot_of, serving, vote_on

OPEN = Login(password=HASH)
SHUT = Login(password=HASH, open_to_all=frozenset())


def is_in(client: httpx.Client) -> bool:
    return client.get("/api/host/me").status_code == 200


@pytest.fixture(scope="module")
def shut() -> Iterator[Arena]:
    """An arena that opens nothing to voters but the guideline."""
    with serving() as start:
        yield start(login=SHUT)


def paths(routes: Iterable[Any], below: str = "") -> Iterator[str]:
    """Every path that the application and what is mounted in it answer at."""
    for route in routes:
        if isinstance(route, Mount):
            yield from paths(route.routes, below + route.path) if route.routes else [f"{below}{route.path}/anything"]
        elif isinstance(route, APIRoute | Route):
            yield below + re.sub(r"\{[^}]*\}", "anything", route.path)
        else:  # a router that was included stays one
            yield from paths(route.original_router.routes, below + route.include_context.prefix)


@pytest.fixture(scope="module")
def all_paths() -> list[str]:
    built: list[Any] = []

    def keep(site: Any) -> Any:
        built.append(build_app(site))
        return built[-1]

    with pytest.MonkeyPatch.context() as monkeypatch, serving() as start:
        monkeypatch.setattr("served.build_app", keep)
        start(login=OPEN)
    return sorted(set(paths(built[0].routes)))


def test_every_route_of_the_application_and_of_gradio_has_a_stated_right(all_paths: list[str]):
    found = all_paths
    assert {"/", "/login", "/host", "/api/host/me", "/api/ballots/anything/vote", "/ui/anything"} <= set(found)
    assert "/gradio_api/upload" in found  # Gradio's own are among them
    stated = set(RIGHTS)

    def is_stated(path: str) -> bool:
        above = [path[: place + 1] for place, letter in enumerate(path) if letter == "/" and place]
        return path in stated or any(each in stated for each in above)

    assert [path for path in found if not is_stated(path)] == []


def test_every_api_route_of_ours_is_named_itself_and_not_by_the_rest(all_paths: list[str]):
    ours = [path for path in all_paths if path.startswith("/api/") and path != "/api/anything"]
    assert [path for path in ours if right_of(path) is Right.NOBODY] == []
    assert right_of("/api/anything") is Right.NOBODY


def test_what_the_table_does_not_name_is_nobodys():
    for path in ("/nowhere", "/hosts", "/api/nowhere", "/api/hosts", "//host", "/Host", "/%68ost", "", "/login/x"):
        assert right_of(path) is Right.NOBODY, path
    assert right_of("/host/anything/else") is Right.HOST
    assert right_of("/api/host/anything/else") is Right.HOST


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_a_right(page: str):
    assert right_of(page) is not Right.NOBODY


# ---- the matrix ----

# What stands for each right, with the status of who has it.
PAGES_OF = {
    Right.EVERYBODY: {"/guidelines": 200, "/login": 200},
    Right.VOTE: {"/": 200},
    Right.RESULTS: {"/leaderboard": 200, "/analysis": 200, "/model": 200, "/quality": 200, "/api": 200},
    Right.HOST: {"/host": 200},
}
GETS_OF = {
    Right.EVERYBODY: {"/healthz": 200, "/api/guideline": 200, "/ui/style.css": 200, "/theme.css": 200},
    Right.VOTE: {"/api/me": 200, "/api/calibration": 204},
    Right.RESULTS: {
        "/api/leaderboard": 404,
        "/api/leaderboard?format=csv": 404,
        "/api/analysis": 404,
        "/api/analysis/model?id=larkspur": 404,
        "/api/quality": 404,
        "/api/openapi.json": 200,
    },
    Right.HOST: {"/api/host/me": 200, "/api/host/quality": 404},
}
POSTS_OF = {
    Right.EVERYBODY: {"/api/me/consent": 422},
    Right.VOTE: {"/api/ballots": 200, "/api/ballots/x/vote": 422, "/api/ballots/x/withdrawal": 404},
    Right.RESULTS: {"/api/samples/head-to-head": 422, "/api/samples/model": 422},
    Right.HOST: {},
}
HAVE = {
    (): {Right.EVERYBODY},
    (Role.VOTER,): {Right.EVERYBODY},
    (Role.ANNOTATOR,): {Right.EVERYBODY, Right.VOTE},
    (Role.RESEARCHER,): {Right.EVERYBODY, Right.RESULTS},
    (Role.ANNOTATOR, Role.RESEARCHER): {Right.EVERYBODY, Right.VOTE, Right.RESULTS},
    (Role.HOST,): set(PAGES_OF),
}


@pytest.mark.parametrize("roles", HAVE, ids=lambda roles: "+".join(roles) or "nobody")
def test_each_role_opens_its_pages_and_routes_and_no_others(shut: Arena, roles: tuple[Role, ...]):
    client = signed_in(shut, SHUT, *roles)
    for right, pages in PAGES_OF.items():
        for path, status in pages.items():
            answer = client.get(path)
            if right in HAVE[roles]:
                assert answer.status_code == status, path
                continue
            assert answer.status_code == 303, path
            name = {"/": "arena", "/model": "analysis"}.get(path, path.removeprefix("/"))
            assert answer.headers["location"] == f"./login?next={name}"
            assert not answer.content
    refused = (401, "signed_out") if not roles else (403, "not_yours")
    for method, routes in (("GET", GETS_OF), ("POST", POSTS_OF)):
        for right, known in routes.items():
            for path, status in known.items():
                answer = client.get(path) if method == "GET" else client.post(path, json={})
                if right in HAVE[roles]:
                    assert answer.status_code == status, path
                else:
                    assert (answer.status_code, answer.json()["error"]) == refused, path
                    assert answer.json()["message"]


def test_an_open_arena_keeps_from_voters_only_what_is_the_hosts(serve: Serve):
    client = serve(login=OPEN).visitor()
    for right in (Right.EVERYBODY, Right.VOTE, Right.RESULTS):
        for path, status in (PAGES_OF[right] | GETS_OF[right]).items():
            assert client.get(path).status_code == status, path
    assert client.get("/host").headers["location"] == "./login?next=host"
    assert client.get("/api/host/me").status_code == 401
    assert client.post("/api/host/anything", json={}).status_code == 401


def test_without_a_login_the_hosts_page_says_what_to_set_and_nothing_else(arena: Arena):
    for path in ("/host", "/login"):
        answer = arena.visitor().get(path)
        assert answer.status_code == 404
        assert "BAKEOFF_HOST_PASSWORD_HASH" in answer.text
        assert 'data-t="login.none"' in answer.text
    assert arena.visitor().get("/api/host/me").status_code == 401
    assert arena.visitor().post("/api/login", json={"password": PASSWORD}).status_code == 404
    assert arena.visitor().get("/login/provider").status_code == 404
    assert arena.visitor().get("/login/callback?code=x&state=y").status_code == 404


def test_below_the_hosts_path_everything_is_shut_even_what_is_not_there(shut: Arena):
    client = shut.visitor()
    assert client.get("/host/anything").headers["location"] == "../login"
    assert client.get("/api/host/anything").status_code == 401
    assert client.get("/api/host/").status_code == 401
    host = signed_in(shut, SHUT, Role.HOST)
    assert host.get("/api/host/anything").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_page_is_read_and_nothing_else(shut: Arena, method: str):
    host = signed_in(shut, SHUT, Role.HOST)
    for path in ("/", "/login", "/logout", "/host", "/leaderboard"):
        assert host.request(method, path).status_code == 404, path
    if method != "POST":  # those are taken as JSON of our own pages only
        assert host.request(method, "/api/host/me").status_code == 404
        assert host.request(method, "/api/logout").status_code == 404
    assert is_in(host)


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=https://huggingface.co/x",
        "/gradio_api/stream/x/y/z/playlist.m3u8",
        "/gradio_api/deep_link",
        "/gradio_api/info",
        "/gradio_api/queue/data?session_hash=x",
        "/config",
        "/config?page=host",
        "/monitoring/summary",
        "/logout",
        "/..%2fhost",
    ],
)
def test_gradios_doors_that_take_files_and_addresses_are_shut_for_hosts_too(shut: Arena, path: str):
    for client in (shut.visitor(), signed_in(shut, SHUT, Role.HOST)):
        assert client.get(path).status_code == 404
    for way in ("upload", "run/x", "queue/join", "reset", "component_server"):
        assert shut.visitor().post(f"/gradio_api/{way}", json={}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/ui/../host", "/assets/../host", "/static/../../api/host/me", "//host", "/login/../host"]
)
def test_no_way_around_the_door_leads_by_dots(shut: Arena, path: str):
    # httpx would take the dots out before it asks.
    connection = http.client.HTTPConnection(shut.url.removeprefix("http://"), timeout=10)
    connection.request("GET", path)
    assert connection.getresponse().status in (303, 403, 404)
    connection.close()


def test_a_path_that_is_not_there_answers_calmly(shut: Arena):
    page = shut.visitor().get("/nowhere")
    assert page.status_code == 404
    assert 'data-t="refusal.no_such_address"' in page.text
    assert "content-security-policy" in page.headers
    assert shut.visitor().get("/api/nowhere").json()["error"] == "no_such_address"


def test_no_cache_keeps_what_is_not_for_all(shut: Arena):
    host = signed_in(shut, SHUT, Role.HOST)
    for path in ("/", "/leaderboard", "/host", "/api", "/api/openapi.json", "/api/host/me"):
        assert host.get(path).headers["cache-control"] == "no-store", path
    assert shut.visitor().get("/leaderboard").headers["cache-control"] == "no-store"


# ---- who votes ----


def test_an_annotator_is_one_voter_on_every_device_and_no_account_is_told(shut: Arena):
    laptop = signed_in(shut, SHUT, Role.ANNOTATOR, account="pseudonym-1")
    phone = signed_in(shut, SHUT, Role.ANNOTATOR, account="pseudonym-1")
    other = signed_in(shut, SHUT, Role.ANNOTATOR, account="pseudonym-2")
    ballot = ballot_of(laptop)
    assert ballot_of(phone)["ballot_id"] == ballot["ballot_id"]
    assert ballot_of(other)["ballot_id"] != ballot["ballot_id"]
    vote_on(phone, ballot["ballot_id"]).raise_for_status()
    assert laptop.get("/api/me").json()["votes"]["mine"] == 1
    assert other.get("/api/me").json()["votes"]["mine"] == 0


def test_a_host_who_votes_is_the_voter_of_the_browser(shut: Arena):
    one, other = (signed_in(shut, SHUT, Role.HOST) for _ in range(2))
    assert ballot_of(one)["ballot_id"] != ballot_of(other)["ballot_id"]


def test_the_hosts_route_says_the_role_and_the_chosen_name(serve: Serve):
    login = Login(password=HASH, signed_as="The committee")
    told = signed_in(serve(login=login), login, Role.HOST).get("/api/host/me").json()
    assert told == {"roles": ["host"], "name": "The committee", "ends_at": "2026-11-21T20:00:00+00:00"}


def test_pages_say_who_is_signed_in_to_them_and_to_nobody_else(shut: Arena):
    host = signed_in(shut, SHUT, Role.HOST, Role.ANNOTATOR)
    for path in ("/", "/leaderboard", "/guidelines", "/host"):
        assert 'id="bakeoff-session" data-roles="annotator host"' in host.get(path).text, path
    assert "bakeoff-session" not in shut.visitor().get("/guidelines").text


def test_where_one_may_go_on_to_is_a_list_of_our_own_pages():
    assert set(NEXT.values()) == {"", "leaderboard", "analysis", "quality", "guidelines", "host", "api"}


def test_the_hosts_routes_ask_again_whatever_the_door_has_let_through():
    def of(*roles: Role) -> Request:
        session = Session("id", frozenset(roles), "account", NOON)
        return Request({"type": "http", "state": {"session": session}})

    assert host_of(of(Role.HOST)).roles == {Role.HOST}
    for request in (of(Role.RESEARCHER, Role.ANNOTATOR), of(), Request({"type": "http", "state": {"session": None}})):
        with pytest.raises(NotTheHost):
            host_of(request)
