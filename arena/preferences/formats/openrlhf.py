"""Whole conversations with a margin, as OpenRLHF's reward and DPO trainers read them without a prompt key.

https://github.com/OpenRLHF/OpenRLHF
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "openrlhf"

SCHEMA: Mapping[str, str] = {"chosen": pairs.MESSAGES, "rejected": pairs.MESSAGES, "margin": "double"}

left_out = pairs.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen."""
    found = pairs.sides(example)
    if found is not None:
        chosen, rejected = (pairs.answered(example, answer) for answer in found)
        yield (chosen, rejected, example.margin)
