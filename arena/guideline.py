"""The guideline: the versioned text that says what "better" means, with a head that programs read."""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

import yaml
from pydantic import Field, ValidationError, field_validator

from arena.errors import Fault
from arena.record import Strict, sentences
from arena.worked_example import WorkedExample, read_examples

_TEXT = "tag:yaml.org,2002:str"


class GuidelineHead(Strict):
    """The front matter of guidelines.md."""

    version: str = Field(min_length=1, max_length=40)
    when_in_doubt: Literal["tie", "shorter", "both_bad"]

    @field_validator("version")
    @classmethod
    def _can_be_shown(cls, version: str) -> str:
        if not version.isprintable():  # a control character, or half of a surrogate pair, by an escape
            raise ValueError(f"version is {version!r}, with a character that cannot be shown")
        return version


@dataclass(frozen=True, slots=True)
class Guideline:
    """The versioned text that says what "better" means; every vote carries the version it was cast under."""

    version: str
    when_in_doubt: str
    text: str

    @property
    def digest(self) -> str:
        """Of the text and the default when in doubt: another digest under the same version is another guideline."""
        return hashlib.sha256(f"{self.when_in_doubt}\n{self.text}".encode()).hexdigest()

    def examples(self) -> tuple[WorkedExample, ...]:
        """Its worked examples, without those that cannot be read."""
        return read_examples(self.text)[0]


def check_guideline(file: str, text: str, faults: list[Fault]) -> Guideline | None:
    """The guideline that a text is; None, and `faults` with their lines, if something is wrong with it."""
    parts = re.split(r"^---[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        message = "the front matter is missing: begin with ---, version: ..., when_in_doubt: ..., ---"
        faults.append(Fault(file, 1, message))
        return None
    n_before = parts[0].count("\n")
    line_of: dict[str, int] = {}
    try:
        values, line_of = _head_of(parts[1], n_before)
        head = GuidelineHead.model_validate(values)
    except _NoHead as error:
        faults.append(Fault(file, error.line or n_before + 1, f"the front matter cannot be read: {error}"))
    except ValidationError as error:
        for place, message in sentences(error, GuidelineHead):
            faults.append(Fault(file, line_of.get(str(place[0]), 1) if place else 1, f"front matter: {message}"))
    else:
        if parts[2].strip():
            return Guideline(head.version, head.when_in_doubt, parts[2].strip() + "\n")
        faults.append(Fault(file, None, "the guideline has no text below its front matter"))
    return None


class _NoHead(ValueError):
    """A front matter that is no list of keys and texts; `line` counts from 1, None where it is not known."""

    def __init__(self, message: str, line: int | None = None):
        self.line = line
        super().__init__(message)


def _head_of(text: str, n_before: int) -> tuple[dict[str, str], dict[str, int]]:
    """The keys of a front matter with their texts, and with their lines. Raises _NoHead for anything else.

    Taken from the tree that YAML makes of it: no value is built, so that none can grow, or be what it does not look
    like, such as a date.
    """

    def line(mark: yaml.Mark | None) -> int | None:
        return None if mark is None else n_before + text.count("\n", 0, mark.index) + 1  # as editors count lines

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _NoHead(str(getattr(error, "problem", error)), line(getattr(error, "problem_mark", None))) from error
    except RecursionError as error:
        raise _NoHead("it is nested too deeply") from error
    except (ValueError, OverflowError) as error:  # an escape for a character that there is not
        raise _NoHead(str(error)) from error
    if not isinstance(node, yaml.MappingNode):
        raise _NoHead("it is no list of keys and values")
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for pair in node.value:
        for each in pair:
            if not isinstance(each, yaml.ScalarNode):
                raise _NoHead("a list or a group of keys stands where a text belongs", line(each.start_mark))
            if each.tag != _TEXT:
                raise _NoHead(f"{each.value[:60]!r} is no text; put it in quotes", line(each.start_mark))
        key, value = pair
        if key.value in values:
            raise _NoHead(f"the key {key.value!r} stands twice", line(key.start_mark))
        values[key.value] = value.value
        lines[key.value] = line(key.start_mark) or 1
    return values, lines
