"""The JSON routes behind "Show sample ballots": the only pages that show an answer with its author before a vote.

They are posts with the voter's cookie, as voting is: looking stores something, and no link or picture on another page
can bring it about. An answer is noted as seen by the voter before anything of it is sent.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from arena.battle import AnswerId, ModelId, VoterId
from arena.samples import MOST_PAGES, Gallery, Samples
from arena.store import JudgedPair
from arena.study import CannotStudy
from arena.ui.analysis_api import cannot_study
from arena.ui.api import voter_of
from arena.ui.markdown import render_markdown
from arena.voter import VoterKey

Page = Annotated[int, Field(ge=0, lt=MOST_PAGES, strict=True)]


class OfTwo(BaseModel):
    """Which two models, by their ids, and which page."""

    model_config = ConfigDict(extra="forbid")

    a: str
    b: str
    page: Page = 0


class OfModel(BaseModel):
    """Which model, by its id, and which page."""

    model_config = ConfigDict(extra="forbid")

    id: str
    page: Page = 0


def routes(gallery: Gallery, voter_key: VoterKey, clock: Callable[[], datetime]) -> APIRouter:
    """Sample ballots of two models, and of one."""
    router = APIRouter()

    def answered(request: Request, response: Response, look: Callable[[VoterId], Samples]) -> Any:
        response.headers["Cache-Control"] = "no-store"
        voter_id = voter_of(request, voter_key)
        try:
            return samples_json(look(voter_id))
        except CannotStudy as reason:
            return cannot_study(reason)

    @router.post("/api/samples/head-to-head", response_model=None)
    def of_two(body: OfTwo, request: Request, response: Response) -> Any:
        return answered(request, response, lambda voter: gallery.of_two(body.a, body.b, body.page, voter, clock()))

    @router.post("/api/samples/model", response_model=None)
    def of_model(body: OfModel, request: Request, response: Response) -> Any:
        return answered(request, response, lambda voter: gallery.of_model(body.id, body.page, voter, clock()))

    return router


def samples_json(found: Samples) -> dict[str, Any]:
    """A page of samples, named field by field: no voter, no time nearer than a day, no comment."""
    return {
        "snapshot": found.snapshot.id,
        "page": found.page,
        "n_pages": found.n_pages,
        "n_pairs": found.n_pairs,
        "n_held_back": found.n_held_back,
        "n_votes": found.n_votes,
        "n_without_texts": found.n_without_texts,
        "pairs": [_pair_json(found, pair) for pair in found.pairs],
    }


def _pair_json(found: Samples, pair: JudgedPair) -> dict[str, Any]:
    def answer(model: ModelId, answer_id: AnswerId) -> dict[str, str]:
        facts = found.models[model]
        return {"id": facts.id, "name": facts.name, "html": render_markdown(found.texts[answer_id])}

    return {
        "category": pair.category,
        "language": pair.language,
        "messages": [{"role": message.role, "html": render_markdown(message.content)} for message in pair.messages],
        "a": answer(pair.model_a, pair.answer_a),
        "b": answer(pair.model_b, pair.answer_b),
        "record": list(pair.record),
        "votes": [
            {
                "verdict": vote.verdict.value,
                "source": vote.source.value,
                "day": vote.day.isoformat() if vote.day else None,
            }
            for vote in pair.votes
        ],
    }
