"""What may be shown of an answer that is still coming in: all of it, up to where it was looked at for names. Pure."""

import re

from arena.battle import ModelId
from arena.contenders.client import Completion
from arena.errors import EndpointFailed, Failure
from arena.rules import NamedAnswers
from arena.self_naming import Names

LONGEST = 40_000
"""In characters. Nobody reads two longer ones side by side."""

# A name that is not whole yet tells nothing, so text is looked at by whole sentences; so many letters at a time, which
# takes a millisecond, and with so many before them, as what tells of a name may stand before it.
_END_OF_SENTENCE = re.compile(r"[.!?…][\"')\]*_]*\s|\n|[。！？]")
_AT_A_TIME = 1000
_BEFORE = 400

# What stands before a part that is not the first one, whose first line is no heading of the answer then.
_NOT_FIRST = "...\n"


class Pane:
    """One side of a live battle. `text` is what may be shown so far, and only ever grows.

    An answer that tells who wrote it `names_itself` as soon as that is seen, and nothing of that sentence was shown;
    where the rules leave such votes out, it is shown, and `told` has the words. `asked` is the prompt.
    """

    def __init__(self, model_id: ModelId, names: Names, asked: str, policy: NamedAnswers):
        self.model_id = model_id
        self.told: str | None = None
        self.completion: Completion | None = None
        self.failed: EndpointFailed | None = None
        self.names_itself = False
        self._names = names
        self._asked = asked
        self._is_shown_even_so = policy == "leave_out"
        self._raw = ""
        self._n = 0

    @property
    def text(self) -> str:
        """What may be shown so far."""
        return self._raw[: self._n]

    @property
    def n(self) -> int:
        """How many characters may be shown."""
        return self._n

    @property
    def is_whole(self) -> bool:
        """Whether nothing follows on `text`."""
        return self.completion is not None and self._n == len(self._raw)

    @property
    def has_failed(self) -> bool:
        """Whether no ballot can come of it."""
        is_blank = self.completion is not None and not self._raw.strip()
        return self.failed is not None or self.names_itself or is_blank

    def add(self, piece: str) -> None:
        """Take the next piece. Raises EndpointFailed for an answer that is too long."""
        self._raw += piece
        if len(self._raw) > LONGEST:
            raise EndpointFailed(Failure.ENDLESS, f"more than {LONGEST:,} characters")

    def end(self, completion: Completion) -> None:
        """The answer is whole."""
        self._raw = completion.text
        self.completion = completion

    def fail(self, failed: EndpointFailed) -> None:
        """The answer will never be whole."""
        self.failed = failed

    def look(self) -> None:
        """Look at the next sentences that are there, a thousand letters of them at most. To be called at each tick."""
        end = self._end_of_sentences()
        if end == self._n or self.names_itself:
            return
        start = max(0, self._n - _BEFORE)
        part = (_NOT_FIRST if start else "") + self._raw[start:end]
        found = self._names.told_by(part, self.model_id, self._asked)
        if found is not None and not self._is_shown_even_so:
            self.names_itself = True
            return
        self.told = self.told or found
        self._n = end

    def _end_of_sentences(self) -> int:
        most = min(len(self._raw), self._n + _AT_A_TIME)
        if most == len(self._raw) and self.completion is not None:
            return most
        ends = [found.end() for found in _END_OF_SENTENCE.finditer(self._raw, self._n, most)]
        if ends:
            return ends[-1]
        # A list or a program in one line: as far as the last blank, not to cut a name in two.
        is_long = most - self._n >= _BEFORE
        return max(self._raw.rfind(" ", self._n, most), self._n) if is_long else self._n
