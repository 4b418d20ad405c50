"""What good practice asks of a guideline and a text does not have: advice, each piece with its line. Pure.

An arena runs without any of this; its votes mean less. Looked for are a definition of "better", the order of the
dimensions as a numbered list, what to do where both answers are wrong, where both are good and where one is longer, and
worked examples with verdict and reason. Headings and the first words of a paragraph are read, in the five languages of
the pages: a text in another language, or with other words, gets advice that its host may pass over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from arena.errors import Fault
from arena.worked_example import read_examples

FEWEST_EXAMPLES = 10

# Words are looked for without capitals. Those of German, French, Spanish and Chinese stand beside the English ones.
_BETTER = r"better|best answer|besser|beste|meilleure?|mieux|mejor|更好|较好"
_ORDER = (
    r"dimension|criteri|criterion|order of|priorit|what counts|reihenfolge|kriteri|rangfolge|critère|ordre|priorit|"
    r"orden|dimensión|维度|顺序|标准|优先"
)
_EXAMPLES = r"worked example|examples?$|beispiel|exemple|ejemplo|示例|例子|范例"
_BAD = r"wrong|bad|incorrect|fail|useless|falsch|schlecht|faux|fausse|mauvais|incorrect|mal[ao]s?\b|错|不好|差"
_GOOD = r"right|good|correct|equal|richtig|gut|korrekt|justes?|bon(?:ne)?s?\b|buen[ao]s|对|正确|都好"
_BOTH = r"both|neither|beide|keine der|les deux|aucune des|ambos|ambas|las dos|los dos|ningun|都|两"
_LENGTH = r"length|longer|shorter|verbos|länge|länger|kürzer|longueur|plus long|longitud|más larg|长度|篇幅|更长|长短"


class _Part(NamedTuple):
    """Something that a guideline should say: where it is looked for, and what to do where it is not said."""

    leads: re.Pattern[str]
    lacks: str


def _either(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words))


_EDGE_CASES = (
    _Part(
        _either(rf"(?:{_BOTH}).{{0,40}}?(?:{_BAD})"),
        "no edge case says what to vote where both answers are wrong: begin a paragraph with **Both are wrong.**",
    ),
    _Part(
        _either(rf"(?:{_BOTH}).{{0,40}}?(?:{_GOOD})"),
        "no edge case says what to vote where both answers are good: begin a paragraph with **Both are right.**",
    ),
    _Part(
        _either(_LENGTH),
        "no edge case says whether a longer answer is better: begin a paragraph with **Length.**",
    ),
)


@dataclass(frozen=True, slots=True)
class _Block:
    """A heading, or the first words of a paragraph or of a point in a list; the line counts from 1."""

    line: int
    words: str
    level: int = 0
    """Of a heading, from 1; 0 for any other text."""


@dataclass(frozen=True, slots=True)
class _Outline:
    """The blocks of a text, and the lines at which its numbered lists begin, with how many points each has."""

    blocks: tuple[_Block, ...]
    lists: tuple[tuple[int, int], ...]
    n_lines: int

    def section(self, words: str, *, top: int = 1) -> range | None:
        """The lines of the first section, of this level or a deeper one, whose heading has one of these words; it goes
        on up to the next heading of its level."""
        headings = [block for block in self.blocks if block.level]
        for place, heading in enumerate(headings):
            if heading.level >= top and re.search(words, heading.words):
                ends = (each.line for each in headings[place + 1 :] if each.level <= heading.level)
                return range(heading.line, next(ends, self.n_lines + 1))
        return None


def advice_on(file: str, text: str) -> list[Fault]:
    """What is missing in the text of a guideline file, front matter and all, by its lines; empty for a good one.

    Worked examples that cannot be read are part of it, since nobody can be calibrated by them.
    """
    outline = _outline(text)
    found = [*_missing_parts(outline), *_examples(outline, text)]
    return [Fault(file, line, message) for line, message in sorted(found, key=lambda each: each[0] or 0)]


def _missing_parts(outline: _Outline) -> Iterator[tuple[int | None, str]]:
    if outline.section(_BETTER) is None:
        yield None, 'no section defines "better": add one headed ## What "better" means'
    order = outline.section(_ORDER)
    if order is None:
        yield None, "no section gives the order of the dimensions: add one headed ## The order of dimensions"
    elif not any(line in order and n > 1 for line, n in outline.lists):
        yield order.start, "the section on the order of the dimensions has no numbered list: number them, 1. first"
    # Below the title of the whole text, which may say any of these words.
    elsewhere = [outline.section(words, top=2) for words in (_BETTER, _ORDER, _EXAMPLES)]
    leads = [block for block in outline.blocks if not any(part and block.line in part for part in elsewhere)]
    for part in _EDGE_CASES:
        if not any(part.leads.search(block.words) for block in leads):
            yield None, part.lacks


def _examples(outline: _Outline, text: str) -> Iterator[tuple[int | None, str]]:
    examples, flaws = read_examples(text)
    yield from flaws
    if len(examples) < FEWEST_EXAMPLES:
        section = outline.section(_EXAMPLES)
        n = f"{len(examples)} worked example{'' if len(examples) == 1 else 's'}"
        advice = (
            f"{n} can be read, and {FEWEST_EXAMPLES} are the fewest that show a voter what is meant: add more, each "
            "headed ### 1. A title, with **Prompt.**, **Answer A.**, **Answer B.**, **Verdict.** and **Reason.**"
        )
        yield None if section is None else section.start, advice


def _outline(text: str) -> _Outline:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - slow to import, and needed to check a pack alone

    body = _without_head(text)
    tokens = MarkdownIt("commonmark", {"html": False}).parse(body)
    blocks: list[_Block] = []
    lists: list[tuple[int, int]] = []
    for place, (token, inner) in enumerate(pairwise(tokens)):
        if token.map is None:
            continue
        line = token.map[0] + 1
        if token.type == "heading_open":
            blocks.append(_Block(line, _plain(inner.content), int(token.tag[1:])))
        elif token.type == "paragraph_open":
            blocks.append(_Block(line, _first_words(inner.content)))
        elif token.type == "ordered_list_open":
            items = (each for each in tokens[place + 1 :] if each.level == token.level + 1)
            n_points = 0
            for each in items:
                if each.map is not None and each.map[0] >= token.map[1]:
                    break
                n_points += each.type == "list_item_open"
            lists.append((line, n_points))
    return _Outline(tuple(blocks), tuple(lists), text.count("\n") + 1)


def _without_head(text: str) -> str:
    """The text with its front matter as blank lines, so that lines keep their numbers."""
    found = re.match(r"\s*^---[ \t]*$.*?^---[ \t]*$", text, re.MULTILINE | re.DOTALL)
    return text if found is None else "\n" * found[0].count("\n") + text[found.end() :]


def _first_words(text: str) -> str:
    """Up to the end of the first sentence."""
    return re.split(r"[.:!?。：！？]", _plain(text), maxsplit=1)[0]


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[*_`]", "", text).casefold().split())
