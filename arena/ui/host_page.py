"""The host's page: a heading, and one section for each thing that a host can do.

It is no page of Gradio's: what a host sees is in nobody's configuration, and nothing of it is sent before the door has
let the host in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from arena.ui.access import session_of
from arena.ui.login_page import signed_in_tags
from arena.ui.page import Frame
from arena.ui.plain import plain_page


@dataclass(frozen=True)
class Section:
    """A part of the page. Its heading is the text `host.<name>`, its element has the id `host-<name>`, and `script`
    fills it from routes below /api/host."""

    name: str
    script: str | None = None
    html: str = ""


SECTIONS = (
    Section("alarms", script="alarms.js"),
    Section("review", script="review.js"),
    Section("disagreement", script="disagreement.js"),
    Section("calibration", script="scores.js"),
    Section("voters", script="voters.js"),
)


LIVE_SECTIONS = (SECTIONS[0], Section("models", script="models.js"), *SECTIONS[1:])
"""Where models answer live."""


def routes(frame: Frame, sections: Sequence[Section] = SECTIONS) -> APIRouter:
    """The page itself."""
    router = APIRouter()

    @router.get("/host")
    def host(request: Request) -> Response:
        scripts = [each.script for each in sections if each.script]
        tags = signed_in_tags(session_of(request))
        return plain_page(request, frame, "host", _body(sections), scripts=scripts, personal=tags)

    return router


def _body(sections: Sequence[Section]) -> str:
    jump = "".join(f'<a href="#host-{each.name}-title" data-t="host.{each.name}"></a>' for each in sections)
    parts = "".join(
        f'<section id="host-{each.name}" aria-labelledby="host-{each.name}-title">'
        f'<h2 id="host-{each.name}-title" data-t="host.{each.name}"></h2>{each.html}</section>'
        for each in sections
    )
    return (
        '<main class="reading host" id="host"><h1 data-t="nav.host"></h1>'
        f'<nav class="jump" data-t-label="study.contents">{jump}</nav>{parts}</main>'
    )
