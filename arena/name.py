"""What may be the id of a model or a prompt, or name a voter: one rule for packs, vote files and tables."""

from collections.abc import Mapping
from difflib import get_close_matches

LONGEST = 200

_NEAREST = 5


class NoName(ValueError):
    """A value that cannot be an id, or is nobody's; the text says why."""


def parse(value: object) -> str:
    """The id that a text or a whole number stands for.

    It has 1 to 200 characters, none of them a control character, and no blank at either end. Raises NoName otherwise.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise NoName(f"is {_shown(value)}, neither a text nor a whole number")
    if not value.strip():
        raise NoName("is empty")
    if value != value.strip():
        raise NoName(f"is {_shown(value)}, with a blank at an end")
    if len(value) > LONGEST:
        raise NoName(f"is {_shown(value)}, longer than {LONGEST} characters")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in value):
        raise NoName(f"is {_shown(value)}, with a control character")
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        raise NoName(f"is {_shown(value)}, with half of a surrogate pair")
    return value


def called(text: str, names: Mapping[str, str], *, what: str) -> str:
    """Who is meant by a text: the one with this id or, if there is none, the only one with this name.

    `names` maps ids to names, and `what` says what they are, such as "rated model". Raises NoName if none or more than
    one is meant, with the nearest few, or the first few where none is near.
    """
    if text in names:
        return text
    named = [each for each, name in names.items() if name == text]
    if len(named) == 1:
        return named[0]
    if named:
        shown = ", ".join(map(repr, named[:_NEAREST])) + (", ..." if len(named) > _NEAREST else "")
        raise NoName(f"{len(named):,} {what}s are called {text!r}; name one by its id: {shown}")
    known = {each.casefold(): each for pair in names.items() for each in pair}
    near = [known[each] for each in get_close_matches(text.casefold(), known, n=_NEAREST)]
    if near:
        raise NoName(f"no {what} is called {text!r}; did you mean {' or '.join(map(repr, near))}?")
    first = sorted(names)[:_NEAREST]
    more = f" and {len(names) - len(first):,} more" if len(names) > len(first) else ""
    hint = f"; there are {', '.join(map(repr, first))}{more}" if first else f"; there is no {what}"
    raise NoName(f"no {what} is called {text!r}{hint}")


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
