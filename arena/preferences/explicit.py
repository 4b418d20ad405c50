"""The `preference` format: explicit prompt, conversational, as TRL's DPO trainer takes it.

https://huggingface.co/docs/trl/dataset_formats#preference
"""

from collections.abc import Mapping
from typing import Any

from arena.battle import AnswerId, Prompt, PromptId
from arena.preferences.preference import Preference

_MESSAGES = "struct(role varchar, content varchar)[]"

# Column to DuckDB type. prompt, chosen and rejected are the trainer's; no other name here means anything to it.
SCHEMA: Mapping[str, str] = {
    "prompt": _MESSAGES,
    "chosen": _MESSAGES,
    "rejected": _MESSAGES,
    "prompt_id": "varchar",
    "chosen_model": "varchar",
    "rejected_model": "varchar",
    "n_votes": "integer",
    "agreement": "double",
}


def to_row(
    preference: Preference, prompts: Mapping[PromptId, Prompt], texts: Mapping[AnswerId, str]
) -> tuple[Any, ...]:
    """One row, its values in the order of SCHEMA."""
    return (
        [{"role": message.role, "content": message.content} for message in prompts[preference.prompt_id].messages],
        [{"role": "assistant", "content": texts[preference.chosen]}],
        [{"role": "assistant", "content": texts[preference.rejected]}],
        preference.prompt_id,
        preference.chosen_model,
        preference.rejected_model,
        preference.n_votes,
        preference.agreement,
    )
