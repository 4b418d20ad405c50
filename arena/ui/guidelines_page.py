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
    """The guideline as HTML, or what a voter should do where there is none. Words of ours are put in by the script."""
    if text is None or not text.strip():
        return (
            '<div class="reading"><h1 data-t="nav.guidelines"></h1><p data-t="guideline.none"></p>'
            '<p><a href="./" data-t="board.to_arena"></a></p></div>'
        )
    label = f'<p class="quiet"><span data-t="guideline.title"></span> · {escape(version)}</p>' if version else ""
    return (
        f'<div class="reading">{label}<div class="text" dir="auto">{render_markdown(text, top_heading=1)}</div></div>'
    )
