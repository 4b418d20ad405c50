"""The throttle of the arena: who asks, by cookie and address, and whether that was too often."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from arena.address import Network, client_of
from arena.alarms import Alarms
from arena.battle import VoterId
from arena.errors import TooMany
from arena.limits import Act, Limiter, Visitor
from arena.ui.middleware import refusal
from arena.ui.page import ASSETS_PATH, PAGES
from arena.ui.texts import chosen, texts
from arena.voter import VoterKey

# Files, which cost little, and of which a page brings some forty; and the health check, which must not fail for others.
_FREE_FOLDERS = (f"{ASSETS_PATH}/", "/assets/", "/static/")
_FREE = frozenset({"/theme.css", "/favicon.ico", "/healthz"})

_VISITOR = "bakeoff.visitor"
_NOBODY = Visitor(None, None)


@dataclass(frozen=True)
class Throttle:
    """What a request is measured by.

    `ticks` is a clock in nanoseconds that never goes back. A limiter that fails lets everybody in, and raises an alarm.
    """

    limiter: Limiter
    alarms: Alarms
    voter_key: VoterKey
    trusted_proxies: Sequence[Network]
    clock: Callable[[], datetime]
    ticks: Callable[[], int]

    def visitor(self, scope: Scope) -> Visitor:
        """Who asks, as keyed hashes of cookie and address; the address itself goes no further."""
        return self.alarms.ask("limits: who asks", lambda: self._visitor(scope), self.clock()) or _NOBODY

    def wait(self, act: Act, visitor: Visitor) -> int:
        """Count one act: 0, or how many seconds to wait."""
        take = self.limiter.take
        return self.alarms.ask(f"limits: {act}", lambda: take(act, visitor, self.ticks()), self.clock()) or 0

    def permit(self, request: Request, act: Act, voter_id: VoterId) -> Callable[[], None]:
        """What counts one act of this voter, and of a request's address, and raises TooMany where it is not allowed.

        The voter is told, since the cookie is not all: an annotator who is signed in is one voter without any.
        """

        def ask() -> None:
            visitor = request.scope.get(_VISITOR, _NOBODY)
            seconds = self.wait(act, replace(visitor, voter=bytes.fromhex(voter_id)))
            if seconds:
                raise TooMany(act, seconds)

        return ask

    def address(self, request: Request) -> str:
        """A keyed hash of the address that a request comes from; one for all of whom it is not known."""
        return (request.scope.get(_VISITOR, _NOBODY).address or b"").hex()

    def _visitor(self, scope: Scope) -> Visitor:
        key = self.voter_key
        voter_id = key.voter_among(HTTPConnection(scope).cookies)
        peer = scope.get("client")
        forwarded = Headers(scope=scope).getlist("x-forwarded-for")
        address = client_of(peer[0] if peer else None, forwarded, self.trusted_proxies)
        return Visitor(
            voter=bytes.fromhex(voter_id) if voter_id else None,
            address=bytes.fromhex(key.pseudonym("address", address)) if address else None,
        )


class ThrottleGate:
    """Lets a request in, or asks for a pause. What the others need to know of its visitor goes along in the scope."""

    def __init__(self, app: ASGIApp, *, throttle: Throttle):
        self.app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (_is_free(scope["path"]) and scope["method"] in ("GET", "HEAD")):
            await self.app(scope, receive, send)
            return
        visitor = self._throttle.visitor(scope)
        seconds = self._throttle.wait(Act.REQUEST, visitor)
        if seconds:
            await _pause(scope, seconds)(scope, receive, send)
            return
        await self.app({**scope, _VISITOR: visitor}, receive, send)


def _is_free(path: str) -> bool:
    return path in _FREE or path.startswith(_FREE_FOLDERS)


def _pause(scope: Scope, seconds: int) -> Response:
    """For a script the usual refusal, for a person who opens a page the same sentence in their language."""
    if scope["path"] not in PAGES:
        return rate_limited(seconds)
    language = chosen(Headers(scope=scope).get("accept-language"))
    told = texts(language)
    title, sentence = told["notice.rate_limited"], told["refusal.rate_limited"].format(seconds=seconds)
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(sentence)}</p></html>",
        429,
        {"Cache-Control": "no-store", "Retry-After": str(seconds)},
    )


def rate_limited(seconds: int) -> Response:
    """The refusal of whoever came too often."""
    response = refusal(429, "rate_limited", seconds=seconds)
    response.headers["Retry-After"] = str(seconds)
    return response
