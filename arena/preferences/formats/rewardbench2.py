"""The columns of RewardBench 2: lists of right and wrong answers to a prompt; here one of each.

https://huggingface.co/datasets/allenai/reward-bench-2
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs, rewardbench

NAME = "rewardbench2"
SPLIT = "test"

SCHEMA: Mapping[str, str] = {
    "id": "varchar",
    "prompt": "varchar",
    "chosen": "varchar[]",
    "rejected": "varchar[]",
    "num_correct": "bigint",
    "num_incorrect": "bigint",
    "total_completions": "bigint",
    "models": "varchar[]",
    "subset": "varchar",
    "additional_metadata": "struct(prompt_id varchar, n_votes bigint, agreement double)",
}

left_out = rewardbench.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen."""
    found = pairs.sides(example)
    if found is not None and len(example.messages) == 1:
        chosen, rejected = found
        yield (
            *(example.id, example.messages[0].content, [chosen.text], [rejected.text], 1, 1, 2),
            [chosen.model_id, rejected.model_id],
            example.prompt.category or rewardbench.UNNAMED,
            {"prompt_id": example.prompt.id, "n_votes": example.n_decisive, "agreement": example.agreement},
        )
