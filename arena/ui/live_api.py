"""The routes of live battles: put an own prompt to two hidden models, and see both answers come in.

The answers come as JSON Lines, one line at each tick of the arena, whether there is anything new or not. No line tells
more than the two texts: not who answers, nor how fast, nor why nothing came of it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.types import Scope

from arena.errors import StoreError
from arena.limits import Act
from arena.live import Closed, LiveBooth, Opened, Shown, Step
from arena.ui.api import EmptyBody, ballot_json, log, so_far, unkept, voter_of
from arena.ui.throttle import Throttle
from arena.voter import VoterKey
from arena.voting import Booth

PATH = "/api/live"

# Four bytes a letter in UTF-8; a control character that JSON escapes takes six.
_BYTES_PER_CHARACTER = 6
_BYTES_AROUND = 100


class PromptBody(BaseModel):
    """What is put to the models, and nothing else: who answers is the server's own."""

    model_config = ConfigDict(extra="forbid")

    text: str


def most_bytes(live: LiveBooth | None) -> Callable[[Scope], int]:
    """How long the body of a request may be: of one that brings a prompt, longer than of any other."""

    def of(scope: Scope) -> int:
        if live is None or scope["path"] != PATH:
            return 0
        return live.rules.longest_prompt * _BYTES_PER_CHARACTER + _BYTES_AROUND

    return of


def routes(
    live: LiveBooth, booth: Booth, voter_key: VoterKey, clock: Callable[[], datetime], *, throttle: Throttle
) -> APIRouter:
    """Put a prompt; and what a page needs to know when it comes: the ballot that is still open, if there is one."""
    router = APIRouter()

    @router.post(PATH)
    async def put(body: PromptBody, request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        permit = throttle.permit(request, Act.PROMPT, voter_id)
        steps = await live.battle(voter_id, body.text, permit=permit)

        async def lines() -> AsyncIterator[bytes]:
            async with aclosing(steps):
                try:
                    async for step in steps:
                        yield _line(await _told(step, lambda: so_far(booth, voter_id)))
                except StoreError:
                    # The answer has begun, so that its status cannot say so any more.
                    log.exception("a live ballot could not be stored")
                    yield _line({"error": "unavailable"})

        # Proxies that collect an answer before they hand it on would undo the tempo.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)

    @router.post(f"{PATH}/open")
    def still_open(body: EmptyBody, request: Request) -> Response:
        del body  # it is empty, or was refused
        voter_id = voter_of(request, voter_key)
        booth.check_consent(voter_id)
        ballot = booth.still_open(voter_id, clock())
        told = {"ballot": None if ballot is None else ballot_json(ballot), "has_bank": booth.has_pairs}
        return unkept({**told, **so_far(booth, voter_id)})

    return router


async def _told(step: Step, more: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    match step:
        case Shown(a, b):
            return {"a": a, "b": b}
        case Opened(ballot):
            # The database and Markdown are asked where nobody else waits.
            return await asyncio.to_thread(lambda: {"ballot": ballot_json(ballot), **more()})
        case Closed():
            return {"closed": True}


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
