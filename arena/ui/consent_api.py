"""The JSON routes of a voter's consent: what this arena asks, what the voter said, and saying so.

Whose word it is the cookie alone says; which votes a consent goes along with the server alone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, StrictBool, StrictStr

from arena.battle import VoterId
from arena.consent import licence_page
from arena.limits import Act
from arena.ui.api import unkept, voter_of
from arena.ui.markdown import render_markdown
from arena.ui.texts import chosen
from arena.ui.throttle import Throttle
from arena.voter import VoterKey
from arena.voting import Booth


class ConsentBody(BaseModel):
    """A yes or a no to the terms of one version: which ones has to be said, so that nobody agrees to others unseen."""

    model_config = ConfigDict(extra="forbid")

    version: StrictStr
    given: StrictBool


def routes(booth: Booth, voter_key: VoterKey, clock: Callable[[], datetime], *, throttle: Throttle) -> APIRouter:
    """Read what is asked and what was said; say yes or no."""
    router = APIRouter()

    @router.get("/api/me/consent")
    def read(request: Request) -> Response:
        return unkept(consent_json(booth, voter_of(request, voter_key), _language(request)))

    @router.post("/api/me/consent")
    def say(body: ConsentBody, request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        permit = throttle.permit(request, Act.VOTE, voter_id)
        booth.say(voter_id, body.version, is_given=body.given, now=clock(), permit=permit)
        return unkept(consent_json(booth, voter_id, _language(request)))

    return router


def consent_json(booth: Booth, voter_id: VoterId, language: str) -> dict[str, Any]:
    """The terms in force in this language, if there are any, what this voter said last, and the votes under it."""
    terms, said = booth.consent, booth.consent_of(voter_id)
    asked = None
    if terms is not None:
        text, its_language = terms.text_in(language)
        asked = {
            "version": terms.version,
            "license": terms.license,
            "license_page": licence_page(terms.license),
            "purpose": terms.purpose.value,
            "html": render_markdown(text, top_heading=3),
            "language": its_language,
            "required": terms.required,
        }
    return {
        "asked": asked,
        "said": said and {"version": said.version, "given": said.is_given, "said_at": said.said_at.isoformat()},
        "n_votes": booth.n_with_consent(voter_id) if said is not None else 0,
    }


def _language(request: Request) -> str:
    return chosen(request.headers.get("accept-language"))
