"""The Guidelines page: what "better" means here, in the host's words and with its version."""

from html import escape

import gradio as gr

from arena.ui.markdown import render_markdown
from arena.ui.page import Frame, html


def build(page: gr.Blocks, frame: Frame, *, text: str | None) -> None:
    """Put the header and the guideline on the page."""
    with page:
        content = frame.header("/guidelines") + guidelines_html(text, frame.guideline_version)
        html(content, page="guidelines")


def guidelines_html(text: str | None, version: str | None) -> str:
    """The guideline as HTML, or what a voter should do where there is none."""
    if text is None or not text.strip():
        return (
            '<div class="reading"><h1>Guidelines</h1><p>The host of this arena has not written any guidelines. '
            "Say which answer you would rather have received; choose Tie if they are equally good, and Both bad "
            'if neither is of use.</p><p><a href="./">Go to the arena</a></p></div>'
        )
    label = f'<p class="quiet">Guidelines, version {escape(version)}</p>' if version else ""
    return (
        f'<div class="reading">{label}<div class="text" dir="auto">{render_markdown(text, top_heading=1)}</div></div>'
    )
