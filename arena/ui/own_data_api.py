"""The JSON routes of a voter's own data: download all that is kept, take all votes back.

Whose data that is the cookie alone says. A download names only whom the voter has seen named before.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from arena.battle import VoterId
from arena.store import Holdings
from arena.ui.api import counts_json, voter_of
from arena.ui.texts import chosen, texts
from arena.voter import VoterKey
from arena.voting import Booth

# Without any id: a file that gets around points to nobody.
_FILE = 'attachment; filename="bakeoff-votes.json"'


class AllBody(BaseModel):
    """That all is meant has to be said: an empty body, sent by mistake, takes nothing back."""

    model_config = ConfigDict(extra="forbid")

    all: Literal[True]


def routes(booth: Booth, voter_key: VoterKey, clock: Callable[[], datetime]) -> APIRouter:
    """Download what is kept of the own cookie's voter; withdraw all of its votes."""
    router = APIRouter()

    @router.get("/api/me/votes", response_model=None)
    def download(request: Request) -> StreamingResponse:
        voter_id = voter_of(request, voter_key)
        about = texts(chosen(request.headers.get("accept-language")))["data.about"]
        return StreamingResponse(
            _written(booth.holdings, voter_id, about),
            media_type="application/json",
            headers={"Cache-Control": "no-store", "Content-Disposition": _FILE},
        )

    @router.post("/api/me/withdrawal")
    def withdraw_all(body: AllBody, request: Request, response: Response) -> dict[str, Any]:
        del body  # it says the one thing that it may say, or was refused
        response.headers["Cache-Control"] = "no-store"
        voter_id = voter_of(request, voter_key)
        n_withdrawn = booth.withdraw_all(voter_id, clock())
        return {"n_withdrawn": n_withdrawn, "votes": counts_json(booth, voter_id)}

    return router


def _written(holdings: Holdings, voter_id: VoterId, about: str) -> Iterator[str]:
    """One JSON object, a line for each thing, written while it is read. What breaks off is no JSON."""
    yield f'{{"about": {json.dumps(about, ensure_ascii=False)}'
    parts: dict[str, Iterable[object]] = {
        "votes": holdings.votes(voter_id),
        "ballots_without_vote": holdings.ballots(voter_id),
        "lists": holdings.lists(voter_id),
        "worked_examples": holdings.examples(voter_id),
        "authors_seen_on_pages": holdings.exposures(voter_id),
        "consents": holdings.consents(voter_id),
    }
    for name, things in parts.items():
        yield f',\n"{name}": ['
        comma = ""
        for thing in things:
            yield f"{comma}\n{json.dumps(_plain(thing), ensure_ascii=False)}"
            comma = ","
        yield "]"
    yield "}\n"


def _plain(value: Any) -> Any:
    """A stored thing as JSON has it; what was not said is left out."""
    if is_dataclass(value):
        told = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: each for name, each in told.items() if each is not None and each != {}}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | frozenset):
        return [_plain(each) for each in (sorted(value) if isinstance(value, frozenset) else value)]
    return value
