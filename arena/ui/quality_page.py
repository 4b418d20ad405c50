"""The data-quality page: an empty shell, which a script fills from one route. Nothing here could name anybody."""

import gradio as gr

from arena.ui.analysis_page import section, state
from arena.ui.page import Frame, html

SCRIPT = "quality.js"

_SECTIONS = ("readiness", "agreement", "audits")

_SHELL = f"""
<div id="study" class="study">
  <h1 data-t="quality.title"></h1>
  {state()}
  <div id="findings">
    <p id="as-of" class="quiet">&nbsp;</p>
    <nav class="jump" data-t-label="study.contents">{
    "".join(f'<a href="#{name}" data-t="quality.{name}"></a>' for name in _SECTIONS)
}</nav>
    {"".join(section(name, texts="quality") for name in _SECTIONS)}
  </div>
</div>
"""


def build(page: gr.Blocks, frame: Frame) -> None:
    """Put the header and the shell on the page."""
    with page:
        html(frame.header("/quality") + _SHELL, page="quality")
