"""What an address asks of the leaderboard: which votes count, and which lines are shown. One table of parameters, which
is read here and described in OpenAPI."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from arena.battle import Model, Source
from arena.boards import Choice
from arena.errors import BadInput

_LONGEST = 200
_MOST_VALUES = 50


class Format(StrEnum):
    """How a board is written down."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class UnknownParameter(BadInput):
    """A name that the address may not have."""

    def __init__(self, name: str):
        self.name = name
        super().__init__(f"there is no parameter {name!r}; known: {', '.join(PARAMETERS)}")


class BadValue(BadInput):
    """A value that a parameter may not have."""

    def __init__(self, name: str, value: str, accepted: str):
        self.name, self.value, self.accepted = name, value, accepted
        super().__init__(f"{name} cannot be {value!r}; accepted: {accepted}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the address, in the words of JSON Schema, and what it does."""

    schema: Mapping[str, Any]
    description: str
    is_many: bool = False
    """It may be repeated, and any of its values will do."""


_SWITCH = {"type": "string", "enum": ["on", "off"]}
_YES_NO = {"type": "string", "enum": ["yes", "no"]}
_NAME = {"type": "string", "minLength": 1, "maxLength": _LONGEST}
_TIME = {"type": "string", "description": "ISO 8601, a day or a time; without a zone it is in UTC", "maxLength": 40}

PARAMETERS: Mapping[str, Parameter] = {
    "category": Parameter(_NAME, "Count votes on prompts of this category only.", is_many=True),
    "language": Parameter(_NAME, "Count votes on prompts in this language only.", is_many=True),
    "source": Parameter(
        {"type": "string", "enum": [each.value for each in Source]},
        "Count votes of this source. By default those that the arena's own leaderboard counts.",
        is_many=True,
    ),
    "since": Parameter(_TIME, "Count votes cast then or later."),
    "until": Parameter(_TIME, "Count votes cast before then."),
    "min_votes": Parameter(
        {"type": "integer", "minimum": 0, "maximum": 10**9}, "Leave out models with fewer votes, and their votes."
    ),
    "style": Parameter(_SWITCH, "Take out the effect of how answers are dressed: length, lists, bold and so on."),
    "up_to": Parameter(
        {"type": "integer", "minimum": 1},
        "Read the log as it stood after so many entries. By default as the latest snapshot saw it.",
    ),
    "q": Parameter(_NAME, "Show models whose name, id, alias or organization holds this text."),
    "organization": Parameter(_NAME, "Show models of this organization.", is_many=True),
    "license": Parameter(_NAME, "Show models under this license.", is_many=True),
    "open_weights": Parameter(_YES_NO, "Show models whose weights are open, or are not."),
    "retired": Parameter(_YES_NO, "Show retired models (the default), or leave them out."),
    "format": Parameter(
        {"type": "string", "enum": [each.value for each in Format]},
        "How to write it down. By default what the Accept header wants, else json.",
    ),
}


@dataclass(frozen=True, slots=True)
class Lines:
    """Which lines of a board are shown. None shows all."""

    text: str | None = None
    organizations: tuple[str, ...] | None = None
    licenses: tuple[str, ...] | None = None
    open_weights: bool | None = None
    has_retired: bool = True

    def show(self, model: Model) -> bool:
        """Whether the line of this model is shown."""
        named = (model.name, model.id, model.organization or "", *model.aliases)
        return (
            (self.text is None or any(self.text.casefold() in name.casefold() for name in named))
            and (self.organizations is None or model.organization in self.organizations)
            and (self.licenses is None or model.license in self.licenses)
            and (self.open_weights is None or model.open_weights is self.open_weights)
            and (self.has_retired or model.retired_at is None)
        )


@dataclass(frozen=True, slots=True)
class ViewQuery:
    """What an address asks for."""

    choice: Choice
    lines: Lines
    format: Format | None
    """None: the Accept header decides."""


def read(pairs: Iterable[tuple[str, str]]) -> ViewQuery:
    """Read the name-value pairs of an address. Raises UnknownParameter or BadValue for what it does not know."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise UnknownParameter(name[:_LONGEST])
        given.setdefault(name, []).append(_checked(name, value))
    for name, values in given.items():
        if len(values) > (_MOST_VALUES if PARAMETERS[name].is_many else 1):
            raise BadValue(name, values[1], f"at most {_MOST_VALUES if PARAMETERS[name].is_many else 1} of it")
    one = {name: values[0] for name, values in given.items()}
    many = {name: tuple(values) for name, values in given.items()}
    choice = Choice(
        sources=tuple(map(Source, many["source"])) if "source" in many else None,
        categories=many.get("category"),
        languages=many.get("language"),
        since=_time("since", one.get("since")),
        until=_time("until", one.get("until")),
        min_votes=_whole(one.get("min_votes")),
        style=one.get("style") == "on",
        up_to=_whole(one.get("up_to")),
    )
    lines = Lines(
        text=one.get("q"),
        organizations=many.get("organization"),
        licenses=many.get("license"),
        open_weights=None if "open_weights" not in one else one["open_weights"] == "yes",
        has_retired=one.get("retired") != "no",
    )
    return ViewQuery(choice, lines, Format(one["format"]) if "format" in one else None)


def address(choice: Choice, lines: Lines | None = None) -> str:
    """The parameters that ask for this, as they stand behind the question mark of an address."""
    lines = lines or Lines()
    pairs: list[tuple[str, Sequence[str]]] = [
        ("category", choice.categories or ()),
        ("language", choice.languages or ()),
        ("source", choice.sources or ()),
        ("since", [] if choice.since is None else [choice.since.isoformat()]),
        ("until", [] if choice.until is None else [choice.until.isoformat()]),
        ("min_votes", [] if choice.min_votes is None else [str(choice.min_votes)]),
        ("style", ["on"] if choice.style else []),
        ("up_to", [] if choice.up_to is None else [str(choice.up_to)]),
        ("q", [lines.text] if lines.text else []),
        ("organization", lines.organizations or ()),
        ("license", lines.licenses or ()),
        ("open_weights", [] if lines.open_weights is None else [_yes_no(lines.open_weights)]),
        ("retired", [] if lines.has_retired else ["no"]),
    ]
    return urlencode([(name, value) for name, values in pairs for value in values])


def wanted_format(accept: str | None) -> Format:
    """The format that an Accept header wants most among ours; JSON where it wants none of them, or anything."""
    best, most = Format.JSON, 0.0
    for part in (accept or "").split(","):
        media_type, *parameters = (each.strip().lower() for each in part.split(";"))
        weight = next((_weight(each) for each in parameters if each.startswith("q=")), 1.0)
        known = next((each for each, name in MEDIA_TYPES.items() if name == media_type), None)
        if known is None and media_type in ("*/*", "application/*"):
            known = Format.JSON
        if known is not None and weight > most:
            best, most = known, weight
    return best


def _weight(parameter: str) -> float:
    number = parameter.removeprefix("q=")
    return min(float(number), 1.0) if number.replace(".", "", 1).isdecimal() else 0.0


def _checked(name: str, value: str) -> str:
    """The value, where the parameter's schema allows it."""
    schema = PARAMETERS[name].schema
    accepted = schema.get("enum")
    if accepted is not None and value not in accepted:
        raise BadValue(name, value[:_LONGEST], ", ".join(accepted))
    if schema["type"] == "integer":
        low, high = schema["minimum"], schema.get("maximum", 10**15)
        if not (value.isascii() and value.isdecimal() and len(value) < 16 and low <= int(value) <= high):
            raise BadValue(name, value[:_LONGEST], f"a whole number from {low:,}")
    if not 0 < len(value) <= schema.get("maxLength", _LONGEST):
        raise BadValue(name, value[:_LONGEST], f"1 to {schema.get('maxLength', _LONGEST)} characters")
    return value


def _time(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue(name, text, "2026-11-21 or 2026-11-21T12:00+01:00") from None


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
