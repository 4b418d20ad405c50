"""What the pages share: the head of the HTML, the header with its navigation, and Gradio stripped to a frame."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import gradio as gr
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ASSETS = Path(__file__).parent / "assets"
ASSETS_PATH = "/ui"  # Gradio serves its own /assets and /static
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
        links = {"/": "Arena", "/leaderboard": "Leaderboard", "/guidelines": f"Guidelines{version}"}
        nav = "".join(
            f'<a href=".{path}"{" aria-current=page" if path == current else ""}>{escape(name)}</a>'
            for path, name in links.items()
        )
        return (
            f'<header class="top"><a class="brand" href="./">{escape(self.title)}</a>'
            f'<nav aria-label="Pages">{nav}</nav><span class="aside" id="aside">{escape(aside)}</span></header>'
        )

    def page_title(self, page: str) -> str:
        """What stands over the window."""
        return f"{page} · {self.title}"

    def head(self, page_title: str, *, script: str | None = None) -> str:
        """Tags for the head. Addresses are relative, so that the site also works below a path of a proxy."""
        tags = [
            f"<title>{escape(self.page_title(page_title))}</title>",
            '<meta name="color-scheme" content="light dark">',
            f'<link rel="icon" type="image/svg+xml" href="{_address("icon.svg")}">',
            *(
                f'<link rel="preload" as="font" type="font/woff2" crossorigin href="./static/fonts/{font}.woff2">'
                for font in _FONTS
            ),
            f'<link rel="stylesheet" href="{_address("style.css")}">',
        ]
        if script is not None:
            # async, not defer: a deferred script waits for all of Gradio's modules, which stand before it.
            tags.append(f'<script async src="{_address(script)}"></script>')
        return "\n\t\t".join(tags)


def html(value: str = "", *, page_title: str | None = None) -> gr.HTML:
    """Our own markup in Gradio's frame, without its styles and without its click event.

    page_title is put over the window when the markup is there: Gradio gives all pages of a site one title.
    """
    script = "" if page_title is None else f"document.title = {json.dumps(page_title)}"
    return gr.HTML(value, apply_default_css=False, js_on_load=script, padding=False, container=False)


class Assets(StaticFiles):
    """The style sheet, the script and the icon. Their address changes with their content, so they may be kept."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_versioned = scope.get("query_string", b"").startswith(b"v=")
        keep: Mapping[bool, str] = {True: f"public, max-age={_YEAR_SECONDS}, immutable", False: "no-cache"}
        response.headers["cache-control"] = keep[is_versioned]
        return response


@cache
def _address(name: str) -> str:
    digest = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:12]
    return f".{ASSETS_PATH}/{name}?v={digest}"
