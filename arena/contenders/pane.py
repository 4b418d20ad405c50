"""What may be shown of an answer that is still coming in: all of it, up to where it was looked at for names. Pure."""

import re

from arena.battle import ModelId
from arena.contenders.client import Completion
from arena.errors import EndpointFailed
from arena.rules import NamedAnswers
from arena.self_naming import Names

# A name that is not whole yet tells nothing, so text is looked at sentence by sentence.
_END_OF_SENTENCE = re.compile(r"[.!?…][\"')\]*_]*\s|\n|[。！？]")

_LONGEST_WAIT = 400
"""Letters that are kept back at most for want of an end of a sentence, as in a long list or a program of one line."""


class Pane:
    """One side of a live battle. `text` is what may be shown so far, and only ever grows.

    Where answers that tell who wrote them are withheld, one that does so `has_failed` at that moment, and nothing of
    that sentence was shown; where they are masked, names are replaced; where their votes are left out, `told` has the
    words at the end. `asked` is the prompt.
    """

    def __init__(self, model_id: ModelId, names: Names, asked: str, policy: NamedAnswers):
        self.model_id = model_id
        self.text = ""
        self.told: str | None = None
        self.completion: Completion | None = None
        self.failed: EndpointFailed | None = None
        self.names_itself = False
        self._names = names
        self._asked = asked
        self._policy: NamedAnswers = policy
        self._raw = ""
        self._n_looked_at = 0

    @property
    def is_whole(self) -> bool:
        return self.completion is not None

    @property
    def has_failed(self) -> bool:
        return self.failed is not None or self.names_itself or (self.is_whole and not self.text.strip())

    @property
    def n(self) -> int:
        """How many characters may be shown."""
        return len(self.text)

    def add(self, piece: str) -> None:
        """Take the next piece."""
        self._raw += piece
        ends = [found.end() for found in _END_OF_SENTENCE.finditer(self._raw, self._n_looked_at)]
        if ends:
            self._look(ends[-1])
        elif len(self._raw) - self._n_looked_at > _LONGEST_WAIT:
            self._look(self._raw.rfind(" ", 0, len(self._raw) - _LONGEST_WAIT // 2))

    def end(self, completion: Completion) -> None:
        """The answer is whole."""
        self._raw = completion.text
        self._look(len(self._raw))
        self.completion = completion

    def fail(self, failed: EndpointFailed) -> None:
        """The answer will never be whole."""
        self.failed = failed

    def _look(self, end: int) -> None:
        if end <= self._n_looked_at or self.names_itself:
            return
        self._n_looked_at = end
        text = self._raw[:end]
        found = self._names.told_by(text, self.model_id, self._asked)
        if self._policy == "mask":
            text = self._names.masked(text, self.model_id)
        if found is not None:
            self.told = found
        is_told_before = not text.startswith(self.text)  # a word of what was shown turns out to be a name
        if (found is not None and self._policy == "withhold") or is_told_before:
            self.names_itself = True
            return
        self.text = text
