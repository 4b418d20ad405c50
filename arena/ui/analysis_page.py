"""The Analysis page and the page of a model: empty shells, which scripts fill. Nothing here could name a model."""

from collections.abc import Mapping

import gradio as gr

from arena.ui.page import Frame, html

SCRIPTS: Mapping[str, str] = {"analysis": "analysis.js", "model": "model.js"}

# Grey lines where numbers will be, so that little jumps when they come.
_BONES = '<div class="bones" aria-hidden="true"><i></i><i></i><i></i></div>'

# In the order in which they stand; each has a place for what the script makes of the route of its name.
_SECTIONS = ("duel", "matrix", "history", "collection", "position", "style", "agreement", "influence", "goodness")
_OF_A_MODEL = ("rank", "kinds", "opponents", "time", "recent")


def section(name: str, *, texts: str = "study") -> str:
    """A heading with what it is about, and a place for what the script finds out."""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title" data-t="{texts}.{name}"></h2>'
        f'<p class="quiet" data-t="{texts}.{name}.about"></p>'
        f'<div class="found" aria-busy="true">{_BONES}</div></section>'
    )


def state() -> str:
    """What stands in place of everything while there is nothing, with what to do next."""
    return (
        '<section id="state" class="state" tabindex="-1" hidden><h2></h2><p></p><p class="row">'
        '<button id="again" class="go" type="button" data-t="arena.retry"></button>'
        '<a href="./" data-t="study.to_arena"></a></p></section>'
    )


_SHELL = f"""
<div id="study" class="study">
  <h1 data-t="nav.analysis"></h1>
  {state()}
  <div id="findings">
    <p id="as-of" class="quiet">&nbsp;</p>
    <nav class="jump" data-t-label="study.contents">{
    "".join(f'<a href="#{name}" data-t="study.{name}"></a>' for name in _SECTIONS)
}</nav>
    {"".join(map(section, _SECTIONS))}
  </div>
</div>
"""

_MODEL_SHELL = f"""
<div id="study" class="study">
  <p class="row between"><a href="./analysis" data-t="study.to_analysis"></a><span id="others"></span></p>
  <h1 id="name">&nbsp;</h1>
  {state()}
  <div id="findings">
    <p id="facts" class="quiet">&nbsp;</p>
    {"".join(map(section, _OF_A_MODEL))}
  </div>
</div>
"""


def build(page: gr.Blocks, frame: Frame) -> None:
    """Put the header and the shell of the Analysis page on the page."""
    with page:
        html(frame.header("/analysis") + _SHELL, page="analysis")


def build_model(page: gr.Blocks, frame: Frame) -> None:
    """Put the header and the shell of any model's page on the page; its address says which model."""
    with page:
        html(frame.header("/model") + _MODEL_SHELL, page="model")
