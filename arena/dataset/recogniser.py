"""Presidio as a recogniser of personal data that have no shape: names, places, numbers of identity cards.

An extra: `pip install 'bakeoff-arena[presidio]'`, and a model of spaCy for each language. It runs after the floor,
which stays on.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from arena.dataset.personal import Cleaned
from arena.errors import BadInput

_LEAST_SCORE = 0.5


class _Found(Protocol):
    entity_type: str
    start: int
    end: int
    score: float


class Analyzer(Protocol):
    """What of `presidio_analyzer.AnalyzerEngine` is used."""

    def analyze(self, text: str, language: str, score_threshold: float) -> Sequence[_Found]:
        """Where in the text what is."""
        ...


class Presidio:
    """Puts `<PERSON>` and the like in place of what Presidio finds, the marks of the floor aside."""

    def __init__(self, analyzer: Analyzer, language: str):
        self._analyzer = analyzer
        self._language = language

    def clean(self, text: str) -> Cleaned:
        """The text without what was found. Of findings that overlap, the one that begins first and is longer counts."""
        found = self._analyzer.analyze(text=text, language=self._language, score_threshold=_LEAST_SCORE)
        pieces, at, kinds = [], 0, set[str]()
        for each in sorted(found, key=lambda each: (each.start, -each.end)):
            if each.start >= at and not _is_mark(text, each):
                pieces += [text[at : each.start], f"<{each.entity_type}>"]
                at = each.end
                kinds.add(each.entity_type)
        return Cleaned("".join((*pieces, text[at:])), frozenset(kinds))


def open_presidio(language: str) -> Presidio:
    """Presidio with its own rules for a language. Raises BadInput where it or the language's model is missing."""
    try:
        from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415 # pyright: ignore[reportMissingImports] - an extra
    except ImportError as error:
        raise BadInput("Presidio is not installed: pip install 'bakeoff-arena[presidio]'") from error
    try:
        engine: Any = AnalyzerEngine(supported_languages=[language])
    except (OSError, ValueError, SystemExit) as error:  # spaCy leaves the process where a model cannot be fetched
        raise BadInput(f"Presidio cannot read {language!r}: install a model of spaCy for it ({error})") from error
    return Presidio(engine, language)


def _is_mark(text: str, found: _Found) -> bool:
    """Whether it is one of the marks that the floor has put."""
    before, after = text[max(0, found.start - 1) : found.start], text[found.end : found.end + 1]
    return text[found.start : found.end].startswith("<") or (before == "<" and after == ">")
