"""The Leaderboard page: an empty shell, which the board's scripts fill from `/api/leaderboard`.

Nothing in it could name a model: the shell travels in Gradio's configuration, which is the same for all pages' readers.
"""

import gradio as gr

from arena.ui.page import Frame, html

SCRIPT = "leaderboard.js"

# Grey lines where the table will be, so that little jumps when it comes.
_BONES = f'<div class="bones" aria-hidden="true">{"<i></i>" * 12}</div>'

_SHELL = f"""
<div id="board-page" class="board-page" data-state="loading" aria-busy="true">
  <h1 class="unseen" data-t="nav.leaderboard"></h1>
  <form id="filters" role="search" data-t-label="board.filters" hidden>
    <input id="q" type="search" data-t-label="board.search" data-t-placeholder="board.search" autocomplete="off"
      spellcheck="false" maxlength="200">
    <div id="picks"></div>
  </form>
  <div id="under">
    <p id="news" class="quiet"></p>
    <div id="takeaway" hidden>
      <button id="link" type="button" data-t="board.link" data-t-title="board.link_hint"></button>
      <span id="downloads" role="group" data-t-label="board.download"></span>
    </div>
  </div>
  <div id="bones">{_BONES}</div>
  <div id="table" hidden></div>
  <section id="instead" class="state" tabindex="-1" hidden>
    <h2></h2>
    <p></p>
    <p class="row"><button id="again" class="go" type="button"></button>
      <a class="go" href="./" data-t="board.to_arena"></a></p>
  </section>
  <div id="facts" class="facts" hidden></div>
  <details id="method" class="more" hidden><summary data-t="method.title"></summary><div></div></details>
  <details id="columns" class="more" hidden><summary data-t="board.columns"></summary><dl></dl></details>
  <div id="help" class="help" popover></div>
  <p id="said" class="unseen" role="status" aria-live="polite"></p>
</div>
"""


def build(page: gr.Blocks, frame: Frame) -> None:
    """Put the header and the shell on the page."""
    with page:
        html(frame.header("/leaderboard") + _SHELL, page="leaderboard")
