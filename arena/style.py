"""How an answer is dressed: length, headers, lists, bold, code blocks, emoji. Counted, never judged.

As on the public boards, what stands inside a fenced code block counts for its length and as one code block, and nothing
in it as a header, a list or bold. Source: Li, Angelopoulos and Chiang (2024), "Does style matter?", LMArena.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from arena.features import FEATURES

# After backticks no other one stands in the line, or it is code inside a sentence. A fence that never closes goes on.
_FENCED = re.compile(
    r"^ {0,3}(`{3,}(?!`|[^\n]*`)|~{3,})[^\n]*(?:\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)|\Z)", re.MULTILINE | re.DOTALL
)
# Of a text with a line break before it: that finds the beginnings of lines many times as fast as ^ does.
_HEADER = re.compile(r"\n {0,3}#{1,6}(?=[ \t\n]|\Z)")
_LIST_ITEM = re.compile(r"\n[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_BOLD = re.compile(r"\*\*(?=\S)(?:[^\n*]|\*(?!\*))+?(?<=\S)\*\*|__(?=\S)(?:[^\n_]|_(?!_))+?(?<=\S)__")
# One or more, with what joins them into one picture: skin tones, the joiner, the variation selector, keycaps and flags.
# The blocks are those that hold nearly all characters of Emoji_Presentation in UTS 51.
_FLAG = "\U0001f1e6-\U0001f1ff"
_PICTURES = (
    "\U0001f300-\U0001f5ff\U0001f600-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb"
    "\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23f3"
)
_KEYCAP = "\u20e3"
_EMOJI = re.compile(
    f"[{_PICTURES}](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[{_PICTURES}])*|[{_FLAG}]{{1,2}}|[0-9#*]\ufe0f?{_KEYCAP}"
)
# A sign without which nothing is an emoji.
_OF_EMOJI = re.compile(f"[{_PICTURES}{_FLAG}{_KEYCAP}]")
_WORD = re.compile(r"\w+|[^\w\s]")

# Words are counted in so many letters at once: what is worked on stays in the processor's cache.
_LETTERS_AT_ONCE = 200_000
_BLANK, _LETTER, _SIGN = range(3)


def count(text: str) -> tuple[int, ...]:
    """The FEATURES of one answer. Length is in words and signs, which is about the number of tokens."""
    return len(_WORD.findall(text)), *_marks(text)


def counts(texts: Sequence[str]) -> NDArray[np.int64]:
    """As `count`, of many answers at once and several times as fast: shape (n_answers, len(FEATURES))."""
    found = np.empty((len(texts), len(FEATURES)), dtype=np.int64)
    for place, text in enumerate(texts):
        found[place, 1:] = _marks(text)
    # Most letters of most texts are of ASCII, where a table of 128 will do.
    for is_ascii, n_letters in ((True, 128), (False, 0x110000)):
        if places := [place for place, text in enumerate(texts) if text.isascii() is is_ascii]:
            kinds = _kinds(n_letters)
            found[places, 0] = np.concatenate([_n_words(part, kinds) for part in _parts(texts[i] for i in places)])
    return found


def _marks(text: str) -> tuple[int, ...]:
    """All FEATURES but length. A mark is looked for where its signs are there at all."""
    is_fenced = has(text, "```", "~~~")
    prose, n_code_blocks = _FENCED.subn("\n", text) if is_fenced else (text, 0)
    lines = "\n" + prose
    has_emoji = not prose.isascii() and _OF_EMOJI.search(prose) is not None
    return (
        len(_HEADER.findall(lines)) if "#" in prose else 0,
        len(_LIST_ITEM.findall(lines)),
        len(_BOLD.findall(prose)) if has(prose, "**", "__") else 0,
        n_code_blocks,
        len(_EMOJI.findall(prose)) if has_emoji else 0,
    )


def has(text: str, *signs: str) -> bool:
    """Whether any of these stands in the text. A single letter is found several times as fast, so it is asked first."""
    return any(sign[0] in text and sign in text for sign in signs)


@cache
def _kinds(n: int) -> NDArray[np.uint8]:
    """Of the first n letters of Unicode, what each is as the patterns of `re` have it: in a word, blank, or a sign."""
    every = "".join(map(chr, range(n)))
    kinds = np.full(n, _SIGN, dtype=np.uint8)
    for kind, pattern in ((_LETTER, r"\w+"), (_BLANK, r"\s+")):
        for run in re.finditer(pattern, every):
            kinds[run.start() : run.end()] = kind
    return kinds


def _parts(texts: Iterable[str]) -> Iterator[list[str]]:
    part, n = list[str](), 0
    for text in texts:
        part.append(text)
        n += len(text)
        if n >= _LETTERS_AT_ONCE:
            yield part
            part, n = [], 0
    if part:
        yield part


def _n_words(texts: Sequence[str], kinds: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many words and signs each text has."""
    joined = "\n".join(texts)
    if joined.isascii():
        of = np.frombuffer(joined.encode("ascii").translate(kinds[:128].tobytes() * 2), dtype=np.uint8)
    else:
        of = kinds[np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")]
    in_word = of == _LETTER
    begins = in_word.copy()
    begins[1:] &= ~in_word[:-1]
    begins |= of == _SIGN
    ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    return np.diff(np.searchsorted(np.flatnonzero(begins), ends), prepend=0)
