"""The JSON routes of the host's adjudication: pairs on which voters disagree, blind still, and the acts on them.

For the host alone; named field by field, so that what is added to a case later stays here.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from arena.arbiter import Arbiter, Case, Decided
from arena.battle import Message, Verdict
from arena.errors import BadInput
from arena.ui.host_api import host_of
from arena.ui.markdown import render_markdown
from arena.ui.middleware import refusal

_UNKEPT = {"Cache-Control": "no-store"}
_LONGEST_TITLE = 200


class VerdictBody(BaseModel):
    """On which case, what, why, and who decides."""

    model_config = ConfigDict(extra="forbid")

    case: str
    verdict: Verdict
    reason: str
    by: str = ""


class ReturnBody(BaseModel):
    """Which adjudication is taken back, by its number in the log, why, and by whom."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seq: int
    reason: str
    by: str = ""


def routes(arbiter: Arbiter, clock: Callable[[], datetime], *, signed_as: str | None) -> APIRouter:
    """The disagreement, and the two acts, signed with `signed_as`, or else with the name that the host gives."""
    router = APIRouter(prefix="/api/host/disagreement", dependencies=[Depends(host_of)])

    @router.get("")
    def look() -> Response:
        found = arbiter.look()
        told = found.overview.to_record() | {
            "n_open": found.n_open,
            "cases": [_case_json(case) for case in found.cases],
            "decided": [_decided_json(each) for each in found.decided],
        }
        return JSONResponse(told, headers=_UNKEPT)

    @router.post("/adjudicate")
    def adjudicate(body: VerdictBody) -> Response:
        return decided(body.by, lambda by: arbiter.decide(body.case, body.verdict, body.reason, by, clock()))

    @router.post("/take-back")
    def take_back(body: ReturnBody) -> Response:
        return decided(body.by, lambda by: arbiter.take_back(body.seq, body.reason, by, clock()))

    def decided(given: str, act: Callable[[str], bool]) -> Response:
        if signed_as is not None and given not in ("", signed_as):
            return refusal(422, "not_decided", why=f"acts of this arena are signed as {signed_as!r}, not {given!r}")
        try:
            is_new = act(signed_as or given)
        except BadInput as error:
            return refusal(422, "not_decided", why=str(error))
        return JSONResponse({"is_new": is_new}, headers=_UNKEPT)

    return router


def _case_json(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "category": case.category,
        "language": case.language,
        "messages": [{"role": each.role, "html": render_markdown(each.content)} for each in case.messages],
        "answer_a": render_markdown(case.answer_a),
        "answer_b": render_markdown(case.answer_b),
        "votes": dict(zip((each.value for each in Verdict), case.spread, strict=True)),
    }


def _decided_json(decided: Decided) -> dict[str, Any]:
    return {
        "seq": decided.seq,
        "asked": _title(decided.messages),
        "reason": decided.act.reason,
        "by": decided.act.decided_by,
        "at": decided.act.decided_at.isoformat(),
    }


def _title(messages: tuple[Message, ...]) -> str:
    text = " ".join(messages[-1].content.split())
    return text if len(text) <= _LONGEST_TITLE else f"{text[:_LONGEST_TITLE]}…"
