"""Three texts, the prompt as a transcript: TRL without a chat template, and whatever reads hh-rlhf.

The prompt is a column of its own: of two texts with the prompt inside, TRL takes the longest common beginning for it,
with the opening that two answers share. https://huggingface.co/docs/trl/dataset_formats#preference
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "preference_standard"

SCHEMA: Mapping[str, str] = {"prompt": "varchar", "chosen": "varchar", "rejected": "varchar", **pairs.PROVENANCE}

left_out = pairs.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen."""
    found = pairs.sides(example)
    if found is not None:
        chosen, rejected = found
        prompt = pairs.transcript(example.messages)
        yield (prompt, chosen.text, rejected.text, *pairs.provenance(example, chosen, rejected))
