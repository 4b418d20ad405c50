"""Whatever a browser or a client of one's own can get before the vote names, numbers and fingerprints no model.

Every model and every answer of this arena carries words and numbers that occur nowhere else. A walker asks for all that
there is to ask for, in good and in bad ways, and looks for them in every byte, also in what the bytes stand for.
"""

import base64
import gzip
import hashlib
import html
import json
import re
import socket
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest
from playwright.sync_api import BrowserContext, Error, Page, WebSocket
from scipy.stats import binomtest
from starlette.routing import Mount

from arena.battle import Answer, Message, Model, ModelId, Prompt, PromptId
from arena.pack import answer_id
from arena.store import VoteStore
from served import NOON, Arena, Serve, ballot_of, in_state, serving, skip, vote_on, withdraw

N_MODELS, N_PROMPTS = 5, 12

# Routes that name models since that is what they are for. They are about votes that were cast, not about a ballot that
# is open, and are held to that by tests of their own below.
NAMING = re.compile(r"/api/(leaderboard|analysis|samples|me)(/|\?|$)")


def word(*of: object) -> str:
    """A word that stands for these and occurs nowhere else."""
    return "q" + hashlib.sha256(repr(of).encode()).hexdigest()[:12]


def number(*of: object) -> int:
    """A number of seven digits that stands for these."""
    return 3_000_000 + int(hashlib.sha256(repr(of).encode()).hexdigest(), 16) % 6_000_000


def models() -> list[Model]:
    return [
        Model(
            ModelId(word(n, "id")),
            f"The {word(n, 'name')} Model",
            organization=f"{word(n, 'organization')} Labs",
            license=word(n, "license"),
            open_weights=True,
            url=f"https://{word(n, 'url')}.example/card",
            aliases=(word(n, "alias"), word(n, "another alias")),
        )
        for n in range(N_MODELS)
    ]


def answers() -> list[Answer]:
    made = []
    for p in range(N_PROMPTS):
        for n, model in enumerate(models()):
            text = f"Answer **{word(p, n, 'text')}**."
            made.append(
                Answer(
                    answer_id(f"q{p}", model.id, text),
                    PromptId(f"q{p}"),
                    model.id,
                    text,
                    revision=word(p, n, "revision"),
                    params={"provider": word(p, n, "provider"), "price": number(p, n, "price")},
                    tokens=number(p, n, "tokens"),
                    latency_ms=number(p, n, "latency") + 0.25,
                    finish_reason=word(p, n, "finish reason"),
                )
            )
    return made


def secrets() -> set[str]:
    """Everything that gives a model away, in small letters: facts, how answers were made, and digests of these."""
    found = set()
    for n, model in enumerate(models()):
        kinds = ("id", "name", "organization", "license", "url", "alias", "another alias")
        found |= {word(n, kind) for kind in kinds}
        for text in (model.id, model.name):
            found |= {hashlib.new(kind, text.encode()).hexdigest() for kind in ("md5", "sha1", "sha256")}
    for p in range(N_PROMPTS):
        for n in range(N_MODELS):
            found |= {word(p, n, kind) for kind in ("revision", "provider", "finish reason")}
            found |= {str(number(p, n, kind)) for kind in ("price", "tokens", "latency")}
    return found | {answer.id for answer in answers()}


SECRETS = secrets()
# One pass over the bytes; a secret is hexadecimal digits after a q, digits alone, or a digest.
_MAY_BE = re.compile(r"q[0-9a-f]{12}|[0-9a-f]{32,64}|\d{7,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
TEXTS = {word(p, n, "text"): (p, n) for p in range(N_PROMPTS) for n in range(N_MODELS)}


def readings(data: bytes, depth: int = 2) -> Iterator[str]:
    """What the bytes are, and what they may stand for: escapes, entities, base64, hexadecimal digits, compression."""
    text = data.decode("utf-8", "replace").lower()
    yield text
    yield text[::-1]
    yield re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    yield unquote(text)
    yield html.unescape(text)
    if depth == 0:
        return
    with suppress(OSError, EOFError, zlib.error):
        yield from readings(gzip.decompress(data), depth - 1)
    with suppress(zlib.error):
        yield from readings(zlib.decompress(data), depth - 1)
    if len(data) > 200_000:
        return  # a script of Gradio's; what is made for a visitor is short
    for found in _BASE64.findall(data):
        core = found.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        with suppress(ValueError):
            yield from readings(base64.b64decode(core + b"=" * (-len(core) % 4)), depth - 1)
        with suppress(ValueError):
            yield bytes.fromhex(core.decode()).decode("utf-8", "replace").lower()


def given_away(data: bytes) -> set[str]:
    """The secrets in the bytes, in whatever dress."""
    return {word for reading in readings(data) for word in _MAY_BE.findall(reading) if word in SECRETS}


def texts_in(data: bytes) -> set[tuple[int, int]]:
    """Whose answers to which prompt are in the bytes."""
    return {TEXTS[each] for reading in readings(data, 0) for each in _MAY_BE.findall(reading) if each in TEXTS}


def canary_store() -> VoteStore:
    store = VoteStore.open(None)
    store.catalogue.add_models(models(), NOON)
    asked = [
        Prompt(PromptId(f"q{p}"), (Message("user", f"Question number {p}?"),), "facts", "en") for p in range(N_PROMPTS)
    ]
    store.catalogue.add_prompts(asked, NOON)
    store.catalogue.add_answers(answers(), NOON)
    return store


def canary_arena(serve: Serve) -> Arena:
    return serve(earlier=SimpleNamespace(store=canary_store()))


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


def addresses(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path of an application and of all that is mounted in it."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from addresses(route.original_router.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Mount):
            inner: Any = route.app
            while inner is not None and not getattr(inner, "routes", None):
                inner = getattr(inner, "app", None)
            yield "GET", f"{prefix}{route.path}/{{path}}"
            yield from addresses([] if inner is None else inner.routes, prefix + route.path.rstrip("/"))
        else:
            for method in sorted(getattr(route, "methods", None) or {"GET"}):
                yield method, prefix + route.path


STRANGE = ("x", "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "/etc/passwd", "%00", "é", "0", "-1")


class Walk:
    """A client that keeps every byte it was ever given, with the address that gave it."""

    def __init__(self, client: httpx.Client):
        self.client = client
        self.seen: list[tuple[str, int, bytes]] = []

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Ask and keep what is answered; of a stream that does not end, what comes until it rests for five seconds."""
        body = b""
        patient = httpx.Timeout(20, read=5)
        try:
            with self.client.stream(method, path, timeout=patient, **more) as response, suppress(httpx.ReadTimeout):
                for part in response.iter_bytes():
                    body += part
                    if len(body) > 4_000_000:
                        break
        except (httpx.HTTPError, httpx.InvalidURL):
            return None  # an address that the client itself refuses, or a connection that the server closed
        head = (
            f"{response.status_code} {response.reason_phrase} {response.url} {response.headers} {self.client.cookies}"
        )
        self.seen.append((f"{method} {path}", response.status_code, head.encode("utf-8", "replace") + b"\n" + body))
        response._content = body
        return response

    def every_route(self, arena: Arena, fill: Iterable[str]) -> None:
        """Ask all there is, in the way it wants and in others, with these in place of what an address leaves open."""
        assert arena.app is not None
        for method, path in sorted(set(addresses(arena.app.routes))):
            holes = re.findall(r"\{[^}]+\}", path)
            for value in fill if holes else ("",):
                filled = re.sub(r"\{[^}]+\}", lambda _, value=value: quote(value, safe="%/."), path)
                self.ask(method, filled)
                if method == "POST":
                    for body in BODIES:
                        self.ask(method, filled, content=body, headers={"Content-Type": "application/json"})
            if "{" not in path:
                self.ask("OPTIONS", path)
                self.ask(
                    "GET", f"{path}?session_hash=x&deep_link=x&id=x&a=x&b=y&page=leaderboard&view=api&__theme=dark"
                )


BODIES = (
    b"{}",
    b'{"data": [], "fn_index": 0, "session_hash": "x", "trigger_id": null, "event_data": null}',
    b'{"data": [], "fn_index": -1, "session_hash": "../../x", "api_name": "/predict"}',
    b'{"component_id": 1, "fn_name": "__class__", "data": null, "session_hash": "x"}',
    b'{"verdict": "A", "reason": "other", "number": 1}',
    b"[",
    b"\xff\xfe",
)


def linked(page: bytes) -> set[str]:
    """The addresses of this host that a page names."""
    found = re.findall(rb"""(?:src|href)=["']?(\.?/[^"'\s>]+)""", page)
    return {each.decode().removeprefix(".") for each in found}


def walked(arena: Arena, visitor: httpx.Client, ballot_id: str) -> Walk:
    walk = Walk(visitor)
    pages = [walk.ask("GET", path) for path in ("/", "/leaderboard", "/analysis", "/model", "/guidelines", "/api")]
    for address in sorted({each for page in pages if page is not None for each in linked(page.content)}):
        walk.ask("GET", address)
    walk.every_route(arena, (ballot_id, *STRANGE[:2]))
    for strange in STRANGE:
        for path in ("/ui/", "/static/", "/assets/", "/gradio_api/file=", "/gradio_api/proxy=", "/", "/api/ballots/"):
            walk.ask("GET", path + quote(strange, safe="%/."))
    for id_ in (ballot_id, "nobody-s"):
        walk.ask("GET", f"/api/ballots/{id_}")
        for act, body in (("vote", {"verdict": "left"}), ("vote", {"model": "x"}), ("skip", {}), ("withdrawal", {})):
            walk.ask("POST", f"/api/ballots/{id_}/{act}", json=body)
    walk.ask("POST", "/api/ballots", json={})
    return walk


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
