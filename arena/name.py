"""What may be the id of a model or a prompt, or name a voter: one rule for packs, vote files and tables."""

LONGEST = 200


class NoName(ValueError):
    """A value that cannot be an id; the text says why."""


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
    return value


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
