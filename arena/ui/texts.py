"""The words of the interface: one file a language, `texts/<language>.json`; the browser says which it wants."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "texts"

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de", "es", "fr", "zh")


@cache
def texts(language: str) -> Mapping[str, str]:
    """All texts of a language, one of LANGUAGES; braces hold the names of values."""
    return json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def chosen(accept_language: str | None) -> str:
    """The language among ours that an Accept-Language header wants most, English if it wants none of them.

    A header that is not understood, or a part of it, wants nothing (RFC 9110, section 12.5.4).
    """
    best, most = ENGLISH, 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > most:
            best, most = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    is_weight = name.strip().lower() == "q" and value.strip().replace(".", "", 1).isdecimal()
    return min(float(value), 1.0) if is_weight else 0.0
