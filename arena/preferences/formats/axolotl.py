"""Messages with one chosen and one rejected message, as Axolotl's chat_template.default reads them for DPO.

https://docs.axolotl.ai/docs/rlhf.html
"""

from collections.abc import Iterator, Mapping, Sequence

from arena.preferences.example import Example
from arena.preferences.formats import pairs

NAME = "axolotl"

_MESSAGE = pairs.MESSAGES.removesuffix("[]")
SCHEMA: Mapping[str, str] = {"messages": pairs.MESSAGES, "chosen": _MESSAGE, "rejected": _MESSAGE}

left_out = pairs.left_out


def rows(example: Example) -> Iterator[tuple[object, ...]]:
    """One row, where an answer is chosen."""
    found = pairs.sides(example)
    if found is not None:
        chosen, rejected = (pairs.message("assistant", answer.text) for answer in found)
        yield (pairs.listed(example.messages), chosen, rejected)


def files(names: Sequence[str]) -> dict[str, str]:
    """axolotl.yaml: the lines of a configuration that read the rows in these files."""
    kinds = {name: "parquet" if name.endswith(".parquet") else "json" for name in names}
    told = "".join(
        f"  - path: {name}\n    ds_type: {kind}\n    split: train\n    type: chat_template.default\n"
        for name, kind in kinds.items()
    )
    return {"axolotl.yaml": f"rl: dpo\ndatasets:\n{told}"}
