"""Explicit prompt, conversational: what TRL's DPO, reward and KTO trainers take as it is.

https://huggingface.co/docs/trl/dataset_formats#preference
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "preference"

# prompt, chosen and rejected are the trainer's; no other name here means anything to it.
SCHEMA: Mapping[str, str] = {
    "prompt": pairs.MESSAGES,
    "chosen": pairs.MESSAGES,
    "rejected": pairs.MESSAGES,
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
            *pairs.provenance(example, chosen, rejected),
        )
