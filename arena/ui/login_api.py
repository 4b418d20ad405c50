"""The routes of signing in and out. Nothing here tells one who is not named whether somebody else is."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse

from arena.attempts import Attempts
from arena.login import Login
from arena.password import PasswordHash
from arena.role import Role
from arena.session import Seal, Sessions
from arena.ui.access import NEXT, LoginCookie, right_of, session_of
from arena.ui.login_page import login_page, next_of
from arena.ui.middleware import refusal
from arena.ui.page import Frame
from arena.ui.provider import Asked, NotVouchedFor, Provider, ProviderSilent
from arena.ui.throttle import Throttle, rate_limited
from arena.voter import VoterKey

log = logging.getLogger(__name__)

# From the click on the way to the provider until one is back from it.
_SIGN_IN_LASTS = timedelta(minutes=10)


class PasswordBody(BaseModel):
    """A try to sign in by the host's password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    password: str = Field(max_length=1000, repr=False)
    next: str | None = None


class NothingBody(BaseModel):
    """An act that says all by its address."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Reception:
    """What signing in needs: the ways in, the sessions that it begins, and the cookies that hold them."""

    login: Login
    sessions: Sessions
    cookie: LoginCookie
    voter_key: VoterKey
    throttle: Throttle
    clock: Callable[[], datetime]

    def let_in(self, response: Response, roles: frozenset[Role], account: str) -> Response:
        """Begin a session with this response; of the account nothing but a keyed hash goes into it."""
        value = self.sessions.begin(roles, self.voter_key.lasting_pseudonym("account", account), self.clock())
        self.cookie.give(response, self.cookie.session_name, value, int(self.sessions.lasts.total_seconds()))
        response.headers["Cache-Control"] = "no-store"
        return response

    def onward(self, roles: frozenset[Role], wanted: str | None) -> str:
        """Where somebody goes who came in: to what was wanted if it opens, else to what does."""
        opened = self.login.rights(roles)
        homes = [wanted or "", *(["host"] if Role.HOST in roles else []), "arena", "leaderboard"]
        return next((NEXT[home] for home in homes if home in NEXT and right_of(f"/{NEXT[home]}") in opened), "login")


def routes(reception: Reception, frame: Frame) -> APIRouter:
    """The login's page, the ways in that are set, and the way out."""
    login, sessions, cookie = reception.login, reception.sessions, reception.cookie
    router = APIRouter()

    @router.get("/login")
    def page(request: Request) -> Response:
        return login_page(request, frame, login, session_of(request))

    @router.post("/api/logout")
    def leave(body: NothingBody, request: Request) -> Response:
        del body  # it is empty, or was refused
        session = session_of(request)
        if session is not None:
            sessions.end(session, reception.clock())
        response = JSONResponse({"to": "./"}, headers={"Cache-Control": "no-store"})
        cookie.give(response, cookie.session_name, "", 0)
        return response

    if login.password:
        _add_password(router, reception, login.password)
    if login.provider:
        _add_provider(router, reception, Provider(login.provider))
    return router


def _add_password(router: APIRouter, reception: Reception, known: PasswordHash) -> None:
    attempts = Attempts()

    @router.post("/api/login")
    async def by_password(body: PasswordBody, request: Request) -> Response:
        address = reception.throttle.address(request)
        pause = attempts.begin(address, timedelta(microseconds=reception.throttle.ticks() // 1000))
        if pause is not None:
            return rate_limited(ceil(pause.total_seconds()))
        if not await asyncio.to_thread(known.matches, body.password):
            log.warning("a sign-in by password was refused")
            return refusal(401, "wrong_password")
        attempts.succeeded(address)
        roles = frozenset({Role.HOST})
        return reception.let_in(JSONResponse({"to": f"./{reception.onward(roles, body.next)}"}), roles, "by password")


def _add_provider(router: APIRouter, reception: Reception, provider: Provider) -> None:
    cookie, clock = reception.cookie, reception.clock
    seal = Seal(reception.voter_key.derived("sign-in"), "sign-in")

    @router.get("/login/provider")
    async def go(request: Request) -> Response:
        asked = Asked.new()
        try:
            address = await provider.address(asked, clock())
        except ProviderSilent as error:
            log.error("nobody can sign in: %s", error)  # noqa: TRY400 - its text says all
            return _sent("../login?why=silent")
        response = _sent(address)
        kept = seal.close(asdict(asked) | {"next": next_of(request)}, until=clock() + _SIGN_IN_LASTS)
        cookie.give(response, cookie.asked_name, kept, int(_SIGN_IN_LASTS.total_seconds()))
        return response

    @router.get("/login/callback")
    async def come_back(request: Request) -> Response:
        asked = seal.open(request.cookies.get(cookie.asked_name), clock())
        response = await judged(request, asked)
        cookie.give(response, cookie.asked_name, "", 0)  # a sign-in comes back once
        return response

    async def judged(request: Request, asked: dict[str, Any] | None) -> Response:
        if asked is None:
            log.warning("a sign-in was refused: this browser did not begin it, or too long ago")
            return _sent("../login?why=refused")
        wanted = asked["next"]
        again = f"&next={wanted}" if wanted else ""
        try:
            begun = Asked(asked["state"], asked["nonce"], asked["verifier"])
            account = await provider.account(dict(request.query_params), begun, clock())
        except ProviderSilent as error:
            log.error("nobody can sign in: %s", error)  # noqa: TRY400 - its text says all
            return _sent(f"../login?why=silent{again}")
        except NotVouchedFor as error:
            log.warning("a sign-in was refused: %s", error)
            return _sent(f"../login?why=refused{again}")
        roles = reception.login.members.roles_of(account.name)
        if not roles:
            log.warning("a sign-in was refused: the settings do not name this account")
            return _sent(f"../login?why=not_named{again}")
        return reception.let_in(_sent(f"../{reception.onward(roles, wanted)}"), roles, account.key)


def _sent(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
