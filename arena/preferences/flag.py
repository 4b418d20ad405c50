"""What is wrong with a text that a vote was cast on: then the vote teaches nothing, or the wrong thing. Pure."""

import re
from collections.abc import Collection
from enum import StrEnum

from arena.battle import Answer, AnswerId, Message


class Flag(StrEnum):
    """Why an answer, or its prompt, is not for training. The values are what an export lists as the reason."""

    IDENTITY = "an answer tells who wrote it"
    ERROR = "an answer is an error message"
    UNFINISHED = "an answer is unfinished"
    CONTROL = "a text holds tokens of a chat template"

    @property
    def word(self) -> str:
        """What the flag is called on the command line."""
        return self.name.lower()


# Why generation ended, where it did not end by itself. Names of the common servers.
_CUT_OFF = frozenset(
    {
        "length",
        "max_tokens",
        "max_output_tokens",
        "model_length",
        "incomplete",
        "abort",
        "aborted",
        "cancelled",
        "timeout",
    }
)
_FAILED = frozenset({"error", "content_filter", "safety", "recitation"})

# What a stream leaves behind that was cut off while it was drawn.
_CURSORS = ("▌", "▍", "█")

# An answer is an error message if it is nothing else: short, and beginning so.
_LONGEST_ERROR = 400
_ERROR = re.compile(
    r"[\s*_>#`\[(]*(?:"
    r"(?:network|internal(?: server)?|api(?: request)?|server|request|connection|gateway)\s+error\b"
    r"|error(?:\s+code)?\s*[:=(]?\s*(?:4\d\d|5\d\d)\b"
    r"|(?:4\d\d|5\d\d)\s+(?:bad gateway|gateway time-?out|service (?:temporarily )?unavailable|too many requests|"
    r"internal server error|bad request|unauthorized|forbidden)"
    r"|rate limit (?:exceeded|reached)|too many requests"
    r"|(?:request|connection|gateway) timed? ?out"
    r"|\$moderation\$|your (?:input|request) (?:violates|was flagged)"
    r"|traceback \(most recent call last\)"
    r")",
    re.IGNORECASE,
)

# What a tokenizer with a chat template reads as a token of its own: a text that holds one would end a turn.
_CONTROL = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<｜[^<>]{1,40}｜>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
    r"|\[(?:BOS|EOS)\]|<extra_id_\d+>"
)


SIGNS = r"<[|｜]|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|\[(?:BOS|EOS)\]|<extra_id_"
"""What RE2 finds in every text that holds such a token: to look for it, no text has to be in Python."""


def flags_of(
    messages: tuple[Message, ...], answers: tuple[Answer, ...], *, named: bool, plain: Collection[AnswerId] = ()
) -> frozenset[Flag]:
    """What is wrong with the answers to a prompt; `named`: one of them is known to tell its author. In the texts of
    `plain` answers no token is looked for."""
    found = {Flag.IDENTITY} if named else set[Flag]()
    for answer in answers:
        if answer.finish_reason in _FAILED or (len(answer.text) <= _LONGEST_ERROR and is_error(answer.text)):
            found.add(Flag.ERROR)
        elif answer.finish_reason in _CUT_OFF or answer.text.rstrip().endswith(_CURSORS):
            found.add(Flag.UNFINISHED)
    texts = [m.content for m in messages] + [a.text for a in answers if a.id not in plain]
    for text in texts:
        if ("<" in text or "[" in text) and _CONTROL.search(text):
            found.add(Flag.CONTROL)
    return frozenset(found)


def is_error(text: str) -> bool:
    """Whether a text is what a server says when it cannot answer, and nothing else."""
    return len(text) <= _LONGEST_ERROR and _ERROR.match(text) is not None
