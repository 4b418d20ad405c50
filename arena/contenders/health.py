"""How each contender does: for the host's eyes, for the tempo of live battles, and to rest one that fails too often."""

import threading
from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from arena.battle import ModelId
from arena.contenders.client import Completion
from arena.contenders.pace import Speed, Tempo
from arena.errors import EndpointFailed, Failure

REMEMBERED = 50
"""So many of its latest requests tell how a contender does."""

FEWEST_FAILURES = 3
"""Fewer failures among them send nobody to rest."""

SHARE_OF_FAILURES = 0.5

FIRST_REST, LONGEST_REST = 30.0, 1800.0
"""In seconds. Each rest that follows on a failed try is twice as long as the one before."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How one contender does. Times are medians over its latest answers, in seconds; None without an answer.

    usd is what all its answers since the start cost, None without a price; failures count since the start as well.
    rests_for are the seconds until it is tried again, 0 where it does not rest. What the endpoint said when it failed
    last may name the model.
    """

    n_answers: int
    failures: Mapping[Failure, int]
    success: float | None
    first_word: float | None
    characters: float | None
    usd: float | None
    rests_for: float
    last_failure: EndpointFailed | None


@dataclass(slots=True)
class _Record:
    latest: deque[bool] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    speeds: deque[Speed] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    failures: Counter[Failure] = field(default_factory=Counter)
    n_answers: int = 0
    usd: float | None = None
    last_failure: EndpointFailed | None = None
    rest: float = 0.0
    rests_until: float = 0.0


class Health:
    """The latest of each contender. Any number of threads may tell and ask; times are of a clock that never goes back.

    A contender rests after FEWEST_FAILURES failures that are SHARE_OF_FAILURES or more of its latest requests. When its
    rest is over it is tried again, and the first failure sends it to a rest of twice the length. Failures that hang on
    the prompt are counted, and send nobody to rest: who types prompts could choose who answers then.
    """

    def __init__(self, models: Collection[ModelId]):
        self._records = {model: _Record() for model in models}
        self._lock = threading.Lock()

    def answered(self, model: ModelId, completion: Completion, usd: float | None) -> None:
        """Note an answer that came to its end, and what it cost."""
        seconds = max(completion.latency_ms - completion.first_word_ms, 1.0) / 1000
        with self._lock:
            record = self._records[model]
            record.n_answers += 1
            record.latest.append(True)
            record.rest = record.rests_until = 0.0
            if completion.text:
                record.speeds.append(Speed(completion.first_word_ms / 1000, len(completion.text) / seconds))
            if usd is not None:
                record.usd = (record.usd or 0.0) + usd

    def failed(self, model: ModelId, failed: EndpointFailed, now: float) -> None:
        """Note a request that failed after all its tries; may send the model to rest."""
        with self._lock:
            record = self._records[model]
            record.failures[failed.failure] += 1
            record.last_failure = failed
            if not failed.failure.is_illness:
                return
            record.latest.append(False)
            n = record.latest.count(False)
            is_ill = n >= FEWEST_FAILURES and n >= SHARE_OF_FAILURES * len(record.latest)
            if is_ill or failed.failure.is_lasting or record.rest:
                record.rest = min(2 * record.rest, LONGEST_REST) if record.rest else FIRST_REST
                record.rests_until = now + record.rest

    def well(self, now: float) -> frozenset[ModelId]:
        """The contenders that do not rest at this moment."""
        with self._lock:
            return frozenset(model for model, record in self._records.items() if record.rests_until <= now)

    def tempo(self) -> Tempo:
        """How battles are shown, by what all contenders can do: of one that rests too, or a rest could be seen."""
        with self._lock:
            return Tempo.of([list(record.speeds) for record in self._records.values()])

    def figures(self, now: float) -> dict[ModelId, Figures]:
        """How each does, for the host."""
        with self._lock:
            return {model: _figures(record, now) for model, record in self._records.items()}


def _figures(record: _Record, now: float) -> Figures:
    speeds = record.speeds
    return Figures(
        n_answers=record.n_answers,
        failures=dict(record.failures),
        success=record.latest.count(True) / len(record.latest) if record.latest else None,
        first_word=_median([speed.first_word for speed in speeds]),
        characters=_median([speed.characters for speed in speeds]),
        usd=record.usd,
        rests_for=max(record.rests_until - now, 0.0),
        last_failure=record.last_failure,
    )


def _median(values: list[float]) -> float | None:
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
