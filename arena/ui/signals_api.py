"""The routes by which a product tells what its users make of answers. Off unless the host has set a token.

The product is a server of the host's, and no visitor: it has the token, and no cookie. Of its users only keyed hashes
of the names that it gives them are stored, and nothing of a token.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from fastapi import APIRouter, Request, Response
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Scope

from arena import json_line, name
from arena.errors import BadInput, SignalTaken
from arena.signals import MOST_BYTES, Signal, parse_signal
from arena.store import VoteStore
from arena.ui.middleware import refusal
from arena.voter import VoterKey

PATH = "/api/signals"

_SCHEME = "bearer "
_UNKEPT = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Intake:
    """Where signals go, and who may bring them: whoever has the token."""

    store: VoteStore
    voter_key: VoterKey
    clock: Callable[[], datetime]
    token: SecretStr

    @classmethod
    def of(
        cls, store: VoteStore, voter_key: VoterKey, clock: Callable[[], datetime], token: SecretStr | None
    ) -> Self | None:
        """None where no token is set."""
        return None if token is None else cls(store, voter_key, clock, token)

    def knows(self, headers: Headers) -> bool:
        """Whether the token came along. Takes as long for one that is nearly right as for any other."""
        told = headers.get("authorization", "")
        if told[: len(_SCHEME)].lower() != _SCHEME:
            return False
        given = told[len(_SCHEME) :].encode("latin-1", "replace")
        return hmac.compare_digest(given, self.token.get_secret_value().encode())

    def add(self, signal: Signal) -> bool:
        """Store a signal under keyed names; the sender's own are kept nowhere. False: it is known."""
        id_ = self.voter_key.lasting_pseudonym("signal", f"{signal.source}\0{signal.id}")
        return self.store.signals.add(signal.under(id_, self._user(signal.source, signal.user)), self.clock())

    def withdraw(self, source: str, user: str) -> int:
        """Take away the signals of a user; returns how many these were."""
        return self.store.signals.withdraw(self._user(source, user), self.clock())

    def _user(self, source: str, user: str) -> str:
        return self.voter_key.lasting_pseudonym("user of a product", f"{source}\0{user}")


def most_bytes(intake: Intake | None) -> Callable[[Scope], int]:
    """How long the body of a request may be: of one with the token that brings a signal, longer than of any other."""

    def of(scope: Scope) -> int:
        is_signal = intake is not None and scope["path"] == PATH and intake.knows(Headers(scope=scope))
        return MOST_BYTES if is_signal else 0

    return of


def routes(intake: Intake) -> APIRouter:
    """Bring a signal, and withdraw those of a user."""
    router = APIRouter()

    async def told(request: Request, act: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
        if not intake.knows(request.headers):
            response = refusal(401, "bad_token")
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        try:
            body = json_line.parse(await request.body())
            return JSONResponse(await asyncio.to_thread(act, body), headers=_UNKEPT)
        except json_line.NoJson as error:
            return refusal(422, "not_a_signal", why=str(error))
        except SignalTaken:
            return refusal(409, "signal_taken")
        except BadInput as error:
            return refusal(422, "not_a_signal", why=str(error))

    @router.post(PATH)
    async def add(request: Request) -> Response:
        return await told(request, lambda body: {"is_new": intake.add(parse_signal(body))})

    @router.post(f"{PATH}/withdrawal")
    async def withdraw(request: Request) -> Response:
        return await told(request, lambda body: {"n_withdrawn": intake.withdraw(*_whose(body))})

    return router


def _whose(body: dict[str, Any]) -> tuple[str, str]:
    if body.keys() != {"source", "user"}:
        raise BadInput(f"a withdrawal says source and user, and nothing else; this one says {', '.join(body) or '-'}")
    try:
        return name.parse(body["source"]), name.parse(body["user"])
    except name.NoName as error:
        raise BadInput(f"the source or the user {error}") from error
