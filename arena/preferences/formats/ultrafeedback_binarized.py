"""The columns of UltraFeedback-binarized, for the alignment-handbook's recipes. TRL's own trainers refuse this mix.

https://huggingface.co/datasets/HuggingFaceH4/ultrafeedback_binarized

The scores are the shares of the decisive votes that each answer got.
"""

import hashlib
from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "ultrafeedback_binarized"
SPLIT = "train_prefs"

SCHEMA: Mapping[str, str] = {
    "prompt": "varchar",
    "prompt_id": "varchar",
    "chosen": pairs.MESSAGES,
    "rejected": pairs.MESSAGES,
    "messages": pairs.MESSAGES,
    "score_chosen": "double",
    "score_rejected": "double",
}

left_out = pairs.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen. The prompt is the user's last turn, prompt_id its SHA-256."""
    found = pairs.sides(example)
    if found is not None and example.agreement is not None:
        chosen, rejected = (pairs.answered(example, answer) for answer in found)
        prompt = example.messages[-1].content
        prompt_id = hashlib.sha256(prompt.encode()).hexdigest()
        yield (prompt, prompt_id, chosen, rejected, chosen, example.agreement, 1 - example.agreement)
