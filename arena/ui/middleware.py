"""What every request passes through: the voter's cookie, the gate of the JSON routes, the page's head, safe headers.

Plain ASGI: nothing is buffered but the small things that have to be, so that Gradio's event streams flow.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.ui.texts import ENGLISH, chosen, texts
from arena.voter import VoterKey

log = logging.getLogger(__name__)

CookieMode = Literal["lax", "secure", "embedded"]

_COOKIE_SECONDS = 365 * 24 * 3600
_COOKIE_ATTRIBUTES: Mapping[CookieMode, str] = {
    "lax": "SameSite=Lax",
    "secure": "SameSite=Lax; Secure",
    # A Space shows the page in a frame of another site: browsers send only such a cookie there.
    "embedded": "SameSite=None; Secure; Partitioned",
}
MAX_BODY_BYTES = 4096

# Requests that wait for one of the threads, or are in one: some seconds of work. A voter beyond them is better off with
# a word at once than with a place in a longer queue.
MOST_AT_ONCE = 256
_CROWDED_SECONDS = 2


def cookie_attributes(mode: CookieMode) -> str:
    """How a cookie of ours is sent."""
    return _COOKIE_ATTRIBUTES[mode]


def refusal(status: int, error: str, **values: Any) -> JSONResponse:
    """The one shape of everything that the JSON routes refuse: a word for the script, a sentence for a person.

    The sentence is the English text of `refusal.<error>`; `values` fill its braces, and go along for other languages.
    What has no brace there just goes along.
    """
    message = texts(ENGLISH)[f"refusal.{error}"].format(**values)
    return JSONResponse({"error": error, "message": message, **values}, status, {"Cache-Control": "no-store"})


def crowded() -> JSONResponse:
    """The word for who comes when everything is taken."""
    response = refusal(503, "crowded", seconds=_CROWDED_SECONDS)
    response.headers["Retry-After"] = str(_CROWDED_SECONDS)
    return response


class VoterCookie:
    """Gives a new signed cookie with an HTML page to a browser that has none, or a forged one."""

    def __init__(self, app: ASGIApp, *, voter_key: VoterKey, mode: CookieMode):
        self.app = app
        self._voter_key = voter_key
        self._attributes = f"Path=/; Max-Age={_COOKIE_SECONDS}; HttpOnly; {_COOKIE_ATTRIBUTES[mode]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or self._is_known(scope):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append(
                        "set-cookie", f"{self._voter_key.cookie_name}={self._voter_key.issue()}; {self._attributes}"
                    )
                    # A shared cache must not hand one voter's cookie to another.
                    headers["cache-control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _is_known(self, scope: Scope) -> bool:
        return self._voter_key.voter_among(HTTPConnection(scope).cookies) is not None


_POLICY = (
    "default-src 'self'; script-src 'self'{unsafe}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors {ancestors}"
)
# Gradio's pages need these two words; answers are inert all the same, see arena/ui/markdown.py.
_UNSAFE = " 'unsafe-inline' 'unsafe-eval'"
# What answers here runs no script of Gradio's; the pages of the login and of the host are among it.
_OWN = re.compile(r"/(?:api|ui|healthz|login|host)(?:/|$)")
_HSTS_SECONDS = 365 * 24 * 3600


class SafeHeaders:
    """Headers on every response: the page loads from its own host only, and nobody may frame it uninvited.

    `is_secure`: it is served by TLS alone, as the cookies say, and browsers are told to remember that.
    """

    def __init__(self, app: ASGIApp, *, is_embedded: bool, is_secure: bool):
        self.app = app
        ancestors = "'self' https://huggingface.co" if is_embedded else "'self'"
        self._policy = _POLICY.format(unsafe=_UNSAFE, ancestors=ancestors)
        self._own_policy = _POLICY.format(unsafe="", ancestors=ancestors)
        self._headers = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        if not is_embedded:  # the Hub's frame is of another site, and this header knows no list of them
            self._headers["x-frame-options"] = "SAMEORIGIN"
        if is_secure:
            self._headers["strict-transport-security"] = f"max-age={_HSTS_SECONDS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = self._own_policy if _OWN.match(scope["path"]) else self._policy

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = policy
                for name, value in self._headers.items():
                    headers[name] = value
                if "server" in headers:
                    del headers["server"]
            await send(message)

        await self.app(scope, receive, send_safely)


class ApiGate:
    """Lets through to /api/ only small JSON from our own pages, and turns what nobody foresaw into a calm answer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        most_bytes: int = MAX_BODY_BYTES,
        most_at_once: int = MOST_AT_ONCE,
        longer: Callable[[Scope], int] = lambda _: 0,
    ):
        """`longer`: how long the body of this request may be, where that is more than a vote needs."""
        self.app = app
        self._longer = longer
        self._most_bytes = most_bytes
        self._most_at_once = most_at_once
        self._n_now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return
        has_started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        async def receive_once() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            message: Message = {"type": "http.request", "body": body, "more_body": False}
            body = None
            return message

        refused = _refuse_headers(Headers(scope=scope)) if scope["method"] == "POST" else None
        most_bytes = max(self._most_bytes, self._longer(scope))
        body = await _read_small(receive, most_bytes) if refused is None else None
        if refused is None and body is None:
            refused = refusal(413, "too_large")
        # Only now: a request that is still on its way takes nobody's place.
        if refused is None and self._n_now >= self._most_at_once:
            refused = crowded()
        if refused is not None:
            await refused(scope, receive, send)
            return
        self._n_now += 1
        try:
            await self.app(scope, receive_once, send_noting_start)
        except Exception:
            # Whatever it was, its text is for the host's log only: it could name a model.
            # The path as it was sent: decoded it may hold a line break, and so a line of the log that nobody wrote.
            log.exception("%s %s failed", scope["method"], scope.get("raw_path", b"?").decode("ascii", "replace"))
            if has_started:
                raise
            await refusal(500, "internal")(scope, receive, send)
        finally:
            self._n_now -= 1


def _refuse_headers(headers: Headers) -> JSONResponse | None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return refusal(415, "not_json")
    origin = headers.get("origin")
    if origin is not None and _place_of(origin) != headers.get("host"):
        return refusal(403, "other_site")
    return None


def _place_of(origin: str) -> str | None:
    """Host and port of an origin; None for what is no address, such as a bracket that is not closed."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def _read_small(receive: Receive, most_bytes: int) -> bytes | None:
    """The whole body, or None as soon as it is longer than a vote can be."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most_bytes:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body


class PageHead:
    """Puts our tags into the head of the pages as they leave the server.

    Gradio's own `head=` arrives inside its configuration and is added by its script, after about 70 requests. Tags
    that are in the HTML let the ballot be fetched, and the page be styled, while Gradio is still loading.
    """

    def __init__(
        self, app: ASGIApp, *, heads: Mapping[tuple[str, str], str], personal: Callable[[Scope], str] = lambda _: ""
    ):
        """`heads` by path and language; `personal` gives what is added for one reader."""
        self.app = app
        self._personal = personal
        self._heads = {key: head.encode() for key, head in heads.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["method"] == "GET"
        language = chosen(Headers(scope=scope).get("accept-language")) if is_page else ""
        head = self._heads.get((scope["path"], language)) if is_page else None
        if head is None:
            await self.app(scope, receive, send)
            return
        own = self._personal(scope).encode()
        # The inner app must not compress what is edited here.
        plain = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]}
        start: Message = {}
        body = b""

        async def send_with_head(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body", False):
                return
            headers = MutableHeaders(scope=start)
            page = body
            if headers.get("content-type", "").startswith("text/html"):
                page = body.replace(b"</head>", head + own + b"\n\t</head>", 1)
                if own:
                    headers["cache-control"] = "no-store"
                page = page.replace(b'lang="en"', f'lang="{language}"'.encode(), 1)
                headers.add_vary_header("Accept-Language")
                headers["content-length"] = str(len(page))
            await send(start)
            await send({**message, "body": page})

        await self.app(plain, receive, send_with_head)
