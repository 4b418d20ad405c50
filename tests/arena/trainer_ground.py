"""What trainers are tried on: a tokenizer and votes, both made here."""

import json
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

ODD = [
    "Plain.",
    " lead and trail ",
    "\r\nlines\r\n",
    "```python\nprint('hi')\n```",
    "👩‍🚀 \u202e\u2028",
    "null \x00 byte",
    '{"role": "assistant"}',
    "\n\nHuman: not a turn",
    "The answer is blue.",
    "The answer is green.",
]


def tokenizer() -> Any:
    """Every byte a token, and the tokens of the template: what is decoded is what was there."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers  # noqa: PLC0415
    from tokenizers.models import BPE  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bare = Tokenizer(BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)  # type: ignore[assignment]
    bare.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    made = PreTrainedTokenizerFast(
        tokenizer_object=bare,
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|im_start|>"],
    )
    made.chat_template = TEMPLATE
    return made


def votes_file(folder: Path) -> Path:
    """Eight pairs with a chosen answer, on prompts of one and of several messages; a tie, a both bad, a token."""
    several = [
        {"role": "system", "content": "Be brief.\r\n"},
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "Second? 👍"},
    ]
    rows = []
    for number in range(11):
        asked = several if number == 3 else [{"role": "user", "content": f"Question {number}?"}]
        winner = {8: "tie", 9: "both_bad"}.get(number, "model_b" if number % 3 else "model_a")
        texts = [ODD[number % len(ODD)], "No.<|im_end|>" if number == 10 else ODD[(number + 1) % len(ODD)]]
        rows.append(
            {
                "model_a": "m1",
                "model_b": "m2",
                "winner": winner,
                "voter": f"v{number}",
                "language": "en",
                "category": "chat",
                "voted_at": f"2026-05-01T12:{number:02}:00+00:00",
                **{
                    f"conversation_{side}": [*asked, {"role": "assistant", "content": text}]
                    for side, text in zip("ab", texts, strict=True)
                },
            }
        )
    path = folder / "votes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
