"""What has changed between two states of the log: the examples of prompts, then and now, side by side.

An increment holds every example that is new or has changed, whole, and lists what it takes the place of. So the union
is: of the earlier export all rows but those of a listed pair (of a listed prompt, where a row is about a whole prompt),
and all rows of the increment.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from arena.preferences.example import Example

REPLACED = "replaced.jsonl"

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Group:
    """The examples of one prompt (in one conversation), which of them have changed, and what they take the place of."""

    examples: tuple[Example, ...]
    changed: frozenset[str]
    replaced: tuple[Example, ...] = ()
    replaces_prompt: bool = False


def groups(examples: Iterable[Example]) -> Iterator[Group]:
    """Examples by prompt, all of them new. A prompt with very many comes in several parts."""
    for _, of_prompt in groupby(examples, key=_key):
        part: list[Example] = []
        for example in of_prompt:
            part.append(example)
            if len(part) == _MOST:
                yield _new(part)
                part = []
        if part:
            yield _new(part)


def increments(before: Iterator[Group], now: Iterator[Group]) -> Iterator[Group]:
    """The groups of now, with what has changed since before. Both come in the same order."""
    earlier, later = _merged(before), _merged(now)
    old, new = next(earlier, None), next(later, None)
    while old is not None or new is not None:
        if new is None or (old is not None and _key(old[0]) < _key(new[0])):
            assert old is not None  # noqa: S101 - for the type
            yield Group((), frozenset(), tuple(old), replaces_prompt=True)
            old = next(earlier, None)
        elif old is None or _key(new[0]) < _key(old[0]):
            yield _new(new)
            new = next(later, None)
        else:
            known = {example.id: example for example in old}
            changed = frozenset(example.id for example in new if known.get(example.id) != example)
            there = {example.id for example in new}
            replaced = tuple(each for each in old if each.id in changed or each.id not in there)
            yield Group(tuple(new), changed, replaced, replaces_prompt=bool(changed or replaced))
            old, new = next(earlier, None), next(later, None)


@contextmanager
def replaced_file(folder: Path, *, is_increment: bool) -> Iterator[Callable[[Group], None]]:
    """What writes down the pairs and prompts that groups take the place of, one a line; no file for a whole export."""
    if not is_increment:
        yield lambda _: None
        return
    with (folder / REPLACED).open("w", encoding="utf-8") as file:

        def note(group: Group) -> None:
            for example in group.replaced:
                file.write(json.dumps({"pair_id": example.id}) + "\n")
            if group.replaces_prompt:
                prompt_id = (*group.examples, *group.replaced)[0].prompt.id
                file.write(json.dumps({"prompt_id": prompt_id}) + "\n")

        yield note


def _new(part: list[Example]) -> Group:
    return Group(tuple(part), frozenset(example.id for example in part))


def _merged(found: Iterator[Group]) -> Iterator[list[Example]]:
    """All examples of a prompt at once, of however many parts."""
    for _, parts in groupby(found, key=lambda group: _key(group.examples[0])):
        yield [example for part in parts for example in part.examples]


def _key(example: Example) -> tuple[str, int, str]:
    """Where an example stands in the order of an export: conversations last."""
    is_turn = example.conversation_id is not None
    return (example.conversation_id or "", example.turn if is_turn else 0, example.prompt.id)
