"""The worked examples of a guideline, read from its Markdown.

An example is a heading of level 3 with a number, and below it five parts, each begun by its label at the start of a
line of ordinary text:

    ### 4. Perfect form, wrong content
    **Prompt.** ...
    **Answer A.** ...
    **Answer B.** ...
    **Verdict.** A, B, Tie or Both bad
    **Reason.** ...

A part goes on until the next label or heading of level 1 to 3, whatever it holds: paragraphs, lists, code. What looks
like a label or a heading inside of code, a list or a quotation is none. A heading without any of the labels below it is
no example.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from arena.battle import Verdict

LABELS = ("Prompt", "Answer A", "Answer B", "Verdict", "Reason")
_LABEL = re.compile(rf"\s*\*\*({'|'.join(LABELS)})[.:]\*\*(?!\S)")
_HEADING = re.compile(r"([1-9]\d{0,3})\.\s+(.+)")
_ENDS = ("h1", "h2", "h3")
_VERDICTS: Mapping[str, Verdict] = {"a": Verdict.A, "b": Verdict.B, "tie": Verdict.TIE, "both bad": Verdict.BOTH_BAD}


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """A prompt with two answers, the guideline's verdict on them, and its reason: Markdown, but for the title."""

    number: int
    title: str
    prompt: str
    answer_a: str
    answer_b: str
    verdict: Verdict
    reason: str


class Flaw(NamedTuple):
    """Why something that looks like a worked example cannot be read; `line` counts from 1."""

    line: int
    message: str


class _Part(NamedTuple):
    label: str
    line: int
    text: str


class _Section(NamedTuple):
    title: str
    line: int
    parts: tuple[_Part, ...]


def read_examples(text: str) -> tuple[tuple[WorkedExample, ...], tuple[Flaw, ...]]:
    """The worked examples of a guideline in their order, and what is wrong with those that cannot be read."""
    examples: dict[int, WorkedExample] = {}
    flaws: list[Flaw] = []
    for section in _sections(text):
        if not section.parts:
            continue
        found = _flaws_of(section)
        number = int(section.title.partition(".")[0]) if not found else 0
        if number in examples:
            found = [Flaw(section.line, f"there is a worked example {number} already")]
        if found:
            flaws.extend(found)
            continue
        told = {part.label: part.text for part in section.parts}
        examples[number] = WorkedExample(
            number=number,
            title=section.title.partition(".")[2].strip(),
            prompt=told["Prompt"],
            answer_a=told["Answer A"],
            answer_b=told["Answer B"],
            verdict=_VERDICTS[_word(told["Verdict"])],
            reason=told["Reason"],
        )
    return tuple(examples.values()), tuple(flaws)


def spread(examples: Sequence[WorkedExample], n: int) -> tuple[WorkedExample, ...]:
    """`n` examples whose verdicts differ as far as possible, in the guideline's order; all of them if there are fewer.

    The rule: an example is chosen the sooner, the fewer with the same verdict stand before it; among equals, the first.
    So each verdict that occurs is there once before any is there twice.
    """
    seen: Counter[Verdict] = Counter()
    ranked: list[tuple[int, int]] = []
    for place, example in enumerate(examples):
        ranked.append((seen[example.verdict], place))
        seen[example.verdict] += 1
    return tuple(examples[place] for place in sorted(place for _, place in sorted(ranked)[:n]))


def _flaws_of(section: _Section) -> list[Flaw]:
    flaws: list[Flaw] = []
    if _HEADING.fullmatch(section.title) is None:
        wanted = "a worked example is headed by its number (1 to 9999) and a title, as in '### 1. A title'"
        flaws.append(Flaw(section.line, f"{wanted}; found {_short(section.title)}"))
    n_times = Counter(part.label for part in section.parts)
    missing = [f"**{label}.**" for label in LABELS if not n_times[label]]
    if missing:
        flaws.append(Flaw(section.line, f"this worked example lacks {' and '.join(missing)}"))
    for part in section.parts:
        if n_times[part.label] > 1:
            flaws.append(Flaw(part.line, f"**{part.label}.** stands {n_times[part.label]} times in one worked example"))
        elif not part.text:
            flaws.append(Flaw(part.line, f"**{part.label}.** is empty"))
        elif part.label == "Verdict" and _word(part.text) not in _VERDICTS:
            flaws.append(Flaw(part.line, f"{_short(part.text)} is no verdict; accepted: A, B, Tie, Both bad"))
    return flaws


def _sections(text: str) -> Iterator[_Section]:
    """What stands below each heading of level 3, as labelled parts."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - slow to import, and needed for a calibration alone

    # As the pages read it: see arena/ui/markdown.py.
    tokens = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).parse(text)
    lines = re.split(r"\r\n?|\n", text)
    headings: list[tuple[str, str, int, int]] = []
    prose: set[int] = set()
    for token, inner in pairwise(tokens):
        if token.level or token.map is None:
            continue
        if token.type == "paragraph_open":
            prose.update(range(*token.map))
        elif token.type == "heading_open" and token.tag in _ENDS:
            title = "".join(child.content for child in inner.children or ())
            start, after = token.map
            headings.append((token.tag, title.strip(), start, after))
    starts = [start for _, _, start, _ in headings]
    for (tag, title, start, after), end in zip(headings, [*starts[1:], len(lines)], strict=False):
        if tag == "h3":
            yield _Section(title, start + 1, tuple(_parts(lines, range(after, end), prose)))


def _parts(lines: Sequence[str], numbers: range, prose: set[int]) -> Iterator[_Part]:
    label, start, held = "", 0, list[str]()
    for number in numbers:
        found = _LABEL.match(lines[number]) if number in prose else None
        if found is None:
            held.append(lines[number])
            continue
        if label:
            yield _Part(label, start, _trimmed(held))
        label, start, held = found[1], number + 1, [lines[number][found.end() :].lstrip()]
    if label:
        yield _Part(label, start, _trimmed(held))


def _trimmed(lines: Sequence[str]) -> str:
    """The lines without blank ones at either end; indentation stays, since it may mean code."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return "\n".join(lines[filled[0] : filled[-1] + 1]).rstrip() if filled else ""


def _word(text: str) -> str:
    return " ".join(text.casefold().removesuffix(".").split())


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
