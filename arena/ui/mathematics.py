"""TeX in prompts and answers as MathML, which browsers draw by themselves: no script, no fonts from elsewhere.

The converter's tree is not trusted: what may stand in it is listed here, and written out anew. Where anything else
turns up, or the source cannot be read, the reader gets the source, so that nothing of an answer is hidden or lost.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from html import escape, unescape
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_LONGEST = 2000
# Of a tree of some hundred levels a browser draws nothing for half a minute.
_DEEPEST = 60
# A macro may grow without end, and these may hide what an answer says, or have it pass for something else. What stands
# behind a bare % is a comment to TeX, and to whoever wrote "100%" is not.
_REFUSED = re.compile(
    r"\\(?:(?:re)?newcommand|def|let|[hv]?phantom|href|style|class|smash|math[rl]lap|mathchoice)(?![a-zA-Z])"
    r"|(?<!\\)(?:\\\\)*%"
)
# Environments that the converter does not know, by those that it does and that look alike.
_ALIKE = {"aligned": "split", "gathered": "matrix", "gather": "matrix", "gather*": "matrix"}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(aligned|gathered|gather\*?)\}(?:\[[tcb]\])?")

_TAGS = frozenset(
    (
        *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mfrac", "msqrt", "mroot", "msub", "msup"),
        *("msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"),
    )
)
# Attributes by what they may say. All others, colours among them, are left out.
_ATTRIBUTES = {
    "display": re.compile(r"inline|block"),
    **dict.fromkeys(
        ("displaystyle", "stretchy", "fence", "separator", "accent", "accentunder"), re.compile(r"true|false")
    ),
    "form": re.compile(r"prefix|infix|postfix"),
    "columnalign": re.compile(r"(?:left|right|center)(?: (?:left|right|center)){0,20}"),
    "linethickness": re.compile(r"0(?:px)?"),
    "mathvariant": re.compile(r"[a-z-]{1,30}"),
    "width": re.compile(r"\d(?:\.\d{1,5})?em"),
}

# What the converter raises where the source is no TeX: a dozen errors of its own, which share no base, and what its
# code trips over.
_TRIPPED_OVER: tuple[type[Exception], ...] = (
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    *(ValueError, LookupError, TypeError, AttributeError, StopIteration, RecursionError),
)

# How TeX stands in a text: what opens it, what closes it, and whether it has a line of its own.
_FENCES = (("$$", "$$", True), (r"\[", r"\]", True), (r"\(", r"\)", False), ("$", "$", False))


class NoMathematics(Exception):
    """The source cannot be shown as MathML."""


def to_mathml(source: str, *, is_block: bool) -> str:
    """TeX as MathML; as its source, marked as code, where that is not possible.

    Characters that turn the direction of a text, and NUL, are dealt with by `render_markdown`.
    """
    if len(source) <= _LONGEST:
        with suppress(NoMathematics):
            return _converted(source, is_block=is_block)
    return f'<code class="tex">{escape(source)}</code>'


@lru_cache(maxsize=4096)
def _converted(source: str, *, is_block: bool) -> str:
    if _REFUSED.search(source):
        raise NoMathematics
    known = _ENVIRONMENT.sub(lambda found: f"\\{found[1]}{{{_ALIKE[found[2]]}}}", source)
    try:
        tree = convert_to_element(known, display="block" if is_block else "inline")
        return "".join(_written(tree))
    except _TRIPPED_OVER as error:
        raise NoMathematics from error


def _written(element: Element, level: int = 0) -> Iterator[str]:
    if level > _DEEPEST:
        raise NoMathematics
    if element.tag == "menclose" and element.get("notation") == "box":
        # Browsers draw no notation; a border they do. Of what is struck through they would show no line.
        yield f'<mrow class="boxed">{"".join(part for child in element for part in _written(child, level + 1))}</mrow>'
        return
    # Where columns or lines were meant and no table was made of them, the reader would see them run together.
    is_lost = (element.tag, element.text) == ("mi", "&") or element.get("linebreak") is not None
    if element.tag not in _TAGS or is_lost:
        raise NoMathematics
    told = {
        name: value
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value)
    }
    if element.tag == "mspace" and "width" not in told:
        return  # a space less than none could pull what follows over what stands before it
    attributes = "".join(f' {name}="{value}"' for name, value in told.items())
    yield f"<{element.tag}{attributes}>"
    yield escape(unescape(element.text or ""))
    for child in element:
        yield from _written(child, level + 1)
        yield escape(unescape(child.tail or ""))
    yield f"</{element.tag}>"


def enable(parser: MarkdownIt) -> None:
    """Have a Markdown parser read $...$, $$...$$, \\(...\\) and \\[...\\] as TeX, but in code."""
    parser.inline.ruler.before("escape", "mathematics", _find)
    parser.add_render_rule("mathematics", _render)


def _find(state: StateInline, silent: bool) -> bool:
    for opens, closes, is_block in _FENCES:
        if not state.src.startswith(opens, state.pos):
            continue
        start = state.pos + len(opens)
        end = state.src.find(closes, start, state.posMax)
        source = state.src[start:end] if end > start else ""
        if not source.strip() or (opens == "$" and not _is_tex(source, state.src[end + 1 : end + 2])):
            continue
        if not silent:
            token = state.push("mathematics", "math", 0)
            token.content = source.replace("\u00a0", " ").strip()
            token.meta = {"is_block": is_block}
        state.pos = end + len(closes)
        return True
    return False


def _is_tex(source: str, following: str) -> bool:
    """Whether the text between two dollar signs is TeX, and not what stands between two prices, names of variables of a
    shell, or ends of patterns.

    As Pandoc has it, no blank inside next to a dollar sign, and no digit after the second one; and no letter there
    either, and no code or link cut in two.
    """
    if source[0].isspace() or source[-1].isspace() or following.isalnum():
        return False
    return not any(broken in source for broken in ("\n\n", "`", "]("))


def _render(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    return to_mathml(token.content, is_block=token.meta["is_block"])
