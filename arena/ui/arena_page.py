"""The Arena page: an empty shell. The ballot's script fills it, and the shell holds nothing that could name a model."""

import gradio as gr

from arena.ui.markdown import render_markdown
from arena.ui.page import Frame, html

SCRIPT = "ballot.js"

# Grey lines where text will be, so that nothing jumps when it comes.
_BONES = '<div class="bones" aria-hidden="true">{}</div>'
_SHORT = _BONES.format("<i></i><i></i>")
_LONG = _BONES.format("<i></i><i></i><i></i><i></i><i></i>")

_SHELL = f"""
<div id="arena" data-state="loading" aria-busy="true">
  <h1 class="unseen">Which answer is better?</h1>
  <div id="welcome" hidden>{{welcome}}</div>
  <section id="prompt" aria-labelledby="prompt-label" tabindex="-1">
    <h2 id="prompt-label">Prompt</h2>
    <ol id="earlier" tabindex="0" aria-label="Earlier turns" hidden></ol>
    <div id="question" class="text" dir="auto">{_SHORT}</div>
    <button id="unfold" type="button" aria-expanded="false" aria-controls="question" hidden></button>
  </section>
  <div id="pair">
    <article id="a" class="answer a" aria-labelledby="a-label">
      <h3><span id="a-label">Answer A</span> <span class="name"></span> <span class="score"></span></h3>
      <div class="text" dir="auto" tabindex="0" role="group" aria-labelledby="a-label">{_LONG}</div>
    </article>
    <article id="b" class="answer b" aria-labelledby="b-label">
      <h3><span id="b-label">Answer B</span> <span class="name"></span> <span class="score"></span></h3>
      <div class="text" dir="auto" tabindex="0" role="group" aria-labelledby="b-label">{_LONG}</div>
    </article>
  </div>
  <section id="notice" tabindex="-1" hidden>
    <h2></h2>
    <p></p>
    <p class="row"><button id="retry" class="go" type="button">Try again</button>
      <a id="board-link" href="./leaderboard">See the leaderboard</a></p>
  </section>
</div>
<section id="bar" aria-label="Your verdict">
  <div id="trouble" hidden><span></span> <button id="resend" type="button">Try again</button></div>
  <div id="verdicts">
    <button type="button" class="a" data-verdict="A" aria-keyshortcuts="A">A is better <kbd>A</kbd></button>
    <button type="button" data-verdict="tie" aria-keyshortcuts="T">Tie <kbd>T</kbd></button>
    <button type="button" data-verdict="both_bad" aria-keyshortcuts="N">Both bad <kbd>N</kbd></button>
    <button type="button" class="b" data-verdict="B" aria-keyshortcuts="B">B is better <kbd>B</kbd></button>
  </div>
  <div id="after" hidden>
    <p><span id="saved"></span> <span id="who"></span></p>
    <button id="next" class="go" type="button" aria-keyshortcuts="Enter">Next <kbd>Enter</kbd></button>
  </div>
</section>
<p id="said" class="unseen" role="status" aria-live="polite"></p>
"""


def build(page: gr.Blocks, frame: Frame, *, welcome: str) -> None:
    """Put the header and the shell on the page."""
    with page:
        shell = frame.header("/") + _SHELL.format(welcome=render_markdown(welcome))
        html(shell, page_title=frame.page_title("Arena"))
