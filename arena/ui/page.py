"""What the pages share: the head of the HTML, the header with its navigation, and Gradio stripped to a frame."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import gradio as gr
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from arena.ui.texts import texts

ASSETS = Path(__file__).parent / "assets"
ASSETS_PATH = "/ui"  # Gradio serves its own /assets and /static
PAGES = {
    "/": "arena",
    "/leaderboard": "leaderboard",
    "/analysis": "analysis",
    "/model": "model",
    "/quality": "quality",
    "/guidelines": "guidelines",
}
# Pages that are about one thing among many: reached from others, and not from the header.
_UNLISTED = {"model"}
# Scripts that import others.
_MODULES = {
    "analysis.js",
    "model.js",
    "quality.js",
    "leaderboard.js",
    "review.js",
    "disagreement.js",
    "alarms.js",
    "models.js",
    "scores.js",
    "voters.js",
}
# Scripts that others wait for: they run where they stand.
_FIRST = {"calibration.js", "consent.js", "labels.js", "live.js", "parts.js", "thumbs.js"}
_YEAR_SECONDS = 365 * 24 * 3600

# Both ship with Gradio; to load them with the page spares the text a change of face.
_FONTS = ("SourceSansPro/SourceSansPro-Regular", "SourceSansPro/SourceSansPro-Bold")


@dataclass(frozen=True)
class Frame:
    """What is the same on every page."""

    title: str
    guideline_version: str | None

    def header(self, current: str, *, aside: str = "") -> str:
        """The line at the top; `current` is the path of the page it stands on, `aside` plain text at its right."""
        version = f" v{self.guideline_version.removeprefix('v')}" if self.guideline_version else ""
        nav = "".join(
            f'<a href=".{path}"{" aria-current=page" if path == current else ""}><span data-t="nav.{page}"></span>'
            f"{escape(version) if page == 'guidelines' else ''}</a>"
            for path, page in PAGES.items()
            if page not in _UNLISTED
        )
        return (
            f'<header class="top"><a class="brand" href="./">{escape(self.title)}</a>'
            f'<nav data-t-label="nav.label">{nav}</nav><span class="aside" id="aside">{escape(aside)}</span></header>'
        )

    def style(self) -> str:
        """Tags for the head of any page: colours, icon, type and style sheet."""
        tags = [
            '<meta name="color-scheme" content="light dark">',
            f'<link rel="icon" type="image/svg+xml" href="{address_of("icon.svg")}">',
            *(
                f'<link rel="preload" as="font" type="font/woff2" crossorigin href="./static/fonts/{font}.woff2">'
                for font in _FONTS
            ),
            f'<link rel="stylesheet" href="{address_of("style.css")}">',
        ]
        return "\n\t\t".join(tags)

    def head(self, page: str, language: str, *, script: str | Sequence[str] | None = None) -> str:
        """Tags for the head. Addresses are relative, so that the site also works below a path of a proxy."""
        words = texts(language)
        tags = [
            f"<title>{escape(words[f'nav.{page}'])} · {escape(self.title)}</title>",
            self.style(),
            f'<script type="application/json" id="bakeoff-texts">{_inert(words)}</script>',
            f'<script src="{address_of("page.js")}"></script>',
        ]
        for name in (script,) if isinstance(script, str) else script or ():
            # async, not defer: a deferred script waits for all of Gradio's modules, which stand before it.
            kind = ' type="module"' if name in _MODULES else ""
            when = "" if name in _FIRST else " async"
            tags.append(f'<script{when}{kind} src="{address_of(name)}"></script>')
        return "\n\t\t".join(tags)


def html(value: str = "", *, page: str | None = None) -> gr.HTML:
    """Our own markup in Gradio's frame, without its styles and without its click event.

    The title of `page` is put over the window when the markup is there: Gradio gives all pages of a site one title.
    """
    script = "" if page is None else _TITLE % json.dumps(f"nav.{page}")
    return gr.HTML(value, apply_default_css=False, js_on_load=script, padding=False, container=False)


_TITLE = "document.title = `${bakeoff.t(%s)} · ${document.querySelector('.brand').textContent}`"


def _inert(value: object) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


class Assets(StaticFiles):
    """The style sheet, the scripts and the icon. Their address changes with their content, so they may be kept."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_versioned = scope.get("query_string", b"").startswith(b"v=")
        keep: Mapping[bool, str] = {True: f"public, max-age={_YEAR_SECONDS}, immutable", False: "no-cache"}
        response.headers["cache-control"] = keep[is_versioned]
        return response


@cache
def address_of(name: str) -> str:
    """Where a file of ours is; the address changes with the content."""
    digest = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]
    return f".{ASSETS_PATH}/{name}?v={digest}"
