"""Texts to compare prompts with: those of a file, as of a public benchmark, and the prompts of an exported dataset."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arena import table
from arena.errors import BadInput

_TEXT = ("text", "prompt_text", "prompt", "question", "instruction")
"""The first of these columns that a table has is read."""

_SPLITS = ("train", "test", "gold")
_SPLIT = re.compile(rf"(?:^|[-_.])({'|'.join(_SPLITS)})(?:[-_.]|$)")


def read_texts(path: Path) -> Iterator[str]:
    """The texts of a table (Parquet, CSV, JSONL), or the lines of a .txt file.

    Raises BadInput for a file that cannot be read, or a table without a column that may hold texts.
    """
    if path.suffix.lower() == ".txt":
        yield from _lines(path)
        return
    columns = table.columns_of(path)
    column = next((name for name in _TEXT if name in columns), None)
    if column is None:
        raise BadInput(
            f"{path} has no column of texts (it has {', '.join(columns)}); one of {', '.join(_TEXT)} is read"
        )
    for number, row in table.rows_of(path):
        text = _prompt_of({"prompt": row.get(column)})
        if text is None:
            raise BadInput(f"{path}, row {number:,}: {column} is {row.get(column)!r}, which is no text")
        yield text


def read_splits(folder: Path) -> dict[str, list[str]]:
    """The different prompts of an exported dataset, by split: train, test, gold.

    A file's split is the one that its name, or that of its folder, tells. Raises BadInput for a folder without files of
    any split, or a row that has no prompt.
    """
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    found: dict[str, dict[str, None]] = {}
    for path in sorted(each for each in folder.rglob("*") if each.suffix.lower() in (".parquet", ".jsonl")):
        split = next((match[1] for name in (path.stem, path.parent.name) if (match := _SPLIT.search(name))), None)
        if split is None:
            continue
        for number, row in table.rows_of(path):
            text = _prompt_of(row)
            if text is None:
                raise BadInput(f"{path}, row {number:,} has no prompt, and no conversation that begins with one")
            found.setdefault(split, {})[text] = None
    if not found:
        raise BadInput(f"{folder} holds no file of a split; their names tell one of {', '.join(_SPLITS)}")
    return {split: list(texts) for split, texts in found.items()}


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from (line.strip() for line in file if line.strip())
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8: {error.reason} at byte {error.start:,}") from error


def _prompt_of(row: Mapping[str, Any]) -> str | None:
    """The text of a row's prompt: a text, messages, or a conversation up to its last answer."""
    for name, is_whole in (("prompt", True), ("messages", False), ("chosen", False)):
        value = row.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value and all(isinstance(turn, dict) for turn in value):
            turns = value if is_whole else value[:-1]
            return "\n".join(str(turn.get("content", "")) for turn in turns)
    return None
