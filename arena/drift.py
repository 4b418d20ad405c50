"""Whether the prompts of a bake-off are still what people ask: prompts compared with recent requests.

Three traits are compared: the category, the language, and the length of the last message in characters. Nothing is
guessed: a request that tells no category says nothing of categories.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from numpy.random import Generator

from arena import table
from arena.battle import Prompt
from arena.errors import BadInput
from arena.pack import read_pack
from ratings import Drift, Shift, binned, drift

MOST_CHANCE = 0.05
"""The share of false alarms that is borne, all traits together."""

MEDIAN = "median length"

_TEXTS = ("messages", "prompt", "text", "prompt_text")
_FIELDS = (*_TEXTS, "chosen", "category", "language")


class Trait(StrEnum):
    """What of requests is compared."""

    CATEGORY = "category"
    LANGUAGE = "language"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Request:
    """What of a prompt is compared; `length` is that of its last message, in characters."""

    length: int
    category: str | None = None
    language: str | None = None

    @classmethod
    def of(cls, prompt: Prompt) -> "Request":
        """That of a stored prompt."""
        return cls(len(prompt.messages[-1].content), prompt.category, prompt.language)


@dataclass(frozen=True, slots=True)
class Moved:
    """How one trait differs, and what moved the most: a value with its two shares, or the two median lengths."""

    trait: Trait
    drift: Drift
    what: str | None = None
    reference: float | None = None
    recent: float | None = None

    @property
    def is_shifted(self) -> bool:
        """Whether recent requests differ by more than chance, and by enough to matter."""
        return self.drift.shift not in (None, Shift.NONE)

    def to_record(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self.drift), "what": self.what, "reference": self.reference, "recent": self.recent}


def moved(reference: Sequence[Request], recent: Sequence[Request], *, rng: Generator) -> tuple[Moved, ...]:
    """How recent requests differ from those of a reference, trait by trait."""
    chance = MOST_CHANCE / len(Trait)
    found = []
    for trait, value in ((Trait.CATEGORY, lambda each: each.category), (Trait.LANGUAGE, lambda each: each.language)):
        one, other = _told(reference, value), _told(recent, value)
        what, then, now = _most_moved(one, other)
        found.append(Moved(trait, drift(one, other, rng=rng, most_chance=chance), what, then, now))
    one, other = [each.length for each in reference], [each.length for each in recent]
    apart = drift(*binned(one, other), rng=rng, most_chance=chance)
    if not one or not other:
        return (*found, Moved(Trait.LENGTH, apart))
    return (*found, Moved(Trait.LENGTH, apart, MEDIAN, median(one), median(other)))


def check_mapping(mapping: Mapping[str, str], paths: Sequence[Path]) -> None:
    """Raises BadInput for a column that is in none of the tables, and for a field that requests do not have."""
    columns = {column for path in paths for column in table.columns_of(path)}
    for column, name in mapping.items():
        if column not in columns:
            whose = f"the tables have {', '.join(sorted(columns))}" if paths else "neither of the two is a table"
            raise BadInput(f"--map names the column {column!r}; {whose}")
        if name not in _FIELDS:
            raise BadInput(f"--map gives {column!r} to {name!r}, which is no field of requests: {', '.join(_FIELDS)}")


def read_requests(path: Path, mapping: Mapping[str, str] = MappingProxyType({})) -> list[Request]:
    """The prompts of a pack's folder, or the requests in a table file (Parquet, JSON Lines, CSV).

    A row has `messages`, or `prompt` (messages, or a text), or `text`, `prompt_text`, or `chosen` (messages that end
    with an answer, as exports have them); `category` and `language` may stand beside. `mapping` gives columns of a
    table these names; a column that is not there is passed over. Raises BadInput, with the row, for one that has none
    of these.
    """
    if path.is_dir():
        return [Request.of(prompt) for prompt in read_pack(path).prompts]
    requests = []
    for number, row in table.rows_of(path):
        try:
            requests.append(_request(_named(row, mapping)))
        except BadInput as error:
            raise BadInput(f"{path}, row {number:,}: {error}") from error
    if not requests:
        raise BadInput(f"{path} holds no row")
    return requests


def _named(row: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """The row with the names that are given to its columns, which go before columns that bear these names."""
    given = {mapping[column]: value for column, value in row.items() if column in mapping}
    return {column: value for column, value in row.items() if column not in mapping} | given


def _request(row: Mapping[str, Any]) -> Request:
    told = next((row[key] for key in _TEXTS if row.get(key) is not None), None)
    if told is None and isinstance(row.get("chosen"), list):
        told = row["chosen"][:-1]
    category, language = (row.get(key) for key in ("category", "language"))
    for key, value in (("category", category), ("language", language)):
        if value is not None and not isinstance(value, str):
            raise BadInput(f"{key} is {str(value)[:60]!r}, no text")
    return Request(len(_last_text(told)), category, language)


def _last_text(told: object) -> str:
    if isinstance(told, list) and told and isinstance(told[-1], Mapping):
        told = told[-1].get("content")
    if not isinstance(told, str):
        raise BadInput("it tells no request; accepted: messages, prompt, text, prompt_text, or chosen with its answer")
    return told


def _told(requests: Iterable[Request], value: Callable[[Request], str | None]) -> list[str]:
    return [told for each in requests if (told := value(each)) is not None]


def _most_moved(reference: Sequence[str], recent: Sequence[str]) -> tuple[str, float, float] | tuple[None, None, None]:
    if not reference or not recent:
        return None, None, None
    one, other = Counter(reference), Counter(recent)
    shares = {cell: (one[cell] / len(reference), other[cell] / len(recent)) for cell in sorted({*one, *other})}
    what = max(shares, key=lambda cell: abs(shares[cell][1] - shares[cell][0]))
    return what, *shares[what]
