"""The JSON routes behind the Arena page's scripts.

A browser gets a ballot here and, for a stored vote, its reveal; it can withdraw that vote, skip a ballot, read the
guideline, and see its voter's own votes. Nothing here tells one voter of another, but for counts.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from arena.battle import Ballot, Contender, Message, PairRecord, Reveal, SkipReason, Verdict, VoterId
from arena.errors import (
    AlreadyRanked,
    AlreadyVoted,
    ArenaError,
    BallotExpired,
    BallotSkipped,
    ConsentNeeded,
    DatabaseUnavailable,
    NoBallotLeft,
    NotALabel,
    NotAPrompt,
    NotAsked,
    NothingToWithdraw,
    NotOffered,
    StoreError,
    TooLateToWithdraw,
    TooMany,
    UnknownBallot,
    UnknownExample,
    VoteNotSaved,
    VoteWithdrawn,
)
from arena.limits import Act
from arena.role import Role
from arena.store import LastVote
from arena.ui.access import session_of
from arena.ui.host_api import NotTheHost
from arena.ui.labels import LabelBody, misshapen, step_of
from arena.ui.markdown import render_markdown
from arena.ui.middleware import refusal
from arena.ui.throttle import Throttle, rate_limited
from arena.voter import VoterKey
from arena.voting import Booth, OwnVotes

log = logging.getLogger(__name__)

T = TypeVar("T")


class NoCookie(ArenaError):
    """The request carries no voter cookie of ours. Known to the web alone, hence not in arena/errors.py."""

    def __init__(self) -> None:
        super().__init__("there is no voter cookie with this request, or it was not issued here")


class VoteBody(BaseModel):
    """What a vote may say, and nothing else: models, texts and sides are the server's own."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    labels: LabelBody | None = None


class SkipBody(BaseModel):
    """What a skip may say, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    reason: SkipReason


class EmptyBody(BaseModel):
    """An act that says all by its address."""

    model_config = ConfigDict(extra="forbid")


# So many of the own votes are listed; the record of each model counts them all.
_RECENT = 50


def routes(
    booth: Booth,
    voter_key: VoterKey,
    clock: Callable[[], datetime],
    *,
    throttle: Throttle,
    guideline: tuple[str, str] | None = None,
) -> APIRouter:
    """Open a ballot, vote on it, skip it, take the vote back, read the guideline and the own votes; and ask whether the
    server lives. `guideline` is its version and text."""
    router = APIRouter()
    guideline_html = render_markdown(guideline[1], top_heading=3) if guideline else None

    @router.post("/api/ballots")
    def open_ballot(request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        try:
            ballot = booth.open(voter_id, clock(), permit=throttle.permit(request, Act.BALLOT, voter_id))
        except NoBallotLeft as error:
            return refusal(*refusal_of(error), **so_far(booth, voter_id))
        return unkept({"ballot": ballot_json(ballot), **so_far(booth, voter_id)})

    @router.post("/api/ballots/{ballot_id}/vote")
    def vote(ballot_id: str, body: VoteBody, request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        labels = (body.labels or LabelBody()).labels()
        permit = throttle.permit(request, Act.VOTE, voter_id)
        reveal = booth.cast(ballot_id, body.verdict, voter_id, clock(), labels, permit=permit)
        others = _unless_unread(lambda: booth.others_on(reveal, voter_id))
        return unkept({**reveal_json(reveal), "others": _others_json(others), "votes": counts_json(booth, voter_id)})

    @router.post("/api/ballots/{ballot_id}/withdrawal")
    def withdraw(ballot_id: str, body: EmptyBody, request: Request) -> Response:
        del body  # it is empty, or was refused
        voter_id = voter_of(request, voter_key)
        verdict = booth.withdraw(ballot_id, voter_id, clock())
        return unkept({"verdict": verdict.value, "votes": counts_json(booth, voter_id)})

    @router.post("/api/ballots/{ballot_id}/skip")
    def skip(ballot_id: str, body: SkipBody, request: Request) -> Response:
        booth.skip(ballot_id, body.reason, voter_of(request, voter_key), clock())
        return unkept({"ballot_id": ballot_id})

    @router.get("/api/me")
    def me(request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        return unkept({**own_votes_json(booth.own_votes(voter_id)), "votes": counts_json(booth, voter_id)})

    @router.get("/api/guideline")
    def read_guideline() -> Response:
        return unkept({"version": guideline[0] if guideline else None, "html": guideline_html})

    @router.get("/healthz")
    def healthz() -> Response:
        booth.check_database()
        return unkept({"status": "ok"})

    return router


def end_of_routes() -> APIRouter:
    """What no other route below /api/ takes; without it such a request would fall through to Gradio, which answers in
    its own way."""
    router = APIRouter()

    @router.api_route("/api/{anything:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def nothing_here(anything: str) -> Response:
        del anything
        return refusal(404, "no_such_address")

    return router


def unkept(content: Mapping[str, Any] | None) -> Response:
    """An answer for this voter and this moment, which no cache keeps; without content, an empty one."""
    headers = {"Cache-Control": "no-store"}
    return Response(status_code=204, headers=headers) if content is None else JSONResponse(content, headers=headers)


def voter_of(request: Request, voter_key: VoterKey) -> VoterId:
    """The voter whose cookie came with this request; an annotator who is signed in is one voter on every device.

    Raises NoCookie without a cookie of ours.
    """
    session = session_of(request)
    if session is not None and Role.ANNOTATOR in session.roles:
        return VoterId(voter_key.lasting_pseudonym("annotator", session.account))
    voter_id = voter_key.voter_among(request.cookies)
    if voter_id is None:
        raise NoCookie
    return voter_id


def ballot_json(ballot: Ballot) -> dict[str, Any]:
    """The blind view as the browser gets it. Named field by field: what is added to a Ballot later stays here."""
    return {
        "ballot_id": ballot.id,
        "category": ballot.category,
        "language": ballot.language,
        "messages": messages_json(ballot.messages),
        "answer_a": render_markdown(ballot.answer_a),
        "answer_b": render_markdown(ballot.answer_b),
    }


def messages_json(messages: Iterable[Message]) -> list[dict[str, str]]:
    """A conversation as the browser gets it."""
    return [{"role": each.role, "html": render_markdown(each.content, top_heading=3)} for each in messages]


def reveal_json(reveal: Reveal) -> dict[str, Any]:
    """What a stored vote opens."""
    return {
        "verdict": reveal.verdict.value,
        "a": contender_json(reveal.a),
        "b": contender_json(reveal.b),
    }


def contender_json(contender: Contender) -> dict[str, Any]:
    """A model as a stored vote shows it."""
    return {
        "name": contender.model.name,
        "organization": contender.model.organization,
        "score": contender.score,
        "low": contender.low,
        "high": contender.high,
        "rank_low": contender.rank_low,
        "rank_high": contender.rank_high,
    }


def own_votes_json(own: OwnVotes) -> dict[str, Any]:
    """What a voter said of each model, and the latest votes; the names of all of them were shown to this voter."""
    return {
        "models": [
            {
                "name": own.models[each.model_id].name,
                "organization": own.models[each.model_id].organization,
                "won": each.n_won,
                "tied": each.n_tied,
                "lost": each.n_lost,
                "both_bad": each.n_both_bad,
                "n": each.n,
                "share": each.share,
            }
            for each in own.records
        ],
        "recent": [
            {
                "verdict": vote.verdict.value,
                "step": step_of(vote.verdict, vote.scale, vote.strength),
                "voted_at": vote.voted_at.isoformat() if vote.voted_at else None,
                "a": own.models[vote.model_a].name,
                "b": own.models[vote.model_b].name,
                "asked": vote.asked,
                "is_withdrawn": vote.is_withdrawn,
            }
            for vote in own.votes[:_RECENT]
        ],
    }


def _last_json(last: LastVote | None) -> dict[str, str | None] | None:
    if last is None:
        return None
    step = step_of(last.verdict, last.scale, last.strength)
    return {"ballot_id": last.ballot_id, "verdict": last.verdict.value, "step": step}


def _others_json(others: PairRecord | None) -> dict[str, int] | None:
    if others is None:
        return None
    return {"n": others.n, "a": others.n_a, "b": others.n_b, "neither": others.n_tie + others.n_both_bad}


def so_far(booth: Booth, voter_id: VoterId) -> dict[str, Any]:
    """What goes along with the next ballot, and as well with the word that there is none: the counts, and the vote
    that can still be taken back."""
    last = _unless_unread(lambda: booth.last_vote(voter_id))
    return {"votes": counts_json(booth, voter_id), "last": _last_json(last)}


def counts_json(booth: Booth, voter_id: VoterId) -> dict[str, int] | None:
    """The line in the header."""
    counts = _unless_unread(lambda: booth.counts(voter_id))
    return None if counts is None else {"mine": counts.mine, "all": counts.all}


def _unless_unread(read: Callable[[], T]) -> T | None:
    """What goes along with an act; None where it cannot be read: what is stored must not look lost for that."""
    try:
        return read()
    except StoreError:
        log.exception("what goes along with an answer could not be read")
        return None


def translate_errors(app: FastAPI) -> None:
    """Turn every foreseen error into a status, a word and a calm sentence. The only place where that happens."""

    @app.exception_handler(ArenaError)
    def refuse(request: Request, error: ArenaError) -> Response:
        if isinstance(error, TooMany):
            return rate_limited(error.seconds)
        status, word = refusal_of(error)
        if status >= 500:
            # A database that cannot be reached says in its line what is wrong; it would be said for every request.
            is_foreseen = isinstance(error, VoteNotSaved | DatabaseUnavailable)
            log.error("%s %s: %s", request.method, request.url.path, error, exc_info=None if is_foreseen else error)
        values: dict[str, str | None] = {}
        if isinstance(error, AlreadyVoted):
            step = step_of(error.kept, error.labels.scale, error.labels.strength)
            values = {"kept": error.kept.value, "step": step}
        elif isinstance(error, NotALabel):
            values = {"label": error.label, "accepted": error.accepted}
        elif isinstance(error, NotAPrompt):
            word = f"prompt_{error.why}"
            values = {"most": f"{error.most:,}"}
        return refusal(status, word, **values)

    @app.exception_handler(RequestValidationError)
    def refuse_body(request: Request, error: RequestValidationError) -> Response:
        # Its text is never echoed: it repeats what was sent.
        label = misshapen(error.errors())
        if label is not None:
            return refusal(422, "not_a_label", label=label.label, accepted=label.accepted)
        if request.url.path.startswith("/api/lists/") and request.url.path.endswith("/vote"):
            return refusal(422, "not_a_label", label="ranks", accepted="a list of whole numbers")
        for act, accepted in (("vote", Verdict), ("skip", SkipReason)):
            if request.url.path.endswith(f"/{act}"):
                return refusal(422, f"not_a_{act}", accepted=", ".join(each.value for each in accepted))
        return refusal(422, "bad_request")

    @app.exception_handler(HTTPException)
    def refuse_request(request: Request, error: HTTPException) -> Response:
        del request
        return refusal(error.status_code, "bad_request")


# The most specific first. The texts `refusal.<word>` are for the voter: what happened, and what to do.
_REFUSALS: tuple[tuple[type[ArenaError], int, str], ...] = (
    (NotTheHost, 403, "not_yours"),
    (NoCookie, 403, "no_cookie"),
    (NoBallotLeft, 404, "no_ballot_left"),
    (UnknownBallot, 404, "unknown_ballot"),
    (BallotExpired, 410, "ballot_expired"),
    (BallotSkipped, 410, "ballot_skipped"),
    (VoteWithdrawn, 410, "vote_withdrawn"),
    (AlreadyVoted, 409, "already_voted"),
    (AlreadyRanked, 409, "already_ranked"),
    (NotALabel, 422, "not_a_label"),
    (NothingToWithdraw, 409, "nothing_to_withdraw"),
    (TooLateToWithdraw, 410, "too_late_to_withdraw"),
    (NotOffered, 403, "not_offered"),
    (UnknownExample, 404, "unknown_example"),
    (NotAPrompt, 422, "not_a_prompt"),
    (NotAsked, 409, "not_asked"),
    (ConsentNeeded, 403, "consent_needed"),
    (VoteNotSaved, 503, "not_saved"),
    (StoreError, 503, "unavailable"),
    (ArenaError, 500, "internal"),
)


def refusal_of(error: ArenaError) -> tuple[int, str]:
    """The status and the word of an error."""
    if isinstance(error, NoBallotLeft) and error.is_arena_empty:
        return 404, "arena_empty"
    return next((status, word) for kind, status, word in _REFUSALS if isinstance(error, kind))
