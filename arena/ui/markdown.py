"""Markdown of prompts, answers and guidelines as HTML that can do nothing but be read."""

import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from arena.ui import mathematics

_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_DEEPEST = 100
_LINK_ATTRIBUTES = 'rel="noopener noreferrer nofollow" target="_blank"'


def render_markdown(text: str, *, top_heading: int = 4) -> str:
    """CommonMark with tables and TeX as HTML; a single newline breaks the line and its indentation stays.

    Raw HTML is shown as text. Links go to http, https and mailto only, and open outside the page. Images are never
    loaded, since their address could name a model or count a reader: they become a link with their description.
    The largest heading of the text becomes h<top_heading>, so that an answer never outranks the page.
    """
    parser, env = _parser(), dict[str, Any]()
    tokens = parser.parse(text, env)
    levels = (int(token.tag[1:]) for token in tokens if token.type == "heading_open")
    env["shift"] = top_heading - min(levels, default=1)
    if any(token.level >= _DEEPEST - 1 for token in tokens):
        # The parser leaves out, in silence, what is nested deeper. A voter must see all of an answer.
        return f'<p class="plain">{escape(text)}</p>\n'
    return parser.renderer.render(tokens, parser.options, env)


@cache
def _parser() -> MarkdownIt:
    options = {"html": False, "breaks": True, "maxNesting": _DEEPEST}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.core.ruler.before("inline", "indentation", _keep_indentation)
    mathematics.enable(parser)
    parser.validateLink = lambda url: _SAFE_LINK.match(url.strip()) is not None
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("heading_open", _heading)
    parser.add_render_rule("heading_close", _heading)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _keep_indentation(state: StateCore) -> None:
    """Keep the blanks at the start of a paragraph's lines: code that its model did not fence is still code."""
    for token in state.tokens:
        if token.type == "inline":
            token.content = re.sub(r"\n([ \t]+)", _as_hard_blanks, token.content)


def _as_hard_blanks(found: re.Match[str]) -> str:
    return "\n" + found[1].expandtabs(4).replace(" ", "\u00a0")


def _link_open(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f'<a href="{escape(str(tokens[index].attrGet("href")))}" {_LINK_ATTRIBUTES}>'


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    description = escape(renderer.renderInlineAsText(token.children, options, env) or "image")
    is_in_link = sum(t.nesting for t in tokens[:index] if t.type in ("link_open", "link_close")) > 0
    if is_in_link:  # HTML has no link within a link
        return description
    return f'<a href="{escape(str(token.attrGet("src")))}" {_LINK_ATTRIBUTES}>{description}</a>'


def _heading(_: RendererHTML, tokens: Sequence[Token], index: int, __: Any, env: MutableMapping[str, Any]) -> str:
    token = tokens[index]
    level = min(int(token.tag[1:]) + env["shift"], 6)
    return f"<h{level}>" if token.nesting == 1 else f"</h{level}>\n"


def _table_open(*_: Any) -> str:
    return '<div class="scroll"><table>\n'  # a wide table scrolls by itself, the page never does


def _table_close(*_: Any) -> str:
    return "</table></div>\n"
