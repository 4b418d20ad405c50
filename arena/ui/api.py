"""The JSON routes behind the ballot's script. A browser gets a ballot here and, for a stored vote, its reveal."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from arena.battle import Ballot, Contender, Reveal, Verdict, VoterId
from arena.errors import (
    AlreadyVoted,
    ArenaError,
    BallotExpired,
    NoBallotLeft,
    StoreError,
    UnknownBallot,
    VoteNotSaved,
)
from arena.ui.markdown import render_markdown
from arena.ui.middleware import INTERNAL, refusal
from arena.voter import VoterKey
from arena.voting import Booth

log = logging.getLogger(__name__)

SAVED_AS = {
    Verdict.A: "A is better",
    Verdict.B: "B is better",
    Verdict.TIE: "Tie",
    Verdict.BOTH_BAD: "Both bad",
}


class NoCookie(ArenaError):
    """The request carries no voter cookie of ours. Known to the web alone, hence not in arena/errors.py."""

    def __init__(self) -> None:
        super().__init__("there is no voter cookie with this request, or it was not issued here")


class VoteBody(BaseModel):
    """What a vote may say, and nothing else: models, texts and sides are the server's own."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict


def routes(booth: Booth, voter_key: VoterKey, clock: Callable[[], datetime]) -> APIRouter:
    """Open a ballot, vote on it, and ask whether the server lives."""
    router = APIRouter()

    @router.post("/api/ballots")
    def open_ballot(request: Request, response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        voter_id = _voter_of(request, voter_key)
        ballot = booth.open(voter_id, clock())
        return {"ballot": ballot_json(ballot), "votes": _counts(booth, voter_id)}

    @router.post("/api/ballots/{ballot_id}/vote")
    def vote(ballot_id: str, body: VoteBody, request: Request, response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        voter_id = _voter_of(request, voter_key)
        reveal = booth.cast(ballot_id, body.verdict, voter_id, clock())
        return {**reveal_json(reveal), "votes": _counts(booth, voter_id)}

    @router.get("/healthz")
    def healthz(response: Response) -> dict[str, str]:
        response.headers["Cache-Control"] = "no-store"
        booth.n_votes()  # an arena whose database does not answer is not well
        return {"status": "ok"}

    @router.api_route("/api/{anything:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def nothing_here(anything: str) -> Response:
        del anything  # without this route the request would fall through to Gradio, which answers in its own way
        return refusal(404, "no_such_address", "There is nothing at this address.")

    return router


def _voter_of(request: Request, voter_key: VoterKey) -> VoterId:
    voter_id = voter_key.voter_id(request.cookies.get(voter_key.cookie_name))
    if voter_id is None:
        raise NoCookie
    return voter_id


def ballot_json(ballot: Ballot) -> dict[str, Any]:
    """The blind view as the browser gets it. Named field by field: what is added to a Ballot later stays here."""
    return {
        "ballot_id": ballot.id,
        "category": ballot.category,
        "language": ballot.language,
        "messages": [{"role": message.role, "html": render_markdown(message.content)} for message in ballot.messages],
        "answer_a": render_markdown(ballot.answer_a),
        "answer_b": render_markdown(ballot.answer_b),
    }


def reveal_json(reveal: Reveal) -> dict[str, Any]:
    """What a stored vote opens."""
    return {
        "verdict": reveal.verdict.value,
        "saved": SAVED_AS[reveal.verdict],
        "a": _contender_json(reveal.a),
        "b": _contender_json(reveal.b),
    }


def _contender_json(contender: Contender) -> dict[str, Any]:
    return {
        "name": contender.model.name,
        "organization": contender.model.organization,
        "score": contender.score,
        "low": contender.low,
        "high": contender.high,
        "rank_low": contender.rank_low,
        "rank_high": contender.rank_high,
    }


def _counts(booth: Booth, voter_id: VoterId) -> dict[str, int] | None:
    """The line in the header. None where it cannot be read: a vote that is stored must not look lost for that."""
    try:
        counts = booth.counts(voter_id)
    except StoreError:
        log.exception("votes could not be counted")
        return None
    return {"mine": counts.mine, "all": counts.all}


def translate_errors(app: FastAPI) -> None:
    """Turn every foreseen error into a status, a word and a calm sentence. The only place where that happens."""

    @app.exception_handler(ArenaError)
    def refuse(request: Request, error: ArenaError) -> Response:
        status, word, sentence = _refusal_of(error)
        if status >= 500:
            log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
        return refusal(status, word, sentence)

    @app.exception_handler(RequestValidationError)
    def refuse_body(request: Request, error: RequestValidationError) -> Response:
        del request, error  # never echoed: it repeats what was sent
        accepted = ", ".join(verdict.value for verdict in Verdict)
        return refusal(422, "not_a_vote", f"A vote is one verdict and nothing else; accepted: {accepted}.")

    @app.exception_handler(HTTPException)
    def refuse_request(request: Request, error: HTTPException) -> Response:
        del request
        return refusal(error.status_code, "bad_request", "This request cannot be understood.")


# The most specific first. Each sentence is for the voter: what happened, and what to do.
_REFUSALS: tuple[tuple[type[ArenaError], int, str, str], ...] = (
    (
        NoCookie,
        403,
        "no_cookie",
        (
            "Your browser did not send this site's cookie, which keeps your votes apart from other people's. "
            "Load the page again for a new one; if this stays, allow cookies for it, or open it in a tab of its own."
        ),
    ),
    (
        NoBallotLeft,
        404,
        "no_ballot_left",
        "You have judged every pair here that you can still judge blind: each answer is shown to you once. Thank you!",
    ),
    (UnknownBallot, 404, "unknown_ballot", "That pair is not open for you any more. Here is the next one."),
    (
        BallotExpired,
        410,
        "ballot_expired",
        "That pair was open for too long and has been closed. Here is the next one.",
    ),
    (AlreadyVoted, 409, "already_voted", "You already judged this pair. Your first verdict stays: {kept}."),
    (VoteNotSaved, 503, "not_saved", "Your vote was not saved. Please try again; it will count once."),
    (StoreError, 503, "unavailable", "The arena cannot reach its votes right now. Please try again in a moment."),
    (ArenaError, 500, "internal", INTERNAL),
)


def _refusal_of(error: ArenaError) -> tuple[int, str, str]:
    if isinstance(error, NoBallotLeft) and error.is_arena_empty:
        return 404, "arena_empty", "There are no two answers to compare yet. Please come back later."
    kept = SAVED_AS[error.kept] if isinstance(error, AlreadyVoted) else ""
    _, status, word, sentence = next(row for row in _REFUSALS if isinstance(error, row[0]))
    return status, word, sentence.format(kept=kept)
