"""Signals of a product on the floor that exports stand on: no flagged texts, no personal data that have a shape."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from arena.battle import Answer, AnswerId, Message, PromptId
from arena.dataset.cleaning import SAME_ONCE_CLEAN
from arena.dataset.personal import clean
from arena.preferences.flag import Flag, flags_of
from arena.preferences.judgement import SAME_TEXT, are_same
from arena.self_naming import Names
from arena.signals import Signal


@dataclass(frozen=True, slots=True)
class FitSignals:
    """Signals that may be trained on; how many are not, by reason; in how many of the others something was replaced."""

    signals: tuple[Signal, ...]
    left_out: Mapping[str, int]
    n_cleaned: int


def fit_to_train(signals: Iterable[Signal], names: Names) -> FitSignals:
    """What a vote on the same texts would be left out for, a signal is left out for; and it is cleaned as they are."""
    kept: list[Signal] = []
    left_out: Counter[str] = Counter()
    n_cleaned = 0
    for signal in signals:
        flags = _flags(signal, names)
        if flags:
            left_out[next(flag for flag in Flag if flag in flags).value] += 1
            continue
        cleaned = _cleaned(signal)
        if cleaned.edited is not None and are_same(cleaned.edited, cleaned.answer):
            were_same = are_same(signal.edited or "", signal.answer)
            left_out[SAME_TEXT if were_same else SAME_ONCE_CLEAN] += 1
            continue
        n_cleaned += cleaned != signal
        kept.append(cleaned)
    return FitSignals(tuple(kept), left_out, n_cleaned)


def _flags(signal: Signal, names: Names) -> frozenset[Flag]:
    texts = [text for text in (signal.answer, signal.edited) if text is not None]
    answers = tuple(Answer(AnswerId(signal.id), PromptId(signal.id), signal.model, text) for text in texts)
    is_named = any(names.told_by(text, signal.model, signal.messages[-1].content) for text in texts)
    return flags_of(signal.messages, answers, named=is_named)


def _cleaned(signal: Signal) -> Signal:
    return replace(
        signal,
        messages=tuple(Message(each.role, clean(each.content).text) for each in signal.messages),
        answer=clean(signal.answer).text,
        edited=None if signal.edited is None else clean(signal.edited).text,
    )
