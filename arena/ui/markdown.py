"""Markdown of prompts, answers and guidelines as HTML that can do nothing but be read."""

import re
import unicodedata
from collections.abc import Iterator, MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from arena.ui import mathematics

_MAIL = "mailto:"
_LANGUAGE = re.compile(r"[ \t]*([\w+#.-]{1,40})(?:[ \t]|$)")
_DEEPEST = 100
# The parser looks from each of these to the end of its paragraph: time grows with the square of their number.
_OPENS = re.compile(r"\[|\\\(")
_MOST_OPENS = 400
_LINK_ATTRIBUTES = 'rel="noopener noreferrer nofollow" target="_blank"'

# What turns the direction of all that follows, so that a text reads as something else than it is, is shown by its
# number; what is no character of a text at all, by the sign for that.
_SHOWN_BY_NUMBER = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SHOWN = {number: f"[U+{number:04X}]" for number in _SHOWN_BY_NUMBER} | {0: "\ufffd"}

# A host in a text, with what follows it in an address; several signs pass for the dot.
_DOTS = str.maketrans(dict.fromkeys("\u2024\u3002\uff0e\uff61", "."))
_HOST = re.compile(r"((?:[\w-]+\.)+(?:[^\W\d_]{2,}|xn--[\w-]+|\d+)|(?<=://)[\w.-]+)(?::\d+)?(?:[/?#]\S*)?")


def render_markdown(text: str, *, top_heading: int = 4) -> str:
    """CommonMark with tables and TeX as HTML; a single newline breaks the line and its indentation stays.

    Raw HTML is shown as text. Links go to http, https and mailto only, and open outside the page; one whose text reads
    like another address has the host beside it that it goes to. Images are never loaded, since their address could name
    a model or count a reader: they become a link with their description. What would turn the direction of the text
    after it is shown by its number, as [U+202E]. The largest heading of the text becomes h<top_heading>, so that an
    answer never outranks the page.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half of a character is none
    # At the end, since an entity such as &#x202e; becomes a character on the way.
    return _rendered(whole, top_heading).translate(_SHOWN)


def _rendered(text: str, top_heading: int) -> str:
    parser, env = _parser(), dict[str, Any]()
    tokens = parser.parse(text, env)
    levels = (int(token.tag[1:]) for token in tokens if token.type == "heading_open")
    for token in tokens:
        if token.type == "fence":
            named = _LANGUAGE.match(token.info)
            token.info = named[1] if named else ""
    env["shift"] = top_heading - min(levels, default=1)
    if "is_tangled" in env or any(token.level >= _DEEPEST - 1 for token in tokens):
        # The parser leaves out, in silence, what is nested deeper. A voter must see all of an answer.
        return f'<p class="plain">{escape(text)}</p>\n'
    return parser.renderer.render(tokens, parser.options, env)


@cache
def _parser() -> MarkdownIt:
    options = {"html": False, "breaks": True, "maxNesting": _DEEPEST}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.core.ruler.before("inline", "indentation", _keep_indentation)
    mathematics.enable(parser)
    parser.validateLink = lambda url: _goal(url) is not None
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("link_close", _link_close)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("heading_open", _heading)
    parser.add_render_rule("heading_close", _heading)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _keep_indentation(state: StateCore) -> None:
    """Keep the blanks at the start of a paragraph's lines: code that its model did not fence is still code.

    A paragraph that would take minutes is noted and not read.
    """
    for token in state.tokens:
        if token.type != "inline":
            continue
        if len(_OPENS.findall(token.content)) > _MOST_OPENS:
            state.env["is_tangled"] = True
            token.content = ""
        else:
            token.content = re.sub(r"\n([ \t]+)", _as_hard_blanks, token.content)


def _as_hard_blanks(found: re.Match[str]) -> str:
    return "\n" + found[1].expandtabs(4).replace(" ", "\u00a0")


def _link_open(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    url = str(tokens[index].attrGet("href"))
    return f'<a href="{escape(url)}" {_LINK_ATTRIBUTES}>' if url else ""  # [a]() would lead to the page itself


def _link_close(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    start = next(place for place in range(index, -1, -1) if tokens[place].type == "link_open")
    url, shown = str(tokens[start].attrGet("href")), "".join(_words(tokens[start + 1 : index]))
    return f"</a>{_warning(url, shown)}" if url else ""


def _image(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    description = "".join(_words(token.children or ())) or "image"
    url = str(token.attrGet("src"))
    is_in_link = sum(t.nesting for t in tokens[:index] if t.type in ("link_open", "link_close")) > 0
    if is_in_link or not url:  # HTML has no link within a link
        return escape(description)
    return f'<a href="{escape(url)}" {_LINK_ATTRIBUTES}>{escape(description)}</a>{_warning(url, description)}'


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    """What a reader sees of these, as plain text."""
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.children:
            yield from _words(token.children)
        else:
            yield token.content


def _goal(url: str) -> str | None:
    """Where a link goes: a host, or for mail an address. None for one that may be no link here."""
    url = url.strip()
    if url[: len(_MAIL)].lower() == _MAIL:
        return unquote(url[len(_MAIL) :].partition("?")[0])
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed
        return None
    is_web = parts.scheme in ("http", "https") and url[len(parts.scheme) :].startswith("://")
    return (parts.hostname or None) if is_web else None


def _warning(url: str, shown: str) -> str:
    """Where a link goes, to stand beside it, if what is shown of it may be taken for another address.

    That is a text with another host in it, an address with a name before its host, and a host whose letters may look
    like others (its name then begins with xn--).
    """
    goal = _goal(url) or ""
    plain = "".join(each for each in unicodedata.normalize("NFKC", shown) if unicodedata.category(each) != "Cf")
    told = {found[1].casefold() for found in _HOST.finditer(plain.translate(_DOTS))}
    is_mail = url[: len(_MAIL)].lower() == _MAIL
    if is_mail:
        poses = bool(told) and goal.casefold() not in plain.casefold()
    else:
        known = {goal.casefold(), goal.casefold().removeprefix("www.")}
        is_odd = "xn--" in goal or not goal.isascii() or "@" in urlsplit(url).netloc
        poses = is_odd or any(each.removeprefix("www.") not in known for each in told)
    return f" <small>(<bdi>{escape(goal)}</bdi>)</small>" if poses else ""


def _heading(_: RendererHTML, tokens: Sequence[Token], index: int, __: Any, env: MutableMapping[str, Any]) -> str:
    token = tokens[index]
    level = min(int(token.tag[1:]) + env["shift"], 6)
    return f"<h{level}>" if token.nesting == 1 else f"</h{level}>\n"


def _table_open(*_: Any) -> str:
    return '<div class="scroll"><table>\n'  # a wide table scrolls by itself, the page never does


def _table_close(*_: Any) -> str:
    return "</table></div>\n"
