"""How two answers that come in live are shown: in step, so that nothing but their texts tells them apart. Pure.

Both panes grow by the same number of characters at the same moments. How fast is the same for every battle, whoever
answers: it is set by what the slowest of all contenders can do, so that a fast model is held back and a slow one is
rarely waited for. Where one is waited for, both panes wait, and what came late is not made up for by a burst. So a
watcher of the clock sees the tempo of the arena, and neither speed nor chunks nor pauses of the two that answer.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

SLOWEST_CHARACTERS, FASTEST_CHARACTERS = 15.0, 250.0
"""A second. Slower than people read keeps nobody here, and faster than they read is of no use."""

SHORTEST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""For the first word, in seconds."""

# What is taken for the speed of a model of which few answers are known: a slow one, as a faster tempo would show it.
_UNKNOWN_CHARACTERS, _UNKNOWN_WAIT = 25.0, 5.0
_FEWEST_KNOWN = 5

_MARGIN = 1.15
"""How much slower than its slowest contender an arena goes, so that this one rarely has to be waited for."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How one answer came in: seconds to its first word, and characters a second from there on."""

    first_word: float
    characters: float


@dataclass(frozen=True, slots=True)
class Tempo:
    """How all battles of an arena are shown."""

    first_word: float = _UNKNOWN_WAIT
    characters: float = _UNKNOWN_CHARACTERS

    @classmethod
    def of(cls, speeds: Iterable[Iterable[Speed]]) -> "Tempo":
        """From the latest answers of each contender: as slow as nine tenths of those of the slowest one.

        A contender with few answers is taken for a slow one at best.
        """
        waits, rates = [SHORTEST_WAIT], [FASTEST_CHARACTERS * _MARGIN]
        for each in speeds:
            known = list(each)
            if len(known) < _FEWEST_KNOWN:
                known.append(Speed(_UNKNOWN_WAIT, _UNKNOWN_CHARACTERS))
            waits.append(_slow_end([speed.first_word for speed in known]))
            rates.append(-_slow_end([-speed.characters for speed in known]))
        return cls(
            first_word=min(max(max(waits) * _MARGIN, SHORTEST_WAIT), LONGEST_WAIT),
            characters=min(max(min(rates) / _MARGIN, SLOWEST_CHARACTERS), FASTEST_CHARACTERS),
        )


def _slow_end(values: list[float]) -> float:
    """The value that nine tenths do not exceed."""
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


class Pacer:
    """Says how many characters of each pane may be seen by now. `started` is when the battle was asked for."""

    def __init__(self, tempo: Tempo, started: float):
        self._tempo = tempo
        self._begins = started + tempo.first_word
        self._last: float | None = None
        self._shown = 0.0

    def shown(self, now: float, arrived: tuple[int, int], has_ended: tuple[bool, bool]) -> int:
        """How many characters of each answer, where it has so many, may be seen now; never fewer than before.

        `arrived` are the characters that are there and may be shown, `has_ended` whether an answer is whole.
        """
        if now < self._begins:
            return 0
        lengths = zip(arrived, has_ended, strict=True)
        limit = max(arrived) if all(has_ended) else min(n for n, is_whole in lengths if not is_whole)
        passed = 0.0 if self._last is None else now - self._last
        self._last = now
        # Time in which nothing was there to be shown is lost, and not caught up with.
        self._shown = max(self._shown, min(self._shown + passed * self._tempo.characters, limit))
        return int(self._shown)
