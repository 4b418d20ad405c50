"""Explicit prompt, conversational, with a margin: TRL's reward trainer.

https://huggingface.co/docs/trl/reward_trainer#adding-a-margin-to-the-loss
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "reward"

# The margin is in every row: a trainer that finds one in the first row wants it in all.
SCHEMA: Mapping[str, str] = {
    "prompt": pairs.MESSAGES,
    "chosen": pairs.MESSAGES,
    "rejected": pairs.MESSAGES,
    "margin": "double",
    **pairs.PROVENANCE,
}

left_out = pairs.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen."""
    found = pairs.sides(example)
    if found is not None:
        chosen, rejected = found
        yield (
            pairs.listed(example.messages),
            [pairs.message("assistant", chosen.text)],
            [pairs.message("assistant", rejected.text)],
            example.margin,
            *pairs.provenance(example, chosen, rejected),
        )
