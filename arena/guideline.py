"""The guideline: the versioned text that says what "better" means, with a head that programs read."""

import re
from dataclasses import dataclass
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from arena.errors import Fault
from arena.record import Strict, sentences
from arena.worked_example import WorkedExample, read_examples


class GuidelineHead(Strict):
    """The front matter of guidelines.md."""

    version: str = Field(min_length=1, max_length=40)
    when_in_doubt: Literal["tie", "shorter", "both_bad"]


@dataclass(frozen=True, slots=True)
class Guideline:
    """The versioned text that says what "better" means; every vote carries the version it was cast under."""

    version: str
    when_in_doubt: str
    text: str

    def examples(self) -> tuple[WorkedExample, ...]:
        """Its worked examples, without those that cannot be read."""
        return read_examples(self.text)[0]


def check_guideline(file: str, text: str, faults: list[Fault]) -> Guideline | None:
    """The guideline that a text is; None, and `faults` with their lines, if something is wrong with it."""
    parts = re.split(r"^---\s*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        message = "the front matter is missing: begin with ---, version: ..., when_in_doubt: ..., ---"
        faults.append(Fault(file, 1, message))
        return None
    line_of: dict[str, int] = {}
    try:
        line_of = _keys_of(parts[1])
        head = GuidelineHead.model_validate(yaml.safe_load(parts[1]))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        faults.append(Fault(file, line, f"the front matter cannot be read: {getattr(error, 'problem', error)}"))
    except ValidationError as error:
        for place, message in sentences(error, GuidelineHead):
            faults.append(Fault(file, line_of.get(str(place[0]), 1) if place else 1, f"front matter: {message}"))
    else:
        if parts[2].strip():
            return Guideline(head.version, head.when_in_doubt, parts[2].strip() + "\n")
        faults.append(Fault(file, None, "the guideline has no text below its front matter"))
    return None


def _keys_of(text: str) -> dict[str, int]:
    """The keys of a YAML mapping with their lines. Raises YAMLError for anything else, or a key that stands twice."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise yaml.MarkedYAMLError(problem="it is no list of keys and values")
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if key.value in lines:
            raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
        lines[key.value] = key.start_mark.line + 1
    return lines
