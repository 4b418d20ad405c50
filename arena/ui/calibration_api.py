"""The JSON routes of the calibration: the next worked example, and what the guideline says of it once it is judged."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from arena.battle import Verdict
from arena.calibration import Calibration, JudgedExample, Step
from arena.ui.api import unkept, voter_of
from arena.ui.host_api import host_of
from arena.ui.markdown import render_markdown
from arena.voter import VoterKey

# The latest ones; a page with more is read by nobody.
MOST_SCORES = 500


class ExampleBody(BaseModel):
    """What may be said of a worked example: a verdict, or that this one and the rest are passed over."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict | None = None
    passes: Literal[True] | None = Field(default=None, alias="pass")

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> "ExampleBody":
        if (self.verdict is None) == (self.passes is None):
            raise ValueError("either a verdict or a pass")
        return self


def routes(calibration: Calibration, voter_key: VoterKey, clock: Callable[[], datetime]) -> APIRouter:
    """Ask for the next worked example, judge it or pass over those that are left; and, for the host, how voters did."""
    router = APIRouter()

    @router.get("/api/calibration")
    def next_example(request: Request) -> Response:
        step = calibration.next_step(voter_of(request, voter_key))
        return unkept(None if step is None else step_json(step))

    @router.post("/api/calibration/{number}")
    def judge(number: int, body: ExampleBody, request: Request) -> Response:
        voter_id = voter_of(request, voter_key)
        if body.verdict is None:
            calibration.pass_over(number, voter_id, clock())
            return unkept(None)
        return unkept(judged_json(calibration.judge(number, body.verdict, voter_id, clock())))

    @router.get("/api/host/calibration", dependencies=[Depends(host_of)])
    def scores() -> Response:
        return unkept({"scores": [each.to_record() for each in calibration.scores()[:MOST_SCORES]]})

    return router


def step_json(step: Step) -> dict[str, Any]:
    """An example before it is judged. Its title stays here with verdict and reason: it may give them away."""
    return {
        "number": step.example.number,
        "k": step.k,
        "n": step.n,
        "prompt": render_markdown(step.example.prompt, top_heading=3),
        "answer_a": render_markdown(step.example.answer_a),
        "answer_b": render_markdown(step.example.answer_b),
    }


def judged_json(judged: JudgedExample) -> dict[str, Any]:
    """An example that was judged: what the voter said of it first, and what the guideline says."""
    return {
        "number": judged.example.number,
        "verdict": None if judged.verdict is None else judged.verdict.value,
        "guideline": {
            "verdict": judged.example.verdict.value,
            "title": judged.example.title,
            "reason": render_markdown(judged.example.reason),
        },
    }
