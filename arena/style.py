"""How an answer is dressed: length, headers, lists, bold, code blocks, emoji. Counted, never judged.

As on the public boards, what stands inside a fenced code block counts for its length and as one code block, and nothing
in it as a header, a list or bold. Source: Li, Angelopoulos and Chiang (2024), "Does style matter?", LMArena.
"""

import re

FEATURES = ("length", "headers", "lists", "bold", "code_blocks", "emoji")
"""In the order in which `count` gives them."""

# After backticks no other one stands in the line, or it is code inside a sentence. A fence that never closes goes on.
_FENCED = re.compile(
    r"^ {0,3}(`{3,}(?!`|[^\n]*`)|~{3,})[^\n]*(?:\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)|\Z)", re.MULTILINE | re.DOTALL
)
_HEADER = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)", re.MULTILINE)
_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)(?:[^\n*]|\*(?!\*))+?(?<=\S)\*\*|__(?=\S)(?:[^\n_]|_(?!_))+?(?<=\S)__")
# One or more, with what joins them into one picture: skin tones, the joiner, the variation selector, keycaps and flags.
# The blocks are those that hold nearly all characters of Emoji_Presentation in UTS 51.
_FLAG = "\U0001f1e6-\U0001f1ff"
_PICTURE = (
    "[\U0001f300-\U0001f5ff\U0001f600-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb"
    "\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23f3]"
)
_EMOJI = re.compile(
    f"{_PICTURE}(?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d{_PICTURE})*|[{_FLAG}]{{1,2}}|[0-9#*]\ufe0f?\u20e3"
)
_WORD = re.compile(r"\w+|[^\w\s]")


def count(text: str) -> tuple[int, ...]:
    """The FEATURES of one answer. Length is in words and signs, which is about the number of tokens."""
    prose, n_code_blocks = _FENCED.subn("\n", text)
    return (
        len(_WORD.findall(text)),
        len(_HEADER.findall(prose)),
        len(_LIST_ITEM.findall(prose)),
        len(_BOLD.findall(prose)),
        n_code_blocks,
        len(_EMOJI.findall(prose)),
    )
