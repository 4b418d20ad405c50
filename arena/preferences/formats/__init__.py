"""The formats of an export, one file each: NAME, SCHEMA, `rows` and `left_out`. A new file is a new format.

A module of this folder is a format if it has a NAME. What it must have is what `Format` says.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from arena.preferences.example import Example

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """What an export can look like.

    schema maps each column to its DuckDB type; each of them is a type of Parquet that `datasets` reads (no UUID, MAP,
    HUGEINT or decimal, and none untyped). rows makes the rows of one example, values in the order of the schema; none
    where the format has no place for it. left_out says how many of the example's votes are in none of its rows, by the
    reason; the others are kept. A format whose row is about a whole prompt has rows_of_prompt in place of rows, which
    gets the examples of one prompt, in the order of the export.
    """

    name: str
    schema: Mapping[str, str]
    left_out: Callable[[Example], Mapping[str, int]]
    rows: Callable[[Example], Iterator[Row]] | None = None
    rows_of_prompt: Callable[[Sequence[Example]], Iterator[Row]] | None = None
    split: str = "train"
    files: Callable[[Sequence[str]], Mapping[str, str]] | None = None
    """Small text files that go beside the rows, by their names, given the names of the files of train."""
    meaning: str = ""

    def rows_of(self, examples: Sequence[Example]) -> Iterator[Row]:
        """The rows of examples; all of one prompt where the format is about prompts."""
        if self.rows_of_prompt is not None:
            yield from self.rows_of_prompt(examples)
        elif self.rows is not None:
            for example in examples:
                yield from self.rows(example)


@cache
def formats() -> Mapping[str, Format]:
    """All formats by their names, in the order of these."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    found = [_format(module) for module in modules if hasattr(module, "NAME")]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def _format(module: ModuleType) -> Format:
    optional = {field: getattr(module, field, None) for field in ("rows", "rows_of_prompt", "files")}
    return Format(
        name=module.NAME,
        schema=module.SCHEMA,
        left_out=module.left_out,
        split=getattr(module, "SPLIT", "train"),
        meaning=(module.__doc__ or "").splitlines()[0],
        **optional,
    )
