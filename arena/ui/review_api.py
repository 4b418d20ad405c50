"""The JSON routes of the host's review: what the checks say, and the acts of leaving out and of taking in again.

They name voters by their pseudonyms and are for the host alone: whoever mounts them sees to it that nobody else gets
here. What they say of the board is told nowhere else.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from arena.errors import BadInput
from arena.review import Review
from arena.ui.middleware import refusal

_UNKEPT = {"Cache-Control": "no-store"}


class DecisionBody(BaseModel):
    """On whom, why, and who decides; the review says what it takes. Where a name is set that acts are signed with, who
    decides may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    voter: str
    reason: str
    by: str = ""


def routes(review: Review, clock: Callable[[], datetime], *, signed_as: str | None) -> APIRouter:
    """The review, and the two acts. They are signed with `signed_as`, or else with the name that the host gives."""
    router = APIRouter()

    @router.get("/api/host/review")
    async def findings() -> Response:
        try:
            # The future is had in a thread, as it asks the store; shielded, as others may wait for the same one.
            future = await asyncio.to_thread(review.findings)
            found = await asyncio.shield(asyncio.wrap_future(future))
        except BadInput as error:
            return refusal(404, "no_review", why=str(error))
        return JSONResponse(found.to_record(), headers=_UNKEPT)

    @router.post("/api/host/review/exclude")
    def exclude(body: DecisionBody) -> Response:
        return decided(review.exclude, body)

    @router.post("/api/host/review/readmit")
    def readmit(body: DecisionBody) -> Response:
        return decided(review.readmit, body)

    def decided(act: Callable[[str, str, str, datetime], bool], body: DecisionBody) -> Response:
        if signed_as is not None and body.by not in ("", signed_as):
            return refusal(422, "not_decided", why=f"acts of this arena are signed as {signed_as!r}, not {body.by!r}")
        try:
            is_new = act(body.voter, body.reason, signed_as or body.by, clock())
        except BadInput as error:
            return refusal(422, "not_decided", why=str(error))
        return JSONResponse({"is_new": is_new}, headers=_UNKEPT)

    return router
