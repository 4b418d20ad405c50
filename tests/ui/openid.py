"""A provider of OpenID on this machine: discovery, sign-in, token with PKCE, user info and keys made as it starts.

It vouches for whoever `account` names and asks nobody; a test changes what its ID tokens say, and who signs them.
"""

import base64
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from arena.login import Login, OpenId
from arena.password import PasswordHash
from arena.role import Members, Role
from arena.session import Sessions
from arena.store import VoteStore
from arena.ui.access import LoginCookie
from arena.ui.server import listen
from served import NOON, Arena, Clock, serving

CLIENT_ID = "bakeoff-under-test"
CLIENT_SECRET = "the client's secret, which nobody sees"
# What must not be found anywhere afterwards.
NAME = "wilhelmina-of-account"
SUBJECT = "subject-7f3a-of-the-account"
PASSWORD = "three old walnut trees"


@dataclass
class Asked:
    """What an authorization was asked with."""

    query: dict[str, str]
    is_used: bool = False


@dataclass
class FakeProvider:
    """A provider, and the knobs of a test."""

    clock: Callable[[], datetime]
    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}))
    account: dict[str, Any] = field(default_factory=lambda: {"preferred_username": NAME})
    # Changes to the claims, and how the ID token is signed where not as it should be.
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    user_info: dict[str, Any] | None = None
    called: list[str] = field(default_factory=list)
    codes: dict[str, Asked] = field(default_factory=dict)
    is_down: bool = False

    def settings(self, arena_url: str, *, claim: str = "preferred_username") -> OpenId:
        return OpenId(self.url, CLIENT_ID, CLIENT_SECRET, "openid profile", claim, arena_url)

    def id_token(self, nonce: str) -> str:
        now = int(self.clock().timestamp())
        claims = {"iss": self.url, "sub": SUBJECT, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {name: value for name, value in (claims | self.account | self.claims).items() if value is not None}
        if self.sign is not None:
            return self.sign(claims)
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.middleware("http")
        async def note(request: Request, call_next: Callable[[Request], Any]) -> Response:
            self.called.append(request.url.path)
            return JSONResponse({}, 503) if self.is_down else await call_next(request)

        @app.get("/.well-known/openid-configuration")
        def described() -> dict[str, Any]:
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            # With a kind of key that we do not know, and one that does not sign.
            return {"keys": [self.key.as_dict(private=False), {"kty": "oct-x"}, {"kty": "RSA", "use": "enc"}]}

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            code = token_urlsafe()
            self.codes[code] = Asked(asked)
            return RedirectResponse(
                f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 303
            )

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = await request.form()
            given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
            asked = self.codes.get(str(form["code"]))
            challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
            if (
                asked is None
                or asked.is_used
                or not given.startswith(f"{CLIENT_ID}:")
                or asked.query["code_challenge_method"] != "S256"
                or asked.query["code_challenge"] != challenge.decode().rstrip("=")
                or asked.query["redirect_uri"] != form["redirect_uri"]
            ):
                return JSONResponse({"error": "invalid_grant", "error_description": f"not for {NAME}"}, 400)
            asked.is_used = True
            return JSONResponse(
                {
                    "access_token": token_urlsafe(),
                    "token_type": "Bearer",
                    "expires_in": 300,
                    "id_token": self.id_token(asked.query["nonce"]),
                }
            )

        @app.get("/userinfo")
        def userinfo() -> dict[str, Any]:
            return self.user_info or {"sub": SUBJECT}

        return app


def quick_hash(password: str, salt: bytes = bytes(16)) -> PasswordHash:
    """The cheapest hash that the settings take: a test tries many passwords."""
    digest = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return PasswordHash.parse(str(PasswordHash(2**14, 8, 1, salt, digest)))


@contextmanager
def providing(clock: Callable[[], datetime]) -> Iterator[FakeProvider]:
    """A provider that answers until the end of the block."""
    provider = FakeProvider(clock)
    listener = listen("127.0.0.1", 0)
    provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(provider.app(), log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield provider
    server.should_exit = True
    thread.join()


HASH = quick_hash(PASSWORD)


@contextmanager
def with_provider(
    *,
    claim: str = "preferred_username",
    store: VoteStore | None = None,
    password_is_set: bool = False,
    **login: Any,
) -> Iterator[tuple[Arena, FakeProvider]]:
    """An arena where the provider's account is host and annotator, and that provider."""
    members = login.pop("members", Members(hosts=frozenset({NAME}), annotators=frozenset({NAME})))
    with serving() as start, providing(Clock()) as provider:
        port = free_port()  # the arena's address has to be known to its login before it is served
        settings = provider.settings(f"http://127.0.0.1:{port}", claim=claim)
        arena = start(
            login=Login(password=HASH if password_is_set else None, provider=settings, members=members, **login),
            port=port,
            store=store,
        )
        provider.clock = arena.clock
        yield arena, provider


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def signed_in(arena: Arena, login: Login, *roles: Role, account: str = "somebody") -> httpx.Client:
    """A visitor with a session of these roles; without one if there are none."""
    client = arena.stranger()
    if roles:
        key = arena.voter_key
        sessions = Sessions(key.derived("session"), digest=login.digest(), lasts=login.lasts)
        cookie = LoginCookie(key, "lax")
        client.cookies.set(cookie.session_name, sessions.begin(roles, account, NOON))
    client.get("/guidelines").raise_for_status()  # any page of ours gives the voter's cookie
    return client
