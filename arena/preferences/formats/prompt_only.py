"""Every prompt that was judged, once: TRL's trainers that make answers of their own (GRPO, RLOO, online DPO).

https://huggingface.co/docs/trl/dataset_formats#prompt-only
"""

from collections.abc import Iterator, Mapping

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "prompt_only"

SCHEMA: Mapping[str, str] = {
    "prompt": pairs.MESSAGES,
    "prompt_id": "varchar",
    "category": "varchar",
    "language": "varchar",
    "source": "varchar",
    "license": "varchar",
}


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row for the first example of a prompt, whatever its votes say."""
    if example.place == 0:
        prompt = example.prompt
        told = (prompt.id, prompt.category, prompt.language, prompt.source, prompt.license)
        yield (pairs.listed(example.messages), *told)


def left_out(_example: Example) -> dict[str, int]:
    """No vote: each stands on a prompt that is there."""
    return {}
