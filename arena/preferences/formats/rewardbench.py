"""The columns of RewardBench, for its `--dataset`: does a reward model agree with these votes?

https://huggingface.co/datasets/allenai/reward-bench

A prompt is one text there: those of several messages are left out.
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "rewardbench"
SPLIT = "filtered"

SEVERAL_MESSAGES = "a prompt of several messages"
UNNAMED = "arena"

SCHEMA: Mapping[str, str] = {
    "prompt": "varchar",
    "chosen": "varchar",
    "chosen_model": "varchar",
    "rejected": "varchar",
    "rejected_model": "varchar",
    "subset": "varchar",
    "id": "bigint",
}


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen. The subset is the prompt's category."""
    found = pairs.sides(example)
    if found is not None and len(example.messages) == 1:
        chosen, rejected = found
        subset = example.prompt.category or UNNAMED
        number = int(example.id[:15], 16)  # 60 bits of the pair's digest
        prompt = example.messages[0].content
        yield (prompt, chosen.text, chosen.model_id, rejected.text, rejected.model_id, subset, number)


def left_out(example: Example) -> dict[str, int]:
    """The votes that are in no row, by the reason."""
    reasons = pairs.left_out(example)
    if len(example.messages) > 1 and example.chosen is not None:
        reasons[SEVERAL_MESSAGES] = example.n_decisive
    return reasons
