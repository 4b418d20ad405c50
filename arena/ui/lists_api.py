"""The JSON routes of lists: open one, rank it, skip it, take it back. As blind as those of ballots with two answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from arena.battle import VoterId
from arena.errors import NoBallotLeft
from arena.limits import Act
from arena.list_voting import ListBallot, ListBooth
from arena.ui.api import (
    EmptyBody,
    SkipBody,
    contender_json,
    counts_json,
    messages_json,
    refusal_of,
    unkept,
    voter_of,
)
from arena.ui.markdown import render_markdown
from arena.ui.middleware import refusal
from arena.ui.throttle import Throttle
from arena.voter import VoterKey
from arena.voting import Booth


class RanksBody(BaseModel):
    """The ranks of the answers as they are shown, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    ranks: list[StrictInt] = Field(max_length=10)


def routes(
    lists: ListBooth, booth: Booth, voter_key: VoterKey, clock: Callable[[], datetime], *, throttle: Throttle
) -> APIRouter:
    """Open a list, rank it, skip it, take it back."""
    router = APIRouter()

    def so_far(voter_id: VoterId) -> dict[str, Any]:
        return {"votes": counts_json(booth, voter_id), "last": lists.last_list(voter_id)}

    @router.post("/api/lists")
    def open_list(request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        try:
            ballot = lists.open(voter_id, clock(), permit=throttle.permit(request, Act.BALLOT, voter_id))
        except NoBallotLeft as error:
            return refusal(*refusal_of(error), **so_far(voter_id))
        return unkept({"list": list_json(ballot), **so_far(voter_id)})

    @router.post("/api/lists/{ballot_id}/vote")
    def rank(ballot_id: str, body: RanksBody, request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        permit = throttle.permit(request, Act.VOTE, voter_id)
        names = lists.rank(ballot_id, body.ranks, voter_id, clock(), permit=permit)
        return unkept({"answers": [contender_json(each) for each in names], "votes": counts_json(booth, voter_id)})

    @router.post("/api/lists/{ballot_id}/skip")
    def skip(ballot_id: str, body: SkipBody, request: Request) -> Response:
        lists.skip(ballot_id, body.reason, voter_of(request, voter_key), clock())
        return unkept({"ballot_id": ballot_id})

    @router.post("/api/lists/{ballot_id}/withdrawal")
    def withdraw(ballot_id: str, body: EmptyBody, request: Request) -> Response:
        del body  # it is empty, or was refused
        voter_id = voter_of(request, voter_key)
        lists.withdraw(ballot_id, voter_id, clock())
        return unkept({"votes": counts_json(booth, voter_id)})

    return router


def list_json(ballot: ListBallot) -> dict[str, Any]:
    """The blind view as the browser gets it, named field by field."""
    return {
        "ballot_id": ballot.id,
        "category": ballot.category,
        "language": ballot.language,
        "messages": messages_json(ballot.messages),
        "answers": [render_markdown(text) for text in ballot.answers],
    }
