"""One line of a JSON Lines file, read strictly: an object with each key once, and only values that JSON has."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn


class NoJson(ValueError):
    """A line that is no JSON object; the text says why, in words for whoever wrote the line."""


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, with their numbers. Only a line feed ends one: U+2028 may stand in a text."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if text.strip():
                yield number, text


def parse(line: bytes) -> dict[str, Any]:
    """The object that a line holds. Raises NoJson for anything else."""
    try:
        value = json.loads(
            line.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        if b"\\u" in line:
            # Half of a surrogate pair is no character: neither a database nor a browser would take it.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise NoJson(f"not UTF-8: byte {error.start + 1:,} of the line cannot be read") from error
    except UnicodeEncodeError as error:
        raise NoJson("a text holds half of a surrogate pair (\\ud800 to \\udfff)") from error
    except RecursionError as error:
        raise NoJson("no valid JSON: it is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise NoJson(f"no valid JSON: {error.msg[0].lower()}{error.msg[1:]} at character {error.pos + 1:,}") from error
    except ValueError as error:
        raise NoJson(f"no valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise NoJson(f"a line holds one JSON object, not {_named(value)}")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} stands twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _named(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
