"""What may stand in the HTML of a text that somebody else wrote: read by a parser, judged by a list."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

# Every element that a text may become, with the attributes that it may have there.
_PLAIN = "strong em s blockquote ul li pre br hr h1 h2 h3 h4 h5 h6 thead tbody tr table bdi small"
_WITH = {
    "a": "href rel target",
    "p": "class",
    "div": "class",
    "code": "class",
    "ol": "start",
    "th": "style",
    "td": "style",
    "mrow": "class",
}
_MATH = (
    "math mrow mi mn mo mtext mspace mstyle mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd"
)
ALLOWED: dict[str, set[str]] = {
    tag: set(_WITH.get(tag, "").split()) for tag in (*_PLAIN.split(), *_MATH.split(), *_WITH)
}
_ANY_MATH = {"displaystyle", "stretchy", "fence", "separator", "accent", "accentunder", "form", "columnalign"}
_ANY_MATH |= {"linethickness", "mathvariant", "width", "display"}
_VALUES = {
    "href": re.compile(r"(?:https?://|mailto:)[^\s<>\"]*", re.IGNORECASE),
    "rel": re.compile(r"noopener noreferrer nofollow"),
    "target": re.compile(r"_blank"),
    "style": re.compile(r"text-align:(?:left|right|center)"),
    "class": re.compile(r"(?:language-[\w+#.-]{1,40}|tex|plain|scroll|boxed)"),
    "start": re.compile(r"\d{1,9}"),
    "width": re.compile(r"\d(?:\.\d{1,5})?em"),
}
_VOID = {"br", "hr"}
# What turns the direction of the text after it, and so what a reader sees.
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.faults.append(f"<{tag}>")
            return
        allowed = ALLOWED[tag] | (_ANY_MATH if tag in _MATH.split() else set())
        for name, value in attrs:
            if name not in allowed:
                self.faults.append(f"<{tag} {name}>")
            elif name in _VALUES and not _VALUES[name].fullmatch(value or ""):
                self.faults.append(f"<{tag} {name}={value!r}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.faults.append(f"<{tag}/> is not closed by its slash")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"a comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"a declaration {decl!r}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"an instruction {data!r}")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"a section {data!r}")

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]


def faults_in(html: str) -> Iterator[str]:
    """What a piece of HTML could do beyond being read, or could do to what stands after it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    yield from reader.faults
    if found := TURNS.search(html):
        yield f"{found[0]!r} turns the direction of what is read"
    if "\0" in html:
        yield "a NUL"
