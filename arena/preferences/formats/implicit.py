"""The whole conversation in chosen and in rejected: TRL, OpenRLHF, torchtune, Axolotl's argilla_chat, RewardBench.

https://huggingface.co/docs/trl/dataset_formats#preference
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "preference_implicit"

# There is no column prompt: beside one, a trainer would read the prompt twice.
SCHEMA: Mapping[str, str] = {"chosen": pairs.MESSAGES, "rejected": pairs.MESSAGES, **pairs.PROVENANCE}

left_out = pairs.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen."""
    found = pairs.sides(example)
    if found is not None:
        chosen, rejected = (pairs.answered(example, answer) for answer in found)
        yield (chosen, rejected, *pairs.provenance(example, *found))
