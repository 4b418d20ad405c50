"""An arena whose models and answers carry words and numbers that occur nowhere else, and who looks for them everywhere.

A walker asks for all that there is to ask for, in good and in bad ways, and looks for them in every byte, also in what
the bytes stand for.
"""

import base64
import gzip
import hashlib
import html
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote

import httpx
from starlette.routing import Mount

from arena.battle import Answer, Message, Model, ModelId, Prompt, PromptId
from arena.pack import answer_id
from arena.store import VoteStore
from served import NOON, Arena, Serve

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


def canary_arena(serve: Serve, rules: str = "") -> Arena:
    return serve(earlier=SimpleNamespace(store=canary_store()), rules=rules)


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
    pages = [
        walk.ask("GET", path)
        for path in ("/", "/leaderboard", "/analysis", "/model", "/quality", "/guidelines", "/api")
    ]
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
