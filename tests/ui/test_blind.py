"""Whatever a browser or a client of one's own can get before the vote names, numbers and fingerprints no model.

Every model and every answer of this arena carries words and numbers that occur nowhere else. A walker asks for all that
there is to ask for, in good and in bad ways, and looks for them in every byte, also in what the bytes stand for.
"""

import base64
import gzip
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import BrowserContext, Error, Page, WebSocket
from scipy.stats import binomtest

from arena.battle import ItemKind, KnownVerdict, PromptId, Verdict
from canaries import (
    N_MODELS,
    N_PROMPTS,
    NAMING,
    Walk,
    answers,
    canary_arena,
    canary_store,
    given_away,
    models,
    number,
    texts_in,
    walked,
    word,
)
from served import NOON, Arena, Serve, ballot_of, in_state, serving, skip, vote_on, withdraw


@pytest.fixture
def canaries(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arena:
    """An arena of canaries before anybody voted; what Gradio writes to disk goes to a folder of this test."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return canary_arena(serve)


@pytest.fixture(scope="module")
def with_board() -> Iterator[Arena]:
    """An arena of canaries with a leaderboard."""
    with serving() as start:
        arena = canary_arena(start)
        arena.crowd(14)
        arena.compute_board()
        yield arena


# ---- the walker ----


def test_the_walker_finds_what_is_hidden_in_other_dress():
    secret, answer = word(0, "id"), answers()[0]
    for dressed in (
        secret.upper().encode(),
        json.dumps({"x": "".join(f"\\u{ord(each):04x}" for each in secret)}).replace("\\\\", "\\").encode(),
        "".join(f"%{ord(each):02x}" for each in secret).encode(),
        "".join(f"&#{ord(each)};" for each in secret).encode(),
        base64.b64encode(f"model {secret}".encode()),
        base64.urlsafe_b64encode(gzip.compress(secret.encode())),
        gzip.compress(secret.encode()),
        secret.encode().hex().encode(),
        secret[::-1].encode(),
        f'{{"took": {answer.latency_ms}}}'.encode(),
        f"x-tokens: {answer.tokens}".encode(),
        hashlib.sha256(secret.encode()).hexdigest().encode(),
        answer.id.encode(),
    ):
        assert given_away(dressed), dressed
    assert not given_away(b"nothing at all 1234567 q0123456789ab")


def test_before_anybody_voted_no_route_gives_a_model_away(canaries: Arena, tmp_path: Path):
    visitor = canaries.visitor()
    ballot = ballot_of(visitor)
    walk = walked(canaries, visitor, ballot["ballot_id"])
    assert len(walk.seen) > 200
    own = texts_in(json.dumps(ballot).encode())
    assert len(own) == 2
    for address, status, data in walk.seen:
        assert not given_away(data), address
        assert texts_in(data) <= own, address
        assert b"root:x:" not in data, address
        assert status < 500, address
    # None of it stored anything, opened anything, or wrote anything to disk.
    assert canaries.n_acts == 0
    assert ballot_of(visitor) == ballot
    assert [path for path in (tmp_path / "gradio").rglob("*") if path.is_file()] == []


def test_an_arena_with_thumbs_gives_away_no_more(serve: Serve):
    arena = canary_arena(serve, "[labels]\nthumbs = true\n")
    visitor = arena.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    walk = walked(arena, visitor, ballot_id)
    for thumbs in ({"A": "up", "C": "up"}, {"A": "left"}, ["up"], {"A": None}):
        walk.ask("POST", f"/api/ballots/{ballot_id}/vote", json={"verdict": "A", "labels": {"thumbs": thumbs}})
    assert "POST" in walk.seen[-1][0]
    assert walk.seen[-1][1] == 422
    for address, _, data in walk.seen:
        assert not given_away(data), address
    assert arena.n_acts == 0


def test_with_a_board_only_the_routes_that_are_for_it_name_models(with_board: Arena):
    visitor = with_board.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    walk = walked(with_board, visitor, ballot_id)
    naming = {urlsplit(address.split(" ", 1)[1]).path for address, _, data in walk.seen if given_away(data)}
    assert {path for path in naming if not NAMING.match(path)} == set()
    assert "/api/leaderboard" in naming  # the walker sees names where there are names


def test_how_an_answer_was_made_is_told_nowhere(with_board: Arena):
    made = {str(number(p, n, kind)) for p in range(N_PROMPTS) for n in range(N_MODELS) for kind in ("price", "tokens")}
    made |= {str(number(p, n, "latency")) for p in range(N_PROMPTS) for n in range(N_MODELS)}
    kinds = ("revision", "provider", "finish reason")
    made |= {word(p, n, kind) for p in range(N_PROMPTS) for n in range(N_MODELS) for kind in kinds}
    visitor = with_board.visitor()
    walk = Walk(visitor)
    ballot = ballot_of(visitor)
    for model in models():
        walk.ask("GET", f"/api/analysis/model?id={model.id}")
        walk.ask("POST", "/api/samples/model", json={"id": model.id})
    walk.ask("GET", "/api/leaderboard?format=csv")
    walk.ask("POST", f"/api/ballots/{ballot['ballot_id']}/vote", json={"verdict": "A"})
    walk.ask("GET", "/api/me")
    for address, _, data in walk.seen:
        assert not given_away(data) & made, address


# ---- kinds of items ----

KINDS = """[ballot]
show_others_from = 0
[items]
overlap = 0.3
overlap_voters = 2
repeat = 0.3
repeat_after = 1
gold = 0.3
"""
# What only the database says of them; the policy, which is public, names shares and no kind.
KIND_CANARIES = (b"item_kind", b'"overlap"', b'"repeat"', b'"gold"', b'"fresh"')


def test_no_byte_tells_which_kind_of_item_a_ballot_is_before_the_vote_or_after(serve: Serve):
    store = canary_store()
    ids = store.catalogue.current_answers()
    first, second, *_ = sorted(model.id for model in models())
    known = [
        KnownVerdict(
            PromptId(f"q{p}"), ids[PromptId(f"q{p}"), first], ids[PromptId(f"q{p}"), second], Verdict.A, "known"
        )
        for p in range(N_PROMPTS)
    ]
    store.gold.add(known, NOON)
    arena = serve(earlier=SimpleNamespace(store=store), rules=KINDS)
    shapes: dict[ItemKind, set[str]] = {}
    for _ in range(4):
        visitor = arena.visitor()
        vote_on(visitor, ballot_of(visitor)["ballot_id"])  # so that there is a last vote to tell of, from the first on
        for _ in range(8):
            walk = Walk(visitor)
            walk.ask("POST", "/api/ballots", json={})
            ballot = ballot_of(visitor)
            opened = store.ballots.find(ballot["ballot_id"])
            assert opened is not None
            walk.ask("POST", f"/api/ballots/{ballot['ballot_id']}/vote", json={"verdict": "left"})
            assert not any(given_away(data) for _, _, data in walk.seen)
            walk.ask("POST", f"/api/ballots/{ballot['ballot_id']}/vote", json={"verdict": "A"})
            walk.ask("GET", "/api/me")
            walk.ask("GET", "/api/me/votes")
            shapes.setdefault(opened.battle.item_kind, set()).add(shape_of(walk))
            for address, _, data in walk.seen:
                assert not any(each in data for each in KIND_CANARIES), address
    assert set(shapes) == set(ItemKind)
    # One shape for all: the same addresses, statuses, names of headers, and keys at every depth.
    assert len(set.union(*shapes.values())) == 1


def shape_of(walk: Walk) -> str:
    """What answers look like, without what they say."""

    def keys(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: keys(each) for key, each in sorted(value.items())}
        return [keys(each) for each in value[:1]] if isinstance(value, list) else None

    looks = []
    for address, status, data in walk.seen:
        head, _, body = data.partition(b"\n")
        names = sorted(re.findall(rb"'([a-z-]+)':", head.partition(b"Headers(")[2].partition(b")")[0]))
        with suppress(ValueError):
            looks.append((address.split(" ")[0], status, names, keys(json.loads(body))))
    return repr(looks)


# ---- the routes that name models, and the open ballot ----

PUBLIC = (
    "/api/leaderboard",
    "/api/leaderboard?source=human&format=csv",
    "/api/analysis",
    "/api/analysis/matrix",
    "/api/analysis/history",
    "/api/analysis/collection",
    "/api/analysis/position",
    "/api/analysis/agreement",
    "/api/quality",
    "/api/openapi.json",
)


def test_a_ballot_that_is_opened_changes_no_byte_of_the_public_routes(with_board: Arena):
    stranger, visitor = with_board.stranger(), with_board.visitor()
    before = [stranger.get(path, timeout=30).content for path in PUBLIC]
    as_visitor = [visitor.get(path, timeout=30).content for path in PUBLIC]
    assert ballot_of(visitor)["ballot_id"]
    assert [stranger.get(path, timeout=30).content for path in PUBLIC] == before
    assert [visitor.get(path, timeout=30).content for path in PUBLIC] == as_visitor == before
    for told in before:
        assert not texts_in(told)


def shown_samples(client: httpx.Client) -> set[tuple[int, int]]:
    """Whose answers to which prompt anybody can read with their authors' names."""
    found = set[tuple[int, int]]()
    for model in models():
        for page in range(4):
            found |= texts_in(client.post("/api/samples/model", json={"id": model.id, "page": page}).content)
    return found


def test_samples_show_a_voter_nothing_of_the_open_ballot(with_board: Arena):
    for _ in range(3):
        visitor = with_board.visitor()
        [(prompt, _), _] = texts_in(json.dumps(ballot_of(visitor)).encode())
        assert prompt not in {shown for shown, _ in shown_samples(visitor)}


def test_a_second_browser_can_look_up_one_question_in_four_and_no_more(with_board: Arena):
    # The risk that remains: who reads the samples in another browser recognises the answers to these questions. They
    # are always the same ones, so whatever the number of browsers, three questions in four stay blind.
    named = {prompt for each in range(3) for prompt, _ in shown_samples(with_board.visitor())}
    assert len(named) <= N_PROMPTS // 4


# ---- in a browser ----


def recorded(page: Page) -> list[bytes]:
    """Everything that reaches a page from now on."""
    kept: list[bytes] = []

    def keep(*what: object) -> None:
        kept.append(repr(what).encode())

    def keep_response(response: Any) -> None:
        keep(response.url, response.status, response.all_headers())
        with suppress(Error):  # a body that is gone, as of a redirect
            kept.append(response.body())

    def keep_frames(opened: WebSocket) -> None:
        opened.on("framereceived", keep)
        opened.on("framesent", keep)

    page.on("response", keep_response)
    page.on("request", lambda request: keep(request.url, request.headers, request.post_data))
    page.on("console", lambda message: keep(message.text))
    page.on("pageerror", lambda error: keep(error.message, error.stack))
    page.on("websocket", keep_frames)
    return kept


_STORED = """async () => {
  const bases = [];
  for (const { name } of await indexedDB.databases()) bases.push(name);
  const caches_ = 'caches' in window ? await caches.keys() : [];
  const globals = Object.keys(window).filter(key => !/^on/.test(key)).map(key => {
    try { return key + '=' + JSON.stringify(window[key]); } catch { return key; }
  });
  return JSON.stringify([{...localStorage}, {...sessionStorage}, bases, caches_, document.cookie, globals,
    performance.getEntries().map(each => JSON.stringify(each)), document.documentElement.outerHTML, history.state]);
}"""


@pytest.mark.journey
def test_thumbs_stay_in_the_browser_until_the_vote(desktop: BrowserContext, serve: Serve):
    arena = canary_arena(serve, "[labels]\nthumbs = true\n")
    page = desktop.new_page()
    kept, sent = recorded(page), list[str]()
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.goto(arena.url)
    in_state(page, "voting")
    for key in ("q", "p", "w", "o", "o"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    kept += [page.evaluate(_STORED).encode(), page.title().encode()]
    assert not any(given_away(data) for data in kept)
    assert not any("thumb" in body for body in sent)
    page.keyboard.press("t")
    in_state(page, "revealed")
    assert [json.loads(body) for body in sent if "thumb" in body] == [
        {"verdict": "tie", "labels": {"thumbs": {"A": "down"}}}
    ]


@pytest.mark.journey
def test_nothing_that_a_browser_holds_before_the_vote_gives_a_model_away(desktop: BrowserContext, canaries: Arena):
    page = desktop.new_page()
    kept = recorded(page)
    page.goto(canaries.url)
    in_state(page, "voting")
    for key in ("g", "Escape", "?", "Escape", "m", "Escape", "l", "s", "Escape"):
        page.keyboard.press(key)
    page.wait_for_timeout(1500)
    page.reload()
    in_state(page, "voting")
    kept += [page.evaluate(_STORED).encode(), repr(desktop.cookies()).encode(), page.title().encode()]
    assert len(kept) > 50
    for data in kept:
        assert not given_away(data), data[:300]
    # The walker's eyes are open: after the vote they see the names.
    page.keyboard.press("a")
    in_state(page, "revealed")
    page.wait_for_timeout(300)
    assert given_away(page.content().encode())


# ---- two voters, and the sides ----


def test_two_voters_of_one_process_get_pairs_and_sides_of_their_own(serve: Serve):
    arena = canary_arena(serve)
    n_same_pair = n_higher_on_a = 0
    n_pairs = 40
    ids = []
    for _ in range(n_pairs):
        ballots = [ballot_of(arena.visitor()) for _ in range(2)]
        ids += [ballot["ballot_id"] for ballot in ballots]
        shown = []
        for ballot in ballots:
            [(prompt, a)], [(_, b)] = (texts_in(ballot[side].encode()) for side in ("answer_a", "answer_b"))
            n_higher_on_a += a > b
            shown.append((prompt, {a, b}))
        n_same_pair += shown[0] == shown[1]
    # 12 prompts and 10 pairs of models: two independent draws agree once in 120.
    assert binomtest(n_same_pair, n_pairs, 1 / 120).pvalue > 1e-4
    assert binomtest(n_higher_on_a, 2 * n_pairs, 0.5).pvalue > 1e-4
    # Ids carry no order: of any two that follow each other the first is as often the smaller one. Successive
    # comparisons of random ids are rising with variance (n + 1) / 12, so five standard deviations are this many.
    rising = sum(one < other for one, other in pairwise(ids))
    assert abs(rising - (len(ids) - 1) / 2) < 5 * ((len(ids) + 1) / 12) ** 0.5
    assert len(set(ids)) == len(ids)


# ---- the vote: once, and by the right voter ----


def test_what_gradio_brings_gains_nothing_with_any_session(canaries: Arena):
    visitor = canaries.visitor()
    ballot_id = ballot_of(visitor)["ballot_id"]
    cookie = next(iter(visitor.cookies.values()))
    for session in ("x", ballot_id, cookie, "../../x", "", "0"):
        body = {"data": [ballot_id, "A"], "fn_index": 0, "session_hash": session, "api_name": "/vote"}
        for path in ("queue/join", "run/vote", "api/vote", "call/vote", "call/v2/vote", "component_server", "cancel"):
            answer = visitor.post(f"/gradio_api/{path}", json=body)
            assert answer.status_code == 404, path
        for path in (f"queue/data?session_hash={session}", f"heartbeat/{session}", f"deep_link?session_hash={session}"):
            assert visitor.get(f"/gradio_api/{path}").status_code == 404, path
    assert canaries.n_acts == 0


def test_no_address_of_a_client_is_called(canaries: Arena):
    called = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.5)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        client = canaries.visitor()
        for path in (f"/gradio_api/proxy={address}", f"/gradio_api/file={address}", f"/?url={address}"):
            client.get(path, headers={"Referer": address, "X-Forwarded-Host": address, "X-Direct-Url": address})
        client.post("/gradio_api/queue/join", json={"data": [{"path": address, "url": address}], "session_hash": "x"})
        with suppress(TimeoutError):
            trap.accept()
            called.set()
    assert not called.is_set()


def votes_by(arena: Arena, visitor: httpx.Client) -> dict[str, tuple[httpx.Client, str]]:
    """A client and a ballot for every way in which a vote is not its sender's to cast."""
    voted, skipped, withdrawn, expired, foreign = (arena.visitor() for _ in range(5))
    ids = {name: ballot_of(client)["ballot_id"] for name, client in (("voted", voted), ("skipped", skipped))}
    ids |= {"withdrawn": ballot_of(withdrawn)["ballot_id"], "foreign": ballot_of(foreign)["ballot_id"]}
    vote_on(voted, ids["voted"], "B").raise_for_status()
    vote_on(withdrawn, ids["withdrawn"], "B").raise_for_status()
    withdraw(withdrawn, ids["withdrawn"]).raise_for_status()
    skip(skipped, ids["skipped"]).raise_for_status()
    stranger = arena.stranger()
    ids["expired"] = ballot_of(expired)["ballot_id"]
    return {
        "replayed with another verdict": (voted, ids["voted"]),
        "after its withdrawal": (withdrawn, ids["withdrawn"]),
        "after its skip": (skipped, ids["skipped"]),
        "somebody else's": (visitor, ids["foreign"]),
        "without a cookie": (stranger, ids["foreign"]),
        "invented": (visitor, "A" * 22),
        "expired": (expired, ids["expired"]),
    }


def test_a_vote_that_is_not_ones_own_or_comes_too_late_is_refused_and_leaves_no_row(canaries: Arena):
    cases = votes_by(canaries, canaries.visitor())
    canaries.clock.now += timedelta(minutes=121)
    before = canaries.n_acts
    told = {name: vote_on(client, ballot_id, "A") for name, (client, ballot_id) in cases.items()}
    assert {name: answer.status_code for name, answer in told.items()} == {
        "replayed with another verdict": 409,
        "after its withdrawal": 410,
        "after its skip": 410,
        "somebody else's": 404,
        "without a cookie": 403,
        "invented": 404,
        "expired": 410,
    }
    assert canaries.n_acts == before
    for name, answer in told.items():
        assert not given_away(answer.content), name
