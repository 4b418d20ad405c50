"""Turns of human and gpt with a dataset_info.json, as LLaMA-Factory's ranking data sets have them.

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md

Its turns alternate and end on the user; other prompts are left out. The system message stands in a column of its own.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "llama_factory"

NO_ALTERNATION = "a prompt whose turns do not alternate"

_TURN = 'struct("from" varchar, "value" varchar)'
SCHEMA: Mapping[str, str] = {
    "conversations": f"{_TURN}[]",
    "chosen": _TURN,
    "rejected": _TURN,
    "system": "varchar",
}

_NAMES = {"user": "human", "assistant": "gpt"}


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen."""
    found = pairs.sides(example)
    if found is not None and pairs.alternates(example.messages):
        has_system = example.messages[0].role == "system"
        turns = example.messages[1:] if has_system else example.messages
        chosen, rejected = ({"from": "gpt", "value": answer.text} for answer in found)
        told = [{"from": _NAMES[message.role], "value": message.content} for message in turns]
        yield (told, chosen, rejected, example.messages[0].content if has_system else "")


def left_out(example: Example) -> dict[str, int]:
    """The votes that are in no row, by the reason."""
    reasons = pairs.left_out(example)
    if example.chosen is not None and not pairs.alternates(example.messages):
        reasons[NO_ALTERNATION] = example.n_decisive
    return reasons


def files(names: Sequence[str]) -> dict[str, str]:
    """dataset_info.json, which tells LLaMA-Factory of the rows in these files: bakeoff, bakeoff_2 and so on."""
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "system": "system"}
    info = {
        "bakeoff" if number == 1 else f"bakeoff_{number}": {
            "file_name": name,
            "formatting": "sharegpt",
            "ranking": True,
            "columns": columns,
        }
        for number, name in enumerate(names, 1)
    }
    return {"dataset_info.json": json.dumps(info, indent=2) + "\n"}
