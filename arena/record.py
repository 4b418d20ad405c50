"""A record that somebody wrote by hand: read strictly, and its faults said in plain sentences."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from arena import name

Id = Annotated[str, AfterValidator(name.parse)]


class Strict(BaseModel):
    """A record whose unknown keys are errors and whose values are not coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def sentences(error: ValidationError, kind: type[Strict]) -> Iterator[tuple[Sequence[int | str], str]]:
    """One sentence a problem, in our words where pydantic's would puzzle a host."""
    for problem in error.errors(include_url=False, include_context=False):
        place = problem["loc"]
        name = ".".join(str(part) for part in place)
        if problem["type"] == "extra_forbidden":
            yield place, f"unknown key {name!r}; known here: {', '.join(_known_keys(kind, place))}"
        elif problem["type"] == "missing":
            yield place, f"the key {name!r} is missing"
        elif problem["type"] == "value_error":
            yield place, str(problem["msg"]).removeprefix("Value error, ")
        else:
            shown = repr(problem["input"])
            shown = shown if len(shown) <= 80 else shown[:77] + "..."
            yield place, f"{name or 'the row'} is {shown}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _known_keys(kind: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    for part in place[:-1]:
        field = kind.model_fields.get(str(part))
        if field is None:
            continue
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        kind = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), kind)
    return list(kind.model_fields)
