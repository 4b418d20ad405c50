"""What arrives in pieces, as text that can be stored and shown."""

from enum import Enum, auto

from arena.errors import EndpointFailed, Failure

LONGEST_ANSWER = 400_000
"""In characters, thoughts among them. A server that goes on for longer has failed."""

_OPEN, _CLOSE = "<think>", "</think>"
_NUL, _REPLACEMENT = "\x00", "\N{REPLACEMENT CHARACTER}"

_LONGEST_NAME = 200
_MOST = 2**31 - 1


class _Stage(Enum):
    START = auto()  # not enough letters yet to know whether thoughts come first
    THOUGHTS = auto()
    AFTER = auto()  # the blanks between the thoughts and the answer
    TEXT = auto()


class Incoming:
    """The text of one answer so far, put together from the pieces of a stream.

    Three things are kept out of it. What stands at the very beginning between <think> and </think>, where a server
    writes what its model reasons into the answer. Halves of surrogate pairs: some servers cut a letter in two, so that
    its halves come in two pieces; they are joined, and a half that stays alone becomes U+FFFD. NUL, which databases
    refuse: U+FFFD as well.
    """

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._n = 0
        self._stage = _Stage.START
        self._waiting = ""  # letters of a tag that may not be whole yet
        self._half = ""  # the first half of a surrogate pair

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self._kept)

    def add(self, piece: str) -> str:
        """Take the next piece. Returns what is new of the text, "" if nothing yet.

        Raises EndpointFailed for an answer that does not end.
        """
        self._n += len(piece)
        if self._n > LONGEST_ANSWER:
            raise EndpointFailed(Failure.ENDLESS, f"more than {LONGEST_ANSWER:,} characters")
        new = self._half + self._without_thoughts(piece)
        is_cut = new != "" and "\ud800" <= new[-1] <= "\udbff"
        self._half = new[-1] if is_cut else ""
        return self._keep(new[:-1] if is_cut else new)

    def end(self) -> str:
        """No piece follows. Returns what was held back until now; thoughts that never ended are no answer."""
        held = self._waiting if self._stage is _Stage.START else self._half
        self._waiting = self._half = ""
        return self._keep(held)

    def _without_thoughts(self, piece: str) -> str:
        if self._stage is _Stage.START:
            self._waiting += piece
            start = self._waiting.lstrip()
            if len(start) < len(_OPEN) and _OPEN.startswith(start):
                return ""
            piece, self._waiting = self._waiting, ""
            self._stage = _Stage.THOUGHTS if start.startswith(_OPEN) else _Stage.TEXT
        if self._stage is _Stage.THOUGHTS:
            thoughts, tag, piece = (self._waiting + piece).partition(_CLOSE)
            if not tag:
                self._waiting = thoughts[-len(_CLOSE) + 1 :]
                return ""
            self._stage = _Stage.AFTER
        if self._stage is _Stage.AFTER:
            piece = piece.lstrip()
            if piece:
                self._stage = _Stage.TEXT
        return piece

    def _keep(self, new: str) -> str:
        clean = _storable(new)
        if clean:
            self._kept.append(clean)
        return clean


def name_of(told: object) -> str | None:
    """A name that an endpoint tells, mended as an answer is and cut at 200 characters; None if it is none."""
    return _storable(told)[:_LONGEST_NAME] or None if isinstance(told, str) else None


def count_of(told: object) -> int | None:
    """A number of something that an endpoint tells, from 0 to what a column of the database holds; None for others."""
    return told if type(told) is int and 0 <= told <= _MOST else None


def _storable(text: str) -> str:
    # The halves of a pair become their letter by way of UTF-16, which is where such halves come from.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace(_NUL, _REPLACEMENT)
